use std::sync::Arc;

use crate::{
    ChatError, Consistency, Email, FirstContact, Message, MessageStore, PageLimit, PageQuery, PageRange,
    RoomId, SearchQuery, Timestamp,
};

/// How many pages of a conversation one search reads at most: a thousand entries.
pub const SEARCH_PAGES_MAX: usize = 20;
/// How many messages one search finds at most: no more than a page of the history has.
pub const SEARCH_HITS_MAX: usize = 50;

/// What a search has found so far, and how far it has looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPage {
    /// The messages that were found, the newest first.
    pub hits: Vec<Hit>,
    /// The oldest place that was looked at; `None` if there was nothing to look at.
    pub searched_to: Option<Timestamp>,
    /// Whether there is more before that place.
    pub has_more: bool,
    /// How many pages were read.
    pub pages: usize,
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
/// It reads strongly, so that nobody is shown words that were edited away or deleted before.
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
/// let search = Search::new(chat.messages, FirstContact::default());
/// let found = search.execute(&minji, &junho, &"잠실경기장".parse()?, None).await?;
/// assert_eq!(found.hits[0].message.at, now);
/// assert!(!found.has_more);
/// # Ok(())
/// # }
/// ```
pub struct Search {
    messages: Arc<dyn MessageStore>,
    first_contact: FirstContact,
}

impl Search {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(messages: Arc<dyn MessageStore>, first_contact: FirstContact) -> Self {
        Self { messages, first_contact }
    }

    /// Looks for `query` among the messages before the place `before`, or among all: in up to
    /// [`SEARCH_PAGES_MAX`] pages, and until [`SEARCH_HITS_MAX`] messages are found. The search goes on at
    /// [`searched_to`](SearchPage::searched_to).
    ///
    /// # Errors
    /// [`SelfChat`](ChatError::SelfChat), [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(
        &self,
        caller: &Email,
        peer: &Email,
        query: &SearchQuery,
        before: Option<Timestamp>,
    ) -> Result<SearchPage, ChatError> {
        let (id, me) = RoomId::between(caller, peer)?;
        let mut found = SearchPage { hits: Vec::new(), searched_to: before, has_more: false, pages: 0 };
        let Some(room) = self.messages.room(&id, Consistency::Strong).await? else { return Ok(found) };
        let cleared_to = room.read_state(me).cleared_to;
        while found.pages < SEARCH_PAGES_MAX {
            let range = found.searched_to.map_or(PageRange::Newest, PageRange::Before);
            let page = PageQuery { range, limit: PageLimit::MAX };
            let page = self.messages.page(&id, page, Consistency::Strong).await?;
            found.pages += 1;
            found.has_more = page.has_more;
            let last = page.messages.last().map(|last| last.at);
            for message in page.messages {
                if Some(message.at) <= cleared_to {
                    found.has_more = false;
                    return Ok(found);
                }
                found.searched_to = Some(message.at);
                if message.content.is_found_by(query) {
                    let is_read = room.is_read(&message, me, self.first_contact);
                    found.hits.push(Hit { message, is_read });
                    if found.hits.len() == SEARCH_HITS_MAX {
                        found.has_more |= found.searched_to != last;
                        return Ok(found);
                    }
                }
            }
            if !found.has_more {
                break;
            }
        }
        Ok(found)
    }
}
