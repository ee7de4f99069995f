//! G2: at most one message is stored for each sender and `clientMessageId`, and a retry gets the place of the
//! first.

use chat_domain::{Message, PAGE_MAX, Timestamp};
use chat_wire::frames::SentFrame;

use super::{Checker, Finding, Record};
use crate::ids::{IdVec, IntentId, TaskId};
use crate::observations::{Answer, Stored, Told};

#[derive(Default)]
pub(super) struct ExactlyOnce {
    /// What each handler has stored, and knows that it has.
    stored: IdVec<TaskId, Option<Timestamp>>,
}

impl Checker for ExactlyOnce {
    const GUARANTEE: &'static str = "G2";

    fn invoked(&mut self) -> Finding {
        self.stored.push(None);
        Ok(())
    }

    fn told(&mut self, task: TaskId, what: Told, _: &Record) -> Finding {
        if let (Told::Stored(at), Some(known)) = (what, self.stored.get_mut(task)) {
            *known = Some(at);
        }
        Ok(())
    }

    fn stored(&mut self, stored: Stored<'_>, before: &Record) -> Finding {
        stored_once(stored.message, before)
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        let Answer::Sent { intent, sent } = answer else { return Ok(()) };
        self.acknowledged(task, *intent, sent, before)
    }
}

impl ExactlyOnce {
    fn acknowledged(&self, task: TaskId, intent: IntentId, sent: &SentFrame, before: &Record) -> Finding {
        let meant = &before.intents[intent];
        let Some(at) = before.named_at() else { return Ok(()) };
        let place = (at, sent.seq);
        // What says no `after` may be stored twice, far apart; then either place is one.
        if !meant.without_after
            && (meant.row != Some(place) || meant.acked.is_some_and(|earlier| earlier != place))
        {
            return Err(format!("{meant:?} is acknowledged at {place:?}"));
        }
        let stored_by_it = self.stored[task] == Some(at);
        if sent.duplicate == stored_by_it {
            return Err(format!("{sent:?} is answered by task {task}, which stored it: {stored_by_it}"));
        }
        Ok(())
    }
}

fn stored_once(message: &Message, before: &Record) -> Finding {
    let Some(intent) = before.carried_out() else { return Ok(()) };
    match intent.row {
        Some((_, seq)) if intent.without_after && message.seq > seq + PAGE_MAX as u64 => Ok(()),
        Some((at, _)) => Err(format!("{message:?} is stored already, at {at}")),
        None => Ok(()),
    }
}
