//! G13: every request makes a bounded number of calls, and touches a bounded number of rows.

use chat_domain::{CONNECTIONS_MAX, PAGE_MAX, ROOMS_PAGE_MAX};

use super::{Checker, Finding, Record};
use crate::ids::{IdVec, TaskId};
use crate::observations::{Answer, Observation, OpenSocket, Told};
use crate::ports::Call;

/// How many messages one send tries to store: once, and nine times more.
const COMMITS_MAX: u32 = 10;
/// How often one send reads the head: as it may be stale, strongly if that one refuses, and after each of
/// nine attempts that failed.
const HEADS_MAX: u32 = 11;
/// How many pages one request reads, each of [`PAGE_MAX`] rows at most: a search for each head, and a read
/// mark reads two.
const PAGES_MAX: u32 = HEADS_MAX;
/// How many users' connections one request lists: both members'.
const LISTS_MAX: u32 = 2;
/// How many pushes go to connections that are not listed: one that is unknown is told so.
const TURNED_AWAY: u32 = 1;
/// How many connections one request closes: that many of those that are too many, or the one that is unknown.
const CLOSES_MAX: u32 = 4;
/// How many waits there are: one before each further attempt to store.
const WAITS_MAX: u32 = COMMITS_MAX - 1;
/// How many calls there are of all other kinds: a read mark reads its connection, moves the mark, and marks
/// rows.
const OTHERS_MAX: u32 = 3;

#[derive(Default)]
pub(super) struct Bounded {
    tallies: IdVec<TaskId, Tally>,
}

impl Checker for Bounded {
    const GUARANTEE: &'static str = "G13";

    fn invoked(&mut self) -> Finding {
        self.tallies.push(Tally::default());
        Ok(())
    }

    fn called(&mut self, task: TaskId, call: &Call, _: &Record) -> Finding {
        let Some(tally) = self.tallies.get_mut(task) else { return Ok(()) };
        if tally.admits(call) {
            return Ok(());
        }
        Err(format!("task {task} asks too much with {call:?}, after {tally:?}"))
    }

    fn told(&mut self, task: TaskId, what: Told) -> Finding {
        if let (Told::Connections(count), Some(tally)) = (what, self.tallies.get_mut(task)) {
            tally.connections_listed += u32::try_from(count).unwrap_or(u32::MAX);
        }
        Ok(())
    }

    fn answered(&mut self, _: TaskId, answer: &Answer<'_>, _: &Record) -> Finding {
        match answer {
            Answer::History { asked, body } if body.messages.len() > asked.limit => {
                Err(format!("{asked:?} is answered with {} rows", body.messages.len()))
            }
            Answer::Conversations { body, .. } if body.conversations.len() > ROOMS_PAGE_MAX => {
                Err(format!("{} conversations in a page", body.conversations.len()))
            }
            _ => Ok(()),
        }
    }

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        let Observation::ConnectionsSettled { open } = seen else { return Ok(()) };
        few_connections(open, before)
    }
}

/// What a request has asked of the ports so far.
#[derive(Clone, Debug, Default)]
struct Tally {
    commits: u32,
    heads: u32,
    pages: u32,
    lists: u32,
    pushes: u32,
    deletions: u32,
    waits: u32,
    closes: u32,
    others: u32,
    /// How many connections were listed to it.
    connections_listed: u32,
}

impl Tally {
    /// Counts a call; says whether a request may make so many of its kind.
    fn admits(&mut self, call: &Call) -> bool {
        let listed = self.connections_listed;
        let (calls, at_most) = match call {
            Call::Commit(_) | Call::PutRow(_) => (&mut self.commits, COMMITS_MAX),
            Call::Room(..) => (&mut self.heads, HEADS_MAX),
            Call::Page(..) => (&mut self.pages, PAGES_MAX),
            Call::OfUser(..) => (&mut self.lists, LISTS_MAX),
            Call::Push(..) => (&mut self.pushes, listed + TURNED_AWAY),
            Call::DeleteIfBefore(..) => (&mut self.deletions, listed),
            Call::Wait(_) => (&mut self.waits, WAITS_MAX),
            Call::Close(_) => (&mut self.closes, CLOSES_MAX),
            _ => (&mut self.others, OTHERS_MAX),
        };
        *calls += 1;
        let few_rows = !matches!(call, Call::MarkRows(_, _, rows, _) if rows.len() > PAGE_MAX);
        *calls <= at_most && few_rows
    }
}

/// Nobody has more connections than one may have, now that nothing goes wrong any more.
fn few_connections(open: &[OpenSocket], before: &Record) -> Finding {
    for user in before.directory.everybody() {
        let theirs = open.iter().filter(|open| before.sockets[open.socket].user == user);
        let count = theirs.filter(|open| before.has_row(open.socket)).count();
        if count > CONNECTIONS_MAX {
            return Err(format!("user {user} has {count} connections"));
        }
    }
    Ok(())
}
