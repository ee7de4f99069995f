use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::InvokeError;

/// An invocation that the function has answered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Invocation {
    /// What the function answered.
    pub payload: Bytes,
    /// What the invocation took.
    pub report: InvocationReport,
}

/// What Lambda writes as `REPORT` at the end of an invocation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InvocationReport {
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

/// An event, and who waits for the answer.
pub(crate) struct Job {
    pub(crate) payload: Bytes,
    pub(crate) caller: Caller,
}

pub(crate) type Caller = oneshot::Sender<Result<Invocation, InvokeError>>;
