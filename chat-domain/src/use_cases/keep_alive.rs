use std::sync::Arc;

use super::identify::{Identify, Origin};
use crate::ChatError;

/// Answers a client that wants to know whether it is still connected.
///
/// # Example: a phone asks
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/example.rs"));
/// # fn main() { example(async |Example { identify, origin, .. }| {
/// KeepAlive::new(identify).execute(&origin).await?;
/// # Ok(()) }) }
/// ```
pub struct KeepAlive {
    identify: Arc<Identify>,
}

impl KeepAlive {
    /// Composes it.
    #[must_use]
    pub fn new(identify: Arc<Identify>) -> Self {
        Self { identify }
    }

    /// Succeeds if messages can reach the connection.
    ///
    /// # Errors
    /// [`UnknownConnection`](ChatError::UnknownConnection), [`AuthExpired`](ChatError::AuthExpired),
    /// [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(&self, origin: &Origin) -> Result<(), ChatError> {
        self.identify.strongly(origin).await.map(drop)
    }
}
