//! The environment of the handlers: time, tables, sockets, tokens, and what goes wrong with them.

mod calls;
mod dynamodb;
mod identity;
mod outcome;
mod push;
mod regions;
mod schedule;
mod sockets;
pub(crate) mod tables;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::ops::RangeBounds;
use std::sync::Arc;

use chat_domain::{
    ClientMessageId, Connection, ConnectionId, Email, FirstContact, MessageText, PerMember, RoomId, Timestamp,
};
use chat_wire::Settings;
use chat_wire::frames::ServerFrame;

use self::calls::Ticket;
pub(crate) use self::calls::{Made, StoreFailure, hash_room};
use self::dynamodb::Dynamodb;
use self::identity::IdentityProvider;
pub(crate) use self::identity::Token;
pub(crate) use self::outcome::CallOutcome;
use self::regions::Regions;
use self::schedule::Schedule;
pub(crate) use self::schedule::{Happening, START_MS, Timer};
pub(crate) use self::sockets::{End, Socket};
use self::tables::Tables;
use crate::checkers::{Observer, Record, Violation};
use crate::directory::Directory;
use crate::faults::{Counters, Fault, FaultRates};
use crate::ids::{DeviceId, Id, IdVec, IntentId, SocketId, TaskId, TicketId, TokenId, User, socket_number};
use crate::observations::{Observation, OpenSocket, Written};

/// How far the clock of a process is off at the most.
pub(crate) const CLOCK_SKEW_MAX_MS: i64 = 300_000;
/// How far a clock jumps back at the most.
pub(crate) const CLOCK_JUMP_MAX_MS: i64 = 300_000;
/// How long a token lasts.
const TOKEN_LIFETIME_MS: i64 = 3_600_000;
/// How long a token lasts at most that expires early. The two lengths after it are the least: of a device's
/// first token, and of its later ones.
const SHORT_LIFETIME_MAX_MS: i64 = 60_000;
const FIRST_LIFETIME_MIN_MS: i64 = 1_000;
const LATER_LIFETIME_MIN_MS: i64 = 2_000;
/// The id of the first message of a schedule; the others follow.
const FIRST_MESSAGE_ID: u128 = 0x5000;

pub(crate) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms).expect("no schedule lasts thousands of years")
}

/// What wrong handlers of the bug bank keep outside of their processes.
#[derive(Default)]
pub(crate) struct BugState {
    /// What each member has not read, as it is counted up and down.
    pub(crate) unread: HashMap<RoomId, PerMember<u64>>,
    /// What is done to frames that are pushed.
    pub(crate) alters_push: Option<fn(&mut ServerFrame)>,
    /// Messages are stored whomever their receiver blocks.
    pub(crate) ignores_blocks: bool,
    /// A block freezes how far each has read, whoever blocks already.
    pub(crate) freezes_whoever_blocks: bool,
    /// The last edit of each message by the clocks: when, and what it says.
    pub(crate) edits: HashMap<(RoomId, Timestamp), (Timestamp, MessageText)>,
    /// What each edit says, by its room and number.
    pub(crate) words: HashMap<String, String>,
    /// What a process pushes goes to the gateway of its own region, wherever the connection is.
    pub(crate) pushes_within_region: bool,
}

/// Everything but the handlers and the clients.
pub(crate) struct Environment {
    schedule: Schedule,
    rng: fastrand::Rng,
    rates: FaultRates,
    faults_on: bool,
    fired: Counters,
    settings: Settings,
    /// Somebody is suspended or held up in this schedule.
    keeps_out: bool,
    directory: Arc<Directory>,
    identities: IdentityProvider,
    tables: Tables,
    /// What stands in the place of the tables, if the stores are those of AWS.
    dynamodb: Option<Dynamodb>,
    sockets: IdVec<SocketId, Socket>,
    regions: Regions,
    tickets: IdVec<TicketId, Ticket>,
    /// Those whose reply was taken: they are used again.
    free_tickets: Vec<TicketId>,
    /// The handler that is being polled.
    current: TaskId,
    /// Calls are answered at once and nothing goes wrong: for the ports' suites.
    immediate: bool,
    /// Tickets get no turn by themselves: whoever explores gives it to them.
    explored: bool,
    observer: Observer,
    bug_state: BugState,
    /// Whether `last_reply` is wanted.
    hashes_replies: bool,
    /// The latest call and what it was answered, in a hash.
    last_reply: u64,
    /// A line for each thing that happened.
    history: Option<Vec<String>>,
}

/// Writes a line of history. Nothing of it is evaluated if nobody wants it.
macro_rules! note {
    ($environment:expr, $($arg:tt)*) => {
        if $environment.keeps_history() {
            $environment.note(format_args!($($arg)*));
        }
    };
}
pub(crate) use note;

impl Environment {
    pub(crate) fn new(users: usize, seed: u64, rates: FaultRates) -> Self {
        let directory = Arc::new(Directory::of(users));
        Self {
            schedule: Schedule::new(),
            rng: fastrand::Rng::with_seed(seed),
            rates,
            faults_on: true,
            fired: Counters::default(),
            settings: Settings { first_contact: FirstContact::Open, ..Settings::default() },
            keeps_out: false,
            identities: IdentityProvider::of(Arc::clone(&directory)),
            tables: Tables::default(),
            dynamodb: None,
            sockets: IdVec::default(),
            regions: Regions::of(1),
            tickets: IdVec::default(),
            free_tickets: Vec::new(),
            current: TaskId::new(0),
            immediate: false,
            explored: false,
            observer: Observer::new(Arc::clone(&directory)),
            directory,
            bug_state: BugState::default(),
            hashes_replies: false,
            last_reply: 0,
            history: None,
        }
    }

    /// An environment whose ports work by themselves.
    #[cfg(test)]
    pub(crate) fn immediate() -> Self {
        Self { immediate: true, faults_on: false, ..Self::new(2, 0, FaultRates::NONE) }
    }

    /// From now on conversations begin like this.
    pub(crate) fn begin_with(&mut self, first_contact: FirstContact) {
        self.settings.first_contact = first_contact;
        self.observer.begin_with(first_contact);
    }

    /// From now on the rows of users are stored like all others: calls have turns and faults.
    pub(crate) fn keep_out(&mut self) {
        self.keeps_out = true;
    }

    /// Whether the rows of users matter: in other schedules everybody is admitted, and calls that find that
    /// out are answered at once.
    pub(crate) fn keeps_out(&self) -> bool {
        self.keeps_out
    }

    /// From now on one user may make so many requests in an hour.
    pub(crate) fn allow_per_hour(&mut self, per_hour: NonZeroU32) {
        self.settings.rates.requests.per_hour = per_hour;
        self.observer.allow_per_hour(per_hour);
    }

    /// What whoever runs the chat has decided.
    pub(crate) fn settings(&self) -> Settings {
        self.settings.clone()
    }

    /// Writes a line of history, if anybody wants it.
    pub(crate) fn note(&mut self, line: fmt::Arguments<'_>) {
        let elapsed = self.now_ms() - START_MS;
        if let Some(history) = &mut self.history {
            history.push(format!("{:>9}.{:03}  {line}", elapsed / 1_000, elapsed % 1_000));
        }
    }

    /// The true time, from which the clocks of processes may differ.
    pub(crate) fn now_ms(&self) -> i64 {
        self.schedule.now_ms
    }

    /// Time goes on to an instant, unless it is there already.
    pub(crate) fn wait_until(&mut self, ms: i64) {
        self.schedule.now_ms = self.schedule.now_ms.max(ms);
    }

    /// A moment passes in which nothing happens by itself.
    pub(crate) fn pass_ms(&mut self, ms: i64) {
        self.schedule.now_ms += ms;
    }

    pub(crate) fn after(&mut self, delay_ms: i64, happening: Happening) {
        self.schedule.after(delay_ms, happening);
    }

    /// The next thing that happens before an instant; time moves on to it.
    pub(crate) fn next(&mut self, until_ms: i64) -> Option<Happening> {
        self.schedule.next(until_ms)
    }

    /// Whether a write that was given up is still on its way.
    pub(crate) fn is_late_waiting(&self) -> bool {
        self.schedule.is_late_waiting()
    }

    /// A hash of when everything happened and in which order, and of everything that was drawn.
    pub(crate) fn trace(&mut self) -> u64 {
        let drawn = self.rng.u64(..);
        self.schedule.trace() ^ drawn
    }

    /// From now on there is a line of history for each thing that happens.
    pub(crate) fn keep_history(&mut self) {
        self.history = Some(Vec::new());
    }

    pub(crate) fn keeps_history(&self) -> bool {
        self.history.is_some()
    }

    pub(crate) fn take_history(&mut self) -> Vec<String> {
        self.history.take().unwrap_or_default()
    }

    pub(crate) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(crate) fn identities(&self) -> &IdentityProvider {
        &self.identities
    }

    /// What wrong handlers of the bug bank keep here.
    pub(crate) fn bug_state(&mut self) -> &mut BugState {
        &mut self.bug_state
    }

    /// From now on whoever explores gives calls their turns.
    pub(crate) fn explore(&mut self) {
        self.explored = true;
    }

    pub(crate) fn is_explored(&self) -> bool {
        self.explored
    }

    /// From now on `last_reply` is known.
    pub(crate) fn hash_replies(&mut self) {
        self.hashes_replies = true;
    }

    pub(crate) fn last_reply(&self) -> u64 {
        self.last_reply
    }

    /// From now on it is this handler that calls.
    pub(crate) fn run_as(&mut self, task: TaskId) {
        self.current = task;
    }

    /// What time it is for the handler that is being polled.
    pub(crate) fn clock_of_current(&self) -> Timestamp {
        self.record().tasks.get(self.current).map_or(Timestamp::MIN, |running| running.now)
    }

    /// Whose event it is that the handler handles which is being polled.
    pub(crate) fn email_of_current(&self) -> Option<Email> {
        let running = self.record().tasks.get(self.current)?;
        Some(self.directory.email(running.user).clone())
    }

    pub(crate) fn random_ms(&mut self, range: impl RangeBounds<i64>) -> i64 {
        self.rng.i64(range)
    }

    /// One of so many, at random.
    pub(crate) fn random_one<I: Id>(&mut self, count: usize) -> I {
        I::new(self.rng.usize(0..count))
    }

    /// Something was observed: it is written into the log, and every checker looks at it.
    pub(crate) fn observe(&mut self, seen: &Observation<'_>) {
        let Some(violation) = self.observer.see(self.schedule.now_ms, seen) else { return };
        let Violation { rule, what } = violation.clone();
        note!(self, "VIOLATION of {rule}: {what}");
    }

    /// Everything that was observed so far.
    pub(crate) fn record(&self) -> &Record {
        self.observer.record()
    }

    /// The first guarantee that was broken.
    pub(crate) fn violation(&self) -> Option<&Violation> {
        self.observer.violation()
    }

    /// From now on nothing goes wrong any more.
    pub(crate) fn stop_faults(&mut self) {
        self.faults_on = false;
    }

    /// Whether a fault can happen in this schedule.
    pub(crate) fn is_on(&self, fault: Fault) -> bool {
        self.rates.is_on(fault)
    }

    /// Counts a fault that has made a difference.
    pub(crate) fn happened(&mut self, fault: Fault) {
        self.fired.add(fault);
    }

    /// How often each fault has happened.
    pub(crate) fn fired(&self) -> Counters {
        self.fired
    }

    /// Whether a fault is to happen now; whoever asks counts it, if it makes a difference.
    pub(crate) fn is_drawn(&mut self, fault: Fault) -> bool {
        let rate = self.rates.of(fault);
        rate > 0 && self.faults_on && self.rng.u16(0..FaultRates::OF) < rate
    }

    /// Whether a fault happens now.
    pub(crate) fn hit(&mut self, fault: Fault) -> bool {
        self.hit_one_in(fault, 1)
    }

    /// Whether a fault happens now that is `rarer` times less probable than its rate says.
    pub(crate) fn hit_one_in(&mut self, fault: Fault, rarer: u16) -> bool {
        let rate = self.rates.of(fault);
        let hit = rate > 0 && self.faults_on && self.rng.u16(0..FaultRates::OF) < (rate / rarer).max(1);
        if hit {
            self.fired.add(fault);
        }
        hit
    }

    /// Notes that somebody writes something, before its first attempt leaves.
    pub(crate) fn write(&mut self, written: &Written) -> IntentId {
        let intent = self.record().intents.next_id();
        self.observe(&Observation::Written(written));
        intent
    }

    /// The id of what is written next.
    pub(crate) fn next_message_id(&self) -> ClientMessageId {
        ClientMessageId::from_u128(FIRST_MESSAGE_ID + self.record().intents.len() as u128)
    }

    /// A device begins to open a socket. A silent one has no client but listens.
    pub(crate) fn make_socket(
        &mut self,
        (user, device, epoch): (User, DeviceId, u32),
        connected_at: Timestamp,
        silent: bool,
    ) -> SocketId {
        let number = self.sockets.next_id();
        let region = self.region_for(Some(device));
        let opening = Socket::opening(number, user, device, epoch, connected_at);
        let socket = Socket { silent, region, ..opening };
        self.observe(&Observation::SocketMade { user, id: &socket.id, connected_at });
        self.sockets.push(socket)
    }

    pub(crate) fn socket(&self, socket: SocketId) -> &Socket {
        &self.sockets[socket]
    }

    pub(crate) fn sockets(&self) -> &IdVec<SocketId, Socket> {
        &self.sockets
    }

    /// The event that tells of a new connection carries this time.
    pub(crate) fn connected_at(&mut self, socket: SocketId, now: Timestamp) {
        self.sockets[socket].connected_at = now;
    }

    /// The gateway opens its end of a socket, if it is being opened.
    pub(crate) fn open_at_gateway(&mut self, socket: SocketId) {
        let end = &mut self.sockets[socket].at_gateway;
        if *end == End::Opening {
            *end = End::Open;
        }
    }

    /// The gateway closes its end of a socket.
    pub(crate) fn close_at_gateway(&mut self, socket: SocketId) {
        self.sockets[socket].at_gateway = End::Closed;
    }

    /// The client closes its end of a socket. Returns whether it was open.
    pub(crate) fn close_at_client(&mut self, socket: SocketId) -> bool {
        std::mem::replace(&mut self.sockets[socket].at_client, false)
    }

    /// The client gives a socket up while it is being opened.
    pub(crate) fn abort(&mut self, socket: SocketId) {
        self.sockets[socket].aborted = true;
        self.close_at_gateway(socket);
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
        open.filter(|it| socket_number(&it.id).is_some_and(|socket| self.record().has_row(socket))).count()
    }

    /// Every socket is open, and has its row: what closed has connected anew.
    pub(crate) fn sockets_reopen(&mut self) {
        for number in self.sockets.ids() {
            self.sockets[number].at_gateway = End::Open;
            let expires_at = timestamp(self.now_ms() + TOKEN_LIFETIME_MS);
            self.extend_login(number, expires_at);
            let socket = &self.sockets[number];
            let id = socket.id.clone();
            let identity = self.identities.identity(socket.user, expires_at);
            let connection = Connection { id: id.clone(), identity, connected_at: socket.connected_at };
            self.write_connection(&id, Some(connection));
        }
    }

    /// The store deletes what is past its age.
    pub(crate) fn expire_rows(&mut self) {
        let now = timestamp(self.now_ms());
        if self.dynamodb.is_some() {
            return self.expire_connections(now);
        }
        let rows = self.tables.connections.iter();
        let is_past = |row: &Arc<Connection>| !row.may_be_open(now);
        let past = rows.filter(|row| row.row.as_ref().is_some_and(is_past)).map(|row| row.id.clone());
        let past: Vec<ConnectionId> = past.collect();
        for id in past {
            self.write_connection(&id, None);
        }
    }

    /// The token that a device has from the beginning.
    pub(crate) fn first_token(&mut self, user: User) -> TokenId {
        self.issue_token(user, FIRST_LIFETIME_MIN_MS)
    }

    /// A user signs in, and gets a token.
    pub(crate) fn sign_in(&mut self, user: User) -> TokenId {
        self.issue_token(user, LATER_LIFETIME_MIN_MS)
    }

    fn issue_token(&mut self, user: User, short_ms: i64) -> TokenId {
        let is_short = self.is_drawn(Fault::TokenExpires);
        let lifetime_ms =
            if is_short { self.rng.i64(short_ms..SHORT_LIFETIME_MAX_MS) } else { TOKEN_LIFETIME_MS };
        self.identities.issue(user, timestamp(self.now_ms() + lifetime_ms))
    }

    /// Another pool issues a token for the address of a user.
    pub(crate) fn issue_elsewhere(&mut self, user: User) -> TokenId {
        self.identities.issue_elsewhere(user, timestamp(self.now_ms() + TOKEN_LIFETIME_MS))
    }

    pub(crate) fn has_expired(&self, token: TokenId) -> bool {
        self.identities.expires_at(token) <= timestamp(self.now_ms())
    }

    pub(crate) fn revoke(&mut self, token: TokenId) {
        let now_ms = self.now_ms();
        self.identities.revoke(token, now_ms);
    }
}
