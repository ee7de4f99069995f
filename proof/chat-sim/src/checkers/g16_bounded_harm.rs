//! G16: whoever asks too much is refused before anything is read or written, and closed if they go on; nobody
//! is refused who does not; and one request is pushed to no more devices than there are places, for both
//! members together.

use std::fmt::Debug;

use chat_domain::testing::{ConnectionStoreCall, PusherCall};
use chat_domain::{ConnectionId, Event, PUSHES_MAX, RequestRate};

use super::{Checker, Finding, Record};
use crate::call::Call;
use crate::ids::{IdMap, IdVec, ProcessId, SocketId, TaskId, socket_number};
use crate::observations::{Answer, EventKind, Hearer};

/// How many requests more: events reach a process a few milliseconds after the time that they carry.
const SLACK: f64 = 2.0;
/// How many buckets answer for a connection whose row is gone: its user's while the process still knows
/// whose it was, and its own afterwards.
const BUCKETS_OF_UNKNOWN: f64 = 2.0;
/// How many bursts may be refused before the connection is closed: of the user, and of the connection while
/// the process does not know whose it is.
const REFUSED_BURSTS: f64 = 2.0;

#[derive(Default)]
pub(super) struct BoundedHarm {
    tasks: IdVec<TaskId, Work>,
    heard: IdMap<Hearer, Heard>,
    /// The same of a connection whose row is gone: no user is found whose request it would be.
    of_unknown: IdMap<((ProcessId, u32), SocketId), Heard>,
}

/// What a request has led to.
#[derive(Default)]
struct Work {
    /// Whether it was admitted: something was read or written for it.
    admitted: bool,
    /// How many pushes it led to.
    pushes: usize,
}

/// What a process has done for a user.
struct Heard {
    /// From how many buckets it was admitted.
    buckets: f64,
    /// How many requests more may be admitted.
    left: f64,
    at_ms: i64,
    /// How many frames were refused since a connection was closed.
    refused: f64,
}

impl Work {
    /// Takes a request from what may be done, unless that was done before.
    fn admit(tasks: &mut IdVec<TaskId, Self>, task: TaskId, heard: &mut Heard, of: &impl Debug) -> Finding {
        let Some(work) = tasks.get_mut(task) else { return Ok(()) };
        if std::mem::replace(&mut work.admitted, true) {
            return Ok(());
        }
        heard.left -= 1.0;
        if heard.left >= 0.0 {
            return Ok(());
        }
        Err(format!("task {task} is admitted, and {of:?} has done as much as it may"))
    }
}

impl Heard {
    fn full(buckets: f64, now_ms: i64) -> Self {
        Self { buckets, left: buckets * burst() + SLACK, at_ms: now_ms, refused: 0.0 }
    }

    fn refill(&mut self, now_ms: i64) {
        let refilled = (now_ms - self.at_ms) as f64 * per_ms();
        self.left = (self.left + self.buckets * refilled).min(self.buckets * burst() + SLACK);
        self.refused = (self.refused - refilled).max(0.0);
        self.at_ms = now_ms;
    }
}

impl Checker for BoundedHarm {
    const GUARANTEE: &'static str = "G16";

    fn invoked(&mut self) -> Finding {
        self.tasks.push(Work::default());
        Ok(())
    }

    fn called(&mut self, task: TaskId, call: &Call, before: &Record) -> Finding {
        let Some(running) = before.tasks.get(task) else { return Ok(()) };
        match call {
            // By these it is found out whose a request is.
            Call::Verifier(_) | Call::Connections(ConnectionStoreCall::Get { .. }) => Ok(()),
            // By this requests are counted, refused ones among them.
            Call::Users(_) => Ok(()),
            // By these their connections end who have made too many in an hour.
            Call::Connections(ConnectionStoreCall::OfUser { .. } | ConnectionStoreCall::Delete { .. })
                if before.users[running.user].held.is_some() =>
            {
                Ok(())
            }
            Call::Pusher(PusherCall::Close { id }) => {
                self.closed(running.hearer(), id, running.socket);
                Ok(())
            }
            Call::Pusher(PusherCall::Push { push, .. })
                if matches!(push.event(), Event::UnknownConnection(_)) =>
            {
                let Some(socket) = running.socket else { return Ok(()) };
                let (of, now_ms) = ((running.process, socket), before.now_ms());
                let heard = self.of_unknown.entry(of);
                let heard = heard.or_insert_with(|| Heard::full(BUCKETS_OF_UNKNOWN, now_ms));
                heard.refill(now_ms);
                Work::admit(&mut self.tasks, task, heard, &of)
            }
            _ if matches!(running.kind, EventKind::Frame | EventKind::Rest) => {
                self.admitted(task, running.hearer(), before)
            }
            _ => Ok(()),
        }
    }

    fn pushed(&mut self, task: TaskId, _: SocketId, _: &Event, _: &Record) -> Finding {
        let Some(work) = self.tasks.get_mut(task) else { return Ok(()) };
        work.pushes += 1;
        if work.pushes > PUSHES_MAX {
            return Err(format!("task {task} makes push {}", work.pushes));
        }
        Ok(())
    }

    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        match answer {
            Answer::TooFast => self.refused(task, before),
            Answer::Pong => self.admitted(task, before.tasks[task].hearer(), before),
            _ => Ok(()),
        }
    }
}

fn burst() -> f64 {
    f64::from(RequestRate::default().burst.get())
}

fn per_ms() -> f64 {
    f64::from(RequestRate::default().per_second.get()) / 1_000.0
}

impl BoundedHarm {
    fn heard(&mut self, hearer: Hearer, now_ms: i64) -> &mut Heard {
        let heard = self.heard.entry(hearer).or_insert_with(|| Heard::full(1.0, now_ms));
        heard.refill(now_ms);
        heard
    }

    /// Something is read or written for a request, perhaps not for the first time.
    fn admitted(&mut self, task: TaskId, hearer: Hearer, before: &Record) -> Finding {
        if self.tasks.get(task).is_none_or(|work| work.admitted) {
            return Ok(());
        }
        let now_ms = before.now_ms();
        let heard = self.heard.entry(hearer).or_insert_with(|| Heard::full(1.0, now_ms));
        heard.refill(now_ms);
        Work::admit(&mut self.tasks, task, heard, &hearer)
    }

    fn closed(&mut self, hearer: Hearer, id: &ConnectionId, own: Option<SocketId>) {
        if own.is_some()
            && own == socket_number(id)
            && let Some(heard) = self.heard.get_mut(&hearer)
        {
            heard.refused = 0.0;
        }
    }

    /// A request is refused because there were too many: there were, and its connection is closed if there
    /// were many more.
    fn refused(&mut self, task: TaskId, before: &Record) -> Finding {
        let running = &before.tasks[task];
        if before.users[running.user].held_ms(running.now).is_some() {
            return Ok(());
        }
        let asked = before.asked(running.hearer()).charged;
        if (asked as f64) < burst() {
            return Err(format!("task {task} is refused, which is number {asked} of {:?}", running.hearer()));
        }
        let heard = self.heard(running.hearer(), before.now_ms());
        heard.refused += 1.0;
        if running.kind == EventKind::Frame && heard.refused > REFUSED_BURSTS * burst() + SLACK {
            return Err(format!("task {task} is refused, after many others, and nothing is closed"));
        }
        Ok(())
    }
}
