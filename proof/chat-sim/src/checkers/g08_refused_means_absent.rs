//! G8: what was refused never appears, unless its receiver did not accept it and has changed their mind
//! since; and it is refused for a reason.

use chat_domain::{Content, Effect, FirstContact, Message, REQUEST_MESSAGES_MAX, Timestamp};
use chat_wire::error::ErrorCode;
use chat_wire::frames::ErrorBody;

use super::record::{Intent, RoomRecord};
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

/// Only what is certain may be refused for good. What gives a reason here is a proposal that is answered or
/// deleted already, a receiver who does not want the message, and a message that it is about and that is not
/// there, or does not change so.
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
    let (room, asked_ms) = (before.room_of(meant.user, meant.peer), before.tasks[task].asked_ms);
    let has_reason = match &meant.says {
        Says::Text(_) | Says::Proposal(_) => false,
        Says::Answer(proposal, _) => {
            let is_deleted = room.row(*proposal).is_some_and(|row| row.now().content == Content::Deleted);
            error.code == ErrorCode::ProposalState && (room.is_answered(*proposal) || is_deleted)
        }
        Says::Reply(_, at) => {
            let is_there = room.row(*at).is_some_and(|row| row.is_message() && !row.came_after(asked_ms));
            error.code == ErrorCode::NotFound && !is_there
        }
        Says::Change(target, effect) => {
            let is_own = |message: &Message| message.sender_email() == before.directory.email(meant.user);
            does_not_change(room, *target, asked_ms, effect, is_own).contains(&Some(error.code))
        }
    };
    if has_reason {
        return Ok(());
    }
    Err(format!("{meant:?} is refused with {:?}, for no reason", error.code))
}

/// With which codes a change may be refused by its target, as that was at some time since it was asked for.
fn does_not_change(
    room: &RoomRecord,
    target: Timestamp,
    asked_ms: i64,
    effect: &Effect,
    is_own: impl Fn(&Message) -> bool,
) -> [Option<ErrorCode>; 2] {
    let newest = room.rows[..room.rows_before(asked_ms)].last().map(|row| row.message.at);
    let Some(row) = room.row(target).filter(|row| !row.came_after(asked_ms)) else {
        // Nobody can have known what is later than everything.
        let is_ahead = Some(target) > newest;
        return [Some(if is_ahead { ErrorCode::BadRequest } else { ErrorCode::NotFound }), None];
    };
    let is_fixed = match (&row.message.content, effect) {
        (Content::MatchProposal(_) | Content::MatchProposalAnswer(_), Effect::Edit(_))
        | (Content::MatchProposalAnswer(_), Effect::Delete) => Some(ErrorCode::BadRequest),
        _ => None,
    };
    let for_good = match effect {
        Effect::Edit(_) | Effect::Delete if !is_own(&row.message) => Some(ErrorCode::NotYours),
        _ => is_fixed,
    };
    if row.now().is_final() {
        // It was deleted before, or since.
        let was_final = row.before(asked_ms).is_final();
        return [Some(ErrorCode::NotFound), for_good.filter(|_| !was_final)];
    }
    [for_good, None]
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
    let was_request = before.first_contact == FirstContact::Request && !receiver.had_accepted(asked_ms);
    let goes_beyond = match meant.says.change() {
        None => room.sent_by(sender) >= REQUEST_MESSAGES_MAX,
        Some((_, effect)) => *effect != Effect::Delete,
    };
    if receiver.was_blocked_since(asked_ms) || (was_request && goes_beyond) {
        return Ok(());
    }
    Err(format!("{meant:?} is not accepted by whom nothing keeps from it"))
}
