//! G4: everybody sees one order, whose numbers have no hole; what one device writes keeps its order, and a
//! proposal has one answer.

use chat_domain::{Content, Message, Verdict};

use super::{Checker, Finding, Record};
use crate::observations::Stored;

#[derive(Default)]
pub(super) struct OneOrder;

impl Checker for OneOrder {
    const GUARANTEE: &'static str = "G4";

    fn stored(&mut self, Stored { message, .. }: Stored<'_>, before: &Record) -> Finding {
        numbered_next(message, before)?;
        answers_what_is_open(message, before)?;
        written_in_turn(message, before)
    }
}

fn numbered_next(message: &Message, before: &Record) -> Finding {
    let newest = before.room(&message.room).and_then(|room| room.newest());
    let seq = newest.map_or(1, |newest| newest.seq + 1);
    let is_change = matches!(message.content, Content::Change(_));
    let sent = newest.map_or(0, |newest| newest.sent_by(message.sender)) + u64::from(!is_change);
    let changes = newest.map_or(0, |newest| newest.changes) + u64::from(is_change);
    if (message.seq, message.sender_seq, message.changes) == (seq, sent, changes) {
        return Ok(());
    }
    Err(format!("{message:?} should be number {seq}, with {sent} of its sender and {changes} changes"))
}

/// The first answer in the room's order wins, and there is no second one.
fn answers_what_is_open(message: &Message, before: &Record) -> Finding {
    let Content::MatchProposalAnswer(answer) = &message.content else { return Ok(()) };
    let Some(room) = before.room(&message.room) else { return Ok(()) };
    let is_proposed = room.row(answer.proposal).map(|row| row.now()).is_some_and(|proposal| {
        let by_proposer = proposal.sender == message.sender;
        matches!(proposal.content, Content::MatchProposal(_))
            && by_proposer == (answer.verdict == Verdict::Withdrawn)
    });
    if is_proposed && !room.is_answered(answer.proposal) {
        return Ok(());
    }
    Err(format!("{message:?} answers what is not open to its sender"))
}

/// Nothing that the same device wrote to the same peer earlier still waits.
fn written_in_turn(message: &Message, before: &Record) -> Finding {
    let Some(intent) = before.carried_out() else { return Ok(()) };
    if intent.dropped || intent.row.is_some() {
        return Ok(());
    }
    let waits = before.written_before().find(|earlier| {
        (earlier.device, earlier.user, earlier.peer) == (intent.device, intent.user, intent.peer)
            && earlier.row.is_none()
            && !earlier.refused
            && !earlier.dropped
    });
    match waits {
        None => Ok(()),
        Some(waits) => Err(format!("{message:?} is stored before {:?}, written before it", waits.says)),
    }
}
