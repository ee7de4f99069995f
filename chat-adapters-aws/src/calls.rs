//! How AWS is called: how long a call may take, when it is tried again, and what its failure means.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction, RetryConfig};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use chat_domain::BoxError;

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

/// A client of DynamoDB that calls as the stores promise it: it gives up in time, and tries again with
/// reason.
///
/// Made once and cloned: all clones share one pool of connections, and so one handshake.
///
/// ```
/// use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Region};
/// use chat_adapters_aws::DynamoClient;
///
/// // In a Lambda: `Builder::from(&aws_config::load_defaults(BehaviorVersion::latest()).await)`.
/// let config = Builder::new().behavior_version(BehaviorVersion::latest()).region(Region::from_static("ap-northeast-2"));
/// let client = DynamoClient::new(config);
/// ```
#[derive(Clone, Debug)]
pub struct DynamoClient(Client);

impl DynamoClient {
    /// A client of this region, these credentials and this endpoint. Its timeouts and retries are set here.
    #[must_use]
    pub fn new(config: Builder) -> Self {
        Self(Client::from_conf(config.retry_config(retries()).timeout_config(timeouts()).build()))
    }

    /// For calls that may be tried again after every passing failure, and for writes [`as_write`].
    pub(crate) fn sdk(&self) -> &Client {
        &self.0
    }
}

/// What a call that writes is customised with: see [`OnlyIfNothingHappened`].
pub(crate) fn as_write() -> Builder {
    Builder::new().retry_classifier(OnlyIfNothingHappened)
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

/// What the failure of a call means.
pub(crate) enum Failure {
    /// Nothing happened, and may the next time.
    Throttled,
    /// A write may have happened, or may still.
    Unavailable(BoxError),
}

/// The codes with which DynamoDB refuses what it would do at another time. `TransactionInProgressException`
/// is none of them: the transaction that is in progress is this one.
const THROTTLED: [&str; 4] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
];

impl<E> From<SdkError<E>> for Failure
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        let throttled = error.code().is_some_and(|code| THROTTLED.contains(&code));
        if throttled { Self::Throttled } else { Self::Unavailable(error.into()) }
    }
}

/// Whether the condition of a write held, and so the write was done.
pub(crate) fn condition_held<T, E>(written: Result<T, SdkError<E>>) -> Result<bool, Failure>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match written {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(error.into()),
    }
}
