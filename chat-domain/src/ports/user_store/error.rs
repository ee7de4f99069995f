use crate::BoxError;

/// What can go wrong with a [`UserStore`](crate::UserStore). The variants differ in what a caller can do
/// about them; an adapter maps what its vendor answers to these, in one place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserStoreError {
    /// Somebody has written the row since it was read. Nothing happened; read it again.
    #[error("the row of a user has been written since it was read")]
    Conflict,
    /// The store has too much to do. Nothing happened; try again later.
    #[error("the user store throttles {operation}")]
    Throttled {
        /// Which method of the port failed.
        operation: &'static str,
    },
    /// The store did not answer, or could not. A write may have happened, or may still.
    #[error("the user store is unavailable for {operation}")]
    Unavailable {
        /// Which method of the port failed.
        operation: &'static str,
        /// The vendor's error, for logs.
        #[source]
        source: BoxError,
    },
    /// A stored row cannot be understood. Retrying does not help.
    #[error("the row of a user is corrupt")]
    Corrupt {
        /// What is wrong with the row.
        #[source]
        source: BoxError,
    },
}
