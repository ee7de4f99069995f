//! What integrations are told: events in the shapes AWS sends.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use aws_lambda_events::apigw::{
    ApiGatewayRequestIdentity, ApiGatewayWebsocketProxyRequest, ApiGatewayWebsocketProxyRequestContext,
};
use aws_lambda_events::query_map::QueryMap;
use axum::extract::ConnectInfo;
use http::header::{CONNECTION, HOST, UPGRADE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, request::Parts};
use jiff::Timestamp;
use serde_json::Value;

use crate::connections::Connection;

/// The API id events carry.
pub(crate) const API_ID: &str = "local";

/// An event in the JSON that AWS sends, for functions in processes of their own.
///
/// The event's own serialisation has lists of values in `queryStringParameters`, where AWS has the last of
/// them, and leaves empty maps in place, where AWS leaves them out.
pub fn web_socket_event_json(event: &ApiGatewayWebsocketProxyRequest) -> Vec<u8> {
    let mut json = serde_json::to_value(event).expect("an event is text and numbers");
    let fields = json.as_object_mut().expect("an event is a struct");
    if let Some(Value::Object(parameters)) = fields.get_mut("queryStringParameters") {
        for value in parameters.values_mut() {
            if let Value::Array(values) = value {
                *value = values.pop().unwrap_or_default();
            }
        }
    }
    for name in ["queryStringParameters", "multiValueQueryStringParameters"] {
        if fields.get(name).and_then(Value::as_object).is_some_and(serde_json::Map::is_empty) {
            fields.remove(name);
        }
    }
    json.to_string().into_bytes()
}

/// Who sent a request.
pub(crate) struct Peer {
    pub(crate) source_ip: IpAddr,
    pub(crate) user_agent: String,
    pub(crate) domain_name: String,
}

impl Peer {
    pub(crate) fn of(parts: &Parts) -> Self {
        let text = |name| {
            parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default()
        };
        Self {
            source_ip: peer_address(parts).map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip()),
            user_agent: text(USER_AGENT).to_owned(),
            domain_name: text(HOST).to_owned(),
        }
    }

    pub(crate) fn identity(&self) -> ApiGatewayRequestIdentity {
        identity(self.source_ip, &self.user_agent)
    }
}

/// The peer's address, where the composition serves with connect info.
pub(crate) fn peer_address(parts: &Parts) -> Option<SocketAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| *address)
}

/// The moment and the ids of one event.
pub(crate) struct Stamp {
    pub(crate) now_millis: i64,
    pub(crate) request_id: String,
}

pub(crate) fn connect(
    stage: &str,
    connection_id: &str,
    stamp: &Stamp,
    peer: &Peer,
    parts: &Parts,
) -> ApiGatewayWebsocketProxyRequest {
    let mut event = ApiGatewayWebsocketProxyRequest::default();
    event.multi_value_headers = forwarded_headers(parts, peer);
    event.headers = last_values(&event.multi_value_headers);
    (event.query_string_parameters, event.multi_value_query_string_parameters) = query(parts);
    event.request_context = context("$connect", "CONNECT", stage, stamp, stamp.now_millis);
    event.request_context.connection_id = Some(connection_id.to_owned());
    event.request_context.domain_name = Some(peer.domain_name.clone());
    event.request_context.identity = peer.identity();
    event
}

pub(crate) fn message(
    stage: &str,
    route_key: &str,
    connection: &Connection,
    stamp: &Stamp,
    message_id: String,
    body: String,
) -> ApiGatewayWebsocketProxyRequest {
    let mut event = ApiGatewayWebsocketProxyRequest::default();
    event.request_context = context_of(connection, route_key, "MESSAGE", stage, stamp);
    event.request_context.message_id = Some(message_id);
    event.body = Some(body);
    event
}

pub(crate) fn disconnect(
    stage: &str,
    connection: &Connection,
    stamp: &Stamp,
    code: u16,
    reason: &str,
) -> ApiGatewayWebsocketProxyRequest {
    let mut event = ApiGatewayWebsocketProxyRequest::default();
    if let Ok(host) = HeaderValue::from_str(&connection.domain_name) {
        event.headers.insert(HOST, host);
    }
    for name in ["x-api-key", "x-forwarded-for", "x-restapi"] {
        event.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(""));
    }
    event.multi_value_headers = event.headers.clone();
    event.request_context = context_of(connection, "$disconnect", "DISCONNECT", stage, stamp);
    event.request_context.disconnect_status_code = Some(code.into());
    event.request_context.disconnect_reason = Some(reason.to_owned());
    event
}

fn context_of(
    connection: &Connection,
    route_key: &str,
    event_type: &str,
    stage: &str,
    stamp: &Stamp,
) -> ApiGatewayWebsocketProxyRequestContext {
    let mut context = context(route_key, event_type, stage, stamp, connection.connected_at);
    context.connection_id = Some(connection.id.clone());
    context.domain_name = Some(connection.domain_name.to_string());
    context.identity = identity(connection.source_ip, &connection.user_agent);
    context
}

fn context(
    route_key: &str,
    event_type: &str,
    stage: &str,
    stamp: &Stamp,
    connected_at: i64,
) -> ApiGatewayWebsocketProxyRequestContext {
    let mut context = ApiGatewayWebsocketProxyRequestContext::default();
    context.route_key = Some(route_key.to_owned());
    context.event_type = Some(event_type.to_owned());
    context.stage = Some(stage.to_owned());
    context.apiid = Some(API_ID.to_owned());
    context.connected_at = connected_at;
    context.request_id = Some(stamp.request_id.clone());
    context.extended_request_id = Some(stamp.request_id.clone());
    context.request_time = Some(request_time(stamp.now_millis));
    context.request_time_epoch = stamp.now_millis;
    context.message_direction = Some("IN".to_owned());
    context
}

fn identity(source_ip: IpAddr, user_agent: &str) -> ApiGatewayRequestIdentity {
    let mut identity = ApiGatewayRequestIdentity::default();
    identity.source_ip = Some(source_ip.to_string());
    if !user_agent.is_empty() {
        identity.user_agent = Some(user_agent.to_owned());
    }
    identity
}

/// The request's headers as the gateway passes them on: without hop-by-hop ones, with `X-Forwarded-*`.
pub(crate) fn forwarded_headers(parts: &Parts, peer: &Peer) -> HeaderMap {
    let mut headers = parts.headers.clone();
    headers.remove(CONNECTION);
    headers.remove(UPGRADE);
    let port = peer.domain_name.rsplit_once(':').map_or("80", |(_, port)| port);
    for (name, value) in [
        ("x-forwarded-for", peer.source_ip.to_string()),
        ("x-forwarded-port", port.to_owned()),
        ("x-forwarded-proto", "http".to_owned()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// `headers` holds the last of repeated values, `multiValueHeaders` all of them.
pub(crate) fn last_values(all: &HeaderMap) -> HeaderMap {
    let mut last = HeaderMap::with_capacity(all.keys_len());
    for (name, value) in all {
        last.insert(name, value.clone());
    }
    last
}

/// `queryStringParameters` (the last of repeated values) and `multiValueQueryStringParameters`.
pub(crate) fn query(parts: &Parts) -> (QueryMap, QueryMap) {
    let Some(query) = parts.uri.query() else {
        return Default::default();
    };
    let all: QueryMap = query.parse().unwrap_or_default();
    // Iteration yields the values of one key in order, so the last one stays.
    let last: HashMap<String, String> =
        all.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (last.into(), all)
}

/// Writes an instant as the field `requestTime` has it: `22/Feb/2022:19:07:37 +0000`.
pub(crate) fn request_time(millis: i64) -> String {
    timestamp(millis).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

/// Writes an instant as `2022-02-22T19:07:37.902Z`.
pub(crate) fn iso_8601(millis: i64) -> String {
    timestamp(millis).to_string()
}

fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event that carries them:
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.
    #[test]
    fn query_parameters_are_text_and_lists_of_text_and_absent_when_there_are_none() {
        let mut event = ApiGatewayWebsocketProxyRequest::default();
        let json: Value = serde_json::from_slice(&web_socket_event_json(&event)).unwrap();
        assert_eq!(json.get("queryStringParameters"), None);

        let all: QueryMap = "token=one&token=two".parse().unwrap();
        event.query_string_parameters = all.clone();
        event.multi_value_query_string_parameters = all;
        let json: Value = serde_json::from_slice(&web_socket_event_json(&event)).unwrap();
        assert_eq!(json["queryStringParameters"], serde_json::json!({ "token": "two" }));
        assert_eq!(json["multiValueQueryStringParameters"], serde_json::json!({ "token": ["one", "two"] }));
    }

    /// The format of the events in
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>
    /// (`$context.requestTime`, CLF-formatted).
    #[test]
    fn request_time_is_in_common_log_format() {
        assert_eq!(request_time(1_645_556_857_902), "22/Feb/2022:19:07:37 +0000");
    }
}
