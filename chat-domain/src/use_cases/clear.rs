use std::sync::Arc;

use super::deliver::{Deliveries, Delivery};
use super::identify::{FrameOrigin, Identify};
use crate::{
    ChatError, ConnectionStore, Consistency, Email, Event, MessageStore, Pusher, RoomId, RoomLog, Timestamp,
};

/// How far a member has cleared a conversation now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// The room of the two.
    pub room: RoomId,
    /// Up to where nothing is shown to the member any more: up to the asked place, to the newest message if
    /// that is earlier, or further if more was cleared before.
    pub up_to: Timestamp,
    /// What came of telling the member's other devices.
    pub deliveries: Deliveries,
}

/// Takes a conversation out of one member's sight, up to a place. The other one sees everything as before.
///
/// # Example: nothing is left for who clears
///
/// ```
/// use chat_adapters_memory::MemoryChat;
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let (minji, junho): (Email, Email) = ("minji@example.com".parse()?, "junho@example.com".parse()?);
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
/// chat.say(&junho, &minji, "안녕하세요".parse()?, now).await?;
/// let phone = chat.connect(&minji, "minji-phone", now).await?;
///
/// let MemoryChat { identify, connections, messages, pusher, .. } = chat;
/// let clear = Clear::new(identify, connections, messages.clone(), pusher);
/// assert_eq!(clear.execute(&phone, &junho, now).await?.up_to, now);
///
/// let history = History::new(messages, FirstContact::default());
/// let page = history.execute(&minji, &junho, PageRange::Newest, PageLimit::MAX).await?;
/// assert!(page.messages.is_empty());
/// # Ok(())
/// # }
/// ```
pub struct Clear {
    identify: Arc<Identify>,
    messages: Arc<dyn MessageStore>,
    delivery: Delivery,
}

impl Clear {
    /// Composes the use case. All use cases of a process share one `identify`.
    #[must_use]
    pub fn new(
        identify: Arc<Identify>,
        connections: Arc<dyn ConnectionStore>,
        messages: Arc<dyn MessageStore>,
        pusher: Arc<dyn Pusher>,
    ) -> Self {
        Self { identify, messages, delivery: Delivery::new(connections, pusher) }
    }

    /// Clears everything up to `up_to` for the user who is on the connection, and tells the user's other
    /// devices. The peer is not told. A place after the newest message stands for that one's.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat); [`NotFound`](ChatError::NotFound) when the two have no
    /// conversation; [`UnknownConnection`](ChatError::UnknownConnection),
    /// [`AuthExpired`](ChatError::AuthExpired), [`Unavailable`](ChatError::Unavailable). All may be repeated.
    pub async fn execute(
        &self,
        origin: &FrameOrigin,
        peer: &Email,
        up_to: Timestamp,
    ) -> Result<Cleared, ChatError> {
        let connection = self.identify.strongly(origin).await?;
        let me = connection.identity.email();
        let (room, reader) = RoomId::between(me, peer)?;
        let head = self.messages.room(&room, Consistency::Strong).await?;
        let newest = head.as_ref().and_then(|head| head.log()).map(RoomLog::last_at);
        let up_to = up_to.min(newest.ok_or(ChatError::NotFound)?);
        let up_to = self.messages.clear(&room, reader, up_to).await?.ok_or(ChatError::NotFound)?;

        let event = Event::Cleared { room: room.clone(), peer: peer.clone(), up_to };
        let mut others = self.delivery.audience_of([me], origin.now).await;
        others.take_out(&origin.connection);
        let deliveries = self.delivery.push(&others, event, origin.now).await;
        Ok(Cleared { room, up_to, deliveries })
    }
}
