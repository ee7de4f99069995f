use std::sync::Arc;

use super::identify::Identify;
use crate::{ChatError, ConnectionId, ConnectionStore};

/// Forgets a connection whose socket has closed. The gateway says so at most once. What it does not say, the
/// row's age and pushes that find the connection gone make good.
///
/// # Example: a phone disconnects
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
/// let disconnect = Disconnect::new(chat.connections.clone()).beside(chat.identify);
/// disconnect.execute(&phone.connection).await?;
/// assert_eq!(chat.connections.get(&phone.connection).await?, None);
/// # Ok(())
/// # }
/// ```
pub struct Disconnect {
    connections: Arc<dyn ConnectionStore>,
    beside: Option<Arc<Identify>>,
}

impl Disconnect {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(connections: Arc<dyn ConnectionStore>) -> Self {
        Self { connections, beside: None }
    }

    /// Adds what the process remembers of connections, so that it goes with the row. For a process that also
    /// hears frames.
    #[must_use]
    pub fn beside(self, identify: Arc<Identify>) -> Self {
        Self { beside: Some(identify), ..self }
    }

    /// Deletes the row of the connection. It does no harm when there is none.
    ///
    /// # Errors
    /// [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(&self, connection: &ConnectionId) -> Result<(), ChatError> {
        if let Some(identify) = &self.beside {
            identify.forget(connection);
        }
        Ok(self.connections.delete(connection).await?)
    }
}
