#[cfg(feature = "conformance")]
pub(crate) mod conformance;
mod error;

use async_trait::async_trait;

pub use self::error::PushError;
use crate::{ConnectionId, Correlation, Email, Message, RoomId, Timestamp};

/// The way from the server to an open connection.
///
/// # Contract
///
/// - **A push is a hint.** `Ok` means that the gateway took the frame, not that anybody saw it; an error may still mean
///   that it arrived. Pushes to one connection may overtake each other. Truth is in the
///   [`MessageStore`](crate::MessageStore).
/// - **Bounded.** Every call returns within a deadline of the implementation's own, of a few seconds.
/// - **Errors.** [`Gone`](PushError::Gone) also answers a push to a connection that is only just being opened.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait Pusher: Send + Sync {
    /// Sends an event to a connection.
    async fn push(&self, to: &ConnectionId, event: &Event) -> Result<(), PushError>;

    /// Closes a connection. One that is not open gives [`PushError::Gone`].
    async fn close(&self, id: &ConnectionId) -> Result<(), PushError>;
}

/// Something a connected client is told without having asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message was stored.
    Message(Message),
    /// A member has read further.
    Read {
        /// The room.
        room: RoomId,
        /// Who has read.
        reader: Email,
        /// The newest message read.
        up_to: Timestamp,
    },
    /// A member is typing.
    Typing {
        /// The room.
        room: RoomId,
        /// Who types.
        sender: Email,
    },
    /// The server does not know this connection and is about to close it; the client is to connect anew, and to send again
    /// what this answers.
    UnknownConnection(Correlation),
}
