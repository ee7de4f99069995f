use std::sync::Arc;

use futures_util::future::{join, join_all};

use super::deliver::Delivery;
use crate::{
    AccessToken, Admit, CONNECTIONS_MAX, ChatError, Connection, ConnectionId, ConnectionStore,
    IdentityVerifier, Pusher, Timestamp, UserStore, VerifiedIdentity,
};

/// How many connections one `$connect` closes at most: more than the one it adds, so that a surplus shrinks,
/// and few, since the client waits. Attempts that fail leave rows behind. An attempt that had to close all of
/// them would take longer, and would be more likely to fail as well.
const CLOSED_MAX: usize = 4;

/// A socket that a gateway is about to open, for [`Connect::execute`].
#[derive(Clone, Debug)]
pub struct ConnectCommand {
    /// The gateway's name for the connection.
    pub connection: ConnectionId,
    /// The token that the client authenticates with.
    pub token: AccessToken,
    /// When the gateway began to open the socket.
    pub connected_at: Timestamp,
    /// When the gateway asked whether to open the socket.
    pub now: Timestamp,
}

/// Admits a connection: verifies who connects, and stores the connection before its socket is open, so that
/// no message can be missed between the two.
///
/// Whether the user may come in is read *after* the connection was stored. Whoever suspends a user does it
/// the other way round, first the user's row and then the connections: so either this sees the suspension,
/// or that one sees the connection.
///
/// # Example: a phone connects
///
/// ```
/// use std::time::Duration;
/// use chat_adapters_memory::MemoryChat;
/// use chat_domain::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = MemoryChat::new();
/// let minji: Email = "minji@example.com".parse()?;
/// let now: Timestamp = "2026-11-23T09:00:00.000Z".parse()?;
///
/// // What an identity provider does: here anybody gets a token.
/// let identity = VerifiedIdentity::vouched(minji, UserId::new("1"), now.after(Duration::from_secs(3_600)));
/// let token = chat.verifier.issue(identity, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
///
/// let connect = Connect::new(chat.verifier, chat.users, chat.connections, chat.pusher);
/// let connection = ConnectionId::new("minji-phone");
/// let identity = connect.execute(ConnectCommand { connection, token, connected_at: now, now }).await?;
/// assert_eq!(identity.email().as_str(), "minji@example.com");
/// # Ok(())
/// # }
/// ```
pub struct Connect {
    verifier: Arc<dyn IdentityVerifier>,
    admit: Admit,
    connections: Arc<dyn ConnectionStore>,
    delivery: Delivery,
}

impl Connect {
    /// Composes the use case of its ports.
    #[must_use]
    pub fn new(
        verifier: Arc<dyn IdentityVerifier>,
        users: Arc<dyn UserStore>,
        connections: Arc<dyn ConnectionStore>,
        pusher: Arc<dyn Pusher>,
    ) -> Self {
        let delivery = Delivery::new(connections.clone(), pusher);
        Self { verifier, admit: Admit::new(users), connections, delivery }
    }

    /// Stores the connection. If the user has more than [`CONNECTIONS_MAX`] then, closes the oldest of those
    /// before it, a few at a time.
    ///
    /// # Errors
    /// [`Unauthorized`](ChatError::Unauthorized), [`AuthExpired`](ChatError::AuthExpired),
    /// [`Suspended`](ChatError::Suspended), [`NotYours`](ChatError::NotYours),
    /// [`Unavailable`](ChatError::Unavailable), [`Internal`](ChatError::Internal): the socket must not be
    /// opened.
    pub async fn execute(&self, command: ConnectCommand) -> Result<VerifiedIdentity, ChatError> {
        let identity = self.verify(&command).await?;
        self.open(command, &identity).await?;
        Ok(identity)
    }

    /// The first half of [`execute`](Self::execute): says who connects, and stores nothing. Call the halves
    /// one after the other to name in a log who is refused.
    ///
    /// # Errors
    /// [`Unauthorized`](ChatError::Unauthorized), [`AuthExpired`](ChatError::AuthExpired),
    /// [`Unavailable`](ChatError::Unavailable).
    pub async fn verify(&self, command: &ConnectCommand) -> Result<VerifiedIdentity, ChatError> {
        Ok(self.verifier.verify(&command.token, command.now).await?)
    }

    /// The second half: stores the connection of whom [`verify`](Self::verify) has named.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn open(&self, command: ConnectCommand, identity: &VerifiedIdentity) -> Result<(), ChatError> {
        let connection = Connection {
            id: command.connection,
            identity: identity.clone(),
            connected_at: command.connected_at,
        };
        self.connections.put(&connection).await?;
        // The limit guards against waste, not against harm. If the list cannot be read, the next connect
        // closes what is too much.
        let listed = self.delivery.connections_of(identity.email(), command.now);
        let (admitted, others) = join(self.admit.afresh(identity, command.now), listed).await;
        if let Err(refused) = admitted {
            // A row that stays costs one vain push, and its age ends it: the socket does not open. If nobody
            // knows whether the user may come in, it stays: a gateway may ask twice, and have opened the
            // socket the first time.
            if !matches!(refused, ChatError::Unavailable { .. } | ChatError::Internal { .. }) {
                let _ = self.connections.delete(&connection.id).await;
            }
            return Err(refused);
        }
        self.close_the_oldest(&connection, others, command.now).await;
        Ok(())
    }

    async fn close_the_oldest(&self, newest: &Connection, mut others: Vec<Connection>, now: Timestamp) {
        // A connection that came later counts this one in its turn. If this one counted it too, rows that a
        // wrong clock has dated ahead, perhaps of sockets that never opened, would take the places of
        // connections that live.
        others.retain(|other| other.id != newest.id && other.connected_at <= newest.connected_at);
        // The id decides between connections of one millisecond, so that two handlers close the same ones.
        others.sort_by_key(|other| (other.connected_at, other.id.clone()));
        let beyond = (others.len() + 1).saturating_sub(CONNECTIONS_MAX).min(CLOSED_MAX);
        join_all(others[..beyond].iter().map(|old| self.delivery.close(old, now))).await;
    }
}
