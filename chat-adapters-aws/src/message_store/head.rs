//! A room as an item of `playground-rooms`: the head.
//!
//! Every message writes it, so it is kept below one write unit of 1 KB: instants are milliseconds since 1970,
//! and lists are binary, one entry after the other without separators.

use aws_sdk_dynamodb::types::AttributeValue;
use chat_domain::{
    Activity, Append, Bucket, ClientMessageId, Member, NewestMessage, OpenProposal, PerMember, ReadMark,
    ReadState, Recent, Room, RoomId, RoomLog, Timestamp,
};

use crate::attributes::{Fields, Item, Malformed, bytes, item, number, text, words};
use crate::tables::rooms::{
    ACTIVITY, BUCKETS, ERASED, LAST_KIND, MEMBER, OPEN_PROPOSALS, PREVIEW, READ_COUNT, READ_UP_TO, RECENT,
    ROOM_ID, ROWS_MARKED_TO, SENT, SEQ,
};

pub(super) fn key(room: &RoomId) -> Item {
    item([(ROOM_ID, text(room))])
}

/// What a commit sets, or removes: the log, and where the room stands in its members' lists when that
/// changes. Nothing that reading writes.
pub(super) fn log_attributes(append: &Append) -> Vec<(&'static str, Option<AttributeValue>)> {
    let (log, id) = (&append.log, &append.message.room);
    let mut attributes = vec![
        (SEQ, Some(number(log.seq()))),
        (SENT.a, Some(number(log.sent.a))),
        (SENT.b, Some(number(log.sent.b))),
        (RECENT, bytes(log.recent.iter().flat_map(recent_bytes).collect())),
        (ERASED[append.message.sender], None),
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

/// Which members were erased. Who was not is left alone: only what they write says so.
pub(super) fn erased_attributes(room: &Room) -> impl Iterator<Item = (&'static str, Option<AttributeValue>)> {
    let erased = [Member::A, Member::B].into_iter().filter(|member| room.erased()[*member]);
    erased.map(|member| (ERASED[member], Some(AttributeValue::Bool(true))))
}

/// What the head tells of its messages, and a message's erasure changes.
pub(super) fn told_attributes(log: &RoomLog) -> [(&'static str, Option<AttributeValue>); 4] {
    [
        (LAST_KIND, Some(text(log.last_kind().as_str()))),
        (PREVIEW, words(&log.preview())),
        (BUCKETS, bytes(buckets_bytes(&log.buckets))),
        (OPEN_PROPOSALS, bytes(log.open_proposals.iter().flat_map(open_proposal_bytes).collect())),
    ]
}

pub(super) fn instant(at: Timestamp) -> AttributeValue {
    number(at.unix_ms())
}

pub(super) fn from_item(head: &Item) -> Result<Room, Malformed> {
    let head = Fields(head);
    let recent = entries(head, RECENT, recent_from)?;
    let newest = *recent.last().ok_or(Malformed::Contradiction(RECENT))?;
    let mut buckets = PerMember::default();
    for (member, bucket) in entries(head, BUCKETS, bucket_from)? {
        buckets[member] = Some(bucket);
    }
    let log = RoomLog {
        newest: NewestMessage {
            seq: head.number(SEQ)?,
            at: newest.at,
            sender: newest.sender,
            id: newest.id,
            kind: head.parsed(LAST_KIND)?,
            preview: head.words(PREVIEW)?.to_owned(),
        },
        sent: PerMember { a: head.number(SENT.a)?, b: head.number(SENT.b)? },
        recent,
        buckets,
        open_proposals: entries(head, OPEN_PROPOSALS, open_proposal_from)?,
    };
    let reads = PerMember { a: read_state(head, Member::A)?, b: read_state(head, Member::B)? };
    let room = Room::restore(head.parsed(ROOM_ID)?, log, reads);
    let room = room.map_err(|error| Malformed::value(ROOM_ID, error))?;
    Ok(room.with_erased(PerMember { a: head.has(ERASED.a), b: head.has(ERASED.b) }))
}

fn read_state(head: Fields<'_>, reader: Member) -> Result<ReadState, Malformed> {
    let mark = maybe_instant(head, READ_UP_TO[reader])?
        .map(|up_to| Ok(ReadMark { up_to, count: head.number(READ_COUNT[reader])? }))
        .transpose()?;
    Ok(ReadState { mark, rows_marked_to: maybe_instant(head, ROWS_MARKED_TO[reader])? })
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
