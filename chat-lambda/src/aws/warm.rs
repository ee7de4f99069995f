//! Handshakes before the first event. While a process starts it has a whole CPU, and nobody waits for it: at
//! an event's expense the first handshake takes most of the time.
//!
//! A host is warmed by a call that the function makes anyway and its role allows, about a connection that
//! does not exist. Cognito is not: its quota is for those who sign in, and when many processes start many
//! sign in.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use chat_domain::ConnectionId;
use tokio::time::timeout;

/// A handshake takes a tenth of that. What takes longer is left to the first event.
pub const DEADLINE: Duration = Duration::from_secs(1);

/// A connection that does not exist: no real one has so short a name.
#[must_use]
pub fn nobody() -> ConnectionId {
    ConnectionId::new("warm")
}

/// Makes a call for the sake of its handshake. What comes of it does not matter, and is logged.
pub async fn host<T, E: Error>(name: &'static str, call: impl Future<Output = Result<T, E>>) {
    match timeout(DEADLINE, call).await {
        Ok(Ok(_)) => tracing::debug!(host = name, "warm"),
        Ok(Err(error)) => tracing::debug!(host = name, %error, "warm, or not"),
        Err(_) => tracing::warn!(host = name, "not warmed in time"),
    }
}
