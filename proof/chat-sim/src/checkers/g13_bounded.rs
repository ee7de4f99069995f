//! G13: every request makes a bounded number of calls, and touches a bounded number of rows.

use chat_domain::testing::{ConnectionStoreCall, MessageStoreCall, PusherCall, UserStoreCall};
use chat_domain::{CONNECTIONS_MAX, ROOMS_PAGE_MAX};

use super::{Checker, Finding, Record};
use crate::call::Call;
use crate::ids::{IdVec, TaskId};
use crate::observations::{Answer, EventKind, Observation, OpenSocket, Told};

/// How many messages one send tries to store: once, and nine times more.
const COMMITS_MAX: u32 = 10;
/// How often one send reads the head: as it may be stale, strongly if that one refuses, and after each of
/// nine attempts that failed.
const HEADS_MAX: u32 = 11;
/// How many times one request reads messages that it refers to: with each head, and as a change has left
/// them.
const REFERRED_MAX: u32 = HEADS_MAX + 1;
/// How many pages one request reads, each of `PAGE_MAX` rows at most: a search for each head.
const PAGES_MAX: u32 = HEADS_MAX;
/// How many users' connections one request lists: both members'.
const LISTS_MAX: u32 = 2;
/// How many pushes go to connections that are not listed: one that is unknown is told so.
const TURNED_AWAY: u32 = 1;
/// How many connections one request pushes to: all that both members may have.
const PUSHES_MAX: u32 = LISTS_MAX * CONNECTIONS_MAX as u32;
/// How many connections one connect closes of those that are too many.
const CLOSES_OF_CONNECT_MAX: u32 = 4;
/// How many connections any other request closes: so many of each member that have no place, or the one that
/// is unknown.
const CLOSES_MAX: u32 = PUSHES_MAX;
/// How many waits there are: one before each further attempt to store.
const WAITS_MAX: u32 = COMMITS_MAX - 1;
/// How many times one request writes what somebody has decided: once, and again after each other decision
/// that came between.
const DECISIONS_MAX: u32 = 5;
/// How many times one request reads the row of its user, and writes it: to count a hundred requests, or to
/// admit the user, and to count a room that they begin; each again when another one came between.
const USER_ROWS_MAX: u32 = 20;
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

    fn called(&mut self, task: TaskId, call: &Call, before: &Record) -> Finding {
        let Some(tally) = self.tallies.get_mut(task) else { return Ok(()) };
        let kind = before.tasks.get(task).map(|running| running.kind);
        if kind == Some(EventKind::Operator) {
            return Ok(());
        }
        let connects = kind == Some(EventKind::Connect);
        if tally.admits(call, if connects { CLOSES_OF_CONNECT_MAX } else { CLOSES_MAX }) {
            return Ok(());
        }
        Err(format!("task {task} asks too much with {call:?}, after {tally:?}"))
    }

    fn told(&mut self, task: TaskId, what: Told, _: &Record) -> Finding {
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
    referred: u32,
    pages: u32,
    lists: u32,
    pushes: u32,
    deletions: u32,
    waits: u32,
    closes: u32,
    decisions: u32,
    user_reads: u32,
    user_writes: u32,
    others: u32,
    /// How many connections were listed to it.
    connections_listed: u32,
}

impl Tally {
    /// Counts a call; says whether a request may make so many of its kind.
    fn admits(&mut self, call: &Call, closes_max: u32) -> bool {
        let listed = self.connections_listed;
        let (calls, at_most) = match call {
            Call::Messages(MessageStoreCall::Commit { .. }) | Call::PutRow(_) => {
                (&mut self.commits, COMMITS_MAX)
            }
            Call::Messages(MessageStoreCall::Room { .. } | MessageStoreCall::RoomForChange { .. }) => {
                (&mut self.heads, HEADS_MAX)
            }
            Call::Messages(MessageStoreCall::MessagesAt { .. } | MessageStoreCall::ApplyChange { .. }) => {
                (&mut self.referred, REFERRED_MAX)
            }
            Call::Messages(MessageStoreCall::Page { .. }) => (&mut self.pages, PAGES_MAX),
            Call::Connections(ConnectionStoreCall::OfUser { .. }) => (&mut self.lists, LISTS_MAX),
            Call::Pusher(PusherCall::Push { .. }) => (&mut self.pushes, listed.min(PUSHES_MAX) + TURNED_AWAY),
            Call::Connections(ConnectionStoreCall::DeleteIfConnectedBefore { .. }) => {
                (&mut self.deletions, listed)
            }
            // All rows of somebody who is held up, or the one that was stored before its user was refused.
            Call::Connections(ConnectionStoreCall::Delete { .. }) => (&mut self.deletions, listed.max(1)),
            Call::Users(UserStoreCall::Get { .. }) => (&mut self.user_reads, USER_ROWS_MAX),
            Call::Users(_) => (&mut self.user_writes, USER_ROWS_MAX),
            Call::Wait(_) => (&mut self.waits, WAITS_MAX),
            Call::Pusher(PusherCall::Close { .. }) => (&mut self.closes, closes_max),
            Call::Messages(MessageStoreCall::WriteConsent { .. }) => (&mut self.decisions, DECISIONS_MAX),
            _ => (&mut self.others, OTHERS_MAX),
        };
        *calls += 1;
        *calls <= at_most
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
