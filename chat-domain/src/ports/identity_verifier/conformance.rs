use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;

use crate::conformance::{email, identity, junho, minji, november, suite};
use crate::{AccessToken, IdentityVerifier, Timestamp, VerifiedIdentity, VerifyError};

suite! {
    /// Expands to one test for each behaviour of an [`IdentityVerifier`](crate::IdentityVerifier), each on an
    /// [`IdentityVerifierHarness`](crate::conformance::IdentityVerifierHarness) that the given `async`
    /// function returns. See [`conformance`](crate::conformance).
    identity_verifier_conformance in identity_verifier on one crate::conformance::IdentityVerifierHarness {
        "All or nothing" {
            a_good_token_speaks_for_its_user,
            a_token_may_be_used_again,
            tokens_of_two_users_are_not_confused,
            a_token_is_good_until_the_millisecond_before_it_expires,
            a_token_that_has_expired_once_stays_expired,
            a_tampered_token_is_rejected,
            a_token_with_something_before_or_after_it_is_rejected,
        }
        "Fail closed" {
            what_was_never_issued_is_rejected,
        }
        "Secrecy" {
            no_error_tells_the_token,
        }
        "Errors" {
            what_was_tampered_with_has_not_expired_but_is_rejected,
        }
        "verify" {
            two_tokens_of_one_user_expire_each_at_its_time,
        }
    }
}

/// The identity provider behind an [`IdentityVerifier`].
#[async_trait]
pub trait IdentityVerifierHarness: Send + Sync {
    /// The verifier under test.
    fn verifier(&self) -> &dyn IdentityVerifier;

    /// Issues a token that is good in every respect, for a user with this identity's address and id, until
    /// its expiry: a whole second, as in a JSON web token.
    async fn issue(&self, identity: &VerifiedIdentity) -> AccessToken;
}

type Harness = Arc<dyn IdentityVerifierHarness>;

async fn verify(
    harness: &Harness,
    token: &AccessToken,
    now: Timestamp,
) -> Result<VerifiedIdentity, VerifyError> {
    harness.verifier().verify(token, now).await
}

async fn is_rejected(harness: &Harness, token: &str) {
    let verified = verify(harness, &AccessToken::new(token), november(23)).await;
    assert!(matches!(verified, Err(VerifyError::Rejected { .. })), "{verified:?}");
}

async fn is_expired(harness: &Harness, token: &AccessToken, now: Timestamp) {
    let verified = verify(harness, token, now).await;
    assert!(matches!(verified, Err(VerifyError::Expired)), "{verified:?}");
}

async fn speaks_for(harness: &Harness, token: &AccessToken, now: Timestamp, identity: &VerifiedIdentity) {
    assert_eq!(&verify(harness, token, now).await.expect("the token is good"), identity);
}

async fn a_good_token_speaks_for_its_user(harness: Harness) {
    let awkward = identity(&email("o'hara#1+tag@sub.example.com"), november(24));
    for user in [identity(&minji(), november(24)), awkward] {
        let token = harness.issue(&user).await;
        speaks_for(&harness, &token, november(23), &user).await;
    }
}

async fn a_token_may_be_used_again(harness: Harness) {
    let user = identity(&minji(), november(24));
    let token = harness.issue(&user).await;
    speaks_for(&harness, &token, november(23), &user).await;
    speaks_for(&harness, &token, november(23).next(), &user).await;
}

async fn tokens_of_two_users_are_not_confused(harness: Harness) {
    let users = [minji(), junho()].map(|email| identity(&email, november(24)));
    let tokens = [harness.issue(&users[0]).await, harness.issue(&users[1]).await];
    speaks_for(&harness, &tokens[0], november(23), &users[0]).await;
    speaks_for(&harness, &tokens[1], november(23), &users[1]).await;
    speaks_for(&harness, &tokens[0], november(23), &users[0]).await;
}

async fn two_tokens_of_one_user_expire_each_at_its_time(harness: Harness) {
    let (early, late) = (identity(&minji(), november(23)), identity(&minji(), november(24)));
    let (early_token, late_token) = (harness.issue(&early).await, harness.issue(&late).await);
    speaks_for(&harness, &early_token, november(22), &early).await;
    speaks_for(&harness, &late_token, november(22), &late).await;
    is_expired(&harness, &early_token, november(23)).await;
    speaks_for(&harness, &late_token, november(23), &late).await;
}

async fn a_token_is_good_until_the_millisecond_before_it_expires(harness: Harness) {
    let user = identity(&minji(), november(24));
    let token = harness.issue(&user).await;
    speaks_for(&harness, &token, november(24).previous(), &user).await;
    is_expired(&harness, &token, november(24)).await;
}

/// A verifier may remember what it verified, but not for longer than the token is good.
async fn a_token_that_has_expired_once_stays_expired(harness: Harness) {
    let token = harness.issue(&identity(&minji(), november(24))).await;
    is_expired(&harness, &token, november(25)).await;
    is_expired(&harness, &token, november(26)).await;
}

async fn a_tampered_token_is_rejected(harness: Harness) {
    let token = harness.issue(&identity(&minji(), november(24))).await;
    let token = token.expose();
    for place in [0, token.len() / 3, token.len() / 2, token.len() * 2 / 3] {
        let other = if token[place..].starts_with('a') { "b" } else { "a" };
        let mut tampered = token.to_owned();
        tampered.replace_range(place..=place, other);
        is_rejected(&harness, &tampered).await;
    }
    is_rejected(&harness, &token[..token.len() / 2]).await;
}

/// Only what was good can expire.
async fn what_was_tampered_with_has_not_expired_but_is_rejected(harness: Harness) {
    let expired = harness.issue(&identity(&minji(), november(22))).await;
    is_expired(&harness, &expired, november(23)).await;
    let expired = expired.expose();
    let middle = expired.len() / 2;
    let other = if expired[middle..].starts_with('a') { "b" } else { "a" };
    is_rejected(&harness, &format!("{}{other}{}", &expired[..middle], &expired[middle + 1..])).await;
    is_rejected(&harness, &expired[..middle]).await;
}

async fn a_token_with_something_before_or_after_it_is_rejected(harness: Harness) {
    let token = harness.issue(&identity(&minji(), november(24))).await;
    let token = token.expose();
    for changed in
        [format!("{token}a"), format!("a{token}"), format!("{token}{token}"), format!("Bearer {token}")]
    {
        is_rejected(&harness, &changed).await;
    }
}

async fn what_was_never_issued_is_rejected(harness: Harness) {
    let long = "a".repeat(100_000);
    for token in
        ["", " ", ".", "..", "null", "minji@example.com", "eyJhbGciOiJub25lIn0.e30.", "토큰", "\0", &long]
    {
        is_rejected(&harness, token).await;
    }
}

async fn no_error_tells_the_token(harness: Harness) {
    let expired = harness.issue(&identity(&minji(), november(22))).await;
    for token in [expired, AccessToken::new("hunter2-hunter2-hunter2")] {
        let error = verify(&harness, &token, november(23)).await.expect_err("neither is good");
        let mut shown: Option<&dyn Error> = Some(&error);
        while let Some(error) = shown {
            let text = format!("{error} {error:?}");
            assert!(!text.contains(token.expose()), "the token is part of an error");
            shown = error.source();
        }
    }
}
