use std::ops::AddAssign;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::walk;
use crate::{
    AttachmentEraser, ChatError, ConnectionStore, Consistency, Content, Email, Member, MessageEraser,
    MessageStore, MessageStoreError, PageLimit, PageQuery, PageRange, Room,
};

/// How many messages are erased at the same time.
const AT_ONCE: usize = 10;
/// How often a head is rewritten anew because somebody wrote meanwhile. People do not write faster than it is
/// read.
const REWRITES_MAX: usize = 20;
/// How many passes there are before the error says that the user is still writing.
const PASSES_MAX: usize = 5;

/// How much is stored of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Messages that the user wrote and that still say something.
    pub messages: u64,
    /// Heads of rooms that still tell of such messages, or that do not say yet that the user was erased.
    pub heads: u64,
    /// Rooms that go, because the other member was erased before.
    pub rooms: u64,
    /// Rows of the user's connections, open or not.
    pub connections: u64,
    /// Objects that the user uploaded, shown or not.
    pub uploads: u64,
}

impl Found {
    /// Whether nothing at all was found.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Found {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.heads += other.heads;
        self.rooms += other.rooms;
        self.connections += other.connections;
        self.uploads += other.uploads;
    }
}

/// Erases a user's data: their connections, what they wrote and what they uploaded. The others keep their
/// conversations, in which every message of the user is [`Erased`](Content::Erased). A conversation with
/// somebody who was erased before is removed.
///
/// Nothing is remembered between two steps: a run that was cut short is begun again and finds the rest.
/// Others may write meanwhile. The user must be kept from writing before, or each pass finds more.
///
/// # Example: look, erase, look again
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
/// let erase = EraseUser::new(chat.connections, chat.messages.clone(), chat.messages, chat.attachments);
/// let found = erase.find(&junho).await?;
/// assert_eq!(found, Found { messages: 1, heads: 1, rooms: 0, connections: 0, uploads: 0 });
/// assert_eq!(erase.execute(&junho).await?, found);
/// assert!(erase.find(&junho).await?.is_nothing());
/// # Ok(())
/// # }
/// ```
pub struct EraseUser {
    connections: Arc<dyn ConnectionStore>,
    messages: Arc<dyn MessageStore>,
    eraser: Arc<dyn MessageEraser>,
    attachments: Arc<dyn AttachmentEraser>,
}

/// What to do with what is found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Do {
    Count,
    Erase,
}

impl EraseUser {
    /// Composes the use case of its ports. Both ports of messages are over the same rows.
    #[must_use]
    pub fn new(
        connections: Arc<dyn ConnectionStore>,
        messages: Arc<dyn MessageStore>,
        eraser: Arc<dyn MessageEraser>,
        attachments: Arc<dyn AttachmentEraser>,
    ) -> Self {
        Self { connections, messages, eraser, attachments }
    }

    /// Counts what is stored of a user, and changes nothing.
    ///
    /// # Errors
    /// [`Unavailable`](ChatError::Unavailable), [`Internal`](ChatError::Internal).
    pub async fn find(&self, user: &Email) -> Result<Found, ChatError> {
        self.pass(user, Do::Count).await
    }

    /// Erases the user's data in passes, until a pass finds nothing, and says how much it was. One pass is
    /// not enough when somebody writes meanwhile: rooms move in the user's list, and a message that was made
    /// from an old head brings back what that head told.
    ///
    /// # Errors
    /// After an error some of the data is erased, and the call may be repeated:
    /// [`Unavailable`](ChatError::Unavailable), also when each pass finds something new;
    /// [`Internal`](ChatError::Internal).
    pub async fn execute(&self, user: &Email) -> Result<Found, ChatError> {
        let mut erased = Found::default();
        for _ in 0..PASSES_MAX {
            let found = self.pass(user, Do::Erase).await?;
            if found.is_nothing() {
                return Ok(erased);
            }
            erased += found;
        }
        Err(ChatError::Unavailable { source: "the user goes on writing".into() })
    }

    async fn pass(&self, user: &Email, act: Do) -> Result<Found, ChatError> {
        // Connections go first, so that no frame on them is taken any more.
        let mut found = Found { connections: self.connections(user, act).await?, ..Found::default() };
        let rooms = walk::rooms(&*self.messages, user).await?;
        for room in rooms {
            let member = room.id().member(user).expect("a user's rooms are those they are a member of");
            found.messages += self.messages(&room, member, act).await?;
            let Some((told, room)) = self.head(room, member, act).await? else { continue };
            if told {
                found.heads += 1;
            }
            if room.is_deserted() {
                let counts = match act {
                    Do::Count => true,
                    Do::Erase => self.remove(&room).await?,
                };
                if counts {
                    found.rooms += 1;
                }
            }
        }
        found.uploads = self.uploads(user, act).await?;
        Ok(found)
    }

    async fn connections(&self, user: &Email, act: Do) -> Result<u64, ChatError> {
        let rows = walk::connections(&*self.connections, user).await?;
        if act == Do::Erase {
            for row in &rows {
                self.connections.delete(&row.id).await?;
            }
        }
        Ok(count(rows.len()))
    }

    async fn messages(&self, room: &Room, member: Member, act: Do) -> Result<u64, ChatError> {
        let mut found = 0;
        let mut pages = walk::Pages::of(room.id());
        while let Some(page) = pages.next(&*self.messages).await? {
            let theirs = page.iter().filter(|message| message.sender == member);
            let theirs: Vec<_> = theirs.filter(|message| message.content != Content::Erased).collect();
            found += count(theirs.len());
            if act == Do::Erase {
                let erased = stream::iter(theirs).map(|message| self.eraser.erase_message(message));
                erased.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
            }
        }
        Ok(found)
    }

    /// Whether the head told of the member's messages, and the room without what it told; `None` when there
    /// is no room any more.
    async fn head(&self, room: Room, member: Member, act: Do) -> Result<Option<(bool, Room)>, ChatError> {
        let id = room.id().clone();
        let mut stored = Some(room);
        for _ in 0..REWRITES_MAX {
            let Some(room) = stored else { return Ok(None) };
            let Some(rewritten) = room.without(member) else { return Ok(Some((false, room))) };
            if act == Do::Count {
                return Ok(Some((true, rewritten)));
            }
            match self.eraser.rewrite_head(&rewritten).await {
                Ok(()) => return Ok(Some((true, rewritten))),
                Err(MessageStoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
            stored = self.messages.room(&id, Consistency::Strong).await?;
        }
        Err(ChatError::Unavailable { source: MessageStoreError::Conflict.into() })
    }

    /// Removes a deserted room, and says whether it did. If somebody wrote meanwhile the room stays, and the
    /// next pass looks at it.
    async fn remove(&self, room: &Room) -> Result<bool, ChatError> {
        let query = PageQuery { range: PageRange::Oldest, limit: PageLimit::MAX };
        loop {
            let page = self.messages.page(room.id(), query, Consistency::Strong).await?;
            if page.messages.iter().any(|message| message.content != Content::Erased) {
                return Ok(false);
            }
            let rows: Vec<_> = page.messages.iter().map(|message| message.at).collect();
            let removed = if page.has_more {
                self.eraser.remove_oldest(room, &rows).await
            } else {
                self.eraser.remove_room(room, &rows).await
            };
            match removed {
                Ok(()) if page.has_more => {}
                Ok(()) => return Ok(true),
                Err(MessageStoreError::Conflict) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn uploads(&self, user: &Email, act: Do) -> Result<u64, ChatError> {
        let uploads = walk::uploads(&*self.attachments, user).await?;
        if act == Do::Erase {
            for upload in &uploads {
                self.attachments.delete(&upload.key).await?;
            }
        }
        Ok(count(uploads.len()))
    }
}

fn count(number: usize) -> u64 {
    number as u64
}
