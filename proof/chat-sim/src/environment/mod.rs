//! The world around the handlers: time, tables, sockets, tokens, and what goes wrong with them.

use std::cmp::Reverse;
pub(crate) mod tables;

use std::collections::{BinaryHeap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::task::Waker;

use chat_domain::{
    Advance, ClientMessageId, Connection, ConnectionId, Consistency, Event, Member, MessageStoreError,
    PageRange, PerMember, Room, RoomId, Timestamp, UserId, VerifiedIdentity,
};
use chat_wire::frames::ServerFrame;

use self::tables::Store;
use crate::checkers::{Observer, Record, Violation};
use crate::client::Timer;
use crate::directory::Directory;
use crate::faults::{Counters, Fault, Rates};
use crate::ids::{DeviceId, Id, IdVec, IntentId, SocketId, TaskId, TicketId, TokenId, User};
use crate::observations::{Observation, OpenSocket, Written};
use crate::ports::{Call, Failure, Reply};

/// How far the index may lag, whatever the seed: a client syncs again five seconds after it has connected, and an index that lags
/// by more would be noticed by the next message only.
pub(crate) const INDEX_LAG_MAX_MS: i64 = 2_000;
/// How many versions an eventually consistent read lags behind at the most.
const STALE_MAX: usize = 4;
/// How far the index lags without a fault.
const INDEX_LAG_MS: i64 = 100;

/// What is going to happen.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A call gets its turn.
    Turn(TicketId),
    /// A write that was given up arrives at the store.
    Late(Box<Call>),
    /// A handler begins.
    Start(TaskId),
    /// The gateway opens a socket whose `$connect` was answered.
    Open(TaskId, SocketId),
    /// Nobody waits for a handler's answer any more.
    GiveUp(TaskId),
    /// An answer reaches whoever asked.
    Answer(TaskId),
    /// A frame reaches a client.
    Arrive(SocketId, Box<ServerFrame>),
    /// A client notices that its socket is closed.
    ClientLoses(SocketId),
    /// The gateway notices that a socket is closed, or closes it.
    GatewayLoses(SocketId),
    /// A client's timer fires, if it still runs.
    Timer(DeviceId, u32, Timer),
    /// The next thing of the plan.
    Op(usize),
}

/// What is going to happen, in the order in which it will.
#[derive(Default)]
struct Queue {
    /// When each thing happens, of what happens at once what was scheduled first, and its place below: small, since these move a lot.
    next: BinaryHeap<Reverse<(i64, u64, usize)>>,
    happenings: Vec<Option<Happening>>,
    free: Vec<usize>,
}

impl Queue {
    fn push(&mut self, at_ms: i64, order: u64, happening: Happening) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.happenings.push(None);
            self.happenings.len() - 1
        });
        self.happenings[place] = Some(happening);
        self.next.push(Reverse((at_ms, order, place)));
    }

    /// When the next thing happens.
    fn next_ms(&self) -> Option<i64> {
        self.next.peek().map(|Reverse((at_ms, ..))| *at_ms)
    }

    fn pop(&mut self) -> Option<(i64, u64, Happening)> {
        let Reverse((at_ms, order, place)) = self.next.pop()?;
        self.free.push(place);
        self.happenings[place].take().map(|happening| (at_ms, order, happening))
    }
}

/// A call that waits for its turn, or has had it.
pub(crate) struct Ticket {
    /// `None` when it was given up, and nobody waits for it.
    pub(crate) task: Option<TaskId>,
    pub(crate) call: Option<Call>,
    reply: Option<Reply>,
    /// Whom to tell that there is a reply: of many futures together only those that were woken are polled.
    waker: Option<Waker>,
}

/// A WebSocket, as the gateway and the client see it.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) id: ConnectionId,
    pub(crate) user: User,
    pub(crate) device: DeviceId,
    /// Which life of the device opened it.
    pub(crate) epoch: u32,
    pub(crate) at_gateway: End,
    pub(crate) at_client: bool,
    pub(crate) connected_at: Timestamp,
    /// The latest expiry of any good token that was presented on it.
    pub(crate) fresh_until: Timestamp,
    /// Its client gave it up while it was being opened.
    pub(crate) aborted: bool,
    /// It is one of many that only listen.
    pub(crate) silent: bool,
    /// When what was pushed last arrives.
    pub(crate) arrives_ms: i64,
    /// When a push arrives that others are to overtake.
    pub(crate) held_until_ms: i64,
}

impl Socket {
    /// One that is being opened.
    pub(crate) fn opening(
        number: SocketId,
        user: User,
        device: DeviceId,
        epoch: u32,
        connected_at: Timestamp,
    ) -> Self {
        Self {
            id: ConnectionId::new(format!("socket-{number}")),
            user,
            device,
            epoch,
            at_gateway: End::Opening,
            at_client: true,
            connected_at,
            fresh_until: Timestamp::MIN,
            aborted: false,
            silent: false,
            arrives_ms: 0,
            held_until_ms: 0,
        }
    }
}

/// The gateway's end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Opening,
    Open,
    Closed,
}

/// A token that was issued.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) user: User,
    pub(crate) expires_at: Timestamp,
    pub(crate) revoked_at_ms: Option<i64>,
}

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Normal,
    Refused(Failure),
    AppliedThenError,
    Late,
    Repeated,
    /// So many versions ago.
    Stale(usize),
    /// So many rows.
    Cut(usize),
    /// The index of so many milliseconds ago.
    IndexAt(i64),
    BlackHoled,
    Delayed,
    Reordered,
    Doubled,
    ErrorAndArrives,
    Killed,
    KilledWriting,
}

/// Everything but the handlers and the clients.
pub(crate) struct World {
    pub(crate) now_ms: i64,
    pub(crate) rng: fastrand::Rng,
    queue: Queue,
    scheduled: u64,
    /// How many writes are on their way that were given up.
    late_waiting: usize,
    pub(crate) rates: Rates,
    pub(crate) faults_on: bool,
    pub(crate) fired: Counters,
    pub(crate) directory: Arc<Directory>,
    user_ids: IdVec<User, UserId>,
    pub(crate) store: Store,
    pub(crate) sockets: IdVec<SocketId, Socket>,
    pub(crate) tokens: IdVec<TokenId, Token>,
    pub(crate) tickets: IdVec<TicketId, Ticket>,
    /// Those whose reply was taken: they are used again.
    free_tickets: Vec<TicketId>,
    /// The handler that is being polled.
    pub(crate) current: TaskId,
    /// Calls are answered at once and nothing goes wrong: for the ports' suites.
    immediate: bool,
    /// Tickets get no turn by themselves: whoever explores gives it to them.
    pub(crate) explored: bool,
    observer: Observer,
    /// What each member has not read, as a bug of the bank counts it up and down.
    pub(crate) counted: HashMap<RoomId, PerMember<u64>>,
    /// What a bug of the bank does to frames that are pushed.
    pub(crate) alters_push: Option<fn(&mut ServerFrame)>,
    /// Whether `last_reply` is wanted.
    pub(crate) hashes_replies: bool,
    /// The latest call and what it was answered, in a hash.
    pub(crate) last_reply: u64,
    /// A line for each thing that happened.
    pub(crate) history: Option<Vec<String>>,
    /// A hash of all that happened.
    pub(crate) trace: u64,
}

/// Writes a line of history, if anybody wants it.
macro_rules! note {
    ($world:expr, $($arg:tt)*) => {
        if $world.history.is_some() { let line = format!($($arg)*); $world.note_line(line); }
    };
}
pub(crate) use note;

/// How far the clock of a process is off at the most.
pub(crate) const CLOCK_SKEW_MAX_MS: i64 = 300_000;
/// How far a clock jumps back at the most.
pub(crate) const CLOCK_JUMP_MAX_MS: i64 = 300_000;

/// The id of the first message of a schedule; the others follow.
const FIRST_MESSAGE_ID: u128 = 0x5000;

/// 2026-11-23T09:00:00.000Z, when every schedule begins.
pub(crate) const START_MS: i64 = 1_795_424_400_000;

pub(crate) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms).expect("no schedule lasts thousands of years")
}

impl World {
    pub(crate) fn new(users: usize, seed: u64, rates: Rates) -> Self {
        let directory = Arc::new(Directory::of(users));
        Self {
            now_ms: START_MS,
            rng: fastrand::Rng::with_seed(seed),
            queue: Queue::default(),
            scheduled: 0,
            late_waiting: 0,
            rates,
            faults_on: true,
            fired: Counters::default(),
            user_ids: directory.everybody().map(|user| UserId::new(format!("sub-{user}"))).collect(),
            store: Store::default(),
            sockets: IdVec::default(),
            tokens: IdVec::default(),
            tickets: IdVec::default(),
            free_tickets: Vec::new(),
            current: TaskId::new(0),
            immediate: false,
            explored: false,
            observer: Observer::new(Arc::clone(&directory)),
            directory,
            counted: HashMap::new(),
            alters_push: None,
            hashes_replies: false,
            last_reply: 0,
            history: None,
            trace: 0,
        }
    }

    /// One whose ports work by themselves.
    #[cfg(test)]
    pub(crate) fn immediate() -> Self {
        Self { immediate: true, faults_on: false, ..Self::new(2, 0, Rates::NONE) }
    }

    pub(crate) fn note_line(&mut self, line: String) {
        let elapsed = self.now_ms - START_MS;
        if let Some(history) = &mut self.history {
            history.push(format!("{:>9}.{:03}  {line}", elapsed / 1_000, elapsed % 1_000));
        }
    }

    /// Something was observed: it is written into the log, and every checker looks at it.
    pub(crate) fn observe(&mut self, seen: &Observation<'_>) {
        let Some(violation) = self.observer.see(self.now_ms, seen) else { return };
        let line = format!("VIOLATION of {}: {}", violation.rule, violation.what);
        self.note_line(line);
    }

    /// Everything that was observed so far.
    pub(crate) fn record(&self) -> &Record {
        self.observer.record()
    }

    /// The first guarantee that was broken.
    pub(crate) fn violation(&self) -> Option<&Violation> {
        self.observer.violation()
    }

    /// Somebody writes something.
    pub(crate) fn write(&mut self, written: &Written) -> IntentId {
        let intent = self.record().intents.next_id();
        self.observe(&Observation::Written(written));
        intent
    }

    /// The id of what is written next.
    pub(crate) fn next_message_id(&self) -> ClientMessageId {
        ClientMessageId::from_u128(FIRST_MESSAGE_ID + self.record().intents.len() as u128)
    }

    /// A socket is opened by a device.
    pub(crate) fn make_socket(&mut self, socket: Socket) -> SocketId {
        self.observe(&Observation::SocketMade {
            user: socket.user,
            id: &socket.id,
            connected_at: socket.connected_at,
        });
        self.sockets.push(socket)
    }

    /// A token was presented on a socket that counts: the login lasts until it expires, or longer.
    pub(crate) fn extend_login(&mut self, socket: SocketId, until: Timestamp) {
        let fresh_until = &mut self.sockets[socket].fresh_until;
        *fresh_until = until.max(*fresh_until);
        self.observe(&Observation::LoginCounts { socket, until });
    }

    /// The sockets that are open at the gateway.
    pub(crate) fn open_sockets(&self) -> Vec<OpenSocket> {
        let open = self.sockets.enumerated().filter(|(_, socket)| socket.at_gateway == End::Open);
        let open = open.map(|(number, socket)| OpenSocket {
            socket: number,
            has_client: socket.at_client && !socket.silent,
        });
        open.collect()
    }

    /// How many connections a user has.
    pub(crate) fn connections_of(&self, user: User) -> usize {
        let open = self.sockets.iter().filter(|it| it.user == user && it.at_gateway == End::Open);
        open.filter(|it| self.store.connection(&it.id).is_some_and(|row| row.row.is_some())).count()
    }

    /// Whether a fault is to happen now; whoever asks counts it, if it makes a difference.
    pub(crate) fn is_drawn(&mut self, fault: Fault) -> bool {
        let rate = self.rates.of(fault);
        rate > 0 && self.faults_on && self.rng.u16(0..1_024) < rate
    }

    /// Whether a fault happens now.
    pub(crate) fn hit(&mut self, fault: Fault) -> bool {
        self.hit_one_in(fault, 1)
    }

    /// The same, `rarer` times less probable.
    pub(crate) fn hit_one_in(&mut self, fault: Fault, rarer: u16) -> bool {
        let rate = self.rates.of(fault);
        let hit = rate > 0 && self.faults_on && self.rng.u16(0..1_024) < (rate / rarer).max(1);
        if hit {
            self.fired.add(fault);
        }
        hit
    }

    pub(crate) fn after(&mut self, delay_ms: i64, happening: Happening) {
        self.scheduled += 1;
        self.queue.push(self.now_ms + delay_ms, self.scheduled, happening);
    }

    /// The next thing that happens before `until_ms`; time moves on to it.
    pub(crate) fn next(&mut self, until_ms: i64) -> Option<Happening> {
        if self.queue.next_ms().is_none_or(|at_ms| at_ms > until_ms) {
            return None;
        }
        let (at_ms, order, happening) = self.queue.pop()?;
        self.now_ms = self.now_ms.max(at_ms);
        self.trace = (self.trace ^ at_ms.cast_unsigned()).wrapping_mul(0x0100_0000_01b3) ^ order;
        self.late_waiting -= usize::from(matches!(happening, Happening::Late(_)));
        Some(happening)
    }

    /// Whether a write that was given up is still on its way.
    pub(crate) fn is_late_waiting(&self) -> bool {
        self.late_waiting > 0
    }

    /// Every socket is open, and has its row: what closed has connected anew.
    pub(crate) fn sockets_reopen(&mut self) {
        for number in self.sockets.ids() {
            let (id, user) = (self.sockets[number].id.clone(), self.sockets[number].user);
            self.sockets[number].at_gateway = End::Open;
            let expires_at = timestamp(self.now_ms + 3_600_000);
            self.extend_login(number, expires_at);
            let user_id = self.user_ids[user].clone();
            let identity = VerifiedIdentity::vouched(self.directory.email(user).clone(), user_id, expires_at);
            let connected_at = self.sockets[number].connected_at;
            let connection = Connection { id: id.clone(), identity, connected_at };
            self.write_connection(&id, Some(connection));
        }
    }

    /// The store deletes what is past its age.
    pub(crate) fn expire_rows(&mut self) {
        let now = timestamp(self.now_ms);
        let stale: Vec<ConnectionId> = self
            .store
            .connections
            .iter()
            .filter(|row| row.row.as_ref().is_some_and(|connection| !connection.may_be_open(now)))
            .map(|row| row.id.clone())
            .collect();
        for id in stale {
            self.write_connection(&id, None);
        }
    }

    pub(crate) fn issue_token(&mut self, user: User, lifetime_ms: i64) -> TokenId {
        let expires_at = timestamp(self.now_ms + lifetime_ms);
        self.tokens.push(Token { user, expires_at, revoked_at_ms: None })
    }

    /// Whether a token was good at the event's time and when the gateway received it.
    pub(crate) fn is_good(&self, token: TokenId, user: User, now: Timestamp, asked_ms: i64) -> bool {
        self.tokens.get(token).is_some_and(|token| {
            token.user == user
                && now < token.expires_at
                && token.revoked_at_ms.is_none_or(|revoked| asked_ms <= revoked)
        })
    }

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
        let delay = if frozen { self.rng.i64(1_000..300_000) } else { wait };
        if frozen {
            note!(self, "task {task} is frozen for {delay} ms");
            if delay > 20_000 {
                self.after(20_000, Happening::GiveUp(task));
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
        let asked = self.hashes_replies.then(|| call.clone());
        self.observe(&Observation::Called { task, call: &call });
        let reply = self.execute(&call, outcome);
        self.observe(&Observation::Returned { task, call: &call, reply: &reply });
        if self.history.is_some() {
            let text = format!("{reply:?}");
            let text: String = text.chars().take(300).collect();
            self.note_line(format!("task {task}:   -> {text}"));
        }
        if self.hashes_replies {
            let mut hasher = DefaultHasher::new();
            match &reply {
                Reply::Room(Some(room)) => hash_room(room, &mut hasher),
                Reply::Page(page) => {
                    page.has_more.hash(&mut hasher);
                    for row in &page.messages {
                        (row.at, row.id, row.read).hash(&mut hasher);
                    }
                }
                reply => format!("{reply:?}").hash(&mut hasher),
            }
            format!("{asked:?}").hash(&mut hasher);
            self.last_reply = hasher.finish();
        }
        let ticket = &mut self.tickets[ticket];
        ticket.reply = Some(reply);
        if let Some(waker) = ticket.waker.take() {
            waker.wake();
        }
        true
    }

    /// A write that nobody waits for any more, and that arrives all the same.
    fn give_up(&mut self, call: Call) {
        if self.explored {
            self.tickets.push(Ticket { task: None, call: Some(call), reply: None, waker: None });
            return;
        }
        // A client of a store gives up after seconds; a write that is on its way longer than that is lost.
        let delay = self.rng.i64(1..25_000);
        self.late_waiting += 1;
        self.after(delay, Happening::Late(Box::new(call)));
    }

    /// A write arrives that was given up.
    pub(crate) fn late(&mut self, call: &Call) {
        note!(self, "late: {call:?}");
        self.apply(call);
    }

    /// Draws what a call meets.
    pub(crate) fn draw(&mut self, ticket: TicketId) -> Outcome {
        if !self.faults_on {
            return Outcome::Normal;
        }
        if self.hit_one_in(Fault::HandlerKilled, 8) {
            return Outcome::Killed;
        }
        let Some(call) = self.tickets[ticket].call.take() else { return Outcome::Normal };
        let outcome = self.draw_for(&call);
        self.tickets[ticket].call = Some(call);
        outcome
    }

    fn draw_for(&mut self, call: &Call) -> Outcome {
        if call.is_write() {
            return self.draw_write(call);
        }
        match call {
            Call::Wait(_) => return Outcome::Normal,
            Call::Verify(..) => {
                let down = self.hit(Fault::VerifierDown);
                return if down { Outcome::Refused(Failure::Unavailable) } else { Outcome::Normal };
            }
            Call::Push(..) | Call::Close(_) => return self.draw_push(call),
            _ => {}
        }
        if self.hit(Fault::ReadFails) {
            return Outcome::Refused(Failure::Unavailable);
        }
        if self.hit(Fault::ReadThrottled) {
            return Outcome::Refused(Failure::Throttled);
        }
        match call {
            Call::Room(id, Consistency::Eventual) => {
                self.draw_stale(id).map_or(Outcome::Normal, Outcome::Stale)
            }
            Call::Page(id, query, consistency) => {
                let eventual = *consistency == Consistency::Eventual;
                let stale = if eventual { self.draw_stale(id) } else { None };
                // The newest fifty are looked through for an earlier attempt, and a page of so many is never cut.
                let may_be_cut = eventual || matches!(query.range, PageRange::After(_) | PageRange::Oldest);
                if let Some(back) = stale {
                    return Outcome::Stale(back);
                }
                if !may_be_cut || !self.rates.is_on(Fault::CutPage) {
                    return Outcome::Normal;
                }
                let rows = self.store.page_len(id, *query);
                if rows > 1 && self.hit(Fault::CutPage) {
                    return Outcome::Cut(self.rng.usize(1..rows.min(6)));
                }
                Outcome::Normal
            }
            Call::RoomsOf(member, after) => {
                if self.hit(Fault::BackwardsRead) {
                    return Outcome::Stale(self.rng.usize(1..=STALE_MAX));
                }
                let may_be_cut = self.rates.is_on(Fault::CutPage)
                    && self.store.rooms_of(member, *after, 0).rooms.len() > 1;
                if may_be_cut && self.hit(Fault::CutPage) { Outcome::Cut(1) } else { Outcome::Normal }
            }
            Call::OfUser(email, now) if self.is_drawn(Fault::IndexBackwards) => {
                let ago_ms = self.rng.i64(1..INDEX_LAG_MAX_MS);
                let listed = |at_ms| self.store.listed(email, at_ms, *now);
                if listed(self.now_ms - ago_ms) == listed(self.now_ms) {
                    return Outcome::Normal;
                }
                self.fired.add(Fault::IndexBackwards);
                Outcome::IndexAt(ago_ms)
            }
            _ => Outcome::Normal,
        }
    }

    /// How many versions ago an eventually consistent read sees a room, if not as it is.
    fn draw_stale(&mut self, id: &RoomId) -> Option<usize> {
        let table = self.store.table(id)?;
        let (newest, shown) = (table.newest(), table.shown);
        let oldest = newest.saturating_sub(STALE_MAX);
        let seen = if shown > oldest && self.hit(Fault::BackwardsRead) {
            self.rng.usize(oldest..shown)
        } else if shown.max(oldest) < newest && self.hit(Fault::StaleRead) {
            self.rng.usize(shown.max(oldest)..newest)
        } else {
            newest
        };
        let table = self.store.table_mut(id);
        table.shown = shown.max(seen);
        (seen < newest).then_some(newest - seen)
    }

    fn draw_write(&mut self, call: &Call) -> Outcome {
        if self.hit_one_in(Fault::KilledWriting, 2) {
            return Outcome::KilledWriting;
        }
        if self.hit(Fault::WriteThrottled) {
            return Outcome::Refused(Failure::Throttled);
        }
        if self.hit(Fault::WriteRefused) {
            return Outcome::Refused(Failure::Unavailable);
        }
        if matches!(call, Call::Commit(_)) && self.hit(Fault::TransactionConflict) {
            return Outcome::Refused(Failure::Conflict);
        }
        if self.hit(Fault::AppliedThenError) {
            return Outcome::AppliedThenError;
        }
        if self.hit(Fault::AppliedLate) {
            return Outcome::Late;
        }
        if self.hit(Fault::WriteRepeated) {
            return Outcome::Repeated;
        }
        Outcome::Normal
    }

    fn draw_push(&mut self, call: &Call) -> Outcome {
        if self.hit(Fault::PushThrottled) {
            return Outcome::Refused(Failure::Throttled);
        }
        let to = match call {
            Call::Push(id, _) => socket_number(id).and_then(|socket| self.sockets.get(socket)),
            _ => None,
        };
        if to.is_none_or(|to| to.at_gateway != End::Open) {
            return Outcome::Normal;
        }
        for (fault, outcome) in [
            (Fault::PushGone, Outcome::Refused(Failure::Gone)),
            (Fault::PushBlackHoled, Outcome::BlackHoled),
            (Fault::PushDelayed, Outcome::Delayed),
            (Fault::PushReordered, Outcome::Reordered),
            (Fault::PushDoubled, Outcome::Doubled),
            (Fault::PushUnknown, Outcome::ErrorAndArrives),
        ] {
            // That one is overtaken shows only when another one comes.
            let hit = if fault == Fault::PushReordered { self.is_drawn(fault) } else { self.hit(fault) };
            if hit {
                return outcome;
            }
        }
        Outcome::Normal
    }

    /// Does what a call asks for, with what it meets.
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
            (Call::Room(id, _), Outcome::Stale(back)) => Reply::Room(self.store.room(id, back)),
            (Call::Page(id, query, _), Outcome::Stale(back)) => {
                Reply::Page(self.store.page(id, *query, back))
            }
            (Call::RoomsOf(member, after), Outcome::Stale(back)) => {
                Reply::Rooms(self.store.rooms_of(member, *after, back))
            }
            (Call::Page(id, query, _), Outcome::Cut(rows)) => {
                let mut page = self.store.page(id, *query, 0);
                if page.messages.len() > rows {
                    page.messages.truncate(rows);
                    page.has_more = true;
                }
                Reply::Page(page)
            }
            (Call::RoomsOf(member, after), Outcome::Cut(rows)) => {
                let mut page = self.store.rooms_of(member, *after, 0);
                if page.rooms.len() > rows {
                    page.rooms.truncate(rows);
                    page.next = page.rooms.last().and_then(chat_domain::Room::activity);
                }
                Reply::Rooms(page)
            }
            (Call::OfUser(email, now), Outcome::IndexAt(ago_ms)) => {
                Reply::Connections(self.store.listed(email, self.now_ms - ago_ms, *now))
            }
            _ => self.apply(call),
        }
    }

    /// Does what a call asks for.
    fn apply(&mut self, call: &Call) -> Reply {
        match call {
            Call::Room(id, _) => Reply::Room(self.store.room(id, 0)),
            Call::Page(id, query, _) => Reply::Page(self.store.page(id, *query, 0)),
            Call::RoomsOf(member, after) => Reply::Rooms(self.store.rooms_of(member, *after, 0)),
            Call::Commit(append) => match self.store.commit(append) {
                Ok(head) => {
                    self.observe(&Observation::Committed { message: &append.message, head: &head });
                    Reply::Done
                }
                Err(error) => self.message_failure(&error),
            },
            Call::AdvanceRead(id, reader, mark) => match self.store.advance_read(id, *reader, *mark) {
                Ok(advance) => {
                    if let Advance::Moved(_) = &advance {
                        self.mark_was_set(id, *reader);
                    }
                    Reply::Advance(Box::new(advance))
                }
                Err(error) => self.message_failure(&error),
            },
            Call::MarkRows(id, reader, rows, through) => {
                match self.store.mark_rows_read(id, *reader, rows, *through) {
                    Ok(()) => {
                        self.observe(&Observation::RowsMarked { room: id, rows });
                        Reply::Done
                    }
                    Err(error) => self.message_failure(&error),
                }
            }
            Call::PutRow(message) => {
                self.store.put_row(Clone::clone(message));
                self.observe(&Observation::RowPut { message });
                Reply::Done
            }
            Call::ForceMark(id, reader, mark) => match self.store.force_mark(id, *reader, *mark) {
                Ok(()) => {
                    self.mark_was_set(id, *reader);
                    Reply::Done
                }
                Err(error) => self.message_failure(&error),
            },
            Call::Get(id) => Reply::Connection(self.store.connection(id).and_then(|row| row.row.clone())),
            Call::OfUser(email, now) => Reply::Connections(self.store.listed(email, self.now_ms, *now)),
            Call::Put(connection) => {
                let socket = socket_number(&connection.id).and_then(|socket| self.sockets.get(socket));
                let was_deleted = self.store.connection(&connection.id).is_some_and(|row| row.row.is_none());
                if was_deleted && socket.is_some_and(|socket| socket.aborted) {
                    self.fired.add(Fault::DisconnectBeforeConnect);
                }
                self.write_connection(&connection.id, Some(Clone::clone(connection)));
                Reply::Done
            }
            Call::SetExpiry(id, expires_at) => {
                let Some(mut connection) = self.store.connection(id).and_then(|row| row.row.clone()) else {
                    return Reply::Was(false);
                };
                let identity = &connection.identity;
                connection.identity = VerifiedIdentity::vouched(
                    identity.email().clone(),
                    identity.user_id().clone(),
                    *expires_at,
                );
                self.write_connection(id, Some(connection));
                Reply::Was(true)
            }
            Call::Delete(id) => {
                self.write_connection(id, None);
                Reply::Done
            }
            Call::DeleteIfBefore(id, instant) => {
                let row = self.store.connection(id).and_then(|row| row.row.as_ref());
                let earlier = row.is_some_and(|connection: &Connection| connection.connected_at < *instant);
                if earlier {
                    self.write_connection(id, None);
                }
                Reply::Was(earlier)
            }
            Call::Verify(token, now) => self.verify(token, *now),
            Call::Wait(_) => Reply::Done,
            Call::Push(..) | Call::Close(_) => unreachable!("a push is no call of a store"),
        }
    }

    fn mark_was_set(&mut self, room: &RoomId, reader: Member) {
        let Some(table) = self.store.table(room) else { return };
        let (head, Some(mark)) = (table.head().cloned(), table.reads()[reader].mark) else { return };
        self.observe(&Observation::MarkSet { room, reader, mark, head: head.as_ref() });
    }

    fn message_failure(&mut self, error: &MessageStoreError) -> Reply {
        match error {
            MessageStoreError::Conflict => Reply::Failed(Failure::Conflict),
            MessageStoreError::AttachmentTaken => Reply::Failed(Failure::Taken),
            error => {
                self.observe(&Observation::Corrupt { error: &format!("{error:?}") });
                Reply::Failed(Failure::Corrupt)
            }
        }
    }

    fn write_connection(&mut self, id: &ConnectionId, connection: Option<Connection>) {
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
        self.store.write_connection(id, connection, self.now_ms + lag);
    }

    fn verify(&mut self, token: &str, now: Timestamp) -> Reply {
        let number = token.strip_prefix("token-").and_then(|number| number.parse().ok()).map(TokenId::new);
        if number
            .and_then(|number| self.tokens.get(number))
            .is_some_and(|token| token.revoked_at_ms.is_some())
        {
            self.fired.add(Fault::TokenRevoked);
        }
        match number.and_then(|number| self.tokens.get(number)) {
            None => Reply::Failed(Failure::Rejected),
            Some(token) if token.revoked_at_ms.is_some() => Reply::Failed(Failure::Rejected),
            Some(token) if now >= token.expires_at => Reply::Failed(Failure::Expired),
            Some(token) => {
                let user = self.user_ids[token.user].clone();
                let email = self.directory.email(token.user).clone();
                Reply::Identity(VerifiedIdentity::vouched(email, user, token.expires_at))
            }
        }
    }

    fn push(&mut self, id: &ConnectionId, event: &Event, outcome: Outcome) -> Reply {
        let Some(socket) = socket_number(id).filter(|socket| self.sockets.get(*socket).is_some()) else {
            return Reply::Failed(Failure::Gone);
        };
        // Without the fault, what is posted while a connection is being opened waits for it.
        let refuses_early = self.explored || self.rates.is_on(Fault::GoneDuringConnect);
        let gone = match self.sockets[socket].at_gateway {
            End::Opening if refuses_early => {
                self.fired.add(Fault::GoneDuringConnect);
                true
            }
            End::Opening | End::Open => false,
            End::Closed => true,
        };
        if gone || outcome == Outcome::Refused(Failure::Gone) {
            return Reply::Failed(Failure::Gone);
        }
        let (near, far) = (self.now_ms + self.rng.i64(1..=20), self.now_ms + self.rng.i64(50..30_000));
        let to = &mut self.sockets[socket];
        let in_order = |to: &mut Socket, at_ms: i64| {
            to.arrives_ms = to.arrives_ms.max(at_ms);
            to.arrives_ms
        };
        let arrivals = match outcome {
            Outcome::Refused(failure) => return Reply::Failed(failure),
            Outcome::BlackHoled => return Reply::Done,
            Outcome::Delayed => [Some(in_order(to, far)), None],
            Outcome::Reordered => {
                to.held_until_ms = far;
                [Some(far), None]
            }
            Outcome::Doubled => [Some(in_order(to, near)), Some(far)],
            _ => [Some(in_order(to, near)), None],
        };
        let overtakes = arrivals[0].is_some_and(|at_ms| at_ms < to.held_until_ms);
        if overtakes {
            to.held_until_ms = 0;
            self.fired.add(Fault::PushReordered);
        }
        for at_ms in arrivals.into_iter().flatten() {
            let mut frame = Box::new(ServerFrame::from(event));
            if let Some(alter) = self.alters_push {
                alter(&mut frame);
            }
            self.after(at_ms - self.now_ms, Happening::Arrive(socket, frame));
        }
        let unknown = outcome == Outcome::ErrorAndArrives;
        if unknown { Reply::Failed(Failure::Unavailable) } else { Reply::Done }
    }

    fn close(&mut self, id: &ConnectionId) -> Reply {
        match socket_number(id).filter(|socket| self.sockets.get(*socket).is_some()) {
            Some(socket) if self.sockets[socket].at_gateway == End::Open => {
                self.after(0, Happening::GatewayLoses(socket));
                Reply::Done
            }
            _ => Reply::Failed(Failure::Gone),
        }
    }
}

/// Hashes all of a room that a handler can tell apart. Heads are compared millions of times, and in words that would take most of
/// the time.
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

pub(crate) fn socket_number(id: &ConnectionId) -> Option<SocketId> {
    id.as_str().strip_prefix("socket-")?.parse().ok().map(SocketId::new)
}
