//! G3: the sender is who authenticated, and what is stored, pushed and shown is what was meant.

use chat_domain::{Event, Message};
use chat_wire::message::MessageBody;

use super::page::differs;
use super::{Checker, Finding, Record};
use crate::environment::socket_number;
use crate::ids::TaskId;
use crate::observations::Observation;
use crate::ports::Call;

#[derive(Default)]
pub(super) struct Integrity;

impl Checker for Integrity {
    const GUARANTEE: &'static str = "G3";
    const SEES_CALLS: bool = true;

    fn check(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        match seen {
            Observation::Called { task, call } => match call {
                Call::Commit(append) => author(*task, &append.message, before),
                Call::PutRow(message) => author(*task, message, before),
                Call::Push(id, event) if socket_number(id).is_some() => pushed(*task, event, before),
                _ => Ok(()),
            },
            Observation::Committed { message, .. } | Observation::RowPut { message } => {
                match before.carried_out() {
                    Some(_) => Ok(()),
                    None => Err(format!("nobody wrote {message:?}")),
                }
            }
            Observation::Shown { message, .. } => shown(message, before),
            _ => Ok(()),
        }
    }
}

fn author(task: TaskId, message: &Message, before: &Record) -> Finding {
    let Some(running) = before.tasks.get(task) else { return Ok(()) };
    if message.sender_email() == before.directory.email(running.user) {
        return Ok(());
    }
    Err(format!("user {} sends as {}", running.user, message.sender_email()))
}

/// Only what the event's own user did is pushed, and only as it is stored.
fn pushed(task: TaskId, event: &Event, before: &Record) -> Finding {
    let by = match event {
        Event::Message(message) => message.sender_email(),
        Event::Read { reader, .. } => reader,
        Event::Typing { sender, .. } => sender,
        Event::UnknownConnection(_) => return Ok(()),
    };
    if before.tasks.get(task).is_some_and(|running| by != before.directory.email(running.user)) {
        return Err(format!("{event:?} is told, which somebody else has done"));
    }
    let Event::Message(message) = event else { return Ok(()) };
    let stored = before.room(&message.room).and_then(|room| room.find(message.at));
    let is_same = stored.is_some_and(|stored| {
        (stored.seq, stored.sender, stored.sender_seq, stored.id)
            == (message.seq, message.sender, message.sender_seq, message.id)
            && stored.content == message.content
    });
    if is_same { Ok(()) } else { Err(format!("{message:?} is pushed; stored is {stored:?}")) }
}

/// A message that a device is told of: all of it is as it is stored.
fn shown(seen: &MessageBody, before: &Record) -> Finding {
    let at = seen.timestamp.parse().ok();
    let stored = before.room_called(&seen.room_id).zip(at).and_then(|(room, at)| room.find(at));
    if stored.is_some_and(|stored| differs(seen, stored).is_none()) {
        return Ok(());
    }
    Err(format!("{seen:?} is shown, and not stored so"))
}
