//! A room as an item of `playground-rooms`: the head. It holds the newest message, whole: what the message
//! says stands in the same attributes as in a row.
//!
//! Every message writes the head, so that it is kept small: instants are milliseconds since 1970, and lists
//! are binary, one entry after the other without separators.
//!
//! Versions before 0.2 kept the beginning of the message instead, and its kind in `lastKind`. A head with
//! that attribute was written by one of them: whatever else it has of a message is not of the newest. They
//! cannot read a head without it.

use chat_domain::{
    Activity, Append, Bucket, Changed, ClientMessageId, Consent, Effect, LastMessage, Member, Message,
    OpenProposal, PerMember, ReadMark, ReadState, Recent, Room, RoomId, RoomLog, Timestamp,
};

use super::{change_values, row};
use crate::attributes::{Fields, Malformed, bytes, item, number, text, words};
use crate::items::{Item, Value};
use crate::tables::messages::{KIND, REPLY_TO};
use crate::tables::rooms::{
    ACCEPTED, ACTIVITY, BLOCKED, BUCKETS, CHANGES, CLEARED_TO, EFFECT, ERASED, LAST_KIND, MEMBER,
    OPEN_PROPOSALS, REACTED, READ_COUNT, READ_UP_TO, RECENT, ROOM_ID, ROWS_MARKED_TO, SENT, SEQ, SHOWN,
    SHOWN_TO,
};

/// Stands where an instant is expected and there is none: a millisecond before the first [`Timestamp`].
pub(super) const NEVER_MS: i64 = Timestamp::MIN.unix_ms() - 1;

pub(super) fn key(room: &RoomId) -> Item {
    item([(ROOM_ID, text(room))])
}

/// What a commit sets, or removes: the log, and where the room stands in its members' lists when that
/// changes. Nothing that reading writes.
pub(super) fn log_attributes(append: &Append) -> Vec<(&'static str, Option<Value>)> {
    let (log, id) = (&append.log, &append.message().room);
    let mut attributes = vec![
        (SEQ, Some(number(log.seq()))),
        (SENT.a, Some(number(log.sent.a))),
        (SENT.b, Some(number(log.sent.b))),
        (CHANGES, (log.changes > 0).then(|| number(log.changes))),
        (EFFECT, append.effect.as_ref().map(change_values::effect_value)),
        (RECENT, bytes(log.recent.iter().flat_map(recent_bytes).collect())),
        (ERASED[append.message().sender], None),
    ];
    attributes.extend(told_attributes(log));
    if append.expected_seq == 0 {
        attributes
            .extend([Member::A, Member::B].map(|member| (MEMBER[member], Some(text(id.email(member))))));
    }
    let day_before = log.recent.iter().rev().nth(1).map(|previous| previous.at.day());
    if day_before != Some(log.last_at().day()) {
        let activity = Activity { day: log.last_at().day(), room: id.tag() };
        attributes.push((ACTIVITY, Some(text(activity))));
    }
    attributes
}

/// The notes of the members that were erased. The next message of a member removes their note.
pub(super) fn erased_attributes(room: &Room) -> impl Iterator<Item = (&'static str, Option<Value>)> {
    let erased = [Member::A, Member::B].into_iter().filter(|member| room.erased()[*member]);
    erased.map(|member| (ERASED[member], Some(Value::Bool(true))))
}

/// The attributes of the head that repeat what a message says, and change when the message is erased.
pub(super) fn told_attributes(log: &RoomLog) -> Vec<(&'static str, Option<Value>)> {
    let mut said = row::content_item(&log.newest.content);
    let mut attributes: Vec<_> =
        row::content_attributes().into_iter().chain([KIND]).map(|name| (name, said.remove(name))).collect();
    attributes.extend([
        (LAST_KIND, None),
        (REPLY_TO, log.newest.reply_to.map(text)),
        (SHOWN, log.shown.as_ref().map(shown_value)),
        (REACTED.a, log.reacted.a.then_some(Value::Bool(true))),
        (REACTED.b, log.reacted.b.then_some(Value::Bool(true))),
        (BUCKETS, bytes(buckets_bytes(&log.buckets))),
        (OPEN_PROPOSALS, bytes(log.open_proposals.iter().flat_map(open_proposal_bytes).collect())),
    ]);
    attributes
}

pub(super) fn instant(at: Timestamp) -> Value {
    number(at.unix_ms())
}

/// Whether a version before 0.2 wrote the head, and with it the row of its newest message.
pub(super) fn is_of_an_earlier_version(head: &Item) -> bool {
    Fields(head).has(LAST_KIND)
}

/// When the newest message was sent, if the head itself does not have it.
pub(super) fn newest_elsewhere(head: &Item) -> Result<Option<Timestamp>, Malformed> {
    if !is_of_an_earlier_version(head) {
        return Ok(None);
    }
    let newest = entries(Fields(head), RECENT, recent_from)?.pop();
    newest.map(|newest| Some(newest.at)).ok_or(Malformed::Contradiction(RECENT))
}

/// A room as its head has it, and for a head that has [not](newest_elsewhere) the newest message, `row`.
pub(super) fn from_item(head: &Item, row: Option<Message>) -> Result<Room, Malformed> {
    let content = match row {
        Some(row) => row.content,
        None if is_of_an_earlier_version(head) => return Err(Malformed::Absent(LAST_KIND)),
        None => row::content_from(Fields(head))?,
    };
    let head = Fields(head);
    let id: RoomId = head.parsed(ROOM_ID)?;
    let recent = entries(head, RECENT, recent_from)?;
    let Recent { id: newest_id, sender, at } = *recent.last().ok_or(Malformed::Contradiction(RECENT))?;
    let sent = PerMember { a: head.number(SENT.a)?, b: head.number(SENT.b)? };
    let changes = head.maybe_number(CHANGES)?.unwrap_or(0);
    let newest = Message {
        room: id.clone(),
        at,
        seq: head.number(SEQ)?,
        sender,
        sender_seq: sent[sender],
        changes,
        id: newest_id,
        content,
        reply_to: head.maybe_parsed(REPLY_TO)?,
        changed: Changed::default(),
    };
    let mut buckets = PerMember::default();
    for (member, bucket) in entries(head, BUCKETS, bucket_from)? {
        buckets[member] = Some(bucket);
    }
    let open_proposals = entries(head, OPEN_PROPOSALS, open_proposal_from)?;
    let shown = head.has(SHOWN).then(|| shown(head.map(SHOWN)?)).transpose()?;
    let reacted = PerMember { a: head.has(REACTED.a), b: head.has(REACTED.b) };
    let log = RoomLog { newest, sent, changes, shown, reacted, recent, buckets, open_proposals };
    let reads = PerMember { a: read_state(head, Member::A)?, b: read_state(head, Member::B)? };
    let room = Room::restore(id, log, reads);
    let room = room.map_err(|error| Malformed::value(ROOM_ID, error))?;
    let consent = PerMember { a: consent(head, Member::A)?, b: consent(head, Member::B)? };
    Ok(room.with_consent(consent).with_erased(PerMember { a: head.has(ERASED.a), b: head.has(ERASED.b) }))
}

fn read_state(head: Fields<'_>, reader: Member) -> Result<ReadState, Malformed> {
    let mark = maybe_instant(head, READ_UP_TO[reader])?
        .map(|up_to| Ok(ReadMark { up_to, count: head.number(READ_COUNT[reader])? }))
        .transpose()?;
    let shown_to = if head.maybe_number(SHOWN_TO[reader])? == Some(NEVER_MS) {
        None
    } else {
        maybe_instant(head, SHOWN_TO[reader])?
    };
    Ok(ReadState { mark, shown_to, cleared_to: cleared_to(head, reader)? })
}

fn cleared_to(head: Fields<'_>, reader: Member) -> Result<Option<Timestamp>, Malformed> {
    maybe_instant(head, CLEARED_TO[reader])
}

/// How far a reader has cleared the conversation.
pub(super) fn cleared_by(head: &Item, reader: Member) -> Result<Option<Timestamp>, Malformed> {
    cleared_to(Fields(head), reader)
}

/// What the newest entry does to its target, if it is a change.
pub(super) fn effect(head: &Item) -> Result<Option<Effect>, Malformed> {
    let head = Fields(head);
    head.has(EFFECT).then(|| change_values::effect_from(head.map(EFFECT)?)).transpose()
}

fn shown_value(shown: &LastMessage) -> Value {
    let LastMessage { at, sender, kind, preview } = shown;
    let sender = bytes(vec![member_byte(*sender)]).expect("it is one byte");
    let mut map = item([("at", instant(*at)), ("by", sender), (KIND, text(kind.as_str()))]);
    map.extend(words(preview).map(|preview| ("preview".to_owned(), preview)));
    Value::M(map)
}

fn shown(map: Fields<'_>) -> Result<LastMessage, Malformed> {
    let sender = map.bytes("by")?.first().copied().and_then(member_from);
    Ok(LastMessage {
        at: maybe_instant(map, "at")?.ok_or(Malformed::Absent("at"))?,
        sender: sender.ok_or(Malformed::Absent("by"))?,
        kind: map.parsed(KIND)?,
        preview: if map.has("preview") { map.text("preview")?.to_owned() } else { String::new() },
    })
}

/// How far the rows of the reader's peer say that they were read.
pub(super) fn rows_marked_to(head: &Item, reader: Member) -> Result<Option<Timestamp>, Malformed> {
    maybe_instant(Fields(head), ROWS_MARKED_TO[reader])
}

fn consent(head: Fields<'_>, member: Member) -> Result<Consent, Malformed> {
    Ok(Consent { accepted: head.has(ACCEPTED[member]), blocked: maybe_instant(head, BLOCKED[member])? })
}

fn maybe_instant(head: Fields<'_>, name: &'static str) -> Result<Option<Timestamp>, Malformed> {
    let unix_ms = head.maybe_number(name)?;
    unix_ms.map(Timestamp::from_unix_ms).transpose().map_err(|error| Malformed::value(name, error))
}

/// The entries of a binary list, each of `N` bytes.
fn entries<const N: usize, T>(
    head: Fields<'_>,
    name: &'static str,
    entry: fn(&[u8; N]) -> Option<T>,
) -> Result<Vec<T>, Malformed> {
    let (chunks, rest) = head.bytes(name)?.as_chunks::<N>();
    let all: Option<Vec<T>> = chunks.iter().map(entry).collect();
    all.filter(|_| rest.is_empty()).ok_or(Malformed::Contradiction(name))
}

/// `sender (1) id (16) at (8)`
fn recent_bytes(recent: &Recent) -> [u8; 25] {
    let mut entry = [0; 25];
    entry[0] = member_byte(recent.sender);
    entry[1..17].copy_from_slice(&recent.id.as_u128().to_be_bytes());
    entry[17..].copy_from_slice(&recent.at.unix_ms().to_be_bytes());
    entry
}

fn recent_from(entry: &[u8; 25]) -> Option<Recent> {
    Some(Recent {
        sender: member_from(entry[0])?,
        id: ClientMessageId::from_u128(u128::from_be_bytes(*entry[1..17].as_array()?)),
        at: instant_from(&entry[17..])?,
    })
}

/// `member (1) thousandths (8) at (8)`
fn buckets_bytes(buckets: &PerMember<Option<Bucket>>) -> Vec<u8> {
    let present = [Member::A, Member::B].into_iter().filter_map(|member| Some((member, buckets[member]?)));
    let entry = |(member, bucket): (Member, Bucket)| {
        let mut entry = [0; 17];
        entry[0] = member_byte(member);
        entry[1..9].copy_from_slice(&bucket.milli_messages.to_be_bytes());
        entry[9..].copy_from_slice(&bucket.at.unix_ms().to_be_bytes());
        entry
    };
    present.flat_map(entry).collect()
}

fn bucket_from(entry: &[u8; 17]) -> Option<(Member, Bucket)> {
    let milli_messages = u64::from_be_bytes(*entry[1..9].as_array()?);
    Some((member_from(entry[0])?, Bucket { milli_messages, at: instant_from(&entry[9..])? }))
}

/// `proposer (1) at (8) match at (8)`
fn open_proposal_bytes(open: &OpenProposal) -> [u8; 17] {
    let mut entry = [0; 17];
    entry[0] = member_byte(open.proposer);
    entry[1..9].copy_from_slice(&open.at.unix_ms().to_be_bytes());
    entry[9..].copy_from_slice(&open.match_at.unix_ms().to_be_bytes());
    entry
}

fn open_proposal_from(entry: &[u8; 17]) -> Option<OpenProposal> {
    Some(OpenProposal {
        proposer: member_from(entry[0])?,
        at: instant_from(&entry[1..9])?,
        match_at: instant_from(&entry[9..])?,
    })
}

fn instant_from(bytes: &[u8]) -> Option<Timestamp> {
    Timestamp::from_unix_ms(i64::from_be_bytes(bytes.try_into().ok()?)).ok()
}

fn member_byte(member: Member) -> u8 {
    match member {
        Member::A => b'A',
        Member::B => b'B',
    }
}

fn member_from(byte: u8) -> Option<Member> {
    match byte {
        b'A' => Some(Member::A),
        b'B' => Some(Member::B),
        _ => None,
    }
}
