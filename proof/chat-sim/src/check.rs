//! The checker: what was promised, held against what is stored, pushed and answered.

use chat_domain::{
    CONNECTION_SETTLED_AFTER, CONNECTIONS_MAX, ClientMessageId, Content, Event, Member, Message, PAGE_MAX,
    PageRange, ProposalAnswer, RECENT_MAX, ROOMS_PAGE_MAX, Recent, RoomId, Timestamp, Verdict,
};
use chat_wire::frames::{ErrorBody, ReadFrame, SentFrame};
use chat_wire::message::{KindName, MessageBody};
use chat_wire::rest::{ConversationBody, ConversationsBody, HistoryBody};

use crate::client::proposal;
use crate::ids::{DeviceId, Id, IdVec, IntentId, SocketId, TaskId, User};
use crate::ports::Call;
use crate::store::{Row, Table};
use crate::world::{End, INDEX_LAG_MAX_MS, Kind, World, socket_number};

/// What somebody meant to say.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub(crate) user: User,
    pub(crate) peer: User,
    /// `None` if no device is looked at further that has written it.
    pub(crate) device: Option<DeviceId>,
    /// `None` for a frame of the seed's, whose id the server makes.
    pub(crate) id: Option<ClientMessageId>,
    pub(crate) says: Says,
    /// The same as it has to be stored.
    content: Content,
    /// The newest acknowledged place of the room when it was written.
    follows: Option<Timestamp>,
    /// Where it is stored.
    pub(crate) row: Option<(Timestamp, u64)>,
    /// What was acknowledged.
    pub(crate) acked: Option<(Timestamp, u64)>,
    /// It was refused for good.
    pub(crate) refused: bool,
    /// Whoever wrote it lost it, or never cared.
    pub(crate) dropped: bool,
    /// It was sent without `after`: then it is recognised among the newest messages, and no further is promised.
    pub(crate) without_after: bool,
}

/// What is said, in the form in which no two intents say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Text(String),
    Proposal(String),
    Answer(Timestamp, Verdict),
}

impl Says {
    /// The whole of it, as it has to be stored.
    fn content(&self) -> Content {
        match self {
            Self::Text(words) => Content::Text(words.parse().expect("it is short")),
            Self::Proposal(place) => {
                Content::MatchProposal(proposal(place).try_into().expect("it is well-formed"))
            }
            Self::Answer(proposal, verdict) => {
                Content::MatchProposalAnswer(ProposalAnswer { proposal: *proposal, verdict: *verdict })
            }
        }
    }
}

/// What the checker remembers.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    pub(crate) intents: IdVec<IntentId, Intent>,
    /// The furthest that anybody asked to mark: room, reader.
    asked: Vec<(RoomId, Member, Timestamp)>,
    /// The newest acknowledged place of each room.
    acked: Vec<(RoomId, Timestamp)>,
    /// When each mark moved, in true time, and where to: room, reader, instant, place.
    marks: Vec<(RoomId, Member, i64, Timestamp)>,
    /// When each row was stored, in true time: room, instant, number.
    committed: Vec<(RoomId, i64, u64)>,
}

/// How many messages one send tries to store: once, and nine times more.
const COMMITS_MAX: u32 = 10;
/// How often one send reads the head: as it may be stale, strongly if that one refuses, and after each of nine attempts that
/// failed.
const HEADS_MAX: u32 = 11;
/// How many pages one request reads, each of [`PAGE_MAX`] rows at most: a search for each head, and a read mark reads two.
const PAGES_MAX: u32 = HEADS_MAX;
/// How many users' connections one request lists: both members'.
const LISTS_MAX: u32 = 2;
/// How many pushes go to connections that are not listed: one that is unknown is told so.
const TURNED_AWAY: u32 = 1;
/// How many connections one request closes: that many of those that are too many, or the one that is unknown.
const CLOSES_MAX: u32 = 4;
/// How many waits there are: one before each further attempt to store.
const WAITS_MAX: u32 = COMMITS_MAX - 1;
/// How many calls there are of all other kinds: a read mark reads its connection, moves the mark, and marks rows.
const OTHERS_MAX: u32 = 3;

/// How long the row of a connection may be missing before a frame has to notice that reads the row: not at all.
pub(crate) const UNNOTICED_BY_ROW_MS: i64 = 0;
/// The same for a frame that may take the list of connections for the row: as long as the index may lag, twice, since it may also
/// go back.
pub(crate) const UNNOTICED_BY_LIST_MS: i64 = 2 * INDEX_LAG_MAX_MS;

/// What a request has asked of the ports so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    calls: [u32; 9],
    /// How many connections were listed to it.
    pub(crate) listed: u32,
}

impl Tally {
    /// Counts a call; says whether a request may make so many of its kind.
    fn admits(&mut self, call: &Call) -> bool {
        let (kind, at_most) = match call {
            Call::Commit(_) | Call::PutRow(_) => (0, COMMITS_MAX),
            Call::Room(..) => (1, HEADS_MAX),
            Call::Page(..) => (2, PAGES_MAX),
            Call::OfUser(..) => (3, LISTS_MAX),
            Call::Push(..) => (4, self.listed + TURNED_AWAY),
            Call::DeleteIfBefore(..) => (5, self.listed),
            Call::Wait(_) => (6, WAITS_MAX),
            Call::Close(_) => (7, CLOSES_MAX),
            _ => (8, OTHERS_MAX),
        };
        self.calls[kind] += 1;
        let few_rows = !matches!(call, Call::MarkRows(_, _, rows, _) if rows.len() > PAGE_MAX);
        self.calls[kind] <= at_most && few_rows
    }
}

/// A page of history, as it is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) peer: User,
    pub(crate) range: PageRange,
    pub(crate) limit: usize,
}

impl World {
    /// The room of two users, and what it is called.
    fn place_of(&self, one: User, other: User) -> &(RoomId, String) {
        let mut rooms =
            self.rooms.iter().map(|(members, room)| (*members == (one.min(other), one.max(other)), room));
        rooms.find_map(|(same, room)| same.then_some(room)).expect("they are different users")
    }

    /// The room of two users.
    pub(crate) fn room_of(&self, one: User, other: User) -> RoomId {
        self.place_of(one, other).0.clone()
    }

    /// Whose room is called so.
    pub(crate) fn members_of(&self, room: &str) -> Option<(User, User)> {
        self.rooms.iter().find(|(_, (_, name))| name == room).map(|(members, _)| *members)
    }

    pub(crate) fn table_of(&self, one: User, other: User) -> Option<&Table> {
        self.store.table(&self.room_of(one, other))
    }

    /// Somebody has written something.
    pub(crate) fn intend(
        &mut self,
        user: User,
        peer: User,
        device: Option<DeviceId>,
        id: Option<ClientMessageId>,
        says: Says,
    ) -> IntentId {
        let room = self.room_of(user, peer);
        let follows = self.checker.acked.iter().find(|(acked, _)| *acked == room).map(|(_, at)| *at);
        self.checker.intents.push(Intent {
            user,
            peer,
            device,
            id,
            content: says.content(),
            says,
            follows,
            row: None,
            acked: None,
            refused: false,
            dropped: false,
            without_after: false,
        })
    }

    /// Somebody asks to mark a room as read.
    pub(crate) fn intend_mark(&mut self, user: User, peer: User, up_to: Timestamp) {
        let room = self.room_of(user, peer);
        let reader = room.member(&self.users[user]).expect("it is their room");
        match self.checker.asked.iter_mut().find(|(asked, by, _)| *asked == room && *by == reader) {
            Some((.., furthest)) => *furthest = up_to.max(*furthest),
            None => self.checker.asked.push((room, reader, up_to)),
        }
    }

    /// Before a call: whether its handler may make it.
    pub(crate) fn check_call(&mut self, task: TaskId, call: &Call) {
        let Some(running) = self.tasks.get_mut(task) else { return };
        if !running.tally.admits(call) {
            let tally = running.tally.clone();
            self.violate("G13", || format!("task {task} asks too much with {call:?}, after {tally:?}"));
        }
        let running = &self.tasks[task];
        let (kind, user, now) = (running.kind, running.user, running.now);
        match call {
            Call::Commit(append) => self.check_author(task, &append.message),
            Call::PutRow(message) => self.check_author(task, message),
            Call::AdvanceRead(room, reader, _) | Call::ForceMark(room, reader, _) => {
                if *room.email(*reader) != self.users[user] {
                    self.violate("G11", || {
                        format!("task {task} of user {user} marks for {}", room.email(*reader))
                    });
                }
                self.check_fresh(task, "marks as read");
            }
            Call::Delete(id) => {
                let own = kind == Kind::Disconnect && running.socket == socket_number(id);
                if !own {
                    self.violate("G7", || {
                        format!("task {task} deletes the row of {id}, which has not closed")
                    });
                }
            }
            Call::DeleteIfBefore(id, instant) => {
                let was_gone = socket_number(id).is_some_and(|socket| running.gone.contains(&socket));
                if !was_gone {
                    self.violate("G7", || format!("task {task} deletes the row of {id}, which answered"));
                }
                if *instant > now.before(CONNECTION_SETTLED_AFTER) {
                    self.violate("G7", || {
                        format!("task {task} deletes the row of {id}, which may only just be opening")
                    });
                }
            }
            Call::Close(id) => match (kind, socket_number(id)) {
                (Kind::Connect, Some(socket)) => self.check_one_too_many(task, socket),
                (Kind::Frame, Some(socket)) => self.check_turned_away(task, socket),
                _ => self.violate("G7", || format!("task {task} closes {id}")),
            },
            _ => {}
        }
    }

    /// Whoever connects closes only what is too much: of the connections that the same user had before, those that are the oldest.
    fn check_one_too_many(&mut self, task: TaskId, socket: SocketId) {
        let (user, own) = (self.tasks[task].user, self.tasks[task].socket);
        let place = |number: SocketId| (self.sockets[number].connected_at, &self.sockets[number].id);
        let closed = place(socket);
        let theirs = self.sockets.ids().filter(|number| self.sockets[*number].user == user);
        let until = own.map(|own| self.sockets[own].connected_at);
        let newer = theirs
            .filter(|number| {
                Some(*number) != own && place(*number) > closed && Some(place(*number).0) <= until
            })
            .count();
        let is_theirs = self.sockets[socket].user == user && own != Some(socket);
        if !is_theirs || newer + 1 < CONNECTIONS_MAX {
            self.violate("G7", || {
                format!("task {task} closes socket {socket}; between it and its own are only {newer}")
            });
        }
    }

    /// Whoever is told that its connection is unknown has sent a frame on it, and its row was missing at some time since.
    fn check_turned_away(&mut self, task: TaskId, socket: SocketId) {
        let running = &self.tasks[task];
        let row = self.store.connection(&self.sockets[socket].id);
        let row_is_there = row.is_some_and(|row| {
            row.row.as_ref().is_some_and(|connection| connection.may_be_open(running.now))
                && row.since_ms < running.asked_ms
        });
        if running.socket != Some(socket) || row_is_there {
            self.violate("G7", || format!("task {task} turns socket {socket} away, which is known"));
        }
    }

    fn check_author(&mut self, task: TaskId, message: &Message) {
        let user = self.tasks[task].user;
        if *message.sender_email() != self.users[user] {
            self.violate("G3", || format!("user {user} sends as {}", message.sender_email()));
        }
        self.check_fresh(task, "sends");
    }

    /// Whether the event's login counted at the event's time: to the millisecond, since the clock that says when it came is the
    /// one that says when it expires. What the gateway received in time may be handled at any later time.
    pub(crate) fn check_fresh(&mut self, task: TaskId, does: &str) {
        let running = &self.tasks[task];
        let fresh = match (running.kind, running.socket, running.token) {
            (Kind::Frame, Some(socket), _) => running.now < self.sockets[socket].fresh_until,
            (Kind::Connect | Kind::Rest, _, Some(token)) => {
                self.is_good(token, running.user, running.now, running.asked_ms)
            }
            _ => true,
        };
        if !fresh {
            let now = running.now;
            self.violate("G12", || format!("task {task} {does} at {now}, when its login counts no more"));
        }
    }

    /// A row that is about to be written over whatever is there.
    pub(crate) fn check_overwrite(&mut self, message: &Message) {
        let there = self
            .store
            .table(&message.room)
            .and_then(|table| table.find(message.at).ok().map(|place| table.rows[place].message.clone()));
        if let Some(there) = there {
            self.violate("G1", || format!("{there:?} is overwritten by {message:?}"));
        }
    }

    /// A row that has just been stored.
    pub(crate) fn check_row(&mut self, message: &Message) {
        let Some(table) = self.store.table(&message.room) else { return };
        let Ok(place) = table.find(message.at) else { return };
        if place + 1 < table.rows.len() {
            let newest = table.rows[table.rows.len() - 1].message.at;
            return self
                .violate("G6", || format!("{message:?} is stored before {newest}, which was visible"));
        }
        let before = place.checked_sub(1).map(|before| &table.rows[before].message);
        let expected_seq = before.map_or(1, |before| before.seq + 1);
        let expected_sender_seq = before.map_or(0, |before| before.sent_by(message.sender)) + 1;
        if message.seq != expected_seq || message.sender_seq != expected_sender_seq {
            return self.violate("G4", || {
                format!(
                    "{message:?} should be number {expected_seq}, and {expected_sender_seq} of its sender"
                )
            });
        }
        self.checker.committed.push((message.room.clone(), self.now_ms, message.seq));
        self.check_answer(message);
        self.check_intent(message);
    }

    /// The head of a room to which a row was added: it says of the rows what they say themselves.
    pub(crate) fn check_head(&mut self, id: &RoomId) {
        let Some(table) = self.store.table(id) else { return };
        let (Some(log), Some(row)) = (table.head().and_then(|head| head.log()), table.rows.last()) else {
            return;
        };
        let newest = &row.message;
        let recent = &table.rows[table.rows.len().saturating_sub(RECENT_MAX)..];
        let recent = recent.iter().map(|Row { message, .. }| Recent {
            id: message.id,
            sender: message.sender,
            at: message.at,
        });
        let answered = |at: Timestamp| table.rows.iter().any(|row| answers(&row.message, at));
        let same = (log.seq(), log.last_at(), log.last_sender()) == (newest.seq, newest.at, newest.sender)
            && log.last_kind() == newest.content.kind()
            // Nothing that is said here is long, or has more than one line.
            && log.preview() == newest.content.text()
            && [Member::A, Member::B].iter().all(|member| log.sent[*member] == newest.sent_by(*member))
            && log.recent.iter().copied().eq(recent)
            && log.open_proposals.iter().all(|open| {
                let proposed = table.find(open.at).ok().map(|place| &table.rows[place].message);
                proposed.is_some_and(|row| row.sender == open.proposer) && !answered(open.at)
            });
        if !same {
            let (log, newest) = (log.clone(), newest.clone());
            self.violate("G10", || format!("the head says {log:?}; the newest row is {newest:?}"));
        }
    }

    fn check_intent(&mut self, message: &Message) {
        let (sender, receiver) = (self.user(message.sender_email()), self.user(message.receiver_email()));
        let found = self.checker.intents.enumerated().find_map(|(place, intent)| {
            let named = intent.id.map(|id| id == message.id);
            let is_it = named.unwrap_or_else(|| intent.content == message.content)
                && Some(intent.user) == sender
                && Some(intent.peer) == receiver;
            is_it.then_some(place)
        });
        let Some(place) = found.filter(|place| self.checker.intents[*place].content == message.content)
        else {
            return self.violate("G3", || format!("nobody wrote {message:?}"));
        };
        let intent = &self.checker.intents[place];
        let refused = intent.refused;
        if let Some((at, seq)) = intent.row {
            if intent.without_after && message.seq > seq + PAGE_MAX as u64 {
                return;
            }
            return self.violate("G2", || format!("{message:?} is stored already, at {at}"));
        }
        if refused {
            return self.violate("G8", || format!("{message:?} was refused, and is stored"));
        }
        let follows = intent.follows;
        if follows >= Some(message.at) {
            return self.violate("G5", || format!("{message:?} was written after {follows:?}"));
        }
        let intent = &self.checker.intents[place];
        let waits = self.checker.intents.iter().take(place.index()).find(|earlier| {
            earlier.device == intent.device
                && earlier.user == intent.user
                && earlier.peer == intent.peer
                && earlier.row.is_none()
                && !earlier.refused
                && !earlier.dropped
        });
        if let (Some(waits), false) = (waits, intent.dropped) {
            let waits = waits.says.clone();
            return self
                .violate("G4", || format!("{message:?} is stored before {waits:?}, written before it"));
        }
        self.checker.intents[place].row = Some((message.at, message.seq));
    }

    /// The first answer in the room's order wins, and there is no second one.
    fn check_answer(&mut self, message: &Message) {
        let Content::MatchProposalAnswer(answer) = &message.content else { return };
        let Some(table) = self.store.table(&message.room) else { return };
        let proposal = table.find(answer.proposal).ok().map(|place| &table.rows[place].message);
        let proposed = proposal.is_some_and(|proposal| {
            let by_proposer = proposal.sender == message.sender;
            matches!(proposal.content, Content::MatchProposal(_))
                && by_proposer == (answer.verdict == Verdict::Withdrawn)
        });
        let answers = table.rows.iter().filter(|row| answers(&row.message, answer.proposal)).count();
        if !proposed || answers != 1 {
            self.violate("G4", || format!("{message:?} answers what is not open to its sender"));
        }
    }

    /// A mark that may have moved.
    pub(crate) fn check_mark(&mut self, id: &RoomId, reader: Member) {
        let Some(table) = self.store.table(id) else { return };
        let Some(mark) = table.reads()[reader].mark else { return };
        let before = self.mark_before(id, reader, i64::MAX);
        let went_back = before > Some(mark.up_to);
        if before != Some(mark.up_to) {
            self.checker.marks.push((id.clone(), reader, self.now_ms, mark.up_to));
        }
        let Some(table) = self.store.table(id) else { return };
        let covered = table.rows.iter().filter(|row| row.message.at <= mark.up_to);
        let count = covered.filter(|row| row.message.sender == reader.peer()).count() as u64;
        let asked =
            self.checker.asked.iter().find(|(room, by, _)| room == id && *by == reader).map(|(.., at)| *at);
        let (exists, newest) = (table.find(mark.up_to).is_ok(), table.rows.last().map(|row| row.message.at));
        if went_back {
            self.violate("G9", || format!("the mark of {reader:?} in {id} went back to {}", mark.up_to));
        } else if !exists || Some(mark.up_to) > newest {
            self.violate("G9", || {
                format!("the mark of {reader:?} in {id} is at {}, where nothing is", mark.up_to)
            });
        } else if count != mark.count {
            self.violate("G10", || {
                format!("the mark of {reader:?} in {id} counts {}, not {count}", mark.count)
            });
        } else if Some(mark.up_to) > asked {
            self.violate("G9", || {
                format!("the mark of {reader:?} in {id} is at {}, further than asked", mark.up_to)
            });
        }
    }

    /// How far somebody had read before an instant of true time, at least.
    fn mark_before(&self, room: &RoomId, reader: Member, ms: i64) -> Option<Timestamp> {
        let mut moves = self.checker.marks.iter().rev();
        moves.find(|(of, by, at, _)| of == room && *by == reader && *at < ms).map(|(.., up_to)| *up_to)
    }

    /// The answer to a read mark: it is so, and reaches as far as was asked for.
    pub(crate) fn check_marked(&mut self, task: TaskId, peer: User, asked: Timestamp, told: &ReadFrame) {
        let (user, asked_ms) = (self.tasks[task].user, self.tasks[task].asked_ms);
        let room = self.room_of(user, peer);
        let me = room.member(&self.users[user]).expect("it is their room");
        let up_to = told.up_to.parse::<Timestamp>().ok();
        let Some(table) = self.store.table(&room) else {
            return self.violate("G9", || format!("{told:?} is answered, and there is no {room}"));
        };
        let is = table.reads()[me].mark.map(|mark| mark.up_to);
        let there = usize::try_from(self.newest_seq_at(&room, asked_ms)).unwrap_or(usize::MAX);
        let there = &table.rows[..there.min(table.rows.len())];
        let asked_for = there[..there.partition_point(|row| row.message.at <= asked)].last();
        let right_names =
            told.room_id == self.place_of(user, peer).1 && told.reader_email == self.users[user].as_str();
        if !right_names || up_to > is || up_to < asked_for.map(|row| row.message.at) {
            let asked_for = asked_for.map(|row| row.message.at);
            self.violate("G9", || {
                format!("{told:?} is answered to {asked}, asked of {room}; it is {is:?}, and has to be {asked_for:?} at least")
            });
        }
    }

    /// Rows that have just been marked as read.
    pub(crate) fn check_read_rows(&mut self, id: &RoomId, rows: &[Timestamp]) {
        let Some(table) = self.store.table(id) else { return };
        let wrong = rows.iter().find(|at| {
            let row = table.find(**at).ok().map(|place| &table.rows[place].message);
            row.is_none_or(|row| table.reads()[row.sender.peer()].mark.is_none_or(|mark| mark.up_to < row.at))
        });
        if let Some(at) = wrong.copied() {
            self.violate("G9", || format!("{at} in {id} is marked as read, and was not"));
        }
    }

    /// A push: to whom, of what, and on whose behalf.
    pub(crate) fn check_push(&mut self, task: TaskId, socket: SocketId, event: &Event) {
        let to = &self.sockets[socket];
        let (user, now) = (to.user, self.tasks[task].now);
        let (room, by) = match event {
            Event::Message(message) => (&message.room, message.sender_email()),
            Event::Read { room, reader, .. } => (room, reader),
            Event::Typing { room, sender } => (room, sender),
            Event::UnknownConnection(_) => return self.check_turned_away(task, socket),
        };
        if room.member(&self.users[user]).is_none() {
            return self.violate("G11", || format!("user {user} is told of {room}: {event:?}"));
        }
        if *by != self.users[self.tasks[task].user] {
            return self.violate("G3", || format!("{event:?} is told, which somebody else has done"));
        }
        if now >= to.fresh_until {
            return self.violate("G12", || {
                format!("socket {socket} is told at {now}, when its login counts no more")
            });
        }
        match event {
            Event::Message(message) => {
                let table = self.store.table(room);
                let stored = table.and_then(|table| Some(&table.rows[table.find(message.at).ok()?].message));
                let same = stored.is_some_and(|stored| {
                    (stored.seq, stored.sender, stored.sender_seq, stored.id)
                        == (message.seq, message.sender, message.sender_seq, message.id)
                        && stored.content == message.content
                });
                if !same {
                    let stored = stored.cloned();
                    return self.violate("G3", || format!("{message:?} is pushed; stored is {stored:?}"));
                }
                self.check_read(message, message.read, "pushed");
            }
            Event::Read { room, reader, up_to } => {
                let reader = room.member(reader);
                let mark = reader.zip(self.store.table(room)).and_then(|(by, table)| table.reads()[by].mark);
                if mark.is_none_or(|mark| mark.up_to < *up_to) {
                    self.violate("G9", || format!("{event:?} is told, and is not so"));
                }
            }
            _ => {}
        }
    }

    /// Nobody is told that something was read which was not.
    fn check_read(&mut self, message: &Message, read: bool, how: &str) {
        let mark =
            self.store.table(&message.room).and_then(|table| table.reads()[message.sender.peer()].mark);
        if read && mark.is_none_or(|mark| mark.up_to < message.at) {
            self.violate("G9", || format!("{message:?} is {how} as read, and was not"));
        }
    }

    /// A message that a device is told of: all of it is as it is stored.
    pub(crate) fn check_shown(&mut self, seen: &MessageBody, how: &str) {
        let room = self.members_of(&seen.room_id).map(|(one, other)| self.room_of(one, other));
        let stored = room.and_then(|room| self.stored(&room, &seen.timestamp));
        let Some(stored) = stored.filter(|stored| differs(seen, stored).is_none()) else {
            return self.violate("G3", || format!("{seen:?} is {how}, and not stored so"));
        };
        self.check_read(&stored, seen.read, how);
    }

    fn stored(&self, room: &RoomId, at: &str) -> Option<Message> {
        let table = self.store.table(room)?;
        table.find(at.parse().ok()?).ok().map(|place| table.rows[place].message.clone())
    }

    /// A message was acknowledged.
    pub(crate) fn check_sent(&mut self, task: TaskId, intent: IntentId, sent: &SentFrame) {
        self.check_fresh(task, "is acknowledged");
        self.check_not_deaf(task, UNNOTICED_BY_LIST_MS);
        let meant = &self.checker.intents[intent];
        let room = self.room_of(meant.user, meant.peer);
        let stored = self.stored(&room, &sent.timestamp);
        let same = stored.as_ref().is_some_and(|stored| {
            sent.room_id == self.place_of(meant.user, meant.peer).1
                && sent.seq == stored.seq
                && sent.client_message_id.parse() == Ok(stored.id)
                && meant.id.is_none_or(|id| id == stored.id)
                && *stored.sender_email() == self.users[meant.user]
                && stored.content == meant.content
        });
        let Some(stored) = stored.filter(|_| same) else {
            let meant = meant.clone();
            return self.violate("G1", || format!("{meant:?} is acknowledged as {sent:?}"));
        };
        let ack = (stored.at, stored.seq);
        // What says no `after` may be stored twice, far apart; then either place is one.
        if !meant.without_after && (meant.row != Some(ack) || meant.acked.is_some_and(|before| before != ack))
        {
            let meant = meant.clone();
            return self.violate("G2", || format!("{meant:?} is acknowledged at {ack:?}"));
        }
        let stored_by_it = self.tasks[task].stored == Some(stored.at);
        if sent.duplicate == stored_by_it {
            return self.violate("G2", || {
                format!("{sent:?} is answered by task {task}, which stored it: {stored_by_it}")
            });
        }
        self.checker.intents[intent].acked = Some(ack);
        match self.checker.acked.iter_mut().find(|(acked, _)| *acked == room) {
            Some((_, at)) => *at = ack.0.max(*at),
            None => self.checker.acked.push((room, ack.0)),
        }
    }

    /// A message was refused. Only what is certain may be refused for good, and only for a reason.
    pub(crate) fn check_refused(&mut self, intent: IntentId, error: &ErrorBody) {
        if error.retryable {
            return;
        }
        let meant = self.checker.intents[intent].clone();
        if meant.row.is_some() {
            return self
                .violate("G8", || format!("{meant:?} is refused with {:?}, and is stored", error.code));
        }
        self.checker.intents[intent].refused = true;
        let Says::Answer(proposal, verdict) = &meant.says else {
            return self
                .violate("G8", || format!("{meant:?} is refused with {:?}, for no reason", error.code));
        };
        let answered = self
            .table_of(meant.user, meant.peer)
            .is_some_and(|table| table.rows.iter().any(|row| answers(&row.message, *proposal)));
        if !answered {
            self.violate("G8", || format!("{verdict:?} of {proposal}, which is open, is refused: {error:?}"));
        }
    }

    /// A frame was accepted: its client can be reached, or could be a moment ago.
    pub(crate) fn check_not_deaf(&mut self, task: TaskId, unnoticed_ms: i64) {
        let running = &self.tasks[task];
        let Some(socket) = running.socket.filter(|_| running.kind == Kind::Frame) else { return };
        let row = self.store.connection(&self.sockets[socket].id);
        let absent_since_ms =
            row.map_or(i64::MIN, |row| if row.row.is_some() { i64::MAX } else { row.since_ms });
        let asked_ms = running.asked_ms;
        if absent_since_ms.saturating_add(unnoticed_ms) < asked_ms {
            self.violate("G7", || {
                format!("socket {socket} has no row since {absent_since_ms}, and task {task} did not notice at {asked_ms}")
            });
        }
    }

    /// A page of history, as it was answered.
    pub(crate) fn check_history(&mut self, task: TaskId, asked: Asked, body: &HistoryBody) {
        self.check_fresh(task, "reads");
        let (user, asked_ms) = (self.tasks[task].user, self.tasks[task].asked_ms);
        let room = self.room_of(user, asked.peer);
        let me = room.member(&self.users[user]).expect("it is their room");
        if body.room_id != self.place_of(user, asked.peer).1 {
            return self.violate("G11", || format!("user {user} asked for {room} and got {}", body.room_id));
        }
        if body.messages.len() > asked.limit {
            return self
                .violate("G13", || format!("{asked:?} is answered with {} rows", body.messages.len()));
        }
        let begun = self.newest_seq_at(&room, asked_ms);
        let rows = self.store.table(&room).map_or(&[][..], |table| &table.rows);
        let wrong = misplaced(rows, asked.range, begun, body);
        if let Some(wrong) = wrong {
            let seqs: Vec<u64> = body.messages.iter().map(|message| message.seq).collect();
            let newest = rows.len();
            return self.violate("G6", || {
                format!("{asked:?} of {room} is answered with {seqs:?} of {newest}, of which {begun} were there when it was asked: {wrong}; {body:?}")
            });
        }
        let strong = matches!(asked.range, PageRange::After(_) | PageRange::Oldest);
        for (reader, told) in [(me, &body.my_read_up_to), (me.peer(), &body.peer_read_up_to)] {
            let told = told.as_ref().and_then(|told| told.parse::<Timestamp>().ok());
            let is = self.store.table(&room).and_then(|table| table.reads()[reader].mark);
            let was = self.mark_before(&room, reader, asked_ms);
            if told > is.map(|mark| mark.up_to) || (strong && told < was) {
                return self.violate("G9", || {
                    format!(
                        "{reader:?} is said to have read {room} up to {told:?}, was at {was:?}, is at {is:?}"
                    )
                });
            }
            let sent = body
                .messages
                .iter()
                .filter(|message| message.sender_email == room.email(reader.peer()).as_str());
            let told = told.map(|told| told.to_string());
            for message in sent {
                let covered = told.as_ref().is_some_and(|told| message.timestamp <= *told);
                if covered && !message.read {
                    return self.violate("G9", || format!("{message:?} is not read, and {told:?} is"));
                }
            }
        }
        for message in body.messages.iter().filter(|message| message.read) {
            if let Some(stored) = self.stored(&room, &message.timestamp) {
                self.check_read(&stored, true, "answered");
            }
        }
    }

    /// How many rows a room had at an instant of true time, at least.
    fn newest_seq_at(&self, room: &RoomId, at_ms: i64) -> u64 {
        let found = self.checker.committed.iter().rev().find(|(stored, ms, _)| stored == room && *ms < at_ms);
        found.map_or(0, |(.., seq)| *seq)
    }

    /// A list of conversations, as it was answered: each as it was at one moment.
    pub(crate) fn check_conversations(&mut self, task: TaskId, first: bool, body: &ConversationsBody) {
        self.check_fresh(task, "lists");
        let user = self.tasks[task].user;
        let listed = &body.conversations;
        if listed.len() > ROOMS_PAGE_MAX {
            return self.violate("G13", || format!("{} conversations in a page", body.conversations.len()));
        }
        for found in listed {
            if !self.was_so(user, found) {
                return self.violate("G10", || format!("user {user} is told {found:?}, which never was so"));
            }
        }
        let in_order = listed.windows(2).all(|pair| pair[0].last_timestamp >= pair[1].last_timestamp);
        let twice = (1..listed.len())
            .any(|place| listed[..place].iter().any(|other| other.peer_email == listed[place].peer_email));
        let sum: u64 = listed.iter().map(|found| found.unread).sum();
        if !in_order || twice || body.total_unread != first.then_some(sum) {
            self.violate("G10", || format!("user {user} is told {body:?}, where {sum} are unread"));
        }
    }

    /// Whether a conversation was as a list has it, at some moment.
    fn was_so(&self, user: User, found: &ConversationBody) -> bool {
        let peer = self.user_called(&found.peer_email);
        let Some(peer) = peer.filter(|peer| *peer != user) else { return false };
        let room = self.room_of(user, peer);
        let me = room.member(&self.users[user]).expect("it is their room");
        let Some(table) = self.store.table(&room) else { return false };
        let place = usize::try_from(found.last_seq).ok().and_then(|seq| seq.checked_sub(1));
        let Some(newest) = place.and_then(|place| table.rows.get(place)) else { return false };
        let newest = &newest.message;
        let same = newest.seq == found.last_seq
            && newest.at.to_string() == found.last_timestamp
            && newest.sender_email().as_str() == found.last_sender_email
            && kind(&newest.content) == Some(found.last_kind)
            && newest.content.text() == found.preview;
        same && table.versions.iter().enumerate().rev().any(|(version, head)| {
            let Some(head) = head.as_ref().filter(|head| head.seq() == found.last_seq) else { return false };
            let mark = head.read_up_to(me);
            let unread = table.rows.iter().filter(|row| {
                row.since <= version && row.message.sender == me.peer() && Some(row.message.at) > mark
            });
            unread.count() as u64 == found.unread
                && head.read_up_to(me.peer()).map(|at| at.to_string()) == found.peer_read_up_to
        })
    }

    fn has_row(&self, socket: SocketId) -> bool {
        self.store.connection(&self.sockets[socket].id).is_some_and(|row| row.row.is_some())
    }

    /// How many connections a user has.
    pub(crate) fn connections_of(&self, user: User) -> usize {
        let open = self
            .sockets
            .enumerated()
            .filter(|(_, socket)| socket.user == user && socket.at_gateway == End::Open);
        open.filter(|(number, _)| self.has_row(*number)).count()
    }

    /// Nothing goes wrong any more: whatever is open at both ends has its row, and nobody has more than one may have.
    pub(crate) fn check_connections(&mut self) {
        let deaf = self.sockets.enumerated().find_map(|(number, socket)| {
            let is_open = socket.at_gateway == End::Open && socket.at_client && !socket.silent;
            (is_open && !self.has_row(number)).then_some(number)
        });
        if let Some(number) = deaf {
            return self.violate("G7", || format!("socket {number} is open, and has no row"));
        }
        for user in self.users.ids() {
            let count = self.connections_of(user);
            if count > CONNECTIONS_MAX {
                return self.violate("G13", || format!("user {user} has {count} connections"));
            }
        }
    }

    /// At the end: what was acknowledged is there, and nothing else is.
    pub(crate) fn check_end(&mut self) {
        for place in self.checker.intents.ids() {
            let meant = self.checker.intents[place].clone();
            let stored = self.table_of(meant.user, meant.peer).and_then(|table| {
                let (at, _) = meant.row?;
                table.find(at).ok().map(|place| table.rows[place].message.content.clone())
            });
            if meant.acked.is_some() && stored.as_ref() != Some(&meant.content) {
                return self.violate("G1", || format!("{meant:?} was acknowledged; stored is {stored:?}"));
            }
            if meant.acked.is_none() && !meant.refused && !meant.dropped {
                return self.violate("live", || format!("{meant:?} was never answered"));
            }
        }
    }
}

/// Whether a message answers a proposal.
fn answers(message: &Message, proposal: Timestamp) -> bool {
    matches!(&message.content, Content::MatchProposalAnswer(answer) if answer.proposal == proposal)
}

/// What the wire calls a content, of those that are sent here.
fn kind(content: &Content) -> Option<KindName> {
    match content {
        Content::Text(_) => Some(KindName::Text),
        Content::MatchProposal(_) => Some(KindName::MatchProposal),
        Content::MatchProposalAnswer(_) => Some(KindName::MatchProposalAnswer),
        Content::Image { .. } | Content::Erased => None,
    }
}

/// What of a message that somebody is shown is not as it is stored; whether it is read changes, and is looked at elsewhere.
fn differs(seen: &MessageBody, stored: &Message) -> Option<&'static str> {
    let words = match &stored.content {
        Content::Text(words) => words.as_str(),
        Content::MatchProposal(proposal) => proposal.note.as_ref().map_or("", |note| note.as_str()),
        _ => "",
    };
    let proposal = match (&stored.content, &seen.proposal) {
        (Content::MatchProposal(stored), Some(seen)) => {
            stored.team_name.as_str() == seen.team_name
                && stored.opponent_team_name.as_str() == seen.opponent_team_name
                && seen.match_at.parse() == Ok(stored.match_at)
                && stored.place.as_str() == seen.place
                && stored.note.as_ref().map(|note| note.as_str()) == seen.note.as_deref()
        }
        (Content::MatchProposal(_), None) | (_, Some(_)) => false,
        (_, None) => true,
    };
    let answer = match (&stored.content, &seen.proposal_answer) {
        (Content::MatchProposalAnswer(stored), Some(seen)) => {
            seen.proposal.parse() == Ok(stored.proposal) && stored.verdict.as_str() == seen.answer
        }
        (Content::MatchProposalAnswer(_), None) | (_, Some(_)) => false,
        (_, None) => true,
    };
    [
        (seen.timestamp.parse() == Ok(stored.at), "timestamp"),
        (seen.seq == stored.seq, "seq"),
        (seen.sender_email == stored.sender_email().as_str(), "senderEmail"),
        (seen.receiver_email == stored.receiver_email().as_str(), "receiverEmail"),
        (seen.message == words, "message"),
        (Some(seen.kind) == kind(&stored.content), "kind"),
        (seen.client_message_id.parse() == Ok(stored.id), "clientMessageId"),
        (seen.attachment.is_none(), "attachment"),
        (proposal, "proposal"),
        (answer, "proposalAnswer"),
    ]
    .into_iter()
    .find_map(|(same, field)| (!same).then_some(field))
}

/// What is wrong with a page: its order, where it begins, where it ends, or what it says of what is beyond. `begun` rows were there
/// when it was asked for, which a strong read has to show.
fn misplaced(rows: &[Row], range: PageRange, begun: u64, body: &HistoryBody) -> Option<&'static str> {
    let forward = matches!(range, PageRange::After(_) | PageRange::Oldest);
    let mut before: Option<u64> = None;
    for seen in &body.messages {
        let next =
            before.is_none_or(|before| if forward { seen.seq == before + 1 } else { seen.seq + 1 == before });
        let place = usize::try_from(seen.seq).ok().and_then(|seq| seq.checked_sub(1));
        let Some(stored) = place.and_then(|place| rows.get(place)).filter(|_| next) else {
            return Some("order");
        };
        if seen.room_id != body.room_id {
            return Some("roomId");
        }
        if let Some(field) = differs(seen, &stored.message) {
            return Some(field);
        }
        before = Some(seen.seq);
    }
    let first = body.messages.first().map(|message| message.seq);
    let last = body.messages.last().map(|message| message.seq);
    let until = |at: Timestamp| rows.partition_point(|row| row.message.at <= at) as u64;
    let newest = rows.len() as u64;
    let (begins, ends) = match range {
        PageRange::After(_) | PageRange::Oldest => {
            let known = if let PageRange::After(after) = range { until(after) } else { 0 };
            let reached = last.unwrap_or(known);
            let ends = if body.has_more { last.is_some() && reached < newest } else { reached >= begun };
            (first.is_none_or(|first| first == known + 1), ends)
        }
        PageRange::Newest | PageRange::Before(_) => {
            let top = if let PageRange::Before(at) = range { until(at.previous()) } else { newest };
            (first.is_none_or(|first| first <= top), body.has_more == last.is_some_and(|last| last > 1))
        }
    };
    let last_at = body.messages.last().map(|message| &message.timestamp);
    let (next_before, next_after) = (body.next_before.as_ref(), body.next_after.as_ref());
    let cursors = match range {
        PageRange::After(after) => {
            next_before.is_none()
                && match last_at {
                    Some(at) => next_after == Some(at),
                    None => next_after.and_then(|next| next.parse().ok()) == Some(after),
                }
        }
        PageRange::Oldest => next_before.is_none() && next_after == last_at,
        PageRange::Newest | PageRange::Before(_) => {
            next_after.is_none() && next_before == last_at.filter(|_| body.has_more)
        }
    };
    [(begins, "beginning"), (ends, "end"), (cursors, "next page")]
        .into_iter()
        .find_map(|(right, what)| (!right).then_some(what))
}
