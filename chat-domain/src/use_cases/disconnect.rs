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
/// Disconnect::new(connections.clone(), identify).execute(&phone).await?;
/// assert_eq!(connections.get(&phone).await?, None);
/// # Ok(()) }) }
/// ```
pub struct Disconnect {
    connections: Arc<dyn ConnectionStore>,
    identify: Arc<Identify>,
}

impl Disconnect {
    /// Composes it.
    #[must_use]
    pub fn new(connections: Arc<dyn ConnectionStore>, identify: Arc<Identify>) -> Self {
        Self { connections, identify }
    }

    /// Deletes the connection's row; harmless when there is none.
    ///
    /// # Errors
    /// [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(&self, connection: &ConnectionId) -> Result<(), ChatError> {
        self.identify.forget(connection);
        Ok(self.connections.delete(connection).await?)
    }
}
