use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::event::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use chat_domain::{
    ChatError, ClientMessageId, ConnectionId, Correlation, Identify, KeepAlive, MarkRead, Origin,
    Reauthenticate, SendMessage, SendRate, Typing,
};
use http::StatusCode;
use uuid::Uuid;

use super::{Counts, Handler, Ports, log_sent, response, time};
use chat_wire::error::{ErrorCode, WireError};
use chat_wire::frames::{ErrorBody, PongFrame, ReadFrame, ReauthedFrame, Request, SentFrame, ServerFrame};

/// The function behind every WebSocket route but `$connect` and `$disconnect`. What it answers goes back as the route's
/// response.
pub struct SendFunction {
    send: SendMessage,
    mark_read: MarkRead,
    typing: Typing,
    keep_alive: KeepAlive,
    reauthenticate: Reauthenticate,
    counts: Counts,
}

impl SendFunction {
    /// Composes it.
    #[must_use]
    pub fn new(ports: &Ports, identify: Arc<Identify>, rate: SendRate) -> Self {
        let Ports { verifier, connections, messages, pusher, attachments, backoff } = ports.clone();
        Self {
            send: SendMessage::new(
                identify.clone(),
                connections.clone(),
                messages.clone(),
                attachments,
                pusher.clone(),
                backoff,
                rate,
            ),
            mark_read: MarkRead::new(identify.clone(), connections.clone(), messages.clone(), pusher.clone()),
            typing: Typing::new(identify.clone(), connections.clone(), messages, pusher),
            keep_alive: KeepAlive::new(identify.clone()),
            reauthenticate: Reauthenticate::new(verifier, connections, identify),
            counts: Counts::default(),
        }
    }

    /// Handles a `MESSAGE` event.
    pub async fn handle(&self, event: &ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse {
        let context = &event.request_context;
        let body = event.body.as_deref().unwrap_or_default();
        // Emulators leave the one out; the other differs from event to event as well.
        let delivery = context.message_id.as_deref().or(context.request_id.as_deref()).unwrap_or_default();
        let parsed = Request::parse(body, || fallback_id(delivery));
        let request_id = context.request_id.clone().unwrap_or_default();
        let correlation = Correlation { request_id, message: parsed.message };
        let outcome = match (parsed.request, time(context.request_time_epoch)) {
            (Ok(request), Ok(now)) => {
                let connection = ConnectionId::new(context.connection_id.as_deref().unwrap_or_default());
                let origin = Origin { connection, correlation: correlation.clone(), now };
                match self.execute(request, &origin).await {
                    // It was told on its connection, which is closed by now.
                    Err(ChatError::UnknownConnection) => Ok(None),
                    Err(error) => Err(response::refuse(error, &correlation)),
                    Ok(frame) => Ok(frame),
                }
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        match outcome {
            Ok(Some(frame)) => response::frame(&frame),
            Ok(None) => response::status(StatusCode::OK),
            Err(error) => self.refuse(error, &correlation),
        }
    }

    fn refuse(&self, error: WireError, correlation: &Correlation) -> ApiGatewayProxyResponse {
        self.counts.answered(&error);
        response::frame(&ServerFrame::Error(ErrorBody::new(error, correlation)))
    }

    async fn execute(&self, request: Request, origin: &Origin) -> Result<Option<ServerFrame>, ChatError> {
        match request {
            Request::SendMessage(command) => {
                let sent = self.send.from_connection(origin, command).await?;
                self.counts.sent(sent.outcome);
                log_sent(&sent, &origin.correlation);
                Ok(Some(ServerFrame::Sent(SentFrame::from(&sent))))
            }
            Request::MarkRead { peer, up_to } => {
                let Some(marked) = self.mark_read.execute(origin, &peer, up_to).await? else {
                    return Ok(None);
                };
                self.counts.pushed(marked.deliveries);
                tracing::info!(
                    request_id = origin.correlation.request_id,
                    room = %marked.room.tag(),
                    outcome = "read",
                    "read mark"
                );
                Ok(Some(ServerFrame::Read(ReadFrame {
                    room_id: marked.room.to_string(),
                    reader_email: marked.reader.to_string(),
                    up_to: marked.up_to.to_string(),
                })))
            }
            Request::Typing { receiver } => {
                self.counts.pushed(self.typing.execute(origin, &receiver).await?);
                Ok(None)
            }
            Request::Ping => {
                self.keep_alive.execute(origin).await?;
                Ok(Some(ServerFrame::Pong(PongFrame { server_time: origin.now.to_string() })))
            }
            Request::Reauth { token } => {
                let expires_at = self.reauthenticate.execute(origin, &token).await?.to_string();
                Ok(Some(ServerFrame::Reauth(ReauthedFrame { expires_at })))
            }
        }
    }
}

#[async_trait]
impl Handler for SendFunction {
    type Event = ApiGatewayWebsocketProxyRequest;

    async fn handle(&self, event: &Self::Event) -> ApiGatewayProxyResponse {
        self.handle(event).await
    }

    fn given_up(&self, event: &Self::Event, code: ErrorCode) -> ApiGatewayProxyResponse {
        let body = event.body.as_deref().unwrap_or_default();
        let message = Request::parse(body, || ClientMessageId::from_u128(0)).message;
        let request_id = event.request_context.request_id.clone().unwrap_or_default();
        self.refuse(WireError::fault(code), &Correlation { request_id, message })
    }

    fn counts(&self) -> &Counts {
        &self.counts
    }
}

/// The name of a message whose client gave it none: always the same for the same frame, however often the gateway delivers it.
fn fallback_id(delivery: &str) -> ClientMessageId {
    /// Made once, at random, for this purpose.
    const NAMESPACE: Uuid = Uuid::from_u128(0x6c1f_0f5e_3d0b_4c55_9a43_7e0c_58d1_2b9e);
    ClientMessageId::from_u128(Uuid::new_v5(&NAMESPACE, delivery.as_bytes()).as_u128())
}
