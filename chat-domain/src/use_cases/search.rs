use std::num::NonZeroU32;
use std::sync::Arc;

use super::users::change_user;
use crate::{
    ChatError, Consistency, Email, FirstContact, Message, MessageStore, PageLimit, PageQuery, PageRange,
    RequestRate, Room, RoomId, SearchQuery, Timestamp, UserStore,
};

/// How many pages of a conversation one search reads at most: a thousand entries.
pub const SEARCH_PAGES_MAX: usize = 20;
/// How many messages one search finds at most: no more than a page of the history has, and than can be read
/// by their places at once.
pub const SEARCH_HITS_MAX: usize = 50;
/// For how many requests a search counts that needs more than one page.
const REQUESTS: u32 = SEARCH_PAGES_MAX as u32;

/// What a search has found so far, and how far it has looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPage {
    /// The messages that were found, the newest first.
    pub hits: Vec<Hit>,
    /// The oldest place that was looked at; `None` if there was nothing to look at.
    pub searched_to: Option<Timestamp>,
    /// Whether there is more before that place.
    pub has_more: bool,
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The message, as it is by now.
    pub message: Message,
    /// Whether the caller sees it as read by its receiver.
    pub is_read: bool,
}

/// Looks for words in a conversation, from the newest message backwards.
///
/// What it finds it reads once more, strongly, so that nobody is shown words that were edited away or deleted
/// before. What was said in the last moment it may miss.
///
/// A search that needs more than one page counts for as many requests of the user's hour as it may read
/// pages, and is counted in the user's row before it reads on.
///
/// # Example: where do we meet?
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
/// chat.say(&junho, &minji, "잠실 경기장에서 봐요".parse()?, now).await?;
///
/// let search = Search::new(chat.messages, chat.users, FirstContact::default(), RequestRate::default());
/// let found = search.execute(&minji, &junho, &"잠실경기장".parse()?, None, now).await?;
/// assert_eq!(found.hits[0].message.at, now);
/// assert!(!found.has_more);
/// # Ok(())
/// # }
/// ```
pub struct Search {
    messages: Arc<dyn MessageStore>,
    users: Arc<dyn UserStore>,
    first_contact: FirstContact,
    per_hour: NonZeroU32,
}

impl Search {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(
        messages: Arc<dyn MessageStore>,
        users: Arc<dyn UserStore>,
        first_contact: FirstContact,
        rate: RequestRate,
    ) -> Self {
        Self { messages, users, first_contact, per_hour: rate.per_hour }
    }

    /// Looks for `query` among the messages before the place `before`, or among all: in up to
    /// [`SEARCH_PAGES_MAX`] pages, and until [`SEARCH_HITS_MAX`] messages are found. The search goes on at
    /// [`searched_to`](SearchPage::searched_to).
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat), [`Unavailable`](ChatError::Unavailable);
    /// [`RateLimited`](ChatError::RateLimited) when it needs more than one page, and that is more than the
    /// user may still ask for in this hour.
    pub async fn execute(
        &self,
        caller: &Email,
        peer: &Email,
        query: &SearchQuery,
        before: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<SearchPage, ChatError> {
        let (id, me) = RoomId::between(caller, peer)?;
        let mut found = SearchPage { hits: Vec::new(), searched_to: before, has_more: false };
        let Some(room) = self.messages.room(&id, Consistency::Strong).await? else { return Ok(found) };
        let cleared_to = room.read_state(me).cleared_to;
        let mut places = Vec::new();
        for page in 0..SEARCH_PAGES_MAX {
            if page == 1 {
                self.count(caller, now).await?;
            }
            let range = found.searched_to.map_or(PageRange::Newest, PageRange::Before);
            let page = PageQuery { range, limit: PageLimit::MAX };
            let page = self.messages.page(&id, page, Consistency::Eventual).await?;
            let read = page.messages.len();
            let mut seen = page.messages.into_iter().take_while(|message| Some(message.at) > cleared_to);
            let mut looked_at = 0;
            while places.len() < SEARCH_HITS_MAX
                && let Some(message) = seen.next()
            {
                looked_at += 1;
                found.searched_to = Some(message.at);
                places.extend(message.content.is_found_by(query).then_some(message.at));
            }
            // What is cleared ends the conversation for who has cleared it.
            found.has_more = if looked_at == read { page.has_more } else { seen.next().is_some() };
            if !found.has_more || places.len() == SEARCH_HITS_MAX {
                break;
            }
        }
        found.hits = self.as_they_are(&room, &places, query).await?;
        found.hits.iter_mut().for_each(|hit| {
            hit.is_read = room.is_read(&hit.message, me, self.first_contact);
        });
        Ok(found)
    }

    /// The messages at these places that still have what is looked for, the newest first.
    async fn as_they_are(
        &self,
        room: &Room,
        places: &[Timestamp],
        query: &SearchQuery,
    ) -> Result<Vec<Hit>, ChatError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut messages = self.messages.messages_at(room.id(), places, Consistency::Strong).await?;
        messages.retain(|message| message.content.is_found_by(query));
        messages.sort_by_key(|message| std::cmp::Reverse(message.at));
        Ok(messages.into_iter().map(|message| Hit { message, is_read: false }).collect())
    }

    /// Counts what is read beyond the first page, which the call itself stands for.
    async fn count(&self, caller: &Email, now: Timestamp) -> Result<(), ChatError> {
        change_user(&*self.users, caller, |user| {
            let counted = user.count_ahead(REQUESTS - 1, self.per_hour, now);
            counted.map(Some).map_err(|retry_after| ChatError::RateLimited { retry_after })
        })
        .await
        .map(drop)
    }
}
