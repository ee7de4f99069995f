//! One JSON object a line, on standard output: what CloudWatch takes apart by itself.

use std::io;
use std::panic::PanicHookInfo;

use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Logs of this process, panics among them, from now on. The level is Lambda's own `AWS_LAMBDA_LOG_LEVEL`.
///
/// # Panics
/// When the process logs already.
pub fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    subscriber(level.unwrap_or(LevelFilter::INFO), io::stdout).init();
    std::panic::set_hook(Box::new(log_panic));
}

/// Logs in JSON to a writer. The level is that of the chat's own code: whatever it is, libraries warn and say
/// no more. Below that they log what goes over the wire, and so tokens and what people write.
pub fn subscriber<W>(level: LevelFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let targets = Targets::new().with_default(level.min(LevelFilter::WARN)).with_targets(
        ["chat_adapters_aws", "chat_domain", "chat_lambda", "chat_wire"].map(|ours| (ours, level)),
    );
    let json = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(writer);
    tracing_subscriber::registry().with(targets).with(json)
}

/// Logs where a panic happened, and its message only if that is a literal: a formatted message may quote what
/// people wrote.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or_default();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(message, place, "panicked");
}
