use std::sync::Arc;

use aws_lambda_events::event::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use chat_domain::{ConnectionId, Correlation, Disconnect, Identify};
use http::StatusCode;

use super::{Ports, response};

/// The function behind `$disconnect`. Nobody hears its answer.
pub struct DisconnectFunction {
    disconnect: Disconnect,
}

impl DisconnectFunction {
    /// Composes it.
    #[must_use]
    pub fn new(ports: &Ports, identify: Arc<Identify>) -> Self {
        Self { disconnect: Disconnect::new(ports.connections.clone(), identify) }
    }

    /// Handles a `DISCONNECT` event.
    pub async fn handle(&self, event: ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse {
        let context = event.request_context;
        let correlation = Correlation { request_id: context.request_id.unwrap_or_default(), message: None };
        let connection = ConnectionId::new(context.connection_id.unwrap_or_default());
        match self.disconnect.execute(&connection).await {
            Ok(()) => response::status(StatusCode::OK),
            Err(error) => response::status(response::refuse(error, &correlation).code.status()),
        }
    }
}
