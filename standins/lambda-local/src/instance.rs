//! The life of one process: start, then event, answer and sleep in turn, then the end.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::InvokeError;
use crate::instances::{Alive, Instances};
use crate::invocation::{Caller, Invocation, InvocationReport, Job};
use crate::process::Process;
use crate::runtime_api::{self, Call, Reply, Request, RuntimeApi};

/// Who waits for an instance to be ready.
type Ready = oneshot::Sender<Result<(), InvokeError>>;
/// The open end of a process's request for an event.
type Next = Reply;

/// Starts an instance for this event.
pub(crate) async fn on_demand(mut alive: Alive, mut job: Job) {
    let instances = Arc::clone(&alive.instances);
    loop {
        match Instance::start_or_retry(&instances).await {
            Ok((instance, next, deadline, init_duration)) => {
                let first = First::Event(Task { job, deadline, init_duration });
                let Some(unserved) = instance.live(alive, next, first).await else { return };
                (alive, job) = unserved;
            }
            Err(error) => {
                drop(alive);
                let _ = job.caller.send(Err(error));
                return;
            }
        }
    }
}

/// Starts an instance ahead of events.
pub(crate) async fn provisioned(alive: Alive, ready: Ready) {
    let instances = Arc::clone(&alive.instances);
    let limit = Deadline::after(instances.config.init_timeout);
    match Instance::start(&instances, "provisioned-concurrency", limit).await {
        Ok((instance, next)) => {
            if let Some((alive, job)) = instance.live(alive, next, First::Sleep(ready)).await {
                on_demand(alive, job).await;
            }
        }
        Err(error) => {
            drop(alive);
            let _ = ready.send(Err(error));
        }
    }
}

#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    after: Duration,
}

impl Deadline {
    fn after(after: Duration) -> Self {
        Self { at: Instant::now() + after, after }
    }
}

/// An invocation under way.
struct Task {
    job: Job,
    deadline: Deadline,
    init_duration: Option<Duration>,
}

/// What an instance does once it has started.
enum First {
    Event(Task),
    Sleep(Ready),
}

/// What a process asks, or why it has to go.
enum Happening {
    Calls(Call),
    Ends(InvokeError),
}

struct Instance {
    instances: Arc<Instances>,
    process: Process,
    calls: mpsc::Receiver<Call>,
    _api: RuntimeApi,
}

impl Instance {
    /// A process that asks for its first event.
    async fn start(
        instances: &Arc<Instances>,
        initialization_type: &'static str,
        limit: Deadline,
    ) -> Result<(Self, Next), InvokeError> {
        let config = &instances.config;
        let unspawnable = |source| InvokeError::Unspawnable { program: config.program.clone(), source };
        let (api, calls) = RuntimeApi::listen().await.map_err(unspawnable)?;
        let process = Process::spawn(config, initialization_type, &api.address.to_string());
        let process = process.map_err(unspawnable)?;
        let mut instance = Self { instances: Arc::clone(instances), process, calls, _api: api };
        match instance.until_first_next(limit).await {
            Ok(next) => Ok((instance, next)),
            Err(error) => {
                instance.process.end().await;
                Err(error)
            }
        }
    }

    /// An instance that fails to start is started once more, within the timeout of the invocation:
    /// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>. Only the first start
    /// counts as initialisation.
    async fn start_or_retry(
        instances: &Arc<Instances>,
    ) -> Result<(Self, Next, Deadline, Option<Duration>), InvokeError> {
        let config = &instances.config;
        let began = Instant::now();
        match Self::start(instances, "on-demand", Deadline::after(config.init_timeout)).await {
            Ok((instance, next)) => {
                Ok((instance, next, Deadline::after(config.timeout), Some(began.elapsed())))
            }
            Err(error @ (InvokeError::ShutDown | InvokeError::Unspawnable { .. })) => Err(error),
            Err(error) => {
                tracing::warn!(function = config.name, %error, "did not start, and is started once more");
                let deadline = Deadline::after(config.timeout);
                let (instance, next) = Self::start(instances, "on-demand", deadline).await?;
                Ok((instance, next, deadline, None))
            }
        }
    }

    /// Runs until the process ends. Returns an event that came too late, which needs another process.
    async fn live(mut self, mut alive: Alive, mut next: Next, first: First) -> Option<(Alive, Job)> {
        let (mut first, mut ready) = match first {
            First::Event(task) => (Some(task), None),
            First::Sleep(ready) => (None, Some(ready)),
        };
        let failed = loop {
            let task = match first.take() {
                Some(task) => task,
                None => {
                    let Some(job) = self.sleep(&mut alive, &mut next, ready.take()).await else { break None };
                    if self.process.has_ended() {
                        self.process.end().await;
                        return Some((alive, job));
                    }
                    let deadline = Deadline::after(self.instances.config.timeout);
                    Task { job, deadline, init_duration: None }
                }
            };
            match self.invoke(&mut alive, task, next).await {
                Ok(again) => next = again,
                Err(failed) => break failed,
            }
        };
        self.process.end().await;
        drop(alive);
        // The caller is answered last, so that whoever invokes again finds the place free.
        if let Some((caller, error)) = failed {
            let _ = caller.send(Err(error));
        }
        None
    }

    /// Waits for an event, frozen. `None`: nobody needs this instance any more.
    async fn sleep(&mut self, alive: &mut Alive, next: &mut Next, ready: Option<Ready>) -> Option<Job> {
        let (sender, mut jobs) = mpsc::channel(1);
        self.process.freeze();
        alive.ready(sender);
        if let Some(ready) = ready {
            let _ = ready.send(Ok(()));
        }
        let limit = Deadline::after(self.instances.config.idle);
        loop {
            tokio::select! {
                biased;
                Some(job) = jobs.recv() => return Some(job),
                happening = self.happening(limit) => match happening {
                    // It was on its way when the process froze, after a broken connection.
                    Happening::Calls(Call { request: Request::Next, reply }) if next.is_abandoned() => {
                        *next = reply;
                    }
                    Happening::Calls(call) => call.refuse(),
                    Happening::Ends(_) => break,
                },
            }
        }
        jobs.close();
        // An event may have come at the last moment.
        jobs.try_recv().ok()
    }

    /// Runs one invocation, up to the process's next request for an event. Otherwise the process has to go;
    /// its caller may have been answered before.
    async fn invoke(
        &mut self,
        alive: &mut Alive,
        task: Task,
        mut next: Next,
    ) -> Result<Next, Option<(Caller, InvokeError)>> {
        let Task { job: Job { payload, caller }, deadline, init_duration } = task;
        let request_id = Uuid::new_v4().to_string();
        self.process.thaw();
        let began = deadline.at - deadline.after;
        let mut event = self.event(payload, &request_id, deadline);
        // A connection may have broken while the process was frozen; then it asks again.
        while let Some(unsent) = next.event(event) {
            event = unsent;
            match self.until_next(deadline).await {
                Ok(again) => next = again,
                Err(error) => return Err(Some((caller, error))),
            }
        }
        let (reply, outcome) = match self.until_outcome(&request_id, deadline).await {
            Ok(answered) => answered,
            Err(error) => return Err(Some((caller, error))),
        };
        let report = InvocationReport {
            request_id,
            process_id: self.process.id(),
            init_duration,
            duration: began.elapsed(),
            memory_peak_bytes: self.process.memory_peak_bytes(),
            cpu_total: self.process.cpu_total(),
        };
        tracing::debug!(function = self.instances.config.name, ?report, "answered");
        alive.finishing();
        match &outcome {
            Err(InvokeError::ResponseTooLarge { .. }) => reply.too_large(),
            _ => reply.accept(),
        }
        let _ = caller.send(outcome.map(|payload| Invocation { payload, report }));
        self.until_next(deadline).await.map_err(|error| {
            if !matches!(error, InvokeError::ShutDown) {
                tracing::warn!(function = self.instances.config.name, %error, "after its answer");
            }
            None
        })
    }

    fn event(&self, payload: Bytes, request_id: &str, deadline: Deadline) -> Response {
        let config = &self.instances.config;
        let now = Timestamp::now();
        let left = deadline.at.saturating_duration_since(Instant::now());
        let deadline_ms = u128::try_from(now.as_millisecond()).unwrap_or(0) + left.as_millis();
        let trace = Uuid::new_v4().simple().to_string();
        let (parent, root) = (&trace[..16], &Uuid::new_v4().simple().to_string()[..24]);
        runtime_api::event(
            payload,
            [
                ("Lambda-Runtime-Aws-Request-Id", request_id.to_owned()),
                ("Lambda-Runtime-Deadline-Ms", deadline_ms.to_string()),
                (
                    "Lambda-Runtime-Invoked-Function-Arn",
                    format!("arn:aws:lambda:{}:123456789012:function:{}", config.region, config.name),
                ),
                (
                    "Lambda-Runtime-Trace-Id",
                    format!("Root=1-{:08x}-{root};Parent={parent};Sampled=0", now.as_second()),
                ),
            ],
        )
    }

    async fn until_first_next(&mut self, limit: Deadline) -> Result<Next, InvokeError> {
        let mut reported = None;
        loop {
            match self.happening(limit).await {
                Happening::Calls(Call { request: Request::Next, reply }) if reported.is_none() => {
                    return Ok(reply);
                }
                Happening::Calls(Call { request: Request::InitError(error), reply })
                    if reported.is_none() =>
                {
                    reported = Some(error);
                    reply.accept();
                }
                Happening::Calls(call) => call.refuse(),
                // It is given the time to exit by itself.
                Happening::Ends(error) => return Err(reported.unwrap_or(error)),
            }
        }
    }

    async fn until_next(&mut self, deadline: Deadline) -> Result<Next, InvokeError> {
        loop {
            match self.happening(deadline).await {
                Happening::Calls(Call { request: Request::Next, reply }) => return Ok(reply),
                Happening::Calls(call) => call.refuse(),
                Happening::Ends(error) => return Err(error),
            }
        }
    }

    async fn until_outcome(
        &mut self,
        request_id: &str,
        deadline: Deadline,
    ) -> Result<(Reply, Result<Bytes, InvokeError>), InvokeError> {
        loop {
            match self.happening(deadline).await {
                Happening::Calls(Call { request: Request::Outcome(id, outcome), reply })
                    if id == request_id =>
                {
                    return Ok((reply, outcome));
                }
                Happening::Calls(call) => call.refuse(),
                Happening::Ends(error) => return Err(error),
            }
        }
    }

    async fn happening(&mut self, limit: Deadline) -> Happening {
        tokio::select! {
            biased;
            () = self.instances.stop.cancelled() => Happening::Ends(InvokeError::ShutDown),
            () = sleep_until(limit.at) => Happening::Ends(InvokeError::TimedOut { after: limit.after }),
            // Calls are looked at before the exit, because what a process said before it ended counts.
            Some(call) = self.calls.recv() => Happening::Calls(call),
            Ok(status) = self.process.exit() => Happening::Ends(InvokeError::Exited { status }),
        }
    }
}
