use std::sync::Arc;

use axum::Router;

use crate::connections::Close;
use crate::state::GatewayState;
use crate::{Connections, RestApi, WebSocketApi, management, rest, websocket};

/// One API Gateway with a WebSocket API and a REST API. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    state: Arc<GatewayState>,
}

impl Gateway {
    /// A gateway over these APIs. `connections` is the handle integrations push through.
    ///
    /// # Panics
    ///
    /// When the stage is not one plain path segment.
    pub fn new(connections: Connections, web_socket: WebSocketApi, rest: RestApi) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        assert!(
            !web_socket.stage.is_empty() && web_socket.stage.chars().all(plain),
            "a stage name has letters, digits, '-' and '_' only: {:?}",
            web_socket.stage
        );
        Self { state: Arc::new(GatewayState::new(connections, web_socket, rest)) }
    }

    /// The routes to serve: `/{stage}`, `/{stage}/@connections/{id}`, and everything below the first
    /// path segment of each REST resource. It has no fallback, so it merges with other routers.
    ///
    /// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`: without the peer's address,
    /// events say 127.0.0.1 and `@connections` cannot refuse callers from elsewhere.
    ///
    /// # Panics
    ///
    /// When a REST resource lies below the stage.
    pub fn router(&self) -> Router {
        websocket::router(&self.state)
            .merge(management::router(&self.state))
            .merge(rest::router(&self.state))
            .with_state(Arc::clone(&self.state))
    }

    /// The handle for pushing to clients within this process.
    pub fn connections(&self) -> Connections {
        self.state.connections.clone()
    }

    /// Ends everything in an orderly way, and returns when nothing is left.
    ///
    /// New connections and REST requests get 503, open connections are not read any more. Running
    /// invocations finish, within the integration timeout, and what they push is delivered. Then every
    /// socket is closed with 1001, and its `$disconnect` runs. Stop the HTTP server after this, not before.
    pub async fn shutdown(&self) {
        let state = &self.state;
        state.connections.stop_accepting();
        state.invocations.close();
        state.sockets.close();
        state.invocations.wait().await;
        state.connections.close_all(Close::GOING_AWAY);
        state.sockets.wait().await;
        // A frame read just before the stop may have started one more invocation.
        state.invocations.wait().await;
    }
}
