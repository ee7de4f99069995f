use std::fmt;

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::Builder;
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_cognitoidentityprovider::operation::get_user::{GetUserError, GetUserOutput};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chat_domain::{AccessToken, Email, IdentityVerifier, Timestamp, UserId, VerifiedIdentity, VerifyError};
use serde::Deserialize;

use crate::calls;

/// The longest token that is looked at. Cognito's have one to two kilobytes, more for members of many groups.
const TOKEN_MAX_BYTES: usize = 8_192;

/// Verifies access tokens of one Cognito user pool by asking Cognito.
///
/// `GetUser` checks the signature, and knows which tokens were revoked; but it accepts tokens of *any* pool
/// and any client. So what the token claims is checked as well, before Cognito is asked: that our pool issued
/// it, for one of our clients, as an access token. That the claims are genuine is what Cognito's answer says.
/// Then the user's address must be verified, since users can change theirs.
///
/// It asks at every call: put a [`RememberingVerifier`](crate::RememberingVerifier) before it.
///
/// ```no_run
/// use chat_adapters_aws::CognitoVerifier;
///
/// fn compose(sdk: aws_sdk_cognitoidentityprovider::config::Builder) -> CognitoVerifier {
///     let issuer = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Example";
///     CognitoVerifier::new(sdk, issuer, ["3n4b5urk1ft4fl3mg5e62d9ado"])
/// }
/// ```
#[derive(Clone)]
pub struct CognitoVerifier {
    client: Client,
    issuer: String,
    client_ids: Vec<String>,
}

/// What an access token of Cognito says. Nothing of it is known to be true.
#[derive(Deserialize)]
struct UnverifiedClaims {
    iss: String,
    client_id: String,
    token_use: String,
    sub: String,
    exp: i64,
}

const fn rejected(reason: &'static str) -> VerifyError {
    VerifyError::Rejected { reason }
}

impl CognitoVerifier {
    /// A verifier for the pool of this issuer (`https://cognito-idp.<region>.amazonaws.com/<pool>`) and these
    /// app clients. The configuration brings the pool's region; timeouts and retries are set here.
    #[must_use]
    pub fn new(
        config: Builder,
        issuer: impl Into<String>,
        client_ids: impl IntoIterator<Item: Into<String>>,
    ) -> Self {
        let config = config.retry_config(calls::retries()).timeout_config(calls::timeouts());
        Self {
            client: Client::from_conf(config.build()),
            issuer: issuer.into(),
            client_ids: client_ids.into_iter().map(Into::into).collect(),
        }
    }

    fn check(&self, claims: &UnverifiedClaims) -> Result<(), VerifyError> {
        if claims.iss != self.issuer {
            return Err(rejected("another pool issued it"));
        }
        if !self.client_ids.contains(&claims.client_id) {
            return Err(rejected("it was issued for another client"));
        }
        if claims.token_use != "access" {
            return Err(rejected("it is no access token"));
        }
        Ok(())
    }
}

impl UnverifiedClaims {
    fn of(token: &str) -> Result<Self, VerifyError> {
        const SHAPE: VerifyError = rejected("it has not the shape of a token");
        if token.len() > TOKEN_MAX_BYTES {
            return Err(SHAPE);
        }
        let mut parts = token.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SHAPE);
        };
        let json = BASE64_URL_SAFE_NO_PAD.decode(payload).map_err(|_| SHAPE)?;
        serde_json::from_slice(&json).map_err(|_| SHAPE)
    }

    fn expires_at(&self) -> Result<Timestamp, VerifyError> {
        let unix_ms = self.exp.checked_mul(1_000).and_then(|ms| Timestamp::from_unix_ms(ms).ok());
        unix_ms.ok_or(rejected("it expires at no time"))
    }
}

/// What it means that Cognito did not answer with a user. Its own words may repeat the token: they are not
/// passed on.
fn not_verified(error: SdkError<GetUserError>) -> VerifyError {
    match error.as_service_error() {
        // The only sign of it; the code is the same for tokens that are forged or revoked.
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
    claims: &UnverifiedClaims,
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
        let claims = UnverifiedClaims::of(token.expose())?;
        self.check(&claims)?;
        let expires_at = claims.expires_at()?;
        let user = self.client.get_user().access_token(token.expose()).send().await.map_err(not_verified)?;
        let identity = identity(&claims, &user, expires_at)?;
        // Last: only of a token that was good can it be said that it has expired.
        if identity.is_expired(now) { Err(VerifyError::Expired) } else { Ok(identity) }
    }
}

impl fmt::Debug for CognitoVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CognitoVerifier").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
