use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::config::{BehaviorVersion, SharedHttpClient};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::ser_de::DeserializeResponse;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use chat_domain::{BoxError, Timestamp};
use http_body_util::{BodyExt as _, Limited};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::calls;

/// How long fetching the keys may take, with the handshake. One attempt of any other call has as long.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// A pool has two keys of half a kilobyte each.
const DOCUMENT_MAX_BYTES: usize = 64 * 1024;
/// How long a key that is not in the document stays unknown without another look. Anybody can make a token
/// that names a new key, and so cause a look.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How long to wait after a fetch that failed. It is shorter, since nobody can be let in meanwhile.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The public keys of one user pool, from its `/.well-known/jwks.json`.
///
/// They are fetched when the first token comes, and again when a token names a key that was not among them,
/// at most once a minute. Clones share what was fetched.
///
/// ```no_run
/// use aws_sdk_cognitoidentityprovider::config::SharedHttpClient;
/// use chat_adapters_aws::PoolKeys;
///
/// fn keys(http: SharedHttpClient) -> PoolKeys {
///     PoolKeys::new(http, "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Example")
/// }
/// ```
#[derive(Clone)]
pub struct PoolKeys {
    issuer: String,
    fetch: Operation<(), SdkBody, Never>,
    known: Arc<RwLock<Arc<Keys>>>,
    looked: Arc<Mutex<Option<Look>>>,
}

type Keys = HashMap<String, DecodingKey>;

/// The last time that keys were fetched, or could not be.
#[derive(Clone, Copy)]
struct Look {
    at: Timestamp,
    succeeded: bool,
}

impl Look {
    /// Whether this fetch is too recent to repeat. If the clock has gone back, it is not.
    fn counts(self, now: Timestamp) -> bool {
        let for_so_long = if self.succeeded { LOOK_AGAIN_AFTER } else { TRY_AGAIN_AFTER };
        self.at <= now && now < self.at.after(for_so_long)
    }
}

/// Why no key of a name can be given.
#[derive(Debug)]
pub(crate) enum NoKey {
    /// The pool has no such key.
    Unknown,
    /// The pool's keys could not be fetched.
    Unavailable(BoxError),
}

/// The error of a body that cannot fail.
#[derive(Debug, thiserror::Error)]
enum Never {}

#[derive(Debug, thiserror::Error)]
#[error("the pool's keys could not be fetched a moment ago")]
struct FailedBefore;

impl PoolKeys {
    /// The keys of this issuer's pool (`https://cognito-idp.<region>.amazonaws.com/<pool>`), found there.
    #[must_use]
    pub fn new(http: SharedHttpClient, issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        Self::found(http, &issuer.clone(), issuer)
    }

    /// The same keys, found at a stand-in's endpoint, below the pool's name.
    #[must_use]
    pub fn at_endpoint(http: SharedHttpClient, issuer: impl Into<String>, endpoint: &str) -> Self {
        let issuer = issuer.into();
        let pool = issuer.rsplit('/').next().unwrap_or_default();
        Self::found(http, &format!("{}/{pool}", endpoint.trim_end_matches('/')), issuer)
    }

    fn found(http: SharedHttpClient, base: &str, issuer: String) -> Self {
        let fetch = Operation::builder()
            .service_name("Cognito")
            .operation_name("GetKeys")
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .endpoint_url(base)
            .no_auth()
            .no_retry()
            .timeout_config(calls::timeouts())
            .serializer(|()| Ok(HttpRequest::get("/.well-known/jwks.json")?))
            .deserializer_impl(OnlyTheBody)
            .build();
        Self { issuer, fetch, known: Arc::default(), looked: Arc::default() }
    }

    /// Who issues the tokens that these keys sign.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key of this name. Only a name that is not known yet leads to a request.
    pub(crate) async fn get(&self, id: &str, now: Timestamp) -> Result<DecodingKey, NoKey> {
        if let Some(key) = self.known().get(id) {
            return Ok(key.clone());
        }
        // One caller fetches at a time. Those who waited find what it has fetched.
        let mut looked = self.looked.lock().await;
        if let Some(key) = self.known().get(id) {
            return Ok(key.clone());
        }
        match *looked {
            Some(look) if look.counts(now) && look.succeeded => return Err(NoKey::Unknown),
            Some(look) if look.counts(now) => return Err(NoKey::Unavailable(FailedBefore.into())),
            _ => {}
        }
        // The look counts as failed until it has succeeded, so a caller who gives up leaves a failed one
        // behind.
        *looked = Some(Look { at: now, succeeded: false });
        let keys = self.fetch().await.map_err(NoKey::Unavailable)?;
        *looked = Some(Look { at: now, succeeded: true });
        let key = keys.get(id).cloned();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        key.ok_or(NoKey::Unknown)
    }

    fn known(&self) -> Arc<Keys> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn fetch(&self) -> Result<Keys, BoxError> {
        timeout(FETCH_TIMEOUT, async {
            let body = self.fetch.invoke(()).await?;
            let document = Limited::new(body, DOCUMENT_MAX_BYTES).collect().await?.to_bytes();
            Ok(keys_of(&document)?)
        })
        .await?
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

/// Which keys of the document sign tokens. The document may come to list keys for other uses, or of kinds
/// that this verifier does not know.
fn keys_of(document: &[u8]) -> serde_json::Result<Keys> {
    let document: Document = serde_json::from_slice(document)?;
    let keys = document.keys.into_iter().filter_map(|key| {
        let key: Jwk = serde_json::from_value(key).ok()?;
        let signs_tokens = matches!(key.algorithm, AlgorithmParameters::RSA(_))
            && matches!(key.common.key_algorithm, None | Some(KeyAlgorithm::RS256));
        let decoding = DecodingKey::from_jwk(&key).ok().filter(|_| signs_tokens)?;
        Some((key.common.key_id?, decoding))
    });
    Ok(keys.collect())
}

/// Hands on the body while it comes, so that its reader decides how much is read.
#[derive(Debug)]
struct OnlyTheBody;

impl DeserializeResponse for OnlyTheBody {
    fn deserialize_streaming_with_config(
        &self,
        response: &mut HttpResponse,
        _config: &ConfigBag,
    ) -> Option<Result<Output, OrchestratorError<Error>>> {
        response.status().is_success().then(|| Ok(Output::erase(response.take_body())))
    }

    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        Err(OrchestratorError::other(format!("it was answered with {}", response.status().as_u16())))
    }
}

impl fmt::Debug for PoolKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolKeys").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
