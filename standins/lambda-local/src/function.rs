use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustix::fs::{Access, access};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::instance::{self, Job};
use crate::runtime_api::PAYLOAD_BYTES_MAX;
use crate::{ConfigError, FunctionConfig, InvokeError};

/// How long an invocation waits for an instance that has answered and not yet asked for the next event, before it takes a
/// new one. A runtime asks within a millisecond; on a machine too busy for that, a new process would not be sooner.
const FINISHING_GRACE: Duration = Duration::from_millis(500);

/// A Lambda function: up to [`instances_max`](FunctionConfig::instances_max) processes of one program.
///
/// Dropping it kills them; [`shutdown`](Self::shutdown) also waits until they are gone.
#[derive(Debug)]
pub struct Function {
    shared: Arc<Shared>,
    _stop: DropGuard,
}

/// A finished invocation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Invocation {
    /// What the function answered.
    pub payload: Bytes,
    /// What it took.
    pub report: Report,
}

/// What Lambda writes as `REPORT` at the end of an invocation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The id that the function saw.
    pub request_id: String,
    /// The process that answered.
    pub process_id: u32,
    /// On a cold start, from the start of the process to its first request for an event.
    pub init_duration: Option<Duration>,
    /// From event to answer.
    pub duration: Duration,
    /// The most memory that the process ever had. Linux only.
    pub memory_peak_bytes: Option<u64>,
    /// Processor time of the process since its start, without that of its children. Linux only.
    pub cpu_total: Option<Duration>,
}

impl Function {
    /// A function without a process.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn new(config: FunctionConfig) -> Result<Self, ConfigError> {
        for (field, value) in [("the name", &config.name), ("the region", &config.region)] {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if !(1..=64).contains(&value.len()) || !value.chars().all(plain) {
                return Err(ConfigError::NotPlain { field, value: value.clone() });
            }
        }
        executable(&config.program)
            .map_err(|source| ConfigError::NoProgram { program: config.program.clone(), source })?;
        let stop = CancellationToken::new();
        let shared = Shared {
            config,
            stop: stop.clone(),
            tasks: TaskTracker::new(),
            pool: Mutex::default(),
            changed: Notify::new(),
        };
        Ok(Self { shared: Arc::new(shared), _stop: stop.drop_guard() })
    }

    /// Runs the function on this event, in an idle process or, if there is none, in a new one.
    ///
    /// A caller that stops waiting does not stop the function.
    ///
    /// # Errors
    ///
    /// [`InvokeError`]. After a timeout or an unexpected end the process is gone, and the next invocation gets
    /// another one.
    pub async fn invoke(&self, payload: Bytes) -> Result<Invocation, InvokeError> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(InvokeError::PayloadTooLarge { bytes: payload.len() });
        }
        let (caller, answer) = oneshot::channel();
        let mut job = Job { payload, caller };
        let patience = Instant::now() + FINISHING_GRACE;
        loop {
            let mut changed = std::pin::pin!(self.shared.changed.notified());
            changed.as_mut().enable();
            match self.shared.place(Instant::now() < patience)? {
                Place::Ready(instance) => match instance.try_send(job) {
                    Ok(()) => break,
                    Err(ended) => job = ended.into_inner(),
                },
                Place::Free(alive) => {
                    tokio::spawn(instance::on_demand(alive, job));
                    break;
                }
                Place::Finishing => drop(timeout_at(patience, changed).await),
            }
        }
        answer.await.unwrap_or(Err(InvokeError::ShutDown))
    }

    /// Starts processes until there are `instances`, as provisioned concurrency does, and returns when the new
    /// ones are ready.
    ///
    /// # Errors
    ///
    /// The [`InvokeError`] of one that could not start: it is not tried again.
    pub async fn warm(&self, instances: usize) -> Result<(), InvokeError> {
        let mut starting = Vec::new();
        while let Some(alive) = self.shared.grow(instances)? {
            let (ready, started) = oneshot::channel();
            tokio::spawn(instance::provisioned(alive, ready));
            starting.push(started);
        }
        for started in starting {
            started.await.unwrap_or(Err(InvokeError::ShutDown))?;
        }
        Ok(())
    }

    /// Kills all processes, those at work too, and returns when none is left and every line they wrote has been
    /// handed on. Later invocations get [`InvokeError::ShutDown`].
    pub async fn shutdown(&self) {
        {
            // Nobody starts a process between these two.
            let _pool = self.shared.pool();
            self.shared.stop.cancel();
            self.shared.tasks.close();
        }
        self.shared.tasks.wait().await;
    }
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: FunctionConfig,
    pub(crate) stop: CancellationToken,
    tasks: TaskTracker,
    pool: Mutex<Pool>,
    /// An instance has become ready or ended.
    changed: Notify,
}

/// That this user may execute it, as far as that shows before it is tried.
fn executable(program: &Path) -> io::Result<()> {
    if !std::fs::metadata(program)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(access(program, Access::EXEC_OK)?)
}

#[derive(Debug, Default)]
struct Pool {
    /// Instances that wait for an event, frozen. The last one is taken first, so that others grow old and end.
    ready: Vec<mpsc::Sender<Job>>,
    alive: usize,
    /// Instances that have answered, but do not wait for an event yet.
    finishing: usize,
}

enum Place {
    Ready(mpsc::Sender<Job>),
    Free(Alive),
    Finishing,
}

impl Shared {
    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(self: &Arc<Self>, patient: bool) -> Result<Place, InvokeError> {
        {
            let mut pool = self.pool();
            if let Some(instance) = pool.ready.pop() {
                return Ok(Place::Ready(instance));
            }
            if patient && pool.finishing > 0 {
                return Ok(Place::Finishing);
            }
        }
        self.grow(self.config.instances_max)?.map(Place::Free).ok_or(InvokeError::Throttled)
    }

    /// A place for one more instance, if there are fewer than `most`.
    fn grow(self: &Arc<Self>, most: usize) -> Result<Option<Alive>, InvokeError> {
        let mut pool = self.pool();
        if self.stop.is_cancelled() {
            return Err(InvokeError::ShutDown);
        }
        if pool.alive >= most.min(self.config.instances_max) {
            return Ok(None);
        }
        pool.alive += 1;
        let token = self.tasks.token();
        Ok(Some(Alive { shared: Arc::clone(self), finishing: false, _token: token }))
    }
}

/// The place of one instance in the pool. `shutdown` waits until it is dropped.
pub(crate) struct Alive {
    pub(crate) shared: Arc<Shared>,
    finishing: bool,
    _token: TaskTrackerToken,
}

impl Alive {
    pub(crate) fn finishing(&mut self) {
        self.finishing = true;
        self.shared.pool().finishing += 1;
    }

    pub(crate) fn ready(&mut self, instance: mpsc::Sender<Job>) {
        self.change(|pool| {
            pool.ready.retain(|instance| !instance.is_closed());
            pool.ready.push(instance);
        });
    }

    fn change(&mut self, change: impl FnOnce(&mut Pool)) {
        let mut pool = self.shared.pool();
        pool.finishing -= usize::from(std::mem::take(&mut self.finishing));
        change(&mut pool);
        drop(pool);
        self.shared.changed.notify_waiters();
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.change(|pool| pool.alive -= 1);
    }
}
