use crate::BoxError;

/// What can go wrong with a [`ConnectionStore`](crate::ConnectionStore). The variants differ in what a caller
/// can do about them; an adapter maps what its vendor answers to these, in one place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionStoreError {
    /// The store has too much to do. Nothing happened; try again later.
    #[error("the connection store throttles {operation}")]
    Throttled {
        /// Which method of the port failed.
        operation: &'static str,
    },
    /// The store did not answer, or could not. A write may have happened, or may still.
    #[error("the connection store is unavailable for {operation}")]
    Unavailable {
        /// Which method of the port failed.
        operation: &'static str,
        /// The vendor's error, for logs.
        #[source]
        source: BoxError,
    },
    /// A stored row cannot be understood. Retrying does not help.
    #[error("the row of connection {key} is corrupt")]
    Corrupt {
        /// Which connection the row is about.
        key: String,
        /// What is wrong with the row.
        #[source]
        source: BoxError,
    },
}
