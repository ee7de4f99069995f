//! The log of observations, in the form in which the checkers look things up in it.

use std::sync::Arc;

use chat_domain::{
    ClientMessageId, Connection, ConnectionId, Content, Member, Message, PerMember, ReadMark, Room, RoomId,
    Timestamp,
};
use chat_wire::frames::ErrorBody;

use crate::directory::Directory;
use crate::ids::{DeviceId, Id, IdVec, IntentId, SocketId, TaskId, User};
use crate::observations::{Answer, EventKind, Observation, Says, TaskFacts, Written};

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
    /// Whoever wrote it lost it, or never cared.
    pub(crate) dropped: bool,
    /// It was sent without `after`: then it is recognised among the newest messages, and no further is
    /// promised.
    pub(crate) without_after: bool,
}

/// A message that is stored.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) message: Message,
    /// When it was stored, in true time.
    stored_ms: i64,
}

/// The head of a room at some time.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) room: Arc<Room>,
    /// How many rows there were then.
    pub(crate) rows: usize,
}

/// What was observed of a room.
#[derive(Debug)]
pub(crate) struct RoomRecord {
    pub(crate) id: RoomId,
    /// In the order in which they were stored, which is that of their timestamps as long as no promise is
    /// broken.
    pub(crate) rows: Vec<Row>,
    /// The head each time that a message was stored or a mark moved.
    pub(crate) heads: Vec<Head>,
    pub(crate) marks: PerMember<Option<ReadMark>>,
    /// Each time that a mark moved: whose, when in true time, and where to.
    moves: Vec<(Member, i64, Timestamp)>,
    /// The furthest that each member asked to mark.
    pub(crate) wanted: PerMember<Option<Timestamp>>,
    /// The newest place that was acknowledged.
    acked: Option<Timestamp>,
}

impl RoomRecord {
    fn new(id: RoomId) -> Self {
        Self {
            id,
            rows: Vec::new(),
            heads: Vec::new(),
            marks: PerMember::default(),
            moves: Vec::new(),
            wanted: PerMember::default(),
            acked: None,
        }
    }

    pub(crate) fn find(&self, at: Timestamp) -> Option<&Message> {
        let place = self.rows.binary_search_by_key(&at, |row| row.message.at).ok()?;
        Some(&self.rows[place].message)
    }

    /// The message of a number.
    pub(crate) fn numbered(&self, seq: u64) -> Option<&Message> {
        let place = usize::try_from(seq).ok()?.checked_sub(1)?;
        self.rows.get(place).map(|row| &row.message)
    }

    pub(crate) fn newest(&self) -> Option<&Message> {
        self.rows.last().map(|row| &row.message)
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

    fn store(&mut self, message: &Message, now_ms: i64) {
        self.rows.push(Row { message: message.clone(), stored_ms: now_ms });
    }

    fn keep_head(&mut self, head: &Arc<Room>) {
        self.heads.push(Head { room: Arc::clone(head), rows: self.rows.len() });
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

/// Everything that was observed.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) directory: Arc<Directory>,
    /// The true time of the latest observation.
    now_ms: i64,
    pub(crate) intents: IdVec<IntentId, Intent>,
    pub(crate) tasks: IdVec<TaskId, TaskFacts>,
    pub(crate) sockets: IdVec<SocketId, SocketRecord>,
    /// In the order of the directory.
    rooms: Vec<RoomRecord>,
    /// The intent of the message that is being stored, if anybody meant to write it.
    carried_out: Option<IntentId>,
    /// The timestamp of the message that is being shown or acknowledged.
    named_at: Option<Timestamp>,
}

impl Record {
    pub(crate) fn new(directory: Arc<Directory>) -> Self {
        let rooms = directory.places().iter().map(|place| RoomRecord::new(place.room.clone())).collect();
        Self {
            directory,
            now_ms: 0,
            intents: IdVec::default(),
            tasks: IdVec::default(),
            sockets: IdVec::default(),
            rooms,
            carried_out: None,
            named_at: None,
        }
    }

    pub(crate) fn room(&self, id: &RoomId) -> Option<&RoomRecord> {
        self.rooms.iter().find(|room| room.id == *id)
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
            Observation::Stored(stored) => self.stored(stored.message, stored.head),
            Observation::MarkSet { room, reader, mark, head } => {
                self.mark_set(room, *reader, *mark, *head);
            }
            Observation::ConnectionRow { socket, row } => self.row_written(*socket, *row),
            Observation::Answered { answer: Answer::Sent { intent, sent }, .. } => {
                if let Some(at) = self.named_at {
                    self.acknowledged(*intent, at, sent.seq);
                }
            }
            Observation::Answered { answer: Answer::Refused { intent, error }, .. } => {
                self.refused(*intent, error);
            }
            _ => {}
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
            dropped: unattended,
            without_after,
        });
    }

    fn stored(&mut self, message: &Message, head: Option<&Arc<Room>>) {
        if let Some(intent) = self.carried_out {
            self.intents[intent].row.get_or_insert((message.at, message.seq));
        }
        let now_ms = self.now_ms;
        let Some(room) = self.room_mut(&message.room) else { return };
        room.store(message, now_ms);
        if let Some(head) = head {
            room.keep_head(head);
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
            room.keep_head(head);
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

    fn refused(&mut self, intent: IntentId, error: &ErrorBody) {
        let meant = &mut self.intents[intent];
        meant.refused |= !error.retryable && meant.row.is_none();
    }
}
