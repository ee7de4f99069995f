use std::sync::Arc;
use std::time::Duration;

use lambda_local::InvokeError;
use serde_json::json;

use crate::harness::*;

/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>: one event at a time for each
/// instance.
#[tokio::test]
async fn a_busy_instance_gets_company_up_to_the_limit() {
    let function = Arc::new(function_with(|config| config.instances_max = 2));
    let scratch = Scratch::new();
    let busy = || {
        let (function, path) = (Arc::clone(&function), scratch.path("go"));
        tokio::spawn(async move { pid_of(&answer(&function, json!({ "do": "wait", "path": path })).await) })
    };
    let (one, two) = (busy(), busy());
    until("both are at work", || scratch.begun("go").len() == 2).await;

    assert!(matches!(invoke(&function, json!({})).await, Err(InvokeError::Throttled)));
    scratch.touch("go");
    let (one, two) = (soon(one).await.unwrap(), soon(two).await.unwrap());
    assert_ne!(one, two);
    assert!([one, two].contains(&pid(&function).await), "no third process");
}

/// The same page: who asks again after the answer gets the same instance.
#[tokio::test]
async fn one_after_the_other_is_one_process() {
    let function = function_with(|config| config.instances_max = 1);
    let first = pid(&function).await;
    for _ in 0..100 {
        assert_eq!(pid(&function).await, first);
    }
}

#[tokio::test]
async fn a_hundred_at_a_time_are_all_answered() {
    let function = Arc::new(function_with(|config| config.instances_max = 4));
    soon(function.warm(4)).await.unwrap();
    let workers = (0..100).map(|number| {
        let function = Arc::clone(&function);
        tokio::spawn(async move {
            let invocation = invoke_when_free(&function, json!({ "n": number })).await.unwrap();
            let answer: serde_json::Value = serde_json::from_slice(&invocation.payload).unwrap();
            answer["event"]["n"].as_u64().unwrap()
        })
    });
    let workers: Vec<_> = workers.collect();
    for (number, worker) in (0..100).zip(workers) {
        assert_eq!(soon(worker).await.unwrap(), number);
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>: instances without events
/// end.
#[tokio::test]
async fn an_idle_instance_ends() {
    let function = function_with(|config| config.idle = Duration::from_millis(20));
    let before = pid(&function).await;
    until("it ends", || !lives(before)).await;

    assert_ne!(pid(&function).await, before);
}

/// A caller that hangs up does not stop the work.
#[tokio::test]
async fn a_caller_may_stop_waiting() {
    let (function, scratch) = (Arc::new(function_with(|config| config.instances_max = 1)), Scratch::new());
    let (worker, path) = (Arc::clone(&function), scratch.path("go"));
    let caller = tokio::spawn(async move { invoke(&worker, json!({ "do": "wait", "path": path })).await });
    until("it is at work", || scratch.begun("go").len() == 1).await;
    let at_work = scratch.begun("go")[0].clone();
    caller.abort();
    scratch.touch("go");

    let next = invoke_when_free(&function, json!({})).await;
    assert_eq!(at_work, format!("go.{}", next.unwrap().report.process_id), "the same process went on");
}

fn pid_of(answer: &serde_json::Value) -> u32 {
    u32::try_from(answer["pid"].as_u64().unwrap()).unwrap()
}
