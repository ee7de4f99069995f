//! What runs behind the gateway's routes.

use std::sync::Arc;

use apigw_local::{RestIntegration, WebSocketIntegration};
use chat_lambda::GatewayFunction as _;
use chat_wire::{Chat, Ports, Settings};

use crate::chaos::{FaultInjector, UnreliableFunction};

/// The functions, as the gateway's routes lead to them.
pub(crate) struct Integrations {
    pub(crate) connect: Arc<dyn WebSocketIntegration>,
    pub(crate) disconnect: Arc<dyn WebSocketIntegration>,
    pub(crate) send: Arc<dyn WebSocketIntegration>,
    pub(crate) history: Arc<dyn RestIntegration>,
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
        macro_rules! function {
            ($handler:ident) => {{
                let chat = chat.clone();
                Arc::new(move |event| {
                    let chat = chat.clone();
                    async move { Ok(chat.$handler.handle(&event).await) }
                })
            }};
        }
        Self {
            connect: function!(connect),
            disconnect: function!(disconnect),
            send: function!(frames),
            history: function!(rest),
        }
    }
}
