use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::fs::{Access, access};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::instance;
use crate::instances::{Destination, Instances};
use crate::invocation::{Invocation, Job};
use crate::runtime_api::PAYLOAD_BYTES_MAX;
use crate::{FunctionConfig, FunctionConfigError, InvokeError};

/// How long an invocation waits for an instance that has answered and not yet asked for the next event,
/// before it takes a new one. A runtime asks within a millisecond; on a machine too busy for that, a new
/// process would not be sooner.
const FINISHING_GRACE: Duration = Duration::from_millis(500);

/// A Lambda function: up to [`instances_max`](FunctionConfig::instances_max) processes of one program.
///
/// Dropping it kills them; [`shutdown`](Self::shutdown) also waits until they are gone.
#[derive(Debug)]
pub struct Function {
    instances: Arc<Instances>,
    _stop: DropGuard,
}

impl Function {
    /// A function without a process.
    ///
    /// # Errors
    ///
    /// [`FunctionConfigError`].
    pub fn new(config: FunctionConfig) -> Result<Self, FunctionConfigError> {
        for (field, value) in [("the name", &config.name), ("the region", &config.region)] {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if !(1..=64).contains(&value.len()) || !value.chars().all(plain) {
                return Err(FunctionConfigError::NotPlain { field, value: value.clone() });
            }
        }
        executable(&config.program)
            .map_err(|source| FunctionConfigError::NoProgram { program: config.program.clone(), source })?;
        let stop = CancellationToken::new();
        let instances = Arc::new(Instances::new(config, stop.clone()));
        Ok(Self { instances, _stop: stop.drop_guard() })
    }

    /// Runs the function on this event, in an idle process or, if there is none, in a new one.
    ///
    /// A caller that stops waiting does not stop the function.
    ///
    /// # Errors
    ///
    /// [`InvokeError`]. After a timeout or an unexpected end the process is gone, and the next invocation
    /// gets another one.
    pub async fn invoke(&self, payload: Bytes) -> Result<Invocation, InvokeError> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(InvokeError::PayloadTooLarge { bytes: payload.len() });
        }
        let (caller, answer) = oneshot::channel();
        let mut job = Job { payload, caller };
        let patience = Instant::now() + FINISHING_GRACE;
        loop {
            let mut changed = std::pin::pin!(self.instances.changed.notified());
            changed.as_mut().enable();
            match self.instances.destination(Instant::now() < patience)? {
                Destination::Ready(instance) => match instance.try_send(job) {
                    Ok(()) => break,
                    Err(ended) => job = ended.into_inner(),
                },
                Destination::Free(alive) => {
                    tokio::spawn(instance::on_demand(alive, job));
                    break;
                }
                Destination::Finishing => drop(timeout_at(patience, changed).await),
            }
        }
        answer.await.unwrap_or(Err(InvokeError::ShutDown))
    }

    /// Starts processes until there are `instances`, as provisioned concurrency does, and returns when the
    /// new ones are ready.
    ///
    /// # Errors
    ///
    /// The [`InvokeError`] of one that could not start: it is not tried again.
    pub async fn warm(&self, instances: usize) -> Result<(), InvokeError> {
        let mut starting = Vec::new();
        while let Some(alive) = self.instances.grow(instances)? {
            let (ready, started) = oneshot::channel();
            tokio::spawn(instance::provisioned(alive, ready));
            starting.push(started);
        }
        for started in starting {
            started.await.unwrap_or(Err(InvokeError::ShutDown))?;
        }
        Ok(())
    }

    /// Kills all processes, those at work too, and returns when none is left and every line they wrote has
    /// been handed on. Later invocations get [`InvokeError::ShutDown`].
    pub async fn shutdown(&self) {
        self.instances.shutdown().await;
    }
}

/// That this user may execute it, as far as that shows before it is tried.
fn executable(program: &Path) -> io::Result<()> {
    if !std::fs::metadata(program)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(access(program, Access::EXEC_OK)?)
}
