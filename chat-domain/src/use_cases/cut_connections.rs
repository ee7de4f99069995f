use std::sync::Arc;

use super::walk;
use crate::{ChatError, ConnectionStore, Email, PushError, Pusher};

/// What became of a user's connections, for the operator who cut them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// How many were listed. Their rows are deleted.
    pub found: usize,
    /// How many sockets the gateway has closed.
    pub closed: usize,
    /// How many sockets were closed already.
    pub gone: usize,
    /// How many sockets the gateway did not close. The next frame on each closes it.
    pub failed: usize,
}

/// Ends all connections of a user. For whoever runs the chat.
///
/// The row of each goes first, so that no frame on it is taken any more, and then its socket. The list may
/// lag behind, so that a connection of a moment ago is missed: look again after a few seconds.
///
/// # Example: a token has leaked
///
/// ```
/// use chat_adapters_memory::MemoryChat;
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let minji: Email = "minji@example.com".parse()?;
/// let phone = chat.connect(&minji, "minji-phone", "2026-11-23T09:00:00.000Z".parse()?).await?;
///
/// let cut = CutConnections::new(chat.connections.clone(), chat.pusher).execute(&minji).await?;
/// assert_eq!(cut, Cut { found: 1, gone: 1, ..Cut::default() });
/// assert_eq!(chat.connections.get(&phone.connection).await?, None);
/// # Ok(())
/// # }
/// ```
pub struct CutConnections {
    connections: Arc<dyn ConnectionStore>,
    pusher: Arc<dyn Pusher>,
}

impl CutConnections {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(connections: Arc<dyn ConnectionStore>, pusher: Arc<dyn Pusher>) -> Self {
        Self { connections, pusher }
    }

    /// Ends the connections that are listed.
    ///
    /// # Errors
    /// [`Unavailable`](ChatError::Unavailable), [`Internal`](ChatError::Internal): some of them may be ended,
    /// and the call may be repeated.
    pub async fn execute(&self, user: &Email) -> Result<Cut, ChatError> {
        let rows = walk::connections(&*self.connections, user).await?;
        let mut cut = Cut { found: rows.len(), ..Cut::default() };
        for row in rows {
            self.connections.delete(&row.id).await?;
            match self.pusher.close(&row.id).await {
                Ok(()) => cut.closed += 1,
                Err(PushError::Gone) => cut.gone += 1,
                Err(_) => cut.failed += 1,
            }
        }
        Ok(cut)
    }
}
