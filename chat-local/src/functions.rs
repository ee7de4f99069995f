use std::sync::Arc;

use apigw_local::{
    Gateway, IntegrationError, RestApi, RestIntegration, RouteResponse, WebSocketApi, WebSocketIntegration,
};
use async_trait::async_trait;
use aws_lambda_events::event::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
};
use chat_lambda::functions::{
    ConnectFunction, DisconnectFunction, Functions, HistoryFunction, REST_ROUTES, SendFunction,
};
use http::Method;

use apigw_local::Connections;

/// The WebSocket API's stage, as the seed's URL has it.
const STAGE: &str = "prod";

/// The WebSocket routes beside `$connect`, `$disconnect` and `$default`.
const ACTIONS: [&str; 5] = ["sendMessage", "markRead", "typing", "ping", "reauth"];

/// A gateway whose routes lead to the functions in this process, as the deployed one's lead to Lambda.
pub(crate) fn gateway(connections: Connections, functions: Functions) -> Gateway {
    let send = Arc::new(Send(functions.send));
    let mut web_socket = WebSocketApi::new(STAGE)
        .connect(Arc::new(Connect(functions.connect)))
        .disconnect(Arc::new(Disconnect(functions.disconnect)))
        .default_route(send.clone(), RouteResponse::Present);
    for action in ACTIONS {
        web_socket = web_socket.route(action, send.clone(), RouteResponse::Present);
    }

    let history = Arc::new(History(functions.history));
    let mut rest = RestApi::new();
    for (method, resource) in REST_ROUTES {
        rest =
            rest.method(method, resource, history.clone()).method(Method::OPTIONS, resource, history.clone());
    }
    Gateway::new(connections, web_socket, rest)
}

struct Connect(ConnectFunction);
struct Disconnect(DisconnectFunction);
struct Send(SendFunction);
struct History(HistoryFunction);

#[async_trait]
impl WebSocketIntegration for Connect {
    async fn invoke(
        &self,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        Ok(self.0.handle(event).await)
    }
}

#[async_trait]
impl WebSocketIntegration for Disconnect {
    async fn invoke(
        &self,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        Ok(self.0.handle(event).await)
    }
}

#[async_trait]
impl WebSocketIntegration for Send {
    async fn invoke(
        &self,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        Ok(self.0.handle(event).await)
    }
}

#[async_trait]
impl RestIntegration for History {
    async fn invoke(
        &self,
        event: ApiGatewayProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        Ok(self.0.handle(event).await)
    }
}
