use chat_domain::Correlation;
use http::{Response, StatusCode};
use serde::Serialize;

use crate::error::WireError;
use crate::frames::ErrorBody;

/// A response without a body.
pub(super) fn status(status: StatusCode) -> Response<String> {
    with_body(status, String::new())
}

/// A response with this text as its body.
pub(super) fn with_body(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// A response that says what was wrong.
pub(super) fn error(status: StatusCode, error: WireError, correlation: &Correlation) -> Response<String> {
    with_body(status, to_json(&ErrorBody::new(error, correlation)))
}

/// A body as text.
pub(super) fn to_json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("strings, numbers and booleans always serialise")
}
