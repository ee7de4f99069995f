use std::time::Duration;

use async_trait::async_trait;
use chat_domain::{Backoff, Pause};

/// Tries again at once, and waits for nothing: in memory whoever was first is done already.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBackoff;

#[async_trait]
impl Backoff for NoBackoff {
    async fn wait(&self, _at_most: Duration) {}
}

#[async_trait]
impl Pause for NoBackoff {
    async fn pause(&self, _: Duration) {}
}
