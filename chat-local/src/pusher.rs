use apigw_local::{Connections, PostError};
use async_trait::async_trait;
use chat_domain::{ConnectionId, Push, PushError, Pusher};
use chat_wire::frames::encode;

/// Pushes through the gateway in this process.
pub(crate) struct LocalPusher {
    connections: Connections,
}

impl LocalPusher {
    pub(crate) fn new(connections: Connections) -> Self {
        Self { connections }
    }
}

#[async_trait]
impl Pusher for LocalPusher {
    async fn push(&self, to: &ConnectionId, push: &Push) -> Result<(), PushError> {
        self.connections
            .post(to.as_str(), push.text(encode).to_owned())
            .map_err(|error| meaning("push", error))
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PushError> {
        self.connections.close(id.as_str()).map_err(|error| meaning("close", error))
    }
}

fn meaning(operation: &'static str, error: PostError) -> PushError {
    match error {
        PostError::Gone => PushError::Gone,
        PostError::PayloadTooLarge => PushError::TooLarge,
        PostError::LimitExceeded => PushError::Throttled,
        other => PushError::Unavailable { operation, source: other.into() },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use apigw_local::{
        Gateway, IntegrationError, Limits, RestApi, SystemClock, WebSocketApi, WebSocketIntegration,
    };
    use aws_lambda_events::event::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
    use chat_domain::conformance::PusherHarness;
    use futures_util::StreamExt;
    use tokio::sync::{Mutex, mpsc, oneshot};

    use super::*;

    /// Tells which connections open and close.
    struct Reporter(mpsc::UnboundedSender<ConnectionId>);

    #[async_trait]
    impl WebSocketIntegration for Reporter {
        async fn invoke(
            &self,
            event: ApiGatewayWebsocketProxyRequest,
        ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
            let id = event.request_context.connection_id.unwrap_or_default();
            self.0.send(ConnectionId::new(id)).map_err(IntegrationError::crashed)?;
            let mut response = ApiGatewayProxyResponse::default();
            response.status_code = 200;
            Ok(response)
        }
    }

    /// Real sockets at the other end of the gateway.
    struct Sockets {
        address: SocketAddr,
        pusher: LocalPusher,
        opened: Mutex<mpsc::UnboundedReceiver<ConnectionId>>,
        closed: Mutex<mpsc::UnboundedReceiver<ConnectionId>>,
        clients: Mutex<HashMap<ConnectionId, Client>>,
    }

    struct Client {
        received: Arc<AtomicUsize>,
        is_open: Arc<AtomicBool>,
        hang_up: Option<oneshot::Sender<()>>,
    }

    async fn fresh() -> Sockets {
        let connections = Connections::new(Limits::default(), Arc::new(SystemClock));
        let (opens, opened) = mpsc::unbounded_channel();
        let (closes, closed) = mpsc::unbounded_channel();
        let api = WebSocketApi::new("prod")
            .connect(Arc::new(Reporter(opens)))
            .disconnect(Arc::new(Reporter(closes)));
        let router = Gateway::new(connections.clone(), api, RestApi::new()).router();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(axum::serve(listener, service).into_future());
        Sockets {
            address,
            pusher: LocalPusher::new(connections),
            opened: Mutex::new(opened),
            closed: Mutex::new(closed),
            clients: Mutex::default(),
        }
    }

    #[async_trait]
    impl PusherHarness for Sockets {
        fn pusher(&self) -> &dyn Pusher {
            &self.pusher
        }

        async fn open(&self) -> ConnectionId {
            let url = format!("ws://{}/prod", self.address);
            let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
            let id = self.opened.lock().await.recv().await.unwrap();
            let (received, is_open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
            let (hang_up, hung_up) = oneshot::channel();
            let client =
                Client { received: received.clone(), is_open: is_open.clone(), hang_up: Some(hang_up) };
            self.clients.lock().await.insert(id.clone(), client);
            tokio::spawn(async move {
                let reading = async {
                    while let Some(Ok(message)) = socket.next().await {
                        if message.is_text() {
                            received.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                };
                tokio::select! {
                    () = reading => {}
                    _ = hung_up => {}
                }
                is_open.store(false, Ordering::Relaxed);
            });
            id
        }

        fn unknown(&self) -> ConnectionId {
            ConnectionId::new("AAAAAAAAAAAAAAA=")
        }

        async fn received(&self, id: &ConnectionId) -> usize {
            self.clients.lock().await[id].received.load(Ordering::Relaxed)
        }

        async fn is_open(&self, id: &ConnectionId) -> bool {
            self.clients.lock().await[id].is_open.load(Ordering::Relaxed)
        }

        async fn hang_up(&self, id: &ConnectionId) {
            let hang_up = self.clients.lock().await.get_mut(id).unwrap().hang_up.take().unwrap();
            hang_up.send(()).unwrap();
            assert_eq!(self.closed.lock().await.recv().await.as_ref(), Some(id));
        }
    }

    chat_domain::pusher_conformance!(fresh);
}
