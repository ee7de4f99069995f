use std::sync::Arc;

use super::deliver::{Deliveries, Delivery};
use super::identify::{Identify, Origin};
use crate::{
    Advance, ChatError, ConnectionStore, Consistency, Email, Event, Member, MessageStore, PageLimit,
    PageQuery, PageRange, Pusher, ReadMark, Room, RoomId, Timestamp,
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

/// Notes how far a member has read, and tells the peer.
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
/// let mark_read = MarkRead::new(identify, connections, messages, pusher);
/// let marked = mark_read.execute(&phone, &junho, now).await?;
/// assert_eq!(marked.map(|marked| marked.up_to), Some(now));
/// # Ok(())
/// # }
/// ```
pub struct MarkRead {
    identify: Arc<Identify>,
    messages: Arc<dyn MessageStore>,
    delivery: Delivery,
}

impl MarkRead {
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

    /// Marks everything up to `up_to` as read by the user who is on the connection. `None` when no message is
    /// that early.
    ///
    /// The mark is what counts. The rows are marked one by one after it, at most one page in a call; the next
    /// call goes on.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat), [`UnknownConnection`](ChatError::UnknownConnection),
    /// [`AuthExpired`](ChatError::AuthExpired), [`Unavailable`](ChatError::Unavailable). All may be repeated.
    pub async fn execute(
        &self,
        origin: &Origin,
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
            let event = Event::Read { room: id.clone(), reader: reader_email.clone(), up_to };
            self.tell(reader_email, peer, origin, event).await
        } else {
            Deliveries::default()
        };
        self.mark_rows(&room, reader).await?;
        Ok(Some(Marked { room: id, reader: reader_email.clone(), up_to, deliveries }))
    }

    /// Tells the peer, whose messages were read, and the reader's other devices, whose badges go.
    async fn tell(&self, reader: &Email, peer: &Email, origin: &Origin, event: Event) -> Deliveries {
        let all = self.delivery.connections_of([reader, peer], origin.now).await;
        let others = all.iter().filter(|connection| connection.id != origin.connection);
        self.delivery.push(others, event, origin.now).await
    }

    async fn mark_rows(&self, room: &Room, reader: Member) -> Result<(), ChatError> {
        let Some((after, up_to)) = room.read_state(reader).rows_to_mark() else { return Ok(()) };
        let range = after.map_or(PageRange::Oldest, PageRange::After);
        let query = PageQuery { range, limit: PageLimit::MAX };
        let page = self.messages.page(room.id(), query, Consistency::Strong).await?;
        let covered = page.messages.iter().take_while(|message| message.at <= up_to);
        let Some(through) = covered.clone().last().map(|message| message.at) else { return Ok(()) };
        let rows: Vec<_> = covered
            .filter(|message| message.sender == reader.peer() && !message.read)
            .map(|message| message.at)
            .collect();
        Ok(self.messages.mark_rows_read(room.id(), reader, &rows, through).await?)
    }
}
