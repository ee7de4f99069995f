use std::cmp::Reverse;
use std::sync::Arc;

use crate::{Activity, ChatError, Email, FirstContact, Kind, Member, MessageStore, Room, Timestamp};

/// One of a user's conversations, as a list shows it: no page of messages is needed beside it.
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
    /// How far the user [sees](Room::peer_read_up_to) that the peer has read.
    pub peer_read_up_to: Option<Timestamp>,
    /// Whose request the conversation is, while it is one.
    pub request: Option<RequestSide>,
    /// Whether the user blocks the peer.
    pub blocked: bool,
    /// How far the user has [cleared](crate::ReadState::cleared_to) the conversation.
    pub cleared_to: Option<Timestamp>,
}

/// Whose request a conversation is, as one of its members sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestSide {
    /// The peer began the conversation, and waits for an answer.
    Incoming,
    /// The user began the conversation, and waits for an answer.
    Outgoing,
}

impl RequestSide {
    /// What a request is for `me`; `None` when the conversation is none.
    pub(crate) fn of(room: &Room, me: Member, first_contact: FirstContact) -> Option<Self> {
        let begun_by = room.request_of(first_contact)?;
        Some(if begun_by == me { Self::Outgoing } else { Self::Incoming })
    }
}

/// A page of a user's conversations, and where the next one begins.
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
/// let conversations = Conversations::new(chat.messages, FirstContact::default());
/// let page = conversations.execute(&minji, None).await?;
/// assert_eq!(page.conversations[0].request, Some(RequestSide::Incoming));
/// assert_eq!(page.conversations[0].preview, "안녕하세요");
/// assert_eq!(page.total_unread, Some(1));
/// # Ok(())
/// # }
/// ```
pub struct Conversations {
    messages: Arc<dyn MessageStore>,
    first_contact: FirstContact,
}

impl Conversations {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(messages: Arc<dyn MessageStore>, first_contact: FirstContact) -> Self {
        Self { messages, first_contact }
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
        let seen = page.rooms.iter().filter_map(|room| Conversation::of(room, caller, self.first_contact));
        let mut conversations: Vec<_> = seen.collect();
        conversations.sort_by_key(|conversation| Reverse(conversation.last_at));
        let total_unread =
            after.is_none().then(|| conversations.iter().map(|conversation| conversation.unread).sum());
        Ok(ConversationsPage { conversations, total_unread, next: page.next })
    }
}

impl Conversation {
    /// What `caller` sees of a room: nothing if it is empty, cleared or not theirs.
    fn of(room: &Room, caller: &Email, first_contact: FirstContact) -> Option<Self> {
        let log = room.log()?;
        let last = log.last_message();
        let me = room.id().member(caller)?;
        if room.is_cleared_for(me) {
            return None;
        }
        Some(Self {
            cleared_to: room.read_state(me).cleared_to,
            peer: room.id().email(me.peer()).clone(),
            preview: last.preview,
            last_at: log.last_at(),
            last_seq: log.seq(),
            last_sender: room.id().email(last.sender).clone(),
            last_kind: last.kind,
            unread: room.unread(me),
            peer_read_up_to: room.peer_read_up_to(me, first_contact),
            request: RequestSide::of(room, me, first_contact),
            blocked: room.consent(me).blocked.is_some(),
        })
    }
}
