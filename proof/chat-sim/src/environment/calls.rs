//! Calls of the ports: each waits for its turn, meets what was drawn for it, and is answered.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::task::Waker;

use chat_domain::{
    Advance, Append, Connection, ConnectionId, Member, MessageStoreError, ReadMark, Room, RoomId,
    VerifiedIdentity,
};

use super::{Environment, Happening, INDEX_LAG_MAX_MS, Outcome, note, socket_number};
use crate::faults::Fault;
use crate::ids::{TaskId, TicketId};
use crate::observations::{Observation, Stored, Told};
use crate::ports::{Call, Failure, Reply};

/// How far the index lags without a fault.
const INDEX_LAG_MS: i64 = 100;
/// How long a client of a store waits for a write, which is lost if it is on its way for longer.
const LATE_MAX_MS: i64 = 25_000;
/// How long a handler is frozen.
const FROZEN_MS: std::ops::Range<i64> = 1_000..300_000;
/// How long whoever asked waits for a handler that is frozen.
const FROZEN_GIVEN_UP_AFTER_MS: i64 = 20_000;
/// How much of a reply the history shows.
const REPLY_SHOWN_CHARS: usize = 300;

/// A call that waits for its turn, or has had it.
pub(super) struct Ticket {
    /// `None` when it was given up, and nobody waits for it.
    task: Option<TaskId>,
    pub(super) call: Option<Call>,
    reply: Option<Reply>,
    /// Whom to tell that there is a reply: of many futures together only those that were woken are polled.
    waker: Option<Waker>,
}

impl Environment {
    pub(crate) fn register(&mut self, call: Call) -> TicketId {
        let task = self.current;
        if self.immediate {
            let reply = self.apply(&call);
            return self.tickets.push(Ticket {
                task: Some(task),
                call: None,
                reply: Some(reply),
                waker: None,
            });
        }
        let wait = match &call {
            Call::Wait(at_most) => self.rng.i64(0..=i64::try_from(at_most.as_millis()).unwrap_or(0)),
            _ => self.rng.i64(1..=20),
        };
        let made = Ticket { task: Some(task), call: Some(call), reply: None, waker: None };
        let ticket = match self.free_tickets.pop() {
            Some(free) => {
                self.tickets[free] = made;
                free
            }
            None => self.tickets.push(made),
        };
        if self.explored {
            return ticket;
        }
        let frozen = self.hit_one_in(Fault::HandlerFrozen, 8);
        let delay = if frozen { self.rng.i64(FROZEN_MS) } else { wait };
        if frozen {
            note!(self, "task {task} is frozen for {delay} ms");
            if delay > FROZEN_GIVEN_UP_AFTER_MS {
                self.after(FROZEN_GIVEN_UP_AFTER_MS, Happening::GiveUp(task));
            }
        }
        self.after(delay, Happening::Turn(ticket));
        ticket
    }

    pub(crate) fn take_reply(&mut self, ticket: TicketId, waker: &Waker) -> Option<Reply> {
        let reply = self.tickets[ticket].reply.take();
        match reply {
            None => self.tickets[ticket].waker = Some(waker.clone()),
            // Whoever explores tells calls apart by their tickets.
            Some(_) if !self.explored => self.free_tickets.push(ticket),
            Some(_) => {}
        }
        reply
    }

    /// The calls that wait for their turn, and whose they are; a write that was given up is nobody's.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (TicketId, Option<TaskId>, &Call)> {
        let tickets = self.tickets.enumerated();
        tickets.filter_map(|(number, ticket)| Some((number, ticket.task, ticket.call.as_ref()?)))
    }

    /// The writes that were given up, `None` if one has arrived.
    pub(crate) fn given_up(&self) -> impl Iterator<Item = &Option<Call>> {
        self.tickets.iter().filter(|ticket| ticket.task.is_none()).map(|ticket| &ticket.call)
    }

    /// A write that was given up arrives.
    pub(crate) fn arrive_late(&mut self, ticket: TicketId) {
        if let Some(call) = self.tickets[ticket].call.take() {
            self.late(&call);
        }
    }

    /// Whose call a ticket is, if anybody still waits for it.
    pub(crate) fn task_of(&self, ticket: TicketId) -> Option<TaskId> {
        self.tickets[ticket].task
    }

    /// Gives a call its turn. Says whether its handler lives on.
    pub(crate) fn turn(&mut self, ticket: TicketId, outcome: Outcome) -> bool {
        let Some(task) = self.tickets[ticket].task else { return false };
        let Some(call) = self.tickets[ticket].call.take() else { return false };
        note!(
            self,
            "task {task}: {call:?}{}",
            match outcome {
                Outcome::Normal => String::new(),
                outcome => format!(" meets {outcome:?}"),
            }
        );
        match outcome {
            Outcome::Killed => return false,
            Outcome::KilledWriting => {
                self.give_up(call);
                return false;
            }
            _ => {}
        }
        self.observe_call(task, &call);
        let reply = self.execute(&call, outcome);
        self.observe_reply(task, &call, &reply);
        if self.history.is_some() {
            let text: String = format!("{reply:?}").chars().take(REPLY_SHOWN_CHARS).collect();
            note!(self, "task {task}:   -> {text}");
        }
        if self.hashes_replies {
            self.last_reply = hash_reply(&call, &reply);
        }
        let ticket = &mut self.tickets[ticket];
        ticket.reply = Some(reply);
        if let Some(waker) = ticket.waker.take() {
            waker.wake();
        }
        true
    }

    fn observe_call(&mut self, task: TaskId, call: &Call) {
        self.observe(&Observation::Called { task, call });
        if let Call::Push(id, event) = call
            && let Some(to) = socket_number(id).filter(|to| self.sockets.get(*to).is_some())
        {
            self.observe(&Observation::Pushed { task, to, event });
        }
    }

    fn observe_reply(&mut self, task: TaskId, call: &Call, reply: &Reply) {
        let what = match (call, reply) {
            (Call::Commit(append), Reply::Done) => Told::Stored(append.message.at),
            (Call::PutRow(message), Reply::Done) => Told::Stored(message.at),
            (_, Reply::Connections(listed)) => Told::Connections(listed.len()),
            (Call::Push(id, _) | Call::Close(id), Reply::Failed(Failure::Gone)) => {
                let Some(socket) = socket_number(id) else { return };
                Told::Gone(socket)
            }
            _ => return,
        };
        self.observe(&Observation::Told { task, what });
    }

    /// A write that nobody waits for any more, and that arrives all the same.
    fn give_up(&mut self, call: Call) {
        if self.explored {
            self.tickets.push(Ticket { task: None, call: Some(call), reply: None, waker: None });
            return;
        }
        let delay = self.rng.i64(1..LATE_MAX_MS);
        self.after(delay, Happening::Late(Box::new(call)));
    }

    /// A write arrives that was given up.
    pub(crate) fn late(&mut self, call: &Call) {
        note!(self, "late: {call:?}");
        self.apply(call);
    }

    /// Does what a call asks for, as far as what it meets lets it.
    fn execute(&mut self, call: &Call, outcome: Outcome) -> Reply {
        match (call, outcome) {
            (Call::Push(id, event), _) => self.push(id, event, outcome),
            (_, Outcome::Refused(failure)) => Reply::Failed(failure),
            (Call::Close(id), _) => self.close(id),
            (_, Outcome::AppliedThenError) => {
                self.apply(call);
                Reply::Failed(Failure::Unavailable)
            }
            (_, Outcome::Repeated) => {
                self.apply(call);
                self.apply(call)
            }
            (_, Outcome::Late) => {
                self.give_up(call.clone());
                Reply::Failed(Failure::Unavailable)
            }
            (Call::Room(id, _), Outcome::Stale(back)) => Reply::Room(self.tables.room(id, back)),
            (Call::Page(id, query, _), Outcome::Stale(back)) => {
                Reply::Page(self.tables.page(id, *query, back))
            }
            (Call::RoomsOf(member, after), Outcome::Stale(back)) => {
                Reply::Rooms(self.tables.rooms_of(member, *after, back))
            }
            (Call::Page(id, query, _), Outcome::Cut(rows)) => {
                let mut page = self.tables.page(id, *query, 0);
                if page.messages.len() > rows {
                    page.messages.truncate(rows);
                    page.has_more = true;
                }
                Reply::Page(page)
            }
            (Call::RoomsOf(member, after), Outcome::Cut(rows)) => {
                let mut page = self.tables.rooms_of(member, *after, 0);
                if page.rooms.len() > rows {
                    page.rooms.truncate(rows);
                    page.next = page.rooms.last().and_then(chat_domain::Room::activity);
                }
                Reply::Rooms(page)
            }
            (Call::OfUser(email, now), Outcome::IndexAt(ago_ms)) => {
                Reply::Connections(self.tables.listed(email, self.now_ms() - ago_ms, *now))
            }
            _ => self.apply(call),
        }
    }

    /// Does what a call asks for.
    fn apply(&mut self, call: &Call) -> Reply {
        match call {
            Call::Room(id, _) => Reply::Room(self.tables.room(id, 0)),
            Call::Page(id, query, _) => Reply::Page(self.tables.page(id, *query, 0)),
            Call::RoomsOf(member, after) => Reply::Rooms(self.tables.rooms_of(member, *after, 0)),
            Call::Commit(append) => self.or_failed(|it| it.commit(append)),
            Call::AdvanceRead(id, reader, mark) => self.or_failed(|it| it.advance_read(id, *reader, *mark)),
            Call::MarkRows(id, reader, rows, through) => self.or_failed(|it| {
                it.tables.mark_rows_read(id, *reader, rows, *through)?;
                it.observe(&Observation::RowsMarked { room: id, rows });
                Ok(Reply::Done)
            }),
            Call::PutRow(message) => {
                self.tables.put_row(Clone::clone(message));
                self.observe(&Observation::Stored(Stored { message, head: None }));
                Reply::Done
            }
            Call::ForceMark(id, reader, mark) => self.or_failed(|it| {
                it.tables.force_mark(id, *reader, *mark)?;
                it.mark_was_set(id, *reader);
                Ok(Reply::Done)
            }),
            Call::Get(id) => {
                let row = self.tables.connection(id).and_then(|row| row.row.as_ref());
                Reply::Connection(row.map(|row| Connection::clone(row)))
            }
            Call::OfUser(email, now) => Reply::Connections(self.tables.listed(email, self.now_ms(), *now)),
            Call::Put(connection) => {
                self.put_connection(connection);
                Reply::Done
            }
            Call::SetExpiry(id, expires_at) => {
                let extended = self.tables.connection(id).and_then(|row| row.row.as_ref()).map(|row| {
                    let (email, user) = (row.identity.email().clone(), row.identity.user_id().clone());
                    Connection {
                        identity: VerifiedIdentity::vouched(email, user, *expires_at),
                        ..Connection::clone(row)
                    }
                });
                let was_there = extended.is_some();
                if was_there {
                    self.write_connection(id, extended);
                }
                Reply::Was(was_there)
            }
            Call::Delete(id) => {
                self.write_connection(id, None);
                Reply::Done
            }
            Call::DeleteIfBefore(id, instant) => {
                let row = self.tables.connection(id).and_then(|row| row.row.as_ref());
                let earlier = row.is_some_and(|connection| connection.connected_at < *instant);
                if earlier {
                    self.write_connection(id, None);
                }
                Reply::Was(earlier)
            }
            Call::Verify(token, now) => {
                if self.identities.is_revoked(token) {
                    self.fired.add(Fault::TokenRevoked);
                }
                self.identities.verify(token, *now).map_or_else(Reply::Failed, Reply::Identity)
            }
            Call::Wait(_) => Reply::Done,
            Call::Push(..) | Call::Close(_) => unreachable!("a push is no call of a store"),
        }
    }

    fn or_failed(&mut self, apply: impl FnOnce(&mut Self) -> Result<Reply, MessageStoreError>) -> Reply {
        match apply(self) {
            Ok(reply) => reply,
            Err(MessageStoreError::Conflict) => Reply::Failed(Failure::Conflict),
            Err(MessageStoreError::AttachmentTaken) => Reply::Failed(Failure::Taken),
            Err(error) => {
                self.observe(&Observation::Corrupt { error: &format!("{error:?}") });
                Reply::Failed(Failure::Corrupt)
            }
        }
    }

    fn commit(&mut self, append: &Append) -> Result<Reply, MessageStoreError> {
        let head = self.tables.commit(append)?;
        let stored = Stored { message: &append.message, head: Some(&head) };
        self.observe(&Observation::Stored(stored));
        Ok(Reply::Done)
    }

    fn advance_read(
        &mut self,
        id: &RoomId,
        reader: Member,
        mark: ReadMark,
    ) -> Result<Reply, MessageStoreError> {
        let advance = self.tables.advance_read(id, reader, mark)?;
        if let Advance::Moved(_) = &advance {
            self.mark_was_set(id, reader);
        }
        Ok(Reply::Advance(Box::new(advance)))
    }

    fn put_connection(&mut self, connection: &Connection) {
        let socket = socket_number(&connection.id).and_then(|socket| self.sockets.get(socket));
        let was_deleted = self.tables.connection(&connection.id).is_some_and(|row| row.row.is_none());
        if was_deleted && socket.is_some_and(|socket| socket.aborted) {
            self.fired.add(Fault::DisconnectBeforeConnect);
        }
        self.write_connection(&connection.id, Some(connection.clone()));
    }

    fn mark_was_set(&mut self, room: &RoomId, reader: Member) {
        let Some(table) = self.tables.table(room) else { return };
        let (head, Some(mark)) = (table.head().cloned(), table.reads()[reader].mark) else { return };
        self.observe(&Observation::MarkSet { room, reader, mark, head: head.as_ref() });
    }

    pub(super) fn write_connection(&mut self, id: &ConnectionId, connection: Option<Connection>) {
        let connection = connection.map(Arc::new);
        let fault = match connection {
            Some(_) => Fault::IndexLag,
            None => Fault::IndexStaleDelete,
        };
        // A lag is no fault that ends: it is there as well when nothing else goes wrong any more.
        let lags = self.hit(fault) || (!self.faults_on && self.rates.is_on(fault));
        let lag = if self.immediate || self.explored {
            0
        } else if lags {
            self.rng.i64(INDEX_LAG_MS..INDEX_LAG_MAX_MS)
        } else {
            self.rng.i64(0..INDEX_LAG_MS)
        };
        if let Some(socket) = socket_number(id) {
            self.observe(&Observation::ConnectionRow { socket, row: connection.as_ref() });
        }
        self.tables.write_connection(id, connection, self.now_ms() + lag);
    }
}

fn hash_reply(call: &Call, reply: &Reply) -> u64 {
    let mut hasher = DefaultHasher::new();
    match reply {
        Reply::Room(Some(room)) => hash_room(room, &mut hasher),
        Reply::Page(page) => {
            page.has_more.hash(&mut hasher);
            for row in &page.messages {
                (row.at, row.id, row.read).hash(&mut hasher);
            }
        }
        reply => format!("{reply:?}").hash(&mut hasher),
    }
    format!("{call:?}").hash(&mut hasher);
    hasher.finish()
}

/// Hashes all of a room that a handler can tell apart. Heads are compared millions of times, and in words
/// that would take most of the time.
pub(crate) fn hash_room(room: &Room, hasher: &mut impl Hasher) {
    for member in [Member::A, Member::B] {
        let state = room.read_state(member);
        (state.mark.map(|mark| (mark.up_to, mark.count)), state.rows_marked_to).hash(hasher);
    }
    let Some(log) = room.log() else { return };
    (log.seq(), log.last_at(), log.last_sender(), log.sent, log.preview()).hash(hasher);
    for recent in &log.recent {
        (recent.id, recent.sender, recent.at).hash(hasher);
    }
    for bucket in [log.buckets.a, log.buckets.b] {
        bucket.map(|bucket| (bucket.milli_messages, bucket.at)).hash(hasher);
    }
    for open in &log.open_proposals {
        (open.at, open.proposer).hash(hasher);
    }
}
