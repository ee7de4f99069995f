//! The checkers: one for each guarantee of [docs/guarantees.md](../../../../docs/guarantees.md), in a file of
//! its name. Each reads the log of observations, and keeps to itself whatever else it has to remember.

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
mod liveness;
mod page;
mod record;

use std::sync::Arc;

use crate::directory::Directory;
use crate::observations::Observation;

pub(crate) use self::record::Record;

/// What a checker finds: nothing, or how the guarantee is broken.
type Finding = Result<(), String>;

/// Holds a guarantee against what is observed.
trait Checker: Default {
    /// What docs/guarantees.md calls the guarantee.
    const GUARANTEE: &'static str;
    /// Whether it looks at calls of ports, of which there are so many that the others are not shown them.
    const SEES_CALLS: bool = false;

    /// Sees an observation, and what was observed before it.
    fn check(&mut self, seen: &Observation<'_>, before: &Record) -> Finding;
}

/// A guarantee that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Which: `G1` to `G13`, or `live`.
    pub(crate) rule: &'static str,
    /// How.
    pub(crate) what: String,
}

macro_rules! checkers {
    ($($field:ident: $checker:path,)+) => {
        /// All checkers, in the order in which they are asked: if one observation breaks several guarantees,
        /// the first names it.
        #[derive(Default)]
        struct Checkers { $($field: $checker,)+ }

        impl Checkers {
            fn check(&mut self, seen: &Observation<'_>, before: &Record) -> Result<(), Violation> {
                $(by(&mut self.$field, seen, before)?;)+
                Ok(())
            }
        }
    };
}

checkers! {
    bounded: g13_bounded::Bounded,
    isolation: g11_isolation::Isolation,
    durable: g01_durable::Durable,
    no_gaps: g06_no_gaps::NoGaps,
    one_order: g04_one_order::OneOrder,
    integrity: g03_integrity::Integrity,
    exactly_once: g02_exactly_once::ExactlyOnce,
    refused_means_absent: g08_refused_means_absent::RefusedMeansAbsent,
    causal: g05_causal::Causal,
    fresh_login: g12_fresh_login::FreshLogin,
    convergence: g07_convergence::Convergence,
    read_marks: g09_read_marks::ReadMarks,
    unread_exact: g10_unread_exact::UnreadExact,
    liveness: liveness::Liveness,
}

#[inline]
fn by<C: Checker>(checker: &mut C, seen: &Observation<'_>, before: &Record) -> Result<(), Violation> {
    if !C::SEES_CALLS && matches!(seen, Observation::Called { .. }) {
        return Ok(());
    }
    checker.check(seen, before).map_err(|what| Violation { rule: C::GUARANTEE, what })
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
