//! G16: whoever is suspended is refused: who connects, at once; on the sockets that there were, and by REST,
//! half a minute later at the latest.

use chat_domain::testing::MessageStoreCall;
use chat_domain::{ADMITTED_FOR, Event};
use chat_wire::message::MessageBody;

use super::{Checker, Finding, Record};
use crate::call::Call;
use crate::ids::{DeviceId, SocketId, TaskId, User};
use crate::observations::{Answer, EventKind};

#[derive(Default)]
pub(super) struct Suspended;

impl Checker for Suspended {
    const GUARANTEE: &'static str = "G16";

    fn called(&mut self, task: TaskId, call: &Call, before: &Record) -> Finding {
        match call {
            Call::Messages(
                MessageStoreCall::Commit { .. }
                | MessageStoreCall::AdvanceRead { .. }
                | MessageStoreCall::WriteConsent { .. },
            )
            | Call::Reports(_)
            | Call::PutRow(_)
            | Call::ForceMark(..) => served(task, before),
            _ => Ok(()),
        }
    }

    fn pushed(&mut self, task: TaskId, _: SocketId, event: &Event, before: &Record) -> Finding {
        if let Event::UnknownConnection(_) = event { Ok(()) } else { served(task, before) }
    }

    fn shown(&mut self, user: User, device: DeviceId, _: &MessageBody, before: &Record) -> Finding {
        if has_ended(user, before.now_ms(), before) {
            return Err(format!("device {device} is told something, and user {user} is suspended"));
        }
        Ok(())
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        match answer {
            Answer::Connected
            | Answer::Sent { .. }
            | Answer::Marked { .. }
            | Answer::Decided { .. }
            | Answer::Reported { .. }
            | Answer::Pong
            | Answer::Reauthenticated
            | Answer::History { .. }
            | Answer::Conversations { .. } => served(task, before),
            _ => Ok(()),
        }
    }
}

/// Something is done for a request.
fn served(task: TaskId, before: &Record) -> Finding {
    let Some(running) = before.tasks.get(task) else { return Ok(()) };
    let (user, asked_ms) = (running.user, running.asked_ms);
    let since_ms = before.users[user].suspended_ms;
    let is_out = match running.kind {
        EventKind::Connect => since_ms.is_some_and(|since_ms| asked_ms > since_ms),
        EventKind::Rest => since_ms.is_some_and(|since_ms| asked_ms > since_ms + believed_ms()),
        EventKind::Frame => has_ended(user, asked_ms, before),
        EventKind::Disconnect | EventKind::Operator => false,
    };
    if is_out { Err(format!("task {task} is served, and user {user} is suspended")) } else { Ok(()) }
}

/// Whether by an instant the connections of a user have ended, because the user was suspended.
fn has_ended(user: User, ms: i64, before: &Record) -> bool {
    before.users[user].receipt_ms.is_some_and(|receipt_ms| ms > receipt_ms + believed_ms())
}

fn believed_ms() -> i64 {
    i64::try_from(ADMITTED_FOR.as_millis()).unwrap_or(i64::MAX)
}
