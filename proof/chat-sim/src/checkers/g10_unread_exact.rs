//! G10: unread is what a recount counts; the head of a room and every list say of its rows what they say
//! themselves.

use chat_domain::{
    Content, Effect, FirstContact, LastMessage, Member, Message, RECENT_MAX, ReadMark, Recent, Room, RoomId,
    RoomLog, Timestamp,
};
use chat_wire::rest::{ConversationBody, ConversationsBody};

use super::page::{kind, request, shows};
use super::record::{RoomRecord, answers};
use super::{Checker, Finding, Record};
use crate::ids::{TaskId, User};
use crate::observations::{Answer, ClientView, Listed, Observation, Stored};

#[derive(Default)]
pub(super) struct UnreadExact;

impl Checker for UnreadExact {
    const GUARANTEE: &'static str = "G10";

    fn stored(&mut self, Stored { message, head, .. }: Stored<'_>, before: &Record) -> Finding {
        head.map_or(Ok(()), |head| head_is_right(message, head, before))
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        let Answer::Conversations { first_page, body } = answer else { return Ok(()) };
        list(task, *first_page, body, before)
    }

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        match seen {
            Observation::MarkSet { room, reader, mark, .. } => mark_counts(room, *reader, *mark, before),
            Observation::ListsSettled { clients } => {
                clients.iter().try_for_each(|client| lists_what_is_stored(client, before))
            }
            _ => Ok(()),
        }
    }
}

/// The head of a room to which a row is added: it says of the rows what they say themselves.
fn head_is_right(newest: &Message, head: &Room, before: &Record) -> Finding {
    let (Some(room), Some(log)) = (before.room(&newest.room), head.log()) else { return Ok(()) };
    let earlier = &room.rows[room.rows.len().saturating_sub(RECENT_MAX - 1)..];
    let recent = earlier.iter().map(|row| &row.message).chain([newest]);
    let recent = recent.map(|message| Recent { id: message.id, sender: message.sender, at: message.at });
    let is_same = log.newest == *newest
        && [Member::A, Member::B].iter().all(|member| log.sent[*member] == newest.sent_by(*member))
        && log.recent.iter().copied().eq(recent)
        && shows_last_message(log, room, before)
        && log.open_proposals.iter().all(|open| {
            let proposed = if open.at == newest.at { Some(newest) } else { room.find(open.at) };
            proposed.is_some_and(|row| row.sender == open.proposer)
                && !room.is_answered(open.at)
                && !answers(newest, open.at)
                && !is_deleted(open.at, room, before)
        });
    if is_same { Ok(()) } else { Err(format!("the head says {log:?}; the newest row is {newest:?}")) }
}

/// Whether a message is deleted, once what is being stored is there.
fn is_deleted(at: Timestamp, room: &RoomRecord, before: &Record) -> bool {
    let was = room.row(at).is_some_and(|row| row.now().content == Content::Deleted);
    was || before.carried_out().and_then(|meant| meant.says.change()) == Some((at, &Effect::Delete))
}

/// Lists show the newest message, as it is by then, and a reaction to the other's message is known.
fn shows_last_message(log: &RoomLog, room: &RoomRecord, before: &Record) -> bool {
    let Content::Change(change) = &log.newest.content else { return log.shown.is_none() };
    let Some(last) = room.messages().next_back().map(|row| row.now()) else { return false };
    let effect = before.carried_out().and_then(|meant| meant.says.change()).map(|(_, effect)| effect);
    let last = match effect {
        Some(effect) if change.target == last.at => &last.changed_by(&log.newest, effect),
        _ => last,
    };
    let (kind, preview) = (last.content.kind(), last.content.preview());
    log.last_message() == LastMessage { at: last.at, sender: last.sender, kind, preview }
}

fn mark_counts(id: &RoomId, reader: Member, mark: ReadMark, before: &Record) -> Finding {
    let Some(room) = before.room(id) else { return Ok(()) };
    let covered = room.messages().filter(|row| row.message.at <= mark.up_to);
    let count = covered.filter(|row| row.message.sender == reader.peer()).count() as u64;
    if count == mark.count {
        return Ok(());
    }
    Err(format!("the mark of {reader:?} in {id} counts {}, not {count}", mark.count))
}

/// A list of conversations, as it was answered: each as it was at one moment.
fn list(task: TaskId, first_page: bool, body: &ConversationsBody, before: &Record) -> Finding {
    let user = before.tasks[task].user;
    let listed = &body.conversations;
    if let Some(found) = listed.iter().find(|found| !was_so(user, found, before)) {
        return Err(format!("user {user} is told {found:?}, which never was so"));
    }
    let in_order = listed.windows(2).all(|pair| pair[0].last_timestamp >= pair[1].last_timestamp);
    let twice = (1..listed.len())
        .any(|place| listed[..place].iter().any(|other| other.peer_email == listed[place].peer_email));
    let sum: u64 = listed.iter().map(|found| found.unread).sum();
    if in_order && !twice && body.total_unread == first_page.then_some(sum) {
        return Ok(());
    }
    Err(format!("user {user} is told {body:?}, where {sum} are unread"))
}

/// Whether a conversation was as a list has it, at some moment.
fn was_so(user: User, found: &ConversationBody, before: &Record) -> bool {
    let peer = before.directory.user_called(&found.peer_email);
    let Some(peer) = peer.filter(|peer| *peer != user) else { return false };
    let me = before.directory.member(user, peer);
    let room = before.room_of(user, peer);
    let Some(newest) = room.numbered(found.last_seq) else { return false };
    // What is listed is the newest message, also where the newest entry tells of a change.
    let last = room.messages().rev().find(|row| row.message.seq <= newest.seq);
    let Some(last) = last.map(|row| row.up_to(newest.seq)) else { return false };
    newest.seq == found.last_seq
        && newest.at.to_string() == found.last_timestamp
        && last.sender_email().as_str() == found.last_sender_email
        && kind(&last.content).as_ref() == Some(&found.last_kind)
        // Nothing that is said here is long, or has more than one line.
        && last.content.text() == found.preview
        && was_listed_so(room, me, found, before.first_contact)
}

/// Whether a head with these marks and this consent was ever there, when so many rows were not covered by
/// the marks.
fn was_listed_so(
    room: &RoomRecord,
    me: Member,
    found: &ConversationBody,
    first_contact: FirstContact,
) -> bool {
    room.heads.iter().rev().filter(|head| head.room.seq() == found.last_seq).any(|head| {
        let mark = head.room.read_up_to(me);
        let unread = room.rows[..head.rows]
            .iter()
            .filter(|row| row.is_message() && row.message.sender == me.peer())
            .filter(|row| Some(row.message.at) > mark);
        unread.count() as u64 == found.unread
            && shows(&head.room, me, first_contact).map(|at| at.to_string()) == found.peer_read_up_to
            && request(&head.room, me, first_contact) == found.request
            && head.room.consent(me).blocked.is_some() == found.blocked
    })
}

/// A client's list is what is stored.
fn lists_what_is_stored(client: &ClientView<'_>, before: &Record) -> Finding {
    for conversation in client.conversations.iter().filter(|it| it.peer != client.user) {
        let (user, peer) = (client.user, conversation.peer);
        let me = before.directory.member(user, peer);
        let stored = before.room_of(user, peer).head().map(|head| Listed {
            last_seq: head.seq(),
            unread: head.unread(me),
            request: request(head, me, before.first_contact),
            blocked: head.consent(me).blocked.is_some(),
        });
        let listed = conversation.listed;
        if listed != stored {
            return Err(format!(
                "device {} lists user {peer} as {listed:?}, stored is {stored:?}",
                client.device
            ));
        }
    }
    Ok(())
}
