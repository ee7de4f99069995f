//! How AWS is called: how long a call may take, and when it is tried again.

use std::time::Duration;

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction, RetryConfig};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

/// A handshake takes some round trips of a millisecond or two, and tens of milliseconds of a small Lambda's
/// CPU.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// DynamoDB answers in milliseconds. Whoever has not been answered after three seconds is not going to be.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// One attempt that hangs and two that do not. A handler has 29 seconds and makes a handful of calls.
const CALL_TIMEOUT: Duration = Duration::from_secs(7);
/// The first, and two more.
const ATTEMPTS_MAX: u32 = 3;
/// The longest wait before the second attempt; it doubles with every further one. The SDK's own second is a
/// user's second.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS_MAX)
        .with_initial_backoff(FIRST_WAIT)
        .with_max_backoff(LONGEST_WAIT)
}

pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build()
}

/// Forbids a second attempt unless the first was answered with a refusal.
///
/// Were a write tried again after a timeout, the second attempt could meet the effect of the first, take it
/// for somebody else's, and say that nothing happened. So an unknown outcome is reported at once, and the
/// caller looks.
#[derive(Debug)]
pub(crate) struct OnlyIfNothingHappened;

impl ClassifyRetry for OnlyIfNothingHappened {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let refused = context.response().is_some_and(|response| response.status().is_client_error());
        if !refused {
            return RetryAction::RetryForbidden;
        }
        let error =
            context.output_or_error().and_then(Result::err).and_then(|error| error.as_operation_error());
        match error.and_then(|error| error.downcast_ref()) {
            // The SDK takes this for final. It passes as soon as the transaction that is in the way ends.
            Some(UpdateItemError::TransactionConflictException(_)) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "only if nothing happened"
    }
}
