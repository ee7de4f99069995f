use crate::BoxError;

/// What can go wrong with an [`IdentityVerifier`](crate::IdentityVerifier). The variants differ in what a
/// caller can do about them; an adapter maps what its vendor answers to these, in one place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The token is not one of ours, or not good for this.
    #[error("the token is rejected: {reason}")]
    Rejected {
        /// Why, for logs; without any part of the token.
        reason: &'static str,
    },
    /// The token was good and has expired.
    #[error("the token has expired")]
    Expired,
    /// The identity provider did not answer. Try again later.
    #[error("the identity provider is unavailable")]
    Unavailable {
        /// The vendor's error, for logs.
        #[source]
        source: BoxError,
    },
}
