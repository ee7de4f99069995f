use async_trait::async_trait;
use aws_lambda_events::event::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use chat_domain::{ConnectionId, Correlation, Disconnect};
use http::StatusCode;

use super::{Counts, Handler, response};
use chat_wire::error::{ErrorCode, WireError};

/// The function behind `$disconnect`. Nobody hears its answer.
pub struct DisconnectFunction {
    disconnect: Disconnect,
    counts: Counts,
}

impl DisconnectFunction {
    /// Composes it.
    #[must_use]
    pub fn new(disconnect: Disconnect) -> Self {
        Self { disconnect, counts: Counts::default() }
    }

    /// Handles a `DISCONNECT` event.
    pub async fn handle(&self, event: &ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse {
        let context = &event.request_context;
        let request_id = context.request_id.clone().unwrap_or_default();
        let correlation = Correlation { request_id, message: None };
        let connection = ConnectionId::new(context.connection_id.as_deref().unwrap_or_default());
        match self.disconnect.execute(&connection).await {
            Ok(()) => {
                let request_id = correlation.request_id;
                tracing::info!(request_id, connection = connection.as_str(), "disconnected");
                response::status(StatusCode::OK)
            }
            Err(error) => self.refuse(&response::refuse(error, &correlation)),
        }
    }

    fn refuse(&self, error: &WireError) -> ApiGatewayProxyResponse {
        self.counts.answered(error);
        response::status(error.code.status())
    }
}

#[async_trait]
impl Handler for DisconnectFunction {
    type Event = ApiGatewayWebsocketProxyRequest;

    async fn handle(&self, event: &Self::Event) -> ApiGatewayProxyResponse {
        self.handle(event).await
    }

    fn given_up(&self, _: &Self::Event, code: ErrorCode) -> ApiGatewayProxyResponse {
        self.refuse(&WireError::fault(code))
    }

    fn counts(&self) -> &Counts {
        &self.counts
    }
}
