use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chat_domain::{AccessToken, IdentityVerifier, Timestamp, VerifiedIdentity, VerifyError};

/// How long a verified token is believed without asking again. A token that was revoked meanwhile is still
/// accepted for that long.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// How many tokens are remembered, in about 20 MB. One process of a Lambda sees a few in a minute.
const REMEMBERED_MAX: usize = 10_000;

/// Remembers for [`REMEMBERED_FOR`] what another verifier has accepted, and never past the token's expiry.
/// What was not accepted is not remembered.
pub struct RememberingVerifier<V> {
    verifier: V,
    accepted: Mutex<HashMap<String, Accepted>>,
}

struct Accepted {
    identity: VerifiedIdentity,
    at: Timestamp,
}

impl Accepted {
    /// A clock that has gone back since remembers nothing.
    fn holds(&self, now: Timestamp) -> bool {
        self.at <= now && now < self.at.after(REMEMBERED_FOR) && !self.identity.is_expired(now)
    }
}

impl<V> RememberingVerifier<V> {
    /// A memory before this verifier.
    #[must_use]
    pub fn new(verifier: V) -> Self {
        Self { verifier, accepted: Mutex::default() }
    }

    fn accepted(&self) -> MutexGuard<'_, HashMap<String, Accepted>> {
        self.accepted.lock().expect("nothing panics while it holds the lock of the accepted tokens")
    }

    fn remember(&self, token: &AccessToken, identity: VerifiedIdentity, now: Timestamp) {
        let mut accepted = self.accepted();
        if accepted.len() >= REMEMBERED_MAX {
            accepted.retain(|_, accepted| accepted.holds(now));
        }
        if accepted.len() < REMEMBERED_MAX {
            accepted.insert(token.expose().to_owned(), Accepted { identity, at: now });
        }
    }
}

#[async_trait]
impl<V: IdentityVerifier> IdentityVerifier for RememberingVerifier<V> {
    async fn verify(&self, token: &AccessToken, now: Timestamp) -> Result<VerifiedIdentity, VerifyError> {
        let remembered = self
            .accepted()
            .get(token.expose())
            .filter(|accepted| accepted.holds(now))
            .map(|accepted| accepted.identity.clone());
        if let Some(identity) = remembered {
            return Ok(identity);
        }
        let identity = self.verifier.verify(token, now).await?;
        self.remember(token, identity.clone(), now);
        Ok(identity)
    }
}

impl<V: fmt::Debug> fmt::Debug for RememberingVerifier<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RememberingVerifier").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}
