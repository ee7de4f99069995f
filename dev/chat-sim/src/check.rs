//! The checker: what was promised, held against what is stored, pushed and answered.

use chat_domain::{
    CONNECTION_SETTLED_AFTER, ClientMessageId, Content, Event, Member, Message, PAGE_MAX, RoomId, Timestamp,
    Verdict,
};
use chat_lambda::wire::frames::{ErrorBody, SentFrame};
use chat_lambda::wire::message::MessageBody;
use chat_lambda::wire::rest::{ConversationsBody, HistoryBody};

use crate::ports::Call;
use crate::store::Table;
use crate::world::{INDEX_LAG_MAX_MS, Kind, World, socket_number};

/// What somebody meant to say.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub(crate) user: usize,
    pub(crate) peer: usize,
    pub(crate) device: usize,
    /// `None` for a frame of the seed's, whose id the server makes.
    pub(crate) id: Option<ClientMessageId>,
    pub(crate) says: Says,
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
    pub(crate) fn of(content: &Content) -> Self {
        match content {
            Content::Text(text) => Self::Text(text.as_str().to_owned()),
            Content::Image { .. } => Self::Text("an image".to_owned()),
            Content::Erased => Self::Text("nothing any more".to_owned()),
            Content::MatchProposal(proposal) => Self::Proposal(proposal.place.to_string()),
            Content::MatchProposalAnswer(answer) => Self::Answer(answer.proposal, answer.verdict),
        }
    }
}

/// What the checker remembers.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    pub(crate) intents: Vec<Intent>,
    /// The furthest that anybody asked to mark: room, reader.
    asked: Vec<(RoomId, Member, Timestamp)>,
    /// The newest acknowledged place of each room.
    acked: Vec<(RoomId, Timestamp)>,
    /// Where each mark was last.
    marks: Vec<(RoomId, Member, Timestamp)>,
    /// When each row was stored, in true time: room, instant, number.
    committed: Vec<(RoomId, i64, u64)>,
}

/// The most calls that one request makes of ports, by kind. A send tries ten times, with a head, a page and a commit each.
const CALLS_MAX: u32 = 100;
/// The most rows that one request reads.
const ROWS_MAX: u32 = 11 * (PAGE_MAX as u32 + 1);

/// How long a row may be missing before a frame on its connection has to notice: as long as the index may lag, twice, since
/// it may also go back.
const UNNOTICED_MAX_MS: i64 = 2 * INDEX_LAG_MAX_MS;

impl World {
    /// The room of two users.
    pub(crate) fn room_of(&self, one: usize, other: usize) -> RoomId {
        RoomId::new(&self.users[one], &self.users[other]).expect("they are different users")
    }

    pub(crate) fn table_of(&self, one: usize, other: usize) -> Option<&Table> {
        self.store.table(&self.room_of(one, other))
    }

    /// Somebody has written something.
    pub(crate) fn intend(
        &mut self,
        user: usize,
        peer: usize,
        device: usize,
        id: Option<ClientMessageId>,
        says: Says,
    ) -> usize {
        let room = self.room_of(user, peer);
        let follows = self.checker.acked.iter().find(|(acked, _)| *acked == room).map(|(_, at)| *at);
        self.checker.intents.push(Intent {
            user,
            peer,
            device,
            id,
            says,
            follows,
            row: None,
            acked: None,
            refused: false,
            dropped: false,
            without_after: false,
        });
        self.checker.intents.len() - 1
    }

    /// Somebody asks to mark a room as read.
    pub(crate) fn intend_mark(&mut self, user: usize, peer: usize, up_to: Timestamp) {
        let room = self.room_of(user, peer);
        let reader = room.member(&self.users[user]).expect("it is their room");
        match self.checker.asked.iter_mut().find(|(asked, by, _)| *asked == room && *by == reader) {
            Some((.., furthest)) => *furthest = up_to.max(*furthest),
            None => self.checker.asked.push((room, reader, up_to)),
        }
    }

    /// Before a call: whether its handler may make it.
    pub(crate) fn check_call(&mut self, task: usize, call: &Call) {
        let Some(running) = self.tasks.get_mut(task) else { return };
        running.calls += 1;
        if let Call::Page(_, query, _) = call {
            running.rows += u32::try_from(query.limit.get()).unwrap_or(u32::MAX);
        }
        let (calls, rows) = (running.calls, running.rows);
        if calls > CALLS_MAX || rows > ROWS_MAX {
            self.violate("G13", || format!("task {task} has made {calls} calls and read {rows} rows"));
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
            _ => {}
        }
    }

    fn check_author(&mut self, task: usize, message: &Message) {
        let user = self.tasks[task].user;
        if *message.sender_email() != self.users[user] {
            self.violate("G3", || format!("user {user} sends as {}", message.sender_email()));
        }
        self.check_fresh(task, "sends");
    }

    /// Whether the event's login counted at the event's time.
    pub(crate) fn check_fresh(&mut self, task: usize, does: &str) {
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

    fn check_intent(&mut self, message: &Message) {
        let (sender, receiver) = (self.user(message.sender_email()), self.user(message.receiver_email()));
        let says = Says::of(&message.content);
        let found = self.checker.intents.iter().position(|intent| {
            Some(intent.user) == sender
                && Some(intent.peer) == receiver
                && intent.says == says
                && intent.id.is_none_or(|id| id == message.id)
        });
        let Some(place) = found else {
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
        let waits = self.checker.intents[..place].iter().find(|earlier| {
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
        let answers = table.rows.iter().filter(|row| {
            matches!(&row.message.content, Content::MatchProposalAnswer(other) if other.proposal == answer.proposal)
        });
        let answers = answers.count();
        if !proposed || answers != 1 {
            self.violate("G4", || format!("{message:?} answers what is not open to its sender"));
        }
    }

    /// A mark that may have moved.
    pub(crate) fn check_mark(&mut self, id: &RoomId, reader: Member) {
        let Some(table) = self.store.table(id) else { return };
        let Some(mark) = table.reads()[reader].mark else { return };
        let before = self.checker.marks.iter_mut().find(|(room, by, _)| room == id && *by == reader);
        let went_back = match before {
            Some((.., at)) => std::mem::replace(at, mark.up_to) > mark.up_to,
            None => {
                self.checker.marks.push((id.clone(), reader, mark.up_to));
                false
            }
        };
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
    pub(crate) fn check_push(&mut self, task: usize, socket: usize, event: &Event) {
        let to = &self.sockets[socket];
        let (user, now) = (to.user, self.tasks[task].now);
        let room = match event {
            Event::Message(message) => &message.room,
            Event::Read { room, .. } | Event::Typing { room, .. } => room,
            Event::UnknownConnection(_) => {
                if self.tasks[task].socket != Some(socket) {
                    self.violate("G11", || {
                        format!("task {task} turns away socket {socket}, which did not ask")
                    });
                }
                return;
            }
        };
        if room.member(&self.users[user]).is_none() {
            return self.violate("G11", || format!("user {user} is told of {room}: {event:?}"));
        }
        if now >= to.fresh_until {
            return self.violate("G12", || {
                format!("socket {socket} is told at {now}, when its login counts no more")
            });
        }
        match event {
            Event::Message(message) => self.check_seen(&MessageBody::from(message), "pushed"),
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

    /// A message that somebody is shown: it is stored, and just so.
    pub(crate) fn check_seen(&mut self, seen: &MessageBody, how: &str) {
        let stored = self.stored(&seen.room_id, &seen.timestamp);
        let same = stored.as_ref().is_some_and(|stored| {
            stored.seq == seen.seq
                && stored.sender_email().as_str() == seen.sender_email
                && stored.receiver_email().as_str() == seen.receiver_email
                && stored.content.text() == seen.message
                && stored.id.to_string() == seen.client_message_id
        });
        if !same {
            return self.violate("G1", || format!("{seen:?} is {how}; stored is {stored:?}"));
        }
        let Some(stored) = stored.filter(|_| seen.read) else { return };
        let mark = self.store.table(&stored.room).and_then(|table| table.reads()[stored.sender.peer()].mark);
        if mark.is_none_or(|mark| mark.up_to < stored.at) {
            self.violate("G9", || format!("{seen:?} is {how} as read, and was not"));
        }
    }

    fn stored(&self, room: &str, at: &str) -> Option<Message> {
        let (room, at): (RoomId, Timestamp) = (room.parse().ok()?, at.parse().ok()?);
        let table = self.store.table(&room)?;
        table.find(at).ok().map(|place| table.rows[place].message.clone())
    }

    /// A message was acknowledged.
    pub(crate) fn check_sent(&mut self, task: usize, intent: usize, sent: &SentFrame) {
        self.check_fresh(task, "is acknowledged");
        self.check_not_deaf(task);
        let meant = self.checker.intents[intent].clone();
        let ack = sent.timestamp.parse::<Timestamp>().ok().map(|at| (at, sent.seq));
        let right_id = meant.id.is_none_or(|id| id.to_string() == sent.client_message_id);
        let Some(ack) = ack.filter(|_| right_id) else {
            return self.violate("G1", || format!("{meant:?} is acknowledged as {sent:?}"));
        };
        // What says no `after` may be stored twice, far apart; then either place is one.
        let elsewhere =
            meant.without_after && self.says_at(meant.user, meant.peer, ack) == Some(meant.says.clone());
        if !elsewhere && meant.row != Some(ack) {
            return self.violate("G1", || format!("{meant:?} is acknowledged at {ack:?}"));
        }
        if !elsewhere && meant.acked.is_some_and(|before| before != ack) {
            return self.violate("G2", || format!("{meant:?} is acknowledged again, at {ack:?}"));
        }
        self.checker.intents[intent].acked = Some(ack);
        let room = self.room_of(meant.user, meant.peer);
        match self.checker.acked.iter_mut().find(|(acked, _)| *acked == room) {
            Some((_, at)) => *at = ack.0.max(*at),
            None => self.checker.acked.push((room, ack.0)),
        }
    }

    /// What is stored at a place.
    fn says_at(&self, user: usize, peer: usize, (at, seq): (Timestamp, u64)) -> Option<Says> {
        let table = self.table_of(user, peer)?;
        let row = &table.rows[table.find(at).ok()?].message;
        (row.seq == seq).then(|| Says::of(&row.content))
    }

    /// A message was refused. Only what is certain may be refused for good, and only for a reason.
    pub(crate) fn check_refused(&mut self, intent: usize, error: &ErrorBody) {
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
        let answered = self.table_of(meant.user, meant.peer).is_some_and(|table| {
            table.rows.iter().any(|row| {
                matches!(&row.message.content, Content::MatchProposalAnswer(other) if other.proposal == *proposal)
            })
        });
        if !answered {
            self.violate("G8", || format!("{verdict:?} of {proposal}, which is open, is refused: {error:?}"));
        }
    }

    /// A frame was accepted: its client can be reached, or has been told that it cannot.
    pub(crate) fn check_not_deaf(&mut self, task: usize) {
        let running = &self.tasks[task];
        let Some(socket) = running.socket.filter(|_| running.kind == Kind::Frame) else { return };
        let id = crate::world::connection_id(socket);
        let row = self.store.connection(&id);
        let absent_since =
            row.map_or(i64::MIN, |row| if row.row.is_some() { i64::MAX } else { row.absent_since_ms });
        let asked_ms = running.asked_ms;
        if absent_since.saturating_add(UNNOTICED_MAX_MS) < asked_ms {
            self.violate("G7", || {
                format!(
                    "socket {socket} has no row since {} ms, and task {task} did not notice",
                    asked_ms - absent_since
                )
            });
        }
    }

    /// A page of history, as it was answered to a request with `after`, or for the newest rows.
    pub(crate) fn check_history(
        &mut self,
        task: usize,
        peer: usize,
        after: Option<Timestamp>,
        before: Option<Timestamp>,
        body: &HistoryBody,
    ) {
        self.check_fresh(task, "reads");
        let (user, asked_ms) = (self.tasks[task].user, self.tasks[task].asked_ms);
        let room = self.room_of(user, peer);
        if body.room_id != room.to_string() {
            return self.violate("G11", || format!("user {user} asked for {room} and got {}", body.room_id));
        }
        if body.messages.len() > PAGE_MAX {
            return self.violate("G13", || format!("a page of {} rows", body.messages.len()));
        }
        for message in &body.messages {
            self.check_seen(message, "answered");
        }
        let Some(table) = self.store.table(&room) else { return };
        let seqs: Vec<u64> = body.messages.iter().map(|message| message.seq).collect();
        let step = |from: u64| if after.is_some() { from + 1 } else { from.wrapping_sub(1) };
        let torn = seqs.windows(2).any(|pair| pair[1] != step(pair[0]));
        // The row that has to come first, and the newest row that a strong read has to show.
        let first = after.map(|after| table.rows.partition_point(|row| row.message.at <= after) as u64 + 1);
        let begun = self.newest_seq_at(&room, asked_ms);
        let Some(table) = self.store.table(&room) else { return };
        let newest = table.rows.len() as u64;
        let reached = seqs.last().copied();
        let skipped = match first {
            Some(first) => {
                seqs.first().is_some_and(|seq| *seq != first)
                    || (!body.has_more && reached.unwrap_or(first - 1) < begun)
                    || (body.has_more && reached.is_some_and(|seq| seq >= newest))
            }
            None => {
                let top =
                    before.map(|before| table.rows.partition_point(|row| row.message.at < before) as u64);
                let starts = seqs.first().is_some_and(|seq| top.is_some_and(|top| *seq > top));
                starts || (!body.has_more && reached.is_some_and(|seq| seq != 1))
            }
        };
        if torn || skipped {
            let more = body.has_more;
            return self.violate("G6", || {
                format!("a page of {room} after {after:?} before {before:?} holds {seqs:?}, more: {more}, of {newest}; {begun} were there when it was asked for")
            });
        }
        let me = room.member(&self.users[user]);
        for (member, told) in [(me, &body.my_read_up_to), (me.map(Member::peer), &body.peer_read_up_to)] {
            let told = told.as_ref().and_then(|told| told.parse::<Timestamp>().ok());
            let is = self.store.table(&room).zip(member).and_then(|(table, by)| table.reads()[by].mark);
            if told > is.map(|mark| mark.up_to) {
                return self
                    .violate("G9", || format!("{member:?} is said to have read {room} up to {told:?}"));
            }
        }
    }

    /// How many rows a room had at an instant of true time, at least.
    fn newest_seq_at(&self, room: &RoomId, at_ms: i64) -> u64 {
        let found = self.checker.committed.iter().rev().find(|(stored, ms, _)| stored == room && *ms < at_ms);
        found.map_or(0, |(.., seq)| *seq)
    }

    /// A list of conversations, as it was answered: each as it was at one moment.
    pub(crate) fn check_conversations(&mut self, task: usize, body: &ConversationsBody) {
        self.check_fresh(task, "lists");
        let user = self.tasks[task].user;
        for found in &body.conversations {
            let Some(peer) = self.users.iter().position(|email| email.as_str() == found.peer_email) else {
                return self.violate("G11", || format!("user {user} is told of {}", found.peer_email));
            };
            let room = self.room_of(user, peer);
            let me = room.member(&self.users[user]).expect("it is their room");
            let Some(table) = self.store.table(&room) else {
                return self.violate("G11", || format!("user {user} is told of {room}, which is not there"));
            };
            let so_it_was = table.versions.iter().enumerate().rev().any(|(version, head)| {
                let Some(head) = head else { return false };
                if head.seq() != found.last_seq {
                    return false;
                }
                let mark = head.read_up_to(me);
                let unread = table.rows.iter().filter(|row| {
                    row.since <= version && row.message.sender == me.peer() && Some(row.message.at) > mark
                });
                let newest = table.rows.iter().find(|row| row.message.seq == found.last_seq);
                unread.count() as u64 == found.unread
                    && newest.is_some_and(|row| row.message.at.to_string() == found.last_timestamp)
                    && head.read_up_to(me.peer()).map(|at| at.to_string()) == found.peer_read_up_to
            });
            if !so_it_was {
                return self.violate("G10", || format!("user {user} is told {found:?}, which never was so"));
            }
        }
        let sum: u64 = body.conversations.iter().map(|found| found.unread).sum();
        if body.total_unread.is_some_and(|total| total != sum) {
            self.violate("G10", || {
                format!("user {user} is told of {:?} unread, not {sum}", body.total_unread)
            });
        }
    }

    /// At the end: what was acknowledged is there, and nothing else is.
    pub(crate) fn check_end(&mut self) {
        for place in 0..self.checker.intents.len() {
            let meant = self.checker.intents[place].clone();
            let stored = self.table_of(meant.user, meant.peer).and_then(|table| {
                let (at, _) = meant.row?;
                table.find(at).ok().map(|place| Says::of(&table.rows[place].message.content))
            });
            if meant.acked.is_some() && stored.as_ref() != Some(&meant.says) {
                return self.violate("G1", || format!("{meant:?} was acknowledged; stored is {stored:?}"));
            }
            if meant.acked.is_none() && !meant.refused && !meant.dropped {
                return self.violate("live", || format!("{meant:?} was never answered"));
            }
        }
    }
}
