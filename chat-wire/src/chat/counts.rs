use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use chat_domain::{Deliveries, SendOutcome};

use crate::error::{ErrorCode, WireError};

/// What a handler has done since it was last asked: for metrics. A server without metrics leaves it alone.
#[derive(Debug, Default)]
pub struct Counts {
    failures: AtomicU64,
    sends: AtomicU64,
    duplicates: AtomicU64,
    conflicts: AtomicU64,
    pushes: AtomicU64,
    gone: AtomicU64,
    push_failures: AtomicU64,
    reports: AtomicU64,
    connects: AtomicU64,
    closes: AtomicU64,
    refusals: Mutex<BTreeMap<ErrorCode, u64>>,
}

/// [`Counts`] at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Answers that something failed here: `unavailable` and `internal`.
    pub failures: u64,
    /// Messages that were stored.
    pub sends: u64,
    /// Messages that were stored already.
    pub duplicates: u64,
    /// How often storing a message was tried again: others were first, or nobody knew what had happened.
    pub conflicts: u64,
    /// Frames that the gateway took.
    pub pushes: u64,
    /// Frames for connections that were gone.
    pub gone: u64,
    /// Frames that failed otherwise.
    pub push_failures: u64,
    /// Reports that were not filed before.
    pub reports: u64,
    /// Connections that were admitted.
    pub connects: u64,
    /// How often somebody's connection was closed because they asked far too much.
    pub closes: u64,
    /// How many answers were refusals, by their codes. Failures are not among them.
    pub refusals: BTreeMap<ErrorCode, u64>,
}

impl AddAssign for Counted {
    fn add_assign(&mut self, more: Self) {
        let Self {
            failures,
            sends,
            duplicates,
            conflicts,
            pushes,
            gone,
            push_failures,
            reports,
            connects,
            closes,
            refusals,
        } = more;
        self.failures += failures;
        self.sends += sends;
        self.duplicates += duplicates;
        self.conflicts += conflicts;
        self.pushes += pushes;
        self.gone += gone;
        self.push_failures += push_failures;
        self.reports += reports;
        self.connects += connects;
        self.closes += closes;
        for (code, count) in refusals {
            *self.refusals.entry(code).or_default() += count;
        }
    }
}

fn add(count: &AtomicU64, n: u64) {
    count.fetch_add(n, Ordering::Relaxed);
}

impl Counts {
    /// What was counted since the last time.
    pub fn take(&self) -> Counted {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        Counted {
            failures: take(&self.failures),
            sends: take(&self.sends),
            duplicates: take(&self.duplicates),
            conflicts: take(&self.conflicts),
            pushes: take(&self.pushes),
            gone: take(&self.gone),
            push_failures: take(&self.push_failures),
            reports: take(&self.reports),
            connects: take(&self.connects),
            closes: take(&self.closes),
            refusals: std::mem::take(&mut self.refusals.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    pub(super) fn answered(&self, error: &WireError) {
        if error.failed {
            add(&self.failures, 1);
        } else {
            *self.refusals.lock().unwrap_or_else(PoisonError::into_inner).entry(error.code).or_default() += 1;
        }
    }

    pub(super) fn sent(&self, outcome: SendOutcome) {
        match outcome {
            SendOutcome::Stored { retries, deliveries } => {
                add(&self.sends, 1);
                add(&self.conflicts, retries.into());
                self.pushed(deliveries);
            }
            SendOutcome::Duplicate => add(&self.duplicates, 1),
        }
    }

    pub(super) fn reported(&self) {
        add(&self.reports, 1);
    }

    pub(super) fn connected(&self) {
        add(&self.connects, 1);
    }

    pub(super) fn closed(&self) {
        add(&self.closes, 1);
    }

    pub(super) fn pushed(&self, deliveries: Deliveries) {
        let Deliveries { taken, gone, failed } = deliveries;
        for (count, n) in [(&self.pushes, taken), (&self.gone, gone), (&self.push_failures, failed)] {
            add(count, n as u64);
        }
    }
}
