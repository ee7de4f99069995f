//! The log of observations, in the form in which the checkers look things up in it.

use std::sync::Arc;
use std::time::Duration;

use chat_domain::{
    ClientMessageId, Connection, ConnectionId, ConsentChange, Content, Effect, FirstContact, Member, Message,
    PerMember, ReadMark, RequestRate, Room, RoomId, Timestamp, User as UserRow,
};
use chat_wire::error::ErrorCode;
use chat_wire::frames::ErrorBody;

use crate::directory::Directory;
use crate::ids::{DeviceId, Id, IdMap, IdVec, IntentId, SocketId, TaskId, User};
use crate::observations::{Answer, EventKind, Hearer, Observation, Says, TaskFacts, Written};

/// What somebody meant to say, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub(crate) user: User,
    pub(crate) peer: User,
    pub(crate) device: Option<DeviceId>,
    /// `None` for a frame without an id, which the server then makes.
    pub(crate) id: Option<ClientMessageId>,
    pub(crate) says: Says,
    /// The same as it has to be stored.
    pub(crate) content: Content,
    /// The newest acknowledged place of the room when it was written.
    pub(crate) follows: Option<Timestamp>,
    /// Where it is stored.
    pub(crate) row: Option<(Timestamp, u64)>,
    /// The timestamp and number that the sender was told.
    pub(crate) acked: Option<(Timestamp, u64)>,
    /// It was refused for good.
    pub(crate) refused: bool,
    /// When the attempt came that was refused first, in true time, if that was because its receiver did
    /// not accept it.
    pub(crate) unwelcome_ms: Option<i64>,
    /// Whoever wrote it lost it, or never cared.
    pub(crate) dropped: bool,
    /// It was sent without `after`: then it is recognised among the newest messages, and no further is
    /// promised.
    pub(crate) without_after: bool,
}

/// A message that is stored, or an entry that tells of a change.
#[derive(Debug)]
pub(crate) struct StoredMessage {
    /// As it was stored.
    pub(crate) message: Message,
    /// When it was stored, in true time.
    stored_ms: i64,
    /// What each change has made of it, and when in true time.
    states: Vec<(i64, Message)>,
}

impl StoredMessage {
    /// The time of the message that it changes, if it tells of a change.
    pub(crate) fn target(&self) -> Option<Timestamp> {
        if let Content::Change(change) = &self.message.content { Some(change.target) } else { None }
    }

    /// Whether it is a message, and tells of no change.
    pub(crate) fn is_message(&self) -> bool {
        self.target().is_none()
    }

    /// Whether it was not there yet, at an instant.
    pub(crate) fn came_after(&self, ms: i64) -> bool {
        self.stored_ms >= ms
    }

    /// The message as it is now.
    pub(crate) fn now(&self) -> &Message {
        self.states.last().map_or(&self.message, |(_, state)| state)
    }

    /// As it was before an instant, or as it was stored if that was later.
    pub(crate) fn before(&self, ms: i64) -> &Message {
        let state = self.states.iter().rev().find(|(since_ms, _)| *since_ms < ms);
        state.map_or(&self.message, |(_, state)| state)
    }

    /// As it was when the entry of a number was the newest.
    pub(crate) fn up_to(&self, seq: u64) -> &Message {
        let state = self.states.iter().rev().find(|(_, state)| state.changed.by <= seq);
        state.map_or(&self.message, |(_, state)| state)
    }

    /// As the change of a number has left it; with nothing for a number, as it was stored.
    pub(crate) fn changed_by(&self, seq: Option<u64>) -> Option<&Message> {
        let seq = seq.unwrap_or(0);
        Some(self.up_to(seq)).filter(|state| state.changed.by == seq)
    }

    /// As it was before each of its changes.
    pub(crate) fn past(&self) -> impl Iterator<Item = &Message> {
        let all = std::iter::once(&self.message).chain(self.states.iter().map(|(_, state)| state));
        all.take(self.states.len())
    }

    fn change(&mut self, entry: &Message, effect: &Effect, now_ms: i64) {
        let changed = self.now().changed_by(entry, effect);
        if changed != *self.now() {
            self.states.push((now_ms, changed));
        }
    }
}

/// The head of a room at some time.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) room: Arc<Room>,
    /// How many rows there were then.
    pub(crate) rows: usize,
    /// Since when it is so, in true time.
    since_ms: i64,
}

impl Head {
    /// Whether there was another one, or none, at an instant.
    pub(crate) fn began_after(&self, ms: i64) -> bool {
        self.since_ms >= ms
    }
}

/// A time in which a member of a room blocks the other one.
#[derive(Debug)]
pub(crate) struct Block {
    from_ms: i64,
    /// `None` as long as it lasts.
    until_ms: Option<i64>,
    /// When it was acknowledged, if it was.
    pub(crate) acked_ms: Option<i64>,
    /// How far each member had read when it began.
    pub(crate) marks: PerMember<Option<Timestamp>>,
}

/// What a member of a room has decided about the other one.
#[derive(Debug, Default)]
pub(crate) struct ConsentRecord {
    /// The member has accepted the other's request in so many words.
    pub(crate) accepted: bool,
    /// When the member accepted or answered, in true time.
    accepted_ms: Option<i64>,
    blocks: Vec<Block>,
}

impl ConsentRecord {
    /// The block that lasts.
    pub(crate) fn block(&self) -> Option<&Block> {
        self.blocks.last().filter(|block| block.until_ms.is_none())
    }

    /// Whether the member has blocked the other one at some time since an instant.
    pub(crate) fn was_blocked_since(&self, ms: i64) -> bool {
        self.blocks.iter().any(|block| block.until_ms.is_none_or(|until_ms| until_ms >= ms))
    }

    /// Whether the member has not blocked the other one at some time since an instant.
    pub(crate) fn was_open_since(&self, ms: i64) -> bool {
        self.block().is_none_or(|block| block.from_ms >= ms)
    }

    /// Whether the member has accepted, answered or lifted a block since an instant.
    pub(crate) fn was_opened_since(&self, ms: i64) -> bool {
        let lifted = self.blocks.iter().filter_map(|block| block.until_ms);
        lifted.chain(self.accepted_ms).any(|opened_ms| opened_ms >= ms)
    }

    /// Whether the member had accepted or answered before an instant.
    pub(crate) fn had_accepted(&self, ms: i64) -> bool {
        self.accepted_ms.is_some_and(|accepted_ms| accepted_ms < ms)
    }
}

/// What was observed of a room.
#[derive(Debug)]
pub(crate) struct RoomRecord {
    pub(crate) id: RoomId,
    /// In the order in which they were stored, which is that of their timestamps as long as no promise is
    /// broken.
    pub(crate) rows: Vec<StoredMessage>,
    pub(crate) consent: PerMember<ConsentRecord>,
    /// Whether a report of each member is kept.
    pub(crate) reported_by: PerMember<bool>,
    /// The head each time that it changed.
    pub(crate) heads: Vec<Head>,
    pub(crate) marks: PerMember<Option<ReadMark>>,
    /// Each time that a mark moved: whose, when in true time, and where to.
    moves: Vec<(Member, i64, Timestamp)>,
    /// The furthest that each member asked to mark.
    pub(crate) wanted: PerMember<Option<Timestamp>>,
    /// The newest place that was acknowledged.
    acked: Option<Timestamp>,
    /// Whether any message has changed, or replies to another.
    pub(crate) has_references: bool,
}

impl RoomRecord {
    fn new(id: RoomId) -> Self {
        Self {
            id,
            rows: Vec::new(),
            consent: PerMember::default(),
            reported_by: PerMember::default(),
            heads: Vec::new(),
            marks: PerMember::default(),
            moves: Vec::new(),
            wanted: PerMember::default(),
            acked: None,
            has_references: false,
        }
    }

    pub(crate) fn row(&self, at: Timestamp) -> Option<&StoredMessage> {
        let place = self.rows.binary_search_by_key(&at, |row| row.message.at).ok()?;
        Some(&self.rows[place])
    }

    /// The message of a time, as it was stored.
    pub(crate) fn find(&self, at: Timestamp) -> Option<&Message> {
        self.row(at).map(|row| &row.message)
    }

    pub(crate) fn row_numbered(&self, seq: u64) -> Option<&StoredMessage> {
        self.rows.get(usize::try_from(seq).ok()?.checked_sub(1)?)
    }

    /// The message of a number, as it was stored.
    pub(crate) fn numbered(&self, seq: u64) -> Option<&Message> {
        self.row_numbered(seq).map(|row| &row.message)
    }

    /// The newest entry, as it was stored.
    pub(crate) fn newest(&self) -> Option<&Message> {
        self.rows.last().map(|row| &row.message)
    }

    /// The messages, without the entries that tell of changes.
    pub(crate) fn messages(&self) -> impl DoubleEndedIterator<Item = &StoredMessage> {
        self.rows.iter().filter(|row| row.is_message())
    }

    /// How many messages a member has sent.
    pub(crate) fn sent_by(&self, sender: Member) -> u64 {
        self.messages().filter(|row| row.message.sender == sender).count() as u64
    }

    pub(crate) fn head(&self) -> Option<&Arc<Room>> {
        self.heads.last().map(|head| &head.room)
    }

    /// How many rows there were before an instant of true time.
    pub(crate) fn rows_before(&self, ms: i64) -> usize {
        self.rows.partition_point(|row| row.stored_ms < ms)
    }

    pub(crate) fn read_up_to(&self, reader: Member) -> Option<Timestamp> {
        self.marks[reader].map(|mark| mark.up_to)
    }

    /// How far somebody had read before an instant of true time, at least.
    pub(crate) fn read_before(&self, reader: Member, ms: i64) -> Option<Timestamp> {
        let mut moves = self.moves.iter().rev();
        moves.find(|(by, at_ms, _)| *by == reader && *at_ms < ms).map(|(.., up_to)| *up_to)
    }

    /// Whether its receiver has read a message.
    pub(crate) fn is_read(&self, message: &Message) -> bool {
        self.read_up_to(message.sender.peer()).is_some_and(|up_to| up_to >= message.at)
    }

    /// Whether a proposal was answered.
    pub(crate) fn is_answered(&self, proposal: Timestamp) -> bool {
        self.rows.iter().any(|row| answers(&row.message, proposal))
    }

    /// The heads that were there at some time since an instant.
    pub(crate) fn heads_since(&self, ms: i64) -> impl Iterator<Item = &Head> {
        let first = self.heads.partition_point(|head| head.since_ms < ms);
        self.heads[first.saturating_sub(1)..].iter()
    }

    /// Whether a member has neither accepted nor answered the other's messages.
    pub(crate) fn is_strange_to(&self, member: Member) -> bool {
        self.consent[member].accepted_ms.is_none()
    }

    /// Whether an entry is an answer of its sender to the other member, by which a request is accepted: a
    /// message, or a reaction to one of the other's.
    fn is_answer(&self, entry: &Message, change: Option<(Timestamp, &Effect)>) -> bool {
        match (&entry.content, change) {
            (Content::Change(_), Some((target, Effect::React(_)))) => {
                self.find(target).is_some_and(|target| target.sender != entry.sender)
            }
            (Content::Change(_), _) => false,
            _ => true,
        }
    }

    /// Stores an entry, and what it changes if it does.
    fn store(&mut self, entry: &Message, change: Option<(Timestamp, &Effect)>, now_ms: i64) {
        if self.is_answer(entry, change) {
            self.consent[entry.sender].accepted_ms.get_or_insert(now_ms);
        }
        if let Some((target, effect)) = change
            && let Ok(place) = self.rows.binary_search_by_key(&target, |row| row.message.at)
        {
            self.rows[place].change(entry, effect, now_ms);
        }
        self.has_references |= change.is_some() || entry.reply_to.is_some();
        self.rows.push(StoredMessage { message: entry.clone(), stored_ms: now_ms, states: Vec::new() });
    }

    fn decide(&mut self, member: Member, head: &Arc<Room>, now_ms: i64) {
        let marks = PerMember { a: self.read_up_to(Member::A), b: self.read_up_to(Member::B) };
        let (is, was) = (head.consent(member), &mut self.consent[member]);
        if is.accepted {
            was.accepted = true;
            was.accepted_ms.get_or_insert(now_ms);
        }
        match (was.block().is_some(), is.blocked.is_some()) {
            (false, true) => {
                was.blocks.push(Block { from_ms: now_ms, until_ms: None, acked_ms: None, marks });
            }
            (true, false) => {
                was.blocks.last_mut().expect("one lasts").until_ms = Some(now_ms);
            }
            _ => {}
        }
    }

    fn keep_head(&mut self, head: &Arc<Room>, now_ms: i64) {
        self.heads.push(Head { room: Arc::clone(head), rows: self.rows.len(), since_ms: now_ms });
    }
}

/// Whether a message answers a proposal.
pub(crate) fn answers(message: &Message, proposal: Timestamp) -> bool {
    matches!(&message.content, Content::MatchProposalAnswer(answer) if answer.proposal == proposal)
}

/// What was observed of a socket.
#[derive(Debug)]
pub(crate) struct SocketRecord {
    pub(crate) user: User,
    pub(crate) id: ConnectionId,
    pub(crate) connected_at: Timestamp,
    /// Until when its login counts, by any good token that was presented on it.
    pub(crate) fresh_until: Timestamp,
    pub(crate) row: Option<Arc<Connection>>,
    /// Since when the row has been there, or has not, in true time.
    pub(crate) row_since_ms: i64,
}

/// What was observed of a user.
#[derive(Debug, Default)]
pub(crate) struct UserRecord {
    /// Since when the user is suspended, in true time.
    pub(crate) suspended_ms: Option<i64>,
    /// Since when whoever suspended them has the receipt.
    pub(crate) receipt_ms: Option<i64>,
    /// Since when the user is held up, in true time, and until when, by the clocks.
    pub(crate) held: Option<(i64, Timestamp)>,
    /// When the user was last suspended or held up, and is so no more.
    admitted_ms: Option<i64>,
}

impl UserRecord {
    fn written(&mut self, row: &UserRow, now_ms: i64) {
        if self.is_kept_out() {
            self.admitted_ms = Some(now_ms);
        }
        self.suspended_ms = row.suspended_since.map(|_| self.suspended_ms.unwrap_or(now_ms));
        self.receipt_ms = self.receipt_ms.filter(|_| self.suspended_ms.is_some());
        let since_ms = self.held.map_or(now_ms, |(since_ms, _)| since_ms);
        self.held = row.held_until.map(|until| (since_ms, until));
    }

    fn is_kept_out(&self) -> bool {
        self.suspended_ms.is_some() || self.held.is_some()
    }

    /// Whether the user was suspended or held up at some time since an instant.
    pub(crate) fn was_kept_out_since(&self, ms: i64) -> bool {
        self.is_kept_out() || self.admitted_ms.is_some_and(|admitted_ms| admitted_ms >= ms)
    }

    /// Since when the user is held up, in true time, if they are by a clock.
    pub(crate) fn held_ms(&self, now: Timestamp) -> Option<i64> {
        self.held.filter(|(_, until)| now < *until && *until <= now.after(HOUR)).map(|(since_ms, _)| since_ms)
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

/// How many requests came, and for how many they count at most.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) requests: u32,
    pub(crate) charged: u32,
}

/// Everything that was observed.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) directory: Arc<Directory>,
    /// The true time of the latest observation.
    now_ms: i64,
    pub(crate) first_contact: FirstContact,
    /// Whether a message's row is written after its head, and by itself.
    pub(crate) writes_ahead: bool,
    pub(crate) intents: IdVec<IntentId, Intent>,
    pub(crate) tasks: IdVec<TaskId, TaskFacts>,
    pub(crate) sockets: IdVec<SocketId, SocketRecord>,
    /// How many requests each process has got of each user.
    asked: IdMap<Hearer, Asked>,
    /// How many requests a user may make in an hour.
    pub(crate) per_hour: u32,
    pub(crate) users: IdVec<User, UserRecord>,
    /// In the order of the directory.
    rooms: Vec<RoomRecord>,
    /// The intent of the message that is being stored, if anybody meant to write it.
    carried_out: Option<IntentId>,
    /// The timestamp of the message that is being shown or acknowledged.
    named_at: Option<Timestamp>,
}

impl Record {
    pub(crate) fn new(directory: Arc<Directory>) -> Self {
        let rooms = directory.rooms().iter().map(|named| RoomRecord::new(named.room.clone())).collect();
        let users = directory.everybody().map(|_| UserRecord::default()).collect();
        Self {
            directory,
            now_ms: 0,
            first_contact: FirstContact::Open,
            writes_ahead: false,
            intents: IdVec::default(),
            tasks: IdVec::default(),
            sockets: IdVec::default(),
            asked: IdMap::default(),
            per_hour: RequestRate::default().per_hour.get(),
            users,
            rooms,
            carried_out: None,
            named_at: None,
        }
    }

    pub(crate) fn room(&self, id: &RoomId) -> Option<&RoomRecord> {
        self.rooms.iter().find(|room| room.id == *id)
    }

    /// Every room that there can be.
    pub(super) fn rooms(&self) -> &[RoomRecord] {
        &self.rooms
    }

    fn room_mut(&mut self, id: &RoomId) -> Option<&mut RoomRecord> {
        self.rooms.iter_mut().find(|room| room.id == *id)
    }

    /// The room of two users.
    pub(crate) fn room_of(&self, one: User, other: User) -> &RoomRecord {
        &self.rooms[self.directory.index_of(one, other)]
    }

    /// The room that is called so on the wire.
    pub(crate) fn room_called(&self, name: &str) -> Option<&RoomRecord> {
        let (one, other) = self.directory.members_of(name)?;
        Some(self.room_of(one, other))
    }

    /// The true time of the latest observation.
    pub(super) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// What a process has got of a user.
    pub(super) fn asked(&self, hearer: Hearer) -> Asked {
        self.asked.get(&hearer).copied().unwrap_or_default()
    }

    /// What each process has got of a user.
    pub(super) fn asked_each(&self, user: User) -> impl Iterator<Item = Asked> {
        self.asked.iter().filter(move |(hearer, _)| hearer.user() == user).map(|(_, asked)| *asked)
    }

    /// Whether a room is a request: one of its members has neither accepted nor answered.
    pub(super) fn is_request(&self, room: &RoomRecord) -> bool {
        let is_strange = || room.is_strange_to(Member::A) || room.is_strange_to(Member::B);
        self.first_contact == FirstContact::Request && !room.rows.is_empty() && is_strange()
    }

    /// Whether neither member of a room blocked the other, and it was no request, from an instant on.
    pub(super) fn were_in_touch_since(&self, room: &RoomRecord, ms: i64) -> bool {
        [Member::A, Member::B].into_iter().all(|member| {
            let consent = &room.consent[member];
            let is_known = self.first_contact == FirstContact::Open || consent.had_accepted(ms);
            is_known && !consent.was_blocked_since(ms)
        })
    }

    /// How far a member of a room may see at most that the other one has read.
    pub(super) fn shown_at_most(&self, room: &RoomRecord, viewer: Member) -> Option<Timestamp> {
        if self.is_request(room) {
            return None;
        }
        let reader = viewer.peer();
        let blocks = [Member::A, Member::B].map(|member| room.consent[member].block());
        let frozen = blocks.into_iter().flatten().map(|block| block.marks[reader]).min();
        frozen.unwrap_or_else(|| room.read_up_to(reader))
    }

    /// The intent of the message that is being stored, if anybody meant to write it.
    pub(super) fn carried_out(&self) -> Option<&Intent> {
        self.carried_out.map(|intent| &self.intents[intent])
    }

    /// The timestamp of the message that is being shown or acknowledged, if it is one.
    pub(super) fn named_at(&self) -> Option<Timestamp> {
        self.named_at
    }

    /// What was written before the message that is being stored.
    pub(super) fn written_before(&self) -> impl Iterator<Item = &Intent> {
        self.intents.iter().take(self.carried_out.map_or(0, Id::index))
    }

    fn intent_of(&self, message: &Message) -> Option<IntentId> {
        let sender = self.directory.user(message.sender_email());
        let receiver = self.directory.user(message.receiver_email());
        let found = self.intents.enumerated().find(|(_, intent)| {
            let is_named = intent.id.map(|id| id == message.id);
            is_named.unwrap_or_else(|| intent.content == message.content)
                && Some(intent.user) == sender
                && Some(intent.peer) == receiver
        });
        found.filter(|(_, intent)| intent.content == message.content).map(|(place, _)| place)
    }

    /// Whether a socket's connection has its row.
    pub(crate) fn has_row(&self, socket: SocketId) -> bool {
        self.sockets[socket].row.is_some()
    }

    /// An observation is made at a true time.
    pub(super) fn begin(&mut self, now_ms: i64, seen: &Observation<'_>) {
        self.now_ms = now_ms;
        match seen {
            Observation::Stored(stored) => self.carried_out = self.intent_of(stored.message),
            Observation::Shown { message, .. } => self.named_at = message.timestamp.parse().ok(),
            Observation::Answered { answer: Answer::Sent { sent, .. }, .. } => {
                self.named_at = sent.timestamp.parse().ok();
            }
            _ => {}
        }
    }

    /// Takes an observation in, when the checkers have seen it.
    pub(super) fn take(&mut self, seen: &Observation<'_>) {
        match seen {
            Observation::Written(written) => self.written(written),
            Observation::Forgotten(intent) => self.intents[*intent].dropped = true,
            Observation::Found { intent, at, seq } => {
                self.intents[*intent].acked.get_or_insert((*at, *seq));
            }
            Observation::MarkWanted { user, peer, up_to } => {
                let member = self.directory.member(*user, *peer);
                let room = &mut self.rooms[self.directory.index_of(*user, *peer)];
                room.wanted[member] = room.wanted[member].max(Some(*up_to));
            }
            Observation::SocketMade { user, id, connected_at } => {
                self.sockets.push(SocketRecord {
                    user: *user,
                    id: Clone::clone(id),
                    connected_at: *connected_at,
                    fresh_until: Timestamp::MIN,
                    row: None,
                    row_since_ms: i64::MIN,
                });
            }
            Observation::LoginCounts { socket, until } => {
                let fresh_until = &mut self.sockets[*socket].fresh_until;
                *fresh_until = (*until).max(*fresh_until);
            }
            Observation::Invoked(facts) => {
                if let (EventKind::Connect, Some(socket)) = (facts.kind, facts.socket) {
                    self.sockets[socket].connected_at = facts.now;
                }
                self.tasks.push(*facts);
            }
            Observation::Begun { task, life } => self.begun(*task, *life),
            Observation::Stored(stored) => self.stored(stored.message, stored.head),
            Observation::MarkSet { room, reader, mark, head } => {
                self.mark_set(room, *reader, *mark, *head);
            }
            Observation::ConnectionRow { socket, row } => self.row_written(*socket, *row),
            Observation::UserRow { user, row } => self.users[*user].written(row, self.now_ms),
            Observation::Suspended { user } => {
                let is = &mut self.users[*user];
                is.receipt_ms = is.suspended_ms.map(|_| self.now_ms);
            }
            Observation::Answered { answer: Answer::Sent { intent, sent }, .. } => {
                if let Some(at) = self.named_at {
                    self.acknowledged(*intent, at, sent.seq);
                }
            }
            Observation::Answered { task, answer: Answer::Refused { intent, error } } => {
                self.refused(*task, *intent, error);
            }
            seen => self.take_among_strangers(seen),
        }
    }

    /// Takes in what concerns consent.
    fn take_among_strangers(&mut self, seen: &Observation<'_>) {
        let now_ms = self.now_ms;
        match seen {
            Observation::ConsentSet { room, member, head } => {
                if let Some(room) = self.room_mut(room) {
                    room.decide(*member, head, now_ms);
                    room.keep_head(head, now_ms);
                }
            }
            Observation::Answered {
                task,
                answer: Answer::Decided { peer, change: ConsentChange::Block, .. },
            } => {
                let user = self.tasks[*task].user;
                let member = self.directory.member(user, *peer);
                let room = &mut self.rooms[self.directory.index_of(user, *peer)];
                let lasting = room.consent[member].blocks.last_mut();
                if let Some(block) = lasting.filter(|block| block.until_ms.is_none()) {
                    block.acked_ms.get_or_insert(now_ms);
                }
            }
            Observation::Reported(report) => {
                if let Some(room) = self.room_mut(&report.room) {
                    room.reported_by[report.reporter] = true;
                }
            }
            _ => {}
        }
    }

    /// What has not come as far as this is not counted: its process may be gone, and its region.
    fn begun(&mut self, task: TaskId, life: u32) {
        let facts = &mut self.tasks[task];
        facts.process.1 = life;
        let is_heard = match facts.kind {
            EventKind::Frame => true,
            EventKind::Rest => facts.token_counts,
            EventKind::Connect | EventKind::Disconnect | EventKind::Operator => false,
        };
        if is_heard {
            let asked = self.asked.entry(facts.hearer()).or_default();
            asked.requests += 1;
            asked.charged += facts.charged;
        }
    }

    fn written(&mut self, written: &Written) {
        let Written { user, peer, device, id, says, unattended, without_after } = written.clone();
        self.intents.push(Intent {
            user,
            peer,
            device,
            id,
            content: says.content(),
            says,
            follows: self.room_of(user, peer).acked,
            row: None,
            acked: None,
            refused: false,
            unwelcome_ms: None,
            dropped: unattended,
            without_after,
        });
    }

    fn stored(&mut self, message: &Message, head: Option<&Arc<Room>>) {
        let mut change = None;
        if let Some(intent) = self.carried_out {
            let meant = &mut self.intents[intent];
            meant.row.get_or_insert((message.at, message.seq));
            change = meant.says.change().map(|(target, effect)| (target, effect.clone()));
        }
        let now_ms = self.now_ms;
        let Some(room) = self.room_mut(&message.room) else { return };
        let change = change.as_ref().map(|(target, effect)| (*target, effect));
        room.store(message, change, now_ms);
        if let Some(head) = head {
            room.keep_head(head, now_ms);
        }
    }

    fn mark_set(&mut self, id: &RoomId, reader: Member, mark: ReadMark, head: Option<&Arc<Room>>) {
        let now_ms = self.now_ms;
        let Some(room) = self.room_mut(id) else { return };
        if room.read_up_to(reader) != Some(mark.up_to) {
            room.moves.push((reader, now_ms, mark.up_to));
        }
        room.marks[reader] = Some(mark);
        if let Some(head) = head {
            room.keep_head(head, now_ms);
        }
    }

    fn row_written(&mut self, socket: SocketId, row: Option<&Arc<Connection>>) {
        let now_ms = self.now_ms;
        let Some(socket) = self.sockets.get_mut(socket) else { return };
        if row.is_some() != socket.row.is_some() {
            socket.row_since_ms = now_ms;
        }
        socket.row = row.cloned();
    }

    fn acknowledged(&mut self, intent: IntentId, at: Timestamp, seq: u64) {
        let meant = &mut self.intents[intent];
        meant.acked = Some((at, seq));
        let (user, peer) = (meant.user, meant.peer);
        let room = &mut self.rooms[self.directory.index_of(user, peer)];
        room.acked = room.acked.max(Some(at));
    }

    fn refused(&mut self, task: TaskId, intent: IntentId, error: &ErrorBody) {
        // It was decided at some time since then.
        let asked_ms = self.tasks[task].asked_ms;
        let meant = &mut self.intents[intent];
        if error.retryable || meant.row.is_some() {
            return;
        }
        if error.code == ErrorCode::NotAccepted && !meant.refused {
            meant.unwelcome_ms = Some(asked_ms);
        }
        meant.refused = true;
    }
}
