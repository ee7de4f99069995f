mod messages;

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use async_trait::async_trait;
use chat_domain::{
    Activity, Advance, Append, AttachmentKey, Consistency, Content, Email, Member, Message, MessageEraser,
    MessageStore, MessageStoreError, Page, PageQuery, PageRange, PerMember, ROOMS_PAGE_MAX, ReadMark,
    ReadState, Room, RoomId, RoomLog, RoomsPage, Tag, Timestamp,
};

use self::messages::Messages;

const NOT_POISONED: &str = "nothing panics while it holds a lock of the message store";

/// Rooms and their messages in memory.
///
/// - Every room has a lock of its own: rooms do not wait for each other, but while a room is made or moves to another day.
/// - A commit costs the same however long the room is; a page costs what it holds, and a binary search.
/// - Reads of either [`Consistency`] see every write that was acknowledged before. It never throttles.
#[derive(Clone, Default)]
pub struct MemoryMessageStore {
    tables: Arc<Tables>,
}

/// Locks are taken in this order: `rooms`, one row, `places`.
#[derive(Default)]
struct Tables {
    rooms: RwLock<HashMap<RoomId, SharedRow>>,
    /// Every user's rooms, by their place in the list.
    places: RwLock<HashMap<Email, BTreeMap<Activity, SharedRow>>>,
}

type SharedRow = Arc<Mutex<RoomRow>>;

/// The head of a room in its two halves, and the room's messages.
struct RoomRow {
    id: RoomId,
    tag: Tag,
    log: RoomLog,
    reads: PerMember<ReadState>,
    messages: Messages,
    /// The attachments that messages show, or have shown. A key is good for one room only.
    shown: HashSet<AttachmentKey>,
}

impl RoomRow {
    fn begun_by(append: &Append) -> Self {
        let id = append.room.id().clone();
        let mut messages = Messages::default();
        messages.push(append.message.clone());
        let shown = shown_by(&append.message).cloned().into_iter().collect();
        Self { tag: id.tag(), id, log: log_of(append), reads: PerMember::default(), messages, shown }
    }

    fn activity(&self) -> Activity {
        Activity { day: self.log.last_at.day(), room: self.tag }
    }

    fn room(&self) -> Result<Room, MessageStoreError> {
        Room::restore(self.id.clone(), self.log.clone(), self.reads).map_err(|corrupt| {
            MessageStoreError::Corrupt { key: self.tag.to_string(), source: corrupt.into() }
        })
    }
}

fn log_of(append: &Append) -> RoomLog {
    append.room.log().expect("the room of an append holds at least its message").clone()
}

fn shown_by(message: &Message) -> Option<&AttachmentKey> {
    match &message.content {
        Content::Image { attachment, .. } => Some(&attachment.key),
        _ => None,
    }
}

fn lock(row: &SharedRow) -> MutexGuard<'_, RoomRow> {
    row.lock().expect(NOT_POISONED)
}

impl MemoryMessageStore {
    /// A store without rooms.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn row(&self, id: &RoomId) -> Option<SharedRow> {
        self.tables.rooms.read().expect(NOT_POISONED).get(id).cloned()
    }

    fn begin(&self, append: &Append) -> Result<(), MessageStoreError> {
        let row = RoomRow::begun_by(append);
        let (id, activity) = (row.id.clone(), row.activity());
        let row = Arc::new(Mutex::new(row));
        // Held until the room has its places: whoever sees the room finds it in the lists.
        let mut rooms = self.tables.rooms.write().expect(NOT_POISONED);
        match rooms.entry(id.clone()) {
            Entry::Occupied(_) => Err(MessageStoreError::Conflict),
            Entry::Vacant(vacant) => {
                vacant.insert(Arc::clone(&row));
                self.place(&id, None, activity, &row);
                Ok(())
            }
        }
    }

    fn extend(&self, append: &Append) -> Result<(), MessageStoreError> {
        let shared = self.row(append.room.id()).ok_or(MessageStoreError::Conflict)?;
        let mut row = lock(&shared);
        if row.log.seq != append.expected_seq() {
            return Err(MessageStoreError::Conflict);
        }
        if let Some(key) = shown_by(&append.message)
            && !row.shown.insert(key.clone())
        {
            return Err(MessageStoreError::AttachmentTaken);
        }
        let before = row.activity();
        row.log = log_of(append);
        row.messages.push(append.message.clone());
        let after = row.activity();
        if before != after {
            self.place(append.room.id(), Some(before), after, &shared);
        }
        Ok(())
    }

    /// Moves a room within both members' lists.
    fn place(&self, id: &RoomId, from: Option<Activity>, to: Activity, row: &SharedRow) {
        let mut places = self.tables.places.write().expect(NOT_POISONED);
        for member in [Member::A, Member::B] {
            let list = places.entry(id.email(member).clone()).or_default();
            if let Some(from) = from {
                list.remove(&from);
            }
            list.insert(to, Arc::clone(row));
        }
    }
}

#[async_trait]
impl MessageStore for MemoryMessageStore {
    async fn room(&self, id: &RoomId, _: Consistency) -> Result<Option<Room>, MessageStoreError> {
        self.row(id).map(|row| lock(&row).room()).transpose()
    }

    async fn commit(&self, append: &Append) -> Result<(), MessageStoreError> {
        if append.expected_seq() == 0 { self.begin(append) } else { self.extend(append) }
    }

    async fn page(&self, room: &RoomId, query: PageQuery, _: Consistency) -> Result<Page, MessageStoreError> {
        let Some(row) = self.row(room) else {
            return Ok(Page { messages: Vec::new(), has_more: false });
        };
        let row = lock(&row);
        let messages = &row.messages;
        let limit = query.limit.get();
        let older_than = |end: usize| {
            let start = end.saturating_sub(limit);
            Page { messages: messages.range(start..end).rev().cloned().collect(), has_more: start > 0 }
        };
        let newer_than = |start: usize| {
            let end = messages.len().min(start + limit);
            Page { messages: messages.range(start..end).cloned().collect(), has_more: end < messages.len() }
        };
        Ok(match query.range {
            PageRange::Newest => older_than(messages.len()),
            PageRange::Before(at) => older_than(messages.count_before(at)),
            PageRange::Oldest => newer_than(0),
            PageRange::After(at) => newer_than(messages.count_up_to(at)),
        })
    }

    async fn rooms_of(
        &self,
        member: &Email,
        after: Option<Activity>,
    ) -> Result<RoomsPage, MessageStoreError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut page: Vec<(Activity, SharedRow)> = {
            let places = self.tables.places.read().expect(NOT_POISONED);
            let list =
                places.get(member).into_iter().flat_map(|list| list.range((Bound::Unbounded, start)).rev());
            list.take(ROOMS_PAGE_MAX + 1).map(|(place, row)| (*place, Arc::clone(row))).collect()
        };
        let has_more = page.len() > ROOMS_PAGE_MAX;
        page.truncate(ROOMS_PAGE_MAX);
        let next = page.last().map(|(place, _)| *place).filter(|_| has_more);
        let mut rooms = page.iter().map(|(_, row)| lock(row).room()).collect::<Result<Vec<_>, _>>()?;
        // A room may have moved up since the list was read.
        rooms.sort_by_key(|room| Reverse(room.activity()));
        Ok(RoomsPage { rooms, next })
    }

    async fn advance_read(
        &self,
        room: &RoomId,
        reader: Member,
        mark: ReadMark,
    ) -> Result<Advance, MessageStoreError> {
        let Some(row) = self.row(room) else { return Ok(Advance::NoRoom) };
        let mut row = lock(&row);
        match row.reads[reader].advanced(mark) {
            Some(advanced) => {
                row.reads[reader] = advanced;
                row.room().map(Advance::Moved)
            }
            None => row.room().map(Advance::Unchanged),
        }
    }

    async fn mark_rows_read(
        &self,
        room: &RoomId,
        reader: Member,
        rows: &[Timestamp],
        through: Timestamp,
    ) -> Result<(), MessageStoreError> {
        let Some(row) = self.row(room) else { return Ok(()) };
        let mut row = lock(&row);
        for at in rows {
            if let Some(message) = row.messages.find_mut(*at) {
                message.read = true;
            }
        }
        let marked_to = &mut row.reads[reader].rows_marked_to;
        *marked_to = (*marked_to).max(Some(through));
        Ok(())
    }
}

#[async_trait]
impl MessageEraser for MemoryMessageStore {
    async fn erase_message(&self, message: &Message) -> Result<(), MessageStoreError> {
        let Some(row) = self.row(&message.room) else { return Ok(()) };
        let mut row = lock(&row);
        let Some(stored) = row.messages.find_mut(message.at) else { return Ok(()) };
        stored.content = Content::Erased;
        if let Some(key) = shown_by(message) {
            row.shown.remove(key);
        }
        Ok(())
    }

    async fn rewrite_head(&self, room: &Room) -> Result<(), MessageStoreError> {
        let row = self.row(room.id()).ok_or(MessageStoreError::Conflict)?;
        let mut row = lock(&row);
        match room.log() {
            Some(log) if log.seq == row.log.seq => {
                row.log = log.clone();
                Ok(())
            }
            _ => Err(MessageStoreError::Conflict),
        }
    }
}

impl fmt::Debug for MemoryMessageStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rooms = self.tables.rooms.read().expect(NOT_POISONED).len();
        f.debug_struct("MemoryMessageStore").field("rooms", &rooms).finish_non_exhaustive()
    }
}
