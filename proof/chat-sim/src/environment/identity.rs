//! The identity provider: the tokens that it issued, and what it says of them.

use std::sync::Arc;

use chat_domain::{Timestamp, UserId, VerifiedIdentity};

use crate::call::Failure;
use crate::directory::Directory;
use crate::ids::{Id, IdVec, TokenId, User};

/// A token that was issued.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) user: User,
    pub(crate) expires_at: Timestamp,
    /// Whether it is of a pool that the chat does not know.
    pub(crate) is_foreign: bool,
    revoked_at_ms: Option<i64>,
}

pub(crate) struct IdentityProvider {
    directory: Arc<Directory>,
    user_ids: IdVec<User, UserId>,
    tokens: IdVec<TokenId, Token>,
}

impl IdentityProvider {
    pub(super) fn of(directory: Arc<Directory>) -> Self {
        let user_ids = directory.everybody().map(|user| UserId::new(format!("sub-{user}"))).collect();
        Self { directory, user_ids, tokens: IdVec::default() }
    }

    pub(super) fn issue(&mut self, user: User, expires_at: Timestamp) -> TokenId {
        self.tokens.push(Token { user, expires_at, is_foreign: false, revoked_at_ms: None })
    }

    /// Another pool issues a token for the address of a user.
    pub(super) fn issue_elsewhere(&mut self, user: User, expires_at: Timestamp) -> TokenId {
        self.tokens.push(Token { user, expires_at, is_foreign: true, revoked_at_ms: None })
    }

    pub(super) fn revoke(&mut self, token: TokenId, now_ms: i64) {
        self.tokens[token].revoked_at_ms.get_or_insert(now_ms);
    }

    pub(crate) fn token(&self, token: TokenId) -> Option<&Token> {
        self.tokens.get(token)
    }

    pub(crate) fn expires_at(&self, token: TokenId) -> Timestamp {
        self.tokens[token].expires_at
    }

    /// Whether a token was good at the event's time and when the gateway received it, in true time.
    pub(crate) fn is_good(&self, token: TokenId, user: User, now: Timestamp, asked_ms: i64) -> bool {
        self.tokens.get(token).is_some_and(|token| {
            token.user == user
                && !token.is_foreign
                && now < token.expires_at
                && token.revoked_at_ms.is_none_or(|revoked| asked_ms <= revoked)
        })
    }

    /// The token that is written so, if it was issued.
    fn issued(&self, token: &str) -> Option<&Token> {
        self.tokens.get(TokenId::new(token.strip_prefix("token-")?.parse().ok()?))
    }

    pub(super) fn is_revoked(&self, token: &str) -> bool {
        self.issued(token).is_some_and(|token| token.revoked_at_ms.is_some())
    }

    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<VerifiedIdentity, Failure> {
        match self.issued(token) {
            Some(token) if token.revoked_at_ms.is_none() && !token.is_foreign => {
                if now >= token.expires_at {
                    return Err(Failure::Expired);
                }
                Ok(self.identity(token.user, token.expires_at))
            }
            _ => Err(Failure::Rejected),
        }
    }

    /// A user's identity, as a token says it that expires at some time.
    pub(crate) fn identity(&self, user: User, expires_at: Timestamp) -> VerifiedIdentity {
        VerifiedIdentity::vouched(self.directory.email(user).clone(), self.user_ids[user].clone(), expires_at)
    }
}
