use chat_domain::{AccessToken, Connect, ConnectCommand, ConnectionId, Correlation};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::{AllowedOrigins, Counts, Refused, UserTags, instant, response};
use crate::error::{ErrorCode, WireError};
use crate::table::SUBPROTOCOL;

/// A client that asks for a WebSocket: what a server knows of the handshake before it answers it.
#[derive(Clone, Copy, Debug)]
pub struct ConnectRequest<'a> {
    /// The name that the connection will have for as long as it lives. No other one may ever have it.
    pub connection: &'a str,
    /// The server's name for the request, which an error tells the client.
    pub request_id: &'a str,
    /// The headers of the handshake.
    pub headers: &'a HeaderMap,
    /// The network address that the client connects from, for the log; empty if it is not known.
    pub source: &'a str,
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

/// Decides whether a WebSocket opens. Ask it before the handshake is answered, and open the socket on 200
/// only.
pub struct ConnectHandler {
    connect: Connect,
    allowed_origins: AllowedOrigins,
    user_tags: UserTags,
    counts: Counts,
}

impl ConnectHandler {
    /// Composes the handler of its use case.
    #[must_use]
    pub fn new(connect: Connect, allowed_origins: AllowedOrigins) -> Self {
        Self { connect, allowed_origins, user_tags: UserTags::default(), counts: Counts::default() }
    }

    /// The same handler, which names users in its log.
    #[must_use]
    pub fn with_user_tags(self, user_tags: UserTags) -> Self {
        Self { user_tags, ..self }
    }

    /// Answers the handshake: 200 opens the socket, with the subprotocol that the response names, and
    /// anything else refuses it. The connection is stored before this returns, so whoever pushes to it from
    /// then on may find it not open yet.
    pub async fn answer(&self, request: &ConnectRequest<'_>) -> Response<String> {
        let correlation = request.correlation();
        // The address stands in the lines of this function alone, which are kept for a short time.
        let connecting = tracing::info_span!("connect", source = request.source);
        if self.allowed_origins.refuses(request.headers) {
            let error = WireError::new(ErrorCode::Unauthorized, "this web page may not use the chat");
            let error = connecting.in_scope(|| Refused::from(error).logged(&correlation, None));
            self.counts.answered(&error);
            return response::error(StatusCode::FORBIDDEN, error, &correlation);
        }
        let subprotocols = Subprotocols::of(request.headers);
        let (user, admitted) = self.admit(request, &subprotocols).await;
        match admitted {
            Ok(()) => {
                let (request_id, connection) = (request.request_id, request.connection);
                connecting.in_scope(|| tracing::info!(request_id, user, connection, "connected"));
                self.counts.connected();
                let mut response = response::status(StatusCode::OK);
                if subprotocols.offers_ours {
                    let ours = HeaderValue::from_static(SUBPROTOCOL);
                    response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, ours);
                }
                response
            }
            Err(refused) => {
                let error = connecting.in_scope(|| refused.logged(&correlation, user.as_deref()));
                self.refuse(error, &correlation)
            }
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

    /// What the log calls the user, if the token names one, and whether they come in.
    async fn admit(
        &self,
        request: &ConnectRequest<'_>,
        subprotocols: &Subprotocols<'_>,
    ) -> (Option<String>, Result<(), Refused>) {
        let command = match Self::command(request, subprotocols) {
            Ok(command) => command,
            Err(refused) => return (None, Err(refused)),
        };
        let identity = match self.connect.verify(&command).await {
            Ok(identity) => identity,
            Err(refused) => return (None, Err(refused.into())),
        };
        let opened = self.connect.open(command, &identity).await;
        (self.user_tags.of(identity.email()), opened.map_err(Refused::from))
    }

    fn command(
        request: &ConnectRequest<'_>,
        subprotocols: &Subprotocols<'_>,
    ) -> Result<ConnectCommand, Refused> {
        let in_query =
            || request.query.iter().find(|(name, _)| name == "token").map(|(_, token)| token.as_str());
        let token = subprotocols
            .token
            .or_else(in_query)
            .filter(|token| !token.is_empty())
            .ok_or_else(|| WireError::new(ErrorCode::Unauthorized, "a token is needed to connect"))?;
        if request.connection.is_empty() {
            return Err(WireError::bad_request("the request names no connection").into());
        }
        Ok(ConnectCommand {
            connection: ConnectionId::new(request.connection),
            token: AccessToken::new(token),
            connected_at: instant(request.connected_at_ms)?,
            now: instant(request.now_ms)?,
        })
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
