use std::sync::Arc;

use super::identify::{Identify, Origin};
use crate::{AccessToken, ChatError, Connection, ConnectionStore, IdentityVerifier, Timestamp};

/// Extends the authentication of an open connection by a newer token of the same user, so that nobody has to reconnect
/// when a token expires.
///
/// # Example: one more hour
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/example.rs"));
/// # fn main() { example(async |Example { verifier, connections, identify, origin, token, .. }| {
/// let reauthenticate = Reauthenticate::new(verifier, connections, identify);
/// let until = reauthenticate.execute(&origin, &token).await?;
/// assert_eq!(until.to_string(), "2026-11-23T11:00:00.000Z");
/// # Ok(()) }) }
/// ```
pub struct Reauthenticate {
    verifier: Arc<dyn IdentityVerifier>,
    connections: Arc<dyn ConnectionStore>,
    identify: Arc<Identify>,
}

impl Reauthenticate {
    /// Composes it.
    #[must_use]
    pub fn new(
        verifier: Arc<dyn IdentityVerifier>,
        connections: Arc<dyn ConnectionStore>,
        identify: Arc<Identify>,
    ) -> Self {
        Self { verifier, connections, identify }
    }

    /// Until when the connection is authenticated now.
    ///
    /// # Errors
    /// [`Unauthorized`](ChatError::Unauthorized) for a bad token or another user's, [`AuthExpired`](ChatError::AuthExpired)
    /// for an expired one, [`UnknownConnection`](ChatError::UnknownConnection), [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(&self, origin: &Origin, token: &AccessToken) -> Result<Timestamp, ChatError> {
        let connection = self.identify.even_expired(origin).await?;
        let identity = self.verifier.verify(token, origin.now).await?;
        if !identity.is_same_user(&connection.identity) {
            return Err(ChatError::Unauthorized { reason: "the token is another user's" });
        }
        let expires_at = identity.expires_at();
        if !self.connections.set_identity_expiry(&connection.id, expires_at).await? {
            // The connection closed meanwhile: the socket has no use for an answer.
            return Err(ChatError::UnknownConnection);
        }
        self.identify.remember(Connection { identity, ..connection });
        Ok(expires_at)
    }
}
