use crate::BoxError;

/// What can go wrong with a [`Pusher`](crate::Pusher). The variants differ in what a caller can do about
/// them; an adapter maps what its vendor answers to these, in one place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// There is no such open connection: it is closed, or not open yet.
    #[error("the connection is gone")]
    Gone,
    /// The frame is larger than the gateway takes. Retrying does not help.
    #[error("the frame is too large for the gateway")]
    TooLarge,
    /// The gateway has too much to do. The frame was not taken.
    #[error("the gateway throttles pushes")]
    Throttled,
    /// The gateway does not let this process push: the process lacks the permission, or its endpoint is
    /// another stage's. The error says nothing about the connection, and does not pass by itself.
    #[error("the gateway forbids {operation}")]
    Forbidden {
        /// Which method of the port failed.
        operation: &'static str,
        /// The vendor's error, for logs.
        #[source]
        source: BoxError,
    },
    /// The gateway did not answer, or could not. The frame may have arrived.
    #[error("the gateway is unavailable for {operation}")]
    Unavailable {
        /// Which method of the port failed.
        operation: &'static str,
        /// The vendor's error, for logs.
        #[source]
        source: BoxError,
    },
}
