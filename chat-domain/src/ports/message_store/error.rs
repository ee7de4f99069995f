use crate::BoxError;

/// What can go wrong with a [`MessageStore`](crate::MessageStore). The variants differ in what a caller can
/// do about them; an adapter maps what its vendor answers to these, in one place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageStoreError {
    /// The room has moved on. Nothing happened. Read the room again and decide anew.
    #[error("the room has moved on since it was read")]
    Conflict,
    /// Another message shows the same attachment, or an earlier attempt at this one does. Nothing happened;
    /// read the room again.
    #[error("another message shows the same attachment")]
    AttachmentTaken,
    /// The store has too much to do. Nothing happened; try again later.
    #[error("the message store throttles {operation}")]
    Throttled {
        /// Which method of the port failed.
        operation: &'static str,
    },
    /// The store did not answer, or could not. A write may have happened, or may still.
    #[error("the message store is unavailable for {operation}")]
    Unavailable {
        /// Which method of the port failed.
        operation: &'static str,
        /// The vendor's error, for logs.
        #[source]
        source: BoxError,
    },
    /// A stored row cannot be understood. Retrying does not help.
    #[error("a row of the room tagged {key} is corrupt")]
    Corrupt {
        /// The tag of the room, since addresses stay out of logs.
        key: String,
        /// What is wrong with the row.
        #[source]
        source: BoxError,
    },
}
