//! The REST API: requests become proxy v1 events, answers become responses.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use aws_lambda_events::encodings::Body as EventBody;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;
use tokio::time::timeout;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use crate::IntegrationError;
use crate::api::RestMethod;
use crate::events::{API_ID, Peer, forwarded_headers, last_values, query, request_time};
use crate::response::{error, respond};
use crate::state::GatewayState;

pub(crate) fn router(state: &GatewayState) -> Router<Arc<GatewayState>> {
    let mut prefixes: Vec<&str> =
        state.rest.methods.iter().filter_map(|method| segments(&method.resource).next()).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    let router = prefixes.into_iter().fold(Router::new(), |router, prefix| {
        let router = router.route(&format!("/{prefix}"), any(handle));
        router.route(&format!("/{prefix}/"), any(handle)).route(&format!("/{prefix}/{{*rest}}"), any(handle))
    });
    match state.rest.minimum_compression_size {
        None => router,
        Some(bytes) => router.layer(CompressionLayer::new().compress_when(SizeAbove::new(bytes))),
    }
}

async fn handle(State(state): State<Arc<GatewayState>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some((method, path_parameters)) = find(&state.rest.methods, &parts) else {
        return error(
            StatusCode::FORBIDDEN,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        );
    };
    let reading = to_bytes(body, state.limits().rest_body_bytes);
    let body = match timeout(state.limits().integration_timeout, reading).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            return error(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", "Request Too Long");
        }
        Err(_elapsed) => {
            return error(StatusCode::REQUEST_TIMEOUT, "RequestTimeoutException", "Request Timeout");
        }
    };
    // A shutdown waits from here on, since a request that never arrives whole is no invocation.
    let running = state.invocations.token();
    if !state.connections.accepting() {
        return error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", "Service Unavailable");
    }
    let event = event(&state, method, path_parameters, &parts, &body);
    let request_id = event.request_context.request_id.clone().unwrap_or_default();

    // The function runs in a task of its own, so a client that goes away does not stop it.
    let integration = Arc::clone(&method.integration);
    let gateway = Arc::clone(&state);
    let invocation = tokio::spawn(async move {
        let _running = running;
        gateway.run(integration.invoke(event)).await
    });
    let outcome = invocation.await.unwrap_or_else(|stopped| Err(IntegrationError::crashed(stopped)));
    let mut response = match outcome.map(|answer| reply(&answer)) {
        Ok(Some(response)) => response,
        Ok(None) | Err(IntegrationError::Crashed(_)) => {
            error(StatusCode::BAD_GATEWAY, "InternalServerErrorException", "Internal server error")
        }
        Err(IntegrationError::TimedOut) => {
            respond(StatusCode::GATEWAY_TIMEOUT, &json!({ "message": "Endpoint request timed out" }))
        }
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_start_matches('/').split('/')
}

type PathParameters = HashMap<String, String>;

/// The most specific resource that matches: plain segments before `{name}` before `{name+}`.
fn find<'a>(methods: &'a [RestMethod], parts: &Parts) -> Option<(&'a RestMethod, PathParameters)> {
    methods
        .iter()
        .filter(|method| method.method == parts.method)
        .filter_map(|method| Some((method, capture(&method.resource, parts.uri.path())?)))
        .min_by_key(|(method, _)| segments(&method.resource).map(generality).collect::<Vec<_>>())
}

fn generality(segment: &str) -> u8 {
    match segment.strip_prefix('{') {
        None => 0,
        Some(name) if !name.ends_with("+}") => 1,
        Some(_) => 2,
    }
}

/// Path parameters, as AWS passes them on from a REST API: still percent-encoded.
fn capture(resource: &str, path: &str) -> Option<PathParameters> {
    let mut captured = HashMap::new();
    let mut rest = Some(path.trim_start_matches('/'));
    for pattern in segments(resource) {
        let remaining = rest?;
        let (segment, after) = match remaining.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (remaining, None),
        };
        match pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            None if pattern == segment => rest = after,
            None => return None,
            Some(_) if segment.is_empty() => return None,
            Some(name) => match name.strip_suffix('+') {
                Some(name) => {
                    captured.insert(name.to_owned(), remaining.to_owned());
                    rest = None;
                }
                None => {
                    captured.insert(name.to_owned(), segment.to_owned());
                    rest = after;
                }
            },
        }
    }
    rest.is_none().then_some(captured)
}

fn event(
    state: &GatewayState,
    method: &RestMethod,
    path_parameters: PathParameters,
    parts: &Parts,
    body: &Bytes,
) -> ApiGatewayProxyRequest {
    let peer = Peer::of(parts);
    let now_millis = state.connections.now_millis();
    let path = parts.uri.path().to_owned();

    let mut event = ApiGatewayProxyRequest::default();
    event.resource = Some(method.resource.clone());
    event.path = Some(path.clone());
    event.http_method = parts.method.clone();
    event.multi_value_headers = forwarded_headers(parts, &peer);
    event.headers = last_values(&event.multi_value_headers);
    (event.query_string_parameters, event.multi_value_query_string_parameters) = query(parts);
    event.path_parameters = path_parameters;
    (event.body, event.is_base64_encoded) = match std::str::from_utf8(body) {
        Ok("") => (None, false),
        Ok(text) => (Some(text.to_owned()), false),
        Err(_) => (Some(STANDARD.encode(body)), true),
    };

    let context = &mut event.request_context;
    context.stage = Some(state.stage().to_owned());
    context.apiid = Some(API_ID.to_owned());
    context.identity = peer.identity();
    context.domain_name = Some(peer.domain_name);
    context.http_method = parts.method.clone();
    context.path = Some(path);
    context.protocol = Some("HTTP/1.1".to_owned());
    context.request_id = Some(state.ids.uuid());
    context.request_time = Some(request_time(now_millis));
    context.request_time_epoch = now_millis;
    context.resource_path = Some(method.resource.clone());
    event
}

/// `None` for what AWS calls a malformed Lambda proxy response.
fn reply(answer: &ApiGatewayProxyResponse) -> Option<Response> {
    let status = u16::try_from(answer.status_code).ok().and_then(|code| StatusCode::from_u16(code).ok())?;
    if status.is_informational() {
        return None;
    }
    let body = match &answer.body {
        None | Some(EventBody::Empty) => Body::empty(),
        Some(EventBody::Text(text)) if answer.is_base64_encoded => STANDARD.decode(text).ok()?.into(),
        Some(EventBody::Text(text)) => text.clone().into(),
        Some(EventBody::Binary(bytes)) => bytes.clone().into(),
        Some(_) => return None,
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for name in answer.headers.keys().chain(answer.multi_value_headers.keys()) {
        // The two lists are merged; the same pair appears once.
        let all = answer.headers.get_all(name).iter().chain(answer.multi_value_headers.get_all(name));
        let mut seen: Vec<&HeaderValue> = Vec::new();
        for value in all {
            if !seen.contains(&value) {
                seen.push(value);
            }
        }
        headers.remove(name);
        for value in seen {
            headers.append(name, value.clone());
        }
    }
    Some(response)
}
