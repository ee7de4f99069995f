use std::time::Duration;

use super::change::{Change, ChangeDraft, ChangeRefused, Changed, Effect};
use super::client_message_id::ClientMessageId;
use super::consent::{Consent, ConsentChange, ConsentWrite, FirstContact, REQUEST_MESSAGES_MAX};
use super::message::{Content, Draft, Kind, Message};
use super::proposal::{OPEN_PROPOSALS_MAX, OpenProposal, OpenProposals, ProposalRefused};
use super::rate::{Bucket, SendPolicy};
use super::read_state::{ReadMark, ReadState};
use super::room_id::{Activity, Member, PerMember, RoomId};
use super::text::MessageText;
use super::timestamp::Timestamp;

/// How many of its newest messages a room remembers by their [`ClientMessageId`], so that a retry that comes
/// soon is recognised without a search. With eight of them the head fits into one kilobyte, which is
/// DynamoDB's unit of writing.
pub const RECENT_MAX: usize = 8;

/// A room: everything that the rules need to know of a conversation, in one row (the "head"), however long it
/// is.
///
/// - Two halves are written apart: sending writes the [`RoomLog`], and each member's reading writes a
///   [`ReadState`]. So a read mark never makes a send conflict. Beside them stands what each member has
///   decided about the other, their [`Consent`], and which members were erased.
/// - The version of a room is the number of its entries, [`Room::seq`], which every message and every change
///   of one raises by one.
/// - All rules are pure functions of this type. A store only keeps what they return.
///
/// ```
/// use chat_domain::*;
/// let (minji, junho): (Email, Email) = ("minji@example.com".parse()?, "junho@example.com".parse()?);
/// let id = RoomId::new(&minji, &junho)?;
/// let sender = id.member(&minji).unwrap();
///
/// let content = Content::Text("안녕하세요".parse()?);
/// let draft = Draft { id: ClientMessageId::from_u128(1), sender, content, reply_to: None };
/// let mut room = Room::empty(id);
/// let append = room.append(&draft, "2026-11-23T09:00:00.000Z".parse()?, SendRate::default())?;
/// assert_eq!((append.expected_seq, append.message().seq), (0, 1));
/// room.apply(&append);
/// assert_eq!(room.unread(sender.peer()), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    id: RoomId,
    /// Boxed, since it is most of a room, and rooms go through many hands.
    log: Option<Box<RoomLog>>,
    reads: PerMember<ReadState>,
    consent: PerMember<Consent>,
    erased: PerMember<bool>,
}

/// The half of a room that sending writes. A store replaces it as a whole, at the version that it was made
/// from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomLog {
    /// The newest entry, whole: a message, or a change of one.
    pub newest: Message,
    /// How many messages each member has sent.
    pub sent: PerMember<u64>,
    /// How many changes there were.
    pub changes: u64,
    /// What lists show while the newest entry is a change; otherwise [`newest`](Self::newest) is shown.
    pub shown: Option<LastMessage>,
    /// Whether each member has reacted to a message of the other.
    pub reacted: PerMember<bool>,
    /// The newest entries, oldest first: all of them, or [`RECENT_MAX`].
    pub recent: Vec<Recent>,
    /// How much of their [`SendRate`](crate::SendRate) each member has left; `None` before their first
    /// message.
    pub buckets: PerMember<Option<Bucket>>,
    /// The match proposals that wait for an answer, oldest first.
    pub open_proposals: Vec<OpenProposal>,
}

/// The newest message of a room as lists show it: what is left of it, without changes that are newer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastMessage {
    /// The place of the message.
    pub at: Timestamp,
    /// Who sent the message.
    pub sender: Member,
    /// What kind of message it is.
    pub kind: Kind,
    /// The first characters of the message, on one line: its [`Content::preview`].
    pub preview: String,
}

impl LastMessage {
    fn of(message: &Message) -> Self {
        let content = &message.content;
        Self { at: message.at, sender: message.sender, kind: content.kind(), preview: content.preview() }
    }

    /// What lists show once a change with this effect has happened to the message at `target`.
    fn changed(self, target: Timestamp, effect: &Effect) -> Self {
        match effect {
            Effect::Edit(text) if target == self.at => Self { preview: preview_of(text), ..self },
            Effect::Delete if target == self.at => {
                Self { kind: Kind::Deleted, preview: String::new(), ..self }
            }
            _ => self,
        }
    }
}

fn preview_of(text: &MessageText) -> String {
    Content::Text(text.clone()).preview()
}

impl RoomLog {
    /// How many entries there are, and so the number of the newest.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.newest.seq
    }

    /// The newest entry's timestamp.
    #[must_use]
    pub fn last_at(&self) -> Timestamp {
        self.newest.at
    }

    /// The newest message, as lists show it.
    #[must_use]
    pub fn last_message(&self) -> LastMessage {
        self.shown.clone().unwrap_or_else(|| LastMessage::of(&self.newest))
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

impl Recent {
    /// What a retry of this message is recognised by.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        Self { id: message.id, sender: message.sender, at: message.at }
    }
}

/// A new entry and the log that counts it, which [`Room::append`] and [`Room::change`] make. A store writes
/// both or neither, and with them that the sender is not [erased](Room::erased); and it writes nothing while
/// the receiver [blocks](Consent::blocked) the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The log of the room once it holds the entry, which is its newest.
    pub log: RoomLog,
    /// What becomes of the target, if the entry is a change.
    pub effect: Option<Effect>,
    /// The [`Room::seq`] that the stored room must have for the append to be valid; 0 when there must be no
    /// room.
    pub expected_seq: u64,
}

impl Append {
    /// The new message or change. It names its room.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.log.newest
    }

    /// Which message the entry changes, and how, if it is a change.
    #[must_use]
    pub fn change(&self) -> Option<(Timestamp, &Effect)> {
        match (&self.log.newest.content, &self.effect) {
            (Content::Change(change), Some(effect)) => Some((change.target, effect)),
            _ => None,
        }
    }
}

/// Why a message was not appended. Nothing changed. Refuse by it only on a head that was read strongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendRefused {
    /// The sender is too fast.
    #[error("too many messages; the next one is possible in {} ms", retry_after.as_millis())]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The receiver blocks the sender, or has not accepted the request, and the message goes beyond it.
    #[error("the receiver does not accept the message")]
    NotAccepted,
    /// The proposal or the answer does not fit the room's state.
    #[error(transparent)]
    Proposal(#[from] ProposalRefused),
    /// The message cannot be changed so, or there is none.
    #[error(transparent)]
    Change(#[from] ChangeRefused),
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

/// By the clocks, the block was made after the attempt to lift it, so it is not certain that the member means
/// this block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the block is newer than the attempt to lift it")]
pub struct UnblockInDoubt;

/// The stored parts of a room contradict each other: an adapter wrote, or read, something wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored room is corrupt: {0}")]
pub struct CorruptRoom(&'static str);

impl Room {
    /// The room of two users who have not written to each other yet. No store keeps it.
    #[must_use]
    pub fn empty(id: RoomId) -> Self {
        let (reads, consent, erased) = (PerMember::default(), PerMember::default(), PerMember::default());
        Self { id, log: None, reads, consent, erased }
    }

    /// A room as a store kept it.
    ///
    /// # Errors
    /// [`CorruptRoom`] when the parts contradict each other.
    pub fn restore(id: RoomId, log: RoomLog, reads: PerMember<ReadState>) -> Result<Self, CorruptRoom> {
        let check = |holds: bool, rule: &'static str| if holds { Ok(()) } else { Err(CorruptRoom(rule)) };
        check(log.seq() > 0, "it holds no message")?;
        let counted = log.sent.a.checked_add(log.sent.b).and_then(|sent| sent.checked_add(log.changes));
        check(counted == Some(log.seq()), "the counts do not add up")?;
        check(log.newest.changes == log.changes, "the newest entry counts other changes")?;
        let is_change = matches!(log.newest.content, Content::Change(_));
        check(log.shown.is_some() == is_change, "what is shown is not the newest message")?;
        check(
            u64::try_from(log.recent.len()).is_ok_and(|len| len == log.seq().min(RECENT_MAX as u64)),
            "the recent messages are too many or too few",
        )?;
        check(log.recent.is_sorted_by(|x, y| x.at < y.at), "the recent messages are not in order")?;
        check(log.newest.room == id, "the newest message is of another room")?;
        check(log.newest.sender_seq == log.sent[log.newest.sender], "the newest message counts otherwise")?;
        check(
            log.recent.last() == Some(&Recent::of(&log.newest)),
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
                state.shown_to <= state.mark.map(|mark| mark.up_to),
                "more is shown as read than was read",
            )?;
        }
        Ok(Self { log: Some(Box::new(log)), reads, ..Self::empty(id) })
    }

    /// The room with what a store keeps beside the two halves: what the members have decided about each
    /// other.
    #[must_use]
    pub fn with_consent(self, consent: PerMember<Consent>) -> Self {
        Self { consent, ..self }
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
        self.log.as_deref()
    }

    /// What a member's reading has written.
    #[must_use]
    pub fn read_state(&self, reader: Member) -> ReadState {
        self.reads[reader]
    }

    /// Whether the conversation is in no list of this member: there is no message that they have not cleared.
    #[must_use]
    pub fn is_cleared_for(&self, member: Member) -> bool {
        let newest = self.log.as_deref().map(|log| log.last_message().at);
        newest <= self.reads[member].cleared_to
    }

    /// How many messages there are: the room's version, at which a commit replaces its head.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.log.as_deref().map_or(0, RoomLog::seq)
    }

    /// How far a member has read.
    #[must_use]
    pub fn read_up_to(&self, reader: Member) -> Option<Timestamp> {
        self.reads[reader].mark.map(|mark| mark.up_to)
    }

    /// How many of the peer's messages a member has not read, exactly: what the member's mark does not cover.
    #[must_use]
    pub fn unread(&self, reader: Member) -> u64 {
        let sent = self.log.as_deref().map_or(0, |log| log.sent[reader.peer()]);
        sent - self.reads[reader].mark.map_or(0, |mark| mark.count)
    }

    /// How far `viewer` sees that their peer has read: as far as the peer has read, or, while the two are not
    /// [in touch](Self::are_in_touch), as far as they had when they last were.
    #[must_use]
    pub fn peer_read_up_to(&self, viewer: Member, first_contact: FirstContact) -> Option<Timestamp> {
        let peer = self.reads[viewer.peer()];
        if self.are_in_touch(first_contact) { peer.mark.map(|mark| mark.up_to) } else { peer.shown_to }
    }

    /// Whether `viewer` sees a message of this room as read by its receiver.
    #[must_use]
    pub fn is_read(&self, message: &Message, viewer: Member, first_contact: FirstContact) -> bool {
        let up_to = if viewer == message.sender {
            self.peer_read_up_to(viewer, first_contact)
        } else {
            self.read_up_to(viewer)
        };
        up_to >= Some(message.at)
    }

    /// What one member has decided about the other.
    #[must_use]
    pub fn consent(&self, member: Member) -> Consent {
        self.consent[member]
    }

    /// What both members have decided about each other.
    #[must_use]
    pub fn consents(&self) -> PerMember<Consent> {
        self.consent
    }

    /// Who began the conversation, while it is a request: the other one has neither answered nor accepted it.
    #[must_use]
    pub fn request_of(&self, first_contact: FirstContact) -> Option<Member> {
        self.log.as_deref()?;
        let begun_by = [Member::A, Member::B].into_iter().find(|member| !self.is_accepted_by(member.peer()));
        begun_by.filter(|_| first_contact == FirstContact::Request)
    }

    /// Whether one of the two learns that the other types, and how far they read: not in a request, not while
    /// either blocks the other, and not before anything was said.
    #[must_use]
    pub fn are_in_touch(&self, first_contact: FirstContact) -> bool {
        let nobody_blocks =
            [Member::A, Member::B].iter().all(|member| self.consent[*member].blocked.is_none());
        self.log.is_some() && nobody_blocks && self.request_of(first_contact).is_none()
    }

    /// Whether `sender` may send an image, if they may send at all.
    #[must_use]
    pub fn admits_images(&self, sender: Member, first_contact: FirstContact) -> bool {
        let receiver = sender.peer();
        let accepted = first_contact == FirstContact::Open || self.is_accepted_by(receiver);
        accepted && self.consent[receiver].blocked.is_none()
    }

    fn is_accepted_by(&self, receiver: Member) -> bool {
        let has_answered = |log: &RoomLog| log.sent[receiver] > 0 || log.reacted[receiver];
        self.consent[receiver].accepted || self.log.as_deref().is_some_and(has_answered)
    }

    /// What has to be written for `member` to change their mind at `now`; nothing when the room says so
    /// already.
    ///
    /// A block is written even where there is one, since an attempt to lift the earlier one may still be
    /// on its way.
    ///
    /// # Errors
    /// [`UnblockInDoubt`] when the member has blocked the other later than `now`: the attempt is an old
    /// one, or the clock is behind.
    pub fn change_of_consent(
        &self,
        member: Member,
        change: ConsentChange,
        now: Timestamp,
        first_contact: FirstContact,
    ) -> Result<Option<ConsentWrite>, UnblockInDoubt> {
        let Consent { accepted, blocked } = self.consent[member];
        match (change, blocked) {
            (ConsentChange::Accept, _) => Ok((!accepted).then_some(ConsentWrite::Accept)),
            (ConsentChange::Block, _) => {
                let freezes_reads = self.are_in_touch(first_contact);
                Ok(Some(ConsentWrite::Block { at: now, freezes_reads }))
            }
            (ConsentChange::Unblock, None) => Ok(None),
            (ConsentChange::Unblock, Some(of)) if of <= now => Ok(Some(ConsentWrite::Unblock { of })),
            (ConsentChange::Unblock, Some(_)) => Err(UnblockInDoubt),
        }
    }

    /// Which members were erased, and have not written since.
    #[must_use]
    pub fn erased(&self) -> PerMember<bool> {
        self.erased
    }

    /// Whether both members were erased. Then the conversation is nobody's any more, and an eraser removes
    /// it.
    #[must_use]
    pub fn is_deserted(&self) -> bool {
        self.erased.a && self.erased.b
    }

    /// The room with the note that `member` was erased, and without what its head tells of them: the
    /// preview if the newest message is theirs, how fast they wrote, the proposals they made, and their
    /// consent. `None` when the room is like that already.
    ///
    /// The ids of the newest messages stay, since they say nothing and a retry is recognised by them.
    #[must_use]
    pub fn without(&self, member: Member) -> Option<Self> {
        let mut room = self.clone();
        let log = room.log.as_mut()?;
        match &mut log.shown {
            Some(shown) if shown.sender == member => {
                *shown = LastMessage { kind: Kind::Erased, preview: String::new(), ..shown.clone() };
            }
            Some(_) => {}
            None if log.newest.sender == member => log.newest = log.newest.erased(),
            None => log.newest = log.newest.without_reactions_of(member),
        }
        log.reacted[member] = false;
        log.buckets[member] = None;
        log.open_proposals.retain(|open| open.proposer != member);
        room.consent[member] = Consent::default();
        room.erased[member] = true;
        (room != *self).then_some(room)
    }

    /// Where the room stands in the lists of its members; `None` for an empty room, which stands in no list.
    #[must_use]
    pub fn activity(&self) -> Option<Activity> {
        self.log.as_deref().map(|log| Activity { day: log.last_at().day(), room: self.id.tag() })
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
    /// A receiver who has neither answered nor accepted gets at most [`REQUEST_MESSAGES_MAX`] messages of
    /// words and proposals, and one who blocks the sender gets none.
    ///
    /// The timestamp of the message is `now`, or one millisecond after the newest message when the clock is
    /// not past that. So timestamps strictly rise, whatever the clocks of the handlers say.
    ///
    /// # Errors
    /// [`AppendRefused`].
    pub fn append(
        &self,
        draft: &Draft,
        now: Timestamp,
        policy: impl Into<SendPolicy>,
    ) -> Result<Append, AppendRefused> {
        let policy = policy.into();
        self.check_consent(draft, policy.first_contact)?;
        let mut log = self.next_log(draft.sender, draft.id, now, policy)?;
        log.sent[draft.sender] += 1;
        let mut proposals = OpenProposals(std::mem::take(&mut log.open_proposals));
        draft.content.update_proposals(&mut proposals, draft.sender, log.newest.at)?;
        log.open_proposals = proposals.0;
        log.newest.sender_seq += 1;
        log.newest.content = draft.content.clone();
        log.newest.reply_to = draft.reply_to;
        log.shown = None;
        Ok(Append { log, expected_seq: self.seq(), effect: None })
    }

    /// Changes the message `target`, which is as the store has it; `None` when there is no such message.
    ///
    /// - Everybody may react to every message. One's own messages alone can be edited and deleted.
    /// - A change counts towards the [`SendRate`](crate::SendRate) as a message does, and its timestamp is
    ///   made like that of one.
    /// - Nobody hears of changes in a request: its sender can only take messages back. A reaction of its
    ///   receiver accepts it.
    ///
    /// # Errors
    /// [`AppendRefused`].
    pub fn change(
        &self,
        draft: &ChangeDraft,
        target: Option<&Message>,
        now: Timestamp,
        policy: impl Into<SendPolicy>,
    ) -> Result<Append, AppendRefused> {
        let policy = policy.into();
        let Some((log, target)) = self.log.as_deref().zip(target) else {
            return Err(ChangeRefused::NoTarget.into());
        };
        let is_reaction = matches!(draft.effect, Effect::React(_));
        let is_deletion = matches!(draft.effect, Effect::Delete);
        if !(is_reaction || target.sender == draft.sender || target.is_final()) {
            return Err(ChangeRefused::NotYours.into());
        }
        let action = target.content.action(&draft.effect)?;
        let receiver = draft.sender.peer();
        let is_heard = policy.first_contact == FirstContact::Open || self.is_accepted_by(receiver);
        if self.consent[receiver].blocked.is_some() || !(is_heard || is_deletion) {
            return Err(AppendRefused::NotAccepted);
        }

        let shown = log.last_message().changed(target.at, &draft.effect);
        let mut log = self.next_log(draft.sender, draft.id, now, policy)?;
        log.changes += 1;
        log.newest.changes += 1;
        log.newest.content = Content::Change(Change { target: target.at, action });
        log.shown = Some(shown);
        log.reacted[draft.sender] |= is_reaction && target.sender != draft.sender;
        if is_deletion {
            log.open_proposals.retain(|open| open.at != target.at);
        }
        Ok(Append { log, expected_seq: self.seq(), effect: Some(draft.effect.clone()) })
    }

    /// The log with one more entry, which says nothing yet and counts neither as a message nor as a change.
    fn next_log(
        &self,
        sender: Member,
        id: ClientMessageId,
        now: Timestamp,
        policy: SendPolicy,
    ) -> Result<RoomLog, AppendRefused> {
        let log = self.log.as_deref();
        let sent = log.map_or_else(PerMember::default, |log| log.sent);
        let changes = log.map_or(0, |log| log.changes);
        let mut buckets = log.map_or_else(PerMember::default, |log| log.buckets);
        let bucket = Bucket::take(buckets[sender], policy.rate, now)
            .map_err(|retry_after| AppendRefused::RateLimited { retry_after })?;
        buckets[sender] = Some(bucket);

        let mut recent = Vec::with_capacity(RECENT_MAX);
        if let Some(log) = log {
            let kept = log.recent.len().min(RECENT_MAX - 1);
            recent.extend_from_slice(&log.recent[log.recent.len() - kept..]);
        }
        let newest = Message {
            room: self.id.clone(),
            at: log.map_or(now, |log| now.max(log.last_at().next())),
            seq: self.seq() + 1,
            sender,
            sender_seq: sent[sender],
            changes,
            id,
            content: Content::Erased,
            reply_to: None,
            changed: Changed::default(),
        };
        recent.push(Recent::of(&newest));
        let reacted = log.map_or_else(PerMember::default, |log| log.reacted);
        let open_proposals = log.map_or_else(Vec::new, |log| log.open_proposals.clone());
        Ok(RoomLog { newest, sent, changes, shown: None, reacted, recent, buckets, open_proposals })
    }

    fn check_consent(&self, draft: &Draft, first_contact: FirstContact) -> Result<(), AppendRefused> {
        let receiver = draft.sender.peer();
        let sent = self.log.as_deref().map_or(0, |log| log.sent[draft.sender]);
        let fits = sent < REQUEST_MESSAGES_MAX && draft.content.fits_a_request();
        let accepted = first_contact == FirstContact::Open || self.is_accepted_by(receiver);
        let blocked = self.consent[receiver].blocked.is_some();
        if blocked || !(accepted || fits) { Err(AppendRefused::NotAccepted) } else { Ok(()) }
    }

    /// Makes this the room that a store has once it has committed `append`, which this room made. Callers
    /// that go on with the room save a read.
    pub fn apply(&mut self, append: &Append) {
        debug_assert_eq!(
            self.seq(),
            append.expected_seq,
            "the append was made from another version of the room"
        );
        self.log = Some(Box::new(append.log.clone()));
        self.erased[append.message().sender] = false;
    }
}
