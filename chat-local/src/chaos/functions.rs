use std::sync::Arc;

use apigw_local::{IntegrationError, RestIntegration, WebSocketIntegration};
use async_trait::async_trait;
use aws_lambda_events::event::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
};

use super::{Counts, Misfortune, lock};

tokio::task_local! {
    /// The invocation that is running.
    pub(super) static SCOPE: Arc<Scope>;
}

/// One invocation: what happens within it is counted within it.
pub(super) struct Scope {
    name: String,
    counts: Counts,
}

impl Scope {
    pub(super) fn new(name: String) -> Self {
        Self { name, counts: Counts::default() }
    }

    pub(super) fn next(&self, name: &str) -> String {
        self.counts.next(format!("{}: {name}", self.name))
    }
}

/// A function that knows which invocation it is.
pub(crate) struct Scoped<I: ?Sized> {
    pub(crate) function: Arc<I>,
    pub(crate) misfortune: Arc<Misfortune>,
}

/// Forgets an invocation when it ends, however it does.
struct Begun<'a>(&'a Misfortune, String);

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        lock(&self.0.begun).remove(&self.1);
    }
}

#[async_trait]
impl WebSocketIntegration for Scoped<dyn WebSocketIntegration> {
    async fn invoke(
        &self,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        let request_id = event.request_context.request_id.clone().unwrap_or_default();
        let scope = lock(&self.misfortune.begun).get(&request_id).cloned();
        let _begun = Begun(&self.misfortune, request_id);
        match scope {
            Some(scope) => SCOPE.scope(scope, self.function.invoke(event)).await,
            None => self.function.invoke(event).await,
        }
    }
}

#[async_trait]
impl RestIntegration for Scoped<dyn RestIntegration> {
    async fn invoke(
        &self,
        event: ApiGatewayProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        let resource = event.resource.as_deref().unwrap_or_default();
        let name = self.misfortune.counts.next(format!("{} {resource}", event.http_method));
        SCOPE.scope(Arc::new(Scope::new(name)), self.function.invoke(event)).await
    }
}
