use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;
use tokio::task::yield_now;

use super::counts::Counts;

tokio::task_local! {
    /// The invocation that is running.
    pub(super) static INVOCATION: Arc<Invocation>;
}

/// One invocation: what happens within it is counted within it.
pub(super) struct Invocation {
    name: String,
    counts: Counts,
    /// How often it may wait before it is killed.
    waits_left: AtomicU64,
    pub(super) killed: Notify,
}

impl Invocation {
    pub(super) fn new(name: String) -> Self {
        Self::killed_after(name, u64::MAX)
    }

    pub(super) fn killed_after(name: String, waits: u64) -> Self {
        Self { name, counts: Counts::default(), waits_left: AtomicU64::new(waits), killed: Notify::new() }
    }

    pub(super) fn next(&self, name: &str) -> String {
        self.counts.next(format!("{}: {name}", self.name))
    }
}

/// A place where the running invocation waits, and is killed if it has waited often enough. Places are
/// counted, not how often the invocation is woken, which is up to the scheduler.
pub(super) async fn wait() {
    if let Ok(invocation) = INVOCATION.try_with(Arc::clone) {
        let lives = |left: u64| left.checked_sub(1);
        if invocation.waits_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lives).is_err() {
            invocation.killed.notify_one();
            pending::<()>().await;
        }
    }
    yield_now().await;
}
