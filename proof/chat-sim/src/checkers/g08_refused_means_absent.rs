//! G8: what was refused never appears, and is refused for a reason.

use chat_wire::frames::ErrorBody;

use super::{Checker, Finding, Record};
use crate::ids::{IntentId, TaskId};
use crate::observations::{Answer, Observation, Says, Stored};

#[derive(Default)]
pub(super) struct RefusedMeansAbsent;

impl Checker for RefusedMeansAbsent {
    const GUARANTEE: &'static str = "G8";

    fn stored(&mut self, Stored { message, .. }: Stored<'_>, before: &Record) -> Finding {
        if before.carried_out().is_some_and(|intent| intent.refused && intent.row.is_none()) {
            return Err(format!("{message:?} was refused, and is stored"));
        }
        Ok(())
    }

    fn answered(&mut self, _: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        let Answer::Refused { intent, error } = answer else { return Ok(()) };
        refused(*intent, error, before)
    }

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        let is_settled = matches!(seen, Observation::Settled { .. });
        if is_settled && before.intents.iter().any(|intent| intent.refused && intent.row.is_some()) {
            return Err("what was refused is stored".to_owned());
        }
        Ok(())
    }
}

/// Only what is certain may be refused for good, and nothing here gives a reason but a proposal that is
/// answered already.
fn refused(intent: IntentId, error: &ErrorBody, before: &Record) -> Finding {
    if error.retryable {
        return Ok(());
    }
    let meant = &before.intents[intent];
    if meant.row.is_some() {
        return Err(format!("{meant:?} is refused with {:?}, and is stored", error.code));
    }
    let Says::Answer(proposal, verdict) = &meant.says else {
        return Err(format!("{meant:?} is refused with {:?}, for no reason", error.code));
    };
    if before.room_of(meant.user, meant.peer).is_answered(*proposal) {
        return Ok(());
    }
    Err(format!("{verdict:?} of {proposal}, which is open, is refused: {error:?}"))
}
