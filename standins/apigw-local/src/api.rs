use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
};
use http::Method;

/// Handles the events of a WebSocket API, as a Lambda function with proxy integration does.
///
/// # Contract
///
/// * Invocations run concurrently, also those of one connection.
/// * The future is dropped when the integration timeout passes: it must be safe to stop at any `.await`.
/// * A panic is a crash, reported like [`IntegrationError::Crashed`].
#[async_trait]
pub trait WebSocketIntegration: Send + Sync + 'static {
    /// Handles one CONNECT, MESSAGE or DISCONNECT event.
    ///
    /// # Errors
    ///
    /// [`IntegrationError`] when there is no answer: the function crashed or timed out.
    async fn invoke(
        &self,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError>;
}

/// Handles the events of a REST API, as a Lambda function with proxy integration does.
///
/// The contract is that of [`WebSocketIntegration`].
#[async_trait]
pub trait RestIntegration: Send + Sync + 'static {
    /// Handles one request.
    ///
    /// # Errors
    ///
    /// [`IntegrationError`] when there is no answer: the function crashed or timed out.
    async fn invoke(
        &self,
        event: ApiGatewayProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError>;
}

/// An `async` function of the event is an integration.
#[async_trait]
impl<F, A> WebSocketIntegration for F
where
    F: Fn(ApiGatewayWebsocketProxyRequest) -> A + Send + Sync + 'static,
    A: Future<Output = Result<ApiGatewayProxyResponse, IntegrationError>> + Send,
{
    async fn invoke(
        &self,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        self(event).await
    }
}

/// An `async` function of the request is an integration.
#[async_trait]
impl<F, A> RestIntegration for F
where
    F: Fn(ApiGatewayProxyRequest) -> A + Send + Sync + 'static,
    A: Future<Output = Result<ApiGatewayProxyResponse, IntegrationError>> + Send,
{
    async fn invoke(
        &self,
        event: ApiGatewayProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        self(event).await
    }
}

/// An integration that gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntegrationError {
    /// The function failed, or its answer made no sense.
    #[error("the integration crashed")]
    Crashed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The function did not answer within the integration timeout.
    #[error("the integration timed out")]
    TimedOut,
}

impl IntegrationError {
    /// A crash, from an error or a message.
    pub fn crashed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Crashed(cause.into())
    }
}

/// Whether what a handler returns goes back to the client.
///
/// On AWS it does only where the route has a [route response][aws]; without one the body is dropped.
///
/// [aws]: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-response.html
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RouteResponse {
    /// The route has a `$default` route response: a non-empty body is sent to the client.
    Present,
    /// The route has none: the body is dropped.
    Absent,
}

/// A WebSocket API: its stage and its routes. The route selection expression is `$request.body.action`.
pub struct WebSocketApi {
    pub(crate) stage: String,
    pub(crate) connect: Option<Arc<dyn WebSocketIntegration>>,
    pub(crate) disconnect: Option<Arc<dyn WebSocketIntegration>>,
    pub(crate) default_route: Option<Route>,
    pub(crate) routes: HashMap<String, Route>,
}

#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) key: Arc<str>,
    pub(crate) integration: Arc<dyn WebSocketIntegration>,
    pub(crate) response: RouteResponse,
}

impl WebSocketApi {
    /// An API without routes, served at `/{stage}`. The stage is one path segment, like `prod`.
    pub fn new(stage: impl Into<String>) -> Self {
        Self {
            stage: stage.into(),
            connect: None,
            disconnect: None,
            default_route: None,
            routes: HashMap::new(),
        }
    }

    /// Sets `$connect`: a status other than 2xx refuses the connection. Without it everyone may connect.
    #[must_use]
    pub fn connect(mut self, integration: Arc<dyn WebSocketIntegration>) -> Self {
        self.connect = Some(integration);
        self
    }

    /// Sets `$disconnect`, which runs once after each connection has ended.
    #[must_use]
    pub fn disconnect(mut self, integration: Arc<dyn WebSocketIntegration>) -> Self {
        self.disconnect = Some(integration);
        self
    }

    /// Adds a route for messages whose `action` is this string.
    #[must_use]
    pub fn route(
        mut self,
        action: &str,
        integration: Arc<dyn WebSocketIntegration>,
        response: RouteResponse,
    ) -> Self {
        self.routes.insert(action.to_owned(), Route { key: action.into(), integration, response });
        self
    }

    /// Sets `$default`, which gets what no other route matches, and what is not JSON.
    #[must_use]
    pub fn default_route(
        mut self,
        integration: Arc<dyn WebSocketIntegration>,
        response: RouteResponse,
    ) -> Self {
        self.default_route = Some(Route { key: "$default".into(), integration, response });
        self
    }
}

/// A REST API: a list of methods on resources, served without a stage in the path.
#[derive(Default)]
pub struct RestApi {
    pub(crate) methods: Vec<RestMethod>,
    pub(crate) minimum_compression_size: Option<u16>,
}

pub(crate) struct RestMethod {
    pub(crate) method: Method,
    pub(crate) resource: String,
    pub(crate) integration: Arc<dyn RestIntegration>,
}

impl RestApi {
    /// An API without resources.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a method on a resource, in AWS's notation: `/files/{key}`, or `/files/{proxy+}` for the rest
    /// of the path. CORS is the integration's business: list `OPTIONS` too if it answers that.
    ///
    /// # Panics
    ///
    /// When the first segment is not plain text: the gateway answers for everything below it, and for
    /// nothing else.
    #[must_use]
    pub fn method(mut self, method: Method, resource: &str, integration: Arc<dyn RestIntegration>) -> Self {
        let first = resource.strip_prefix('/').and_then(|path| path.split('/').next()).unwrap_or_default();
        assert!(
            !first.is_empty() && !first.contains(['{', '}']),
            "a resource begins with a plain segment: {resource:?}"
        );
        self.methods.push(RestMethod { method, resource: resource.to_owned(), integration });
        self
    }

    /// Compresses answers of at least so many bytes for clients that accept it, by gzip or deflate, as a
    /// REST API does that has a [minimum compression size][aws]. Without it nothing is compressed.
    ///
    /// [aws]: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html
    #[must_use]
    pub fn minimum_compression_size(mut self, bytes: u16) -> Self {
        self.minimum_compression_size = Some(bytes);
        self
    }
}
