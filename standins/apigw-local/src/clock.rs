use std::time::{SystemTime, UNIX_EPOCH};

/// Where events take `connectedAt` and `requestTimeEpoch` from.
///
/// Only the *reported* times come from here. The idle and lifetime limits run on tokio's clock,
/// so `tokio::time::pause` moves them.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_millis(&self) -> i64;
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_millis(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    }
}
