use std::time::Duration;

use async_trait::async_trait;
use chat_domain::{ConnectionId, Push, PushError, Pusher};
use tokio::time::timeout;

use chat_wire::error::chain;

/// How long a push may take. The sender's acknowledgement waits for the slowest of them, and a receiver that
/// is not reached by then syncs; the gateway takes a frame in some ten milliseconds.
pub const PUSH_WITHIN: Duration = Duration::from_millis(2_500);

/// A pusher that gives up in time, and logs what a use case leaves unsaid: for it a push is a hint.
#[derive(Clone, Debug)]
pub struct WatchedPusher<P> {
    pusher: P,
}

impl<P> WatchedPusher<P> {
    /// A pusher that leaves each push to `pusher`, and gives up on it after [`PUSH_WITHIN`].
    #[must_use]
    pub fn new(pusher: P) -> Self {
        Self { pusher }
    }
}

async fn watched(
    operation: &'static str,
    to: &ConnectionId,
    call: impl Future<Output = Result<(), PushError>>,
) -> Result<(), PushError> {
    let outcome = match timeout(PUSH_WITHIN, call).await {
        Ok(outcome) => outcome,
        Err(late) => Err(PushError::Unavailable { operation, source: late.into() }),
    };
    if let Err(error) = &outcome {
        let connection = to.as_str();
        match error {
            // Somebody has to change the deployment, and until then no client is pushed to.
            PushError::Forbidden { .. } => {
                tracing::error!(connection, operation, cause = chain(error), "not pushed");
            }
            PushError::Gone => tracing::debug!(connection, operation, "gone"),
            _ => tracing::warn!(connection, operation, cause = chain(error), "not pushed"),
        }
    }
    outcome
}

#[async_trait]
impl<P: Pusher> Pusher for WatchedPusher<P> {
    async fn push(&self, to: &ConnectionId, push: &Push) -> Result<(), PushError> {
        watched("push", to, self.pusher.push(to, push)).await
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PushError> {
        watched("close", id, self.pusher.close(id)).await
    }
}
