use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where a function's output goes, line by line.
///
/// Called on tokio's threads: it must not block.
pub type LogSink = Arc<dyn Fn(Stream, &str) + Send + Sync>;

/// Which of its streams a function wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a process has these two")]
pub enum Stream {
    /// The function's standard output.
    Stdout,
    /// The function's standard error.
    Stderr,
}

/// What Lambda has to know about a function.
#[derive(Clone)]
#[non_exhaustive]
pub struct FunctionConfig {
    /// The name of the function.
    pub name: String,
    /// What is executed, like `bootstrap` in a deployment package: a binary, or a script that names its
    /// interpreter in its first line. Its folder is the function's working directory.
    pub program: PathBuf,
    /// `_HANDLER`, for runtimes that load one by name. By default `bootstrap`.
    pub handler: String,
    /// What the function sees beside Lambda's own variables, which cannot be replaced.
    pub environment: Vec<(String, String)>,
    /// The region that the function sees, by default `us-east-1`.
    pub region: String,
    /// What the function is told; nothing is enforced. By default 128 MB, as on AWS.
    pub memory_mb: u32,
    /// How long an invocation may take, from its event to the readiness for the next one. By default 3 s, as
    /// on AWS.
    pub timeout: Duration,
    /// How long the start may take, up to the first request for an event. By default 10 s, as on AWS.
    pub init_timeout: Duration,
    /// How many processes there may be at a time; further invocations are throttled. By default 10.
    pub instances_max: usize,
    /// How long a process lives on without an event. By default 5 minutes; AWS does not say.
    pub idle: Duration,
    /// Where output goes. By default to `tracing`, at level `INFO`, with the fields `function` and `stream`.
    pub logs: LogSink,
}

impl FunctionConfig {
    /// A function with the defaults named at each field.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        let name = name.into();
        Self {
            logs: to_tracing(&name),
            name,
            program: program.into(),
            handler: "bootstrap".to_owned(),
            environment: Vec::new(),
            region: "us-east-1".to_owned(),
            memory_mb: 128,
            timeout: Duration::from_secs(3),
            init_timeout: Duration::from_secs(10),
            instances_max: 10,
            idle: Duration::from_secs(5 * 60),
        }
    }
}

impl fmt::Debug for FunctionConfig {
    /// Without the environment: it may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionConfig")
            .field("name", &self.name)
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

fn to_tracing(function: &str) -> LogSink {
    let function = function.to_owned();
    Arc::new(move |stream, line| tracing::info!(function, ?stream, "{line}"))
}
