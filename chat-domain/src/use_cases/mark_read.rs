use std::sync::Arc;

use super::deliver::{Deliveries, Delivery};
use super::identify::{FrameOrigin, Identify};
use crate::{
    Advance, ChatError, ConnectionStore, Consistency, Email, Event, FirstContact, MessageStore, PageLimit,
    PageQuery, PageRange, Pusher, ReadMark, RoomId, Timestamp,
};

/// How far a member has read now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The room that was read.
    pub room: RoomId,
    /// The address of the reader.
    pub reader: Email,
    /// The newest message that counts as read: at or before the asked one, or later if the reader had read
    /// more before.
    pub up_to: Timestamp,
    /// What came of telling the others. Nobody is told when the mark did not move.
    pub deliveries: Deliveries,
}

/// Notes how far a member has read, and tells the peer if the two are [in touch](crate::Room::are_in_touch).
///
/// # Example: reading all there is
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
/// let mark_read = MarkRead::new(identify, connections, messages, pusher, FirstContact::default());
/// let marked = mark_read.execute(&phone, &junho, now).await?;
/// assert_eq!(marked.map(|marked| marked.up_to), Some(now));
/// # Ok(())
/// # }
/// ```
pub struct MarkRead {
    identify: Arc<Identify>,
    messages: Arc<dyn MessageStore>,
    delivery: Delivery,
    first_contact: FirstContact,
}

impl MarkRead {
    /// Composes the use case. All use cases of a process share one `identify`.
    #[must_use]
    pub fn new(
        identify: Arc<Identify>,
        connections: Arc<dyn ConnectionStore>,
        messages: Arc<dyn MessageStore>,
        pusher: Arc<dyn Pusher>,
        first_contact: FirstContact,
    ) -> Self {
        Self { identify, messages, delivery: Delivery::new(connections, pusher), first_contact }
    }

    /// Marks everything up to `up_to` as read by the user who is on the connection. `None` when no message is
    /// that early.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat), [`UnknownConnection`](ChatError::UnknownConnection),
    /// [`AuthExpired`](ChatError::AuthExpired), [`Unavailable`](ChatError::Unavailable). All may be repeated.
    pub async fn execute(
        &self,
        origin: &FrameOrigin,
        peer: &Email,
        up_to: Timestamp,
    ) -> Result<Option<Marked>, ChatError> {
        let connection = self.identify.strongly(origin).await?;
        let reader_email = connection.identity.email();
        let (id, reader) = RoomId::between(reader_email, peer)?;

        // A mark is made from a message that exists, so it cannot pass the newest one.
        let query = PageQuery { range: PageRange::Before(up_to.next()), limit: PageLimit::ONE };
        let newest_read = self.messages.page(&id, query, Consistency::Strong).await?;
        let Some(message) = newest_read.messages.first() else { return Ok(None) };
        let (room, moved) =
            match self.messages.advance_read(&id, reader, ReadMark::at(message, reader)).await? {
                Advance::Moved(room) => (room, true),
                Advance::Unchanged(room) => (room, false),
                Advance::NoRoom => return Ok(None),
            };
        let Some(up_to) = room.read_up_to(reader) else { return Ok(None) };

        let deliveries = if moved {
            let in_touch = room.are_in_touch(self.first_contact);
            let event = Event::Read { room: id.clone(), reader: reader_email.clone(), up_to };
            self.tell(reader_email, Some(peer).filter(|_| in_touch), origin, event).await
        } else {
            Deliveries::default()
        };
        Ok(Some(Marked { room: id, reader: reader_email.clone(), up_to, deliveries }))
    }

    /// Tells the reader's other devices, whose badges go, and the peer, whose messages were read.
    async fn tell(
        &self,
        reader: &Email,
        peer: Option<&Email>,
        origin: &FrameOrigin,
        event: Event,
    ) -> Deliveries {
        let users = [reader].into_iter().chain(peer);
        let mut others = self.delivery.audience_of(users, origin.now).await;
        others.take_out(&origin.connection);
        self.delivery.push(&others, event, origin.now).await
    }
}
