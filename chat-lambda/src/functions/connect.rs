use async_trait::async_trait;
use aws_lambda_events::event::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use chat_domain::{AccessToken, Connect, ConnectCommand, ConnectionId, Correlation};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::{AllowedOrigins, Counts, Handler, response, time};
use chat_wire::error::{ErrorCode, WireError};
use chat_wire::table::SUBPROTOCOL;

/// The function behind `$connect`: 200 opens the socket, anything else refuses it.
pub struct ConnectFunction {
    connect: Connect,
    allowed_origins: AllowedOrigins,
    counts: Counts,
}

impl ConnectFunction {
    /// Composes it.
    #[must_use]
    pub fn new(connect: Connect, allowed_origins: AllowedOrigins) -> Self {
        Self { connect, allowed_origins, counts: Counts::default() }
    }

    /// Handles a `CONNECT` event.
    pub async fn handle(&self, event: &ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse {
        let correlation = correlation(event);
        if self.allowed_origins.refuses(&event.headers) {
            let error = WireError::new(ErrorCode::Unauthorized, "this web page may not use the chat");
            return response::error(StatusCode::FORBIDDEN, error, &correlation);
        }
        let subprotocols = Subprotocols::of(&event.headers);
        match self.admit(event, &subprotocols, &correlation).await {
            Ok(()) => {
                let mut response = response::status(StatusCode::OK);
                if subprotocols.offers_ours {
                    let ours = HeaderValue::from_static(SUBPROTOCOL);
                    response.headers.insert(SEC_WEBSOCKET_PROTOCOL, ours);
                }
                response
            }
            Err(error) => self.refuse(error, &correlation),
        }
    }

    fn refuse(&self, error: WireError, correlation: &Correlation) -> ApiGatewayProxyResponse {
        self.counts.answered(&error);
        response::error(error.code.status(), error, correlation)
    }

    async fn admit(
        &self,
        event: &ApiGatewayWebsocketProxyRequest,
        subprotocols: &Subprotocols<'_>,
        correlation: &Correlation,
    ) -> Result<(), WireError> {
        let context = &event.request_context;
        let token = subprotocols
            .token
            .or_else(|| event.query_string_parameters.first("token"))
            .filter(|token| !token.is_empty())
            .ok_or_else(|| WireError::new(ErrorCode::Unauthorized, "a token is needed to connect"))?;
        let connection = context
            .connection_id
            .as_deref()
            .ok_or_else(|| WireError::bad_request("the event names no connection"))?;
        let command = ConnectCommand {
            connection: ConnectionId::new(connection),
            token: AccessToken::new(token),
            connected_at: time(context.connected_at)?,
            now: time(context.request_time_epoch)?,
        };
        match self.connect.execute(command).await {
            Ok(_) => {
                tracing::info!(request_id = correlation.request_id, connection, "connected");
                Ok(())
            }
            Err(error) => Err(response::refuse(error, correlation)),
        }
    }
}

fn correlation(event: &ApiGatewayWebsocketProxyRequest) -> Correlation {
    let request_id = event.request_context.request_id.clone().unwrap_or_default();
    Correlation { request_id, message: None }
}

#[async_trait]
impl Handler for ConnectFunction {
    type Event = ApiGatewayWebsocketProxyRequest;

    async fn handle(&self, event: &Self::Event) -> ApiGatewayProxyResponse {
        self.handle(event).await
    }

    fn given_up(&self, event: &Self::Event, code: ErrorCode) -> ApiGatewayProxyResponse {
        self.refuse(WireError::fault(code), &correlation(event))
    }

    fn counts(&self) -> &Counts {
        &self.counts
    }
}

/// What a client offers in `Sec-WebSocket-Protocol`: `chat.v1`, and behind it the token. A token there stays out of URLs, which
/// get logged.
struct Subprotocols<'a> {
    offers_ours: bool,
    token: Option<&'a str>,
}

impl<'a> Subprotocols<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let offered: Vec<&str> = headers
            .get_all(SEC_WEBSOCKET_PROTOCOL)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        let ours = offered.iter().position(|offer| *offer == SUBPROTOCOL);
        Self { offers_ours: ours.is_some(), token: ours.and_then(|place| offered.get(place + 1)).copied() }
    }
}
