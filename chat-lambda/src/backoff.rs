use std::time::Duration;

use async_trait::async_trait;
use chat_domain::Backoff;
use rand::Rng;

/// Waits on tokio's clock, for a random part of the time.
#[derive(Clone, Copy, Debug, Default)]
pub struct JitteredBackoff;

#[async_trait]
impl Backoff for JitteredBackoff {
    async fn wait(&self, at_most: Duration) {
        let part = rand::rng().random_range(0.0..=1.0);
        tokio::time::sleep(at_most.mul_f64(part)).await;
    }
}
