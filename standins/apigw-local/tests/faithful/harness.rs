use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use apigw_local::{
    Clock, Connections, Gateway, IntegrationError, Limits, RestApi, RestIntegration, WebSocketApi,
    WebSocketIntegration,
};
use async_trait::async_trait;
use aws_lambda_events::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture};
use http::{HeaderMap, Method, Request, StatusCode};
use hyper::service::Service as _;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::DuplexStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

pub(crate) type Event = ApiGatewayWebsocketProxyRequest;
pub(crate) type Outcome = Result<ApiGatewayProxyResponse, IntegrationError>;
pub(crate) type Client = WebSocketStream<DuplexStream>;

/// When the tests take place: 2022-02-22T19:07:37.902Z, the moment of AWS's own example event.
pub(crate) const NOON: i64 = 1_645_556_857_902;
/// Longer than any limit, in virtual time.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
/// Of the in-memory wire, in bytes.
const WIRE_BYTES: usize = 16 * 1024;

/// Shows virtual time to events.
struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now_millis(&self) -> i64 {
        NOON + i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

pub(crate) struct Rig {
    pub(crate) gateway: Gateway,
    pub(crate) connections: Connections,
    pub(crate) router: Router,
}

pub(crate) fn connections(limits: Limits) -> Connections {
    Connections::new(limits, Arc::new(PausedClock(Instant::now())))
}

/// A gateway with the default limits.
pub(crate) fn rig(api: WebSocketApi) -> Rig {
    rig_of(connections(Limits::default()), api, RestApi::new())
}

pub(crate) fn rig_of(connections: Connections, api: WebSocketApi, rest: RestApi) -> Rig {
    let gateway = Gateway::new(connections.clone(), api, rest);
    let router = gateway.router();
    Rig { gateway, connections, router }
}

pub(crate) fn prod() -> WebSocketApi {
    WebSocketApi::new("prod")
}

impl Rig {
    /// The same gateway, called from this address.
    pub(crate) fn from(mut self, address: &str) -> Self {
        let address: SocketAddr = address.parse().unwrap();
        self.router = self.router.layer(Extension(ConnectInfo(address)));
        self
    }

    /// Opens a wire to a server in memory.
    pub(crate) fn wire(&self) -> DuplexStream {
        let (client, server) = tokio::io::duplex(WIRE_BYTES);
        let service = TowerToHyperService::new(self.router.clone());
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(server), service)
                .with_upgrades(),
        );
        client
    }

    pub(crate) async fn connect(&self) -> Client {
        self.try_connect("/prod", &[]).await.unwrap().0
    }

    /// The client and the headers of the 101, or the refusal.
    pub(crate) async fn try_connect(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Client, HeaderMap), (StatusCode, serde_json::Value)> {
        let mut request = format!("ws://local.test:8080{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        match client_async(request, self.wire()).await {
            Ok((client, response)) => Ok((client, response.headers().clone())),
            Err(WsError::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                Err((response.status(), serde_json::from_slice(&body).unwrap_or_default()))
            }
            Err(error) => panic!("handshake: {error}"),
        }
    }

    pub(crate) async fn http(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Body>,
    ) -> (StatusCode, HeaderMap, Bytes) {
        let request = Request::builder().method(method).uri(path).header("host", "local.test:8080");
        self.request(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn request(&self, request: Request<Body>) -> (StatusCode, HeaderMap, Bytes) {
        let service = TowerToHyperService::new(self.router.clone());
        let (parts, body) = service.call(request).await.unwrap().into_parts();
        (parts.status, parts.headers, to_bytes(body, usize::MAX).await.unwrap())
    }
}

/// The result of a future that must come in a day of virtual time.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("nothing happened for a day")
}

/// The next text frame.
pub(crate) async fn text(client: &mut Client) -> String {
    match soon(client.next()).await {
        Some(Ok(Message::Text(text))) => text.as_str().to_owned(),
        other => panic!("expected a text frame, got {other:?}"),
    }
}

pub(crate) async fn json(client: &mut Client) -> serde_json::Value {
    serde_json::from_str(&text(client).await).unwrap()
}

/// Reads up to the close frame: its code and reason.
pub(crate) async fn closed(client: &mut Client) -> (u16, String) {
    loop {
        match soon(client.next()).await {
            Some(Ok(Message::Close(Some(frame)))) => {
                return (frame.code.into(), frame.reason.as_str().to_owned());
            }
            Some(Ok(_)) => {}
            other => panic!("expected a close frame, got {other:?}"),
        }
    }
}

/// The connection id of a client, asked of a gateway with a single connection's CONNECT event.
pub(crate) fn id(event: &Event) -> String {
    event.request_context.connection_id.clone().unwrap()
}

pub(crate) fn answer(status: i64, body: &str) -> ApiGatewayProxyResponse {
    let mut answer = ApiGatewayProxyResponse::default();
    answer.status_code = status;
    answer.body = (!body.is_empty()).then(|| body.into());
    answer
}

pub(crate) fn crash() -> Outcome {
    Err(IntegrationError::crashed("killed"))
}

struct Handler<E>(Box<dyn Fn(E) -> BoxFuture<'static, Outcome> + Send + Sync>);

#[async_trait]
impl WebSocketIntegration for Handler<Event> {
    async fn invoke(&self, event: Event) -> Outcome {
        (self.0)(event).await
    }
}

#[async_trait]
impl RestIntegration for Handler<ApiGatewayProxyRequest> {
    async fn invoke(&self, event: ApiGatewayProxyRequest) -> Outcome {
        (self.0)(event).await
    }
}

/// An integration from an async closure.
pub(crate) fn handler<F>(handle: impl Fn(Event) -> F + Send + Sync + 'static) -> Arc<dyn WebSocketIntegration>
where
    F: Future<Output = Outcome> + Send + 'static,
{
    Arc::new(Handler(Box::new(move |event| handle(event).boxed())))
}

pub(crate) fn rest_handler<F>(
    handle: impl Fn(ApiGatewayProxyRequest) -> F + Send + Sync + 'static,
) -> Arc<dyn RestIntegration>
where
    F: Future<Output = Outcome> + Send + 'static,
{
    Arc::new(Handler(Box::new(move |event| handle(event).boxed())))
}

/// Always the same answer.
pub(crate) fn answering(status: i64, body: &'static str) -> Arc<dyn WebSocketIntegration> {
    handler(move |_| async move { Ok(answer(status, body)) })
}

/// Answers 200 and passes its events on.
pub(crate) fn recording() -> (Arc<dyn WebSocketIntegration>, UnboundedReceiver<Event>) {
    let (sender, receiver) = unbounded_channel();
    let integration = handler(move |event| {
        sender.send(event).unwrap();
        async { Ok(answer(200, "")) }
    });
    (integration, receiver)
}
