//! G1: an acknowledged message is stored at the acknowledged timestamp, with the content that was sent.

use chat_wire::frames::{ReportedFrame, SentFrame};

use super::{Checker, Finding, Record};
use crate::ids::{IntentId, TaskId, User};
use crate::observations::{Answer, Observation, Stored};

#[derive(Default)]
pub(super) struct Durable;

impl Checker for Durable {
    const GUARANTEE: &'static str = "G1";

    fn stored(&mut self, stored: Stored<'_>, before: &Record) -> Finding {
        let Stored { message, head: None, .. } = stored else { return Ok(()) };
        match before.room(&message.room).and_then(|room| room.find(message.at)) {
            Some(there) => Err(format!("{there:?} is overwritten by {message:?}")),
            None => Ok(()),
        }
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        match answer {
            Answer::Sent { intent, sent } => acknowledged(*intent, sent, before),
            Answer::Reported { peer, told } => reported(task, *peer, told, before),
            Answer::Unreadable { body } => Err(format!("task {task} answers {body}")),
            Answer::Unexpected { frame } => Err(format!("task {task} answers {frame:?}")),
            _ => Ok(()),
        }
    }

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        if let Observation::Ended = seen { all_there(before) } else { Ok(()) }
    }
}

fn acknowledged(intent: IntentId, sent: &SentFrame, before: &Record) -> Finding {
    let meant = &before.intents[intent];
    let stored = before.named_at().and_then(|at| before.room_of(meant.user, meant.peer).find(at));
    let is_same = stored.is_some_and(|stored| {
        sent.room_id == before.directory.name_of(meant.user, meant.peer)
            && sent.seq == stored.seq
            && sent.client_message_id.parse() == Ok(stored.id)
            && meant.id.is_none_or(|id| id == stored.id)
            && stored.sender_email() == before.directory.email(meant.user)
            && stored.content == meant.content
    });
    if is_same { Ok(()) } else { Err(format!("{meant:?} is acknowledged as {sent:?}")) }
}

/// A report that is acknowledged is kept.
fn reported(task: TaskId, peer: User, told: &ReportedFrame, before: &Record) -> Finding {
    let user = before.tasks[task].user;
    let (room, reporter) = (before.room_of(user, peer), before.directory.member(user, peer));
    let right_names = told.room_id == before.directory.name_of(user, peer)
        && told.peer_email == before.directory.email(peer).as_str();
    if right_names && room.reported_by[reporter] {
        return Ok(());
    }
    Err(format!("{told:?} is answered to user {user}, of whom no report is kept"))
}

/// At the end, whatever was acknowledged is there.
fn all_there(before: &Record) -> Finding {
    for meant in &before.intents {
        let room = before.room_of(meant.user, meant.peer);
        let stored = meant.row.and_then(|(at, _)| room.find(at)).map(|stored| &stored.content);
        if meant.acked.is_some() && stored != Some(&meant.content) {
            return Err(format!("{meant:?} was acknowledged; stored is {stored:?}"));
        }
    }
    Ok(())
}
