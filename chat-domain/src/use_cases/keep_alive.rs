use std::sync::Arc;

use super::identify::{FrameOrigin, Identify};
use crate::ChatError;

/// Answers a client that wants to know whether it is still connected.
///
/// # Example: a phone asks
///
/// ```
/// use chat_adapters_memory::MemoryChat;
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let minji: Email = "minji@example.com".parse()?;
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
/// let phone = chat.connect(&minji, "minji-phone", now).await?;
///
/// KeepAlive::new(chat.identify).execute(&phone).await?;
/// # Ok(())
/// # }
/// ```
pub struct KeepAlive {
    identify: Arc<Identify>,
}

impl KeepAlive {
    /// Composes the use case. All use cases of a process share one `identify`.
    #[must_use]
    pub fn new(identify: Arc<Identify>) -> Self {
        Self { identify }
    }

    /// Succeeds if the chat can push to the connection.
    ///
    /// # Errors
    /// [`UnknownConnection`](ChatError::UnknownConnection), [`AuthExpired`](ChatError::AuthExpired),
    /// [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(&self, origin: &FrameOrigin) -> Result<(), ChatError> {
        self.identify.strongly(origin).await.map(drop)
    }
}
