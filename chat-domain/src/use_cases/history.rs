use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::{try_join, try_join3};

use crate::{
    ChatError, Consistency, Content, Email, FirstContact, Member, Message, MessageStore, Page, PageLimit,
    PageQuery, PageRange, RequestSide, Room, RoomId, Timestamp,
};

/// A page of a conversation, as one of its members sees it. In a request, and while one of the two blocks the
/// other, it does not show what the other one reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryPage {
    /// The room of the two.
    pub room: RoomId,
    /// Which member of the room the caller is.
    pub me: Member,
    /// The messages in the order that was asked for.
    pub messages: Vec<Message>,
    /// Whether there are more messages beyond the last of these.
    pub has_more: bool,
    /// Whether there are more before the first of these. Only a page [around](History::around) a place knows.
    pub has_newer: bool,
    /// The messages beyond the page that those on it [change](crate::Content::Change) or
    /// [reply to](Message::reply_to), as they are by now; those that are not there are left out.
    pub referred: Vec<Message>,
    /// How far the caller [sees](Room::peer_read_up_to) that the peer has read.
    pub peer_read_up_to: Option<Timestamp>,
    /// How far the caller has read.
    pub my_read_up_to: Option<Timestamp>,
    /// Whose request the conversation is, while it is one.
    pub request: Option<RequestSide>,
    /// Whether the caller blocks the peer.
    pub blocked: bool,
    /// How far the caller has [cleared](crate::ReadState::cleared_to) the conversation: nothing up to
    /// there is on the page.
    pub cleared_to: Option<Timestamp>,
}

impl HistoryPage {
    /// Whether the caller sees a message of this page as read by its receiver.
    #[must_use]
    pub fn is_read(&self, message: &Message) -> bool {
        let up_to = if message.sender == self.me { self.peer_read_up_to } else { self.my_read_up_to };
        up_to >= Some(message.at)
    }

    /// The message that `message` replies to, as it is by now; `None` if that is not known, or it is no
    /// reply.
    #[must_use]
    pub fn quoted(&self, message: &Message) -> Option<&Message> {
        let at = message.reply_to?;
        self.messages.iter().chain(&self.referred).find(|quoted| quoted.at == at)
    }

    /// The messages beyond the page that those on it have changed, as they are by now.
    pub fn changed(&self) -> impl Iterator<Item = &Message> {
        let is_target = |at| {
            self.messages
                .iter()
                .any(|message| matches!(&message.content, Content::Change(change) if change.target == at))
        };
        self.referred.iter().filter(move |message| is_target(message.at))
    }
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
/// let history = History::new(chat.messages, FirstContact::default());
/// let page = history.execute(&minji, &junho, PageRange::Oldest, PageLimit::MAX).await?;
/// assert_eq!(page.messages[0].content.text(), "안녕하세요");
/// assert!(!page.has_more);
/// # Ok(())
/// # }
/// ```
pub struct History {
    messages: Arc<dyn MessageStore>,
    first_contact: FirstContact,
}

impl History {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(messages: Arc<dyn MessageStore>, first_contact: FirstContact) -> Self {
        Self { messages, first_contact }
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
        let read = async |range| self.messages.page(&id, PageQuery { range, limit }, consistency).await;
        let (mut page, room) = try_join(read(range), self.messages.room(&id, consistency)).await?;
        let room = room.unwrap_or_else(|| Room::empty(id.clone()));
        let begins_at = match range {
            PageRange::Newest | PageRange::Before(_) => None,
            PageRange::Oldest => Some(None),
            PageRange::After(after) => Some(Some(after)),
        };
        if let (Some(cleared_to), Some(begins_at)) = (room.read_state(me).cleared_to, begins_at)
            && begins_at < Some(cleared_to)
        {
            page = read(PageRange::After(cleared_to)).await?;
        }
        self.shown(room, me, page, false).await
    }

    /// Reads the messages around the place `at`: about half a page up to there, and as many after it, the
    /// newest first. It is strongly consistent, so there is no hole between the two.
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat), [`Unavailable`](ChatError::Unavailable).
    pub async fn around(
        &self,
        caller: &Email,
        peer: &Email,
        at: Timestamp,
    ) -> Result<HistoryPage, ChatError> {
        let (id, me) = RoomId::between(caller, peer)?;
        let half = |range| PageQuery { range, limit: PageLimit::HALF };
        let (older, newer, room) = try_join3(
            self.messages.page(&id, half(PageRange::Before(at.next())), Consistency::Strong),
            self.messages.page(&id, half(PageRange::After(at)), Consistency::Strong),
            self.messages.room(&id, Consistency::Strong),
        )
        .await?;
        let room = room.unwrap_or_else(|| Room::empty(id.clone()));
        let newer = match room.read_state(me).cleared_to {
            // What is around the place is cleared, so the page begins with what is not.
            Some(cleared_to) if at < cleared_to => {
                self.messages.page(&id, half(PageRange::After(cleared_to)), Consistency::Strong).await?
            }
            _ => newer,
        };
        let messages = newer.messages.into_iter().rev().chain(older.messages).collect();
        self.shown(room, me, Page { messages, has_more: older.has_more }, newer.has_more).await
    }

    /// What `me` sees of a page: nothing that they have cleared.
    async fn shown(
        &self,
        room: Room,
        me: Member,
        mut page: Page,
        has_newer: bool,
    ) -> Result<HistoryPage, ChatError> {
        let cleared_to = room.read_state(me).cleared_to;
        let read = page.messages.len();
        page.messages.retain(|message| Some(message.at) > cleared_to);
        page.has_more &= page.messages.len() == read;
        let mut referred = self.referred(room.id(), &mut page).await?;
        referred.retain(|message| Some(message.at) > cleared_to);
        Ok(HistoryPage {
            me,
            messages: page.messages,
            has_more: page.has_more,
            has_newer,
            referred,
            peer_read_up_to: room.peer_read_up_to(me, self.first_contact),
            my_read_up_to: room.read_up_to(me),
            request: RequestSide::of(&room, me, self.first_contact),
            blocked: room.consent(me).blocked.is_some(),
            cleared_to,
            room: room.id().clone(),
        })
    }

    /// Reads the messages that those of the page refer to and that are not on it. A message of the page that
    /// has not had the effect of a change on it yet, since the rows were read one after the other, is read
    /// anew.
    async fn referred(&self, room: &RoomId, page: &mut Page) -> Result<Vec<Message>, ChatError> {
        let find = |at| page.messages.iter().position(|message| message.at == at);
        let mut places = BTreeSet::new();
        for message in &page.messages {
            if let Content::Change(change) = &message.content
                && find(change.target).is_none_or(|on_page| !page.messages[on_page].has_change(message))
            {
                places.insert(change.target);
            }
            places.extend(message.reply_to.filter(|at| find(*at).is_none()));
        }
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<_> = places.into_iter().collect();
        let mut referred = self.messages.messages_at(room, &places, Consistency::Strong).await?;
        referred.retain(|newer| match page.messages.iter_mut().find(|message| message.at == newer.at) {
            Some(message) => {
                message.clone_from(newer);
                false
            }
            None => true,
        });
        referred.sort_by_key(|message| message.at);
        Ok(referred)
    }
}
