//! G15: nothing that a blocked person asks for after the block's acknowledgement is stored or told to who
//! blocks, and of a request only its messages are, of which there are few.

use chat_domain::testing::MessageStoreCall;
use chat_domain::{
    ChangeAction, ConsentChange, ConsentWrite, Content, Event, FirstContact, Member, REQUEST_MESSAGES_MAX,
    Room, RoomId,
};
use chat_wire::rest::{ConversationsBody, HistoryBody};

use super::page::request;
use super::record::RoomRecord;
use super::{Checker, Finding, Record};
use crate::call::Call;
use crate::ids::{SocketId, TaskId, User};
use crate::observations::{Answer, AskedPage, Observation, Stored};

#[derive(Default)]
pub(super) struct HeldConsent;

impl Checker for HeldConsent {
    const GUARANTEE: &'static str = "G15";

    fn called(&mut self, task: TaskId, call: &Call, before: &Record) -> Finding {
        match call {
            Call::Messages(MessageStoreCall::WriteConsent { room, member, write }) => {
                let by = before.directory.user(room.email(*member));
                let peer = before.directory.user(room.email(member.peer()));
                decided(task, by.zip(peer), *write, before)
            }
            _ => Ok(()),
        }
    }

    fn pushed(&mut self, task: TaskId, to: SocketId, event: &Event, before: &Record) -> Finding {
        told(task, to, event, before)
    }

    fn stored(&mut self, stored: Stored<'_>, before: &Record) -> Finding {
        admitted(stored, before)
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        match answer {
            Answer::Decided { peer, change, told } => {
                let user = before.tasks[task].user;
                let directory = &before.directory;
                let right_names = told.room_id == directory.name_of(user, *peer)
                    && told.peer_email == directory.email(*peer).as_str();
                if right_names && is_stored(task, *peer, *change, before) {
                    return Ok(());
                }
                Err(format!("task {task} answers user {user} {told:?}, who asked for {change:?}"))
            }
            Answer::History { asked, body } => page(task, *asked, body, before),
            Answer::Conversations { body, .. } => list(task, body, before),
            _ => Ok(()),
        }
    }

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        let Observation::ConsentSet { room, head, .. } = seen else { return Ok(()) };
        frozen(room, head, before)
    }
}

/// What each goes on seeing of the other's reading is what it was, or how far they had read when a block
/// parted them. (A block that was made while the two were apart, and is stored long after, parts them
/// without that: they see less.)
fn frozen(id: &RoomId, head: &Room, before: &Record) -> Finding {
    let Some(was) = before.room(id).and_then(RoomRecord::head) else { return Ok(()) };
    let blocks = |room: &Room| [Member::A, Member::B].map(|member| room.consent(member).blocked);
    let in_touch = blocks(was) == [None; 2] && request(was, Member::A, before.first_contact).is_none();
    let parts = in_touch && blocks(head) != [None; 2];
    for member in [Member::A, Member::B] {
        let (is, was) = (head.read_state(member), was.read_state(member));
        let frozen = parts && is.shown_to == is.mark.map(|mark| mark.up_to);
        if is.shown_to != was.shown_to && !frozen {
            return Err(format!(
                "{id} goes on showing {:?} of {member:?}, and not {:?}",
                is.shown_to, was.shown_to
            ));
        }
    }
    Ok(())
}

/// Only whose decision it is writes it, and no old attempt to lift a block lifts one that was made since.
fn decided(task: TaskId, members: Option<(User, User)>, write: ConsentWrite, before: &Record) -> Finding {
    let (Some(running), Some((by, peer))) = (before.tasks.get(task), members) else { return Ok(()) };
    let is_asked = match (running.decides, write) {
        (Some((_, ConsentChange::Accept)), ConsentWrite::Accept)
        | (Some((_, ConsentChange::Block)), ConsentWrite::Block { .. }) => true,
        (Some((_, ConsentChange::Unblock)), ConsentWrite::Unblock { of }) => of <= running.now,
        _ => false,
    };
    if is_asked && running.user == by && running.decides.is_some_and(|(about, _)| about == peer) {
        return Ok(());
    }
    Err(format!("task {task} writes {write:?} of user {by}, and was asked by user {}", running.user))
}

/// A decision that is acknowledged is stored, or was since it was asked for.
fn is_stored(task: TaskId, peer: User, change: ConsentChange, before: &Record) -> bool {
    let (user, asked_ms) = (before.tasks[task].user, before.tasks[task].asked_ms);
    let consent = &before.room_of(user, peer).consent[before.directory.member(user, peer)];
    match change {
        ConsentChange::Accept => consent.accepted,
        ConsentChange::Block => consent.was_blocked_since(asked_ms),
        ConsentChange::Unblock => consent.was_open_since(asked_ms),
    }
}

/// Nobody stores anything with who blocks them, and in a request only a few messages of words and proposals,
/// and that one of them is deleted.
fn admitted(Stored { message, .. }: Stored<'_>, before: &Record) -> Finding {
    let Some(room) = before.room(&message.room) else { return Ok(()) };
    let receiver = message.sender.peer();
    if room.consent[receiver].block().is_some() {
        return Err(format!("{message:?} is stored, whose sender is blocked"));
    }
    if before.first_contact == FirstContact::Open || !room.is_strange_to(receiver) {
        return Ok(());
    }
    let sent = room.sent_by(message.sender);
    let fits = match &message.content {
        Content::Text(_) | Content::MatchProposal(_) | Content::MatchProposalAnswer(_) => {
            sent < REQUEST_MESSAGES_MAX
        }
        Content::Change(change) => matches!(change.action, ChangeAction::Delete { .. }),
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("{message:?} is stored in a request that has {sent}")) }
}

/// Nobody is told anything of whom they block, or that somebody types or reads with whom they are not in
/// touch; and what somebody has decided only their own devices are told.
fn told(task: TaskId, to: SocketId, event: &Event, before: &Record) -> Finding {
    let Some(running) = before.tasks.get(task) else { return Ok(()) };
    let listener = before.sockets[to].user;
    let (id, author, is_message) = match event {
        Event::Message(message) => (&message.room, message.sender_email(), true),
        Event::Changed { entry, .. } => (&entry.room, entry.sender_email(), true),
        Event::Read { room, reader, .. } => (room, reader, false),
        Event::Typing { room, sender } => (room, sender, false),
        Event::Consent { peer, change, .. } => {
            let about = before.directory.user(peer);
            let is_own = listener == running.user
                && about.is_some_and(|about| running.decides == Some((about, *change)));
            return if is_own { Ok(()) } else { Err(format!("user {listener} is told {event:?}")) };
        }
        Event::Cleared { .. } if listener == running.user => return Ok(()),
        Event::Cleared { .. } => return Err(format!("user {listener} is told {event:?}")),
        Event::UnknownConnection(_) => return Ok(()),
    };
    let (Some(room), Some(by)) = (before.room(id), id.member(author)) else { return Ok(()) };
    if before.directory.user(author) == Some(listener) {
        return Ok(());
    }
    let is_blocked_by = |member: Member| {
        let block = room.consent[member].block();
        block.and_then(|block| block.acked_ms).is_some_and(|acked_ms| acked_ms < running.asked_ms)
    };
    if is_blocked_by(by.peer()) || (!is_message && is_blocked_by(by)) {
        return Err(format!("user {listener} is told {event:?}, and one of the two blocks the other"));
    }
    if !is_message && (room.rows.is_empty() || before.is_request(room)) {
        return Err(format!("user {listener} is told {event:?} in a request"));
    }
    Ok(())
}

/// A page says whose request its conversation is and whether the caller blocks the peer, and not how far
/// somebody has read who is not in touch.
fn page(task: TaskId, asked: AskedPage, body: &HistoryBody, before: &Record) -> Finding {
    let running = &before.tasks[task];
    let me = before.directory.member(running.user, asked.peer);
    let room = before.room_of(running.user, asked.peer);
    hidden(room, me, body.peer_read_up_to.as_ref(), before)?;
    let email = room.id.email(me).as_str();
    for message in body.messages.iter().filter(|message| message.read && message.sender_email == email) {
        hidden(room, me, Some(&message.timestamp), before)?;
    }
    let is_strong = matches!(asked.range, chat_domain::PageRange::After(_) | chat_domain::PageRange::Oldest);
    let since_ms = if is_strong { running.asked_ms } else { i64::MIN };
    let says = (body.request, body.blocked);
    let was_no_room = room.heads_since(since_ms).next().is_none_or(|head| head.began_after(since_ms));
    let was_so = (was_no_room && says == (None, false))
        || room.heads_since(since_ms).any(|head| {
            says == (request(&head.room, me, before.first_contact), head.room.consent(me).blocked.is_some())
        });
    if was_so { Ok(()) } else { Err(format!("{} is said to be {says:?} to {email}", room.id)) }
}

fn list(task: TaskId, body: &ConversationsBody, before: &Record) -> Finding {
    let user = before.tasks[task].user;
    for found in &body.conversations {
        let peer = before.directory.user_called(&found.peer_email).filter(|peer| *peer != user);
        if let Some(peer) = peer {
            let me = before.directory.member(user, peer);
            hidden(before.room_of(user, peer), me, found.peer_read_up_to.as_ref(), before)?;
        }
    }
    Ok(())
}

/// What a member is told that the other one has read is no more than they may see.
fn hidden(room: &RoomRecord, viewer: Member, told: Option<&String>, before: &Record) -> Finding {
    let told = told.and_then(|told| told.parse().ok());
    let at_most = before.shown_at_most(room, viewer);
    if told <= at_most {
        return Ok(());
    }
    Err(format!("{viewer:?} of {} is told of {told:?} as read, and may see {at_most:?}", room.id))
}
