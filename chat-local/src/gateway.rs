use apigw_local::{Connections, Gateway, RestApi, RouteResponse, WebSocketApi};
use chat_wire::table::{ACTIONS, ROUTES, Route};
use http::Method;

use crate::address::STAGE;
use crate::integrations::Integrations;

/// From how many bytes on the answer to a REST request is compressed; `deploy/template.yaml` says the same.
const MINIMUM_COMPRESSION_SIZE: u16 = 1024;

/// A gateway whose routes lead to the functions, as the deployed one's lead to Lambda.
pub(crate) fn gateway(connections: Connections, functions: Integrations) -> Gateway {
    let Integrations { connect, disconnect, send, history } = functions;
    let mut web_socket = WebSocketApi::new(STAGE)
        .connect(connect)
        .disconnect(disconnect)
        .default_route(send.clone(), RouteResponse::Present);
    for action in ACTIONS {
        web_socket = web_socket.route(action.name, send.clone(), RouteResponse::Present);
    }
    let mut rest = RestApi::new().minimum_compression_size(MINIMUM_COMPRESSION_SIZE);
    for Route { method, resource, .. } in ROUTES {
        rest =
            rest.method(method, resource, history.clone()).method(Method::OPTIONS, resource, history.clone());
    }
    Gateway::new(connections, web_socket, rest)
}
