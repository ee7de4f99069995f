//! The four Lambda functions: each turns an event of API Gateway into a use case, and what came of it into a response.

mod connect;
mod disconnect;
mod history;
mod origins;
mod response;
mod send;

use std::sync::Arc;

use chat_domain::{
    AttachmentStore, Backoff, ConnectionStore, Identify, IdentityVerifier, MessageStore, Pusher, SendRate,
    Timestamp,
};

pub use connect::ConnectFunction;
pub use disconnect::DisconnectFunction;
pub use history::{HistoryFunction, REST_ROUTES};
pub use origins::AllowedOrigins;
pub use send::SendFunction;

use crate::wire::error::WireError;

/// The WebSocket subprotocol: a client offers it, followed by its token, and the server selects it.
pub const SUBPROTOCOL: &str = "chat.v1";

/// Everything the functions are composed of.
#[derive(Clone)]
pub struct Ports {
    /// Who a token speaks for.
    pub verifier: Arc<dyn IdentityVerifier>,
    /// Which connections are open.
    pub connections: Arc<dyn ConnectionStore>,
    /// Rooms and messages.
    pub messages: Arc<dyn MessageStore>,
    /// The way to open connections.
    pub pusher: Arc<dyn Pusher>,
    /// Uploaded objects.
    pub attachments: Arc<dyn AttachmentStore>,
    /// The wait between attempts.
    pub backoff: Arc<dyn Backoff>,
}

/// What the functions are told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How fast one may send.
    pub rate: SendRate,
    /// Which web pages may use the chat.
    pub allowed_origins: AllowedOrigins,
}

/// All four functions over one set of ports, for a process that serves them all.
pub struct Functions {
    /// `$connect`
    pub connect: ConnectFunction,
    /// `$disconnect`
    pub disconnect: DisconnectFunction,
    /// Every other WebSocket route.
    pub send: SendFunction,
    /// Every REST route.
    pub history: HistoryFunction,
}

impl Functions {
    /// Composes them.
    #[must_use]
    pub fn new(ports: &Ports, settings: &Settings) -> Self {
        let identify = Arc::new(Identify::new(ports.connections.clone(), ports.pusher.clone()));
        Self {
            connect: ConnectFunction::new(ports, settings),
            disconnect: DisconnectFunction::new(ports, identify.clone()),
            send: SendFunction::new(ports, identify, settings),
            history: HistoryFunction::new(ports, settings),
        }
    }
}

/// The gateway's own clock is the chat's: it does not differ from one handler to the next.
fn time(epoch_ms: i64) -> Result<Timestamp, WireError> {
    Timestamp::from_unix_ms(epoch_ms).map_err(|_| WireError::bad_request("the event carries no usable time"))
}
