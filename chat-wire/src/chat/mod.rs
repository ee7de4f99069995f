//! What every server of the chat does, however requests reach it: text goes in, a use case does its work,
//! text comes out.

mod connect;
mod counts;
mod disconnect;
mod frames;
mod log;
mod origins;
mod own_kinds;
mod response;
mod rest;
mod user_tags;

use std::sync::Arc;

use chat_domain::{
    AttachmentStore, Backoff, ChatError, Connect, ConnectionStore, DailyLimits, Disconnect, FirstContact,
    Identify, IdentityVerifier, MessageStore, Pusher, ReportStore, RequestRate, SendPolicy, SendRate,
    Timestamp, UserStore,
};

pub use self::connect::{ConnectHandler, ConnectRequest};
pub use self::counts::{Counted, Counts};
pub use self::disconnect::{DisconnectHandler, DisconnectRequest};
pub use self::frames::{FrameHandler, FrameRequest};
pub use self::origins::AllowedOrigins;
pub use self::own_kinds::OwnKinds;
pub use self::rest::{RestHandler, RestRequest};
pub use self::user_tags::UserTags;
use crate::error::WireError;

/// The ports that the chat is composed of. A server of your own fills this in, and gives it to [`Chat::new`].
#[derive(Clone)]
pub struct Ports {
    /// Whom a token speaks for.
    pub verifier: Arc<dyn IdentityVerifier>,
    /// Whose an address is, and who is suspended.
    pub users: Arc<dyn UserStore>,
    /// Which connections are open.
    pub connections: Arc<dyn ConnectionStore>,
    /// Where rooms and messages are kept.
    pub messages: Arc<dyn MessageStore>,
    /// The way to open connections.
    pub pusher: Arc<dyn Pusher>,
    /// Where uploaded images are kept.
    pub attachments: Arc<dyn AttachmentStore>,
    /// Where reports are kept.
    pub reports: Arc<dyn ReportStore>,
    /// The wait between attempts.
    pub backoff: Arc<dyn Backoff>,
}

/// How much one user may do. The defaults keep what a hostile account can cost within `docs/abuse.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// How fast one may send to one room.
    pub messages: SendRate,
    /// How many requests of any kind one may make, of a process at once and of all in an hour.
    pub requests: RequestRate,
    /// How much one may begin, upload and report in a day.
    pub daily: DailyLimits,
}

/// What an operator decides. The defaults suit a chat that strangers can reach.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How much one user may do.
    pub rates: Rates,
    /// How a conversation begins.
    pub first_contact: FirstContact,
    /// Which web pages may use the chat.
    pub allowed_origins: AllowedOrigins,
    /// What users are called in logs.
    pub user_tags: UserTags,
    /// The kinds of messages that the application adds.
    pub own_kinds: OwnKinds,
}

impl Settings {
    pub(crate) fn policy(&self) -> SendPolicy {
        let Rates { messages, daily, .. } = self.rates;
        SendPolicy { rate: messages, first_contact: self.first_contact, daily }
    }
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
        let Ports { verifier, users, connections, pusher, .. } = ports.clone();
        let identify = Arc::new(Identify::new(connections.clone(), pusher.clone()));
        let disconnect = Disconnect::new(connections.clone()).beside(identify.clone());
        let connect = Connect::new(verifier, users, connections, pusher);
        Self {
            connect: ConnectHandler::new(connect, settings.allowed_origins.clone())
                .with_user_tags(settings.user_tags.clone()),
            disconnect: DisconnectHandler::new(disconnect),
            frames: FrameHandler::new(ports, identify, settings),
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
    Timestamp::from_unix_ms(unix_ms).map_err(|_| WireError::bad_request("the request carries no usable time"))
}
