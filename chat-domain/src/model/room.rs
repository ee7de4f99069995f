use std::time::Duration;

use super::client_message_id::ClientMessageId;
use super::message::{Content, Draft, Kind, Message};
use super::proposal::{OPEN_PROPOSALS_MAX, OpenProposal, OpenProposals, ProposalRefused};
use super::rate::{Bucket, SendRate};
use super::room_id::{Activity, Member, PerMember, RoomId};
use super::timestamp::Timestamp;

/// How many of its newest messages a room remembers by their [`ClientMessageId`], so that a retry that comes
/// soon is recognised without a search. With eight of them the head fits into one kilobyte, which is
/// DynamoDB's unit of writing.
pub const RECENT_MAX: usize = 8;

/// A room: everything that the rules need to know of a conversation, in one row (the "head"), however long it
/// is.
///
/// - Two halves are written apart: sending writes the [`RoomLog`], and each member's reading writes a
///   [`ReadState`]. So a read mark never makes a send conflict. Beside them the room says which members were
///   erased.
/// - The version of a room is the number of its messages, [`Room::seq`], which every send raises by one.
/// - All rules are pure functions of this type. A store only keeps what they return.
///
/// ```
/// use chat_domain::*;
/// let (minji, junho): (Email, Email) = ("minji@example.com".parse()?, "junho@example.com".parse()?);
/// let id = RoomId::new(&minji, &junho)?;
/// let sender = id.member(&minji).unwrap();
///
/// let draft = Draft { id: ClientMessageId::from_u128(1), sender, content: Content::Text("안녕하세요".parse()?) };
/// let mut room = Room::empty(id);
/// let append = room.append(&draft, "2026-11-23T09:00:00.000Z".parse()?, SendRate::default())?;
/// assert_eq!((append.expected_seq, append.message.seq), (0, 1));
/// room.apply(&append);
/// assert_eq!(room.unread(sender.peer()), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    id: RoomId,
    log: Option<RoomLog>,
    reads: PerMember<ReadState>,
    erased: PerMember<bool>,
}

/// The half of a room that sending writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomLog {
    /// The newest message. Callers that only read ask the log: [`seq`](Self::seq), [`last_at`](Self::last_at)
    /// and so on.
    pub newest: NewestMessage,
    /// How many messages each member has sent.
    pub sent: PerMember<u64>,
    /// The newest messages, oldest first: all of them, or [`RECENT_MAX`].
    pub recent: Vec<Recent>,
    /// How much of their [`SendRate`] each member has left; `None` before their first message.
    pub buckets: PerMember<Option<Bucket>>,
    /// The match proposals that wait for an answer, oldest first.
    pub open_proposals: Vec<OpenProposal>,
}

/// What a room's head keeps of its newest message: what lists show, and from which the next message gets its
/// number and its place.
///
/// It is not the whole [`Message`], because stored heads have no more than this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestMessage {
    /// The message's number in the room, and so how many messages the room has.
    pub seq: u64,
    /// The message's place in the room.
    pub at: Timestamp,
    /// Which member sent the message.
    pub sender: Member,
    /// The client's name for the message.
    pub id: ClientMessageId,
    /// What kind the message is.
    pub kind: Kind,
    /// The [`Content::preview`] of the message.
    pub preview: String,
}

impl NewestMessage {
    fn of(message: &Message) -> Self {
        let Message { seq, at, sender, id, .. } = *message;
        Self { seq, at, sender, id, kind: message.content.kind(), preview: message.content.preview() }
    }

    fn recent(&self) -> Recent {
        Recent { id: self.id, sender: self.sender, at: self.at }
    }

    /// Leaves what the head of a message knows whose content is [`Erased`](Content::Erased).
    fn erase(&mut self) {
        self.kind = Content::Erased.kind();
        self.preview = Content::Erased.preview();
    }
}

impl RoomLog {
    /// How many messages there are, and so the number of the newest.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.newest.seq
    }

    /// The newest message's timestamp.
    #[must_use]
    pub fn last_at(&self) -> Timestamp {
        self.newest.at
    }

    /// Who sent the newest message.
    #[must_use]
    pub fn last_sender(&self) -> Member {
        self.newest.sender
    }

    /// What kind the newest message is.
    #[must_use]
    pub fn last_kind(&self) -> Kind {
        self.newest.kind
    }

    /// The first characters of the newest message, on one line: its [`Content::preview`].
    #[must_use]
    pub fn preview(&self) -> String {
        self.newest.preview.clone()
    }

    /// Whether a `reader`'s mark counts no more messages than were sent to them. A mark that counts more was
    /// made in a room that was removed since.
    #[must_use]
    pub fn allows(&self, reader: Member, mark: ReadMark) -> bool {
        mark.count <= self.sent[reader.peer()]
    }
}

/// One of the newest messages: what its retry is recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recent {
    /// The client's name for the message.
    pub id: ClientMessageId,
    /// Which member sent the message.
    pub sender: Member,
    /// The message's place in the room.
    pub at: Timestamp,
}

/// How far a member has read: every message at or before `up_to`.
///
/// It carries the *count* of the peer's messages that it covers, so that the number of unread ones is one
/// subtraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMark {
    /// The timestamp of the newest message read.
    pub up_to: Timestamp,
    /// How many messages the peer had sent by then.
    pub count: u64,
}

impl ReadMark {
    /// The mark of a `reader` who has read everything up to `message`.
    #[must_use]
    pub fn at(message: &Message, reader: Member) -> Self {
        Self { up_to: message.at, count: message.sent_by(reader.peer()) }
    }
}

/// The half of a room that one member's reading writes. Both parts only ever move forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadState {
    /// How far the member has read; `None` before the first time.
    pub mark: Option<ReadMark>,
    /// Up to where the peer's rows have been marked as read, one by one. This follows `mark`.
    pub rows_marked_to: Option<Timestamp>,
}

impl ReadState {
    /// The state with `mark`, if that is further than the member has read. A mark never moves back.
    #[must_use]
    pub fn advanced(self, mark: ReadMark) -> Option<Self> {
        let further = self.mark.is_none_or(|current| current.up_to < mark.up_to);
        further.then_some(Self { mark: Some(mark), ..self })
    }

    /// Which rows of the peer still have to be marked: those after the first timestamp, up to the second.
    #[must_use]
    pub fn rows_to_mark(self) -> Option<(Option<Timestamp>, Timestamp)> {
        let up_to = self.mark?.up_to;
        (self.rows_marked_to < Some(up_to)).then_some((self.rows_marked_to, up_to))
    }
}

/// A new message and the log that counts it, which [`Room::append`] makes. A store writes both or neither,
/// and with them that the sender is not [erased](Room::erased).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The log of the room once it holds the message.
    pub log: RoomLog,
    /// The new message. It names its room.
    pub message: Message,
    /// The [`Room::seq`] that the stored room must have for the append to be valid; 0 when there must be no
    /// room.
    pub expected_seq: u64,
}

/// Why a message was not appended. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendRefused {
    /// The sender is too fast.
    #[error("too many messages; the next one is possible in {} ms", retry_after.as_millis())]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The proposal or the answer does not fit the room's state.
    #[error(transparent)]
    Proposal(#[from] ProposalRefused),
}

/// Whether a room already has a message, as far as its head can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recall {
    /// The room has the message, at this place.
    SentAt(Timestamp),
    /// The room does not have the message.
    Absent,
    /// The head does not reach back far enough: the answer is among the rows after this timestamp, or, with
    /// `None`, among the newest rows.
    Search(Option<Timestamp>),
    /// The client claims to know a message newer than the newest of this head.
    AheadOfRoom,
}

/// The stored parts of a room contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored room is corrupt: {0}")]
pub struct CorruptRoom(&'static str);

impl Room {
    /// The room of two users who have not written to each other yet. No store keeps it.
    #[must_use]
    pub fn empty(id: RoomId) -> Self {
        Self { id, log: None, reads: PerMember::default(), erased: PerMember::default() }
    }

    /// A room as a store kept it.
    ///
    /// # Errors
    /// [`CorruptRoom`] when the parts contradict each other.
    pub fn restore(id: RoomId, log: RoomLog, reads: PerMember<ReadState>) -> Result<Self, CorruptRoom> {
        let check = |holds: bool, rule: &'static str| if holds { Ok(()) } else { Err(CorruptRoom(rule)) };
        check(log.seq() > 0, "it holds no message")?;
        check(log.sent.a.checked_add(log.sent.b) == Some(log.seq()), "the members' counts do not add up")?;
        check(
            u64::try_from(log.recent.len()).is_ok_and(|len| len == log.seq().min(RECENT_MAX as u64)),
            "the recent messages are too many or too few",
        )?;
        check(log.recent.is_sorted_by(|x, y| x.at < y.at), "the recent messages are not in order")?;
        check(
            log.recent.last() == Some(&log.newest.recent()),
            "the newest message is not the last of the recent ones",
        )?;
        check(log.open_proposals.len() <= OPEN_PROPOSALS_MAX, "too many proposals are open")?;
        check(log.open_proposals.is_sorted_by(|x, y| x.at < y.at), "the open proposals are not in order")?;
        for (reader, state) in [(Member::A, reads.a), (Member::B, reads.b)] {
            if let Some(mark) = state.mark {
                check(mark.up_to <= log.last_at(), "a read mark is past the newest message")?;
                check(log.allows(reader, mark), "a read mark counts more than was sent")?;
            }
            check(
                state.rows_marked_to <= state.mark.map(|mark| mark.up_to),
                "rows are marked past the read mark",
            )?;
        }
        Ok(Self { id, log: Some(log), reads, erased: PerMember::default() })
    }

    /// The room with what a store keeps beside the two halves: which members were erased.
    #[must_use]
    pub fn with_erased(self, erased: PerMember<bool>) -> Self {
        Self { erased, ..self }
    }

    /// The name of the room, which says whose it is.
    #[must_use]
    pub fn id(&self) -> &RoomId {
        &self.id
    }

    /// What sending has written; `None` for an empty room.
    #[must_use]
    pub fn log(&self) -> Option<&RoomLog> {
        self.log.as_ref()
    }

    /// What a member's reading has written.
    #[must_use]
    pub fn read_state(&self, reader: Member) -> ReadState {
        self.reads[reader]
    }

    /// How many messages there are: the room's version.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.log.as_ref().map_or(0, RoomLog::seq)
    }

    /// How far a member has read.
    #[must_use]
    pub fn read_up_to(&self, reader: Member) -> Option<Timestamp> {
        self.reads[reader].mark.map(|mark| mark.up_to)
    }

    /// How many of the peer's messages a member has not read.
    #[must_use]
    pub fn unread(&self, reader: Member) -> u64 {
        let sent = self.log.as_ref().map_or(0, |log| log.sent[reader.peer()]);
        sent - self.reads[reader].mark.map_or(0, |mark| mark.count)
    }

    /// Whether the receiver of a message of this room has read it.
    #[must_use]
    pub fn is_read(&self, message: &Message) -> bool {
        message.read || self.read_up_to(message.sender.peer()) >= Some(message.at)
    }

    /// Which members were erased, and have not written since.
    #[must_use]
    pub fn erased(&self) -> PerMember<bool> {
        self.erased
    }

    /// Whether both members were erased. Then the conversation is nobody's any more.
    #[must_use]
    pub fn is_deserted(&self) -> bool {
        self.erased.a && self.erased.b
    }

    /// The room with the note that `member` was erased, and without what its head tells of their messages:
    /// the preview if the newest message is theirs, how fast they wrote, and the proposals they made. `None`
    /// when the room is like that already.
    ///
    /// The ids of the newest messages stay, since they say nothing and a retry is recognised by them.
    #[must_use]
    pub fn without(&self, member: Member) -> Option<Self> {
        let mut room = self.clone();
        let log = room.log.as_mut()?;
        if log.last_sender() == member {
            log.newest.erase();
        }
        log.buckets[member] = None;
        log.open_proposals.retain(|open| open.proposer != member);
        room.erased[member] = true;
        (room != *self).then_some(room)
    }

    /// Where the room stands in the lists of its members; `None` for an empty room, which stands in no list.
    #[must_use]
    pub fn activity(&self) -> Option<Activity> {
        self.log.as_ref().map(|log| Activity { day: log.last_at().day(), room: self.id.tag() })
    }

    /// Whether `sender` has already sent the message `id`. The client knew everything up to `after` when it
    /// made the message, so no message up to there can be it.
    ///
    /// The answer is exact only if rows are searched *after* this head was read: a message that is stored
    /// between the two is then found, and one that is stored later makes the commit conflict.
    #[must_use]
    pub fn recall(&self, sender: Member, id: ClientMessageId, after: Option<Timestamp>) -> Recall {
        let Some(log) = &self.log else {
            let knows_of_none = after <= Some(Timestamp::UNIX_EPOCH);
            return if knows_of_none { Recall::Absent } else { Recall::AheadOfRoom };
        };
        if let Some(found) = log.recent.iter().find(|recent| recent.id == id && recent.sender == sender) {
            return Recall::SentAt(found.at);
        }
        if after > Some(log.last_at()) {
            return Recall::AheadOfRoom;
        }
        let holds_all = log.seq() <= RECENT_MAX as u64;
        let reaches_back = log.recent.first().map(|oldest| oldest.at) <= after;
        if holds_all || reaches_back { Recall::Absent } else { Recall::Search(after) }
    }

    /// Appends a message. A sender who was erased is here again.
    ///
    /// The timestamp of the message is `now`, or one millisecond after the newest message when the clock is
    /// not past that. So timestamps strictly rise, whatever the clocks of the handlers say.
    ///
    /// # Errors
    /// [`AppendRefused`].
    pub fn append(&self, draft: &Draft, now: Timestamp, rate: SendRate) -> Result<Append, AppendRefused> {
        let sender = draft.sender;
        let log = self.log.as_ref();
        let at = log.map_or(now, |log| now.max(log.last_at().next()));
        let expected_seq = self.seq();
        let seq = expected_seq + 1;

        let mut sent = log.map_or_else(PerMember::default, |log| log.sent);
        sent[sender] += 1;

        let mut buckets = log.map_or_else(PerMember::default, |log| log.buckets);
        let bucket = Bucket::take(buckets[sender], rate, now)
            .map_err(|retry_after| AppendRefused::RateLimited { retry_after })?;
        buckets[sender] = Some(bucket);

        let mut proposals = OpenProposals(log.map_or_else(Vec::new, |log| log.open_proposals.clone()));
        match &draft.content {
            Content::Text(_) | Content::Image { .. } | Content::Erased => {}
            Content::MatchProposal(proposal) => {
                proposals.open(OpenProposal { at, proposer: sender, match_at: proposal.match_at })?;
            }
            Content::MatchProposalAnswer(answer) => proposals.close(*answer, sender, at)?,
        }

        let mut recent = Vec::with_capacity(RECENT_MAX);
        if let Some(log) = log {
            let kept = log.recent.len().min(RECENT_MAX - 1);
            recent.extend_from_slice(&log.recent[log.recent.len() - kept..]);
        }
        recent.push(Recent { id: draft.id, sender, at });

        let message = Message {
            room: self.id.clone(),
            at,
            seq,
            sender,
            sender_seq: sent[sender],
            id: draft.id,
            content: draft.content.clone(),
            read: false,
        };
        let newest = NewestMessage::of(&message);
        let log = RoomLog { newest, sent, recent, buckets, open_proposals: proposals.0 };
        Ok(Append { log, message, expected_seq })
    }

    /// Makes this the room that a store has once it has committed `append`, which this room made. Callers
    /// that go on with the room save a read.
    pub fn apply(&mut self, append: &Append) {
        debug_assert_eq!(
            self.seq(),
            append.expected_seq,
            "the append was made from another version of the room"
        );
        self.log = Some(append.log.clone());
        self.erased[append.message.sender] = false;
    }
}
