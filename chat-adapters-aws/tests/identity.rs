//! The verifier keeps the contract of its port, before a stand-in for Cognito that has two pools, signs its
//! tokens, and like Cognito answers `GetUser` for any token that one of its pools has signed.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_local::UserPool;
use aws_sdk_cognitoidentityprovider::config::{BehaviorVersion, Builder, Region};
use aws_smithy_http_client::test_util::NeverClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use chat_adapters_aws::{CognitoVerifier, REMEMBERED_FOR, RememberingVerifier};
use chat_domain::conformance::IdentityVerifierHarness;
use chat_domain::{AccessToken, IdentityVerifier, Timestamp, UserId, VerifiedIdentity, VerifyError};
use rstest::rstest;
use serde_json::{Value, json};

const OURS: &str = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Ours";
const FOREIGN: &str = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Foreign";
const CLIENT: &str = "3n4b5urk1ft4fl3mg5e62d9ado";

/// Cognito with our pool, behind a wire that counts calls and may be cut.
struct Cognito {
    service: aws_local::Cognito,
    pool: UserPool,
    wire: Wire,
}

impl Default for Cognito {
    fn default() -> Self {
        /// Before everything that a token expires at.
        fn early() -> SystemTime {
            UNIX_EPOCH
        }
        Self::with_clock(early)
    }
}

impl Cognito {
    fn with_clock(clock: fn() -> SystemTime) -> Self {
        let service = aws_local::Cognito::new(clock);
        let pool = service.create_pool(OURS);
        let wire = Wire { to: service.http_client(), state: Arc::default() };
        Self { service, pool, wire }
    }

    fn sign(&self, claims: &Value) -> AccessToken {
        AccessToken::new(self.pool.sign(claims))
    }

    fn sign_up_with(&self, identity: &VerifiedIdentity) {
        sign_up(&self.pool, identity);
    }

    fn calls(&self) -> usize {
        self.wire.state().calls
    }

    fn breaks(&self, status: u16, code: &'static str) {
        self.wire.state().outage = Some((status, code));
    }

    fn verifier(&self) -> CognitoVerifier {
        self.verifier_of(OURS)
    }

    fn verifier_of(&self, issuer: &str) -> CognitoVerifier {
        let config = config().http_client(self.wire.clone());
        CognitoVerifier::new(config, issuer, ["another of our clients", CLIENT])
    }
}

fn sign_up(pool: &UserPool, identity: &VerifiedIdentity) {
    let attributes = [("email", identity.email().as_str()), ("email_verified", "true")];
    pool.sign_up(identity.user_id().as_str(), &attributes);
}

#[derive(Clone, Debug)]
struct Wire {
    to: SharedHttpClient,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    calls: usize,
    outage: Option<(u16, &'static str)>,
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let to = self.to.http_connector(settings, components);
        SharedHttpConnector::new(Connector { to, wire: self.clone() })
    }
}

#[derive(Debug)]
struct Connector {
    to: SharedHttpConnector,
    wire: Wire,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut state = self.wire.state();
        state.calls += 1;
        match state.outage {
            None => self.to.call(request),
            Some((status, code)) => {
                let body = json!({ "__type": code, "message": "not now" }).to_string();
                let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
                HttpConnectorFuture::ready(Ok(response))
            }
        }
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
        self.cognito.sign(&claims(identity))
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

/// Cognito answers for it, since it is genuine: the verifier of that pool accepts it.
#[tokio::test]
async fn a_token_of_a_foreign_pool_is_rejected_without_asking() {
    let cognito = with_minji();
    let foreign = cognito.service.create_pool(FOREIGN);
    sign_up(&foreign, &minji());
    let token = AccessToken::new(foreign.sign(&claims_but("iss", json!(FOREIGN))));
    assert_eq!(cognito.verifier_of(FOREIGN).verify(&token, nine()).await.unwrap(), minji());
    assert_rejected(&cognito.verifier().verify(&token, nine()).await, "another pool issued it");
    assert_eq!(cognito.calls(), 1, "that of the pool's own verifier");
}

/// A foreign pool's key, and our name.
#[tokio::test]
async fn a_token_that_a_foreign_pool_signed_in_our_name_is_rejected() {
    let cognito = with_minji();
    let foreign = cognito.service.create_pool(FOREIGN);
    let token = AccessToken::new(foreign.sign(&claims(&minji())));
    assert_rejected(&cognito.verifier().verify(&token, nine()).await, "its user is gone");
}

/// The only token that claims to be ours and is genuine is ours.
#[tokio::test]
async fn a_token_that_claims_to_be_ours_and_is_not_is_rejected() {
    let cognito = with_minji();
    let stranger = aws_local::Cognito::new(|| UNIX_EPOCH).create_pool(OURS);
    let token = AccessToken::new(stranger.sign(&claims(&minji())));
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
    let token = cognito.sign(&claims_but(name, value));
    assert_rejected(&cognito.verifier().verify(&token, nine()).await, why);
    assert_eq!(cognito.calls(), 0);
}

#[rstest]
#[case::not_verified(
    &[("email", "minji@example.com"), ("email_verified", "false")],
    "its user's address is not verified"
)]
#[case::never_verified(&[("email", "minji@example.com")], "its user's address is not verified")]
#[case::no_address(&[("email_verified", "true")], "its user has no address")]
#[case::no_such_address(&[("email", "minji"), ("email_verified", "true")], "its user has no address")]
#[tokio::test]
async fn the_address_has_to_be_verified(#[case] attributes: &[(&str, &str)], #[case] why: &str) {
    let cognito = Cognito::default();
    cognito.pool.sign_up("minji", attributes);
    assert_rejected(&cognito.verifier().verify(&cognito.sign(&claims(&minji())), nine()).await, why);
}

#[tokio::test]
async fn a_revoked_token_is_rejected() {
    let cognito = with_minji();
    let token = cognito.sign(&claims(&minji()));
    cognito.pool.revoke(token.expose());
    assert_rejected(&cognito.verifier().verify(&token, nine()).await, "Cognito does not accept it");
}

#[tokio::test]
async fn a_token_of_a_user_who_is_gone_is_rejected() {
    let cognito = Cognito::default();
    assert_rejected(
        &cognito.verifier().verify(&cognito.sign(&claims(&minji())), nine()).await,
        "its user is gone",
    );
}

/// Cognito's clock may be ahead of ours.
#[tokio::test]
async fn a_token_that_cognito_finds_expired_has_expired() {
    let cognito = Cognito::with_clock(|| UNIX_EPOCH + Duration::from_millis(ten().unix_ms().unsigned_abs()));
    cognito.sign_up_with(&minji());
    let outcome = cognito.verifier().verify(&cognito.sign(&claims(&minji())), nine()).await;
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
    let cognito = with_minji();
    let token = cognito.sign(&claims(&minji()));
    cognito.breaks(status, code);
    let outcome = cognito.verifier().verify(&token, nine()).await;
    assert!(matches!(&outcome, Err(VerifyError::Unavailable { .. })), "{outcome:?}");
    assert!(!format!("{outcome:?}").contains(token.expose()));
    assert_eq!(cognito.calls(), attempts);
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_unavailable_within_seven_seconds() {
    let verifier = CognitoVerifier::new(config().http_client(NeverClient::new()), OURS, [CLIENT]);
    let began = tokio::time::Instant::now();
    let token = Cognito::default().sign(&claims(&minji()));
    let outcome = verifier.verify(&token, nine()).await;
    assert!(matches!(outcome, Err(VerifyError::Unavailable { .. })), "{outcome:?}");
    assert!(began.elapsed() <= Duration::from_millis(7_001), "{:?}", began.elapsed());
}

mod memory {
    use super::*;

    #[tokio::test]
    async fn an_accepted_token_is_asked_for_once_a_minute() {
        let cognito = with_minji();
        let token = cognito.sign(&claims(&minji()));
        let verifier = RememberingVerifier::new(cognito.verifier());
        let minute = nine().after(REMEMBERED_FOR);
        for (now, calls) in
            [(nine(), 1), (nine().next(), 1), (minute.previous(), 1), (minute, 2), (minute.next(), 2)]
        {
            assert_eq!(verifier.verify(&token, now).await.unwrap(), minji());
            assert_eq!(cognito.calls(), calls, "at {now}");
        }
    }

    #[tokio::test]
    async fn a_revoked_token_is_accepted_for_a_minute_at_most() {
        let cognito = with_minji();
        let token = cognito.sign(&claims(&minji()));
        let verifier = RememberingVerifier::new(cognito.verifier());
        verifier.verify(&token, nine()).await.unwrap();
        cognito.pool.revoke(token.expose());
        let outcome = verifier.verify(&token, nine().after(REMEMBERED_FOR)).await;
        assert_rejected(&outcome, "Cognito does not accept it");
    }

    #[tokio::test]
    async fn a_token_is_not_remembered_past_its_expiry() {
        let cognito = with_minji();
        let token = cognito.sign(&claims(&minji()));
        let verifier = RememberingVerifier::new(cognito.verifier());
        verifier.verify(&token, ten().previous()).await.unwrap();
        let outcome = verifier.verify(&token, ten()).await;
        assert!(matches!(outcome, Err(VerifyError::Expired)), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_clock_that_went_back_asks_again() {
        let cognito = with_minji();
        let token = cognito.sign(&claims(&minji()));
        let verifier = RememberingVerifier::new(cognito.verifier());
        verifier.verify(&token, nine()).await.unwrap();
        verifier.verify(&token, nine().previous()).await.unwrap();
        assert_eq!(cognito.calls(), 2);
    }

    #[tokio::test]
    async fn what_was_refused_is_not_remembered() {
        let cognito = Cognito::default();
        let token = cognito.sign(&claims(&minji()));
        let verifier = RememberingVerifier::new(cognito.verifier());
        verifier.verify(&token, nine()).await.unwrap_err();
        cognito.sign_up_with(&minji());
        assert_eq!(verifier.verify(&token, nine()).await.unwrap(), minji());
    }
}
