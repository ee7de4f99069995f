use std::future::Future;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lambda_local::{Function, FunctionConfig, Invocation, InvokeError, Stream};
use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a function wrote.
pub(crate) type Lines = Mutex<Vec<(Stream, String)>>;

pub(crate) fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faithful/functions").join(name)
}

/// `python.py`, with no time limit that a busy machine could reach.
pub(crate) fn config() -> FunctionConfig {
    let mut config = FunctionConfig::new("tried", program("python.py"));
    config.timeout = PATIENCE;
    config.init_timeout = PATIENCE;
    config
}

pub(crate) fn function() -> Function {
    Function::new(config()).unwrap()
}

/// With these fields changed.
pub(crate) fn function_with(change: impl FnOnce(&mut FunctionConfig)) -> Function {
    let mut config = config();
    change(&mut config);
    Function::new(config).unwrap()
}

/// The same, and what it writes.
pub(crate) fn logged(change: impl FnOnce(&mut FunctionConfig)) -> (Function, Arc<Lines>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let function = function_with(|config| {
        change(config);
        config.logs = Arc::new(move |stream, line| sink.lock().unwrap().push((stream, line.to_owned())));
    });
    (function, lines)
}

pub(crate) async fn invoke(function: &Function, event: Value) -> Result<Invocation, InvokeError> {
    function.invoke(Bytes::from(event.to_string())).await
}

/// As soon as an instance is free.
pub(crate) async fn invoke_when_free(function: &Function, event: Value) -> Result<Invocation, InvokeError> {
    let began = Instant::now();
    loop {
        match invoke(function, event.clone()).await {
            Err(InvokeError::Throttled) if began.elapsed() < PATIENCE => tokio::task::yield_now().await,
            outcome => return outcome,
        }
    }
}

/// The answer to an event that must succeed.
pub(crate) async fn answer(function: &Function, event: Value) -> Value {
    serde_json::from_slice(&invoke(function, event).await.unwrap().payload).unwrap()
}

/// The process that answers.
pub(crate) async fn pid(function: &Function) -> u32 {
    invoke(function, json!({})).await.unwrap().report.process_id
}

pub(crate) fn lives(pid: u32) -> bool {
    let path = format!("/proc/{pid}/stat");
    match std::fs::read_to_string(path) {
        // A zombie has ended; who waits for it is its parent's business.
        Ok(stat) => !stat.rsplit_once(") ").unwrap().1.starts_with('Z'),
        Err(_) if Path::new("/proc/self").exists() => false,
        Err(_) => test_kill_process(Pid::from_raw(pid.cast_signed()).unwrap()).is_ok(),
    }
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("nothing happened")
}

/// A folder that goes away with the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("lambda-local-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn touch(&self, name: &str) {
        std::fs::write(self.0.join(name), "").unwrap();
    }

    pub(crate) fn write_program(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
        std::fs::set_permissions(self.0.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Names of files that begin like this.
    pub(crate) fn begun(&self, prefix: &str) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(prefix)).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
