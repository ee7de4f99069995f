//! A message store of your own, over nothing but the standard library: maps behind one lock.
//!
//! It is written as somebody would who has only read the contract of [`MessageStore`], and
//! `tests/own_store.rs` puts it to that contract's suite. Take a line out, and see which promise is broken.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use chat_domain::{
    Activity, Advance, Append, AttachmentKey, Consent, ConsentWrite, Consistency, Email, Member, Message,
    MessageStore, MessageStoreError, Page, PageQuery, PageRange, PerMember, ROOMS_PAGE_MAX, ReadMark,
    ReadState, Room, RoomId, RoomLog, RoomsPage, Timestamp,
};

/// Rooms and messages in maps. One lock makes every call atomic, and every read a strong one.
#[derive(Default)]
pub struct OwnStore {
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    rooms: BTreeMap<RoomId, StoredRoom>,
    /// Each member's rooms by their place in the list, so that a page of them does not search through all
    /// rooms.
    lists: BTreeMap<Email, BTreeMap<Activity, RoomId>>,
    /// Images that a message shows.
    shown: HashSet<AttachmentKey>,
}

/// A room's head in the parts that are written apart, and its messages.
struct StoredRoom {
    log: RoomLog,
    reads: PerMember<ReadState>,
    consent: PerMember<Consent>,
    erased: PerMember<bool>,
    messages: BTreeMap<Timestamp, Message>,
}

impl StoredRoom {
    fn head(&self, id: &RoomId) -> Result<Room, MessageStoreError> {
        let room = Room::restore(id.clone(), self.log.clone(), self.reads).map_err(|source| {
            MessageStoreError::Corrupt { key: id.tag().to_string(), source: source.into() }
        })?;
        Ok(room.with_consent(self.consent).with_erased(self.erased))
    }
}

impl Tables {
    /// Puts a room where its newest message has it in both members' lists.
    fn place(&mut self, id: &RoomId, from: Option<Activity>, to: Activity) {
        for member in [Member::A, Member::B] {
            let list = self.lists.entry(id.email(member).clone()).or_default();
            if let Some(from) = from {
                list.remove(&from);
            }
            list.insert(to, id.clone());
        }
    }
}

fn activity(id: &RoomId, log: &RoomLog) -> Activity {
    Activity { day: log.last_at().day(), room: id.tag() }
}

impl OwnStore {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("nothing panics while it holds the lock")
    }
}

#[async_trait]
impl MessageStore for OwnStore {
    async fn room(&self, id: &RoomId, _: Consistency) -> Result<Option<Room>, MessageStoreError> {
        self.tables().rooms.get(id).map(|stored| stored.head(id)).transpose()
    }

    async fn commit(&self, append: &Append) -> Result<(), MessageStoreError> {
        let (log, message, expected_seq) = (&append.log, append.message(), append.expected_seq);
        let mut tables = self.tables();
        let stored = tables.rooms.get(&message.room);
        let blocked = stored.is_some_and(|stored| stored.consent[message.sender.peer()].blocked.is_some());
        let stored = stored.map(|stored| &stored.log);
        if blocked || stored.map_or(0, RoomLog::seq) != expected_seq {
            return Err(MessageStoreError::Conflict);
        }
        let before = stored.map(|log| activity(&message.room, log));
        if let Some(attachment) = message.content.attachment()
            && !tables.shown.insert(attachment.key.clone())
        {
            return Err(MessageStoreError::AttachmentTaken);
        }
        tables.place(&message.room, before, activity(&message.room, log));
        let stored = tables.rooms.entry(message.room.clone()).or_insert_with(|| StoredRoom {
            log: log.clone(),
            reads: PerMember::default(),
            consent: PerMember::default(),
            erased: PerMember::default(),
            messages: BTreeMap::new(),
        });
        if let Some((target, effect)) = append.change()
            && let Some(changed) = stored.messages.get_mut(&target)
        {
            *changed = changed.changed_by(message, effect);
        }
        stored.log = log.clone();
        stored.erased[message.sender] = false;
        stored.messages.insert(message.at, message.clone());
        Ok(())
    }

    async fn page(&self, room: &RoomId, query: PageQuery, _: Consistency) -> Result<Page, MessageStoreError> {
        let tables = self.tables();
        let Some(StoredRoom { messages, .. }) = tables.rooms.get(room) else {
            return Ok(Page { messages: Vec::new(), has_more: false });
        };
        let limit = query.limit.get();
        // One more than asked for says whether there is more.
        let take = |found: &mut dyn Iterator<Item = (&Timestamp, &Message)>| -> Vec<Message> {
            found.take(limit + 1).map(|(_, message)| message.clone()).collect()
        };
        let mut messages = match query.range {
            PageRange::Newest => take(&mut messages.iter().rev()),
            PageRange::Before(at) => take(&mut messages.range(..at).rev()),
            PageRange::Oldest => take(&mut messages.iter()),
            PageRange::After(at) => take(&mut messages.range((Bound::Excluded(at), Bound::Unbounded))),
        };
        let has_more = messages.len() > limit;
        messages.truncate(limit);
        Ok(Page { messages, has_more })
    }

    async fn messages_at(
        &self,
        room: &RoomId,
        places: &[Timestamp],
        _: Consistency,
    ) -> Result<Vec<Message>, MessageStoreError> {
        let tables = self.tables();
        let Some(StoredRoom { messages, .. }) = tables.rooms.get(room) else { return Ok(Vec::new()) };
        Ok(places.iter().filter_map(|at| messages.get(at).cloned()).collect())
    }

    async fn rooms_of(
        &self,
        member: &Email,
        after: Option<Activity>,
    ) -> Result<RoomsPage, MessageStoreError> {
        let tables = self.tables();
        let end = after.map_or(Bound::Unbounded, Bound::Excluded);
        let list = tables.lists.get(member).into_iter();
        let places = list.flat_map(|list| list.range((Bound::Unbounded, end)).rev());
        let mut places: Vec<_> = places.take(ROOMS_PAGE_MAX + 1).collect();
        let has_more = places.len() > ROOMS_PAGE_MAX;
        places.truncate(ROOMS_PAGE_MAX);
        let next = places.last().map(|(place, _)| **place).filter(|_| has_more);
        let rooms = places.into_iter().map(|(_, id)| tables.rooms[id].head(id));
        Ok(RoomsPage { rooms: rooms.collect::<Result<_, _>>()?, next })
    }

    async fn advance_read(
        &self,
        room: &RoomId,
        reader: Member,
        mark: ReadMark,
    ) -> Result<Advance, MessageStoreError> {
        let mut tables = self.tables();
        let Some(stored) = tables.rooms.get_mut(room) else { return Ok(Advance::NoRoom) };
        match stored.reads[reader].advanced(mark).filter(|_| stored.log.allows(reader, mark)) {
            Some(advanced) => {
                stored.reads[reader] = advanced;
                stored.head(room).map(Advance::Moved)
            }
            None => stored.head(room).map(Advance::Unchanged),
        }
    }

    async fn clear(
        &self,
        room: &RoomId,
        reader: Member,
        up_to: Timestamp,
    ) -> Result<Option<Timestamp>, MessageStoreError> {
        let mut tables = self.tables();
        let Some(stored) = tables.rooms.get_mut(room) else { return Ok(None) };
        stored.reads[reader] = stored.reads[reader].cleared(up_to);
        Ok(stored.reads[reader].cleared_to)
    }

    async fn write_consent(
        &self,
        room: &RoomId,
        member: Member,
        write: ConsentWrite,
    ) -> Result<bool, MessageStoreError> {
        let mut tables = self.tables();
        let Some(stored) = tables.rooms.get_mut(room) else { return Ok(false) };
        let applied = write.applied(member, stored.consent, stored.reads);
        (stored.consent, stored.reads) = applied.ok_or(MessageStoreError::Conflict)?;
        Ok(true)
    }
}
