use std::fmt;

use async_trait::async_trait;
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_apigatewaymanagement::primitives::Blob;
use chat_domain::{ConnectionId, Event, Push, PushError, Pusher};

use crate::calls::{self, OnlyIfNothingHappened};

/// Pushes through the `@connections` API of an API Gateway WebSocket API.
///
/// - The gateway's refusals keep their meaning: 410 is [`Gone`](PushError::Gone), 413
///   [`TooLarge`](PushError::TooLarge), 429 [`Throttled`](PushError::Throttled), 403
///   [`Forbidden`](PushError::Forbidden). Everything else is [`Unavailable`](PushError::Unavailable).
/// - A frame is posted again only when the gateway refused it for want of capacity. A call takes at most 7
///   seconds.
///
/// ```no_run
/// use aws_sdk_apigatewaymanagement::config::Builder;
/// use chat_adapters_aws::ApiGatewayPusher;
/// use chat_domain::Event;
///
/// fn compose(sdk: Builder, encode: fn(&Event) -> String) -> ApiGatewayPusher {
///     let stage = "https://abc123.execute-api.ap-northeast-2.amazonaws.com/prod";
///     ApiGatewayPusher::new(sdk.endpoint_url(stage), encode)
/// }
/// ```
#[derive(Clone)]
pub struct ApiGatewayPusher {
    client: Client,
    encode: fn(&Event) -> String,
}

impl ApiGatewayPusher {
    /// A pusher that writes events as `encode` does, to the stage that is the configuration's endpoint.
    /// Timeouts and retries are set here.
    #[must_use]
    pub fn new(config: Builder, encode: fn(&Event) -> String) -> Self {
        let config = config
            .retry_config(calls::retries())
            .timeout_config(calls::timeouts())
            .retry_classifier(OnlyIfNothingHappened);
        Self { client: Client::from_conf(config.build()), encode }
    }
}

fn failed<E>(operation: &'static str) -> impl FnOnce(SdkError<E>) -> PushError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    move |error| match error.code() {
        Some("GoneException") => PushError::Gone,
        Some("PayloadTooLargeException") => PushError::TooLarge,
        Some("LimitExceededException" | "ThrottlingException" | "TooManyRequestsException") => {
            PushError::Throttled
        }
        // The status decides, because a wrong signature, an expired one and a missing permission have
        // different codes.
        _ if error.raw_response().is_some_and(|response| response.status().as_u16() == 403) => {
            PushError::Forbidden { operation, source: error.into() }
        }
        _ => PushError::Unavailable { operation, source: error.into() },
    }
}

#[async_trait]
impl Pusher for ApiGatewayPusher {
    async fn push(&self, to: &ConnectionId, push: &Push) -> Result<(), PushError> {
        let post = self.client.post_to_connection().connection_id(to.as_str());
        let frame = Blob::new(push.text(self.encode));
        post.data(frame).send().await.map(drop).map_err(failed("push"))
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PushError> {
        let delete = self.client.delete_connection().connection_id(id.as_str());
        delete.send().await.map(drop).map_err(failed("close"))
    }
}

impl fmt::Debug for ApiGatewayPusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiGatewayPusher").finish_non_exhaustive()
    }
}
