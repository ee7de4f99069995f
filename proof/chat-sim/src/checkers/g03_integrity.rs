//! G3: the sender is who authenticated, and what is stored, pushed and shown is what was meant.

use chat_domain::testing::MessageStoreCall;
use chat_domain::{Event, Message, Report};
use chat_wire::message::MessageBody;

use super::page::differs;
use super::{Checker, Finding, Record};
use crate::call::Call;
use crate::ids::{DeviceId, SocketId, TaskId, User};
use crate::observations::{Observation, Stored};

#[derive(Default)]
pub(super) struct Integrity;

impl Checker for Integrity {
    const GUARANTEE: &'static str = "G3";

    fn called(&mut self, task: TaskId, call: &Call, before: &Record) -> Finding {
        match call {
            Call::Messages(MessageStoreCall::Commit { append }) => author(task, append.message(), before),
            Call::PutRow(message) => author(task, message, before),
            _ => Ok(()),
        }
    }

    fn pushed(&mut self, task: TaskId, _: SocketId, event: &Event, before: &Record) -> Finding {
        pushed(task, event, before)
    }

    fn stored(&mut self, stored: Stored<'_>, before: &Record) -> Finding {
        match before.carried_out() {
            Some(_) => Ok(()),
            None => Err(format!("nobody wrote {:?}", stored.message)),
        }
    }

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        if let Observation::Reported(report) = seen { kept(report, before) } else { Ok(()) }
    }

    fn shown(&mut self, _: User, _: DeviceId, message: &MessageBody, before: &Record) -> Finding {
        shown(message, before)
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
        Event::Changed { entry, .. } => entry.sender_email(),
        Event::Read { reader, .. } => reader,
        Event::Typing { sender, .. } => sender,
        Event::Consent { .. } | Event::Cleared { .. } | Event::UnknownConnection(_) => return Ok(()),
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

/// A report keeps whole messages of its room, as they were at some time.
fn kept(report: &Report, before: &Record) -> Finding {
    let room = before.room(&report.room);
    let is_stored = |kept: &Message| {
        let stored = room.and_then(|room| room.row(kept.at));
        let stored = stored.and_then(|row| row.changed_by(Some(kept.changed.by)));
        stored.is_some_and(|stored| {
            (stored.seq, stored.sender, &stored.content) == (kept.seq, kept.sender, &kept.content)
        })
    };
    if !report.messages.is_empty() && report.messages.iter().all(is_stored) {
        return Ok(());
    }
    Err(format!("{report:?} is kept, whose messages are not stored so"))
}

/// A message that a device is told of: all of it is as it is stored.
fn shown(seen: &MessageBody, before: &Record) -> Finding {
    let room = before.room_called(&seen.room_id);
    let stored = room.zip(before.named_at()).and_then(|(room, at)| room.find(at));
    if stored.is_some_and(|stored| differs(seen, stored).is_none()) {
        return Ok(());
    }
    Err(format!("{seen:?} is shown, and not stored so"))
}
