//! What every part of the gateway shares, and the one place where integrations run.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use futures_util::FutureExt as _;
use tokio_util::task::TaskTracker;

use crate::connections::Connection;
use crate::events::Stamp;
use crate::faults::{killed_after, silence};
use crate::ids::Ids;
use crate::{
    Connections, IntegrationError, InvocationFault, InvokedRoute, Limits, RestApi, WebSocketApi,
    WebSocketIntegration,
};

/// What the WebSocket API, the REST API and `@connections` have in common.
pub(crate) struct GatewayState {
    pub(crate) connections: Connections,
    pub(crate) web_socket: WebSocketApi,
    pub(crate) rest: RestApi,
    pub(crate) ids: Ids,
    handshakes: AtomicU64,
    /// Invocations of integrations, and what they still have to deliver.
    pub(crate) invocations: TaskTracker,
    /// Connections, from the handshake to the end of `$disconnect`.
    pub(crate) sockets: TaskTracker,
}

impl GatewayState {
    pub(crate) fn new(connections: Connections, web_socket: WebSocketApi, rest: RestApi) -> Self {
        Self {
            connections,
            web_socket,
            rest,
            ids: Ids::new(),
            handshakes: AtomicU64::new(0),
            invocations: TaskTracker::new(),
            sockets: TaskTracker::new(),
        }
    }

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
