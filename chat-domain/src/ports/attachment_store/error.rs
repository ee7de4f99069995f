use crate::BoxError;

/// What can go wrong with an [`AttachmentStore`](crate::AttachmentStore). The variants differ in what a
/// caller can do about them; an adapter maps what its vendor answers to these, in one place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachmentStoreError {
    /// The store has too much to do. Try again later.
    #[error("the attachment store throttles {operation}")]
    Throttled {
        /// Which method of the port failed.
        operation: &'static str,
    },
    /// The store did not answer, or could not.
    #[error("the attachment store is unavailable for {operation}")]
    Unavailable {
        /// Which method of the port failed.
        operation: &'static str,
        /// The vendor's error, for logs.
        #[source]
        source: BoxError,
    },
}
