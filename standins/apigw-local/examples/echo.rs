//! An echo service: `cargo run -p apigw-local --example echo`, then connect to `ws://127.0.0.1:8081/prod`
//! and send `{"action":"echo"}`.

use std::net::SocketAddr;
use std::sync::Arc;

use apigw_local::{
    Connections, Gateway, IntegrationError, Limits, RestApi, RouteResponse, SystemClock, WebSocketApi,
    WebSocketIntegration,
};
use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;

struct Echo;

#[async_trait::async_trait]
impl WebSocketIntegration for Echo {
    async fn invoke(
        &self,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        let mut answer = ApiGatewayProxyResponse::default();
        answer.status_code = 200;
        answer.body = event.body.map(Into::into);
        Ok(answer)
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let connections = Connections::new(Limits::default(), Arc::new(SystemClock));
    let api = WebSocketApi::new("prod").route("echo", Arc::new(Echo), RouteResponse::Present);
    let gateway = Gateway::new(connections, api, RestApi::new());

    let listener = TcpListener::bind("127.0.0.1:8081").await?.tap_io(|stream| {
        // Small frames must not wait for one another.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, gateway.router().into_make_service_with_connect_info::<SocketAddr>()).await
}
