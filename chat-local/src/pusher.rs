use apigw_local::{Connections, PostError};
use async_trait::async_trait;
use chat_domain::{ConnectionId, Event, PushError, Pusher};
use chat_lambda::wire::frames::encode;

/// Pushes through the gateway in this process.
pub(crate) struct LocalPusher {
    connections: Connections,
}

impl LocalPusher {
    pub(crate) fn new(connections: Connections) -> Self {
        Self { connections }
    }
}

#[async_trait]
impl Pusher for LocalPusher {
    async fn push(&self, to: &ConnectionId, event: &Event) -> Result<(), PushError> {
        self.connections.post(to.as_str(), encode(event)).map_err(|error| meaning("push", error))
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PushError> {
        self.connections.close(id.as_str()).map_err(|error| meaning("close", error))
    }
}

fn meaning(operation: &'static str, error: PostError) -> PushError {
    match error {
        PostError::Gone => PushError::Gone,
        PostError::PayloadTooLarge => PushError::TooLarge,
        PostError::LimitExceeded => PushError::Throttled,
        other => PushError::Unavailable { operation, source: other.into() },
    }
}
