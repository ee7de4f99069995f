//! The verifier keeps the contract of its port, before a stand-in for Cognito that has two pools, signs its
//! tokens, publishes its keys, and like Cognito answers `GetUser` for any token that one of its pools has
//! signed.

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
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chat_adapters_aws::{CognitoVerifier, PoolKeys, REMEMBERED_FOR, RememberingVerifier};
use chat_domain::conformance::IdentityVerifierHarness;
use chat_domain::{AccessToken, IdentityVerifier, Timestamp, UserId, VerifiedIdentity, VerifyError};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rstest::rstest;
use serde_json::{Value, json};
use sha2::Sha256;

const OURS: &str = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Ours";
const FOREIGN: &str = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Foreign";
const CLIENT: &str = "3n4b5urk1ft4fl3mg5e62d9ado";

/// Cognito with our pool, behind a wire that counts calls and fetches of keys, and may be cut.
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

    fn fetches(&self) -> usize {
        self.wire.state().fetches
    }

    /// From now on keys come from this pool, or from none.
    fn publishes(&self, keys: Keys) {
        self.wire.state().keys = keys;
    }

    fn breaks(&self, status: u16, code: &'static str) {
        self.wire.state().outage = Some((status, code));
    }

    fn verifier(&self) -> CognitoVerifier {
        self.verifier_of(OURS)
    }

    fn verifier_of(&self, issuer: &str) -> CognitoVerifier {
        let config = config().http_client(self.wire.clone());
        let keys = PoolKeys::new(SharedHttpClient::new(self.wire.clone()), issuer);
        CognitoVerifier::new(config, keys, ["another of our clients", CLIENT])
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

/// What is answered when keys are asked for.
#[derive(Clone, Debug, Default)]
enum Keys {
    #[default]
    OfTheService,
    Document(String),
    Status(u16),
}

#[derive(Debug, Default)]
struct State {
    calls: usize,
    fetches: usize,
    keys: Keys,
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
        if request.method() == "GET" {
            state.fetches += 1;
            let (status, body) = match &state.keys {
                Keys::OfTheService => return self.to.call(request),
                Keys::Document(document) => (200, document.clone()),
                Keys::Status(status) => (*status, String::new()),
            };
            let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
            return HttpConnectorFuture::ready(Ok(response));
        }
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
        "iat": 1,
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
    assert_rejected(&cognito.verifier().verify(&token, nine()).await, NOT_SIGNED);
    assert_eq!(cognito.calls(), 1, "that of the pool's own verifier");
}

const NOT_SIGNED: &str = "no key of the pool has signed it";
const SIGNED_OTHERWISE: &str = "it is signed in another way than the pool signs";
const SHAPE: &str = "it has not the shape of a token";

fn encoded(part: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(part.to_string())
}

/// Signed with what everybody knows: the pool's public key, taken for a secret.
fn signed_with_the_public_key(cognito: &Cognito, header: &Value) -> String {
    let document: Value = serde_json::from_str(&cognito.service.keys(KEYS_PATH).unwrap()).unwrap();
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(document["keys"][0]["n"].as_str().unwrap()).unwrap();
    let signed = format!("{}.{}", encoded(header), encoded(&claims(&minji())));
    let mut mac = Hmac::<Sha256>::new_from_slice(&modulus).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

const KEYS_PATH: &str = "/ap-northeast-2_Ours/.well-known/jwks.json";

/// Each refused token costs no call of Cognito, and keys are fetched once at most, however many come.
#[tokio::test]
async fn a_forged_token_never_reaches_cognito() {
    let cognito = with_minji();
    let id = cognito.pool.key_id();
    let good = claims(&minji());
    let stranger = aws_local::Cognito::new(|| UNIX_EPOCH).create_pool(OURS);
    assert_eq!(stranger.key_id(), id, "another key, and the name of ours");
    let foreign = cognito.service.create_pool(FOREIGN);
    let genuine = cognito.pool.sign(&good);
    let (signed, _) = genuine.rsplit_once('.').unwrap();
    let (_, others_signature) =
        foreign.sign(&good).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let altered = format!(
        "{}.{}",
        encoded(&json!({ "kid": id, "alg": "RS256" })),
        encoded(&claims_but("sub", json!("junho")))
    );
    let (_, signature) = genuine.rsplit_once('.').unwrap();
    let none = format!("{}.{}.", encoded(&json!({ "kid": id, "alg": "none" })), encoded(&good));
    let tokens = [
        ("our key's name, another key", stranger.sign(&good), NOT_SIGNED),
        ("another pool's key, our name", foreign.sign(&good), NOT_SIGNED),
        (
            "a key of no pool",
            cognito.pool.sign_as(&json!({ "kid": "made up", "alg": "RS256" }), &good),
            NOT_SIGNED,
        ),
        ("another signature", format!("{signed}.{others_signature}"), NOT_SIGNED),
        ("other claims", format!("{altered}.{signature}"), NOT_SIGNED),
        ("no signature", format!("{signed}."), NOT_SIGNED),
        ("alg none", none, SHAPE),
        (
            "HS256",
            signed_with_the_public_key(&cognito, &json!({ "kid": id, "alg": "HS256" })),
            SIGNED_OTHERWISE,
        ),
        (
            "HS256 that says RS256",
            signed_with_the_public_key(&cognito, &json!({ "kid": id, "alg": "RS256" })),
            NOT_SIGNED,
        ),
        ("RS512", cognito.pool.sign_as(&json!({ "kid": id, "alg": "RS512" }), &good), SIGNED_OTHERWISE),
        (
            "an extension",
            cognito.pool.sign_as(&json!({ "kid": id, "alg": "RS256", "crit": ["b64"] }), &good),
            SIGNED_OTHERWISE,
        ),
        ("a key without a name", cognito.pool.sign_as(&json!({ "alg": "RS256" }), &good), SHAPE),
        ("too long", "a".repeat(8_193), SHAPE),
        ("no token", "nonsense".to_owned(), SHAPE),
    ];
    let verifier = cognito.verifier();
    for (what, token, why) in tokens {
        let outcome = verifier.verify(&AccessToken::new(token), nine()).await;
        assert!(
            matches!(&outcome, Err(VerifyError::Rejected { reason }) if *reason == why),
            "{what}: {outcome:?}"
        );
    }
    for number in 0..1_000 {
        let header = json!({ "kid": format!("key {number}"), "alg": "RS256" });
        let token = format!("{}.{}.AAAA", encoded(&header), encoded(&good));
        let outcome = verifier.verify(&AccessToken::new(token), nine().after(Duration::from_secs(59))).await;
        assert_rejected(&outcome, NOT_SIGNED);
    }
    assert_eq!((cognito.calls(), cognito.fetches()), (0, 1));
    assert_eq!(verifier.verify(&AccessToken::new(genuine), nine()).await.unwrap(), minji());
    assert_eq!((cognito.calls(), cognito.fetches()), (1, 1), "the keys are there already");
}

#[tokio::test]
async fn an_expired_token_never_reaches_cognito() {
    let cognito = with_minji();
    let token = cognito.sign(&claims(&minji()));
    let verifier = cognito.verifier();
    for late in [ten(), ten().after(Duration::from_secs(1))] {
        let outcome = verifier.verify(&token, late).await;
        assert!(matches!(outcome, Err(VerifyError::Expired)), "{outcome:?}");
    }
    assert_eq!(cognito.calls(), 0);
    assert_eq!(verifier.verify(&token, ten().previous()).await.unwrap(), minji());
}

#[tokio::test]
async fn a_token_of_the_future_never_reaches_cognito() {
    let cognito = with_minji();
    let verifier = cognito.verifier();
    let nine_exactly = nine().unix_ms() / 1_000;
    let issued = |at: i64| cognito.sign(&claims_but("iat", json!(at)));
    let outcome = verifier.verify(&issued(nine_exactly + 61), nine()).await;
    assert_rejected(&outcome, "it was issued in the future");
    assert_eq!(cognito.calls(), 0);
    assert_eq!(verifier.verify(&issued(nine_exactly + 60), nine()).await.unwrap(), minji());
}

/// Cognito may change the keys of a pool at any time.
#[tokio::test]
async fn a_new_key_is_found_within_a_minute_and_an_old_one_is_forgotten() {
    let cognito = with_minji();
    let verifier = cognito.verifier();
    let old = cognito.sign(&claims(&minji()));
    verifier.verify(&old, nine()).await.unwrap();
    let earlier = cognito.service.keys(KEYS_PATH).unwrap();
    cognito.publishes(Keys::Document(earlier.replace("key of", "new key of")));
    let header = json!({ "kid": format!("new {}", cognito.pool.key_id()), "alg": "RS256" });
    let new = AccessToken::new(cognito.pool.sign_as(&header, &claims(&minji())));

    let soon = nine().after(Duration::from_secs(60));
    assert_rejected(&verifier.verify(&new, soon.previous()).await, NOT_SIGNED);
    assert_eq!(cognito.fetches(), 1);
    assert_eq!(verifier.verify(&new, soon).await.unwrap(), minji());
    assert_rejected(&verifier.verify(&old, soon).await, NOT_SIGNED);
    assert_eq!(cognito.fetches(), 2);
}

#[rstest]
#[case::down(Keys::Status(500))]
#[case::elsewhere(Keys::Status(302))]
#[case::not_json(Keys::Document("<html>".to_owned()))]
#[case::too_large(Keys::Document(format!(r#"{{"keys":[],"more":"{}"}}"#, "a".repeat(64 * 1024))))]
#[tokio::test]
async fn without_keys_nobody_comes_in_and_keys_are_asked_for_once_a_second(#[case] keys: Keys) {
    let cognito = with_minji();
    let token = cognito.sign(&claims(&minji()));
    cognito.publishes(keys);
    let verifier = cognito.verifier();
    for _ in 0..10 {
        let outcome = verifier.verify(&token, nine()).await;
        assert!(matches!(outcome, Err(VerifyError::Unavailable { .. })), "{outcome:?}");
    }
    assert_eq!((cognito.calls(), cognito.fetches()), (0, 1));
    cognito.publishes(Keys::OfTheService);
    assert_eq!(verifier.verify(&token, nine().after(Duration::from_secs(1))).await.unwrap(), minji());
}

/// A secret among the keys would make `HS256` possible, and a key for something else is none for this.
#[tokio::test]
async fn only_keys_that_sign_tokens_are_taken() {
    let cognito = with_minji();
    let id = cognito.pool.key_id();
    cognito.publishes(Keys::Document(
        json!({ "keys": [
            { "kty": "oct", "kid": id, "k": "c2VjcmV0" },
            { "kty": "unheard of", "kid": "another" },
            "nonsense",
        ] })
        .to_string(),
    ));
    let outcome = cognito.verifier().verify(&cognito.sign(&claims(&minji())), nine()).await;
    assert_rejected(&outcome, NOT_SIGNED);
}

#[tokio::test]
async fn many_at_once_fetch_the_keys_once() {
    let cognito = with_minji();
    let token = cognito.sign(&claims(&minji()));
    let verifier = cognito.verifier();
    let all = (0..50).map(|_| verifier.verify(&token, nine()));
    for outcome in futures_util::future::join_all(all).await {
        assert_eq!(outcome.unwrap(), minji());
    }
    assert_eq!(cognito.fetches(), 1);
}

#[rstest]
#[case::another_client("client_id", json!("somebody-elses"), "it was issued for another client")]
#[case::an_identity_token("token_use", json!("id"), "it is no access token")]
#[case::issued_at_no_time("iat", json!(i64::MAX), "it was issued at no time")]
#[case::the_end_of_time("exp", json!(i64::MAX), "it expires at no time")]
#[case::an_issuer_that_is_almost_ours("iss", json!(format!("{OURS}2")), "another pool issued it")]
#[case::no_issuer("iss", Value::Null, "it has not the shape of a token")]
#[case::no_client("client_id", Value::Null, "it has not the shape of a token")]
#[case::no_use("token_use", Value::Null, "it has not the shape of a token")]
#[case::no_user("sub", Value::Null, "it has not the shape of a token")]
#[case::no_time_of_issue("iat", Value::Null, "it has not the shape of a token")]
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
    let cognito = with_minji();
    let keys = PoolKeys::new(SharedHttpClient::new(cognito.wire.clone()), OURS);
    let verifier = CognitoVerifier::new(config().http_client(NeverClient::new()), keys, [CLIENT]);
    let began = tokio::time::Instant::now();
    let token = cognito.sign(&claims(&minji()));
    let outcome = verifier.verify(&token, nine()).await;
    assert!(matches!(outcome, Err(VerifyError::Unavailable { .. })), "{outcome:?}");
    assert!(began.elapsed() <= Duration::from_millis(7_001), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn keys_that_do_not_come_are_unavailable_within_three_seconds() {
    let cognito = with_minji();
    let keys = PoolKeys::new(SharedHttpClient::new(NeverClient::new()), OURS);
    let verifier = CognitoVerifier::new(config().http_client(cognito.wire.clone()), keys, [CLIENT]);
    let began = tokio::time::Instant::now();
    let outcome = verifier.verify(&cognito.sign(&claims(&minji())), nine()).await;
    assert!(matches!(outcome, Err(VerifyError::Unavailable { .. })), "{outcome:?}");
    assert!(began.elapsed() <= Duration::from_millis(3_001), "{:?}", began.elapsed());
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
