mod messages;

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use async_trait::async_trait;
use chat_domain::{
    Activity, Advance, Append, AttachmentKey, Consent, ConsentWrite, Consistency, Email, Member, Message,
    MessageEraser, MessageStore, MessageStoreError, Page, PageQuery, PageRange, PerMember, ROOMS_PAGE_MAX,
    ReadMark, ReadState, Room, RoomId, RoomLog, RoomsPage, Tag, Timestamp,
};

use self::messages::Messages;

const NOT_POISONED: &str = "nothing panics while it holds a lock of the message store";

/// Rooms and their messages in memory.
///
/// - Every room has a lock of its own: rooms do not wait for each other, but while a room is made or moves to
///   another day.
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
    consent: PerMember<Consent>,
    erased: PerMember<bool>,
    /// Somebody may still hold it.
    removed: bool,
    messages: Messages,
    /// The attachments that messages show, or have shown. A key is good for one room only.
    shown: HashSet<AttachmentKey>,
}

impl RoomRow {
    fn begun_by(append: &Append) -> Self {
        let id = append.message().room.clone();
        let mut messages = Messages::default();
        messages.push(append.message().clone());
        let shown = append.message().content.attachment();
        Self {
            tag: id.tag(),
            id,
            log: append.log.clone(),
            reads: PerMember::default(),
            consent: PerMember::default(),
            erased: PerMember::default(),
            removed: false,
            messages,
            shown: shown.map(|attachment| attachment.key.clone()).into_iter().collect(),
        }
    }

    fn activity(&self) -> Activity {
        Activity { day: self.log.last_at().day(), room: self.tag }
    }

    fn room(&self) -> Result<Room, MessageStoreError> {
        let room = Room::restore(self.id.clone(), self.log.clone(), self.reads).map_err(|corrupt| {
            MessageStoreError::Corrupt { key: self.tag.to_string(), source: corrupt.into() }
        })?;
        Ok(room.with_consent(self.consent).with_erased(self.erased))
    }

    fn check_seq(&self, seq: u64) -> Result<(), MessageStoreError> {
        if self.log.seq() == seq { Ok(()) } else { Err(MessageStoreError::Conflict) }
    }

    /// Removes rows of a room that nobody is left in.
    fn remove(&mut self, room: &Room, rows: &[Timestamp]) -> Result<(), MessageStoreError> {
        self.check_seq(room.seq())?;
        if !self.room()?.is_deserted() {
            return Err(MessageStoreError::Conflict);
        }
        self.messages.remove(rows);
        Ok(())
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

    /// Does something with a room, if there is one.
    fn in_room<T>(&self, id: &RoomId, act: impl FnOnce(&mut RoomRow, &SharedRow) -> T) -> Option<T> {
        let shared = self.tables.rooms.read().expect(NOT_POISONED).get(id).cloned()?;
        let mut row = lock(&shared);
        (!row.removed).then(|| act(&mut row, &shared))
    }

    fn begin(&self, append: &Append) -> Result<(), MessageStoreError> {
        let row = RoomRow::begun_by(append);
        let (id, activity) = (row.id.clone(), row.activity());
        let row = Arc::new(Mutex::new(row));
        // The lock is held until the room has its places, so whoever sees the room finds it in the lists.
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
        let extended = self.in_room(&append.message().room, |row, shared| {
            row.check_seq(append.expected_seq)?;
            if row.consent[append.message().sender.peer()].blocked.is_some() {
                return Err(MessageStoreError::Conflict);
            }
            if let Some(attachment) = append.message().content.attachment()
                && !row.shown.insert(attachment.key.clone())
            {
                return Err(MessageStoreError::AttachmentTaken);
            }
            let before = row.activity();
            row.log = append.log.clone();
            row.erased[append.message().sender] = false;
            if let Some((target, effect)) = append.change()
                && let Some(stored) = row.messages.find_mut(target)
            {
                *stored = stored.changed_by(append.message(), effect);
            }
            row.messages.push(append.message().clone());
            let after = row.activity();
            if before != after {
                self.place(&append.message().room, Some(before), after, shared);
            }
            Ok(())
        });
        extended.unwrap_or(Err(MessageStoreError::Conflict))
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
        self.in_room(id, |row, _| row.room()).transpose()
    }

    async fn commit(&self, append: &Append) -> Result<(), MessageStoreError> {
        if append.expected_seq == 0 { self.begin(append) } else { self.extend(append) }
    }

    async fn page(&self, room: &RoomId, query: PageQuery, _: Consistency) -> Result<Page, MessageStoreError> {
        let page = self.in_room(room, |row, _| {
            let messages = &row.messages;
            let limit = query.limit.get();
            let older_than = |end: usize| {
                let start = end.saturating_sub(limit);
                Page { messages: messages.range(start..end).rev().cloned().collect(), has_more: start > 0 }
            };
            let newer_than = |start: usize| {
                let end = messages.len().min(start + limit);
                Page {
                    messages: messages.range(start..end).cloned().collect(),
                    has_more: end < messages.len(),
                }
            };
            match query.range {
                PageRange::Newest => older_than(messages.len()),
                PageRange::Before(at) => older_than(messages.count_before(at)),
                PageRange::Oldest => newer_than(0),
                PageRange::After(at) => newer_than(messages.count_up_to(at)),
            }
        });
        Ok(page.unwrap_or(Page { messages: Vec::new(), has_more: false }))
    }

    async fn messages_at(
        &self,
        room: &RoomId,
        places: &[Timestamp],
        _: Consistency,
    ) -> Result<Vec<Message>, MessageStoreError> {
        let found = self
            .in_room(room, |row, _| places.iter().filter_map(|at| row.messages.find(*at).cloned()).collect());
        Ok(found.unwrap_or_default())
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
        let rows = page.iter().map(|(_, row)| lock(row)).filter(|row| !row.removed);
        let mut rooms = rows.map(|row| row.room()).collect::<Result<Vec<_>, _>>()?;
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
        let advance = self.in_room(room, |row, _| {
            match row.reads[reader].advanced(mark).filter(|_| row.log.allows(reader, mark)) {
                Some(advanced) => {
                    row.reads[reader] = advanced;
                    row.room().map(Advance::Moved)
                }
                None => row.room().map(Advance::Unchanged),
            }
        });
        advance.unwrap_or(Ok(Advance::NoRoom))
    }

    async fn clear(
        &self,
        room: &RoomId,
        reader: Member,
        up_to: Timestamp,
    ) -> Result<Option<Timestamp>, MessageStoreError> {
        Ok(self
            .in_room(room, |row, _| {
                row.reads[reader] = row.reads[reader].cleared(up_to);
                row.reads[reader].cleared_to
            })
            .flatten())
    }

    async fn write_consent(
        &self,
        room: &RoomId,
        member: Member,
        write: ConsentWrite,
    ) -> Result<bool, MessageStoreError> {
        let written = self.in_room(room, |row, _| {
            let applied = write.applied(member, row.consent, row.reads);
            (row.consent, row.reads) = applied.ok_or(MessageStoreError::Conflict)?;
            Ok(true)
        });
        written.unwrap_or(Ok(false))
    }
}

#[async_trait]
impl MessageEraser for MemoryMessageStore {
    async fn erase_message(&self, message: &Message) -> Result<(), MessageStoreError> {
        self.in_room(&message.room, |row, _| {
            let Some(stored) = row.messages.find_mut(message.at) else { return };
            *stored = stored.erased();
            if let Some(attachment) = message.content.attachment() {
                row.shown.remove(&attachment.key);
            }
        });
        Ok(())
    }

    async fn erase_reactions(&self, message: &Message, member: Member) -> Result<(), MessageStoreError> {
        self.in_room(&message.room, |row, _| {
            let Some(stored) = row.messages.find_mut(message.at) else { return };
            *stored = stored.without_reactions_of(member);
        });
        Ok(())
    }

    async fn rewrite_head(&self, room: &Room) -> Result<(), MessageStoreError> {
        let log = room.log().ok_or(MessageStoreError::Conflict)?;
        let rewritten = self.in_room(room.id(), |row, _| {
            row.check_seq(log.seq())?;
            row.log = log.clone();
            for member in [Member::A, Member::B] {
                row.erased[member] |= room.erased()[member];
            }
            Ok(())
        });
        rewritten.unwrap_or(Err(MessageStoreError::Conflict))
    }

    async fn forget_consent(&self, room: &RoomId, member: Member) -> Result<(), MessageStoreError> {
        self.in_room(room, |row, _| row.consent[member] = Consent::default());
        Ok(())
    }

    async fn remove_oldest(&self, room: &Room, rows: &[Timestamp]) -> Result<(), MessageStoreError> {
        let removed = self.in_room(room.id(), |row, _| row.remove(room, rows));
        removed.unwrap_or(Err(MessageStoreError::Conflict))
    }

    async fn remove_room(&self, room: &Room, rows: &[Timestamp]) -> Result<(), MessageStoreError> {
        // The lock is held until the room has left the lists, as when a room is made.
        let mut rooms = self.tables.rooms.write().expect(NOT_POISONED);
        let shared = rooms.get(room.id()).cloned().ok_or(MessageStoreError::Conflict)?;
        let mut row = lock(&shared);
        row.remove(room, rows)?;
        row.removed = true;
        rooms.remove(room.id());
        let mut places = self.tables.places.write().expect(NOT_POISONED);
        for member in [Member::A, Member::B] {
            if let Some(list) = places.get_mut(room.id().email(member)) {
                list.remove(&row.activity());
            }
        }
        Ok(())
    }
}

impl fmt::Debug for MemoryMessageStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rooms = self.tables.rooms.read().expect(NOT_POISONED).len();
        f.debug_struct("MemoryMessageStore").field("rooms", &rooms).finish_non_exhaustive()
    }
}
