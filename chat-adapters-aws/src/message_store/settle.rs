//! The newest message is in the head, in its row, or in both. Here it gets its row.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chat_domain::{
    Append, Consistency, Content, Effect, Member, Message, MessageStoreError, PageLimit, PageQuery,
    PageRange, Recent, Room, RoomId, RoomLog, Timestamp,
};
use futures_util::future::join;

use super::{DynamoMessageStore, EXISTS, IS_NEW, corrupt, exists_and_is_before, failed, head, row};
use crate::attributes::{Fields, Malformed};
use crate::items::{Scan, Value, Write};
use crate::tables::messages::READ;
use crate::tables::rooms::{READ_UP_TO, ROOM_ID, ROWS_MARKED_TO, SEQ};

/// How many heads [`DynamoMessageStore::settle_all`] reads at once.
const HEADS_PAGE: usize = 100;

/// How many rooms a process keeps in mind. Beyond them it forgets all, and looks again.
const ROOMS_MAX: usize = 1_024;

/// The newest row of each room that this process has seen. It spares a commit to look for the row: what was
/// seen once stays.
#[derive(Debug, Default)]
pub(super) struct SeenRows(Mutex<HashMap<RoomId, Recent>>);

impl SeenRows {
    fn note(&self, message: &Message) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= ROOMS_MAX {
            seen.clear();
        }
        seen.insert(message.room.clone(), Recent::of(message));
    }

    fn has(&self, room: &RoomId, recent: &Recent) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(room) == Some(recent)
    }
}

/// A head, and whether its newest message is known to have a row.
pub(super) struct Head {
    pub(super) room: Room,
    has_row: bool,
    /// What the newest entry does to its target, if it is a change.
    effect: Option<Effect>,
}

impl Head {
    /// Shows the effect of the newest entry in these messages, whose rows may not have it yet.
    pub(super) fn show_in(&self, messages: &mut [Message]) {
        let Some(((entry, target), effect)) = self.change().zip(self.effect.as_ref()) else { return };
        if let Some(message) = messages.iter_mut().find(|message| message.at == target) {
            *message = message.changed_by(entry, effect);
        }
    }

    /// The newest entry and its target, if it is a change.
    fn change(&self) -> Option<(&Message, Timestamp)> {
        let newest = &self.room.log()?.newest;
        match &newest.content {
            Content::Change(change) => Some((newest, change.target)),
            _ => None,
        }
    }
}

/// What [`DynamoMessageStore::settle_all`] has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many rooms there are.
    pub rooms: u64,
    /// How many of their newest messages had no row.
    pub rows_put: u64,
    /// How many rows say since then that they were read.
    pub rows_marked: u64,
}

impl DynamoMessageStore {
    /// Makes the rows say all that the heads know: each newest message gets its row, and each message that
    /// its receiver has read gets `read`, which nothing of the chat looks at. Other programs that read the
    /// table may.
    ///
    /// It writes a row once for each message that was read, and reads every room. It may be stopped and
    /// called again, and the chat goes on meanwhile.
    ///
    /// # Errors
    /// Whatever a [`MessageStoreError`] says of the call that failed. What was done until then stays.
    pub async fn settle_all(&self) -> Result<Settled, MessageStoreError> {
        const SETTLE: &str = "settle_all";
        let mut settled = Settled::default();
        let mut start = None;
        loop {
            let scan = Scan { table: self.rooms.clone(), limit: HEADS_PAGE, start };
            let page = self.items.scan(scan).await.map_err(failed(SETTLE))?;
            // The table also has an item for each attachment that was shown.
            for item in page.items.iter().filter(|item| Fields(item).has(SEQ)) {
                let id = Fields(item).parsed(ROOM_ID).map_err(corrupt_head)?;
                // A room may be gone since.
                let Some(head) = self.head(SETTLE, &id, Consistency::Strong).await? else { continue };
                settled.rooms += 1;
                settled.rows_put += u64::from(self.settle_newest(SETTLE, &head).await?);
                for reader in [Member::A, Member::B] {
                    let marked_to = head::rows_marked_to(item, reader).map_err(corrupt(&id))?;
                    settled.rows_marked += self.mark_rows(&head.room, reader, marked_to).await?;
                }
            }
            start = page.next;
            if start.is_none() {
                return Ok(settled);
            }
        }
    }

    /// Marks the rows of the reader's peer, as far as the reader has read, and says how many.
    async fn mark_rows(
        &self,
        room: &Room,
        reader: Member,
        mut marked_to: Option<Timestamp>,
    ) -> Result<u64, MessageStoreError> {
        const MARK: &str = "mark_rows";
        let mut marked = 0;
        let Some(up_to) = room.read_up_to(reader) else { return Ok(0) };
        while marked_to < Some(up_to) {
            let range = marked_to.map_or(PageRange::Oldest, PageRange::After);
            let query = PageQuery { range, limit: PageLimit::MAX };
            let rows = self.rows(MARK, room.id(), query, Consistency::Strong).await?;
            let covered: Vec<_> = rows.iter().take_while(|row| row.at <= up_to).collect();
            for row in covered.iter().filter(|row| row.sender == reader.peer()) {
                let mark = Write::update(&self.messages, row::key(room.id(), row.at), "SET #read = :true")
                    .only_if(EXISTS)
                    .name("#read", READ)
                    .value(":true", Value::Bool(true));
                marked += u64::from(self.update(MARK, mark).await?);
            }
            let Some(through) = covered.last().map(|row| row.at) else { break };
            let name = ROWS_MARKED_TO[reader];
            let note = self
                .update_head(room.id(), format!("SET {name} = :to"))
                .only_if(format!("{} AND {} >= :to", exists_and_is_before(name), READ_UP_TO[reader]))
                .value(":to", head::instant(through));
            self.update(MARK, note).await?;
            marked_to = Some(through);
        }
        Ok(marked)
    }

    pub(super) async fn head(
        &self,
        operation: &'static str,
        id: &RoomId,
        consistency: Consistency,
    ) -> Result<Option<Head>, MessageStoreError> {
        let got = self.get(&self.rooms, head::key(id), consistency).await;
        let Some(item) = got.map_err(failed(operation))? else { return Ok(None) };
        let room = self.room_of(id, &item).await?;
        // Earlier versions stored head and row together. A deserted room was settled before its members were
        // erased.
        let has_row = head::is_of_an_earlier_version(&item) || room.is_deserted();
        let effect = head::effect(&item).map_err(corrupt(id))?;
        Ok(Some(Head { room, has_row, effect }))
    }

    /// Puts the row of a message, unless it is there: whatever became of it since, it stays.
    pub(super) async fn put_row(
        &self,
        operation: &'static str,
        message: &Message,
    ) -> Result<bool, MessageStoreError> {
        let put = Write::put(&self.messages, row::to_item(message)).only_if(IS_NEW);
        let is_new = self.update(operation, put).await?;
        self.seen.note(message);
        Ok(is_new)
    }

    /// Makes sure that the newest message of a head has its row, and says whether it is new.
    async fn settle_newest(&self, operation: &'static str, head: &Head) -> Result<bool, MessageStoreError> {
        let Some(log) = head.room.log() else { return Ok(false) };
        if head.has_row {
            self.seen.note(&log.newest);
            return Ok(false);
        }
        // The row of a change says that it has had its effect.
        if let Some(((entry, target), effect)) = head.change().zip(head.effect.as_ref()) {
            self.apply(operation, entry, target, effect).await?;
        }
        self.put_row(operation, &log.newest).await
    }

    /// The head, and at the same time the newest row. If that is not the newest message's, it is put.
    pub(super) async fn head_with_row(
        &self,
        id: &RoomId,
        consistency: Consistency,
    ) -> Result<Option<Head>, MessageStoreError> {
        let newest = PageQuery { range: PageRange::Newest, limit: PageLimit::ONE };
        let rows = self.rows("room_for_commit", id, newest, consistency);
        let head = self.head("room_for_commit", id, consistency);
        let (head, rows) = match consistency {
            Consistency::Eventual => join(head, rows).await,
            // A sender is refused by a strong head, so nothing is waited for after it.
            Consistency::Strong => {
                let rows = rows.await;
                (head.await, rows)
            }
        };
        let Some(mut head) = head? else { return Ok(None) };
        // Without the rows, the commit looks itself.
        let Ok(rows) = rows else { return Ok(Some(head)) };
        let reaches = |log: &RoomLog| rows.iter().any(|row| row.seq >= log.seq());
        head.has_row |= head.room.log().is_some_and(reaches);
        // What fails here, the commit tries again.
        let _ = self.settle_newest("room_for_commit", &head).await;
        Ok(Some(head))
    }

    /// Makes sure that the message before an appended one has its row, which the head will no longer have.
    pub(super) async fn settle_before(&self, append: &Append) -> Result<(), MessageStoreError> {
        let room = &append.message().room;
        let Some(before) = append.log.recent.iter().rev().nth(1) else { return Ok(()) };
        if self.seen.has(room, before) {
            return Ok(());
        }
        match self.head("commit", room, Consistency::Strong).await? {
            Some(head) if head.room.seq() == append.expected_seq => {
                self.settle_newest("commit", &head).await.map(drop)
            }
            _ => Err(MessageStoreError::Conflict),
        }
    }

    /// The message at `at`, if it is the newest and is not known to have a row.
    pub(super) async fn newest_without_row(
        &self,
        operation: &'static str,
        room: &RoomId,
        at: Timestamp,
    ) -> Result<Option<Message>, MessageStoreError> {
        let head = self.head(operation, room, Consistency::Strong).await?.filter(|head| !head.has_row);
        let newest = head.and_then(|head| head.room.log().map(|log| log.newest.clone()));
        Ok(newest.filter(|newest| newest.at == at))
    }

    /// Makes sure that the newest message of a stored room has its row, with what `room` says of it.
    pub(super) async fn settle_as(
        &self,
        operation: &'static str,
        room: &Room,
    ) -> Result<(), MessageStoreError> {
        match self.head(operation, room.id(), Consistency::Strong).await? {
            Some(stored) if stored.room.seq() == room.seq() => {
                self.settle_newest(operation, &Head { room: room.clone(), ..stored }).await.map(drop)
            }
            _ => Err(MessageStoreError::Conflict),
        }
    }
}

/// A head that does not say whose it is.
fn corrupt_head(malformed: Malformed) -> MessageStoreError {
    MessageStoreError::Corrupt { key: ROOM_ID.to_owned(), source: malformed.into() }
}
