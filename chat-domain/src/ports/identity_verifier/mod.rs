#[cfg(feature = "conformance")]
pub(crate) mod conformance;
mod error;

use async_trait::async_trait;

pub use self::error::VerifyError;
use crate::{AccessToken, Timestamp, VerifiedIdentity};

/// Finds out who a token speaks for.
///
/// # Contract
///
/// - **All or nothing.** `Ok` means that *our* identity provider issued the token for *our* clients, that the
///   token is of the kind that gives access, that nobody has altered it, that it is not known to be revoked
///   and has not expired at `now`, and that the provider has verified the address of its user.
/// - **Fail closed.** If something cannot be checked, that is an error.
/// - **Secrecy.** The token appears in no error and in no log.
/// - **Errors.** [`Expired`](VerifyError::Expired) is for a token that was good before. Whatever else is
///   wrong with a token is [`Rejected`](VerifyError::Rejected).
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait IdentityVerifier: Send + Sync {
    /// Verifies a token. The identity expires when the token does.
    async fn verify(&self, token: &AccessToken, now: Timestamp) -> Result<VerifiedIdentity, VerifyError>;
}
