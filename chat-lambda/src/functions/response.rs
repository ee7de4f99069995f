use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::ApiGatewayProxyResponse;
use chat_domain::{ChatError, Correlation};
use http::StatusCode;

use chat_wire::error::{ErrorCode, WireError};
use chat_wire::frames::{ErrorBody, ServerFrame};

/// A response with a status alone.
pub(super) fn status(status: StatusCode) -> ApiGatewayProxyResponse {
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = i64::from(status.as_u16());
    response
}

/// A response with a JSON body.
pub(super) fn json(code: StatusCode, body: String) -> ApiGatewayProxyResponse {
    let mut response = status(code);
    response.body = Some(Body::Text(body));
    response
}

/// A frame for the client that the route's response carries back. The status is always 200: on a route other than `$connect`
/// the gateway shows the client none.
pub(super) fn frame(frame: &ServerFrame) -> ApiGatewayProxyResponse {
    json(StatusCode::OK, frame.to_json())
}

/// An error on its way into a response, with the log line it deserves: what a client did wrong is its own affair, what failed
/// here is somebody's work.
pub(super) fn refuse(error: ChatError, correlation: &Correlation) -> WireError {
    let wire = WireError::from(&error);
    let request_id = correlation.request_id.as_str();
    match wire.code {
        ErrorCode::Internal => {
            tracing::error!(request_id, code = ?wire.code, cause = %chain(&error), "failed")
        }
        ErrorCode::Unavailable if wire.failed => {
            tracing::warn!(request_id, code = ?wire.code, cause = %chain(&error), "failed")
        }
        ErrorCode::Unauthorized => tracing::info!(request_id, code = ?wire.code, cause = ?error, "refused"),
        _ => tracing::debug!(request_id, code = ?wire.code, "refused"),
    }
    wire
}

/// An error and what is behind it, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// An error outside a frame.
pub(super) fn error(
    status: StatusCode,
    error: WireError,
    correlation: &Correlation,
) -> ApiGatewayProxyResponse {
    let body = ErrorBody::new(error, correlation);
    json(status, serde_json::to_string(&body).expect("strings and booleans always serialise"))
}
