use std::ops::AddAssign;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::backoff::Pause;
use super::users::change_user;
use super::walk;
use crate::{
    AttachmentEraser, ChatError, ConnectionStore, Consent, Consistency, Email, IN_DOUBT_FOR, Member, Message,
    MessageEraser, MessageStore, MessageStoreError, PageLimit, PageQuery, PageRange, Room, Timestamp,
    UserStore,
};

/// How many messages are erased at the same time.
const AT_ONCE: usize = 10;
/// How often a head is rewritten anew because somebody wrote meanwhile. People do not write faster than it is
/// read.
const REWRITES_MAX: usize = 20;
/// How many passes there are before the error says that the user is still writing.
const PASSES_MAX: usize = 5;

/// How much is stored of a user, or was until it was erased: what an operator is shown before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Messages that the user wrote and that still say something, and messages of others with their
    /// reactions.
    pub messages: u64,
    /// Heads of rooms that still tell of such messages or of the user's consent, or that do not say yet that
    /// the user was erased.
    pub heads: u64,
    /// Rooms that go, because the other member was erased before.
    pub rooms: u64,
    /// Rows of the user's connections, open or not.
    pub connections: u64,
    /// Objects that the user uploaded, shown or not.
    pub uploads: u64,
    /// Rows that say how much the user began and uploaded on a day: one or none.
    pub usage: u64,
}

impl Found {
    /// Whether nothing at all was found: then an erasure is complete.
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
        self.usage += other.usage;
    }
}

/// Erases a user's data: their connections, what they wrote and what they uploaded. The others keep their
/// conversations, in which every message of the user is [`Erased`](crate::Content::Erased). A conversation
/// with somebody who was erased before is removed. The user's row is left with a [note](crate::Erasure) of
/// it, and with whose the address is.
///
/// Nothing is remembered between two steps: a run that was cut short is begun again and finds the rest.
/// Others may write meanwhile. The user must be kept from writing before, or each pass finds more.
///
/// # Example: look, erase, look again
///
/// ```
/// use std::sync::Arc;
/// use chat_adapters_memory::{MemoryChat, NoBackoff};
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let (minji, junho): (Email, Email) = ("minji@example.com".parse()?, "junho@example.com".parse()?);
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
/// chat.say(&junho, &minji, "안녕하세요".parse()?, now).await?;
///
/// let MemoryChat { users, connections, messages, attachments, .. } = chat;
/// let pause = Arc::new(NoBackoff);
/// let erase = EraseUser::new(users, connections, messages.clone(), messages, attachments, pause);
/// let found = erase.find(&junho).await?;
/// assert_eq!(found, Found { messages: 1, heads: 1, ..Found::default() });
/// assert_eq!(erase.execute(&junho, now).await?, found);
/// assert!(erase.find(&junho).await?.is_nothing());
/// # Ok(())
/// # }
/// ```
pub struct EraseUser {
    users: Arc<dyn UserStore>,
    connections: Arc<dyn ConnectionStore>,
    messages: Arc<dyn MessageStore>,
    eraser: Arc<dyn MessageEraser>,
    attachments: Arc<dyn AttachmentEraser>,
    pause: Arc<dyn Pause>,
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
        users: Arc<dyn UserStore>,
        connections: Arc<dyn ConnectionStore>,
        messages: Arc<dyn MessageStore>,
        eraser: Arc<dyn MessageEraser>,
        attachments: Arc<dyn AttachmentEraser>,
        pause: Arc<dyn Pause>,
    ) -> Self {
        Self { users, connections, messages, eraser, attachments, pause }
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
    /// That the user was erased at `now` is noted first, whether or not there is anything: so a run that was
    /// cut short has left its note.
    ///
    /// # Errors
    /// After an error some of the data is erased, and the call may be repeated:
    /// [`Unavailable`](ChatError::Unavailable), also when each pass finds something new;
    /// [`Internal`](ChatError::Internal).
    pub async fn execute(&self, user: &Email, now: Timestamp) -> Result<Found, ChatError> {
        let mut erased = Found { usage: self.usage(user).await?, ..Found::default() };
        change_user(&*self.users, user, |user| Ok(Some(user.erased(now)))).await?;
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
        let mut deserted = Vec::new();
        for room in rooms {
            let member = room.id().member(user).expect("a user's rooms are those they are a member of");
            found.messages += self.messages(&room, member, act).await?;
            let Some((told, room)) = self.head(room, member, act).await? else { continue };
            if told {
                found.heads += 1;
            }
            if room.is_deserted() {
                deserted.push(room);
            }
        }
        found.rooms = match act {
            Do::Count => count(deserted.len()),
            Do::Erase => self.remove_all(&deserted).await?,
        };
        found.uploads = self.uploads(user, act).await?;
        found.usage = match act {
            Do::Count => self.usage(user).await?,
            // The note has replaced it.
            Do::Erase => 0,
        };
        Ok(found)
    }

    async fn usage(&self, user: &Email) -> Result<u64, ChatError> {
        let row = self.users.get(user).await?;
        Ok(u64::from(row.is_some_and(|row| row.usage.is_some())))
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
            let theirs = page.iter().filter(|message| message.sender == member && !message.says_nothing());
            let theirs: Vec<_> = theirs.collect();
            let reacted = page.iter().filter(|message| !message.changed.reactions[member].is_empty());
            // Those on messages that go themselves go with them.
            let reacted: Vec<_> = reacted.filter(|message| message.sender != member).collect();
            found += count(theirs.len() + reacted.len());
            if act == Do::Erase {
                let erased = stream::iter(theirs).map(|message| self.eraser.erase_message(message));
                erased.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
                let erased =
                    stream::iter(reacted).map(|message| self.eraser.erase_reactions(message, member));
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
            if room.consent(member) != Consent::default() {
                self.eraser.forget_consent(&id, member).await?;
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

    /// Removes deserted rooms, and says how many. What was sent to one of them before it was deserted may
    /// still be on its way into the store, and would be all that is left of the room: so that has to be over.
    async fn remove_all(&self, rooms: &[Room]) -> Result<u64, ChatError> {
        if !rooms.is_empty() {
            self.pause.pause(IN_DOUBT_FOR).await;
        }
        let mut removed = 0;
        for room in rooms {
            if self.remove(room).await? {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Removes a deserted room, and says whether it did. If somebody wrote meanwhile the room stays, and the
    /// next pass looks at it.
    async fn remove(&self, room: &Room) -> Result<bool, ChatError> {
        let query = PageQuery { range: PageRange::Oldest, limit: PageLimit::MAX };
        loop {
            let page = self.messages.page(room.id(), query, Consistency::Strong).await?;
            if !page.messages.iter().all(Message::says_nothing) {
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
