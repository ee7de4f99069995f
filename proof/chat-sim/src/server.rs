//! What the gateway calls: the real functions, or, for the bug bank, others in the place of some.

use std::sync::Arc;

use aws_lambda_events::event::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
};
use chat_domain::{AccessChange, ChangeAccess, ChatError, Connect, CutConnections, Email, Timestamp};
use chat_lambda::GatewayFunction as _;
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
    /// What no gateway sends: whoever runs the chat gives an order about a user.
    Operate(Order, Email, Timestamp),
}

/// What whoever runs the chat does about a user, one step at a time, as `chat-admin` does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The user is suspended, and their connections that are listed end.
    Suspend,
    /// Their connections end that are listed once the index has caught up.
    Disconnect,
    /// The user is admitted again.
    Resume,
}

/// A handler that runs.
pub(crate) type Running = BoxFuture<'static, ApiGatewayProxyResponse>;

/// A warm process, which handles events and may remember things between them.
pub(crate) trait Server: Send + Sync {
    fn handle(&self, event: GatewayEvent) -> Running;

    /// Whether it counts all that a user asks. What stands in the place of one handler alone does not.
    fn counts_requests(&self) -> bool {
        true
    }
}

/// Starts a process over the ports of an environment.
pub(crate) type Build = fn(&SharedEnvironment) -> Box<dyn Server>;

/// The functions that are deployed, without a bug.
pub(crate) struct Real {
    chat: Arc<Chat>,
    operator: Arc<Operator>,
}

/// The two use cases by which `chat-admin` keeps a user out.
struct Operator {
    access: ChangeAccess,
    cut: CutConnections,
}

impl Real {
    /// The real functions over some ports.
    pub(crate) fn over(ports: &Ports, settings: &Settings) -> Self {
        let operator = Operator {
            access: ChangeAccess::new(ports.users.clone()),
            cut: CutConnections::new(ports.connections.clone(), ports.pusher.clone()),
        };
        Self { chat: Arc::new(Chat::new(ports, settings)), operator: Arc::new(operator) }
    }

    /// Replaces what handles `$connect`.
    pub(crate) fn connecting_by(self, connect: Connect) -> Self {
        let settings = Settings::default();
        let connect = ConnectHandler::new(connect, settings.allowed_origins);
        let chat = Arc::into_inner(self.chat).expect("nobody else has it yet");
        Self { chat: Arc::new(Chat { connect, ..chat }), ..self }
    }

    pub(crate) fn build(shared: &SharedEnvironment) -> Box<dyn Server> {
        let settings = shared.environment().settings();
        Box::new(Self::over(&shared.ports(), &settings))
    }
}

impl Server for Real {
    fn handle(&self, event: GatewayEvent) -> Running {
        let chat = Arc::clone(&self.chat);
        match event {
            GatewayEvent::Connect(event) => Box::pin(async move { chat.connect.handle(&event).await }),
            GatewayEvent::Disconnect(event) => Box::pin(async move { chat.disconnect.handle(&event).await }),
            GatewayEvent::Frame(event) => Box::pin(async move { chat.frames.handle(&event).await }),
            GatewayEvent::Rest(event) => Box::pin(async move { chat.rest.handle(&event).await }),
            GatewayEvent::Operate(order, user, now) => {
                let operator = Arc::clone(&self.operator);
                Box::pin(async move { receipt(operator.carry_out(order, &user, now).await.is_ok()) })
            }
        }
    }
}

impl Operator {
    async fn carry_out(&self, order: Order, user: &Email, now: Timestamp) -> Result<(), ChatError> {
        match order {
            Order::Suspend => {
                self.access.execute(user, &AccessChange::Suspend, now).await?;
                self.cut.execute(user).await?;
            }
            Order::Disconnect => drop(self.cut.execute(user).await?),
            Order::Resume => drop(self.access.execute(user, &AccessChange::Resume, now).await?),
        }
        Ok(())
    }
}

/// What whoever gave an order is told.
pub(crate) fn receipt(is_done: bool) -> ApiGatewayProxyResponse {
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = if is_done { 200 } else { 500 };
    response
}
