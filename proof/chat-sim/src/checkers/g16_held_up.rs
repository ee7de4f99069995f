//! G16: all processes together count what a user asks; whoever has asked more than an hour allows is held up,
//! does not connect any more, and is served only what each process still answers before it looks again.

use chat_domain::testing::{ConnectionStoreCall, PusherCall};
use chat_domain::{Event, HourlyRequests, User as UserRow};

use super::{Checker, Finding, Record};
use crate::call::Call;
use crate::ids::{IdMap, IdSet, SocketId, TaskId, User};
use crate::observations::{Answer, EventKind, Hearer, Observation, Told};

/// In what steps a process adds to what all have counted.
const COUNTED_AT_ONCE: u64 = 100;
/// How many times a row is read anew because another one has written it, before a hundred is not counted.
const CONFLICTS_OF_ONE: u64 = 10;
/// How many calls of REST a process answers before it reads again whether their user is admitted.
const BELIEVED_CALLS: u64 = 3;
/// How many frames a process serves of somebody who is held up: until its next hundred, and what comes at the
/// same time as the last of them.
const SERVED_FRAMES: u64 = 2 * COUNTED_AT_ONCE;

#[derive(Default)]
pub(super) struct HeldUp {
    users: IdMap<User, Counted>,
    served: IdMap<Hearer, u64>,
    /// The requests that are in `served`.
    tasks: IdSet<TaskId>,
}

/// What was counted of a user, and what could not be.
#[derive(Default)]
struct Counted {
    row: Option<HourlyRequests>,
    /// In all hours together.
    requests: u64,
    conflicts: u64,
    lost: u64,
    /// Something failed since the user was held up by which their connections would have ended.
    keeps_connections: bool,
}

impl Counted {
    fn written(&mut self, row: &UserRow) {
        let was = self.row.map_or(0, |was| match row.requests {
            Some(is) if is.since == was.since => was.count,
            _ => 0,
        });
        let is = row.requests.map_or(0, |is| is.count);
        self.requests += u64::from(is.saturating_sub(was));
        self.row = row.requests;
        self.keeps_connections &= row.held_until.is_some();
    }
}

impl Checker for HeldUp {
    const GUARANTEE: &'static str = "G16";

    fn called(&mut self, task: TaskId, call: &Call, before: &Record) -> Finding {
        match call {
            Call::Messages(_) | Call::Reports(_) => self.served(task, before),
            Call::Connections(ConnectionStoreCall::SetIdentityExpiry { .. }) => self.served(task, before),
            Call::Pusher(PusherCall::Push { push, .. })
                if !matches!(push.event(), Event::UnknownConnection(_)) =>
            {
                self.served(task, before)
            }
            _ => Ok(()),
        }
    }

    fn pushed(&mut self, task: TaskId, _: SocketId, event: &Event, before: &Record) -> Finding {
        // Nobody knows whose a frame is on a connection that is not known.
        if let (Event::UnknownConnection(_), Some(running)) = (event, before.tasks.get(task)) {
            self.users.entry(running.user).or_default().lost += 1;
        }
        Ok(())
    }

    fn told(&mut self, task: TaskId, what: Told, before: &Record) -> Finding {
        let Some(running) = before.tasks.get(task) else { return Ok(()) };
        let counted = self.users.entry(running.user).or_default();
        match what {
            Told::UserRowFailed => counted.lost += COUNTED_AT_ONCE,
            Told::Conflict => counted.conflicts += 1,
            Told::Failed => {
                counted.lost += 1;
                counted.keeps_connections = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        match answer {
            Answer::Connected => connected(task, before),
            Answer::Pong => self.served(task, before),
            _ => Ok(()),
        }
    }

    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        match seen {
            Observation::UserRow { user, row } => self.written(*user, row, before),
            Observation::Killed { task } => {
                self.users.entry(before.tasks[*task].user).or_default().lost += COUNTED_AT_ONCE + 1;
                Ok(())
            }
            Observation::Ended => {
                before.directory.everybody().try_for_each(|user| self.are_counted(user, before))
            }
            _ => Ok(()),
        }
    }
}

/// Whoever is held up does not connect.
fn connected(task: TaskId, before: &Record) -> Finding {
    let running = &before.tasks[task];
    match before.users[running.user].held_ms(running.now) {
        Some(since_ms) if running.asked_ms > since_ms => {
            Err(format!("task {task} connects user {}, who is held up", running.user))
        }
        _ => Ok(()),
    }
}

impl HeldUp {
    /// The row says what it has to, and no more than what was asked.
    fn written(&mut self, user: User, row: &UserRow, before: &Record) -> Finding {
        let counted = self.users.entry(user).or_default();
        counted.written(row);
        let is_too_much = row.requests.is_some_and(|hour| hour.count > before.per_hour);
        if row.held_until.is_some() != is_too_much {
            return Err(format!("{row:?} may make {} requests in an hour", before.per_hour));
        }
        if row.held_until.is_none() {
            self.served.retain(|hearer, _| hearer.user() != user);
        }
        let charged: u64 = before.asked_each(user).map(|it| u64::from(it.charged) + COUNTED_AT_ONCE).sum();
        // What was written and not answered is written twice, or meets what it has written itself.
        let at_most = 2 * charged + COUNTED_AT_ONCE * (counted.conflicts + 1);
        if counted.requests > at_most {
            return Err(format!("{} requests of user {user} are counted, of {charged}", counted.requests));
        }
        Ok(())
    }

    /// All was counted but what each process has not added yet.
    fn are_counted(&self, user: User, before: &Record) -> Finding {
        let asked: u64 = before.asked_each(user).map(|it| u64::from(it.requests)).sum();
        let hearers = before.asked_each(user).count() as u64;
        let nothing = Counted::default();
        let counted = self.users.get(&user).unwrap_or(&nothing);
        let not_yet = COUNTED_AT_ONCE * (hearers + counted.conflicts / CONFLICTS_OF_ONE);
        if asked > counted.requests + not_yet + counted.lost {
            return Err(format!("{} requests of user {user} are counted, of {asked}", counted.requests));
        }
        Ok(())
    }

    /// Something is done for a request, perhaps not for the first time.
    fn served(&mut self, task: TaskId, before: &Record) -> Finding {
        let Some(running) = before.tasks.get(task) else { return Ok(()) };
        let Some(since_ms) = before.users[running.user].held_ms(running.now) else { return Ok(()) };
        if !matches!(running.kind, EventKind::Frame | EventKind::Rest)
            || running.asked_ms <= since_ms
            || !self.tasks.insert(task)
        {
            return Ok(());
        }
        let hearer = running.hearer();
        let served = self.served.entry(hearer).or_default();
        *served += 1;
        let keeps_connections = self.users.get(&running.user).is_some_and(|it| it.keeps_connections);
        let at_most = match hearer.is_rest() {
            true => BELIEVED_CALLS,
            false if keeps_connections => u64::MAX,
            false => SERVED_FRAMES,
        };
        if *served > at_most {
            return Err(format!("task {task} is served, and user {} is held up", running.user));
        }
        Ok(())
    }
}
