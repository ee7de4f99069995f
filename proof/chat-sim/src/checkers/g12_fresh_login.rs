//! G12: no frame is accepted after the token has expired, and nothing is pushed.

use chat_domain::Event;
use chat_domain::testing::MessageStoreCall;

use super::{Checker, Finding, Record};
use crate::call::Call;
use crate::ids::{SocketId, TaskId};
use crate::observations::{Answer, EventKind};

#[derive(Default)]
pub(super) struct FreshLogin;

impl Checker for FreshLogin {
    const GUARANTEE: &'static str = "G12";

    fn called(&mut self, task: TaskId, call: &Call, before: &Record) -> Finding {
        match call {
            Call::Messages(MessageStoreCall::Commit { .. }) | Call::PutRow(_) => fresh(task, "sends", before),
            Call::Messages(MessageStoreCall::AdvanceRead { .. }) | Call::ForceMark(..) => {
                fresh(task, "marks as read", before)
            }
            _ => Ok(()),
        }
    }

    fn pushed(&mut self, task: TaskId, to: SocketId, event: &Event, before: &Record) -> Finding {
        let Some(running) = before.tasks.get(task) else { return Ok(()) };
        let is_unknown = matches!(event, Event::UnknownConnection(_));
        if is_unknown || running.now < before.sockets[to].fresh_until {
            return Ok(());
        }
        Err(format!("socket {to} is told at {}, when its login counts no more", running.now))
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        match answer {
            Answer::Connected => fresh(task, "connects", before),
            Answer::Sent { .. } => fresh(task, "is acknowledged", before),
            Answer::Marked { .. } => fresh(task, "marks as read", before),
            Answer::Pong => fresh(task, "is accepted", before),
            Answer::History { .. } => fresh(task, "reads", before),
            Answer::Conversations { .. } => fresh(task, "lists", before),
            Answer::Reauthenticated if !before.tasks[task].token_counts => {
                Err(format!("task {task} extends the login by a token that is no good"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether the event's login counted at the event's time: to the millisecond, since the clock that says when
/// it came is the one that says when it expires. What the gateway received in time may be handled at any
/// later time.
fn fresh(task: TaskId, does: &str, before: &Record) -> Finding {
    let Some(running) = before.tasks.get(task) else { return Ok(()) };
    let is_fresh = match (running.kind, running.socket, running.token) {
        (EventKind::Frame, Some(socket), _) => running.now < before.sockets[socket].fresh_until,
        (EventKind::Connect | EventKind::Rest, _, Some(_)) => running.token_counts,
        _ => true,
    };
    if is_fresh {
        return Ok(());
    }
    Err(format!("task {task} {does} at {}, when its login counts no more", running.now))
}
