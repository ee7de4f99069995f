//! The checkers: one for each guarantee of `docs/guarantees.md`, in a file of its name. Each reads the log of
//! observations, and keeps to itself whatever else it has to remember.

mod g01_durable;
mod g02_exactly_once;
mod g03_integrity;
mod g04_one_order;
mod g05_causal;
mod g06_no_gaps;
mod g07_convergence;
mod g08_refused_means_absent;
mod g09_read_marks;
mod g10_unread_exact;
mod g11_isolation;
mod g12_fresh_login;
mod g13_bounded;
mod g14_changes;
mod g15_consent;
mod g16_bounded_harm;
mod g16_held_up;
mod g16_suspended;
mod g18_settled;
mod liveness;
mod page;
mod record;

use std::num::NonZeroU32;
use std::sync::Arc;

use chat_domain::{Event, FirstContact};
use chat_wire::message::MessageBody;

use crate::call::Call;
use crate::directory::Directory;
use crate::ids::{DeviceId, SocketId, TaskId, User};
use crate::observations::{Answer, Observation, Stored, Told};

pub(crate) use self::record::{Record, StoredMessage};

/// What a checker finds: nothing, or how the guarantee is broken.
type Finding = Result<(), String>;

/// Holds a guarantee against what is observed. Each method sees one kind of observation, and what was
/// observed before it; a checker has the methods for what concerns it.
#[expect(unused_variables, reason = "a checker that has no method for an observation does not look at it")]
trait Checker: Default {
    /// What docs/guarantees.md calls the guarantee.
    const GUARANTEE: &'static str;

    /// An event is on its way to a process.
    fn invoked(&mut self) -> Finding {
        Ok(())
    }

    /// A handler calls a port.
    fn called(&mut self, task: TaskId, call: &Call, before: &Record) -> Finding {
        Ok(())
    }

    /// A handler pushes something to a socket.
    fn pushed(&mut self, task: TaskId, to: SocketId, event: &Event, before: &Record) -> Finding {
        Ok(())
    }

    /// A handler is told what came of a call.
    fn told(&mut self, task: TaskId, what: Told, before: &Record) -> Finding {
        Ok(())
    }

    /// A message is stored.
    fn stored(&mut self, stored: Stored<'_>, before: &Record) -> Finding {
        Ok(())
    }

    /// A handler answers the event that it was given.
    fn answered(&mut self, task: TaskId, answer: &Answer<'_>, before: &Record) -> Finding {
        Ok(())
    }

    /// A device shows a message.
    fn shown(&mut self, user: User, device: DeviceId, message: &MessageBody, before: &Record) -> Finding {
        Ok(())
    }

    /// Anything else is observed, which is rarer.
    fn other(&mut self, seen: &Observation<'_>, before: &Record) -> Finding {
        Ok(())
    }
}

/// A guarantee that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Which: `G1` to `G18`, or `live`.
    pub(crate) rule: &'static str,
    /// How it was broken, in words that name the message, the device or the row.
    pub(crate) what: String,
}

/// The checkers of all guarantees, in their order.
#[derive(Default)]
struct Checkers {
    durable: g01_durable::Durable,
    exactly_once: g02_exactly_once::ExactlyOnce,
    integrity: g03_integrity::Integrity,
    one_order: g04_one_order::OneOrder,
    causal: g05_causal::Causal,
    no_gaps: g06_no_gaps::NoGaps,
    convergence: g07_convergence::Convergence,
    refused_means_absent: g08_refused_means_absent::RefusedMeansAbsent,
    read_marks: g09_read_marks::ReadMarks,
    unread_exact: g10_unread_exact::UnreadExact,
    isolation: g11_isolation::Isolation,
    fresh_login: g12_fresh_login::FreshLogin,
    bounded: g13_bounded::Bounded,
    changes: g14_changes::Changes,
    consent: g15_consent::HeldConsent,
    bounded_harm: g16_bounded_harm::BoundedHarm,
    held_up: g16_held_up::HeldUp,
    suspended: g16_suspended::Suspended,
    settled: g18_settled::Settled,
    liveness: liveness::Liveness,
}

/// Asks all checkers, in this order: if one observation breaks several guarantees, the first names the
/// violation.
macro_rules! ask {
    ($checkers:ident.$method:ident $arguments:tt) => {
        ask!($checkers, $method, $arguments: bounded, isolation, durable, no_gaps, one_order, integrity,
            exactly_once, refused_means_absent, causal, fresh_login, convergence, read_marks, unread_exact,
            changes, consent, bounded_harm, held_up, suspended, settled, liveness)
    };
    ($checkers:ident, $method:ident, $arguments:tt: $($field:ident),+) => {{
        $(named(&mut $checkers.$field, |checker| checker.$method $arguments)?;)+
    }};
}

impl Checkers {
    fn check(&mut self, seen: &Observation<'_>, before: &Record) -> Result<(), Violation> {
        match seen {
            Observation::Invoked(_) => ask!(self.invoked()),
            Observation::Called { task, call } => ask!(self.called(*task, call, before)),
            Observation::Pushed { task, to, event } => ask!(self.pushed(*task, *to, event, before)),
            Observation::Told { task, what } => ask!(self.told(*task, *what, before)),
            Observation::Stored(stored) => ask!(self.stored(*stored, before)),
            Observation::Answered { task, answer } => ask!(self.answered(*task, answer, before)),
            Observation::Shown { user, device, message } => {
                ask!(self.shown(*user, *device, message, before));
            }
            // Nothing of this can break a promise; the record keeps it.
            Observation::Written(_)
            | Observation::Forgotten(_)
            | Observation::Found { .. }
            | Observation::MarkWanted { .. }
            | Observation::SocketMade { .. }
            | Observation::LoginCounts { .. }
            | Observation::Begun { .. }
            | Observation::ConnectionRow { .. } => {}
            seen => ask!(self.other(seen, before)),
        }
        Ok(())
    }
}

/// Most checkers have no method for most observations: then there is nothing to call.
#[inline(always)]
fn named<C: Checker>(checker: &mut C, ask: impl FnOnce(&mut C) -> Finding) -> Result<(), Violation> {
    ask(checker).map_err(|what| Violation { rule: C::GUARANTEE, what })
}

/// The log of observations, and the checkers that read it.
pub(crate) struct Observer {
    record: Record,
    checkers: Checkers,
    violation: Option<Violation>,
}

impl Observer {
    pub(crate) fn new(directory: Arc<Directory>) -> Self {
        Self { record: Record::new(directory), checkers: Checkers::default(), violation: None }
    }

    /// From now on conversations begin like this.
    pub(crate) fn begin_with(&mut self, first_contact: FirstContact) {
        self.record.first_contact = first_contact;
    }

    /// From now on one user may make so many requests in an hour.
    pub(crate) fn allow_per_hour(&mut self, per_hour: NonZeroU32) {
        self.record.per_hour = per_hour.get();
    }

    /// From now on rows are written after their heads, or with them.
    pub(crate) fn written_ahead(&mut self, writes_ahead: bool) {
        self.record.writes_ahead = writes_ahead;
    }

    /// Sees an observation that is made at a true time. Returns the violation if it is the first that is
    /// found.
    pub(crate) fn see(&mut self, now_ms: i64, seen: &Observation<'_>) -> Option<&Violation> {
        self.record.begin(now_ms, seen);
        let found = match self.violation {
            None => self.checkers.check(seen, &self.record).err(),
            Some(_) => None,
        };
        self.record.take(seen);
        found.map(|found| &*self.violation.insert(found))
    }

    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// The first guarantee that was broken.
    pub(crate) fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }
}
