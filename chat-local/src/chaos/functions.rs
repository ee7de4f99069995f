use std::sync::Arc;

use apigw_local::{IntegrationError, RestIntegration, WebSocketIntegration, killed_when};
use async_trait::async_trait;
use aws_lambda_events::event::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
};

use super::injector::FaultInjector;
use super::invocation::{INVOCATION, Invocation};

/// A function whose invocations have names, and are killed where they wait.
pub(crate) struct UnreliableFunction<I: ?Sized> {
    pub(crate) function: Arc<I>,
    pub(crate) injector: Arc<FaultInjector>,
}

#[async_trait]
impl WebSocketIntegration for UnreliableFunction<dyn WebSocketIntegration> {
    async fn invoke(
        &self,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        let request_id = event.request_context.request_id.clone().unwrap_or_default();
        let Some(invocation) = self.injector.begins(&request_id) else {
            return self.function.invoke(event).await;
        };
        let running = INVOCATION.scope(invocation.clone(), self.function.invoke(event));
        killed_when(invocation.killed.notified(), running).await
    }
}

#[async_trait]
impl RestIntegration for UnreliableFunction<dyn RestIntegration> {
    async fn invoke(
        &self,
        event: ApiGatewayProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
        let resource = event.resource.as_deref().unwrap_or_default();
        let name = self.injector.counts.next(format!("{} {resource}", event.http_method));
        INVOCATION.scope(Arc::new(Invocation::new(name)), self.function.invoke(event)).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::task::yield_now;

    use super::super::counts::lock;
    use super::super::invocation::wait;
    use super::super::profile::Chaos;
    use super::*;

    /// Waits ten times, and is woken in between for no reason.
    struct Waiting(AtomicU64);

    #[async_trait]
    impl WebSocketIntegration for Waiting {
        async fn invoke(
            &self,
            _event: ApiGatewayWebsocketProxyRequest,
        ) -> Result<ApiGatewayProxyResponse, IntegrationError> {
            for _ in 0..10 {
                yield_now().await;
                yield_now().await;
                wait().await;
                self.0.fetch_add(1, Ordering::Relaxed);
            }
            Ok(ApiGatewayProxyResponse::default())
        }
    }

    /// How often a function waited that was to be killed after so many waits, and whether it ended well.
    async fn waited(waits: u64) -> (u64, bool) {
        let chaos: Chaos = "7".parse().expect("it is a seed");
        let injector = Arc::new(FaultInjector::new(chaos, None).expect("it logs to the terminal"));
        let invocation = Arc::new(Invocation::killed_after("a message".to_owned(), waits));
        lock(&injector.begun).insert("a request".to_owned(), [invocation].into());
        let waiting = Arc::new(Waiting(AtomicU64::new(0)));
        let function: Arc<dyn WebSocketIntegration> = waiting.clone();
        let mut event = ApiGatewayWebsocketProxyRequest::default();
        event.request_context.request_id = Some("a request".to_owned());
        let outcome = UnreliableFunction { function, injector: injector.clone() }.invoke(event).await;
        assert!(lock(&injector.begun).is_empty(), "it is forgotten");
        (waiting.0.load(Ordering::Relaxed), outcome.is_ok())
    }

    #[tokio::test]
    async fn a_function_is_killed_where_it_waits_however_often_it_is_woken() {
        for waits in [0, 1, 7] {
            assert_eq!(waited(waits).await, (waits, false));
        }
        assert_eq!(waited(10).await, (10, true));
    }
}
