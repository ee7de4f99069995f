//! G8: what was refused never appears, unless its receiver did not accept it and has changed their mind
//! since; and it is refused for a reason.

use chat_domain::{FirstContact, REQUEST_MESSAGES_MAX};
use chat_wire::error::ErrorCode;
use chat_wire::frames::ErrorBody;

use super::record::Intent;
use super::{Checker, Finding, Record};
use crate::ids::{IntentId, TaskId};
use crate::observations::{Answer, Observation, Says, Stored};

#[derive(Default)]
pub(super) struct RefusedMeansAbsent;

impl Checker for RefusedMeansAbsent {
    const GUARANTEE: &'static str = "G8";

    fn stored(&mut self, Stored { message, .. }: Stored<'_>, before: &Record) -> Finding {
        let refused = before.carried_out().filter(|intent| intent.refused && intent.row.is_none());
        match refused {
            Some(intent) if !is_welcome_since(intent, before) => {
                Err(format!("{message:?} was refused, and is stored"))
            }
            _ => Ok(()),
        }
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        let Answer::Refused { intent, error } = answer else { return Ok(()) };
        refused(task, *intent, error, before)
    }

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        let is_settled = matches!(seen, Observation::Settled { .. });
        let is_there =
            |intent: &Intent| intent.refused && intent.row.is_some() && intent.unwelcome_ms.is_none();
        if is_settled && before.intents.iter().any(is_there) {
            return Err("what was refused is stored".to_owned());
        }
        Ok(())
    }
}

/// Only what is certain may be refused for good, and nothing here gives a reason but a proposal that is
/// answered already, and a receiver who does not want the message.
fn refused(task: TaskId, intent: IntentId, error: &ErrorBody, before: &Record) -> Finding {
    if error.retryable {
        return Ok(());
    }
    let meant = &before.intents[intent];
    if meant.row.is_some() && !is_overtaken(task, meant, error, before) {
        return Err(format!("{meant:?} is refused with {:?}, and is stored", error.code));
    }
    if error.code == ErrorCode::NotAccepted {
        return not_accepted(task, meant, before);
    }
    let Says::Answer(proposal, verdict) = &meant.says else {
        return Err(format!("{meant:?} is refused with {:?}, for no reason", error.code));
    };
    if before.room_of(meant.user, meant.peer).is_answered(*proposal) {
        return Ok(());
    }
    Err(format!("{verdict:?} of {proposal}, which is open, is refused: {error:?}"))
}

/// An attempt was not accepted, took long to say so, and was overtaken by a later one, which came after the
/// receiver had changed their mind.
fn is_overtaken(task: TaskId, meant: &Intent, error: &ErrorBody, before: &Record) -> bool {
    let receiver = before.directory.member(meant.peer, meant.user);
    let consent = &before.room_of(meant.user, meant.peer).consent[receiver];
    error.code == ErrorCode::NotAccepted && consent.was_opened_since(before.tasks[task].asked_ms)
}

/// A message that its receiver did not accept appears only if they have accepted since, and an earlier
/// attempt of it was on its way all the time.
fn is_welcome_since(meant: &Intent, before: &Record) -> bool {
    let receiver = before.directory.member(meant.peer, meant.user);
    let consent = &before.room_of(meant.user, meant.peer).consent[receiver];
    meant.unwelcome_ms.is_some_and(|refused_ms| consent.was_opened_since(refused_ms))
}

/// Since the message was asked for, its receiver blocked the sender at some time, or had a request that said
/// as much as it may.
fn not_accepted(task: TaskId, meant: &Intent, before: &Record) -> Finding {
    let asked_ms = before.tasks[task].asked_ms;
    let room = before.room_of(meant.user, meant.peer);
    let sender = before.directory.member(meant.user, meant.peer);
    let receiver = &room.consent[sender.peer()];
    let sent = room.rows.iter().filter(|row| row.message.sender == sender).count();
    let was_request = before.first_contact == FirstContact::Request && !receiver.had_accepted(asked_ms);
    if receiver.was_blocked_since(asked_ms) || (was_request && sent as u64 >= REQUEST_MESSAGES_MAX) {
        return Ok(());
    }
    Err(format!("{meant:?} is not accepted by whom nothing keeps from it"))
}
