use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::Builder;
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_cognitoidentityprovider::operation::get_user::{GetUserError, GetUserOutput};
use chat_domain::{AccessToken, Email, IdentityVerifier, Timestamp, UserId, VerifiedIdentity, VerifyError};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;

use crate::calls;
use crate::pool_keys::{NoKey, PoolKeys};

/// The longest token that is looked at. Cognito's have one to two kilobytes, more for members of many groups.
const TOKEN_MAX_BYTES: usize = 8_192;

/// How far Cognito's clock may be ahead of this machine's. Both are kept in time; what is further ahead was
/// not issued by Cognito, or this machine cannot say what has expired.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(60);

/// Verifies access tokens of one Cognito user pool: here first, and then by asking Cognito.
///
/// A token has to be signed by one of the pool's keys, for one of our clients, as an access token, and must
/// not have expired. That is decided here, so a token that somebody made up never reaches Cognito, whose
/// quota of `GetUser` the whole region shares. `GetUser` then knows which tokens were revoked, and the user's
/// address, which must be verified, since users can change theirs.
///
/// It asks at every call: put a [`RememberingVerifier`](crate::RememberingVerifier) before it.
///
/// ```no_run
/// use aws_sdk_cognitoidentityprovider::config::{Builder, SharedHttpClient};
/// use chat_adapters_aws::{CognitoVerifier, PoolKeys};
///
/// fn compose(sdk: Builder, http: SharedHttpClient) -> CognitoVerifier {
///     let issuer = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Example";
///     CognitoVerifier::new(sdk, PoolKeys::new(http, issuer), ["3n4b5urk1ft4fl3mg5e62d9ado"])
/// }
/// ```
#[derive(Clone)]
pub struct CognitoVerifier {
    client: Client,
    keys: PoolKeys,
    client_ids: Vec<String>,
}

/// What an access token of Cognito says.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    client_id: String,
    token_use: String,
    sub: String,
    iat: i64,
    exp: i64,
}

const fn rejected(reason: &'static str) -> VerifyError {
    VerifyError::Rejected { reason }
}

/// Why a token is refused that nobody at Cognito can have issued.
const SHAPE: VerifyError = rejected("it has not the shape of a token");

impl CognitoVerifier {
    /// A verifier for the pool of these keys and these app clients. The configuration brings the pool's
    /// region; timeouts and retries are set here.
    #[must_use]
    pub fn new(config: Builder, keys: PoolKeys, client_ids: impl IntoIterator<Item: Into<String>>) -> Self {
        let config = config.retry_config(calls::retries()).timeout_config(calls::timeouts());
        Self {
            client: Client::from_conf(config.build()),
            keys,
            client_ids: client_ids.into_iter().map(Into::into).collect(),
        }
    }

    /// The claims of a token that one of the pool's keys has signed, whatever they say.
    async fn signed_claims(&self, token: &str, now: Timestamp) -> Result<Claims, VerifyError> {
        if token.len() > TOKEN_MAX_BYTES {
            return Err(SHAPE);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| SHAPE)?;
        // The pool signs in no other way, and knows no extensions, so no key needs to be looked for.
        if header.alg != Algorithm::RS256 || header.crit.is_some() {
            return Err(rejected("it is signed in another way than the pool signs"));
        }
        let key_id = header.kid.ok_or(SHAPE)?;
        let key = self.keys.get(&key_id, now).await.map_err(|error| match error {
            NoKey::Unknown => rejected("no key of the pool has signed it"),
            NoKey::Unavailable(source) => VerifyError::Unavailable { source },
        })?;
        // The time is an input, and Cognito's access tokens have no audience but a client's id.
        let mut signature_only = Validation::new(Algorithm::RS256);
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        match jsonwebtoken::decode(token, &key, &signature_only) {
            Ok(signed) => Ok(signed.claims),
            Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {
                Err(rejected("no key of the pool has signed it"))
            }
            Err(_) => Err(SHAPE),
        }
    }

    /// When a token of these claims expires, if it is one of ours.
    fn check(&self, claims: &Claims, now: Timestamp) -> Result<Timestamp, VerifyError> {
        if claims.iss != self.keys.issuer() {
            return Err(rejected("another pool issued it"));
        }
        if !self.client_ids.contains(&claims.client_id) {
            return Err(rejected("it was issued for another client"));
        }
        if claims.token_use != "access" {
            return Err(rejected("it is no access token"));
        }
        let issued_at = instant(claims.iat).ok_or(rejected("it was issued at no time"))?;
        if issued_at > now.after(CLOCK_SKEW_MAX) {
            return Err(rejected("it was issued in the future"));
        }
        let expires_at = instant(claims.exp).ok_or(rejected("it expires at no time"))?;
        // This check is the last one, because `Expired` is said of tokens that were good before.
        if now >= expires_at { Err(VerifyError::Expired) } else { Ok(expires_at) }
    }
}

fn instant(unix_seconds: i64) -> Option<Timestamp> {
    unix_seconds.checked_mul(1_000).and_then(|ms| Timestamp::from_unix_ms(ms).ok())
}

/// What it means that Cognito did not answer with a user. Its own words may repeat the token: they are not
/// passed on.
fn not_verified(error: SdkError<GetUserError>) -> VerifyError {
    match error.as_service_error() {
        // Cognito's clock may be ahead. Only the message tells; revoked tokens have the same code.
        Some(GetUserError::NotAuthorizedException(_))
            if error.message().is_some_and(|message| message.contains("expired")) =>
        {
            VerifyError::Expired
        }
        Some(GetUserError::NotAuthorizedException(_) | GetUserError::InvalidParameterException(_)) => {
            rejected("Cognito does not accept it")
        }
        Some(GetUserError::UserNotFoundException(_)) => rejected("its user is gone"),
        Some(GetUserError::UserNotConfirmedException(_)) => rejected("its user is not confirmed"),
        Some(GetUserError::PasswordResetRequiredException(_)) => {
            rejected("its user has to set a new password")
        }
        _ => VerifyError::Unavailable { source: error.into() },
    }
}

fn identity(
    claims: &Claims,
    user: &GetUserOutput,
    expires_at: Timestamp,
) -> Result<VerifiedIdentity, VerifyError> {
    let attribute = |name: &str| {
        let found = user.user_attributes().iter().find(|attribute| attribute.name() == name);
        found.and_then(|attribute| attribute.value())
    };
    if attribute("sub") != Some(&claims.sub) {
        return Err(rejected("it is another user's"));
    }
    if attribute("email_verified") != Some("true") {
        return Err(rejected("its user's address is not verified"));
    }
    let email = attribute("email").and_then(|email| email.parse::<Email>().ok());
    let email = email.ok_or(rejected("its user has no address"))?;
    Ok(VerifiedIdentity::vouched(email, UserId::new(claims.sub.as_str()), expires_at))
}

#[async_trait]
impl IdentityVerifier for CognitoVerifier {
    async fn verify(&self, token: &AccessToken, now: Timestamp) -> Result<VerifiedIdentity, VerifyError> {
        let claims = self.signed_claims(token.expose(), now).await?;
        let expires_at = self.check(&claims, now)?;
        let user = self.client.get_user().access_token(token.expose()).send().await.map_err(not_verified)?;
        identity(&claims, &user, expires_at)
    }
}

impl fmt::Debug for CognitoVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CognitoVerifier").field("issuer", &self.keys.issuer()).finish_non_exhaustive()
    }
}
