//! `@connections` over HTTP, as the SDKs of the API Gateway Management API call it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::{Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::events::{iso_8601, peer_address};
use crate::response::{error, respond};
use crate::state::GatewayState;
use crate::{ConnectionInfo, PostError};

pub(crate) fn router(state: &GatewayState) -> Router<Arc<GatewayState>> {
    // SDKs send `%40connections`; an endpoint without its stage is a common mistake, answered as AWS does.
    Router::new()
        .route(&format!("/{}/{{*rest}}", state.stage()), any(manage))
        .route("/@connections/{*rest}", any(forbidden))
        .route("/%40connections/{*rest}", any(forbidden))
}

async fn forbidden() -> Response {
    error(StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden")
}

async fn manage(State(state): State<Arc<GatewayState>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let elsewhere = peer_address(&parts).is_some_and(|peer| !peer.ip().to_canonical().is_loopback());
    // On AWS the signature tells; a page, which any site can show to somebody on this machine, says where it
    // is from.
    let page = parts.headers.contains_key(header::ORIGIN);
    let id = connection_id(parts.uri.path());
    let (Some(id), false) = (id, elsewhere || page) else {
        return forbidden().await;
    };
    let connections = &state.connections;
    let outcome = match parts.method {
        Method::POST => match payload(body, state.limits().message_bytes).await {
            Ok(data) => connections.post(&id, data).map(|()| StatusCode::OK.into_response()),
            Err(refused) => Err(refused),
        },
        Method::GET => connections.info(&id).map(|info| respond(StatusCode::OK, &describe(&info))),
        Method::DELETE => connections.close(&id).map(|()| StatusCode::NO_CONTENT.into_response()),
        _ => return forbidden().await,
    };
    outcome.unwrap_or_else(|refused| match refused {
        PostError::Gone => error(StatusCode::GONE, "GoneException", "Gone"),
        PostError::PayloadTooLarge => {
            error(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeException", "Payload too large")
        }
        PostError::LimitExceeded => {
            error(StatusCode::TOO_MANY_REQUESTS, "LimitExceededException", "Limit exceeded")
        }
    })
}

/// The id in `/{stage}/@connections/{id}`, however much of that the client percent-encoded.
fn connection_id(path: &str) -> Option<String> {
    let (_stage, rest) = path.strip_prefix('/')?.split_once('/')?;
    let (collection, id) = rest.split_once('/')?;
    let decode = |text| percent_decode_str(text).decode_utf8().ok();
    (decode(collection)? == "@connections" && !id.is_empty()).then(|| decode(id))?.map(Into::into)
}

async fn payload(body: Body, limit: usize) -> Result<axum::body::Bytes, PostError> {
    // A body that breaks off is as good as none: nobody waits for the answer.
    to_bytes(body, limit).await.map_err(|_| PostError::PayloadTooLarge)
}

fn describe(info: &ConnectionInfo) -> serde_json::Value {
    json!({
        "connectedAt": iso_8601(info.connected_at),
        "identity": { "sourceIp": info.source_ip, "userAgent": info.user_agent },
        "lastActiveAt": iso_8601(info.last_active_at),
    })
}

#[cfg(test)]
mod tests {
    use super::connection_id;

    #[test]
    fn ids_are_found_however_the_path_is_encoded() {
        for path in ["/prod/@connections/aWQ=", "/prod/%40connections/aWQ%3D", "/prod/%40connections/aWQ="] {
            assert_eq!(connection_id(path).as_deref(), Some("aWQ="), "{path}");
        }
        assert_eq!(connection_id("/prod/connections/aWQ="), None);
        assert_eq!(connection_id("/prod/@connections/"), None);
    }
}
