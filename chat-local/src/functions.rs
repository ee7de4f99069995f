use apigw_local::{Connections, Gateway, RestApi, RouteResponse, WebSocketApi};
use chat_wire::routes::REST_ROUTES;
use http::Method;

use crate::composition::Integrations;

/// The WebSocket API's stage, as the seed's URL has it.
pub(crate) const STAGE: &str = "prod";

/// The WebSocket routes beside `$connect`, `$disconnect` and `$default`.
const ACTIONS: [&str; 5] = ["sendMessage", "markRead", "typing", "ping", "reauth"];

/// A gateway whose routes lead to the functions, as the deployed one's lead to Lambda.
pub(crate) fn gateway(connections: Connections, functions: Integrations) -> Gateway {
    let Integrations { connect, disconnect, send, history } = functions;
    let mut web_socket = WebSocketApi::new(STAGE)
        .connect(connect)
        .disconnect(disconnect)
        .default_route(send.clone(), RouteResponse::Present);
    for action in ACTIONS {
        web_socket = web_socket.route(action, send.clone(), RouteResponse::Present);
    }
    let mut rest = RestApi::new();
    for (method, resource) in REST_ROUTES {
        rest =
            rest.method(method, resource, history.clone()).method(Method::OPTIONS, resource, history.clone());
    }
    Gateway::new(connections, web_socket, rest)
}
