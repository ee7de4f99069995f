use std::time::Duration;

use lambda_local::{Function, FunctionConfig, FunctionConfigError, InvokeError};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::*;

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror>
#[tokio::test]
async fn a_functions_error_reaches_the_caller_and_the_process_lives_on() {
    let function = function();
    let before = pid(&function).await;
    let error = invoke(&function, json!({ "do": "fail" })).await.unwrap_err();

    assert_eq!(error.to_string(), "the function failed: KeyError: 'user'");
    let InvokeError::Function { payload, .. } = error else { panic!("{error}") };
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(payload["stackTrace"], json!([]));
    assert_eq!(pid(&function).await, before);
}

/// The same page: the header names the type.
#[tokio::test]
async fn an_error_need_not_be_json() {
    let function = function();
    let error = invoke(&function, json!({ "do": "fail without JSON" })).await.unwrap_err();
    assert_eq!(error.to_string(), "the function failed: Runtime.Odd: it broke");
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html>
#[tokio::test]
async fn a_function_that_takes_too_long_is_killed_and_started_afresh() {
    let timeout = Duration::from_secs(2);
    let function = function_with(|config| (config.timeout, config.instances_max) = (timeout, 1));
    let before = pid(&function).await;
    let error = invoke(&function, json!({ "do": "hang" })).await.unwrap_err();

    assert!(matches!(error, InvokeError::TimedOut { after } if after == timeout), "{error}");
    assert!(!lives(before));
    let again = invoke(&function, json!({})).await.unwrap().report;
    assert_ne!(again.process_id, before);
    assert!(again.init_duration.is_some(), "another cold start");
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html>: `Runtime.ExitError`.
#[tokio::test]
async fn a_process_that_ends_is_an_error_and_started_afresh() {
    let function = function_with(|config| config.instances_max = 1);
    let before = pid(&function).await;
    let error = invoke(&function, json!({ "do": "exit" })).await.unwrap_err();

    assert!(matches!(error, InvokeError::Exited { status } if status.code() == Some(7)), "{error}");
    assert_ne!(pid(&function).await, before);
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>: the timeout covers the
/// whole phase, up to the next request for an event.
#[tokio::test]
async fn work_after_the_answer_has_to_end_in_time_too() {
    let (timeout, scratch) = (Duration::from_secs(2), Scratch::new());
    let function = function_with(|config| (config.timeout, config.instances_max) = (timeout, 1));
    let event = json!({ "do": "linger", "path": scratch.path("never") });
    let lingering = answer(&function, event).await["pid"].as_u64().unwrap();
    let lingering = u32::try_from(lingering).unwrap();

    until("it is killed", || !lives(lingering)).await;
    // Its place is free a moment later.
    let afresh = invoke_when_free(&function, json!({})).await;
    assert_ne!(afresh.unwrap().report.process_id, lingering);
}

/// An answer counts, whatever becomes of the process.
#[tokio::test]
async fn a_process_may_end_after_its_answer_or_while_frozen() {
    let function = function_with(|config| config.instances_max = 1);
    let left = answer(&function, json!({ "do": "leave" })).await["pid"].clone();
    let second = invoke_when_free(&function, json!({})).await.unwrap().report;
    assert_ne!(left, second.process_id);
    assert!(second.init_duration.is_some());

    let frozen = Pid::from_raw(second.process_id.cast_signed()).unwrap();
    kill_process(frozen, Signal::KILL).unwrap();
    until("it ends", || !lives(second.process_id)).await;
    let third = invoke_when_free(&function, json!({})).await;
    assert_ne!(third.unwrap().report.process_id, second.process_id);
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_named() {
    let scratch = Scratch::new();
    scratch.write_program("bootstrap", "#!/no/such/interpreter");
    let function = function_with(|config| config.program = scratch.path("bootstrap").into());
    let error = invoke(&function, json!({})).await.unwrap_err();

    assert!(error.to_string().ends_with("bootstrap` cannot be started"), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "No such file or directory (os error 2)");
}

#[test]
fn what_is_no_program_is_named_before_it_is_needed() {
    let scratch = Scratch::new();
    scratch.touch("text");
    for (name, says) in [("missing", "No such file"), ("", "invalid input"), ("text", "Permission denied")] {
        let mut config = config();
        config.program = scratch.path(name).into();
        let refused = Function::new(config).unwrap_err();
        let FunctionConfigError::NoProgram { program, source } = &refused else { panic!("{refused}") };
        assert_eq!(program, std::path::Path::new(&scratch.path(name)));
        assert!(source.to_string().contains(says), "{name}: {source}");
    }
}

#[test]
fn a_name_and_a_region_are_plain() {
    for (field, change) in [
        ("name", (|config| config.name = "a b".to_owned()) as fn(&mut FunctionConfig)),
        ("name", |config| config.name = String::new()),
        ("region", |config| config.region = "ap-northeast-2\r\nx: y".to_owned()),
    ] {
        let mut config = config();
        change(&mut config);
        let refused = Function::new(config).unwrap_err();
        assert!(
            matches!(&refused, FunctionConfigError::NotPlain { field: named, .. } if named.contains(field)),
            "{refused}"
        );
    }
}
