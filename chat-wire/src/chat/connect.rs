use chat_domain::{AccessToken, Connect, ConnectCommand, ConnectionId, Correlation};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::{AllowedOrigins, Counts, Refused, instant, response};
use crate::error::{ErrorCode, WireError};
use crate::table::SUBPROTOCOL;

/// A client that asks for a WebSocket.
#[derive(Clone, Copy, Debug)]
pub struct ConnectRequest<'a> {
    /// The name that the connection will have for as long as it lives. No other one may ever have it.
    pub connection: &'a str,
    /// The server's name for the request, which an error tells the client.
    pub request_id: &'a str,
    /// The headers of the handshake.
    pub headers: &'a HeaderMap,
    /// The parameters of the query string, decoded.
    pub query: &'a [(String, String)],
    /// When the client began to connect, in milliseconds since 1970.
    pub connected_at_ms: i64,
    /// When the request was received, in milliseconds since 1970.
    pub now_ms: i64,
}

impl ConnectRequest<'_> {
    fn correlation(&self) -> Correlation {
        Correlation { request_id: self.request_id.to_owned(), message: None }
    }
}

/// Decides whether a WebSocket opens.
pub struct ConnectHandler {
    connect: Connect,
    allowed_origins: AllowedOrigins,
    counts: Counts,
}

impl ConnectHandler {
    /// Composes the handler of its use case.
    #[must_use]
    pub fn new(connect: Connect, allowed_origins: AllowedOrigins) -> Self {
        Self { connect, allowed_origins, counts: Counts::default() }
    }

    /// Answers the handshake: 200 opens the socket, with the subprotocol that the response names, and
    /// anything else refuses it. The connection is stored before this returns, so whoever pushes to it from
    /// then on may find it not open yet.
    pub async fn answer(&self, request: &ConnectRequest<'_>) -> Response<String> {
        let correlation = request.correlation();
        if self.allowed_origins.refuses(request.headers) {
            let error = WireError::new(ErrorCode::Unauthorized, "this web page may not use the chat");
            return response::error(StatusCode::FORBIDDEN, error, &correlation);
        }
        let subprotocols = Subprotocols::of(request.headers);
        match self.admit(request, &subprotocols).await {
            Ok(()) => {
                let (request_id, connection) = (request.request_id, request.connection);
                tracing::info!(request_id, connection, "connected");
                let mut response = response::status(StatusCode::OK);
                if subprotocols.offers_ours {
                    let ours = HeaderValue::from_static(SUBPROTOCOL);
                    response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, ours);
                }
                response
            }
            Err(refused) => self.refuse(refused.logged(&correlation), &correlation),
        }
    }

    /// What to answer when answering was given up: it panicked, or took too long. Nobody knows what it has
    /// done by then, so the code is one that says so.
    #[must_use]
    pub fn given_up(&self, request: &ConnectRequest<'_>, code: ErrorCode) -> Response<String> {
        self.refuse(WireError::fault(code), &request.correlation())
    }

    /// What the handler has counted so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    fn refuse(&self, error: WireError, correlation: &Correlation) -> Response<String> {
        self.counts.answered(&error);
        response::error(error.code.status(), error, correlation)
    }

    async fn admit(
        &self,
        request: &ConnectRequest<'_>,
        subprotocols: &Subprotocols<'_>,
    ) -> Result<(), Refused> {
        let in_query =
            || request.query.iter().find(|(name, _)| name == "token").map(|(_, token)| token.as_str());
        let token = subprotocols
            .token
            .or_else(in_query)
            .filter(|token| !token.is_empty())
            .ok_or_else(|| WireError::new(ErrorCode::Unauthorized, "a token is needed to connect"))?;
        if request.connection.is_empty() {
            return Err(WireError::bad_request("the event names no connection").into());
        }
        let command = ConnectCommand {
            connection: ConnectionId::new(request.connection),
            token: AccessToken::new(token),
            connected_at: instant(request.connected_at_ms)?,
            now: instant(request.now_ms)?,
        };
        self.connect.execute(command).await?;
        Ok(())
    }
}

/// What a client offers in `Sec-WebSocket-Protocol`: `chat.v1`, and behind it the token. A token there stays
/// out of URLs, which get logged.
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
