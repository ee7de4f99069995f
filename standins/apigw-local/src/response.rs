//! What the gateway itself answers, as AWS words it.

use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

pub(crate) fn to_json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("only structs of text and JSON values come here")
}

/// An answer of the gateway itself.
pub(crate) fn respond(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = Response::new(to_json(body).into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The same, with the header SDKs read the exception's name from.
pub(crate) fn error(status: StatusCode, error_type: &'static str, message: &str) -> Response {
    let mut response = respond(status, &serde_json::json!({ "message": message }));
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(error_type));
    response
}
