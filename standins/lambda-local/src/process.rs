//! A function's process: its environment, its logs, its freezing, its end.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::config::{FunctionConfig, LogSink, Stream};
use crate::supervisor::Supervised;

/// CloudWatch takes events of up to 256 KB; longer lines are cut there.
const LOG_LINE_BYTES_MAX: u64 = 256 * 1024;
/// How long output is awaited after the end, should someone else have kept the stream open.
const LOGS_GRACE: Duration = Duration::from_secs(1);

/// A process and all that it started, in a process group of their own. Dropping it kills the group.
pub(crate) struct Process {
    child: Child,
    group: Pid,
    logs: JoinSet<io::Result<()>>,
    _supervised: Supervised,
}

impl Process {
    pub(crate) fn spawn(
        config: &FunctionConfig,
        initialization_type: &'static str,
        runtime_api: &str,
    ) -> io::Result<Self> {
        let program = std::path::absolute(&config.program)?;
        let root = program.parent().unwrap_or(Path::new("/"));
        let mut child = Command::new(&program)
            .current_dir(root)
            .env_clear()
            .envs(config.environment.iter().map(|(name, value)| (name, value)))
            .envs(lambda_environment(config, initialization_type, runtime_api))
            .env("LAMBDA_TASK_ROOT", root)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let group = group.expect("it has an id until it has been waited for");
        let supervised = Supervised::new(group)?;
        let mut logs = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            logs.spawn(forward(stdout, Stream::Stdout, config.logs.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            logs.spawn(forward(stderr, Stream::Stderr, config.logs.clone()));
        }
        Ok(Self { child, group, logs, _supervised: supervised })
    }

    pub(crate) fn id(&self) -> u32 {
        self.group.as_raw_nonzero().get().unsigned_abs()
    }

    /// Nothing of it runs until it is thawed. Stops and starts of a process that has ended do nothing.
    pub(crate) fn freeze(&self) {
        let _ = kill_process_group(self.group, Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        let _ = kill_process_group(self.group, Signal::CONT);
    }

    /// Waits for the end of its first process. Can be cancelled and called again.
    pub(crate) async fn exit(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it, as Lambda does, and returns when it has ended and all its output was handed on.
    pub(crate) async fn end(mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
        // An error means that it had ended before.
        let _ = self.child.kill().await;
        let _ =
            tokio::time::timeout(LOGS_GRACE, async { while self.logs.join_next().await.is_some() {} }).await;
    }

    /// The most memory it ever had, in bytes: `VmHWM` of proc(5). `None` where there is no such file.
    pub(crate) fn memory_peak_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    }

    /// Processor time so far. What threads that ended have used is known in steps of 10 ms only.
    pub(crate) fn cpu_total(&self) -> Option<Duration> {
        Some(self.cpu_of_all_threads()?.max(self.cpu_of_living_threads().unwrap_or_default()))
    }

    /// `utime` and `stime` of proc(5).
    fn cpu_of_all_threads(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).ok()?;
        // The second field is a name in parentheses, which may hold anything; what is wanted are fields 14
        // and 15.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let user = fields.next()?.parse::<u64>().ok()?;
        let ticks = user.checked_add(fields.next()?.parse().ok()?)?;
        Some(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
    }

    /// `schedstat` of each, in nanoseconds, where the kernel counts them.
    fn cpu_of_living_threads(&self) -> Option<Duration> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.id())).ok()?;
        let nanos = threads.filter_map(|thread| {
            let schedstat = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            schedstat.split_ascii_whitespace().next()?.parse::<u64>().ok()
        });
        Some(Duration::from_nanos(nanos.sum()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>: the variables of a runtime that
/// is in the package. Credentials are the caller's to give.
fn lambda_environment(
    config: &FunctionConfig,
    initialization_type: &'static str,
    runtime_api: &str,
) -> [(&'static str, String); 13] {
    let log_stream =
        format!("{}/[$LATEST]{}", Timestamp::now().strftime("%Y/%m/%d"), Uuid::new_v4().simple());
    [
        ("_HANDLER", config.handler.clone()),
        ("AWS_DEFAULT_REGION", config.region.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", config.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", config.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", initialization_type.to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", config.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        ("AWS_REGION", config.region.clone()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ]
}

async fn forward(stream: impl AsyncRead + Unpin, which: Stream, sink: LogSink) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    while (&mut stream).take(LOG_LINE_BYTES_MAX).read_until(b'\n', &mut line).await? > 0 {
        let text = String::from_utf8_lossy(&line);
        sink(which, text.trim_end_matches(['\n', '\r']));
        line.clear();
    }
    Ok(())
}
