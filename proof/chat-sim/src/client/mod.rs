//! A client, as `web/packages/chat-core` is one: an outbox that survives, one message at a time for each
//! room, and syncs on opening, five seconds later, on a hole, on focus and on reconnecting.
//!
//! A client knows its [`Line`] and nothing else of the schedule: what it does goes out on the line, and
//! whatever happens to it is one of the methods here.

mod changed;
mod conversation;
mod outgoing;
mod syncing;
mod timing;

use std::collections::BTreeMap;

use chat_domain::{ClientMessageId, ConsentChange, Timestamp};
use chat_wire::error::ErrorCode;
use chat_wire::frames::{ConsentFrame, PingFrame, ReauthFrame, ReportFrame, ServerFrame};
use chat_wire::table::ClientFrame;

use self::conversation::{Conversation, seen, seen_entry};
pub(crate) use self::outgoing::{Entry, send_frame};
use self::timing::{PING_EVERY_MS, PONG_WITHIN_MS, REAUTH_WITHIN_MS, SYNC_AGAIN_MS, reconnect_ms};
use crate::environment::Timer;
use crate::gateway::{About, Line};
use crate::ids::{DeviceId, IdVec, SocketId, TokenId, User, numbered};
use crate::observations::{ClientView, ConversationView, Listed};

/// How many messages are reported at once.
const REPORTED_MAX: usize = 3;

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
    LatestStateToCome,
    StatesOfLoadedAlone,
    OwnChangesNotShown,
}

/// A client on its device.
#[derive(Debug)]
pub(crate) struct Client {
    user: User,
    bug: Option<ClientBug>,
    /// What survives a crash.
    outbox: Vec<Entry>,
    /// Which life the client is in.
    epoch: u32,
    /// What is known while the client runs.
    session: Option<Session>,
    token: TokenId,
}

/// A client that runs.
#[derive(Debug, Default)]
struct Session {
    /// The socket that is open, or is being opened.
    socket: Option<SocketId>,
    open: bool,
    /// How many times in a row it could not connect.
    failures: u32,
    conversations: IdVec<User, Conversation>,
    /// The conversation that is looked at.
    active: Option<User>,
    /// How many times it has reauthenticated.
    reauth: u32,
    reauthing: bool,
    /// A ping waits for its answer.
    pinged: bool,
    /// The last ping that kept the connection open was quiet.
    pinged_quietly: bool,
    /// The conversations as they were listed.
    list: BTreeMap<User, Listed>,
}

/// What others may know of a client.
impl Client {
    pub(crate) fn new(user: User, token: TokenId, bug: Option<ClientBug>) -> Self {
        Self { user, bug, outbox: Vec::new(), epoch: 0, session: None, token }
    }

    pub(crate) fn user(&self) -> User {
        self.user
    }

    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The token that it presented last.
    pub(crate) fn current_token(&self) -> TokenId {
        self.token
    }

    pub(crate) fn is_running(&self) -> bool {
        self.session.is_some()
    }

    /// The socket that is open, or is being opened.
    pub(crate) fn socket(&self) -> Option<SocketId> {
        self.session.as_ref()?.socket
    }

    pub(crate) fn open_socket(&self) -> Option<SocketId> {
        let session = self.session.as_ref()?;
        session.socket.filter(|_| session.open)
    }

    pub(crate) fn outbox(&self) -> &[Entry] {
        &self.outbox
    }

    /// Whether it waits for nothing any more.
    pub(crate) fn is_settled(&self) -> bool {
        let is_calm = self.session.as_ref().is_some_and(|session| {
            session.open && session.conversations.iter().all(|room| !room.syncing && !room.hole_timer)
        });
        is_calm && self.outbox.iter().all(|entry| entry.failed)
    }

    /// The oldest message that is loaded of a conversation.
    pub(crate) fn oldest_loaded(&self, peer: User) -> Option<Timestamp> {
        self.session.as_ref()?.conversations[peer].oldest_loaded()
    }

    /// The latest proposal of a conversation, of the user's own or of the peer's.
    pub(crate) fn latest_proposal(&self, peer: User, mine: bool) -> Option<Timestamp> {
        let mut seen = self.session.as_ref()?.conversations[peer].messages.values().rev();
        seen.find(|seen| seen.proposal && seen.mine == mine).map(|seen| seen.at)
    }

    /// Whatever was pushed so far counts no more.
    pub(crate) fn forget_pushes(&mut self) {
        for conversation in self.session.iter_mut().flat_map(|session| &mut session.conversations) {
            conversation.pushed.clear();
        }
    }

    /// What the client knows.
    pub(crate) fn view(&self, device: DeviceId) -> ClientView<'_> {
        let conversations = self.session.iter().flat_map(|session| {
            session.conversations.enumerated().map(|(peer, known)| ConversationView {
                peer,
                is_loaded: known.anchor.is_some(),
                is_active: session.active == Some(peer),
                my_read: known.my_read,
                known_seq: known.known_seq(),
                messages: &known.messages,
                changed: &known.changed,
                pushed: &known.pushed,
                listed: session.list.get(&peer).copied(),
            })
        });
        ClientView { device, user: self.user, conversations: conversations.collect() }
    }
}

/// How a client begins, connects and ends.
impl Client {
    fn conversation(&mut self, peer: User) -> Option<&mut Conversation> {
        self.session.as_mut().map(|session| &mut session.conversations[peer])
    }

    fn has(&self, bug: ClientBug) -> bool {
        self.bug == Some(bug)
    }

    fn timer(&self, line: &mut Line<'_>, delay_ms: i64, timer: Timer) {
        line.set_timer(self.epoch, delay_ms, timer);
    }

    /// The page is opened.
    pub(crate) fn start(&mut self, line: &mut Line<'_>) {
        if self.session.is_some() {
            return;
        }
        self.epoch += 1;
        let conversations = line.directory().everybody().map(|_| Conversation::default()).collect();
        self.session = Some(Session { conversations, ..Session::default() });
        line.note(format_args!("device {} starts", line.device()));
        self.refresh_list(line);
        self.connect(line);
    }

    /// The page is gone, with all but what is stored.
    pub(crate) fn crash(&mut self, line: &mut Line<'_>) {
        let Some(session) = self.session.take() else { return };
        line.note(format_args!("device {} crashes", line.device()));
        self.epoch += 1;
        if self.has(ClientBug::OutboxInMemoryOnly) {
            self.outbox.clear();
        }
        if let Some(socket) = session.socket {
            line.drop_socket(socket);
        }
    }

    /// The page is gone, and opened again after a while.
    pub(crate) fn crash_for(&mut self, line: &mut Line<'_>, down_ms: i64) {
        self.crash(line);
        self.timer(line, down_ms, Timer::Start);
    }

    /// The device loses what is stored on it.
    pub(crate) fn lose_storage(&mut self) {
        self.outbox.clear();
    }

    /// A token, a new one when the one there is has expired.
    pub(crate) fn token(&mut self, line: &mut Line<'_>, renewed: bool) -> TokenId {
        if renewed || line.has_expired(self.token) {
            self.token = line.sign_in();
        }
        self.token
    }

    fn connect(&mut self, line: &mut Line<'_>) {
        let token = self.token(line, false);
        let epoch = self.epoch;
        let Some(session) = self.session.as_mut().filter(|session| session.socket.is_none()) else { return };
        session.open = false;
        session.socket = Some(line.connect(epoch, token));
    }

    /// Connects anew, at once.
    pub(crate) fn renew(&mut self, line: &mut Line<'_>) {
        let Some(session) = self.session.as_mut() else { return };
        if let Some(socket) = session.socket.take() {
            session.open = false;
            line.drop_socket(socket);
            self.nothing_is_answered();
        }
        self.connect(line);
    }

    /// The socket is open.
    pub(crate) fn opened(&mut self, line: &mut Line<'_>, socket: SocketId) {
        let Some(session) = self.session.as_mut() else { return };
        session.open = true;
        session.failures = 0;
        session.pinged = false;
        session.pinged_quietly = false;
        for peer in session.conversations.ids() {
            self.send_mark(line, peer);
        }
        self.sync(line);
        if !self.has(ClientBug::NoSecondSync) {
            self.timer(line, SYNC_AGAIN_MS, Timer::Again(socket));
        }
        self.timer(line, PING_EVERY_MS, Timer::Ping(socket));
        self.drain(line);
    }

    /// The socket is closed, or did not open.
    pub(crate) fn closed(&mut self, line: &mut Line<'_>, was_open: bool) {
        let Some(session) = self.session.as_mut() else { return };
        session.socket = None;
        session.open = false;
        session.failures += 1;
        let delay = line.random_ms(reconnect_ms(session.failures));
        self.nothing_is_answered();
        self.timer(line, delay, Timer::Connect);
        if !was_open {
            self.refresh_list(line);
        }
    }

    /// Nothing that is on its way on the socket will be answered.
    fn nothing_is_answered(&mut self) {
        let Some(session) = self.session.as_mut() else { return };
        session.reauthing = false;
        for conversation in session.conversations.iter_mut().filter(|it| it.waits_for_answer()) {
            conversation.wait_for(None);
        }
    }

    fn is_on(&self, socket: SocketId) -> bool {
        self.socket() == Some(socket)
    }

    /// A timer fires that was set in this life of the client's.
    pub(crate) fn fired(&mut self, line: &mut Line<'_>, timer: Timer) {
        match timer {
            Timer::Start => self.start(line),
            Timer::Connect => self.connect(line),
            Timer::Renew => self.renew(line),
            Timer::Again(socket) if self.is_on(socket) => self.sync(line),
            Timer::Hole(peer) => self.look_again(line, peer),
            Timer::Answer(peer, attempt) => self.unanswered(line, peer, attempt),
            Timer::Backoff(peer, attempt) => self.waited(line, peer, attempt),
            Timer::Ping(socket) if self.is_on(socket) => {
                self.keep_alive(line);
                self.timer(line, PING_EVERY_MS, Timer::Ping(socket));
            }
            Timer::Pong(socket) => {
                let is_pinged = self.session.as_ref().is_some_and(|session| session.pinged);
                if is_pinged && self.is_on(socket) {
                    self.renew(line);
                }
            }
            Timer::Reauth(number) => {
                let Some(session) = self.session.as_mut() else { return };
                if session.reauth == number && session.reauthing {
                    session.reauthing = false;
                    self.drain(line);
                }
            }
            Timer::SignIn => {
                self.token(line, true);
                self.start(line);
            }
            Timer::Again(_) | Timer::Ping(_) => {}
        }
    }

    /// Says what its user has decided about a peer. If that is not answered, the user decides again, or does
    /// not.
    pub(crate) fn decide(&self, line: &mut Line<'_>, peer: User, change: ConsentChange) {
        let frame = ConsentFrame { peer_email: line.directory().email(peer).to_string() };
        let frame = match change {
            ConsentChange::Accept => ClientFrame::Accept(frame),
            ConsentChange::Block => ClientFrame::Block(frame),
            ConsentChange::Unblock => ClientFrame::Unblock(frame),
        };
        self.say(line, &frame, About::Consent(peer, change));
    }

    /// Reports the newest messages that are loaded of a conversation.
    pub(crate) fn report(&self, line: &mut Line<'_>, peer: User) {
        let Some(session) = &self.session else { return };
        let messages = session.conversations[peer].messages.values().rev();
        let newest = messages.filter(|seen| !seen.is_change).take(REPORTED_MAX);
        let timestamps: Vec<String> = newest.map(|seen| seen.at.to_string()).collect();
        if timestamps.is_empty() {
            return;
        }
        let peer_email = line.directory().email(peer).to_string();
        let messages = timestamps.len() as u32;
        let frame = ClientFrame::Report(ReportFrame { peer_email, timestamps, reason: None });
        self.say(line, &frame, About::Report(peer, messages));
    }

    /// Keeps the connection open. Every second time, an answer has to come.
    fn keep_alive(&mut self, line: &mut Line<'_>) {
        let Some(session) = self.session.as_mut() else { return };
        session.pinged_quietly = !session.pinged_quietly;
        if session.pinged_quietly {
            self.say(line, &ClientFrame::Ping(PingFrame { quiet: true }), About::Other);
        } else {
            self.ping(line);
        }
    }

    /// Finds out whether the connection still works.
    pub(crate) fn ping(&mut self, line: &mut Line<'_>) {
        let Some(session) = self.session.as_mut().filter(|session| session.open && !session.pinged) else {
            return;
        };
        session.pinged = true;
        let Some(socket) = session.socket else { return };
        self.say_ping(line);
        self.timer(line, PONG_WITHIN_MS, Timer::Pong(socket));
    }

    pub(crate) fn say_ping(&self, line: &mut Line<'_>) {
        self.say(line, &ClientFrame::Ping(PingFrame::default()), About::Other);
    }

    /// Sends a frame, if the socket is open.
    fn say(&self, line: &mut Line<'_>, frame: &ClientFrame, about: About) -> bool {
        let Some(socket) = self.open_socket() else { return false };
        let token = if let ClientFrame::Reauth(_) = frame { Some(self.token) } else { None };
        line.send(socket, frame, about, token);
        true
    }

    /// Extends the connection's authentication.
    fn extend(&mut self, line: &mut Line<'_>) {
        if self.session.as_ref().is_none_or(|session| session.reauthing || !session.open) {
            return;
        }
        let token = self.token(line, true);
        let Some(session) = self.session.as_mut() else { return };
        session.reauthing = true;
        session.reauth += 1;
        let number = session.reauth;
        let frame = ClientFrame::Reauth(ReauthFrame { token: numbered("token-", token) });
        self.say(line, &frame, About::Other);
        self.timer(line, REAUTH_WITHIN_MS, Timer::Reauth(number));
    }

    /// A frame from the server.
    pub(crate) fn heard(&mut self, line: &mut Line<'_>, frame: &ServerFrame, pushed: bool) {
        let Some(session) = self.session.as_mut() else { return };
        session.pinged = false;
        match frame {
            ServerFrame::Message(message) => {
                let peer = line.peer_in(&message.room_id);
                let (Some(peer), Some(seen)) = (peer, seen(message, line.me())) else { return };
                let conversation = &mut session.conversations[peer];
                conversation.learn(message.seq, seen);
                if pushed {
                    conversation.pushed.push(message.seq);
                }
                self.look_for_holes(line, peer);
            }
            ServerFrame::Changed(frame) => {
                let peer = line.peer_in(&frame.room_id);
                let (Some(peer), Some(entry)) = (peer, seen_entry(frame, line.me())) else { return };
                let conversation = &mut session.conversations[peer];
                conversation.learn(frame.seq, entry);
                conversation.learn_states([&frame.message], self.bug);
                if pushed {
                    conversation.pushed.push(frame.seq);
                }
                self.look_for_holes(line, peer);
            }
            ServerFrame::Sent(sent) => {
                let id = sent.client_message_id.parse::<ClientMessageId>();
                let (Some(peer), Ok(id)) = (line.peer_in(&sent.room_id), id) else { return };
                self.acknowledged(line, peer, id, sent);
            }
            ServerFrame::Read(read) => {
                let Some(peer) = line.peer_in(&read.room_id).filter(|_| read.reader_email == line.me())
                else {
                    return;
                };
                let conversation = &mut session.conversations[peer];
                conversation.read_up_to(Some(&read.up_to));
                if conversation.mark <= conversation.my_read {
                    conversation.mark = None;
                }
            }
            ServerFrame::Reauth(_) => {
                session.reauthing = false;
                self.sync(line);
                self.drain(line);
            }
            ServerFrame::Error(error) => {
                match error.client_message_id.as_ref().and_then(|id| id.parse().ok()) {
                    Some(id) => self.refused(line, id, error),
                    None => match error.code {
                        ErrorCode::AuthExpired => self.extend(line),
                        ErrorCode::UnknownConnection => self.renew(line),
                        ErrorCode::Unauthorized => session.reauthing = false,
                        _ => {}
                    },
                }
            }
            ServerFrame::Typing(_)
            | ServerFrame::Accept(_)
            | ServerFrame::Block(_)
            | ServerFrame::Unblock(_)
            | ServerFrame::Cleared(_)
            | ServerFrame::Reported(_)
            | ServerFrame::Pong(_) => {}
        }
    }

    /// The gateway says that something failed, and not what.
    pub(crate) fn gateway_failed(&mut self, line: &mut Line<'_>) {
        let Some(session) = &self.session else { return };
        let waiting: Vec<User> = session
            .conversations
            .enumerated()
            .filter(|(_, conversation)| conversation.waits_for_answer())
            .map(|(peer, _)| peer)
            .collect();
        for peer in waiting {
            self.wait(line, peer);
        }
    }
}
