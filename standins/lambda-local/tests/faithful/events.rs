use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use lambda_local::{Function, FunctionConfig, InvokeError};
use serde_json::json;

use crate::harness::*;

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-next>
#[tokio::test]
async fn an_event_comes_with_its_id_deadline_arn_and_trace() {
    let function = function_with(|config| config.timeout = Duration::from_secs(600));
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();

    let invocation = invoke(&function, json!({ "text": "안녕" })).await.unwrap();

    let answer: serde_json::Value = serde_json::from_slice(&invocation.payload).unwrap();
    assert_eq!(answer["event"], json!({ "text": "안녕" }));
    let given = |name: &str| answer["given"][name.to_lowercase()].as_str().unwrap().to_owned();
    assert_eq!(given("Lambda-Runtime-Aws-Request-Id"), invocation.report.request_id);
    assert_eq!(invocation.report.request_id.len(), 36);
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:tried";
    assert_eq!(given("Lambda-Runtime-Invoked-Function-Arn"), arn);
    let deadline = Duration::from_millis(given("Lambda-Runtime-Deadline-Ms").parse().unwrap());
    let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    // It is told in whole milliseconds.
    let earliest = before + Duration::from_secs(600) - Duration::from_millis(2);
    assert!((earliest..=after + Duration::from_secs(600)).contains(&deadline), "{deadline:?}");
    let trace = given("Lambda-Runtime-Trace-Id");
    assert!(
        trace.starts_with("Root=1-") && trace.contains(";Parent=") && trace.ends_with(";Sampled=0"),
        "{trace}"
    );

    let second = invoke(&function, json!({})).await.unwrap();
    assert_ne!(second.report.request_id, invocation.report.request_id);
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-walkthrough.html>: a loop of curl will do.
#[tokio::test]
async fn a_shell_script_is_a_function() {
    runs("shell.sh", r#"{"bytes": 9}"#).await;
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html>: so will any program.
#[tokio::test]
async fn a_node_script_is_a_function() {
    runs("node.mjs", r#"{"node":{"n":1.5}}"#).await;
}

async fn runs(script: &str, expected: &str) {
    let mut config = FunctionConfig::new("script", program(script));
    (config.timeout, config.init_timeout, config.instances_max) = (PATIENCE, PATIENCE, 1);
    let function = Function::new(config).unwrap();
    let mut pids = Vec::new();
    for _ in 0..3 {
        let invocation = invoke_when_free(&function, json!({ "n": 1.5 })).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&invocation.payload), expected);
        pids.push(invocation.report.process_id);
    }
    assert_eq!(pids, [pids[0]; 3]);
    function.shutdown().await;
    assert!(!lives(pids[0]));
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>: 400 for another id, 403 for what is not
/// due.
#[tokio::test]
async fn answers_to_other_events_and_calls_out_of_turn_are_refused() {
    let function = function();
    let seen = answer(&function, json!({ "do": "stale" })).await;

    let status = |name: &str| seen[name]["status"].as_u64().unwrap();
    assert_eq!((status("stale"), status("early"), status("late")), (400, 403, 403));
    assert!(seen["stale"]["body"].as_str().unwrap().contains("InvalidRequestID"));
    assert!(seen["early"]["body"].as_str().unwrap().contains("InvalidStateTransition"));
    assert_eq!(status("unknown"), 404);
}

/// The same page: an event is answered once.
#[tokio::test]
async fn a_second_answer_is_refused() {
    let (function, scratch) = (function(), Scratch::new());
    answer(&function, json!({ "do": "twice", "path": scratch.path("second") })).await;
    pid(&function).await;

    assert_eq!(scratch.begun("second"), ["second.400"]);
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming>
#[tokio::test]
async fn a_streamed_answer_comes_whole() {
    let function = function();
    assert_eq!(answer(&function, json!({ "do": "stream" })).await, json!({ "parts": [1, 2] }));
}

/// The same page: an error in the middle is told in trailers.
#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error() {
    let function = function();
    let error = invoke(&function, json!({ "do": "break off" })).await.unwrap_err();

    let InvokeError::Function { error_type, message, .. } = error else { panic!("{error}") };
    assert_eq!((error_type.as_str(), message.as_str()), ("StreamError", "no more"));
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>: 6 MB each way.
#[tokio::test]
async fn more_than_six_megabytes_pass_in_neither_direction() {
    let (function, scratch) = (function(), Scratch::new());
    let event = Bytes::from(format!("\"{}\"", "x".repeat(6 * 1024 * 1024 + 100)));
    let error = function.invoke(event).await.unwrap_err();
    assert!(matches!(error, InvokeError::PayloadTooLarge { bytes: 6_291_558 }), "{error}");

    let before = pid(&function).await;
    let event = json!({ "do": "too large", "path": scratch.path("answered") });
    let error = invoke(&function, event).await.unwrap_err();
    assert!(matches!(error, InvokeError::ResponseTooLarge { bytes: 6_291_557 }), "{error}");
    assert_eq!(pid(&function).await, before, "the function lives on");
    assert_eq!(scratch.begun("answered"), ["answered.413"]);

    let most = json!({ "text": "x".repeat(6 * 1024 * 1024 - 2_000) });
    assert_eq!(answer(&function, most.clone()).await["event"], most);
}
