use std::time::Duration;

use async_trait::async_trait;

/// Waits between two attempts. The domain has no clock and no chance: whoever composes it brings them, and
/// tests bring neither.
#[async_trait]
pub trait Backoff: Send + Sync {
    /// Waits for a random time between nothing and `at_most`, spread evenly. Chance keeps two writers that
    /// have met once from meeting again.
    async fn wait(&self, at_most: Duration);
}

/// Waits until something is over that nobody can watch, such as writes that may still land. A test brings one
/// that does not wait.
#[async_trait]
pub trait Pause: Send + Sync {
    /// Waits for this time, and no less.
    async fn pause(&self, time: Duration);
}

/// The longest wait before the second attempt; it doubles with every further one.
const FIRST_WAIT: Duration = Duration::from_millis(10);
/// The longest wait between two attempts: a client sees its acknowledgement later by no more than a few of
/// these.
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// The longest wait after `failures` failed attempts.
pub(crate) fn longest_wait(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT)
}
