//! What the gateway calls: the real functions, or, for the bug bank, others in the place of some.

use std::sync::Arc;

use aws_lambda_events::event::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
};
use chat_domain::Connect;
use chat_lambda::Function as _;
use chat_wire::{Chat, ConnectHandler, Ports, Settings};
use futures_util::future::BoxFuture;

use crate::ports::SharedEnvironment;

/// An event as the gateway sends it.
#[derive(Clone, Debug)]
pub(crate) enum GatewayEvent {
    Connect(Box<ApiGatewayWebsocketProxyRequest>),
    Disconnect(Box<ApiGatewayWebsocketProxyRequest>),
    Frame(Box<ApiGatewayWebsocketProxyRequest>),
    Rest(Box<ApiGatewayProxyRequest>),
}

/// A handler that runs.
pub(crate) type Running = BoxFuture<'static, ApiGatewayProxyResponse>;

/// A warm process, which handles events and may remember things between them.
pub(crate) trait Server: Send + Sync {
    fn handle(&self, event: GatewayEvent) -> Running;
}

/// Starts a process over the ports of an environment.
pub(crate) type Build = fn(&SharedEnvironment) -> Box<dyn Server>;

/// The functions that are deployed, without a bug.
pub(crate) struct Real(Arc<Chat>);

impl Real {
    /// The real functions over some ports.
    pub(crate) fn over(ports: &Ports) -> Self {
        Self(Arc::new(Chat::new(ports, &Settings::default())))
    }

    /// Replaces what handles `$connect`.
    pub(crate) fn connecting_by(self, connect: Connect) -> Self {
        let settings = Settings::default();
        let connect = ConnectHandler::new(connect, settings.allowed_origins);
        let chat = Arc::into_inner(self.0).expect("nobody else has it yet");
        Self(Arc::new(Chat { connect, ..chat }))
    }

    pub(crate) fn build(shared: &SharedEnvironment) -> Box<dyn Server> {
        Box::new(Self::over(&shared.ports()))
    }
}

impl Server for Real {
    fn handle(&self, event: GatewayEvent) -> Running {
        let chat = Arc::clone(&self.0);
        match event {
            GatewayEvent::Connect(event) => Box::pin(async move { chat.connect.handle(&event).await }),
            GatewayEvent::Disconnect(event) => Box::pin(async move { chat.disconnect.handle(&event).await }),
            GatewayEvent::Frame(event) => Box::pin(async move { chat.frames.handle(&event).await }),
            GatewayEvent::Rest(event) => Box::pin(async move { chat.rest.handle(&event).await }),
        }
    }
}
