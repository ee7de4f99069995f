use crate::BoxError;

/// What can go wrong with a [`ConnectionStore`](crate::ConnectionStore).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionStoreError {
    /// The store has too much to do. Nothing happened; try again later.
    #[error("the connection store throttles {operation}")]
    Throttled {
        /// The method.
        operation: &'static str,
    },
    /// The store did not answer, or could not. A write may have happened, or may still.
    #[error("the connection store is unavailable for {operation}")]
    Unavailable {
        /// The method.
        operation: &'static str,
        /// The vendor's error.
        #[source]
        source: BoxError,
    },
    /// A stored row cannot be understood. Retrying does not help.
    #[error("the row of connection {key} is corrupt")]
    Corrupt {
        /// The connection.
        key: String,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
}
