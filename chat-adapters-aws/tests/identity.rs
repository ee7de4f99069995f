//! The verifier keeps the contract of its port, before a stand-in for Cognito that has two pools, signs its tokens, and like
//! Cognito answers `GetUser` for any token that one of its pools has signed.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::config::http::HttpResponse;
use aws_sdk_cognitoidentityprovider::config::{BehaviorVersion, Builder, Region};
use aws_smithy_http_client::test_util::{NeverClient, infallible_client_fn};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chat_adapters_aws::{CognitoVerifier, REMEMBERED_FOR, RememberingVerifier};
use chat_domain::conformance::IdentityVerifierHarness;
use chat_domain::{AccessToken, IdentityVerifier, Timestamp, UserId, VerifiedIdentity, VerifyError};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rstest::rstest;
use serde_json::{Value, json};
use sha2::Sha256;

const OURS: &str = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Ours";
const FOREIGN: &str = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Foreign";
const CLIENT: &str = "3n4b5urk1ft4fl3mg5e62d9ado";

/// What a pool has been told since its tokens were issued.
#[derive(Default)]
struct Pools {
    users: HashMap<String, Value>,
    revoked: HashSet<String>,
    expired: HashSet<String>,
    calls: usize,
    outage: Option<(u16, &'static str)>,
}

#[derive(Clone, Default)]
struct Cognito(Arc<Mutex<Pools>>);

fn key(issuer: &str) -> Hmac<Sha256> {
    Hmac::new_from_slice(format!("the secret of {issuer}").as_bytes()).unwrap()
}

fn sign(issuer: &str, claims: &Value) -> AccessToken {
    let encode = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(part);
    let header = json!({ "alg": "HS256", "kid": "one" }).to_string();
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims.to_string().as_bytes()));
    let signature = key(issuer).chain_update(&signed).finalize().into_bytes();
    AccessToken::new(format!("{signed}.{}", encode(&signature)))
}

/// The claims of a token that one of the two pools signed.
fn genuine_claims(token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
    let verifies = |issuer: &&str| key(issuer).chain_update(signed).verify_slice(&signature).is_ok();
    [OURS, FOREIGN].iter().find(|issuer| verifies(issuer))?;
    let (_, payload) = signed.split_once('.')?;
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

impl Cognito {
    fn pools(&self) -> std::sync::MutexGuard<'_, Pools> {
        self.0.lock().unwrap()
    }

    /// A user's attributes.
    fn sign_up(&self, user_id: &str, attributes: Value) {
        self.pools().users.insert(user_id.to_owned(), attributes);
    }

    fn sign_up_with(&self, identity: &VerifiedIdentity) {
        let attributes = json!({ "email": identity.email().as_str(), "email_verified": "true" });
        self.sign_up(identity.user_id().as_str(), attributes);
    }

    fn get_user(&self, token: &str) -> (u16, Value) {
        let mut pools = self.pools();
        pools.calls += 1;
        let refusal = |code: &str, message: &str| (400, json!({ "__type": code, "message": message }));
        if let Some((status, code)) = pools.outage {
            return (status, json!({ "__type": code, "message": "not now" }));
        }
        let Some(claims) = genuine_claims(token) else {
            return refusal("NotAuthorizedException", "Invalid Access Token");
        };
        if pools.revoked.contains(token) {
            return refusal("NotAuthorizedException", "Access Token has been revoked");
        }
        if pools.expired.contains(token) {
            return refusal("NotAuthorizedException", "Access Token has expired");
        }
        let user_id = claims["sub"].as_str().unwrap();
        let Some(user) = pools.users.get(user_id) else {
            return refusal("UserNotFoundException", "User does not exist.");
        };
        let mut attributes = vec![json!({ "Name": "sub", "Value": user_id })];
        let others = user.as_object().unwrap().iter();
        attributes.extend(others.map(|(name, value)| json!({ "Name": name, "Value": value })));
        (200, json!({ "Username": user_id, "UserAttributes": attributes }))
    }

    fn verifier(&self) -> CognitoVerifier {
        let cognito = self.clone();
        let wire = infallible_client_fn(move |request| {
            let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let (status, answer) = cognito.get_user(body["AccessToken"].as_str().unwrap());
            let response = HttpResponse::new(status.try_into().unwrap(), answer.to_string().into());
            response.try_into_http1x().unwrap()
        });
        CognitoVerifier::new(config().http_client(wire), OURS, ["another of our clients", CLIENT])
    }
}

fn config() -> Builder {
    Builder::new().behavior_version(BehaviorVersion::latest()).region(Region::from_static("ap-northeast-2"))
}

fn nine() -> Timestamp {
    "2026-11-23T09:00:00.000Z".parse().unwrap()
}

fn ten() -> Timestamp {
    "2026-11-23T10:00:00.000Z".parse().unwrap()
}

fn minji() -> VerifiedIdentity {
    VerifiedIdentity::vouched("minji@example.com".parse().unwrap(), UserId::new("minji"), ten())
}

fn claims(identity: &VerifiedIdentity) -> Value {
    json!({
        "iss": OURS,
        "client_id": CLIENT,
        "token_use": "access",
        "sub": identity.user_id().as_str(),
        "exp": identity.expires_at().unix_ms() / 1_000,
        "jti": identity.expires_at().to_string(),
        "scope": "aws.cognito.signin.user.admin",
    })
}

/// Minji's claims with one of them changed, or left out.
fn claims_but(name: &str, value: Value) -> Value {
    let mut claims = claims(&minji());
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

/// Cognito, and Minji signed up with it.
fn with_minji() -> Cognito {
    let cognito = Cognito::default();
    cognito.sign_up_with(&minji());
    cognito
}

fn assert_rejected(outcome: &Result<VerifiedIdentity, VerifyError>, why: &str) {
    assert!(matches!(outcome, Err(VerifyError::Rejected { reason }) if *reason == why), "{outcome:?}");
}

struct SignIn<V> {
    cognito: Cognito,
    verifier: V,
}

#[async_trait]
impl<V: IdentityVerifier> IdentityVerifierHarness for SignIn<V> {
    fn verifier(&self) -> &dyn IdentityVerifier {
        &self.verifier
    }

    async fn issue(&self, identity: &VerifiedIdentity) -> AccessToken {
        self.cognito.sign_up_with(identity);
        sign(OURS, &claims(identity))
    }
}

mod conformance {
    use super::*;

    async fn fresh() -> SignIn<CognitoVerifier> {
        let cognito = Cognito::default();
        SignIn { verifier: cognito.verifier(), cognito }
    }

    chat_domain::identity_verifier_conformance!(fresh);
}

mod conformance_with_a_memory {
    use super::*;

    async fn fresh() -> SignIn<RememberingVerifier<CognitoVerifier>> {
        let cognito = Cognito::default();
        SignIn { verifier: RememberingVerifier::new(cognito.verifier()), cognito }
    }

    chat_domain::identity_verifier_conformance!(fresh);
}

/// Cognito answers for it, since it is genuine.
#[tokio::test]
async fn a_token_of_a_foreign_pool_is_rejected_without_asking() {
    let cognito = with_minji();
    let token = sign(FOREIGN, &claims_but("iss", json!(FOREIGN)));
    assert_eq!(cognito.get_user(token.expose()).0, 200);
    assert_rejected(&cognito.verifier().verify(&token, nine()).await, "another pool issued it");
    assert_eq!(cognito.pools().calls, 1, "the test's own");
}

/// The only token that claims to be ours and is genuine is ours.
#[tokio::test]
async fn a_token_that_claims_to_be_ours_and_is_not_is_rejected() {
    let cognito = with_minji();
    let token = sign("https://example.com", &claims(&minji()));
    assert_rejected(&cognito.verifier().verify(&token, nine()).await, "Cognito does not accept it");
}

#[rstest]
#[case::another_client("client_id", json!("somebody-elses"), "it was issued for another client")]
#[case::an_identity_token("token_use", json!("id"), "it is no access token")]
#[case::the_end_of_time("exp", json!(i64::MAX), "it expires at no time")]
#[case::an_issuer_that_is_almost_ours("iss", json!(format!("{OURS}2")), "another pool issued it")]
#[case::no_issuer("iss", Value::Null, "it has not the shape of a token")]
#[case::no_client("client_id", Value::Null, "it has not the shape of a token")]
#[case::no_use("token_use", Value::Null, "it has not the shape of a token")]
#[case::no_user("sub", Value::Null, "it has not the shape of a token")]
#[case::no_expiry("exp", Value::Null, "it has not the shape of a token")]
#[case::an_expiry_that_is_text("exp", json!("tomorrow"), "it has not the shape of a token")]
#[tokio::test]
async fn every_claim_is_checked_before_cognito_is_asked(
    #[case] name: &str,
    #[case] value: Value,
    #[case] why: &str,
) {
    let cognito = with_minji();
    let token = sign(OURS, &claims_but(name, value));
    assert_rejected(&cognito.verifier().verify(&token, nine()).await, why);
    assert_eq!(cognito.pools().calls, 0);
}

#[rstest]
#[case::not_verified(json!({ "email": "minji@example.com", "email_verified": "false" }), "its user's address is not verified")]
#[case::never_verified(json!({ "email": "minji@example.com" }), "its user's address is not verified")]
#[case::no_address(json!({ "email_verified": "true" }), "its user has no address")]
#[case::no_such_address(json!({ "email": "minji", "email_verified": "true" }), "its user has no address")]
#[tokio::test]
async fn the_address_has_to_be_verified(#[case] attributes: Value, #[case] why: &str) {
    let cognito = Cognito::default();
    cognito.sign_up("minji", attributes);
    assert_rejected(&cognito.verifier().verify(&sign(OURS, &claims(&minji())), nine()).await, why);
}

#[tokio::test]
async fn a_revoked_token_is_rejected() {
    let (cognito, token) = (with_minji(), sign(OURS, &claims(&minji())));
    cognito.pools().revoked.insert(token.expose().to_owned());
    assert_rejected(&cognito.verifier().verify(&token, nine()).await, "Cognito does not accept it");
}

#[tokio::test]
async fn a_token_of_a_user_who_is_gone_is_rejected() {
    let cognito = Cognito::default();
    assert_rejected(
        &cognito.verifier().verify(&sign(OURS, &claims(&minji())), nine()).await,
        "its user is gone",
    );
}

/// Cognito's clock may be ahead of ours.
#[tokio::test]
async fn a_token_that_cognito_finds_expired_has_expired() {
    let (cognito, token) = (with_minji(), sign(OURS, &claims(&minji())));
    cognito.pools().expired.insert(token.expose().to_owned());
    let outcome = cognito.verifier().verify(&token, nine()).await;
    assert!(matches!(outcome, Err(VerifyError::Expired)), "{outcome:?}");
}

#[rstest]
#[case::too_many(400, "TooManyRequestsException", 3)]
#[case::internal(500, "InternalErrorException", 3)]
#[case::no_such_pool(400, "ResourceNotFoundException", 1)]
#[case::a_firewall(400, "ForbiddenException", 1)]
#[tokio::test(start_paused = true)]
async fn an_outage_is_unavailable_and_lets_nobody_in(
    #[case] status: u16,
    #[case] code: &'static str,
    #[case] attempts: usize,
) {
    let (cognito, token) = (with_minji(), sign(OURS, &claims(&minji())));
    cognito.pools().outage = Some((status, code));
    let outcome = cognito.verifier().verify(&token, nine()).await;
    assert!(matches!(&outcome, Err(VerifyError::Unavailable { .. })), "{outcome:?}");
    assert!(!format!("{outcome:?}").contains(token.expose()));
    assert_eq!(cognito.pools().calls, attempts);
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_unavailable_within_seven_seconds() {
    let verifier = CognitoVerifier::new(config().http_client(NeverClient::new()), OURS, [CLIENT]);
    let began = tokio::time::Instant::now();
    let outcome = verifier.verify(&sign(OURS, &claims(&minji())), nine()).await;
    assert!(matches!(outcome, Err(VerifyError::Unavailable { .. })), "{outcome:?}");
    assert!(began.elapsed() <= Duration::from_millis(7_001), "{:?}", began.elapsed());
}

mod memory {
    use super::*;

    #[tokio::test]
    async fn an_accepted_token_is_asked_for_once_a_minute() {
        let (cognito, token) = (with_minji(), sign(OURS, &claims(&minji())));
        let verifier = RememberingVerifier::new(cognito.verifier());
        let minute = nine().after(REMEMBERED_FOR);
        for (now, calls) in
            [(nine(), 1), (nine().next(), 1), (minute.previous(), 1), (minute, 2), (minute.next(), 2)]
        {
            assert_eq!(verifier.verify(&token, now).await.unwrap(), minji());
            assert_eq!(cognito.pools().calls, calls, "at {now}");
        }
    }

    #[tokio::test]
    async fn a_revoked_token_is_accepted_for_a_minute_at_most() {
        let (cognito, token) = (with_minji(), sign(OURS, &claims(&minji())));
        let verifier = RememberingVerifier::new(cognito.verifier());
        verifier.verify(&token, nine()).await.unwrap();
        cognito.pools().revoked.insert(token.expose().to_owned());
        let outcome = verifier.verify(&token, nine().after(REMEMBERED_FOR)).await;
        assert_rejected(&outcome, "Cognito does not accept it");
    }

    #[tokio::test]
    async fn a_token_is_not_remembered_past_its_expiry() {
        let (cognito, token) = (with_minji(), sign(OURS, &claims(&minji())));
        let verifier = RememberingVerifier::new(cognito.verifier());
        verifier.verify(&token, ten().previous()).await.unwrap();
        let outcome = verifier.verify(&token, ten()).await;
        assert!(matches!(outcome, Err(VerifyError::Expired)), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_clock_that_went_back_asks_again() {
        let (cognito, token) = (with_minji(), sign(OURS, &claims(&minji())));
        let verifier = RememberingVerifier::new(cognito.verifier());
        verifier.verify(&token, nine()).await.unwrap();
        verifier.verify(&token, nine().previous()).await.unwrap();
        assert_eq!(cognito.pools().calls, 2);
    }

    #[tokio::test]
    async fn what_was_refused_is_not_remembered() {
        let (cognito, token) = (Cognito::default(), sign(OURS, &claims(&minji())));
        let verifier = RememberingVerifier::new(cognito.verifier());
        verifier.verify(&token, nine()).await.unwrap_err();
        cognito.sign_up_with(&minji());
        assert_eq!(verifier.verify(&token, nine()).await.unwrap(), minji());
    }
}
