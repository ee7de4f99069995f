//! Calls of the ports: each waits for its turn, meets what was drawn for it, and is answered.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::task::Waker;

use chat_domain::testing::{
    ConnectionStoreCall, ConnectionStoreReply, IdentityVerifierCall, IdentityVerifierReply, MessageStoreCall,
    MessageStoreReply, PusherCall, PusherReply, ReportStoreCall, ReportStoreReply, UserStoreCall,
    UserStoreReply,
};
use chat_domain::{
    Advance, Append, Connection, ConnectionId, ConsentWrite, Member, MessageStoreError, ReadMark, Room,
    RoomId, VerifiedIdentity,
};

use dynamodb_sim::Seen;

use super::{CallOutcome, Environment, Happening, note};
use crate::call::{Call, Failure, Reply};
use crate::faults::{Fault, INDEX_LAG_MAX_MS};
use crate::ids::{TaskId, TicketId, socket_number};
use crate::observations::{Observation, Stored, Told};

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

/// How a call of a store failed that makes requests of its own.
#[derive(Debug)]
pub(crate) enum StoreFailure {
    /// What is stored cannot be read.
    Corrupt(String),
    /// Anything else, which the history shows.
    #[expect(dead_code, reason = "the history shows it")]
    Other(String),
}

/// A call that waits for its turn, or has had it.
pub(super) struct Ticket {
    /// `None` when it was given up, and nobody waits for it.
    task: Option<TaskId>,
    pub(super) call: Option<Box<Call>>,
    reply: Option<Result<Reply, Failure>>,
    /// Whom to tell that there is a reply: of many futures together only those that were woken are polled.
    waker: Option<Waker>,
}

/// What becomes of a call when it is made.
pub(crate) enum Made {
    Answered(Result<Reply, Failure>),
    Waits(TicketId),
}

impl Environment {
    pub(crate) fn make(&mut self, call: Box<Call>) -> Made {
        if self.immediate || (!self.keeps_out && matches!(*call, Call::Users(_))) {
            return Made::Answered(self.apply(&call));
        }
        Made::Waits(self.register(call))
    }

    fn register(&mut self, call: Box<Call>) -> TicketId {
        let task = self.current;
        let wait = match &*call {
            Call::Wait(at_most) => self.rng.i64(0..=i64::try_from(at_most.as_millis()).unwrap_or(0)),
            Call::Pause(duration) => i64::try_from(duration.as_millis()).unwrap_or(0),
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

    pub(crate) fn take_reply(&mut self, ticket: TicketId, waker: &Waker) -> Option<Result<Reply, Failure>> {
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
        tickets.filter_map(|(number, ticket)| Some((number, ticket.task, ticket.call.as_deref()?)))
    }

    /// The writes that were given up, `None` if one has arrived.
    pub(crate) fn given_up(&self) -> impl Iterator<Item = Option<&Call>> {
        self.tickets.iter().filter(|ticket| ticket.task.is_none()).map(|ticket| ticket.call.as_deref())
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
    pub(crate) fn turn(&mut self, ticket: TicketId, outcome: CallOutcome) -> bool {
        let Some(task) = self.tickets[ticket].task else { return false };
        let Some(call) = self.tickets[ticket].call.take() else { return false };
        note!(
            self,
            "task {task}: {call:?}{}",
            match outcome {
                CallOutcome::Normal => String::new(),
                outcome => format!(" meets {outcome:?}"),
            }
        );
        match outcome {
            CallOutcome::Killed => return false,
            CallOutcome::KilledWriting => {
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

    /// A handler calls a port.
    pub(crate) fn observe_call(&mut self, task: TaskId, call: &Call) {
        // By these a store does what it was called for.
        if let Call::Items(_) | Call::Pause(_) = call {
            return;
        }
        self.observe(&Observation::Called { task, call });
        if let Call::Pusher(PusherCall::Push { to, push }) = call
            && let Some(to) = socket_number(to).filter(|to| self.sockets.get(*to).is_some())
        {
            self.observe(&Observation::Pushed { task, to, event: push.event() });
        }
    }

    /// A handler is told what came of a call.
    pub(crate) fn observe_reply(&mut self, task: TaskId, call: &Call, reply: &Result<Reply, Failure>) {
        let what = match (call, reply) {
            (Call::Messages(MessageStoreCall::Commit { append }), Ok(_)) => Told::Stored(append.message().at),
            (Call::PutRow(message), Ok(_)) => Told::Stored(message.at),
            (_, Ok(Reply::Connections(ConnectionStoreReply::OfUser(listed)))) => {
                Told::Connections(listed.len())
            }
            (
                Call::Pusher(PusherCall::Push { to: id, .. } | PusherCall::Close { id }),
                Err(Failure::Gone),
            ) => {
                let Some(socket) = socket_number(id) else { return };
                Told::Gone(socket)
            }
            (Call::Users(_), Err(Failure::Conflict)) => Told::Conflict,
            (Call::Users(_), Err(_)) => Told::UserRowFailed,
            (_, Err(failure)) if *failure != Failure::Conflict => Told::Failed,
            _ => return,
        };
        self.observe(&Observation::Told { task, what });
    }

    /// A handler calls a store that makes requests of it. Says whose call it is.
    pub(crate) fn begin_call(&mut self, call: &Call) -> TaskId {
        let task = self.current;
        note!(self, "task {task} calls {call:?}");
        match call {
            // By this nothing is asked for that was not asked for before.
            Call::Messages(MessageStoreCall::Settle { .. }) => {}
            Call::Messages(MessageStoreCall::RoomForCommit { id, consistency }) => {
                let read = MessageStoreCall::Room { id: id.clone(), consistency: *consistency };
                self.observe_call(task, &Call::Messages(read));
            }
            call => self.observe_call(task, call),
        }
        task
    }

    /// The store has done what it was called for, or has not.
    pub(crate) fn end_call(&mut self, task: TaskId, call: &Call, reply: Result<Reply, StoreFailure>) {
        if self.keeps_history() {
            let text: String = format!("{reply:?}").chars().take(REPLY_SHOWN_CHARS).collect();
            note!(self, "task {task}: {text}");
        }
        match reply {
            Ok(reply) => self.observe_reply(task, call, &Ok(reply)),
            Err(StoreFailure::Corrupt(error)) => self.observe(&Observation::Corrupt { error: &error }),
            Err(StoreFailure::Other(_)) => {
                let is_of_user = matches!(call, Call::Users(_));
                let what = if is_of_user { Told::UserRowFailed } else { Told::Failed };
                self.observe(&Observation::Told { task, what });
            }
        }
    }

    /// A handler is gone with its region: some of the writes that it waits for arrive all the same.
    pub(crate) fn leave_writes(&mut self, task: TaskId) {
        let of_task =
            |ticket: &Ticket| ticket.task == Some(task) && ticket.call.as_deref().is_some_and(Call::is_write);
        let waiting: Vec<TicketId> = self
            .tickets
            .enumerated()
            .filter(|(_, ticket)| of_task(ticket))
            .map(|(number, _)| number)
            .collect();
        for ticket in waiting {
            if let Some(call) = self.tickets[ticket].call.take()
                && self.rng.bool()
            {
                self.give_up(call);
            }
        }
    }

    /// A write that nobody waits for any more, and that arrives all the same.
    pub(crate) fn give_up(&mut self, call: Box<Call>) {
        if self.explored {
            self.tickets.push(Ticket { task: None, call: Some(call), reply: None, waker: None });
            return;
        }
        let delay = self.rng.i64(1..LATE_MAX_MS);
        self.after(delay, Happening::Late(call));
    }

    /// A write arrives that was given up.
    pub(crate) fn late(&mut self, call: &Call) {
        note!(self, "late: {call:?}");
        let _ = self.apply(call);
    }

    /// Does what a call asks for, as far as what it meets lets it.
    fn execute(&mut self, call: &Call, outcome: CallOutcome) -> Result<Reply, Failure> {
        match (call, outcome) {
            (Call::Pusher(PusherCall::Push { to, push }), _) => {
                self.push(to, push.event(), outcome).map(|()| Reply::Pusher(PusherReply::Push(())))
            }
            (Call::Items(request), _) => self.execute_request(request, outcome).map(Reply::Items),
            (_, CallOutcome::Refused(failure)) => Err(failure),
            (Call::Pusher(PusherCall::Close { id }), _) => {
                self.close(id).map(|()| Reply::Pusher(PusherReply::Close(())))
            }
            (_, CallOutcome::AppliedThenError) => {
                let _ = self.apply(call);
                Err(Failure::Unavailable)
            }
            (_, CallOutcome::Repeated) => {
                let _ = self.apply(call);
                self.apply(call)
            }
            (_, CallOutcome::Late) => {
                self.give_up(Box::new(call.clone()));
                Err(Failure::Unavailable)
            }
            (Call::Messages(call), CallOutcome::Stale(back)) => {
                self.read(call, back, usize::MAX).map(Reply::messages)
            }
            (Call::Messages(call), CallOutcome::Cut(rows)) => self.read(call, 0, rows).map(Reply::messages),
            (Call::Connections(ConnectionStoreCall::OfUser { email, now }), CallOutcome::IndexAt(ago_ms)) => {
                let listed = self.tables.listed(email, self.now_ms() - ago_ms, *now);
                Ok(Reply::Connections(ConnectionStoreReply::OfUser(listed)))
            }
            _ => self.apply(call),
        }
    }

    /// Does what a call asks for.
    fn apply(&mut self, call: &Call) -> Result<Reply, Failure> {
        match call {
            Call::Messages(call) => self.apply_to_messages(call).map(Reply::messages),
            Call::Connections(call) => Ok(Reply::Connections(self.apply_to_connections(call))),
            Call::Reports(ReportStoreCall::File { report }) => {
                self.observe(&Observation::Reported(report));
                Ok(Reply::Reports(ReportStoreReply::File(true)))
            }
            Call::Users(call) => self.apply_to_users(call).map(Reply::Users),
            Call::Reports(call) => unreachable!("no handler calls `{}`", call.method()),
            Call::Verifier(IdentityVerifierCall::Verify { token, now }) => {
                if self.identities.is_revoked(token.expose()) {
                    self.fired.add(Fault::TokenRevoked);
                }
                let identity = self.identities.verify(token.expose(), *now)?;
                Ok(Reply::Verifier(IdentityVerifierReply::Verify(identity)))
            }
            Call::PutRow(message) => {
                self.tables.put_row(Clone::clone(message));
                self.observe(&Observation::Stored(Stored { message, head: None, target: None }));
                Ok(Reply::Done)
            }
            Call::ForceMark(id, reader, mark) => self.or_failed(|it| {
                it.tables.force_mark(id, *reader, *mark)?;
                it.mark_was_set(id, *reader);
                Ok(Reply::Done)
            }),
            Call::Items(request) => self.apply_request(request, Seen::ALL).map(Reply::Items),
            Call::Pause(_) | Call::Wait(_) => Ok(Reply::Done),
            Call::Pusher(_) => unreachable!("a push is no call of a store"),
        }
    }

    fn apply_to_messages(&mut self, call: &MessageStoreCall<'_>) -> Result<MessageStoreReply, Failure> {
        match call {
            MessageStoreCall::Commit { append } => {
                self.or_failed(|it| it.commit(append)).map(MessageStoreReply::Commit)
            }
            MessageStoreCall::AdvanceRead { room, reader, mark } => {
                self.or_failed(|it| it.advance_read(room, *reader, *mark)).map(MessageStoreReply::AdvanceRead)
            }
            MessageStoreCall::Clear { room, reader, up_to } => {
                self.or_failed(|it| it.tables.clear(room, *reader, *up_to)).map(MessageStoreReply::Clear)
            }
            MessageStoreCall::WriteConsent { room, member, write } => self
                .or_failed(|it| it.write_consent(room, *member, *write))
                .map(MessageStoreReply::WriteConsent),
            call => self.read(call, 0, usize::MAX),
        }
    }

    /// What a read of messages sees, so many versions ago and with so many rows at the most.
    fn read(
        &self,
        call: &MessageStoreCall<'_>,
        back: usize,
        rows_max: usize,
    ) -> Result<MessageStoreReply, Failure> {
        Ok(match call {
            MessageStoreCall::Room { id, .. } => {
                MessageStoreReply::Room(self.tables.room(id, back).map(Arc::unwrap_or_clone))
            }
            MessageStoreCall::Page { room, query, .. } => {
                let mut page = self.tables.page(room, *query, back);
                if page.messages.len() > rows_max {
                    page.messages.truncate(rows_max);
                    page.has_more = true;
                }
                MessageStoreReply::Page(page)
            }
            MessageStoreCall::MessagesAt { room, places, .. } => {
                MessageStoreReply::MessagesAt(self.tables.messages_at(room, places, back))
            }
            MessageStoreCall::RoomsOf { member, after } => {
                let mut page = self.tables.rooms_of(member, *after, back);
                if page.rooms.len() > rows_max {
                    page.rooms.truncate(rows_max);
                    page.next = page.rooms.last().and_then(Room::activity);
                }
                MessageStoreReply::RoomsOf(page)
            }
            call => unreachable!("`{}` is no read", call.method()),
        })
    }

    fn apply_to_connections(&mut self, call: &ConnectionStoreCall<'_>) -> ConnectionStoreReply {
        match call {
            ConnectionStoreCall::Put { connection } => {
                self.put_connection(connection);
                ConnectionStoreReply::Put(())
            }
            ConnectionStoreCall::Get { id } => {
                let row = self.tables.connection(id).and_then(|row| row.row.as_ref());
                ConnectionStoreReply::Get(row.map(|row| Connection::clone(row)))
            }
            ConnectionStoreCall::OfUser { email, now } => {
                ConnectionStoreReply::OfUser(self.tables.listed(email, self.now_ms(), *now))
            }
            ConnectionStoreCall::SetIdentityExpiry { id, expires_at } => {
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
                ConnectionStoreReply::SetIdentityExpiry(was_there)
            }
            ConnectionStoreCall::Delete { id } => {
                self.write_connection(id, None);
                ConnectionStoreReply::Delete(())
            }
            ConnectionStoreCall::DeleteIfConnectedBefore { id, instant } => {
                let row = self.tables.connection(id).and_then(|row| row.row.as_ref());
                let earlier = row.is_some_and(|connection| connection.connected_at < *instant);
                if earlier {
                    self.write_connection(id, None);
                }
                ConnectionStoreReply::DeleteIfConnectedBefore(earlier)
            }
        }
    }

    fn apply_to_users(&mut self, call: &UserStoreCall<'_>) -> Result<UserStoreReply, Failure> {
        match call {
            UserStoreCall::Get { email } => Ok(UserStoreReply::Get(self.tables.user(email).cloned())),
            UserStoreCall::Put { user } => {
                let written = self.tables.put_user(user).ok_or(Failure::Conflict)?;
                self.user_was_written(&written);
                Ok(UserStoreReply::Put(()))
            }
            UserStoreCall::List { .. } => unreachable!("no handler lists users"),
        }
    }

    /// The row of a user was written.
    pub(super) fn user_was_written(&mut self, row: &chat_domain::User) {
        let Some(user) = self.directory.user(&row.email) else { return };
        if row.held_until.is_some() {
            self.happened(Fault::HeldUp);
        }
        self.observe(&Observation::UserRow { user, row });
    }

    fn or_failed<T>(
        &mut self,
        apply: impl FnOnce(&mut Self) -> Result<T, MessageStoreError>,
    ) -> Result<T, Failure> {
        apply(self).map_err(|error| match error {
            MessageStoreError::Conflict => Failure::Conflict,
            MessageStoreError::AttachmentTaken => Failure::Taken,
            error => {
                self.observe(&Observation::Corrupt { error: &format!("{error:?}") });
                Failure::Corrupt
            }
        })
    }

    fn commit(&mut self, append: &Append) -> Result<(), MessageStoreError> {
        let head = self.tables.commit(append, self.bug_state.ignores_blocks)?;
        let message = append.message();
        let target =
            append.change().and_then(|(at, _)| self.tables.messages_at(&message.room, &[at], 0).pop());
        let stored = Stored { message, head: Some(&head), target: target.as_ref() };
        self.observe(&Observation::Stored(stored));
        Ok(())
    }

    fn advance_read(
        &mut self,
        id: &RoomId,
        reader: Member,
        mark: ReadMark,
    ) -> Result<Advance, MessageStoreError> {
        let advance = self.tables.advance_read(id, reader, mark)?;
        if let Advance::Moved(_) = &advance {
            self.mark_was_set(id, reader);
        }
        Ok(advance)
    }

    fn write_consent(
        &mut self,
        id: &RoomId,
        member: Member,
        write: ConsentWrite,
    ) -> Result<bool, MessageStoreError> {
        let is_there = self.tables.write_consent(id, member, write, self.bug_state.freezes_whoever_blocks)?;
        if let Some(head) = self.tables.table(id).and_then(|table| table.head()).cloned() {
            self.observe(&Observation::ConsentSet { room: id, member, head: &head });
        }
        Ok(is_there)
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

    /// How long it takes until the index of connections shows what is stored of one.
    pub(super) fn draw_index_lag_ms(&mut self, is_there: bool) -> i64 {
        let fault = if is_there { Fault::IndexLag } else { Fault::IndexStaleDelete };
        // A lag is no fault that ends: it is there as well when nothing else goes wrong any more.
        let lags = self.hit(fault) || (!self.faults_on && self.rates.is_on(fault));
        // Rows of connections come to other regions within a second or two.
        let lags = lags || (self.spans_regions() && self.rng.bool());
        if self.immediate || self.explored {
            0
        } else if lags {
            self.rng.i64(INDEX_LAG_MS..INDEX_LAG_MAX_MS)
        } else {
            self.rng.i64(0..INDEX_LAG_MS)
        }
    }

    pub(super) fn write_connection(&mut self, id: &ConnectionId, connection: Option<Connection>) {
        let connection = connection.map(Arc::new);
        let lag = self.draw_index_lag_ms(connection.is_some());
        if let Some(socket) = socket_number(id) {
            self.observe(&Observation::ConnectionRow { socket, row: connection.as_ref() });
        }
        self.tables.write_connection(id, connection, self.now_ms() + lag);
    }
}

fn hash_reply(call: &Call, reply: &Result<Reply, Failure>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match reply {
        Ok(Reply::Messages(reply)) => hash_read(reply, &mut hasher),
        reply => format!("{reply:?}").hash(&mut hasher),
    }
    format!("{call:?}").hash(&mut hasher);
    hasher.finish()
}

fn hash_read(reply: &MessageStoreReply, hasher: &mut DefaultHasher) {
    match reply {
        MessageStoreReply::Room(Some(room)) => hash_room(room, hasher),
        MessageStoreReply::Page(page) => {
            page.has_more.hash(hasher);
            for row in &page.messages {
                (row.at, row.id, row.changed.by).hash(hasher);
            }
        }
        reply => format!("{reply:?}").hash(hasher),
    }
}

/// Hashes all of a room that a handler can tell apart. Heads are compared millions of times, and in words
/// that would take most of the time.
pub(crate) fn hash_room(room: &Room, hasher: &mut impl Hasher) {
    for member in [Member::A, Member::B] {
        let state = room.read_state(member);
        (state.mark.map(|mark| (mark.up_to, mark.count)), state.shown_to).hash(hasher);
        let consent = room.consent(member);
        (consent.accepted, consent.blocked).hash(hasher);
    }
    let Some(log) = room.log() else { return };
    (log.seq(), log.last_at(), log.sent, log.changes).hash(hasher);
    let last = log.last_message();
    (last.sender, last.preview).hash(hasher);
    log.reacted.hash(hasher);
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
