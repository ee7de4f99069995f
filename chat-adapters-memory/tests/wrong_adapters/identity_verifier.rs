use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chat_domain::conformance::identity_verifier;
use chat_domain::testing::{
    DecoratedIdentityVerifier, IdentityVerifierCall as Call, IdentityVerifierReply as Reply, Outcome,
    Port as _, answer,
};
use chat_domain::{AccessToken, IdentityVerifier, Timestamp, UserId, VerifiedIdentity, VerifyError};

use crate::harness::Issuer;

type Verified = Result<VerifiedIdentity, VerifyError>;

crate::caught! {
    identity_verifier::checks();

    everybody_is_minji => a_good_token_speaks_for_its_user, tokens_of_two_users_are_not_confused;
    a_token_is_good_once => a_token_may_be_used_again;
    the_last_user_is_remembered => tokens_of_two_users_are_not_confused;
    a_token_is_good_at_the_instant_it_expires => a_token_is_good_until_the_millisecond_before_it_expires;
    an_expired_token_is_good_the_second_time => a_token_that_has_expired_once_stays_expired;
    the_first_character_does_not_count => a_tampered_token_is_rejected;
    what_stands_around_a_token_does_not_count => a_token_with_something_before_or_after_it_is_rejected;
    who_has_no_token_is_somebody => what_was_never_issued_is_rejected;
    an_error_repeats_the_token => no_error_tells_the_token;
    whatever_is_rejected_has_expired => what_was_tampered_with_has_not_expired_but_is_rejected;
    a_user_has_one_expiry => two_tokens_of_one_user_expire_each_at_its_time;
}

/// The issuer of a verifier whose calls go this way.
fn wrong(
    decorate: impl for<'a> Fn(Call<'a>, &'a Arc<dyn IdentityVerifier>) -> Outcome<'a, dyn IdentityVerifier>
    + Send
    + Sync
    + 'static,
) -> Issuer {
    Issuer::over(|next| Arc::new(DecoratedIdentityVerifier::new(next, decorate)))
}

/// What is verified is changed.
fn verifying(
    change: impl Fn(&AccessToken, Timestamp, Verified) -> Verified + Send + Sync + 'static,
) -> Issuer {
    let change = Arc::new(change);
    wrong(move |call, next| {
        let change = change.clone();
        Box::pin(async move {
            let Call::Verify { token, now } = call;
            change(&token, now, next.verify(&token, now).await).map(Reply::Verify)
        })
    })
}

fn minji(expires_at: Timestamp) -> VerifiedIdentity {
    let email = "minji@example.com".parse().expect("an address");
    VerifiedIdentity::vouched(email, UserId::new("minji"), expires_at)
}

fn everybody_is_minji() -> Issuer {
    verifying(|_, _, verified| verified.map(|identity| minji(identity.expires_at())))
}

fn a_token_is_good_once() -> Issuer {
    let used = Mutex::new(Vec::new());
    verifying(move |token, _, verified| {
        let mut used = used.lock().unwrap();
        if used.contains(&token.expose().to_owned()) {
            return Err(VerifyError::Rejected { reason: "it was used" });
        }
        used.push(token.expose().to_owned());
        verified
    })
}

fn the_last_user_is_remembered() -> Issuer {
    let last = Mutex::new(None);
    verifying(move |_, _, verified| Ok(last.lock().unwrap().get_or_insert(verified?).clone()))
}

fn a_token_is_good_at_the_instant_it_expires() -> Issuer {
    wrong(|call, next| {
        let Call::Verify { token, now } = call;
        next.call(Call::Verify { token, now: now.previous() })
    })
}

fn an_expired_token_is_good_the_second_time() -> Issuer {
    let expired = Mutex::new(Vec::new());
    verifying(move |token, now, verified| {
        let mut expired = expired.lock().unwrap();
        if expired.contains(&token.expose().to_owned()) {
            return Ok(minji(now.next()));
        }
        if matches!(verified, Err(VerifyError::Expired)) {
            expired.push(token.expose().to_owned());
        }
        verified
    })
}

fn the_first_character_does_not_count() -> Issuer {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Verify { token, now } = call;
            let Some(rest) = token.expose().get(1..) else {
                return next.verify(&token, now).await.map(Reply::Verify);
            };
            for digit in "0123456789abcdef".chars() {
                let similar = AccessToken::new(format!("{digit}{rest}"));
                if let Ok(identity) = next.verify(&similar, now).await {
                    return Ok(Reply::Verify(identity));
                }
            }
            next.verify(&token, now).await.map(Reply::Verify)
        })
    })
}

fn what_stands_around_a_token_does_not_count() -> Issuer {
    wrong(|call, next| {
        let Call::Verify { token, now } = call;
        let token = AccessToken::new(token.expose().trim_start_matches("Bearer ").to_owned());
        next.call(Call::Verify { token: Cow::Owned(token), now })
    })
}

fn who_has_no_token_is_somebody() -> Issuer {
    wrong(|call, next| match &call {
        Call::Verify { token, now } if token.expose().is_empty() => {
            answer(Ok(Reply::Verify(minji(now.next()))))
        }
        _ => next.call(call),
    })
}

fn an_error_repeats_the_token() -> Issuer {
    verifying(|token, _, verified| {
        verified.map_err(|_| VerifyError::Unavailable { source: token.expose().into() })
    })
}

fn whatever_is_rejected_has_expired() -> Issuer {
    verifying(|token, _, verified| match verified {
        Err(VerifyError::Rejected { .. }) if token.expose().len() == 32 => Err(VerifyError::Expired),
        verified => verified,
    })
}

fn a_user_has_one_expiry() -> Issuer {
    let expiries = Mutex::new(HashMap::new());
    verifying(move |_, now, verified| {
        let identity = verified?;
        let mut expiries = expiries.lock().unwrap();
        let expires_at = *expiries.entry(identity.email().clone()).or_insert(identity.expires_at());
        if expires_at <= now {
            return Err(VerifyError::Expired);
        }
        Ok(VerifiedIdentity::vouched(identity.email().clone(), identity.user_id().clone(), expires_at))
    })
}
