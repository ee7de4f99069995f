//! G18: the row of every message but the newest exists; the newest is in the head, in a row, or in both, and
//! they agree.

use std::collections::BTreeSet;

use chat_domain::{Message, RoomId, Timestamp};

use super::{Checker, Finding, Record};
use crate::observations::{Observation, Stored};

/// The rows that there are, where they are written by themselves.
#[derive(Default)]
pub(super) struct Settled {
    rows: BTreeSet<(RoomId, Timestamp)>,
}

impl Checker for Settled {
    const GUARANTEE: &'static str = "G18";

    fn stored(&mut self, stored: Stored<'_>, before: &Record) -> Finding {
        let Some(newest) = before.room(&stored.message.room).and_then(|room| room.newest()) else {
            return Ok(());
        };
        let has_row = self.rows.contains(&(newest.room.clone(), newest.at));
        if has_row || !before.writes_ahead {
            return Ok(());
        }
        Err(format!("{newest:?} has no row, and the head has now {:?}", stored.message))
    }

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        match seen {
            Observation::Row { room, at, row } => self.written(room, *at, *row, before),
            _ => Ok(()),
        }
    }
}

impl Settled {
    fn written(&mut self, room: &RoomId, at: Timestamp, row: Option<&Message>, before: &Record) -> Finding {
        let place = (room.clone(), at);
        let Some(row) = row else {
            self.rows.remove(&place);
            return Err(format!("the row of {at} in {room} is deleted"));
        };
        let stored = before.room(room).and_then(|room| room.row(at));
        // Which of the states that changes have made of it, another checker says.
        let state = stored.and_then(|stored| stored.changed_by(Some(row.changed.by)));
        if state != Some(row) {
            return Err(format!("{row:?} is the row of {stored:?}"));
        }
        self.rows.insert(place);
        Ok(())
    }
}
