use std::time::Duration;

use async_trait::async_trait;
use chat_domain::Backoff;

/// Tries again at once: in memory the writer that was first is done already.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBackoff;

#[async_trait]
impl Backoff for NoBackoff {
    async fn wait(&self, _at_most: Duration) {}
}
