use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use axum::Router;
use axum::response::Response;
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use tokio_util::task::TaskTracker;

use crate::connections::{Close, Connection};
use crate::events::Stamp;
use crate::faults::{killed_after, silence};
use crate::ids::Ids;
use crate::{
    Connections, IntegrationError, InvocationFault, InvokedRoute, Limits, RestApi, WebSocketApi,
    WebSocketIntegration, management, rest, websocket,
};

/// One API Gateway with a WebSocket API and a REST API. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

/// What every part of the gateway needs.
pub(crate) struct Shared {
    pub(crate) connections: Connections,
    pub(crate) web_socket: WebSocketApi,
    pub(crate) rest: RestApi,
    pub(crate) ids: Ids,
    pub(crate) handshakes: AtomicU64,
    /// Invocations of integrations, and what they still have to deliver.
    pub(crate) invocations: TaskTracker,
    /// Connections, from the handshake to the end of `$disconnect`.
    pub(crate) sockets: TaskTracker,
}

impl Gateway {
    /// A gateway over these APIs. `connections` is the handle integrations push through.
    ///
    /// # Panics
    ///
    /// When the stage is not one plain path segment.
    pub fn new(connections: Connections, web_socket: WebSocketApi, rest: RestApi) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        assert!(
            !web_socket.stage.is_empty() && web_socket.stage.chars().all(plain),
            "a stage name has letters, digits, '-' and '_' only: {:?}",
            web_socket.stage
        );
        Self {
            shared: Arc::new(Shared {
                connections,
                web_socket,
                rest,
                ids: Ids::new(),
                handshakes: AtomicU64::new(0),
                invocations: TaskTracker::new(),
                sockets: TaskTracker::new(),
            }),
        }
    }

    /// The routes to serve: `/{stage}`, `/{stage}/@connections/{id}`, and everything below the first
    /// path segment of each REST resource. It has no fallback, so it merges with other routers.
    ///
    /// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`: without the peer's address,
    /// events say 127.0.0.1 and `@connections` cannot refuse callers from elsewhere.
    ///
    /// # Panics
    ///
    /// When a REST resource lies below the stage.
    pub fn router(&self) -> Router {
        websocket::router(&self.shared)
            .merge(management::router(&self.shared))
            .merge(rest::router(&self.shared))
            .with_state(Arc::clone(&self.shared))
    }

    /// The handle for pushing to clients within this process.
    pub fn connections(&self) -> Connections {
        self.shared.connections.clone()
    }

    /// Ends everything in an orderly way, and returns when nothing is left.
    ///
    /// New connections and REST requests get 503, open connections are not read any more. Running
    /// invocations finish, within the integration timeout, and what they push is delivered. Then every
    /// socket is closed with 1001, and its `$disconnect` runs. Stop the HTTP server after this, not before.
    pub async fn shutdown(&self) {
        let shared = &self.shared;
        shared.connections.stop_accepting();
        shared.invocations.close();
        shared.sockets.close();
        shared.invocations.wait().await;
        shared.connections.close_all(Close::GOING_AWAY);
        shared.sockets.wait().await;
        // A frame read just before the stop may have started one more invocation.
        shared.invocations.wait().await;
    }
}

impl Shared {
    pub(crate) fn limits(&self) -> &Limits {
        self.connections.limits()
    }

    pub(crate) fn stage(&self) -> &str {
        &self.web_socket.stage
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { now_millis: self.connections.now_millis(), request_id: self.ids.short() }
    }

    pub(crate) fn next_handshake(&self) -> u64 {
        self.handshakes.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What becomes of the next invocation for a connection.
    pub(crate) fn fault(
        &self,
        connection: &Connection,
        route: InvokedRoute,
        stamp: &Stamp,
    ) -> InvocationFault {
        let Some(faults) = self.connections.faults() else { return InvocationFault::None };
        faults.invocation(connection.number, route, &stamp.request_id)
    }

    /// Invokes an integration, or does what goes wrong with that.
    pub(crate) async fn invoke(
        &self,
        fault: InvocationFault,
        integration: &dyn WebSocketIntegration,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        match fault {
            InvocationFault::None => self.run(integration.invoke(event)).await,
            InvocationFault::Lost => Ok(silence()),
            InvocationFault::Late(delay) => {
                tokio::time::sleep(delay).await;
                self.run(integration.invoke(event)).await
            }
            InvocationFault::Twice => {
                let again = self.run(integration.invoke(event.clone()));
                tokio::join!(self.run(integration.invoke(event)), again).0
            }
            InvocationFault::Killed { waits } => {
                self.run(killed_after(waits, integration.invoke(event))).await
            }
            InvocationFault::AnswerLost => self.run(integration.invoke(event)).await.map(|_answer| silence()),
        }
    }

    /// The one place where an integration runs: bounded in time, its panics caught.
    pub(crate) async fn run(
        &self,
        invocation: impl Future<Output = Result<ApiGatewayProxyResponse, IntegrationError>>,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        let caught = AssertUnwindSafe(invocation).catch_unwind();
        let outcome = match tokio::time::timeout(self.limits().integration_timeout, caught).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => Err(IntegrationError::crashed(panic_message(&*panic))),
            Err(_elapsed) => Err(IntegrationError::TimedOut),
        };
        if let Err(error) = &outcome {
            let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            tracing::warn!(%error, source, "integration failed");
        }
        outcome
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}

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
