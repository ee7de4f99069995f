//! G12: no frame is accepted after the token has expired, and nothing is pushed.

use super::{Checker, Finding, Record};
use crate::environment::socket_number;
use crate::ids::TaskId;
use crate::observations::{Answer, EventKind, Observation};
use crate::ports::Call;

#[derive(Default)]
pub(super) struct FreshLogin;

impl Checker for FreshLogin {
    const GUARANTEE: &'static str = "G12";
    const SEES_CALLS: bool = true;

    fn check(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        match seen {
            Observation::Called { task, call } => match call {
                Call::Commit(_) | Call::PutRow(_) => fresh(*task, "sends", before),
                Call::AdvanceRead(..) | Call::ForceMark(..) => fresh(*task, "marks as read", before),
                Call::Push(id, event) if !matches!(**event, chat_domain::Event::UnknownConnection(_)) => {
                    let Some(socket) = socket_number(id) else { return Ok(()) };
                    let Some(to) = before.sockets.get(socket) else { return Ok(()) };
                    let Some(running) = before.tasks.get(*task) else { return Ok(()) };
                    if running.now < to.fresh_until {
                        return Ok(());
                    }
                    Err(format!("socket {socket} is told at {}, when its login counts no more", running.now))
                }
                _ => Ok(()),
            },
            Observation::Answered { task, answer } => match answer {
                Answer::Connected => fresh(*task, "connects", before),
                Answer::Sent { .. } => fresh(*task, "is acknowledged", before),
                Answer::Marked { .. } => fresh(*task, "marks as read", before),
                Answer::Pong => fresh(*task, "is accepted", before),
                Answer::History { .. } => fresh(*task, "reads", before),
                Answer::Conversations { .. } => fresh(*task, "lists", before),
                Answer::Reauthenticated if !before.tasks[*task].token_counts => {
                    Err(format!("task {task} extends the login by a token that is no good"))
                }
                _ => Ok(()),
            },
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
