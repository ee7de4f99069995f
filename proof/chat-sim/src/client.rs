//! A client, as `web/packages/chat-core` is one: an outbox that survives, one message at a time for each room, and syncs on opening, five
//! seconds later, on a hole, on focus and on reconnecting.

use std::collections::BTreeMap;

use chat_domain::{ClientMessageId, Timestamp, Verdict};
use chat_wire::error::ErrorCode;
use chat_wire::frames::{
    ClientFrame, ErrorBody, MarkReadFrame, PingFrame, ReauthFrame, SendMessageFrame, ServerFrame,
};
use chat_wire::message::{MessageBody, ProposalAnswerBody};
use chat_wire::rest::{ConversationsBody, HistoryBody};

use crate::environment::{Happening, note, timestamp};
use crate::faults::Fault;
use crate::ids::{DeviceId, IdVec, IntentId, SocketId, TokenId, User};
use crate::observations::{ClientView, ConversationView, Observation, Says, Seen, Written, proposal};
use crate::sim::{About, Sim};

/// What is wrong with a client, for the bug bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientBug {
    NoSecondSync,
    NewIdForEveryRetry,
    OutboxInMemoryOnly,
    TwoAtOnce,
    ResyncWithoutLooking,
    HolesIgnored,
    CursorPastAHole,
    AfterOfNow,
}

/// What waits in the outbox.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: ClientMessageId,
    pub(crate) peer: User,
    pub(crate) says: Says,
    /// By REST rather than on the socket.
    pub(crate) by_rest: bool,
    pub(crate) after: Option<Timestamp>,
    pub(crate) failed: bool,
    pub(crate) intent: IntentId,
}

/// One device of a user.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) user: User,
    /// What survives a crash.
    pub(crate) outbox: Vec<Entry>,
    /// Which life it is in.
    pub(crate) epoch: u32,
    pub(crate) session: Option<Session>,
    pub(crate) token: TokenId,
}

/// A client that runs.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The socket that is open, or is being opened.
    pub(crate) socket: Option<SocketId>,
    pub(crate) open: bool,
    pub(crate) failures: u32,
    pub(crate) rooms: IdVec<User, Room>,
    pub(crate) active: Option<User>,
    pub(crate) reauth: u32,
    pub(crate) reauthing: bool,
    pub(crate) pinged: bool,
    pub(crate) listing: bool,
    pub(crate) list: BTreeMap<User, (u64, u64)>,
    pub(crate) next_cursor: Option<String>,
}

/// A conversation, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    pub(crate) messages: BTreeMap<u64, Seen>,
    pub(crate) anchor: Option<u64>,
    pub(crate) last: Option<(u64, Timestamp)>,
    pub(crate) my_read: Option<Timestamp>,
    pub(crate) mark: Option<Timestamp>,
    pub(crate) syncing: bool,
    pub(crate) again: bool,
    pub(crate) hole_timer: bool,
    pub(crate) sending: Option<Sending>,
    pub(crate) tries: u32,
    pub(crate) attempt: u32,
    /// What came by push.
    pub(crate) pushed: Vec<u64>,
}

/// What the sender of a room waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// An answer to the message.
    Answer(ClientMessageId),
    /// Anything else: a page, or time.
    Other,
}

/// A timer of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    Start,
    Connect,
    Again(SocketId),
    Hole(User),
    Answer(User, u32),
    Backoff(User, u32),
    Ping(SocketId),
    Pong(SocketId),
    Reauth(u32),
    SignIn,
    Renew,
}

/// A request by REST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    List(Option<String>),
    /// The newest page, which a sync begins with.
    Newest(User),
    /// A page of a sync, and how many came before it.
    After(User, Timestamp, u32),
    /// The newest message, for the `after` of one that was written blindly.
    One(User),
    /// A page of the search for a message of ours.
    Resync(User, ClientMessageId, Timestamp),
    /// A proposal.
    Propose(User, ClientMessageId),
    /// Older messages.
    Older(User, Timestamp),
}

/// What came of a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    History(Box<HistoryBody>),
    List(Box<ConversationsBody>),
    Sent(Box<chat_wire::frames::SentFrame>),
    Refused(Box<ErrorBody>),
    /// Nobody knows.
    Lost,
}

const SYNC_AGAIN_MS: i64 = 5_000;
const HOLE_PATIENCE_MS: i64 = 200;
const SYNC_PAGES_MAX: u32 = 10;
const ANSWER_WITHIN_MS: i64 = 35_000;
const PONG_WITHIN_MS: i64 = 10_000;
const PING_EVERY_MS: i64 = 300_000;
const REAUTH_WITHIN_MS: i64 = 10_000;

impl Device {
    /// What this device knows, which is nothing while no client runs on it.
    pub(crate) fn view(&self, device: DeviceId) -> ClientView<'_> {
        let conversations = self.session.iter().flat_map(|session| {
            session.rooms.enumerated().map(|(peer, room)| ConversationView {
                peer,
                is_loaded: room.anchor.is_some(),
                is_active: session.active == Some(peer),
                my_read: room.my_read,
                known_seq: room.known_seq(),
                messages: &room.messages,
                pushed: &room.pushed,
                listed: session.list.get(&peer).copied(),
            })
        });
        ClientView { device, user: self.user, conversations: conversations.collect() }
    }
}

impl Room {
    /// The number up to which everything is known, counted from what was loaded.
    pub(crate) fn known_seq(&self) -> Option<u64> {
        let anchor = self.anchor?;
        let mut loaded = self.messages.range(anchor..).map(|(seq, _)| *seq);
        let Some(first) = loaded.next() else { return Some(anchor) };
        if anchor == 0 && first != 1 {
            return Some(0);
        }
        let mut known = first;
        for seq in loaded {
            if seq != known + 1 {
                break;
            }
            known = seq;
        }
        Some(known)
    }

    pub(crate) fn has_hole(&self) -> bool {
        let newest = self.messages.last_key_value().map_or(0, |(seq, _)| *seq);
        let newest = newest.max(self.last.map_or(0, |(seq, _)| seq));
        self.known_seq().is_some_and(|known| newest > known)
    }

    /// The `after` of the next sync.
    fn sync_cursor(&self) -> Option<Timestamp> {
        let known = self.known_seq()?;
        let at = self.messages.get(&known).map(|seen| seen.at);
        Some(at.unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// The `after` of a message that is written now.
    pub(crate) fn newest_known(&self) -> Option<Timestamp> {
        let empty = (self.anchor == Some(0)).then_some(Timestamp::UNIX_EPOCH);
        self.last.map(|(_, at)| at).or(empty)
    }

    fn merge(&mut self, seq: u64, seen: Seen) {
        self.messages.insert(seq, seen);
        self.last = self.last.max(Some((seq, seen.at)));
    }

    /// Forgets what lies below a hole.
    fn connect(&mut self) {
        let Some(anchor) = self.anchor.filter(|anchor| *anchor > 0) else { return };
        let mut lowest = anchor;
        for seq in self.messages.range(..anchor).rev().map(|(seq, _)| *seq) {
            if seq + 1 != lowest {
                break;
            }
            lowest = seq;
        }
        self.messages = self.messages.split_off(&lowest);
    }
}

fn seen(message: &MessageBody, me: &str) -> Option<Seen> {
    Some(Seen {
        at: message.timestamp.parse().ok()?,
        id: message.client_message_id.parse().ok()?,
        mine: message.sender_email == me,
        proposal: message.proposal.is_some(),
    })
}

fn later(a: Option<Timestamp>, b: Option<&String>) -> Option<Timestamp> {
    a.max(b.and_then(|b| b.parse().ok()))
}

impl Sim {
    fn session(&mut self, device: DeviceId) -> Option<&mut Session> {
        self.devices[device].session.as_mut()
    }

    fn room(&mut self, device: DeviceId, peer: User) -> Option<&mut Room> {
        self.session(device).map(|session| &mut session.rooms[peer])
    }

    pub(crate) fn timer(&mut self, device: DeviceId, delay_ms: i64, timer: Timer) {
        let epoch = self.devices[device].epoch;
        self.world().after(delay_ms, Happening::Timer(device, epoch, timer));
    }

    /// Everybody, who is the peer of everybody else.
    fn users(&self) -> impl Iterator<Item = User> + use<> {
        self.plan.everybody()
    }

    fn random(&mut self, range: std::ops::Range<i64>) -> i64 {
        self.world().rng.i64(range)
    }

    fn me(&self, device: DeviceId) -> String {
        self.world().directory.email(self.devices[device].user).to_string()
    }

    fn peer_of(&self, device: DeviceId, room: &str) -> Option<User> {
        self.world().directory.peer_in(self.devices[device].user, room)
    }

    /// The page is opened.
    pub(crate) fn start(&mut self, device: DeviceId) {
        if self.devices[device].session.is_some() {
            return;
        }
        let users = self.users();
        self.devices[device].epoch += 1;
        self.devices[device].session =
            Some(Session { rooms: users.map(|_| Room::default()).collect(), ..Session::default() });
        note!(self.world(), "device {device} starts");
        self.refresh_list(device);
        self.connect(device);
    }

    /// The page is gone, with all but what is stored.
    pub(crate) fn crash(&mut self, device: DeviceId) {
        let Some(session) = self.devices[device].session.take() else { return };
        note!(self.world(), "device {device} crashes");
        self.devices[device].epoch += 1;
        if self.client_bug == Some(ClientBug::OutboxInMemoryOnly) {
            self.devices[device].outbox.clear();
        }
        if let Some(socket) = session.socket {
            self.drop_socket(socket);
        }
    }

    /// The client's end of a socket closes.
    pub(crate) fn drop_socket(&mut self, socket: SocketId) {
        let mut world = self.world();
        if !std::mem::replace(&mut world.sockets[socket].at_client, false) {
            return;
        }
        let noticed =
            if world.hit(Fault::HalfOpen) { world.rng.i64(30_000..600_000) } else { world.rng.i64(1..200) };
        world.after(noticed, Happening::GatewayLoses(socket));
    }

    /// A token, a new one when the one there is has expired.
    pub(crate) fn token(&mut self, device: DeviceId, renewed: bool) -> TokenId {
        let user = self.devices[device].user;
        let mut world = self.world();
        let token = self.devices[device].token;
        let expired = world.tokens.get(token).is_none_or(|token| token.expires_at <= timestamp(world.now_ms));
        if !expired && !renewed {
            return token;
        }
        let short = world.is_drawn(Fault::TokenExpires);
        let lifetime = if short { world.rng.i64(2_000..60_000) } else { 3_600_000 };
        let token = world.issue_token(user, lifetime);
        drop(world);
        self.devices[device].token = token;
        token
    }

    pub(crate) fn connect(&mut self, device: DeviceId) {
        let token = self.token(device, false);
        let Some(session) = self.session(device) else { return };
        if session.socket.is_some() {
            return;
        }
        session.open = false;
        let socket = self.invoke_connect(device, token, false);
        if let Some(session) = self.session(device) {
            session.socket = Some(socket);
        }
    }

    /// Connects anew, at once.
    pub(crate) fn renew(&mut self, device: DeviceId) {
        let Some(session) = self.session(device) else { return };
        if let Some(socket) = session.socket.take() {
            session.open = false;
            self.drop_socket(socket);
            self.lost(device);
        }
        self.connect(device);
    }

    /// The socket is open.
    pub(crate) fn opened(&mut self, device: DeviceId, socket: SocketId) {
        let Some(session) = self.session(device) else { return };
        session.open = true;
        session.failures = 0;
        session.pinged = false;
        let user = self.devices[device].user;
        let elsewhere = self.devices.enumerated().any(|(number, other)| {
            let is_open = other.session.as_ref().is_some_and(|session| session.open);
            number != device && other.user == user && is_open
        });
        if elsewhere {
            self.world().fired.add(Fault::TwoDevices);
        }
        for peer in self.users() {
            self.send_mark(device, peer);
        }
        self.sync(device);
        if self.client_bug != Some(ClientBug::NoSecondSync) {
            self.timer(device, SYNC_AGAIN_MS, Timer::Again(socket));
        }
        self.timer(device, PING_EVERY_MS, Timer::Ping(socket));
        self.drain(device);
    }

    /// The socket is closed, or did not open.
    pub(crate) fn closed(&mut self, device: DeviceId, was_open: bool) {
        let Some(session) = self.session(device) else { return };
        session.socket = None;
        session.open = false;
        session.failures += 1;
        let longest = (500.0 * 1.6_f64.powi(session.failures.min(8).cast_signed())).min(15_000.0);
        let delay = self.random(500..1_000 + longest as i64);
        self.lost(device);
        self.timer(device, delay, Timer::Connect);
        if !was_open {
            self.refresh_list(device);
        }
    }

    /// Nothing that is on its way will be answered.
    fn lost(&mut self, device: DeviceId) {
        let Some(session) = self.session(device) else { return };
        session.reauthing = false;
        for room in &mut session.rooms {
            if matches!(room.sending, Some(Sending::Answer(_))) {
                room.sending = None;
                room.attempt += 1;
            }
        }
    }

    pub(crate) fn fired(&mut self, device: DeviceId, timer: Timer) {
        match timer {
            Timer::Start => self.start(device),
            Timer::Connect => self.connect(device),
            Timer::Renew => self.renew(device),
            Timer::Again(socket) => {
                if self.session(device).is_some_and(|session| session.socket == Some(socket)) {
                    self.sync(device);
                }
            }
            Timer::Hole(peer) => {
                let Some(room) = self.room(device, peer) else { return };
                room.hole_timer = false;
                if room.anchor.is_some() && room.has_hole() {
                    self.sync_room(device, peer);
                }
            }
            Timer::Answer(peer, attempt) => {
                let Some(room) = self.room(device, peer) else { return };
                if room.attempt == attempt && matches!(room.sending, Some(Sending::Answer(_))) {
                    room.sending = None;
                    room.tries += 1;
                    self.ping(device);
                    self.send_next(device, peer);
                }
            }
            Timer::Backoff(peer, attempt) => {
                let Some(room) = self.room(device, peer) else { return };
                if room.attempt == attempt {
                    room.sending = None;
                    self.send_next(device, peer);
                }
            }
            Timer::Ping(socket) => {
                if self.session(device).is_some_and(|session| session.socket == Some(socket)) {
                    self.ping(device);
                    self.timer(device, PING_EVERY_MS, Timer::Ping(socket));
                }
            }
            Timer::Pong(socket) => {
                let Some(session) = self.session(device) else { return };
                if session.socket == Some(socket) && session.pinged {
                    self.renew(device);
                }
            }
            Timer::Reauth(number) => {
                let Some(session) = self.session(device) else { return };
                if session.reauth == number && session.reauthing {
                    session.reauthing = false;
                    self.drain(device);
                }
            }
            Timer::SignIn => {
                self.token(device, true);
                self.start(device);
            }
        }
    }

    /// Finds out whether the connection still works.
    pub(crate) fn ping(&mut self, device: DeviceId) {
        let Some(session) = self.session(device).filter(|session| session.open && !session.pinged) else {
            return;
        };
        session.pinged = true;
        let Some(socket) = session.socket else { return };
        self.say(device, &ClientFrame::Ping(PingFrame {}), About::Other);
        self.timer(device, PONG_WITHIN_MS, Timer::Pong(socket));
    }

    /// Sends a frame, if the socket is open.
    fn say(&mut self, device: DeviceId, frame: &ClientFrame, about: About) -> bool {
        let Some(socket) =
            self.session(device).filter(|session| session.open).and_then(|session| session.socket)
        else {
            return false;
        };
        let token = if let ClientFrame::Reauth(_) = frame { Some(self.devices[device].token) } else { None };
        let text = serde_json::to_string(frame).expect("strings always serialise");
        self.invoke_frame(socket, text, about, token);
        true
    }

    /// Brings everything up to date.
    pub(crate) fn sync(&mut self, device: DeviceId) {
        self.refresh_list(device);
        if let Some(active) = self.session(device).and_then(|session| session.active) {
            self.sync_room(device, active);
        }
    }

    pub(crate) fn refresh_list(&mut self, device: DeviceId) {
        let Some(session) = self.session(device) else { return };
        session.listing = true;
        self.ask(device, Request::List(None));
    }

    /// Makes a conversation the one that is looked at.
    pub(crate) fn look_at(&mut self, device: DeviceId, peer: User) {
        let Some(session) = self.session(device) else { return };
        session.active = Some(peer);
        self.sync_room(device, peer);
    }

    pub(crate) fn sync_room(&mut self, device: DeviceId, peer: User) {
        let past_holes = self.client_bug == Some(ClientBug::CursorPastAHole);
        let Some(room) = self.room(device, peer) else { return };
        if room.syncing {
            room.again = true;
            return;
        }
        room.syncing = true;
        let cursor = if past_holes { room.messages.last_key_value().map(|(_, seen)| seen.at) } else { None };
        let request = match cursor.or(room.sync_cursor()) {
            Some(after) => Request::After(peer, after, 0),
            None => Request::Newest(peer),
        };
        self.ask(device, request);
    }

    fn ask(&mut self, device: DeviceId, request: Request) {
        let token = self.token(device, false);
        self.invoke_rest(device, request, token, false);
    }

    /// The answer to a request.
    pub(crate) fn answered(&mut self, device: DeviceId, request: Request, answer: Answer, retried: bool) {
        if self.devices[device].session.is_none() {
            return;
        }
        if let Answer::Refused(error) = &answer
            && matches!(error.code, ErrorCode::Unauthorized | ErrorCode::AuthExpired)
        {
            if !retried {
                let token = self.token(device, true);
                return self.invoke_rest(device, request, token, true);
            }
            note!(self.world(), "device {device} is signed out");
            self.crash(device);
            let delay = self.random(1_000..10_000);
            return self.timer(device, delay, Timer::SignIn);
        }
        match (request, answer) {
            (Request::List(cursor), Answer::List(body)) => self.listed(device, cursor.is_none(), &body),
            (Request::List(_), _) => {
                if let Some(session) = self.session(device) {
                    session.listing = false;
                }
            }
            (Request::Newest(peer), Answer::History(body)) => {
                self.page(device, peer, &body, true);
                let newest = body.messages.first().and_then(|message| message.timestamp.parse().ok());
                let after = newest.unwrap_or(Timestamp::UNIX_EPOCH);
                self.ask(device, Request::After(peer, after, 1));
            }
            (Request::After(peer, after, pages), Answer::History(body)) => {
                self.page(device, peer, &body, false);
                let next = body.next_after.as_ref().and_then(|next| next.parse().ok()).unwrap_or(after);
                if !body.has_more {
                    self.synced(device, peer);
                } else if pages + 1 >= SYNC_PAGES_MAX {
                    self.ask(device, Request::Newest(peer));
                } else {
                    self.ask(device, Request::After(peer, next, pages + 1));
                }
            }
            (Request::Newest(peer) | Request::After(peer, ..), _) => {
                if let Some(room) = self.room(device, peer) {
                    room.syncing = false;
                    room.again = false;
                }
            }
            (Request::One(peer), Answer::History(body)) => {
                let newest = body.messages.first().and_then(|message| message.timestamp.parse().ok());
                let after = newest.unwrap_or(Timestamp::UNIX_EPOCH);
                if let Some(entry) = self.next_entry(device, peer) {
                    entry.after.get_or_insert(after);
                }
                self.go_on(device, peer);
            }
            (Request::One(peer), _) => self.wait(device, peer),
            (Request::Resync(peer, id, after), Answer::History(body)) => {
                self.resynced(device, peer, id, after, &body);
            }
            (Request::Resync(peer, ..), _) => self.wait(device, peer),
            (Request::Propose(peer, id), Answer::Sent(sent)) => self.acknowledged(device, peer, id, &sent),
            (Request::Propose(_, id), Answer::Refused(error)) => self.refused(device, id, &error),
            (Request::Propose(peer, _), _) => self.wait(device, peer),
            (Request::Older(peer, _), Answer::History(body)) => self.page(device, peer, &body, false),
            (Request::Older(..), _) => {}
        }
    }

    fn listed(&mut self, device: DeviceId, first: bool, body: &ConversationsBody) {
        for found in &body.conversations {
            let Some(peer) = self.world().directory.user_called(&found.peer_email) else { continue };
            let at = found.last_timestamp.parse().ok();
            let Some(session) = self.session(device) else { return };
            session.list.insert(peer, (found.last_seq, found.unread));
            let room = &mut session.rooms[peer];
            room.last = room.last.max(at.map(|at| (found.last_seq, at)));
        }
        let Some(session) = self.session(device) else { return };
        session.next_cursor.clone_from(&body.next_cursor);
        session.listing = false;
        if let (Some(cursor), true) = (body.next_cursor.clone(), first || body.next_cursor.is_some()) {
            session.listing = true;
            return self.ask(device, Request::List(Some(cursor)));
        }
        if self.client_bug == Some(ClientBug::HolesIgnored) {
            return;
        }
        let Some(session) = self.session(device) else { return };
        let behind: Vec<User> = session
            .rooms
            .ids()
            .filter(|peer| session.rooms[*peer].anchor.is_some() && session.rooms[*peer].has_hole())
            .collect();
        for peer in behind {
            self.sync_room(device, peer);
        }
    }

    fn page(&mut self, device: DeviceId, peer: User, body: &HistoryBody, newest: bool) {
        let me = self.me(device);
        let Some(room) = self.room(device, peer) else { return };
        let seqs = body.messages.iter().map(|message| message.seq);
        let (top, bottom) = (seqs.clone().max().unwrap_or(0), seqs.min().unwrap_or(0));
        let known = room.known_seq();
        if newest && known.is_none_or(|known| bottom > known + 1) {
            room.anchor = Some(top);
        }
        for message in &body.messages {
            if let Some(seen) = seen(message, &me) {
                room.merge(message.seq, seen);
            }
        }
        room.connect();
        room.my_read = later(room.my_read, body.my_read_up_to.as_ref());
    }

    fn synced(&mut self, device: DeviceId, peer: User) {
        let Some(room) = self.room(device, peer) else { return };
        room.syncing = false;
        if std::mem::take(&mut room.again) {
            self.sync_room(device, peer);
        }
    }

    /// A frame from the server.
    pub(crate) fn heard(&mut self, device: DeviceId, frame: ServerFrame, pushed: bool) {
        let Some(session) = self.session(device) else { return };
        session.pinged = false;
        match frame {
            ServerFrame::Message(message) => {
                let me = self.me(device);
                let user = self.devices[device].user;
                self.world().observe(&Observation::Shown { user, device, message: &message });
                let (Some(peer), Some(seen)) = (self.peer_of(device, &message.room_id), seen(&message, &me))
                else {
                    return;
                };
                let Some(room) = self.room(device, peer) else { return };
                room.merge(message.seq, seen);
                room.connect();
                if pushed {
                    room.pushed.push(message.seq);
                }
                self.look_for_holes(device, peer);
            }
            ServerFrame::Sent(sent) => {
                let (Some(peer), Ok(id)) =
                    (self.peer_of(device, &sent.room_id), sent.client_message_id.parse::<ClientMessageId>())
                else {
                    return;
                };
                self.acknowledged(device, peer, id, &sent);
            }
            ServerFrame::Read(read) => {
                let me = self.me(device);
                let Some(peer) = self.peer_of(device, &read.room_id) else { return };
                let Some(room) = self.room(device, peer).filter(|_| read.reader_email == me) else { return };
                room.my_read = later(room.my_read, Some(&read.up_to));
                if room.mark <= room.my_read {
                    room.mark = None;
                }
            }
            ServerFrame::Reauth(_) => {
                session.reauthing = false;
                self.sync(device);
                self.drain(device);
            }
            ServerFrame::Error(error) => {
                match error.client_message_id.as_ref().and_then(|id| id.parse().ok()) {
                    Some(id) => self.refused(device, id, &error),
                    None => match error.code {
                        ErrorCode::AuthExpired => self.extend(device),
                        ErrorCode::UnknownConnection => self.renew(device),
                        ErrorCode::Unauthorized => session.reauthing = false,
                        _ => {}
                    },
                }
            }
            ServerFrame::Typing(_) | ServerFrame::Pong(_) => {}
        }
    }

    /// The gateway says that something failed, and not what.
    pub(crate) fn gateway_failed(&mut self, device: DeviceId) {
        for peer in self.users() {
            let waits =
                self.room(device, peer).is_some_and(|room| matches!(room.sending, Some(Sending::Answer(_))));
            if waits {
                self.wait(device, peer);
            }
        }
    }

    fn look_for_holes(&mut self, device: DeviceId, peer: User) {
        if self.client_bug == Some(ClientBug::HolesIgnored) {
            return;
        }
        let Some(room) = self.room(device, peer) else { return };
        if room.anchor.is_some() && room.has_hole() && !room.hole_timer {
            room.hole_timer = true;
            self.timer(device, HOLE_PATIENCE_MS, Timer::Hole(peer));
        }
    }

    /// Extends the connection's authentication.
    fn extend(&mut self, device: DeviceId) {
        if self.session(device).is_none_or(|session| session.reauthing || !session.open) {
            return;
        }
        let token = self.token(device, true);
        let Some(session) = self.session(device) else { return };
        session.reauthing = true;
        session.reauth += 1;
        let number = session.reauth;
        self.say(device, &ClientFrame::Reauth(ReauthFrame { token: format!("token-{token}") }), About::Other);
        self.timer(device, REAUTH_WITHIN_MS, Timer::Reauth(number));
    }

    /// Puts something into the outbox.
    pub(crate) fn write(&mut self, device: DeviceId, peer: User, says: Says, by_rest: bool) -> IntentId {
        let user = self.devices[device].user;
        let after = self.room(device, peer).and_then(|room| room.newest_known());
        let mut world = self.world();
        let id = world.next_message_id();
        let written = Written {
            user,
            peer,
            device: Some(device),
            id: Some(id),
            says: says.clone(),
            unattended: false,
            without_after: false,
        };
        let intent = world.write(&written);
        note!(world, "device {device} writes {says:?} to user {peer} as {id}, after {after:?}");
        drop(world);
        self.devices[device].outbox.push(Entry { id, peer, says, by_rest, after, failed: false, intent });
        self.drain(device);
        intent
    }

    /// Sends whatever is to be sent.
    pub(crate) fn drain(&mut self, device: DeviceId) {
        for peer in self.users() {
            self.send_next(device, peer);
        }
    }

    fn next_entry(&mut self, device: DeviceId, peer: User) -> Option<&mut Entry> {
        self.devices[device].outbox.iter_mut().find(|entry| entry.peer == peer && !entry.failed)
    }

    fn send_next(&mut self, device: DeviceId, peer: User) {
        let Some(session) = self.session(device).filter(|session| session.open) else { return };
        if session.rooms[peer].sending.is_some() {
            return;
        }
        if self.client_bug == Some(ClientBug::TwoAtOnce) {
            return self.send_all(device, peer);
        }
        let Some(entry) = self.next_entry(device, peer).cloned() else { return };
        self.attempt(device, peer, &entry);
    }

    fn send_all(&mut self, device: DeviceId, peer: User) {
        let entries: Vec<_> = self.devices[device]
            .outbox
            .iter()
            .filter(|entry| entry.peer == peer && !entry.failed)
            .cloned()
            .collect();
        for entry in entries.iter().rev() {
            self.attempt(device, peer, entry);
        }
    }

    fn attempt(&mut self, device: DeviceId, peer: User, entry: &Entry) {
        let Some(room) = self.room(device, peer) else { return };
        room.attempt += 1;
        let (attempt, newest) = (room.attempt, room.newest_known());
        let Some(mut after) = entry.after else {
            room.sending = Some(Sending::Other);
            return self.ask(device, Request::One(peer));
        };
        if self.client_bug == Some(ClientBug::AfterOfNow) {
            after = newest.unwrap_or(after);
        }
        let id = if self.client_bug == Some(ClientBug::NewIdForEveryRetry) {
            ClientMessageId::from_u128(entry.id.as_u128() + (u128::from(attempt) << 32))
        } else {
            entry.id
        };
        let Some(room) = self.room(device, peer) else { return };
        room.sending = Some(Sending::Answer(entry.id));
        if entry.by_rest {
            return self.ask(device, Request::Propose(peer, id));
        }
        let frame = ClientFrame::SendMessage(self.send_frame(peer, id, Some(after), &entry.says));
        if self.say(device, &frame, About::Intent(entry.intent)) {
            self.timer(device, ANSWER_WITHIN_MS, Timer::Answer(peer, attempt));
        }
    }

    pub(crate) fn send_frame(
        &self,
        peer: User,
        id: ClientMessageId,
        after: Option<Timestamp>,
        says: &Says,
    ) -> SendMessageFrame {
        let mut frame = SendMessageFrame {
            receiver_email: self.world().directory.email(peer).to_string(),
            client_message_id: Some(id.to_string()),
            after: after.map(|after| after.to_string()),
            ..SendMessageFrame::default()
        };
        match says {
            Says::Text(text) => frame.message = Some(text.clone()),
            Says::Proposal(place) => frame.proposal = Some(proposal(place)),
            Says::Answer(proposal, verdict) => {
                frame.proposal_answer = Some(ProposalAnswerBody {
                    proposal: proposal.to_string(),
                    answer: Verdict::as_str(*verdict).to_owned(),
                });
            }
        }
        frame
    }

    fn acknowledged(
        &mut self,
        device: DeviceId,
        peer: User,
        id: ClientMessageId,
        sent: &chat_wire::frames::SentFrame,
    ) {
        let mask = u128::from(u32::MAX);
        let id = ClientMessageId::from_u128(id.as_u128() & mask);
        let at = sent.timestamp.parse::<Timestamp>();
        let entry = self.devices[device].outbox.iter().find(|entry| entry.id == id).cloned();
        let Some(room) = self.room(device, peer) else { return };
        let expected = room.sending == Some(Sending::Answer(id));
        let (Some(entry), Ok(at)) = (entry, at) else { return };
        if !expected && self.client_bug != Some(ClientBug::TwoAtOnce) {
            return;
        }
        let Some(room) = self.room(device, peer) else { return };
        room.sending = None;
        room.attempt += 1;
        room.tries = 0;
        let proposal = matches!(entry.says, Says::Proposal(_));
        room.merge(sent.seq, Seen { at, id, mine: true, proposal });
        room.connect();
        self.devices[device].outbox.retain(|entry| entry.id != id);
        self.look_for_holes(device, peer);
        self.send_next(device, peer);
    }

    fn refused(&mut self, device: DeviceId, id: ClientMessageId, error: &ErrorBody) {
        let Some(entry) = self.devices[device].outbox.iter().find(|entry| entry.id == id).cloned() else {
            return;
        };
        let peer = entry.peer;
        let Some(room) = self.room(device, peer) else { return };
        if room.sending != Some(Sending::Answer(id)) {
            return;
        }
        if !error.retryable {
            room.sending = None;
            room.attempt += 1;
            room.tries = 0;
            for entry in self.devices[device].outbox.iter_mut().filter(|entry| entry.id == id) {
                entry.failed = true;
            }
            return self.send_next(device, peer);
        }
        match error.code {
            ErrorCode::ResyncNeeded => {
                room.sending = Some(Sending::Other);
                room.attempt += 1;
                let newest = room.newest_known();
                let after = entry.after.unwrap_or(Timestamp::UNIX_EPOCH);
                if self.client_bug == Some(ClientBug::ResyncWithoutLooking) {
                    if let Some(entry) = self.next_entry(device, peer) {
                        entry.after = newest.or(entry.after);
                    }
                    return self.wait(device, peer);
                }
                self.ask(device, Request::Resync(peer, id, after));
            }
            ErrorCode::UnknownConnection => {
                room.sending = None;
                self.renew(device);
            }
            ErrorCode::AuthExpired => {
                room.sending = None;
                room.attempt += 1;
                self.extend(device);
                if self.session(device).is_none_or(|session| !session.reauthing) {
                    self.wait(device, peer);
                }
            }
            _ => self.wait(device, peer),
        }
    }

    /// Looks for a message among all that was written since.
    fn resynced(
        &mut self,
        device: DeviceId,
        peer: User,
        id: ClientMessageId,
        after: Timestamp,
        body: &HistoryBody,
    ) {
        let me = self.me(device);
        let text = id.to_string();
        let found = body
            .messages
            .iter()
            .find(|message| message.client_message_id == text && message.sender_email == me)
            .cloned();
        if let Some(message) = found {
            let entry = self.devices[device].outbox.iter().find(|entry| entry.id == id).cloned();
            self.devices[device].outbox.retain(|entry| entry.id != id);
            if let (Some(entry), Ok(at)) = (entry, message.timestamp.parse()) {
                // Found is as good as acknowledged.
                let (intent, seq) = (entry.intent, message.seq);
                self.world().observe(&Observation::Found { intent, at, seq });
            }
            let (Some(seen), Some(room)) = (seen(&message, &me), self.room(device, peer)) else { return };
            room.merge(message.seq, seen);
            room.connect();
            self.look_for_holes(device, peer);
            return self.go_on(device, peer);
        }
        let next = body.next_after.as_ref().and_then(|next| next.parse().ok()).unwrap_or(after);
        if body.has_more {
            return self.ask(device, Request::Resync(peer, id, next));
        }
        if let Some(entry) = self.devices[device].outbox.iter_mut().find(|entry| entry.id == id) {
            entry.after = Some(next);
        }
        self.go_on(device, peer);
    }

    fn go_on(&mut self, device: DeviceId, peer: User) {
        let Some(room) = self.room(device, peer) else { return };
        room.sending = None;
        room.attempt += 1;
        self.send_next(device, peer);
    }

    /// Waits longer each time.
    fn wait(&mut self, device: DeviceId, peer: User) {
        let Some(room) = self.room(device, peer) else { return };
        room.sending = Some(Sending::Other);
        room.attempt += 1;
        let longest = (1_000_i64 << room.tries.min(5)).min(30_000);
        room.tries += 1;
        let attempt = room.attempt;
        let delay = self.random(longest / 2..longest);
        self.timer(device, delay, Timer::Backoff(peer, attempt));
    }

    /// Says that everything loaded was read.
    pub(crate) fn mark_read(&mut self, device: DeviceId, peer: User) {
        let Some(room) = self.room(device, peer).filter(|room| room.anchor.is_some()) else { return };
        let theirs = room.messages.values().rev().find(|seen| !seen.mine).map(|seen| seen.at);
        if theirs <= room.my_read {
            return;
        }
        room.mark = theirs;
        self.send_mark(device, peer);
    }

    fn send_mark(&mut self, device: DeviceId, peer: User) {
        let Some(up_to) = self.room(device, peer).and_then(|room| room.mark) else { return };
        self.say_mark(device, peer, up_to);
    }

    pub(crate) fn say_mark(&mut self, device: DeviceId, peer: User, up_to: Timestamp) {
        let user = self.devices[device].user;
        let peer_email = self.world().directory.email(peer).to_string();
        self.world().observe(&Observation::MarkWanted { user, peer, up_to });
        let frame = ClientFrame::MarkRead(MarkReadFrame { peer_email, up_to: up_to.to_string() });
        self.say(device, &frame, About::Mark(peer, up_to));
    }

    pub(crate) fn say_typing(&mut self, device: DeviceId, peer: User) {
        let receiver_email = self.world().directory.email(peer).to_string();
        let frame = ClientFrame::Typing(chat_wire::frames::TypingFrame { receiver_email });
        self.say(device, &frame, About::Other);
    }
}
