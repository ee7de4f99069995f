use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;

/// Why there can be no such function.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionConfigError {
    /// Lambda has no such name, or AWS no such region: 1 to 64 letters, digits, `-` and `_`.
    #[error("{field} is not plain: {value:?}")]
    NotPlain {
        /// Which of the two it is.
        field: &'static str,
        /// The value that was given.
        value: String,
    },
    /// The program is not there, is no file, or may not be executed.
    #[error("`{}` is no program: {source}", program.display())]
    NoProgram {
        /// The program that was given.
        program: PathBuf,
        /// What the system says to it.
        source: io::Error,
    },
}

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
        /// How long it was allowed to take.
        after: Duration,
    },
    /// The process ended before it answered: `Runtime.ExitError`.
    #[error("the function's process ended: {status}")]
    Exited {
        /// How the process ended.
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
        /// How many bytes it has.
        bytes: usize,
    },
    /// The event was above 6 MB: `RequestTooLargeException`. The function has not seen it.
    #[error("the event of {bytes} bytes is too large")]
    PayloadTooLarge {
        /// How many bytes it has.
        bytes: usize,
    },
    /// All instances are busy: `TooManyRequestsException`. The function has not seen the event.
    #[error("all instances are busy")]
    Throttled,
    /// The program could not be started at all.
    #[error("`{}` cannot be started", program.display())]
    Unspawnable {
        /// The program that was given.
        program: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The function was shut down before or during the invocation.
    #[error("the function was shut down")]
    ShutDown,
}
