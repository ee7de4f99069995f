use std::collections::BTreeMap;
use std::sync::Arc;

use lambda_local::{InvokeError, Stream};
use serde_json::json;

use crate::harness::*;

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_function_sees_lambdas_variables_its_own_and_nothing_else() {
    let (function, lines) = logged(|config| {
        config.program = program("environment.sh");
        config.environment = vec![
            ("TABLE".to_owned(), "messages".to_owned()),
            ("AWS_LAMBDA_FUNCTION_NAME".to_owned(), "reserved".to_owned()),
        ];
        (config.region, config.memory_mb) = ("ap-northeast-2".to_owned(), 256);
    });
    assert!(matches!(function.warm(1).await, Err(InvokeError::Exited { .. })), "it only prints");
    function.shutdown().await;
    let lines = lines.lock().unwrap();
    let mut seen: BTreeMap<_, _> = lines.iter().map(|(_, line)| line.split_once('=').unwrap()).collect();
    let mut take = |name: &str| seen.remove(name).unwrap();

    assert!(take("AWS_LAMBDA_RUNTIME_API").starts_with("127.0.0.1:"));
    assert_eq!(take("PATH"), std::env::var("PATH").unwrap().as_str());
    assert_eq!(take("LAMBDA_TASK_ROOT"), program("").to_str().unwrap().trim_end_matches('/'));
    let stream = take("AWS_LAMBDA_LOG_STREAM_NAME");
    assert!(stream.starts_with("20") && stream.contains("/[$LATEST]"), "{stream}");
    let rest = [
        ("AWS_DEFAULT_REGION", "ap-northeast-2"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_NAME", "tried"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/tried"),
        ("AWS_REGION", "ap-northeast-2"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ("LANG", "en_US.UTF-8"),
        ("TABLE", "messages"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
    ];
    assert_eq!(seen, rest.into());
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html>: a function finds its files beside
/// itself.
#[tokio::test]
async fn it_works_in_its_own_folder() {
    let function = function();
    let folder = std::fs::canonicalize(program("")).unwrap();
    assert_eq!(answer(&function, json!({ "do": "where" })).await["cwd"], folder.to_str().unwrap());
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>: both streams, line by line;
/// an event of CloudWatch has 256 KB.
#[tokio::test]
async fn its_output_is_handed_on_line_by_line() {
    let (function, lines) = logged(|_| {});
    answer(&function, json!({ "do": "log" })).await;
    function.shutdown().await;

    let lines = lines.lock().unwrap();
    let of = |which| lines.iter().filter(move |(stream, _)| *stream == which).map(|(_, line)| line.as_str());
    assert_eq!(of(Stream::Stderr).collect::<Vec<_>>(), ["to stderr"]);
    let long = "x".repeat(256 * 1024);
    assert_eq!(
        of(Stream::Stdout).collect::<Vec<_>>(),
        ["init ", "first line", &long, "x", "not UTF-8: \u{fffd}", "no end"]
    );
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown>:
/// a runtime without extensions is killed, and nothing it started outlives it.
#[tokio::test]
async fn a_shutdown_leaves_nothing_behind() {
    let (function, scratch) = (Arc::new(function()), Scratch::new());
    let child = answer(&function, json!({ "do": "child" })).await["child"].as_u64().unwrap();
    let frozen = pid(&function).await;
    let (worker, path) = (Arc::clone(&function), scratch.path("go"));
    // The frozen one takes this event, so a second one is needed.
    let busy = tokio::spawn(async move { invoke(&worker, json!({ "do": "wait", "path": path })).await });
    until("it is at work", || scratch.begun("go").len() == 1).await;
    let second = pid(&function).await;
    assert_ne!(second, frozen);

    soon(function.shutdown()).await;

    assert!(!lives(frozen) && !lives(second) && !lives(u32::try_from(child).unwrap()));
    assert!(matches!(soon(busy).await.unwrap(), Err(InvokeError::ShutDown)));
    assert!(matches!(invoke(&function, json!({})).await, Err(InvokeError::ShutDown)));
    assert!(matches!(function.warm(1).await, Err(InvokeError::ShutDown)));
}

#[tokio::test]
async fn dropping_a_function_ends_its_processes() {
    let function = function();
    let before = pid(&function).await;
    drop(function);
    until("it ends", || !lives(before)).await;
}

#[test]
fn processes_end_with_the_runtime() {
    let (function, before) = (function(), std::cell::Cell::new(0));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { before.set(pid(&function).await) });
    drop(runtime);
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    waiting.block_on(until("it ends", || !lives(before.get())));
}

/// As `kill -9` leaves it no time for anything.
#[tokio::test]
async fn processes_end_when_their_caller_is_killed() {
    let scratch = Scratch::new();
    let mut caller = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["process::a_caller_that_is_killed", "--exact", "--ignored", "--nocapture"])
        .env("SCRATCH", scratch.path(""))
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    until("both are at work", || scratch.begun("pids").len() == 1).await;
    let pids = std::fs::read_to_string(scratch.path("pids")).unwrap();
    let pids: Vec<u32> = pids.split(' ').map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 3);
    assert!(pids.iter().all(|&pid| lives(pid)));

    caller.kill().await.unwrap();

    until("they end", || !pids.iter().any(|&pid| lives(pid))).await;
}

/// One function is frozen and has a child, the other works on an event.
#[tokio::test]
#[ignore = "run and killed by another test"]
async fn a_caller_that_is_killed() {
    let folder = std::path::PathBuf::from(std::env::var_os("SCRATCH").unwrap());
    let (frozen, busy) = (function(), function());
    let child = answer(&frozen, json!({ "do": "child" })).await["child"].as_u64().unwrap();
    let frozen_pid = pid(&frozen).await;
    let busy_pid = pid(&busy).await;
    let work = tokio::spawn(async move { invoke(&busy, json!({ "do": "hang" })).await });
    std::fs::write(folder.join("unnamed"), format!("{frozen_pid} {busy_pid} {child}")).unwrap();
    std::fs::rename(folder.join("unnamed"), folder.join("pids")).unwrap();
    panic!("nobody has killed it: {:?}", work.await);
}
