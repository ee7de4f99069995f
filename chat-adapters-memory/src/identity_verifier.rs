use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use chat_domain::{AccessToken, IdentityVerifier, Timestamp, VerifiedIdentity, VerifyError};

/// How many tokens are remembered: ten for each of 10,000 people, in about 30 MB. Beyond that, the one that
/// expires first is forgotten and from then on rejected.
pub const TOKENS_MAX: usize = 100_000;

/// A sign-in that asks for no password, in memory: tests and the local gateway issue tokens to whom they
/// please.
///
/// A token is 128 random bits and says nothing by itself; who it speaks for stands here. It is good until it
/// expires, is [revoked](Self::revoke) or is forgotten (see [`TOKENS_MAX`]).
#[derive(Clone, Default)]
pub struct MemoryIdentityVerifier {
    tokens: Arc<Mutex<Tokens>>,
}

#[derive(Default)]
struct Tokens {
    identities: HashMap<String, VerifiedIdentity>,
    by_expiry: BTreeSet<(Timestamp, String)>,
}

impl Tokens {
    fn insert(&mut self, token: String, identity: VerifiedIdentity) {
        self.remove(&token);
        self.by_expiry.insert((identity.expires_at(), token.clone()));
        self.identities.insert(token, identity);
        if self.identities.len() > TOKENS_MAX
            && let Some((_, first)) = self.by_expiry.pop_first()
        {
            self.identities.remove(&first);
        }
    }

    fn remove(&mut self, token: &str) {
        if let Some((token, identity)) = self.identities.remove_entry(token) {
            self.by_expiry.remove(&(identity.expires_at(), token));
        }
    }
}

impl MemoryIdentityVerifier {
    /// A verifier that has issued nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Issues a token that speaks for `identity` until that expires. `random` is 128 fresh bits from a source
    /// that cannot be predicted: who guesses them has the token.
    pub fn issue(&self, identity: VerifiedIdentity, random: u128) -> AccessToken {
        let token = format!("{random:032x}");
        self.tokens().insert(token.clone(), identity);
        AccessToken::new(token)
    }

    /// Makes a token worthless from now on, to test what follows a sign-out.
    pub fn revoke(&self, token: &AccessToken) {
        self.tokens().remove(token.expose());
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().expect("nothing panics while it holds the lock of the tokens")
    }
}

#[async_trait]
impl IdentityVerifier for MemoryIdentityVerifier {
    async fn verify(&self, token: &AccessToken, now: Timestamp) -> Result<VerifiedIdentity, VerifyError> {
        let identity = self.tokens().identities.get(token.expose()).cloned();
        match identity {
            None => Err(VerifyError::Rejected { reason: "no such token was issued" }),
            Some(identity) if identity.is_expired(now) => Err(VerifyError::Expired),
            Some(identity) => Ok(identity),
        }
    }
}

impl fmt::Debug for MemoryIdentityVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens = self.tokens().identities.len();
        f.debug_struct("MemoryIdentityVerifier").field("tokens", &tokens).finish_non_exhaustive()
    }
}
