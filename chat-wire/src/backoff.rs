use std::time::Duration;

use async_trait::async_trait;
use chat_domain::Backoff;
use rand::Rng;

/// Waits for a random part of the time, by the sleep of whatever runtime the server has. Every server whose
/// store several processes write to wants it for [`Ports::backoff`](crate::Ports::backoff); on tokio it is
/// `JitteredBackoff::new(tokio::time::sleep)`.
#[derive(Clone, Copy, Debug)]
pub struct JitteredBackoff<S>(S);

impl<S> JitteredBackoff<S> {
    /// A backoff that waits by calling `sleep`.
    pub const fn new(sleep: S) -> Self {
        Self(sleep)
    }
}

#[async_trait]
impl<S, F> Backoff for JitteredBackoff<S>
where
    S: Fn(Duration) -> F + Send + Sync,
    F: Future<Output = ()> + Send,
{
    async fn wait(&self, at_most: Duration) {
        let part = rand::rng().random_range(0.0..=1.0);
        (self.0)(at_most.mul_f64(part)).await;
    }
}
