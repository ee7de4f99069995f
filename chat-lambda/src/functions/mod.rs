//! The four Lambda functions: each turns an event of API Gateway into a use case, and what came of it into a response.

mod connect;
mod counts;
mod disconnect;
mod history;
mod origins;
mod response;
mod send;

use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::event::apigw::ApiGatewayProxyResponse;
use chat_domain::{
    AttachmentStore, Backoff, Connect, ConnectionStore, Correlation, Deliveries, Disconnect, Identify,
    IdentityVerifier, MessageStore, Pusher, SendOutcome, SendRate, Sent, Timestamp,
};

pub use connect::ConnectFunction;
pub use counts::{Counted, Counts};
pub use disconnect::DisconnectFunction;
pub use history::HistoryFunction;
pub use origins::AllowedOrigins;
pub use send::SendFunction;

#[cfg(feature = "aws")]
pub(crate) use response::chain;

use chat_wire::error::{ErrorCode, WireError};

/// A function as whatever runs it sees it.
#[async_trait]
pub trait Handler: Send + Sync {
    /// What it handles.
    type Event: Send + Sync;

    /// Handles an event.
    async fn handle(&self, event: &Self::Event) -> ApiGatewayProxyResponse;

    /// What to answer in its place when handling an event was given up: it panicked, or took too long. What it has done by then
    /// nobody knows, so the code is one that says so.
    fn given_up(&self, event: &Self::Event, code: ErrorCode) -> ApiGatewayProxyResponse;

    /// What it counts.
    fn counts(&self) -> &Counts;
}

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
        let Ports { verifier, connections, pusher, .. } = ports.clone();
        let identify = Arc::new(Identify::new(connections.clone(), pusher.clone()));
        let disconnect = Disconnect::new(connections.clone()).beside(identify.clone());
        let connect = Connect::new(verifier, connections, pusher);
        Self {
            connect: ConnectFunction::new(connect, settings.allowed_origins.clone()),
            disconnect: DisconnectFunction::new(disconnect),
            send: SendFunction::new(ports, identify, settings.rate),
            history: HistoryFunction::new(ports, settings),
        }
    }
}

/// What of a sent message may be logged: who it is between stands in the room's tag, for those who know both addresses.
fn log_sent(sent: &Sent, correlation: &Correlation) {
    let request_id = correlation.request_id.as_str();
    let seq = sent.seq;
    match sent.outcome {
        SendOutcome::Stored { retries, deliveries } => {
            let Deliveries { taken, gone, failed } = deliveries;
            let outcome = "stored";
            tracing::info!(request_id, room = %sent.room.tag(), seq, outcome, retries, taken, gone, failed, "sent");
        }
        SendOutcome::Duplicate => {
            tracing::info!(request_id, room = %sent.room.tag(), seq, outcome = "duplicate", "sent");
        }
    }
}

/// The gateway's own clock is the chat's: it does not differ from one handler to the next.
fn time(epoch_ms: i64) -> Result<Timestamp, WireError> {
    Timestamp::from_unix_ms(epoch_ms).map_err(|_| WireError::bad_request("the event carries no usable time"))
}
