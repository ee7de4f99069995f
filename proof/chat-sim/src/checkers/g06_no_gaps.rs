//! G6: nothing is stored at or before a visible timestamp, and a page begins, ends and goes on where it says.

use super::page::misplaced;
use super::{Checker, Finding, Record};
use crate::ids::TaskId;
use crate::observations::{Answer, Stored};

#[derive(Default)]
pub(super) struct NoGaps;

impl Checker for NoGaps {
    const GUARANTEE: &'static str = "G6";

    fn stored(&mut self, Stored { message, .. }: Stored<'_>, before: &Record) -> Finding {
        let newest = before.room(&message.room).and_then(|room| room.newest());
        match newest.map(|newest| newest.at).filter(|newest| *newest >= message.at) {
            None => Ok(()),
            Some(newest) => Err(format!("{message:?} is stored before {newest}, which was visible")),
        }
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        let Answer::History { asked, body } = answer else { return Ok(()) };
        let running = &before.tasks[task];
        let room = before.room_of(running.user, asked.peer);
        let begun = room.rows_before(running.asked_ms) as u64;
        let Some(wrong) = misplaced(&room.rows, asked.range, begun, body) else { return Ok(()) };
        let seqs: Vec<u64> = body.messages.iter().map(|message| message.seq).collect();
        Err(format!(
            "{asked:?} of {} is answered with {seqs:?} of {}, of which {begun} were there when it was asked: \
             {wrong}; {body:?}",
            room.id,
            room.rows.len()
        ))
    }
}
