//! The WebSocket API: the handshake, the life of a connection, and the routing of its messages.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::Arc;

use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use aws_lambda_events::encodings::Body as EventBody;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use crate::api::{Route, RouteResponse, WebSocketApi};
use crate::connections::{Close, Connection, Phase, QueueLimit, message};
use crate::events::{self, Peer};
use crate::response::{error, respond, to_json};
use crate::state::GatewayState;
use crate::{IntegrationError, InvokedRoute};

type Outcome = Result<ApiGatewayProxyResponse, IntegrationError>;
type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Bytes read from a socket at once. Allocated per connection: most messages are far smaller than 4 KB,
/// and 10,000 idle connections then cost 40 MB rather than the library's default 1.3 GB.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// Queued frames are gathered up to this size for one write.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

pub(crate) fn router(state: &GatewayState) -> Router<Arc<GatewayState>> {
    Router::new()
        .route(&format!("/{}", state.stage()), any(handshake))
        .route(&format!("/{}/", state.stage()), any(handshake))
}

/// Runs `$connect` while the upgrade is pending, and upgrades only if it answers 2xx.
async fn handshake(State(state): State<Arc<GatewayState>>, mut request: Request) -> Response {
    let alive = state.sockets.token();
    if !state.connections.accepting() {
        return unavailable();
    }
    let on_upgrade = hyper::upgrade::on(&mut request);
    let (parts, _body) = request.into_parts();
    let accept_key = match accept_key(&parts, state.limits().url_bytes) {
        Ok(accept_key) => accept_key,
        Err((status, error_type, message)) => return error(status, error_type, message),
    };

    let peer = Peer::of(&parts);
    let stamp = state.stamp();
    let connection = Arc::new(Connection::new(
        state.next_handshake(),
        state.ids.short(),
        stamp.now_millis,
        &peer.domain_name,
        peer.source_ip,
        &peer.user_agent,
    ));
    let connect = state.web_socket.connect.clone().map(|integration| {
        (integration, events::connect(state.stage(), &connection.id, &stamp, &peer, &parts))
    });
    // The function runs in a task of its own, so a client that gives up does not stop it. The upgrade then
    // fails, and `$disconnect` runs.
    let gateway = Arc::clone(&state);
    let establishing = state.invocations.spawn(async move {
        let verdict = match connect {
            Some((integration, event)) => {
                let fault = gateway.fault(&connection, InvokedRoute::Connect, &stamp);
                judge(gateway.invoke(fault, &*integration, event).await)
            }
            None => Ok(None),
        };
        let protocol = match verdict {
            Ok(protocol) => protocol,
            Err(status) => return refuse(status, &connection.id, &stamp.request_id),
        };
        if !gateway.connections.open(&connection) {
            gateway.sockets.spawn(disconnect(gateway.clone(), connection, Close::GOING_AWAY.into()));
            return unavailable();
        }
        tokio::spawn(async move {
            let _alive = alive;
            live(gateway, connection, on_upgrade).await;
        });
        switching_protocols(&accept_key, protocol)
    });
    establishing.await.unwrap_or_else(|_stopped| unavailable())
}

/// What `$connect`'s answer means for the upgrade:
///
/// | answer | upgrade |
/// |---|---|
/// | 2xx | 101, with its `Sec-WebSocket-Protocol` |
/// | 4xx, 5xx | refused with that status |
/// | any other status | refused with 502, as a malformed proxy response is |
/// | crash | refused with 502 |
/// | timeout | refused with 504 |
fn judge(outcome: Outcome) -> Result<Option<HeaderValue>, StatusCode> {
    match outcome {
        Ok(answer) => match answer.status_code {
            200..=299 => {
                let of = |headers: &http::HeaderMap| headers.get(SEC_WEBSOCKET_PROTOCOL).cloned();
                Ok(of(&answer.headers).or_else(|| of(&answer.multi_value_headers)))
            }
            400..=599 => Err(u16::try_from(answer.status_code)
                .ok()
                .and_then(|code| StatusCode::from_u16(code).ok())
                .unwrap_or(StatusCode::BAD_GATEWAY)),
            _ => Err(StatusCode::BAD_GATEWAY),
        },
        Err(IntegrationError::TimedOut) => Err(StatusCode::GATEWAY_TIMEOUT),
        Err(IntegrationError::Crashed(_)) => Err(StatusCode::BAD_GATEWAY),
    }
}

type Refusal = (StatusCode, &'static str, &'static str);

/// The `Sec-WebSocket-Accept` of a request that really asks for a WebSocket (RFC 6455, section 4.2.1).
fn accept_key(parts: &Parts, url_bytes: usize) -> Result<String, Refusal> {
    let has = |name: HeaderName, wanted: &str| {
        let values = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|token| token.trim().eq_ignore_ascii_case(wanted))
    };
    let url = parts.uri.path_and_query().map_or("/", |url| url.as_str());
    if url.len() > url_bytes {
        return Err((StatusCode::URI_TOO_LONG, "BadRequestException", "Request URI Too Long"));
    }
    if parts.method != Method::GET || !has(CONNECTION, "upgrade") || !has(UPGRADE, "websocket") {
        return Err((StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden"));
    }
    match parts.headers.get(SEC_WEBSOCKET_KEY) {
        Some(key) if has(SEC_WEBSOCKET_VERSION, "13") => Ok(derive_accept_key(key.as_bytes())),
        _ => Err((StatusCode::BAD_REQUEST, "BadRequestException", "Bad Request")),
    }
}

fn switching_protocols(accept_key: &str, protocol: Option<HeaderValue>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.extend(HeaderValue::from_str(accept_key).ok().map(|key| (SEC_WEBSOCKET_ACCEPT, key)));
    headers.extend(protocol.map(|protocol| (SEC_WEBSOCKET_PROTOCOL, protocol)));
    response
}

fn refuse(status: StatusCode, connection_id: &str, request_id: &str) -> Response {
    let message = match status {
        StatusCode::BAD_GATEWAY => "Internal server error",
        StatusCode::GATEWAY_TIMEOUT => "Endpoint request timed out",
        other => other.canonical_reason().unwrap_or("Refused"),
    };
    respond(status, &Notice { message, connection_id, request_id })
}

fn unavailable() -> Response {
    error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", "Service Unavailable")
}

/// What the gateway itself tells a client.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notice<'a> {
    message: &'a str,
    connection_id: &'a str,
    request_id: &'a str,
}

/// How a connection ended.
struct End {
    code: u16,
    reason: Cow<'static, str>,
    by: Side,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Side {
    Client,
    Gateway,
    /// The gateway, because of bytes it will not read: the close handshake cannot be completed.
    GatewayMidFrame,
    Nobody,
}

impl End {
    /// The socket broke without a close frame.
    const LOST: Self =
        Self { code: 1006, reason: Cow::Borrowed("Connection closed abnormally"), by: Side::Nobody };

    fn by_client(frame: Option<CloseFrame>) -> Self {
        let (code, reason) = match frame {
            Some(frame) => (frame.code.into(), frame.reason.as_str().to_owned()),
            None => (1005, String::new()),
        };
        let reason = match (code, reason.is_empty()) {
            (1000, true) => Cow::Borrowed(Close::NORMAL.reason),
            (1001, true) => Cow::Borrowed(Close::GOING_AWAY.reason),
            (1005, true) => Cow::Borrowed("Client-side close frame status not set"),
            _ => Cow::Owned(reason),
        };
        Self { code, reason, by: Side::Client }
    }

    fn by_error(error: &WsError) -> Self {
        let close = match error {
            WsError::Capacity(_) => Close::TOO_BIG,
            WsError::Utf8(_) => Close::NOT_UTF8,
            WsError::Protocol(
                tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            ) => return Self::LOST,
            WsError::Protocol(_) => Close::PROTOCOL_ERROR,
            _ => return Self::LOST,
        };
        Self { by: Side::GatewayMidFrame, ..close.into() }
    }
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self { code: close.code, reason: Cow::Borrowed(close.reason), by: Side::Gateway }
    }
}

/// The task of one connection, from the upgrade to the end of `$disconnect`.
async fn live(state: Arc<GatewayState>, connection: Arc<Connection>, on_upgrade: OnUpgrade) {
    let end = match on_upgrade.await {
        Ok(upgraded) => {
            let limits = state.limits();
            let config = WebSocketConfig::default()
                .read_buffer_size(READ_BUFFER_BYTES)
                .write_buffer_size(WRITE_BUFFER_BYTES)
                .max_frame_size(Some(limits.frame_bytes))
                .max_message_size(Some(limits.message_bytes));
            let stream = TokioIo::new(upgraded);
            let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
            let end = converse(&state, &connection, &mut socket).await;
            state.connections.remove(&connection);
            // Whatever happens now, the connection is over.
            let _ = timeout(limits.close_grace, hang_up(&mut socket, &end)).await;
            end
        }
        Err(_never_upgraded) => {
            state.connections.remove(&connection);
            End::LOST
        }
    };
    disconnect(state, connection, end).await;
}

/// Reads, writes and watches the limits until there is a reason to end.
async fn converse(state: &Arc<GatewayState>, connection: &Arc<Connection>, socket: &mut Socket) -> End {
    let limits = state.limits();
    let lifetime_ends = Instant::now() + limits.lifetime;
    let next_deadline = || lifetime_ends.min(Instant::now() + limits.idle);
    let mut timer = pin!(sleep_until(next_deadline()));
    let mut messages_left = state.connections.faults().and_then(|faults| faults.cut_after(connection.number));
    loop {
        let (frames, phase) = connection.take_outbox();
        if !frames.is_empty() {
            timer.as_mut().reset(next_deadline());
            if let Err(end) = write(connection, socket, frames, timer.as_mut(), limits.close_grace).await {
                return end;
            }
            timer.as_mut().reset(next_deadline());
            connection.touch(state.connections.now_millis());
            // Writing has used up the wake-ups of what was queued meanwhile: look again.
            continue;
        }
        if let Phase::Closing(close) = phase {
            return close.into();
        }
        let reads = phase == Phase::Open && connection.in_flight() < limits.in_flight_per_connection;
        tokio::select! {
            frame = socket.next(), if reads => match frame {
                Some(Ok(Message::Text(body))) => {
                    timer.as_mut().reset(next_deadline());
                    connection.touch(state.connections.now_millis());
                    dispatch(state, connection, body);
                    messages_left = messages_left.map(|left| left.saturating_sub(1));
                    if messages_left == Some(0) {
                        return Close::GOING_AWAY.into();
                    }
                }
                Some(Ok(Message::Binary(_))) => return Close::UNSUPPORTED.into(),
                Some(Ok(Message::Close(frame))) => return End::by_client(frame),
                // tungstenite answers pings; neither counts as a message.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return End::by_error(&error),
                None => return End::LOST,
            },
            () = connection.woken() => {}
            () = &mut timer => return Close::GOING_AWAY.into(),
        }
    }
}

/// Writes what is queued with one flush. A client that does not read holds this up until its
/// connection's time is over, or someone closes it.
async fn write(
    connection: &Connection,
    socket: &mut Socket,
    frames: VecDeque<Message>,
    mut timer: Pin<&mut Sleep>,
    grace: std::time::Duration,
) -> Result<(), End> {
    let mut writing = pin!(async {
        for frame in frames {
            socket.feed(frame).await?;
        }
        socket.flush().await
    });
    loop {
        tokio::select! {
            biased;
            written = &mut writing => return written.map_err(|_| End::LOST),
            () = &mut timer => return Err(Close::GOING_AWAY.into()),
            () = connection.woken() => {
                if matches!(connection.phase(), Phase::Closing(_)) {
                    return match timeout(grace, writing).await {
                        Ok(Ok(())) => Ok(()),
                        Ok(Err(_)) | Err(_) => Err(End::LOST),
                    };
                }
            }
        }
    }
}

/// The close handshake, as far as the client plays along.
async fn hang_up(socket: &mut Socket, end: &End) -> Result<(), WsError> {
    match end.by {
        Side::Nobody => return Ok(()),
        Side::Client => {}
        Side::Gateway | Side::GatewayMidFrame => {
            let reason = Utf8Bytes::from(end.reason.as_ref());
            socket.send(Message::Close(Some(CloseFrame { code: end.code.into(), reason }))).await?;
        }
    }
    if end.by == Side::GatewayMidFrame {
        // Closing with unread bytes would reset the connection, and the client might never see the frame.
        let stream = socket.get_mut();
        stream.shutdown().await?;
        let mut ignored = [0; 1024];
        while stream.read(&mut ignored).await? > 0 {}
    } else {
        while let Some(frame) = socket.next().await {
            frame?;
        }
    }
    Ok(())
}

/// Tells `$disconnect`, once per connection that `$connect` accepted.
async fn disconnect(state: Arc<GatewayState>, connection: Arc<Connection>, end: End) {
    if let Some(integration) = &state.web_socket.disconnect {
        let stamp = state.stamp();
        let event = events::disconnect(state.stage(), &connection, &stamp, end.code, &end.reason);
        let fault = state.fault(&connection, InvokedRoute::Disconnect, &stamp);
        // Its answer goes nowhere, and `run` has logged a failure.
        let _ = state.invoke(fault, &**integration, event).await;
    }
}

/// Starts the handling of one message, without waiting for it: AWS gives no order.
///
/// What an integration does at once is done here, and only one that has to wait gets a task of its own: a
/// task would wake another thread for every message.
fn dispatch(state: &Arc<GatewayState>, connection: &Arc<Connection>, body: Utf8Bytes) {
    let Some(route) = state.web_socket.select(&body) else {
        let request_id = state.ids.short();
        return tell(connection, "Forbidden", &request_id);
    };
    let (state, connection, route) = (Arc::clone(state), Arc::clone(connection), route.clone());
    let in_flight = connection.begin_invocation(state.limits().in_flight_per_connection);
    let running = state.invocations.token();
    // The fault is asked for before anything is awaited, so messages are asked about in the order in which
    // they came.
    let stamp = state.stamp();
    let fault = state.fault(&connection, InvokedRoute::Message, &stamp);
    let mut handling = Box::pin(async move {
        let _guards = (running, in_flight);
        let message_id = state.ids.short();
        let body = body.as_str().to_owned();
        let event = events::message(state.stage(), &route.key, &connection, &stamp, message_id, body);
        let limit = state.limits().message_bytes;
        let outcome = state.invoke(fault, &*route.integration, event).await;
        match outcome.map(|answer| reply(answer, limit)) {
            Ok(Ok(Some(body))) if route.response == RouteResponse::Present => {
                // A client that left meanwhile gets no answer.
                let _ = connection.deliver(message(body), QueueLimit::None);
            }
            Ok(Ok(_)) => {}
            Ok(Err(Malformed)) | Err(_) => tell(&connection, "Internal server error", &stamp.request_id),
        }
    });
    if (&mut handling).now_or_never().is_none() {
        tokio::spawn(handling);
    }
}

impl WebSocketApi {
    fn select(&self, body: &str) -> Option<&Route> {
        action(body).and_then(|action| self.routes.get(&*action)).or(self.default_route.as_ref())
    }
}

/// `$request.body.action`, when the body is a JSON object and that is a string in it.
fn action(body: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Selector<'a> {
        #[serde(borrow)]
        action: Cow<'a, str>,
    }
    // serde also reads a struct from an array.
    if !body.trim_start().starts_with('{') {
        return None;
    }
    serde_json::from_str::<Selector<'_>>(body).ok().map(|selector| selector.action)
}

struct Malformed;

/// The body to send back, if there is one.
fn reply(answer: ApiGatewayProxyResponse, limit: usize) -> Result<Option<Bytes>, Malformed> {
    let body: Bytes = match answer.body {
        None | Some(EventBody::Empty) => return Ok(None),
        Some(EventBody::Text(text)) if answer.is_base64_encoded => {
            STANDARD.decode(text).map_err(|_| Malformed)?.into()
        }
        Some(EventBody::Text(text)) => text.into(),
        Some(EventBody::Binary(bytes)) => bytes.into(),
        Some(_) => return Err(Malformed),
    };
    if body.len() > limit { Err(Malformed) } else { Ok((!body.is_empty()).then_some(body)) }
}

fn tell(connection: &Connection, message: &str, request_id: &str) {
    let notice = to_json(&Notice { message, connection_id: &connection.id, request_id });
    // A client that left meanwhile is told nothing.
    let _ = connection.deliver(Message::text(notice), QueueLimit::None);
}
