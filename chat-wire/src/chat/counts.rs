use std::sync::atomic::{AtomicU64, Ordering};

use chat_domain::{Deliveries, SendOutcome};

use crate::error::WireError;

/// What a handler has done since it was last asked: for metrics.
#[derive(Debug, Default)]
pub struct Counts {
    failures: AtomicU64,
    sends: AtomicU64,
    duplicates: AtomicU64,
    conflicts: AtomicU64,
    pushes: AtomicU64,
    gone: AtomicU64,
    push_failures: AtomicU64,
}

/// [`Counts`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
        }
    }

    pub(super) fn answered(&self, error: &WireError) {
        if error.failed {
            add(&self.failures, 1);
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

    pub(super) fn pushed(&self, deliveries: Deliveries) {
        let Deliveries { taken, gone, failed } = deliveries;
        for (count, n) in [(&self.pushes, taken), (&self.gone, gone), (&self.push_failures, failed)] {
            add(count, n as u64);
        }
    }
}
