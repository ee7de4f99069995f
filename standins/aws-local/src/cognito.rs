use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use axum::Router;
use axum::body::Bytes;
use axum::response::IntoResponse as _;
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{StatusCode, Uri, header};
use serde_json::{Value, json};

use crate::wire::{self, Answer, JsonService};

const TARGET_PREFIX: &str = "AWSCognitoIdentityProviderService.";
const NOT_POISONED: &str = "nothing panics while it holds the lock";

/// What `GetUser` needs a token to be good for.
const SCOPE: &str = "aws.cognito.signin.user.admin";

/// Cognito in one region: user pools, `GetUser`, and the keys that verify tokens. Cheap to clone.
///
/// Like the real one, `GetUser` answers for an access token of *any* of its pools, issued for any client.
#[derive(Clone)]
pub struct Cognito {
    pools: Arc<Mutex<Vec<UserPool>>>,
    clock: fn() -> SystemTime,
}

/// A user pool: users, and a key of its own that signs their tokens. Cheap to clone.
#[derive(Clone)]
pub struct UserPool {
    state: Arc<PoolState>,
}

struct PoolState {
    issuer: String,
    key_id: String,
    key: KeyPair,
    clock: fn() -> SystemTime,
    users: Mutex<HashMap<String, Vec<(String, String)>>>,
    revoked: Mutex<HashSet<String>>,
}

fn unix_seconds(clock: fn() -> SystemTime) -> u64 {
    clock().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl Cognito {
    /// Cognito without pools. `clock` decides when a token has expired.
    #[must_use]
    pub fn new(clock: fn() -> SystemTime) -> Self {
        Self { pools: Arc::default(), clock }
    }

    /// Makes a pool, whose tokens say that they come from `issuer`:
    /// `https://cognito-idp.<region>.amazonaws.com/<pool id>`.
    #[must_use]
    pub fn create_pool(&self, issuer: impl Into<String>) -> UserPool {
        let key = KeyPair::generate(KeySize::Rsa2048).expect("a key of a common length can be made");
        let issuer = issuer.into();
        let key_id = format!("key of {issuer}");
        let state = PoolState {
            issuer,
            key_id,
            key,
            clock: self.clock,
            users: Mutex::default(),
            revoked: Mutex::default(),
        };
        let pool = UserPool { state: Arc::new(state) };
        self.pools().push(pool.clone());
        pool
    }

    /// For the `http_client` of an SDK in this process.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        wire::http_client(Arc::new(self.clone()))
    }

    /// For everybody else: answers `POST /`, and `GET /<pool id>/.well-known/jwks.json`.
    pub fn router(&self) -> Router {
        let cognito = self.clone();
        let keys = async move |uri: Uri| match cognito.keys(uri.path()) {
            Some(keys) => ([(header::CONTENT_TYPE, "application/json")], keys).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
        wire::router(Arc::new(self.clone())).route("/{pool}/.well-known/jwks.json", get(keys))
    }

    /// The public keys of a pool as a document, by its path: `/<pool id>/.well-known/jwks.json`.
    #[must_use]
    pub fn keys(&self, path: &str) -> Option<String> {
        let pool_id = path.strip_prefix('/')?.strip_suffix("/.well-known/jwks.json")?;
        let pools = self.pools();
        let pool = pools.iter().find(|pool| pool.state.issuer.rsplit('/').next() == Some(pool_id))?;
        Some(json!({ "keys": [pool.public_key()] }).to_string())
    }

    /// The answer to a request, as status and JSON: for tests that put something between an SDK and this.
    pub async fn call(&self, operation: &str, body: Bytes) -> (u16, String) {
        let Answer { status, json } = self.answer(&format!("{TARGET_PREFIX}{operation}"), body).await;
        (status.as_u16(), json)
    }

    fn pools(&self) -> MutexGuard<'_, Vec<UserPool>> {
        self.pools.lock().expect(NOT_POISONED)
    }

    fn get_user(&self, token: &str) -> Result<Value, Answer> {
        let refused = |message| Answer::refusal("NotAuthorizedException", message);
        let signed = self.pools().iter().find_map(|pool| Some((pool.clone(), pool.claims(token)?)));
        let (pool, claims) = signed.ok_or_else(|| refused("Invalid Access Token"))?;
        if claims["token_use"] != "access" {
            return Err(refused("Invalid Access Token"));
        }
        let scopes = claims["scope"].as_str().unwrap_or_default();
        if !scopes.split(' ').any(|scope| scope == SCOPE) {
            return Err(refused("Access Token does not have required scopes"));
        }
        let now = unix_seconds(self.clock);
        if claims["exp"].as_u64().is_none_or(|expiry| expiry <= now) {
            return Err(refused("Access Token has expired"));
        }
        if pool.state.revoked.lock().expect(NOT_POISONED).contains(token) {
            return Err(refused("Access Token has been revoked"));
        }
        let user = claims["sub"].as_str().unwrap_or_default();
        let users = pool.state.users.lock().expect(NOT_POISONED);
        let attributes = users
            .get(user)
            .ok_or_else(|| Answer::refusal("UserNotFoundException", "User does not exist."))?;
        let attributes: Vec<Value> = [("sub", user)]
            .into_iter()
            .chain(attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            .map(|(name, value)| json!({ "Name": name, "Value": value }))
            .collect();
        Ok(json!({ "Username": user, "UserAttributes": attributes }))
    }
}

impl UserPool {
    /// Adds a user, or gives a user other attributes: `email` and `email_verified`, for example.
    pub fn sign_up(&self, sub: &str, attributes: &[(&str, &str)]) {
        let attributes =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.state.users.lock().expect(NOT_POISONED).insert(sub.to_owned(), attributes);
    }

    /// Deletes a user. Tokens that were issued stay signed.
    pub fn delete(&self, sub: &str) {
        self.state.users.lock().expect(NOT_POISONED).remove(sub);
    }

    /// Issues an access token for a user, as a sign-in with the app client `client_id` does. `expires_at` is
    /// in seconds since 1970.
    #[must_use]
    pub fn access_token(&self, sub: &str, client_id: &str, expires_at: i64) -> String {
        self.sign(&json!({
            "sub": sub,
            "iss": self.state.issuer,
            "client_id": client_id,
            "token_use": "access",
            "scope": SCOPE,
            "iat": unix_seconds(self.state.clock),
            "exp": expires_at,
            "username": sub,
        }))
    }

    /// Signs whatever claims there are, with the pool's key.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_as(&json!({ "kid": self.state.key_id, "alg": "RS256" }), claims)
    }

    /// Signs whatever claims there are with the pool's key, below a header that may say something else.
    #[must_use]
    pub fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let [header, payload] = [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{payload}");
        let mut signature = vec![0; self.state.key.public_modulus_len()];
        self.state
            .key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .expect("the buffer has the key's length");
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// The name of the key, as the headers of tokens have it.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.state.key_id
    }

    /// As RFC 7517 writes it.
    fn public_key(&self) -> Value {
        let key = self.state.key.public_key();
        let [n, e] = [key.modulus(), key.exponent()]
            .map(|number| BASE64_URL_SAFE_NO_PAD.encode(number.big_endian_without_leading_zero()));
        json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.state.key_id, "n": n, "e": e })
    }

    /// Revokes a token: it stays signed, and `GetUser` refuses it.
    pub fn revoke(&self, token: &str) {
        self.state.revoked.lock().expect(NOT_POISONED).insert(token.to_owned());
    }

    /// The claims of a token that this pool has signed.
    fn claims(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let public_key = self.state.key.public_key().as_der().ok()?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key.as_ref())
            .verify(signed.as_bytes(), &signature)
            .ok()?;
        let (_, payload) = signed.split_once('.')?;
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

#[async_trait]
impl JsonService for Cognito {
    fn document(&self, path: &str) -> Option<String> {
        self.keys(path)
    }

    async fn answer(&self, target: &str, body: Bytes) -> Answer {
        if target.strip_prefix(TARGET_PREFIX) != Some("GetUser") {
            return Answer::refusal("UnknownOperationException", "only GetUser is served here");
        }
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        match self.get_user(request["AccessToken"].as_str().unwrap_or_default()) {
            Ok(user) => Answer { status: StatusCode::OK, json: user.to_string() },
            Err(refusal) => refusal,
        }
    }
}

impl std::fmt::Debug for Cognito {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cognito").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for UserPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserPool").field("issuer", &self.state.issuer).finish_non_exhaustive()
    }
}
