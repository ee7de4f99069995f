use std::sync::Arc;

use super::identify::{FrameOrigin, Identify};
use crate::{
    AccessToken, Admit, ChatError, Connection, ConnectionStore, IdentityVerifier, Timestamp, UserStore,
};

/// Extends the authentication of an open connection by a newer token of the same user, so that nobody has to
/// reconnect when a token expires.
///
/// # Example: one more hour
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
/// let phone = chat.connect(&minji, "minji-phone", now).await?;
///
/// // A newer token of the same user, good for two hours.
/// let user = UserId::new(minji.as_str());
/// let identity = VerifiedIdentity::vouched(minji, user, now.after(Duration::from_secs(7_200)));
/// let token = chat.verifier.issue(identity, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
///
/// let reauthenticate = Reauthenticate::new(chat.verifier, chat.users, chat.connections, chat.identify);
/// let until = reauthenticate.execute(&phone, &token).await?;
/// assert_eq!(until.to_string(), "2026-11-23T11:00:00.000Z");
/// # Ok(())
/// # }
/// ```
pub struct Reauthenticate {
    verifier: Arc<dyn IdentityVerifier>,
    admit: Admit,
    connections: Arc<dyn ConnectionStore>,
    identify: Arc<Identify>,
}

impl Reauthenticate {
    /// Composes the use case. All use cases of a process share one `identify`.
    #[must_use]
    pub fn new(
        verifier: Arc<dyn IdentityVerifier>,
        users: Arc<dyn UserStore>,
        connections: Arc<dyn ConnectionStore>,
        identify: Arc<Identify>,
    ) -> Self {
        Self { verifier, admit: Admit::new(users), connections, identify }
    }

    /// Verifies the token, and says until when the connection is authenticated now.
    ///
    /// # Errors
    /// [`Unauthorized`](ChatError::Unauthorized) for a bad token or another user's,
    /// [`AuthExpired`](ChatError::AuthExpired) for an expired one, [`Suspended`](ChatError::Suspended),
    /// [`NotYours`](ChatError::NotYours) if the address has been given to another account,
    /// [`UnknownConnection`](ChatError::UnknownConnection), [`Unavailable`](ChatError::Unavailable).
    pub async fn execute(&self, origin: &FrameOrigin, token: &AccessToken) -> Result<Timestamp, ChatError> {
        let connection = self.identify.even_expired(origin).await?;
        let identity = self.verifier.verify(token, origin.now).await?;
        if !identity.is_same_user(&connection.identity) {
            return Err(ChatError::Unauthorized { reason: "the token is another user's" });
        }
        self.admit.execute(&identity, origin.now).await?;
        let expires_at = identity.expires_at();
        if !self.connections.set_identity_expiry(&connection.id, expires_at).await? {
            // The connection has closed meanwhile, and its socket has no use for an answer.
            return Err(ChatError::UnknownConnection);
        }
        self.identify.remember(Connection { identity, ..connection });
        Ok(expires_at)
    }
}
