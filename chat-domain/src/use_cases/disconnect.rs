use std::sync::Arc;

use super::identify::Identify;
use crate::{ChatError, ConnectionId, ConnectionStore};

/// Forgets a connection whose socket has closed. The gateway says so at best once: what it does not say is caught by the
/// row's age and by pushes that find the connection gone.
///
/// # Example: a phone disconnects
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/example.rs"));
/// # fn main() { example(async |Example { connections, identify, .. }| {
/// let phone = ConnectionId::new("minji-phone");
/// Disconnect::new(connections.clone()).beside(identify).execute(&phone).await?;
/// assert_eq!(connections.get(&phone).await?, None);
/// # Ok(()) }) }
/// ```
pub struct Disconnect {
    connections: Arc<dyn ConnectionStore>,
    beside: Option<Arc<Identify>>,
}

impl Disconnect {
    /// Composes it.
    #[must_use]
    pub fn new(connections: Arc<dyn ConnectionStore>) -> Self {
        Self { connections, beside: None }
    }

    /// The same in a process that also hears frames: what it remembers of the connection goes with the row.
    #[must_use]
    pub fn beside(self, identify: Arc<Identify>) -> Self {
        Self { beside: Some(identify), ..self }
    }

    /// Deletes the connection's row; harmless when there is none.
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
