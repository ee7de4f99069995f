//! The four Lambda functions: each takes an event of API Gateway to a handler of `chat-wire`, and the answer
//! back.

use std::future::Future;

use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
};
use aws_lambda_events::query_map::QueryMap;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chat_wire::error::ErrorCode;
use chat_wire::{
    ConnectHandler, ConnectRequest, Counts, DisconnectHandler, DisconnectRequest, FrameHandler, FrameRequest,
    RestHandler, RestRequest,
};
use http::header::{STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};

/// A function as whatever runs it sees it: Lambda, `chat-local`, or a test. It is implemented for the four
/// handlers of `chat-wire`.
pub trait GatewayFunction: Send + Sync {
    /// The event of API Gateway's that the function is invoked with.
    type Event: Send + Sync;

    /// Does what the event asks for, and answers it. A refusal and a failure are answers, too.
    fn handle(&self, event: &Self::Event) -> impl Future<Output = ApiGatewayProxyResponse> + Send;

    /// What to answer in its place when handling an event was given up: it panicked, or took too long. Nobody
    /// knows what it has done by then, so the code is one that says so.
    fn given_up(&self, event: &Self::Event, code: ErrorCode) -> ApiGatewayProxyResponse;

    /// The counts of what the function did since they were last taken; its metrics are made of them.
    fn counts(&self) -> &Counts;
}

/// The function behind `$connect`.
impl GatewayFunction for ConnectHandler {
    type Event = ApiGatewayWebsocketProxyRequest;

    async fn handle(&self, event: &Self::Event) -> ApiGatewayProxyResponse {
        let query = pairs(&event.query_string_parameters);
        response(self.answer(&connect_request(event, &query)).await)
    }

    fn given_up(&self, event: &Self::Event, code: ErrorCode) -> ApiGatewayProxyResponse {
        response(self.given_up(&connect_request(event, &[]), code))
    }

    fn counts(&self) -> &Counts {
        self.counts()
    }
}

fn connect_request<'a>(
    event: &'a ApiGatewayWebsocketProxyRequest,
    query: &'a [(String, String)],
) -> ConnectRequest<'a> {
    let context = &event.request_context;
    ConnectRequest {
        connection: context.connection_id.as_deref().unwrap_or_default(),
        request_id: context.request_id.as_deref().unwrap_or_default(),
        headers: &event.headers,
        source: context.identity.source_ip.as_deref().unwrap_or_default(),
        query,
        connected_at_ms: context.connected_at,
        now_ms: context.request_time_epoch,
    }
}

/// The function behind `$disconnect`.
impl GatewayFunction for DisconnectHandler {
    type Event = ApiGatewayWebsocketProxyRequest;

    async fn handle(&self, event: &Self::Event) -> ApiGatewayProxyResponse {
        let context = &event.request_context;
        let request = DisconnectRequest {
            connection: context.connection_id.as_deref().unwrap_or_default(),
            request_id: context.request_id.as_deref().unwrap_or_default(),
        };
        status(self.answer(&request).await)
    }

    fn given_up(&self, _: &Self::Event, code: ErrorCode) -> ApiGatewayProxyResponse {
        status(self.given_up(code))
    }

    fn counts(&self) -> &Counts {
        self.counts()
    }
}

/// The function behind every other route of the WebSocket. Its answer goes back as the route's response,
/// whose status is always 200: on these routes the gateway shows the client none.
impl GatewayFunction for FrameHandler {
    type Event = ApiGatewayWebsocketProxyRequest;

    async fn handle(&self, event: &Self::Event) -> ApiGatewayProxyResponse {
        let mut response = status(StatusCode::OK);
        response.body = self.answer(&frame_request(event)).await.map(Body::Text);
        response
    }

    fn given_up(&self, event: &Self::Event, code: ErrorCode) -> ApiGatewayProxyResponse {
        let mut response = status(StatusCode::OK);
        response.body = Some(Body::Text(self.given_up(&frame_request(event), code)));
        response
    }

    fn counts(&self) -> &Counts {
        self.counts()
    }
}

fn frame_request(event: &ApiGatewayWebsocketProxyRequest) -> FrameRequest<'_> {
    let context = &event.request_context;
    let request_id = context.request_id.as_deref();
    FrameRequest {
        text: event.body.as_deref().unwrap_or_default(),
        connection: context.connection_id.as_deref().unwrap_or_default(),
        request_id: request_id.unwrap_or_default(),
        // Emulators leave out the message id. The request id differs from event to event as well.
        delivery_id: context.message_id.as_deref().or(request_id).unwrap_or_default(),
        now_ms: context.request_time_epoch,
    }
}

/// The function behind every route of REST.
impl GatewayFunction for RestHandler {
    type Event = ApiGatewayProxyRequest;

    async fn handle(&self, event: &Self::Event) -> ApiGatewayProxyResponse {
        let (query, body) = (query(event), body(event));
        response(self.answer(&rest_request(event, &query, body.as_deref())).await)
    }

    fn given_up(&self, event: &Self::Event, code: ErrorCode) -> ApiGatewayProxyResponse {
        response(self.given_up(&rest_request(event, &[], body(event).as_deref()), code))
    }

    fn counts(&self) -> &Counts {
        self.counts()
    }
}

fn rest_request<'a>(
    event: &'a ApiGatewayProxyRequest,
    query: &'a [(String, String)],
    body: Option<&'a str>,
) -> RestRequest<'a> {
    RestRequest {
        method: &event.http_method,
        resource: event.resource.as_deref().unwrap_or_default(),
        path_parameters: &event.path_parameters,
        query,
        headers: &event.headers,
        body,
        request_id: event.request_context.request_id.as_deref().unwrap_or_default(),
        now_ms: event.request_context.request_time_epoch,
    }
}

/// The gateway gives parameters in two shapes, and only one of them has all values of a name; an emulator may
/// leave either out.
fn query(event: &ApiGatewayProxyRequest) -> Vec<(String, String)> {
    let (all, single) = (&event.multi_value_query_string_parameters, &event.query_string_parameters);
    let mut query = pairs(all);
    query.extend(pairs(single).into_iter().filter(|(name, _)| all.first(name).is_none()));
    query
}

fn pairs(query: &QueryMap) -> Vec<(String, String)> {
    query.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The body as text, if it is text.
fn body(event: &ApiGatewayProxyRequest) -> Option<String> {
    let body = event.body.clone().unwrap_or_default();
    if !event.is_base64_encoded {
        return Some(body);
    }
    String::from_utf8(BASE64_STANDARD.decode(body).ok()?).ok()
}

fn response(answer: Response<String>) -> ApiGatewayProxyResponse {
    let (head, body) = answer.into_parts();
    let mut response = status(head.status);
    response.headers = head.headers;
    // These headers are added here and not in chat-wire, because only the gateway is always behind TLS.
    let only_tls = HeaderValue::from_static("max-age=63072000; includeSubDomains");
    response.headers.insert(STRICT_TRANSPORT_SECURITY, only_tls);
    response.headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.body = Some(body).filter(|body| !body.is_empty()).map(Body::Text);
    response
}

fn status(status: StatusCode) -> ApiGatewayProxyResponse {
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = i64::from(status.as_u16());
    response
}
