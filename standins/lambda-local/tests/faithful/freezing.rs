use lambda_local::InvokeError;
use serde_json::json;

use crate::harness::*;

/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>: the environment is frozen
/// when the runtime asks for the next event, and background work goes on where it was when there is one.
#[tokio::test]
async fn background_work_stands_still_between_invocations() {
    let (function, clock, scratch) = (function(), function(), Scratch::new());
    let length = |path: &str| std::fs::metadata(path).map_or(0, |file| file.len());
    let counted = scratch.path("counted");
    answer(&function, json!({ "do": "count", "path": counted })).await;
    let frozen = pid(&function).await;
    until("it has stopped", || state(frozen) == 'T').await;

    let before = length(&counted);
    for _ in 0..50 {
        answer(&clock, json!({})).await;
    }
    assert_eq!((length(&counted), state(frozen)), (before, 'T'), "it ran while frozen");

    let (event, release) = (json!({ "do": "wait", "path": scratch.path("go") }), || scratch.touch("go"));
    let thawed = answer(&function, event);
    let observed = async {
        until("it goes on", || length(&counted) > before + 10).await;
        release();
    };
    let (answer, ()) = soon(async { tokio::join!(thawed, observed) }).await;
    assert_eq!(answer["pid"], frozen);
}

/// The same page: what is done before the next request for an event is part of the invocation.
#[tokio::test]
async fn work_between_answer_and_next_request_goes_on() {
    let (function, scratch) = (function_with(|config| config.instances_max = 1), Scratch::new());
    let event = json!({ "do": "linger", "path": scratch.path("go") });
    let before = soon(answer(&function, event)).await["pid"].clone();

    assert!(matches!(invoke(&function, json!({})).await, Err(InvokeError::Throttled)));
    scratch.touch("go");
    let next = invoke_when_free(&function, json!({})).await;
    assert_eq!(next.unwrap().report.process_id, before);
}

/// State of a process: `T` is stopped.
fn state(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
}
