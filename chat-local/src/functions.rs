use std::sync::Arc;

use apigw_local::{
    Connections, Gateway, RestApi, RestIntegration, RouteResponse, WebSocketApi, WebSocketIntegration,
};
use chat_lambda::functions::{Functions, REST_ROUTES};
use http::Method;

/// The WebSocket API's stage, as the seed's URL has it.
const STAGE: &str = "prod";

/// The WebSocket routes beside `$connect`, `$disconnect` and `$default`.
const ACTIONS: [&str; 5] = ["sendMessage", "markRead", "typing", "ping", "reauth"];

/// A gateway whose routes lead to the functions in this process, as the deployed one's lead to Lambda.
pub(crate) fn gateway(connections: Connections, functions: Functions) -> Gateway {
    let functions = Arc::new(functions);

    let function = functions.clone();
    let connect = move |event| {
        let function = function.clone();
        async move { Ok(function.connect.handle(event).await) }
    };
    let function = functions.clone();
    let disconnect = move |event| {
        let function = function.clone();
        async move { Ok(function.disconnect.handle(event).await) }
    };
    let function = functions.clone();
    let send: Arc<dyn WebSocketIntegration> = Arc::new(move |event| {
        let function = function.clone();
        async move { Ok(function.send.handle(event).await) }
    });
    let history: Arc<dyn RestIntegration> = Arc::new(move |event| {
        let function = functions.clone();
        async move { Ok(function.history.handle(event).await) }
    });

    let mut web_socket = WebSocketApi::new(STAGE)
        .connect(Arc::new(connect))
        .disconnect(Arc::new(disconnect))
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
