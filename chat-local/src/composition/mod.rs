//! What runs behind the gateway, and where it keeps things.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "aws")]
mod lambda;
mod memory;

use std::net::SocketAddr;
use std::sync::Arc;

use apigw_local::{Connections, RestIntegration, WebSocketIntegration};
use axum::Router;
use chat_domain::{AccessToken, BoxError, VerifiedIdentity};
use chat_lambda::Function as _;
use chat_wire::{Chat, Ports, Settings};

use crate::chaos::{FaultInjector, UnreliableFunction};
use crate::config::{Config, Store};

/// The functions, as the gateway's routes lead to them.
pub(crate) struct Integrations {
    pub(crate) connect: Arc<dyn WebSocketIntegration>,
    pub(crate) disconnect: Arc<dyn WebSocketIntegration>,
    pub(crate) send: Arc<dyn WebSocketIntegration>,
    pub(crate) history: Arc<dyn RestIntegration>,
}

/// Makes a token that speaks for somebody.
pub(crate) type IssueToken = Box<dyn Fn(VerifiedIdentity) -> AccessToken + Send + Sync>;

/// Everything but the gateway and the page.
pub(crate) struct Composition {
    pub(crate) integrations: Integrations,
    pub(crate) issue_token: IssueToken,
    /// What else the functions and the page need of this server.
    pub(crate) router: Router,
    /// Where messages are kept, in words.
    pub(crate) kept: String,
    /// What has to end after the last event was handled.
    pub(crate) resources: Resources,
}

/// What has to outlive the functions.
#[derive(Default)]
pub(crate) struct Resources {
    #[cfg(feature = "aws")]
    lambda: Option<lambda::Lambda>,
    #[cfg(feature = "aws")]
    data: Option<aws::Data>,
}

impl Resources {
    /// Ends it, and returns when nothing is left.
    pub(crate) async fn shutdown(self) {
        #[cfg(feature = "aws")]
        if let Some(lambda) = self.lambda {
            lambda.shutdown().await;
        }
        #[cfg(feature = "aws")]
        drop(self.data);
    }
}

impl Integrations {
    /// The functions' code in this process, over these ports.
    pub(crate) fn in_process(
        ports: Ports,
        settings: &Settings,
        injector: Option<&Arc<FaultInjector>>,
    ) -> Self {
        let Some(injector) = injector else { return Self::of(ports, settings) };
        let Self { connect, disconnect, send, history } = Self::of(injector.over(ports), settings);
        let web_socket = |function| -> Arc<dyn WebSocketIntegration> {
            Arc::new(UnreliableFunction { function, injector: injector.clone() })
        };
        Self {
            connect: web_socket(connect),
            disconnect: web_socket(disconnect),
            send: web_socket(send),
            history: Arc::new(UnreliableFunction { function: history, injector: injector.clone() }),
        }
    }

    fn of(ports: Ports, settings: &Settings) -> Self {
        let chat = Arc::new(Chat::new(&ports, settings));
        let shared = chat.clone();
        let connect = move |event| {
            let chat = shared.clone();
            async move { Ok(chat.connect.handle(&event).await) }
        };
        let shared = chat.clone();
        let disconnect = move |event| {
            let chat = shared.clone();
            async move { Ok(chat.disconnect.handle(&event).await) }
        };
        let shared = chat.clone();
        let send = move |event| {
            let chat = shared.clone();
            async move { Ok(chat.frames.handle(&event).await) }
        };
        let history = move |event| {
            let chat = chat.clone();
            async move { Ok(chat.rest.handle(&event).await) }
        };
        Self {
            connect: Arc::new(connect),
            disconnect: Arc::new(disconnect),
            send: Arc::new(send),
            history: Arc::new(history),
        }
    }
}

/// Composes what the configuration asks for. `address` is this server's.
pub(crate) async fn compose(
    config: &Config,
    address: SocketAddr,
    connections: Connections,
    settings: &Settings,
    injector: Option<Arc<FaultInjector>>,
) -> Result<Composition, BoxError> {
    if config.store == Store::Memory && config.data.is_none() && config.lambda.is_none() {
        return Ok(memory::compose(address, connections, settings, injector.as_ref()));
    }
    #[cfg(feature = "aws")]
    return aws::compose(config, address, connections, settings, injector.as_ref()).await;
    #[cfg(not(feature = "aws"))]
    Err("--data, --lambda and --store dynamodb need the feature `aws` of chat-local: `make run DATA=... LAMBDA=... STORE=dynamodb`".into())
}
