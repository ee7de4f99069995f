use std::cmp::Reverse;
use std::sync::Arc;

use crate::{Activity, ChatError, Email, Kind, MessageStore, Room, Timestamp};

/// One of a user's conversations, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The other member of the conversation.
    pub peer: Email,
    /// The first characters of the newest message.
    pub preview: String,
    /// The newest message's timestamp.
    pub last_at: Timestamp,
    /// The newest message's number.
    pub last_seq: u64,
    /// Who sent the newest message.
    pub last_sender: Email,
    /// What kind the newest message is.
    pub last_kind: Kind,
    /// How many of the peer's messages the user has not read.
    pub unread: u64,
    /// How far the peer has read.
    pub peer_read_up_to: Option<Timestamp>,
}

/// A page of a user's conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationsPage {
    /// The conversations, the newest first.
    pub conversations: Vec<Conversation>,
    /// How many messages are unread in the rooms of this page; only the first page says so.
    pub total_unread: Option<u64>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Activity>,
}

/// Lists a user's conversations by the day of the newest message, the latest day first.
///
/// Within a day the pages follow no order, though each is sorted by time. So whoever shows the newest first
/// follows the pages to the end of a day before they show that day.
///
/// # Example: the first page
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
/// let page = Conversations::new(chat.messages).execute(&minji, None).await?;
/// assert_eq!(page.conversations[0].preview, "안녕하세요");
/// assert_eq!(page.total_unread, Some(1));
/// # Ok(())
/// # }
/// ```
pub struct Conversations {
    messages: Arc<dyn MessageStore>,
}

impl Conversations {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(messages: Arc<dyn MessageStore>) -> Self {
        Self { messages }
    }

    /// Reads the page after the place `after`. Pages follow one another by the day of the newest message;
    /// within a page the order is exact.
    ///
    /// # Errors
    /// [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(
        &self,
        caller: &Email,
        after: Option<Activity>,
    ) -> Result<ConversationsPage, ChatError> {
        let page = self.messages.rooms_of(caller, after).await?;
        let mut conversations: Vec<_> =
            page.rooms.iter().filter_map(|room| Conversation::of(room, caller)).collect();
        conversations.sort_by_key(|conversation| Reverse(conversation.last_at));
        let total_unread =
            after.is_none().then(|| conversations.iter().map(|conversation| conversation.unread).sum());
        Ok(ConversationsPage { conversations, total_unread, next: page.next })
    }
}

impl Conversation {
    /// What `caller` sees of a room: nothing if it is empty or not theirs.
    fn of(room: &Room, caller: &Email) -> Option<Self> {
        let log = room.log()?;
        let me = room.id().member(caller)?;
        Some(Self {
            peer: room.id().email(me.peer()).clone(),
            preview: log.preview(),
            last_at: log.last_at(),
            last_seq: log.seq(),
            last_sender: room.id().email(log.last_sender()).clone(),
            last_kind: log.last_kind(),
            unread: room.unread(me),
            peer_read_up_to: room.read_up_to(me.peer()),
        })
    }
}
