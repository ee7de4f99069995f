//! The pusher keeps the contract of its port, over real sockets; and what each answer of the gateway means.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod conformance {
    use std::collections::HashMap;
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use apigw_local::{
        Connections, Gateway, IntegrationError, Limits, RestApi, SystemClock, WebSocketApi,
        WebSocketIntegration,
    };
    use async_trait::async_trait;
    use aws_lambda_events::event::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
    use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Builder, Credentials, Region};
    use chat_adapters_aws::ApiGatewayPusher;
    use chat_domain::conformance::PusherHarness;
    use chat_domain::{ConnectionId, Event, Pusher};
    use futures_util::StreamExt as _;
    use tokio::sync::{Mutex, mpsc, oneshot};

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

    /// A gateway behind a socket, and clients that are connected to it.
    struct Sockets {
        address: SocketAddr,
        pusher: ApiGatewayPusher,
        opened: Mutex<mpsc::UnboundedReceiver<ConnectionId>>,
        closed: Mutex<mpsc::UnboundedReceiver<ConnectionId>>,
        clients: Mutex<HashMap<ConnectionId, Browser>>,
    }

    struct Browser {
        received: Arc<AtomicUsize>,
        is_open: Arc<AtomicBool>,
        hang_up: Option<oneshot::Sender<()>>,
    }

    fn encode(event: &Event) -> String {
        format!("{event:?}")
    }

    async fn fresh() -> Sockets {
        let (opens, opened) = mpsc::unbounded_channel();
        let (closes, closed) = mpsc::unbounded_channel();
        let api = WebSocketApi::new("prod")
            .connect(Arc::new(Reporter(opens)))
            .disconnect(Arc::new(Reporter(closes)));
        let connections = Connections::new(Limits::default(), Arc::new(SystemClock));
        let router = Gateway::new(connections, api, RestApi::new()).router();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(axum::serve(listener, service).into_future());

        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(format!("http://{address}/prod"))
            .region(Region::from_static("ap-northeast-2"))
            .credentials_provider(Credentials::for_tests());
        Sockets {
            address,
            pusher: ApiGatewayPusher::new(config, encode),
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
            let browser =
                Browser { received: received.clone(), is_open: is_open.clone(), hang_up: Some(hang_up) };
            self.clients.lock().await.insert(id.clone(), browser);
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

        /// With the characters that have to be escaped in a URL.
        fn unknown(&self) -> ConnectionId {
            ConnectionId::new("L0SM9+O/vHcCIhw=")
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

mod errors {
    use aws_sdk_apigatewaymanagement::Client;
    use aws_sdk_apigatewaymanagement::config::Builder;
    use aws_sdk_apigatewaymanagement::config::http::HttpResponse;
    use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionOutput;
    use aws_smithy_http_client::test_util::NeverClient;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use chat_adapters_aws::ApiGatewayPusher;
    use chat_domain::{ConnectionId, Email, Event, PushError, Pusher, RoomId};

    fn answer(status: u16, code: &'static str) -> HttpResponse {
        let mut response = HttpResponse::new(status.try_into().unwrap(), "{\"message\":\"no\"}".into());
        response.headers_mut().insert("x-amzn-errortype", code);
        response
    }

    fn pusher(rule: &Rule) -> ApiGatewayPusher {
        let client = mock_client!(aws_sdk_apigatewaymanagement, RuleMode::MatchAny, [rule]);
        ApiGatewayPusher::new(client.config().to_builder(), |_| "a frame".to_owned())
    }

    fn id() -> ConnectionId {
        ConnectionId::new("L0SM9cOFvHcCIhw=")
    }

    fn typing() -> Event {
        let (minji, junho): (Email, Email) =
            ("minji@example.com".parse().unwrap(), "junho@example.com".parse().unwrap());
        Event::Typing { room: RoomId::new(&minji, &junho).unwrap(), sender: minji }
    }

    /// What comes of a push and of a close that are answered so, and how often each was tried.
    async fn answered(status: u16, code: &'static str) -> [(Result<(), PushError>, usize); 2] {
        let post = mock!(Client::post_to_connection).then_http_response(move || answer(status, code));
        let delete = mock!(Client::delete_connection).then_http_response(move || answer(status, code));
        let pushed = pusher(&post).push(&id(), &typing().into()).await;
        let closed = pusher(&delete).close(&id()).await;
        [(pushed, post.num_calls()), (closed, delete.num_calls())]
    }

    #[tokio::test]
    async fn the_frame_and_its_connection_are_posted_as_they_are() {
        let rule = mock!(Client::post_to_connection)
            .match_requests(|post| {
                post.connection_id() == Some("L0SM9cOFvHcCIhw=")
                    && post.data().is_some_and(|data| data.as_ref() == b"a frame")
            })
            .then_output(|| PostToConnectionOutput::builder().build());
        pusher(&rule).push(&id(), &typing().into()).await.unwrap();
        assert_eq!(rule.num_calls(), 1);
    }

    #[tokio::test]
    async fn a_gone_connection_is_gone() {
        for (outcome, attempts) in answered(410, "GoneException").await {
            assert!(matches!(outcome, Err(PushError::Gone)), "{outcome:?}");
            assert_eq!(attempts, 1);
        }
    }

    #[tokio::test]
    async fn a_frame_above_the_limit_is_too_large() {
        let [(outcome, attempts), _] = answered(413, "PayloadTooLargeException").await;
        assert!(matches!(outcome, Err(PushError::TooLarge)), "{outcome:?}");
        assert_eq!(attempts, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_gateways_rate_limit_is_waited_out_twice_and_then_told() {
        for (outcome, attempts) in answered(429, "LimitExceededException").await {
            assert!(matches!(outcome, Err(PushError::Throttled)), "{outcome:?}");
            assert_eq!(attempts, 3);
        }
    }

    #[tokio::test]
    async fn a_missing_permission_is_forbidden_and_says_why() {
        for code in ["ForbiddenException", "AccessDeniedException", "InvalidSignatureException"] {
            for (outcome, attempts) in answered(403, code).await {
                let Err(PushError::Forbidden { source, .. }) = outcome else { panic!("{outcome:?}") };
                let mut reasons =
                    std::iter::successors(Some(&*source as &dyn std::error::Error), |e| e.source());
                assert!(reasons.any(|reason| reason.to_string().contains(code)), "{source:?}");
                assert_eq!(attempts, 1);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_push_that_may_have_arrived_is_not_repeated() {
        for (outcome, attempts) in answered(500, "InternalServerException").await {
            assert!(matches!(outcome, Err(PushError::Unavailable { .. })), "{outcome:?}");
            assert_eq!(attempts, 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_gateway_that_does_not_answer_is_unavailable_after_three_seconds() {
        let config = Builder::new().with_test_defaults_v2().http_client(NeverClient::new());
        let pusher = ApiGatewayPusher::new(config, |_| String::new());
        let began = tokio::time::Instant::now();
        let outcome = pusher.push(&id(), &typing().into()).await;
        assert!(matches!(outcome, Err(PushError::Unavailable { operation: "push", .. })), "{outcome:?}");
        assert_eq!(began.elapsed().as_secs(), 3);
    }
}
