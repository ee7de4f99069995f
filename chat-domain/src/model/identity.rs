use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::email::Email;
use super::timestamp::Timestamp;

/// A token as a client presents it. Nobody has verified anything about it yet.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// Wraps a token that a client presents.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token itself, for an [`IdentityVerifier`](crate::IdentityVerifier). Never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Hides the token, since whoever reads it in a log can use it.
impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

/// The identity provider's own stable id for a user (Cognito's `sub`). An address can change hands; this does
/// not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserId(Arc<str>);

impl UserId {
    /// Wraps the id as the identity provider gives it.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as the identity provider gives it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who somebody is, and until when that counts. An [`IdentityVerifier`](crate::IdentityVerifier) makes it,
/// and a store of connections reads it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedIdentity {
    email: Email,
    user_id: UserId,
    expires_at: Timestamp,
}

impl VerifiedIdentity {
    /// States that an identity is verified. Only implementors of
    /// [`IdentityVerifier`](crate::IdentityVerifier), and stores that read back what one of them stated, call
    /// this.
    #[must_use]
    pub fn vouched(email: Email, user_id: UserId, expires_at: Timestamp) -> Self {
        Self { email, user_id, expires_at }
    }

    /// The address that the provider verified.
    #[must_use]
    pub fn email(&self) -> &Email {
        &self.email
    }

    /// The identity provider's id for the user.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        &self.user_id
    }

    /// The first instant at which the identity counts no more.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether the identity no longer counts at `now`: then refuse its frames, and push nothing to it.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// Whether both are the same user: the same account *and* the same address.
    #[must_use]
    pub fn is_same_user(&self, other: &Self) -> bool {
        self.email == other.email && self.user_id == other.user_id
    }
}

/// How long a connection's row may be believed. API Gateway ends a connection after 2 hours at the latest;
/// ten minutes more cover slow handlers and clocks that disagree.
pub const CONNECTION_LIFETIME: Duration = Duration::from_secs(2 * 60 * 60 + 10 * 60);

/// How old a connection must be before a push that finds it gone is believed. While `$connect` runs the row
/// exists and the socket does not, so the gateway answers a push with "gone"; API Gateway gives `$connect` at
/// most 29 seconds.
pub const CONNECTION_SETTLED_AFTER: Duration = Duration::from_secs(30);

/// The opaque name that the gateway gives one WebSocket connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(Arc<str>);

impl ConnectionId {
    /// Wraps the id as the gateway gives it.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as the gateway gives it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One open WebSocket connection, and whose it is: a row of the [`ConnectionStore`](crate::ConnectionStore).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The gateway's name for the connection.
    pub id: ConnectionId,
    /// Who authenticated on the connection. Only the expiry ever changes.
    pub identity: VerifiedIdentity,
    /// When the gateway began to open the connection.
    pub connected_at: Timestamp,
}

impl Connection {
    /// The first instant at which everybody ignores the row, whether or not the store has deleted it by then.
    #[must_use]
    pub fn stale_at(&self) -> Timestamp {
        self.connected_at.after(CONNECTION_LIFETIME)
    }

    /// Whether the connection can still exist at `now`. A store leaves others out of its lists.
    #[must_use]
    pub fn may_be_open(&self, now: Timestamp) -> bool {
        now < self.stale_at()
    }

    /// Whether a push that finds the connection gone at `now` proves that it is gone (see
    /// [`CONNECTION_SETTLED_AFTER`]).
    #[must_use]
    pub fn is_settled(&self, now: Timestamp) -> bool {
        self.connected_at < now.before(CONNECTION_SETTLED_AFTER)
    }
}
