use std::time::Duration;

use lambda_local::{FunctionConfig, InvokeError};
use serde_json::json;

use crate::harness::*;

fn initialising(how: &str) -> impl FnOnce(&mut FunctionConfig) {
    let variable = ("INIT".to_owned(), how.to_owned());
    move |config| config.environment.push(variable)
}

fn starts(lines: &Lines) -> usize {
    lines.lock().unwrap().iter().filter(|(_, line)| line.starts_with("init")).count()
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib>
#[tokio::test]
async fn only_a_cold_start_reports_its_initialisation() {
    let function = function();
    let cold = invoke(&function, json!({})).await.unwrap().report;
    let warm = invoke(&function, json!({})).await.unwrap().report;

    assert!(cold.init_duration.is_some() && warm.init_duration.is_none());
    assert_eq!(cold.process_id, warm.process_id);
    if cfg!(target_os = "linux") {
        // More than nothing, less than a Python would ever need.
        let peak = 1024 * 1024..1024 * 1024 * 1024;
        assert!(peak.contains(&warm.memory_peak_bytes.unwrap()), "{warm:?}");
        assert!(warm.cpu_total.unwrap() > cold.cpu_total.unwrap(), "{warm:?}");
    }
}

/// The same page: an initialisation that failed is done again in the first invocation.
#[tokio::test]
async fn a_start_that_fails_is_tried_once_more() {
    let scratch = Scratch::new();
    let (function, lines) = logged(initialising(&format!("once:{}", scratch.path("failed"))));
    let report = invoke(&function, json!({})).await.unwrap().report;

    assert!(report.init_duration.is_none(), "the second start is part of the invocation");
    function.shutdown().await;
    assert_eq!(starts(&lines), 2);
}

#[tokio::test]
async fn a_start_that_fails_twice_is_the_invocations_error() {
    let (function, lines) = logged(initialising("exit"));
    let error = invoke(&function, json!({})).await.unwrap_err();

    assert!(matches!(error, InvokeError::Exited { status } if status.code() == Some(4)), "{error}");
    function.shutdown().await;
    assert_eq!(starts(&lines), 2);
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror>
#[tokio::test]
async fn a_function_can_say_why_it_cannot_start() {
    let (function, lines) = logged(initialising("report"));
    let error = invoke(&function, json!({})).await.unwrap_err();

    let said = "the function could not start: Runtime.NoSuchHandler: no handler named x";
    assert_eq!(error.to_string(), said);
    function.shutdown().await;
    let accepted = lines.lock().unwrap().iter().filter(|(_, line)| line.contains("'status': 202")).count();
    assert_eq!(accepted, 2);
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib>: 10
/// seconds, then once more within the function's timeout.
#[tokio::test]
async fn a_start_has_its_own_time_limit_and_then_the_functions() {
    assert_eq!(FunctionConfig::new("f", "f").init_timeout, Duration::from_secs(10));
    let (first, second) = (Duration::from_millis(200), Duration::from_millis(300));
    let function = function_with(|config| {
        initialising("hang")(config);
        (config.init_timeout, config.timeout) = (first, second);
    });
    let began = std::time::Instant::now();
    let error = invoke(&function, json!({})).await.unwrap_err();

    assert!(matches!(error, InvokeError::TimedOut { after } if after == second), "{error}");
    assert!(began.elapsed() >= first + second);
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html>
#[tokio::test]
async fn instances_can_be_started_ahead() {
    let (function, lines) = logged(|config| config.instances_max = 2);
    soon(function.warm(2)).await.unwrap();
    soon(function.warm(1)).await.unwrap();
    assert_eq!(starts(&lines), 2);

    let seen = invoke(&function, json!({ "do": "environment" })).await.unwrap();
    assert!(seen.report.init_duration.is_none());
    let environment: serde_json::Value = serde_json::from_slice(&seen.payload).unwrap();
    assert_eq!(environment["AWS_LAMBDA_INITIALIZATION_TYPE"], "provisioned-concurrency");

    let failing = function_with(initialising("exit"));
    let error = soon(failing.warm(2)).await.unwrap_err();
    assert!(matches!(error, InvokeError::Exited { .. }), "{error}");
}
