use std::sync::Arc;

use futures_util::future::try_join;

use crate::{
    ChatError, Consistency, Email, Message, MessageStore, PageLimit, PageQuery, PageRange, Room, RoomId,
    Timestamp,
};

/// A page of a conversation, as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryPage {
    /// The room of the two.
    pub room: RoomId,
    /// The messages in the order that was asked for, each with `read` as the receiver's mark says.
    pub messages: Vec<Message>,
    /// Whether there are more messages beyond the last of these.
    pub has_more: bool,
    /// How far the peer has read.
    pub peer_read_up_to: Option<Timestamp>,
    /// How far the caller has read.
    pub my_read_up_to: Option<Timestamp>,
}

/// Reads a conversation, page by page: backwards for people, forwards for a client that catches up.
///
/// # Example: catching up from the beginning
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
///
/// let page = History::new(chat.messages).execute(&minji, &junho, PageRange::Oldest, PageLimit::MAX).await?;
/// assert_eq!(page.messages[0].content.text(), "안녕하세요");
/// assert!(!page.has_more);
/// # Ok(())
/// # }
/// ```
pub struct History {
    messages: Arc<dyn MessageStore>,
}

impl History {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(messages: Arc<dyn MessageStore>) -> Self {
        Self { messages }
    }

    /// Reads a page of the conversation of `caller` and `peer`, which is empty when they have none.
    ///
    /// A client syncs with [`Oldest`](PageRange::Oldest) and [`After`](PageRange::After). These reads are
    /// strongly consistent, so a client that follows `has_more` to its end has everything that was
    /// acknowledged before it began.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat), [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(
        &self,
        caller: &Email,
        peer: &Email,
        range: PageRange,
        limit: PageLimit,
    ) -> Result<HistoryPage, ChatError> {
        let (id, me) = RoomId::between(caller, peer)?;
        let consistency = match range {
            PageRange::Newest | PageRange::Before(_) => Consistency::Eventual,
            PageRange::Oldest | PageRange::After(_) => Consistency::Strong,
        };
        let (page, room) = try_join(
            self.messages.page(&id, PageQuery { range, limit }, consistency),
            self.messages.room(&id, consistency),
        )
        .await?;
        let room = room.unwrap_or_else(|| Room::empty(id.clone()));
        let mut messages = page.messages;
        for message in &mut messages {
            message.read = room.is_read(message);
        }
        Ok(HistoryPage {
            messages,
            has_more: page.has_more,
            peer_read_up_to: room.read_up_to(me.peer()),
            my_read_up_to: room.read_up_to(me),
            room: id,
        })
    }
}
