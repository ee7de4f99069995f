//! What API Gateway is to know of the wire format: the routes and the subprotocol.

use http::Method;

/// The WebSocket subprotocol: a client offers it, followed by its token, and the server selects it.
pub const SUBPROTOCOL: &str = "chat.v1";

/// The REST routes, as method and resource of API Gateway.
pub const REST_ROUTES: [(Method, &str); 5] = [
    (Method::GET, "/chat/history"),
    (Method::GET, "/chat/conversations"),
    (Method::POST, "/chat/uploads"),
    (Method::GET, "/chat/attachments/{key}"),
    (Method::POST, "/chat/proposals"),
];
