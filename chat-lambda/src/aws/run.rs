use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lambda_events::event::apigw::ApiGatewayProxyResponse;
use futures_util::FutureExt as _;
use lambda_runtime::{Context, LambdaEvent, Runtime, service_fn};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

use super::config::EnvironmentError;
use super::logs;
use super::metrics::Metrics;
use crate::GatewayFunction;
use chat_wire::error::ErrorCode;

/// How long a handler may take. The gateway waits for 29 seconds and then tells the client nothing of use;
/// every call of AWS has a limit of its own, but a handler makes several.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(25);

/// How much of the time that Lambda grants is kept for the answer.
const TO_ANSWER: Duration = Duration::from_millis(500);

/// Why a function does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It is not told all that it needs.
    #[error(transparent)]
    Config(#[from] EnvironmentError),
    /// Lambda's runtime API failed.
    #[error("the runtime API failed: {0}")]
    Runtime(#[from] lambda_runtime::Error),
}

/// Runs a function's `main`: logs first, so that they hold whatever keeps it from starting.
pub async fn start(main: impl Future<Output = Result<(), StartError>>) -> ExitCode {
    logs::init();
    match main.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function does not run");
            ExitCode::FAILURE
        }
    }
}

/// Handles one event after the other, for as long as Lambda has any.
///
/// # Errors
/// [`StartError::Runtime`]. A handler that fails is none: it answers.
pub async fn run<F>(function: F) -> Result<(), StartError>
where
    F: GatewayFunction<Event: DeserializeOwned>,
{
    let function = &function;
    let metrics = &Mutex::new(Metrics::default());
    let service = service_fn(async move |event: LambdaEvent<F::Event>| {
        let LambdaEvent { payload, context, .. } = event;
        let began = Instant::now();
        let span = tracing::info_span!("invocation", lambda_request_id = context.request_id);
        let response = invoke(function, payload, time_left(&context)).instrument(span).await;
        let counted = function.counts().take();
        let name = &context.env_config.function_name;
        let line = metrics.lock().unwrap_or_else(PoisonError::into_inner).add(
            name,
            counted,
            began.elapsed(),
            since_1970(),
        );
        if let Some(line) = line {
            println!("{line}");
        }
        Ok::<_, lambda_runtime::Error>(response)
    });
    Ok(Runtime::new(service).run().await?)
}

/// Handles an event, and answers for the function when it panics or takes too long. A client without an
/// answer would not know that it has to ask again.
pub async fn invoke<F: GatewayFunction>(
    function: &F,
    event: F::Event,
    within: Duration,
) -> ApiGatewayProxyResponse {
    let handled = AssertUnwindSafe(function.handle(&event)).catch_unwind();
    let code = match timeout(within, handled).await {
        Ok(Ok(response)) => return response,
        // Where and why, the panic's hook has logged.
        Ok(Err(_)) => ErrorCode::Internal,
        Err(_) => {
            tracing::error!(within_ms = within.as_millis(), "not handled in time");
            ErrorCode::Unavailable
        }
    };
    function.given_up(&event, code)
}

fn time_left(context: &Context) -> Duration {
    let left = Duration::from_millis(context.deadline).saturating_sub(Duration::from_millis(since_1970()));
    left.saturating_sub(TO_ANSWER).min(ANSWER_WITHIN)
}

/// The milliseconds since 1970 began in UTC.
fn since_1970() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
