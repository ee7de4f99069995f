use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use chat_domain::{AccessToken, Email, Timestamp, UserId, VerifiedIdentity};
use chat_wire::json;
use serde::{Deserialize, Serialize};

/// Makes a token that speaks for somebody.
pub(crate) type IssueToken = Box<dyn Fn(VerifiedIdentity) -> AccessToken + Send + Sync>;

/// Signs anybody in. It exists in this crate alone: what is deployed cannot be composed with it.
pub(crate) struct DevLogin {
    pub(crate) issue_token: IssueToken,
    pub(crate) lifetime: Duration,
    pub(crate) clock: fn() -> Timestamp,
    /// The pages that may sign in.
    pub(crate) origins: Vec<String>,
}

#[derive(Deserialize)]
struct LoginRequest {
    email: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoginResponse {
    access_token: String,
    email: String,
    expires_at: String,
    /// In how many seconds the token expires, for clients whose clock is wrong.
    expires_in: f64,
}

impl DevLogin {
    pub(crate) fn router(self) -> Router {
        Router::new().route("/dev/login", post(login)).with_state(Arc::new(self))
    }

    fn sign_in(&self, body: &str) -> Result<LoginResponse, String> {
        let request: LoginRequest = json::object(body).map_err(|error| error.message)?;
        let email: Email = request.email.parse().map_err(|error| format!("email: {error}"))?;
        let expires_at = (self.clock)().after(self.lifetime);
        // The same person has the same id in every run, as in a user pool.
        let user_id = UserId::new(format!("dev-{}", email.tag()));
        let identity = VerifiedIdentity::vouched(email.clone(), user_id, expires_at);
        let token = (self.issue_token)(identity);
        Ok(LoginResponse {
            access_token: token.expose().to_owned(),
            email: email.to_string(),
            expires_at: expires_at.to_string(),
            expires_in: self.lifetime.as_secs_f64(),
        })
    }
}

async fn login(State(login): State<Arc<DevLogin>>, headers: HeaderMap, body: String) -> Response {
    // Without an origin it is no page.
    let origin = headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    if origin.is_some_and(|origin| !login.origins.iter().any(|ours| ours.as_bytes() == origin)) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match login.sign_in(&body) {
        Ok(response) => ([(header::CACHE_CONTROL, "no-store")], axum::Json(response)).into_response(),
        Err(message) => {
            (StatusCode::BAD_REQUEST, axum::Json(serde_json::json!({ "message": message }))).into_response()
        }
    }
}
