//! The pool of a function's instances.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::invocation::Job;
use crate::{FunctionConfig, InvokeError};

/// The instances of one function: which are alive, and which of them wait for an event.
#[derive(Debug)]
pub(crate) struct Instances {
    pub(crate) config: FunctionConfig,
    pub(crate) stop: CancellationToken,
    tasks: TaskTracker,
    counts: Mutex<Counts>,
    /// An instance has become ready or ended.
    pub(crate) changed: Notify,
}

#[derive(Debug, Default)]
struct Counts {
    /// Instances that wait for an event, frozen. The last one is taken first, so that others grow old and
    /// end.
    ready: Vec<mpsc::Sender<Job>>,
    alive: usize,
    /// Instances that have answered, but do not wait for an event yet.
    finishing: usize,
}

/// Where an event goes.
pub(crate) enum Destination {
    Ready(mpsc::Sender<Job>),
    Free(Alive),
    Finishing,
}

impl Instances {
    pub(crate) fn new(config: FunctionConfig, stop: CancellationToken) -> Self {
        Self { config, stop, tasks: TaskTracker::new(), counts: Mutex::default(), changed: Notify::new() }
    }

    /// Stops all of them, and returns when none is left.
    pub(crate) async fn shutdown(&self) {
        {
            // Nobody starts a process between these two.
            let _counts = self.counts();
            self.stop.cancel();
            self.tasks.close();
        }
        self.tasks.wait().await;
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn destination(self: &Arc<Self>, patient: bool) -> Result<Destination, InvokeError> {
        {
            let mut counts = self.counts();
            if let Some(instance) = counts.ready.pop() {
                return Ok(Destination::Ready(instance));
            }
            if patient && counts.finishing > 0 {
                return Ok(Destination::Finishing);
            }
        }
        self.grow(self.config.instances_max)?.map(Destination::Free).ok_or(InvokeError::Throttled)
    }

    /// A place for one more instance, if there are fewer than `most`.
    pub(crate) fn grow(self: &Arc<Self>, most: usize) -> Result<Option<Alive>, InvokeError> {
        let mut counts = self.counts();
        if self.stop.is_cancelled() {
            return Err(InvokeError::ShutDown);
        }
        if counts.alive >= most.min(self.config.instances_max) {
            return Ok(None);
        }
        counts.alive += 1;
        let token = self.tasks.token();
        Ok(Some(Alive { instances: Arc::clone(self), finishing: false, _token: token }))
    }
}

/// The place of one instance in the counts. `shutdown` waits until it is dropped.
pub(crate) struct Alive {
    pub(crate) instances: Arc<Instances>,
    finishing: bool,
    _token: TaskTrackerToken,
}

impl Alive {
    pub(crate) fn finishing(&mut self) {
        self.finishing = true;
        self.instances.counts().finishing += 1;
    }

    pub(crate) fn ready(&mut self, instance: mpsc::Sender<Job>) {
        self.change(|counts| {
            counts.ready.retain(|instance| !instance.is_closed());
            counts.ready.push(instance);
        });
    }

    fn change(&mut self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.instances.counts();
        counts.finishing -= usize::from(std::mem::take(&mut self.finishing));
        change(&mut counts);
        drop(counts);
        self.instances.changed.notify_waiters();
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.change(|counts| counts.alive -= 1);
    }
}
