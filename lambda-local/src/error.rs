use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;

/// Why an invocation has no payload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// The function reported an error: `FunctionError` of AWS's `Invoke`.
    #[error("the function failed: {error_type}: {message}")]
    Function {
        /// `errorType` of its report.
        error_type: String,
        /// `errorMessage` of its report.
        message: String,
        /// The report as it came: what `Invoke` on AWS answers.
        payload: Bytes,
    },
    /// The function took longer than its timeout, and was killed: `Sandbox.Timedout`.
    #[error("the function was killed after {after:?}")]
    TimedOut {
        /// Its timeout.
        after: Duration,
    },
    /// The process ended before it answered: `Runtime.ExitError`.
    #[error("the function's process ended: {status}")]
    Exited {
        /// How it ended.
        status: ExitStatus,
    },
    /// The function could not start and said why.
    #[error("the function could not start: {error_type}: {message}")]
    InitFailed {
        /// `errorType` of its report.
        error_type: String,
        /// `errorMessage` of its report.
        message: String,
    },
    /// The answer was above 6 MB: `Function.ResponseSizeTooLarge`.
    #[error("the function's answer of {bytes} bytes is too large")]
    ResponseTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The event was above 6 MB: `RequestTooLargeException`. The function has not seen it.
    #[error("the event of {bytes} bytes is too large")]
    PayloadTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// All instances are busy: `TooManyRequestsException`. The function has not seen the event.
    #[error("all instances are busy")]
    Throttled,
    /// The program could not be started at all.
    #[error("`{}` cannot be started", program.display())]
    Unspawnable {
        /// The program.
        program: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The function was shut down before or during the invocation.
    #[error("the function was shut down")]
    ShutDown,
}
