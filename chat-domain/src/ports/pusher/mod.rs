#[cfg(feature = "conformance")]
pub(crate) mod conformance;
mod error;

use std::sync::OnceLock;

use async_trait::async_trait;

pub use self::error::PushError;
use crate::{ConnectionId, ConsentChange, Correlation, Email, Message, RoomId, Timestamp};

/// Sends events to open connections.
///
/// # Contract
///
/// - **A push is a hint.** `Ok` means that the gateway took the frame, not that anybody saw it; an error may
///   still mean that it arrived. Pushes to one connection may overtake each other. Truth is in the
///   [`MessageStore`](crate::MessageStore).
/// - **Bounded.** Every call returns within a deadline of the implementation's own, of a few seconds.
/// - **Errors.** [`Gone`](PushError::Gone) also answers a push to a connection that is only just being
///   opened.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait Pusher: Send + Sync {
    /// Sends an event to a connection. All connections that are told the same event are given the same
    /// [`Push`].
    async fn push(&self, to: &ConnectionId, push: &Push) -> Result<(), PushError>;

    /// Closes a connection. If it is not open, the answer is [`PushError::Gone`].
    async fn close(&self, id: &ConnectionId) -> Result<(), PushError>;
}

/// An event on its way to one or more connections. An adapter that sends text writes it once for all of them.
#[derive(Clone, Debug)]
pub struct Push {
    event: Event,
    text: OnceLock<String>,
}

impl Push {
    /// The event as text: what `encode` makes of it the first time that anybody asks, and the same text from
    /// then on. So all adapters that share a push have to write events alike.
    pub fn text(&self, encode: impl FnOnce(&Event) -> String) -> &str {
        self.text.get_or_init(|| encode(&self.event))
    }

    /// The event that is pushed.
    #[must_use]
    pub const fn event(&self) -> &Event {
        &self.event
    }
}

/// Two pushes are equal when their events are, whether or not they were written as text.
impl PartialEq for Push {
    fn eq(&self, other: &Self) -> bool {
        self.event == other.event
    }
}

impl Eq for Push {}

impl From<Event> for Push {
    fn from(event: Event) -> Self {
        Self { event, text: OnceLock::new() }
    }
}

/// Something that a connected client is told without having asked. Whoever writes a [`Pusher`] gets it
/// encoded, by [`Push::text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message was stored.
    Message(Message),
    /// A message was changed.
    Changed {
        /// The change, as it stands in the log.
        entry: Message,
        /// The message as it is by now. Boxed, since no other event has two.
        target: Box<Message>,
    },
    /// A member has read further.
    Read {
        /// The room that the reader has read in.
        room: RoomId,
        /// The address of the reader.
        reader: Email,
        /// The newest message that the reader has read.
        up_to: Timestamp,
    },
    /// A member is typing.
    Typing {
        /// The room that the message would be in.
        room: RoomId,
        /// The address of who types.
        sender: Email,
    },
    /// A member has decided something about the other. Only the member's own devices are told.
    Consent {
        /// The room of the two.
        room: RoomId,
        /// The address of the other, about whom it was decided.
        peer: Email,
        /// What the member has decided.
        change: ConsentChange,
    },
    /// A member has cleared the conversation for themselves. Only the member's own devices are told.
    Cleared {
        /// The room of the two.
        room: RoomId,
        /// The address of the other.
        peer: Email,
        /// Up to where nothing is shown to the member any more.
        up_to: Timestamp,
    },
    /// The server does not know this connection and is about to close it. The client connects anew, and sends
    /// again what this answers.
    UnknownConnection(Correlation),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_written_once_however_many_connections_it_goes_to() {
        let push = Push::from(Event::UnknownConnection(Correlation::default()));
        assert_eq!(push.text(|_| "written".to_owned()), "written");
        assert_eq!(push.text(|_| panic!("it is written already")), "written");
    }
}
