//! What every server of the chat does, however requests reach it: text goes in, a use case does its work,
//! text comes out.

mod connect;
mod counts;
mod disconnect;
mod frames;
mod log;
mod origins;
mod response;
mod rest;

use std::sync::Arc;

use chat_domain::{
    AttachmentStore, Backoff, ChatError, Connect, ConnectionStore, Disconnect, Identify, IdentityVerifier,
    MessageStore, Pusher, SendRate, Timestamp,
};

pub use self::connect::{ConnectHandler, ConnectRequest};
pub use self::counts::{Counted, Counts};
pub use self::disconnect::{DisconnectHandler, DisconnectRequest};
pub use self::frames::{FrameHandler, FrameRequest};
pub use self::origins::AllowedOrigins;
pub use self::rest::{RestHandler, RestRequest};
use crate::error::WireError;

/// The ports that the chat is composed of.
#[derive(Clone)]
pub struct Ports {
    /// Whom a token speaks for.
    pub verifier: Arc<dyn IdentityVerifier>,
    /// Which connections are open.
    pub connections: Arc<dyn ConnectionStore>,
    /// Where rooms and messages are kept.
    pub messages: Arc<dyn MessageStore>,
    /// The way to open connections.
    pub pusher: Arc<dyn Pusher>,
    /// Where uploaded images are kept.
    pub attachments: Arc<dyn AttachmentStore>,
    /// The wait between attempts.
    pub backoff: Arc<dyn Backoff>,
}

/// What an operator decides.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How fast one may send.
    pub rate: SendRate,
    /// Which web pages may use the chat.
    pub allowed_origins: AllowedOrigins,
}

/// The whole chat over one set of ports. A process that serves a part of it composes the handlers of that
/// part alone.
pub struct Chat {
    /// Decides whether a connection opens.
    pub connect: ConnectHandler,
    /// Forgets a connection that has closed.
    pub disconnect: DisconnectHandler,
    /// Answers the frames on open connections.
    pub frames: FrameHandler,
    /// Answers the requests of REST.
    pub rest: RestHandler,
}

impl Chat {
    /// Composes every handler over these ports.
    #[must_use]
    pub fn new(ports: &Ports, settings: &Settings) -> Self {
        let Ports { verifier, connections, pusher, .. } = ports.clone();
        let identify = Arc::new(Identify::new(connections.clone(), pusher.clone()));
        let disconnect = Disconnect::new(connections.clone()).beside(identify.clone());
        let connect = Connect::new(verifier, connections, pusher);
        Self {
            connect: ConnectHandler::new(connect, settings.allowed_origins.clone()),
            disconnect: DisconnectHandler::new(disconnect),
            frames: FrameHandler::new(ports, identify, settings.rate),
            rest: RestHandler::new(ports, settings),
        }
    }
}

/// Why a request is refused.
enum Refused {
    /// The request makes no sense.
    Malformed(WireError),
    /// The use case refused it, or failed.
    ByUseCase(ChatError),
}

impl From<WireError> for Refused {
    fn from(error: WireError) -> Self {
        Self::Malformed(error)
    }
}

impl From<ChatError> for Refused {
    fn from(error: ChatError) -> Self {
        Self::ByUseCase(error)
    }
}

/// The clock of whoever received the request is the chat's: with a gateway, it does not differ from one
/// handler to the next.
fn instant(unix_ms: i64) -> Result<Timestamp, WireError> {
    Timestamp::from_unix_ms(unix_ms).map_err(|_| WireError::bad_request("the event carries no usable time"))
}
