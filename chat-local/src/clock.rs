use std::time::{SystemTime, UNIX_EPOCH};

use chat_domain::Timestamp;

/// The time of this machine.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_unix_ms(ms).unwrap_or(Timestamp::MAX)
}
