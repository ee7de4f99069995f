#[cfg(feature = "conformance")]
pub(crate) mod conformance;
mod error;

use async_trait::async_trait;

pub use self::error::VerifyError;
use crate::{AccessToken, Timestamp, VerifiedIdentity};

/// Who a token speaks for.
///
/// # Contract
///
/// - **All or nothing.** `Ok` means that the token was issued by *our* identity provider for *our* clients, is of the kind
///   that gives access, was not tampered with, is not known to be revoked, has not expired at `now`, and that its user's
///   address is verified.
/// - **Fail closed.** Whatever cannot be checked is an error.
/// - **Secrecy.** The token appears in no error and in no log.
/// - **Errors.** [`Expired`](VerifyError::Expired) is for a token that was good before; everything else that is wrong with
///   a token is [`Rejected`](VerifyError::Rejected).
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait IdentityVerifier: Send + Sync {
    /// Verifies a token. The identity expires when the token does.
    async fn verify(&self, token: &AccessToken, now: Timestamp) -> Result<VerifiedIdentity, VerifyError>;
}
