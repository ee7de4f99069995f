//! The chat of chat-wire's tests, behind API Gateway's events.

#![expect(dead_code, reason = "each test needs a part of it")]

#[path = "../../../chat-wire/tests/chat/support.rs"]
mod chat;

use std::collections::HashMap;

use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
};
use aws_lambda_events::query_map::QueryMap;
use serde_json::Value;

pub(crate) use self::chat::*;

/// The `CONNECT` event that the gateway makes of a handshake.
pub(crate) fn connect_event(handshake: &Handshake) -> ApiGatewayWebsocketProxyRequest {
    let mut event = ApiGatewayWebsocketProxyRequest::default();
    event.request_context.connection_id = Some(handshake.connection.clone());
    event.request_context.request_id = Some(handshake.request_id.clone());
    event.request_context.connected_at = handshake.connected_at_ms;
    event.request_context.request_time_epoch = handshake.now_ms;
    event.headers = handshake.headers.clone();
    event.query_string_parameters = query_map(&handshake.query);
    event
}

/// A `MESSAGE` event; without its text, the `DISCONNECT` event of the same connection.
pub(crate) fn message_event(call: &FrameCall) -> ApiGatewayWebsocketProxyRequest {
    let mut event = ApiGatewayWebsocketProxyRequest::default();
    event.request_context.connection_id = Some(call.connection.clone());
    event.request_context.request_id = Some(call.request_id.clone());
    event.request_context.message_id = Some(call.delivery_id.clone());
    event.request_context.request_time_epoch = call.now_ms;
    event.body = Some(call.text.clone());
    event
}

/// A REST event, with the parameters in both of the gateway's shapes.
pub(crate) fn rest_event(call: &RestCall) -> ApiGatewayProxyRequest {
    let mut event = ApiGatewayProxyRequest::default();
    event.http_method = call.method.clone();
    event.resource = Some(call.resource.clone());
    event.path_parameters = call.path_parameters.clone();
    event.query_string_parameters = query_map(&call.query);
    event.multi_value_query_string_parameters = query_map(&call.query);
    event.headers = call.headers.clone();
    event.body = call.body.clone();
    event.request_context.request_id = Some(call.request_id.clone());
    event.request_context.request_time_epoch = call.now_ms;
    event
}

pub(crate) fn query_map(query: &[(String, String)]) -> QueryMap {
    let mut lists = HashMap::<String, Vec<String>>::new();
    for (name, value) in query {
        lists.entry(name.clone()).or_default().push(value.clone());
    }
    lists.into()
}

impl From<ApiGatewayProxyResponse> for Answer {
    fn from(response: ApiGatewayProxyResponse) -> Self {
        let (has_body, body) = match response.body {
            None => (false, Value::Null),
            Some(Body::Text(text)) => (true, serde_json::from_str(&text).expect("a body is JSON")),
            Some(_) => panic!("a body is text"),
        };
        let status = u16::try_from(response.status_code).unwrap();
        Self { status, headers: response.headers, has_body, body }
    }
}
