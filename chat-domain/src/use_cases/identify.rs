use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    ChatError, Connection, ConnectionId, ConnectionStore, Correlation, Email, Event, Pusher, Timestamp,
};

/// How many connections one process remembers. A Lambda function serves far fewer in its life. A process with
/// 10,000 open ones remembers them all, in about 3 MB.
const REMEMBERED_MAX: usize = 16_384;

/// Where a frame came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameOrigin {
    /// The connection that the frame came on.
    pub connection: ConnectionId,
    /// What the client matches the answer by.
    pub correlation: Correlation,
    /// When the gateway received the frame.
    pub now: Timestamp,
}

/// Whether an identified connection was read from the store or remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    FromStore,
    FromMemory,
}

/// Finds out who speaks on a connection. All use cases of a process share one.
///
/// Whose a connection is never changes, so the process remembers it. Until when the identity counts may be
/// extended, so a remembered expiry is read again before anybody is refused because of it. That the row still
/// *exists* cannot be remembered: whoever takes an identity from memory has to make sure of that.
pub struct Identify {
    connections: Arc<dyn ConnectionStore>,
    pusher: Arc<dyn Pusher>,
    remembered: Mutex<HashMap<ConnectionId, Remembered>>,
}

struct Remembered {
    connection: Connection,
    /// The id of the request for which the limiter has already read the connection. Its handler may use that
    /// row, once.
    read_ahead_of: Option<String>,
}

impl Identify {
    /// Composes it of its ports. It remembers nobody yet.
    #[must_use]
    pub fn new(connections: Arc<dyn ConnectionStore>, pusher: Arc<dyn Pusher>) -> Self {
        Self { connections, pusher, remembered: Mutex::default() }
    }

    /// The connection as the store has it, authenticated at this moment.
    ///
    /// A connection that the store does not know is told so and closed. Nobody would push to it, so its
    /// client must not believe that it is connected.
    pub(crate) async fn strongly(&self, origin: &FrameOrigin) -> Result<Connection, ChatError> {
        let connection = self.even_expired(origin).await?;
        if connection.identity.is_expired(origin.now) { Err(ChatError::AuthExpired) } else { Ok(connection) }
    }

    /// The connection, possibly from memory.
    pub(crate) async fn remembered(&self, origin: &FrameOrigin) -> Result<(Connection, Known), ChatError> {
        let remembered = match self.take_read_ahead(origin) {
            Some(connection) => Some((connection, Known::FromStore)),
            None => {
                let memory = self.memory();
                memory.get(&origin.connection).map(|known| (known.connection.clone(), Known::FromMemory))
            }
        };
        match remembered {
            Some((connection, known)) if !connection.identity.is_expired(origin.now) => {
                Ok((connection, known))
            }
            _ => Ok((self.strongly(origin).await?, Known::FromStore)),
        }
    }

    /// Whose the connection is, if the process remembers it: for logs, and to count by.
    #[must_use]
    pub fn remembered_user(&self, connection: &ConnectionId) -> Option<Email> {
        self.memory().get(connection).map(|known| known.connection.identity.email().clone())
    }

    /// Whose the connection is, as the store has it. Whoever handles the frame takes what was read here.
    pub(crate) async fn user_ahead(&self, origin: &FrameOrigin) -> Result<Email, ChatError> {
        let connection = self.even_expired(origin).await?;
        if let Some(known) = self.memory().get_mut(&origin.connection) {
            known.read_ahead_of = Some(origin.correlation.request_id.clone());
        }
        Ok(connection.identity.email().clone())
    }

    fn take_read_ahead(&self, origin: &FrameOrigin) -> Option<Connection> {
        let mut memory = self.memory();
        let known = memory.get_mut(&origin.connection)?;
        let is_of_this_frame = known.read_ahead_of.take()? == origin.correlation.request_id;
        is_of_this_frame.then(|| known.connection.clone())
    }

    /// The connection as the store has it, whether or not its authentication has expired.
    pub(crate) async fn even_expired(&self, origin: &FrameOrigin) -> Result<Connection, ChatError> {
        if let Some(connection) = self.take_read_ahead(origin) {
            return Ok(connection);
        }
        let stored = self.connections.get(&origin.connection).await?;
        match stored.filter(|connection| connection.may_be_open(origin.now)) {
            Some(connection) => {
                self.remember(connection.clone());
                Ok(connection)
            }
            None => {
                self.forget(&origin.connection);
                self.turn_away(origin).await;
                Err(ChatError::UnknownConnection)
            }
        }
    }

    pub(crate) fn remember(&self, connection: Connection) {
        let mut memory = self.memory();
        if memory.len() >= REMEMBERED_MAX {
            // Forgetting all is simpler than choosing whom to forget, and each one costs a read.
            memory.clear();
        }
        memory.insert(connection.id.clone(), Remembered { connection, read_ahead_of: None });
    }

    pub(crate) fn forget(&self, id: &ConnectionId) {
        self.memory().remove(id);
    }

    async fn turn_away(&self, origin: &FrameOrigin) {
        let push = Event::UnknownConnection(origin.correlation.clone()).into();
        // If one of these calls fails, the connection is gone, or its next frame comes here again.
        let _ = self.pusher.push(&origin.connection, &push).await;
        let _ = self.pusher.close(&origin.connection).await;
    }

    /// Nothing can panic half-way while it has the lock, so what a poisoned lock guards is whole.
    fn memory(&self) -> MutexGuard<'_, HashMap<ConnectionId, Remembered>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
