use std::sync::Arc;

use futures_util::future::join_all;

use super::deliver::Delivery;
use crate::{
    AccessToken, ChatError, Connection, ConnectionId, ConnectionStore, IdentityVerifier, Pusher, Timestamp,
    VerifiedIdentity,
};

/// How many connections a user may have open: several tabs on several devices, and still few enough that a message to the
/// user is pushed in one go.
pub const CONNECTIONS_MAX: usize = 20;

/// How many connections one `$connect` closes: more than the one it adds, so that whatever has piled up shrinks; and few, since the
/// client waits for it. Attempts that fail leave rows behind, and if the next one had to close them all it would fail the sooner.
const CLOSED_MAX: usize = 4;

/// A socket is being opened.
#[derive(Clone, Debug)]
pub struct ConnectCommand {
    /// The gateway's name for it.
    pub connection: ConnectionId,
    /// What the client authenticates with.
    pub token: AccessToken,
    /// When the gateway began to open it.
    pub connected_at: Timestamp,
    /// When the gateway asked.
    pub now: Timestamp,
}

/// Admits a connection: verifies who it is, and stores it before its socket is open, so that no message can be missed
/// between the two.
///
/// # Example: a phone connects
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/example.rs"));
/// # fn main() { example(async |Example { verifier, connections, pusher, token, now, .. }| {
/// let connect = Connect::new(verifier, connections, pusher);
/// let connection = ConnectionId::new("new-phone");
/// let identity = connect.execute(ConnectCommand { connection, token, connected_at: now, now }).await?;
/// assert_eq!(identity.email().as_str(), "minji@example.com");
/// # Ok(()) }) }
/// ```
pub struct Connect {
    verifier: Arc<dyn IdentityVerifier>,
    connections: Arc<dyn ConnectionStore>,
    delivery: Delivery,
}

impl Connect {
    /// Composes it.
    #[must_use]
    pub fn new(
        verifier: Arc<dyn IdentityVerifier>,
        connections: Arc<dyn ConnectionStore>,
        pusher: Arc<dyn Pusher>,
    ) -> Self {
        let delivery = Delivery::new(connections.clone(), pusher);
        Self { verifier, connections, delivery }
    }

    /// Stores the connection; of those that the user had before it, closes the oldest beyond [`CONNECTIONS_MAX`], a few at a time.
    ///
    /// # Errors
    /// [`Unauthorized`](ChatError::Unauthorized), [`AuthExpired`](ChatError::AuthExpired),
    /// [`Unavailable`](ChatError::Unavailable): the socket must not be opened.
    pub async fn execute(&self, command: ConnectCommand) -> Result<VerifiedIdentity, ChatError> {
        let identity = self.verifier.verify(&command.token, command.now).await?;
        let connection = Connection {
            id: command.connection,
            identity: identity.clone(),
            connected_at: command.connected_at,
        };
        self.connections.put(&connection).await?;
        self.close_the_oldest(&connection, command.now).await;
        Ok(identity)
    }

    async fn close_the_oldest(&self, newest: &Connection, now: Timestamp) {
        // The limit guards against waste, not against harm: when the list cannot be had, the next connect sees to it.
        let mut others = self.delivery.connections_of([newest.identity.email()], now).await;
        // What connected later counts this one when it connects. Counted here it would let rows that a wrong clock has dated ahead, of
        // sockets that never opened perhaps, take the places of connections that live.
        others.retain(|other| other.id != newest.id && other.connected_at <= newest.connected_at);
        // The id decides between connections of one millisecond, so that two handlers close the same ones.
        others.sort_by_key(|other| (other.connected_at, other.id.clone()));
        let beyond = (others.len() + 1).saturating_sub(CONNECTIONS_MAX).min(CLOSED_MAX);
        join_all(others[..beyond].iter().map(|old| self.delivery.close(old, now))).await;
    }
}
