use std::sync::Arc;

use chat_domain::{
    AccessToken, ChangeCommand, ChangeConsent, ChatError, Clear, ClientMessageId, ConnectionId,
    ConsentChange, Correlation, FileReport, FrameOrigin, Identify, KeepAlive, LimitFrames, MarkRead,
    Reauthenticate, SendFromConnection, SendMessage, StoreMessage, Timestamp, Typing,
};
use serde_json::Value;
use uuid::Uuid;

use super::{Counts, OwnKinds, Ports, Refused, Settings, UserTags, instant, log};
use crate::error::{ErrorCode, WireError};
use crate::frames::{
    ClearFrame, ConsentFrame, ErrorBody, MarkReadFrame, PingFrame, PongFrame, ReadFrame, ReauthFrame,
    ReauthedFrame, ReportFrame, ReportedFrame, SendMessageFrame, SentFrame, ServerFrame, TypingFrame, email,
};
use crate::json::Object;
use crate::table::ClientFrame;

/// A frame that a client has sent on an open connection, and when the server received it.
#[derive(Clone, Copy, Debug)]
pub struct FrameRequest<'a> {
    /// What the client has sent.
    pub text: &'a str,
    /// The name of the connection that it came on.
    pub connection: &'a str,
    /// The server's name for the request, which an error tells the client.
    pub request_id: &'a str,
    /// The server's name for the frame: the same however often it delivers it, and never that of another
    /// frame. A message whose client gave it no id is recognised by it.
    pub delivery_id: &'a str,
    /// When the frame was received, in milliseconds since 1970.
    pub now_ms: i64,
}

/// A frame as it came: what a client matches the answer by, and what it asks for, if it makes sense.
struct Opened {
    correlation: Correlation,
    frame: Result<ClientFrame, WireError>,
}

impl Opened {
    fn new(request: &FrameRequest<'_>) -> Self {
        let request_id = request.request_id.to_owned();
        match Object::look(request.text, ["action", "clientMessageId"]) {
            Ok(object) => {
                let [action, id] = &object.picked;
                let message = id.as_ref().and_then(Value::as_str).and_then(|id| id.parse().ok());
                let frame = match action {
                    Some(action) => ClientFrame::typed(action.as_str().unwrap_or_default(), &object),
                    None => Err(WireError::bad_request("action: missing")),
                };
                Self { correlation: Correlation { request_id, message }, frame }
            }
            Err(error) => Self { correlation: Correlation { request_id, message: None }, frame: Err(error) },
        }
    }
}

/// Where a frame came from.
struct Asked<'a> {
    origin: FrameOrigin,
    delivery_id: &'a str,
    /// What the log calls the user.
    user: Option<String>,
}

/// What a frame comes to: the frame that answers it, if one does.
type Answer = Result<Option<ServerFrame>, Refused>;

/// Answers the frames on open connections. Send what it returns on the same connection; `None` is no answer.
pub struct FrameHandler {
    identify: Arc<Identify>,
    user_tags: UserTags,
    own_kinds: OwnKinds,
    limit: LimitFrames,
    send: SendFromConnection,
    mark_read: MarkRead,
    typing: Typing,
    change_consent: ChangeConsent,
    clear: Clear,
    file_report: FileReport,
    keep_alive: KeepAlive,
    reauthenticate: Reauthenticate,
    counts: Counts,
}

impl FrameHandler {
    /// Composes the handler. All use cases of a process that identify connections share one `identify`.
    #[must_use]
    pub fn new(ports: &Ports, identify: Arc<Identify>, settings: &Settings) -> Self {
        let Settings { rates, first_contact, .. } = *settings;
        let policy = settings.policy();
        let Ports { verifier, users, connections, messages, pusher, attachments, reports, backoff } =
            ports.clone();
        Self {
            identify: identify.clone(),
            user_tags: settings.user_tags.clone(),
            own_kinds: settings.own_kinds.clone(),
            limit: LimitFrames::new(
                rates.requests,
                identify.clone(),
                users.clone(),
                connections.clone(),
                pusher.clone(),
            ),
            send: SendFromConnection::new(
                identify.clone(),
                SendMessage::new(
                    StoreMessage::new(messages.clone(), attachments, users.clone(), backoff, policy),
                    connections.clone(),
                    pusher.clone(),
                ),
            ),
            mark_read: MarkRead::new(
                identify.clone(),
                connections.clone(),
                messages.clone(),
                pusher.clone(),
                first_contact,
            ),
            change_consent: ChangeConsent::new(
                identify.clone(),
                connections.clone(),
                messages.clone(),
                pusher.clone(),
                first_contact,
            ),
            clear: Clear::new(identify.clone(), connections.clone(), messages.clone(), pusher.clone()),
            file_report: FileReport::new(
                identify.clone(),
                messages.clone(),
                reports,
                users.clone(),
                rates.daily,
            ),
            typing: Typing::new(identify.clone(), connections.clone(), messages, pusher, first_contact),
            keep_alive: KeepAlive::new(identify.clone()),
            reauthenticate: Reauthenticate::new(verifier, users, connections, identify),
            counts: Counts::default(),
        }
    }

    /// What the log calls the user of a connection that this process remembers.
    fn user(&self, connection: &ConnectionId) -> Option<String> {
        self.user_tags.of(&self.identify.remembered_user(connection)?)
    }

    /// Answers a frame with the text of another one, which goes back on the same connection. Not every frame
    /// is answered.
    pub async fn answer(&self, request: &FrameRequest<'_>) -> Option<String> {
        let Opened { correlation, frame } = Opened::new(request);
        let connection = ConnectionId::new(request.connection);
        let answer = match instant(request.now_ms) {
            Ok(now) => {
                let origin =
                    FrameOrigin { connection: connection.clone(), correlation: correlation.clone(), now };
                self.execute(frame, origin, request.delivery_id).await
            }
            Err(error) => Err(error.into()),
        };
        match answer {
            Ok(frame) => frame.map(|frame| frame.to_json()),
            // It was told on its connection, which is closed by now.
            Err(Refused::ByUseCase(ChatError::UnknownConnection)) => None,
            Err(refused) => {
                if let Refused::ByUseCase(ChatError::Closed { .. }) = refused {
                    self.counts.closed();
                }
                let user = self.user(&connection);
                Some(self.refuse(refused.logged(&correlation, user.as_deref()), &correlation))
            }
        }
    }

    /// What to answer when answering was given up: it panicked, or took too long. Nobody knows what it has
    /// done by then, so the code is one that says so.
    #[must_use]
    pub fn given_up(&self, request: &FrameRequest<'_>, code: ErrorCode) -> String {
        self.refuse(WireError::fault(code), &Opened::new(request).correlation)
    }

    /// What the handler has counted so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    fn refuse(&self, error: WireError, correlation: &Correlation) -> String {
        self.counts.answered(&error);
        ServerFrame::Error(ErrorBody::new(error, correlation)).to_json()
    }

    async fn execute(
        &self,
        frame: Result<ClientFrame, WireError>,
        origin: FrameOrigin,
        delivery_id: &str,
    ) -> Answer {
        self.limit.execute(&origin).await?;
        let user = self.user(&origin.connection);
        let asked = &Asked { origin, delivery_id, user };
        match frame? {
            ClientFrame::SendMessage(frame) => self.send_message(frame, asked).await,
            ClientFrame::React(frame) => {
                self.change(frame.into_command(|| fallback_id(asked.delivery_id))?, asked).await
            }
            ClientFrame::Edit(frame) => {
                self.change(frame.into_command(|| fallback_id(asked.delivery_id))?, asked).await
            }
            ClientFrame::Delete(frame) => {
                self.change(frame.into_command(|| fallback_id(asked.delivery_id))?, asked).await
            }
            ClientFrame::MarkRead(frame) => self.mark_read(frame, asked).await,
            ClientFrame::Typing(frame) => self.typing(frame, asked).await,
            ClientFrame::Accept(frame) => self.change_consent(frame, ConsentChange::Accept, asked).await,
            ClientFrame::Block(frame) => self.change_consent(frame, ConsentChange::Block, asked).await,
            ClientFrame::Unblock(frame) => self.change_consent(frame, ConsentChange::Unblock, asked).await,
            ClientFrame::Clear(frame) => self.clear(frame, asked).await,
            ClientFrame::Report(frame) => self.report(frame, asked).await,
            ClientFrame::Ping(frame) => self.ping(frame, asked).await,
            ClientFrame::Reauth(frame) => self.reauth(frame, asked).await,
        }
    }

    async fn send_message(&self, frame: SendMessageFrame, asked: &Asked<'_>) -> Answer {
        let command = frame.into_command(|| fallback_id(asked.delivery_id))?;
        self.own_kinds.check(&command.content)?;
        let sent = self.send.execute(&asked.origin, command).await?;
        self.counts.sent(sent.outcome);
        log::sent(&sent, &asked.origin.correlation, asked.user.as_deref());
        Ok(Some(ServerFrame::Sent(SentFrame::from(&sent))))
    }

    async fn change(&self, command: ChangeCommand, asked: &Asked<'_>) -> Answer {
        let sent = self.send.change(&asked.origin, command).await?;
        self.counts.sent(sent.outcome);
        log::sent(&sent, &asked.origin.correlation, asked.user.as_deref());
        Ok(Some(ServerFrame::Sent(SentFrame::from(&sent))))
    }

    async fn mark_read(&self, frame: MarkReadFrame, asked: &Asked<'_>) -> Answer {
        let up_to = place("upTo", &frame.up_to)?;
        let peer = email("peerEmail", &frame.peer_email)?;
        let Some(marked) = self.mark_read.execute(&asked.origin, &peer, up_to).await? else {
            return Ok(None);
        };
        self.counts.pushed(marked.deliveries);
        let request_id = asked.origin.correlation.request_id.as_str();
        let user = asked.user.as_deref();
        tracing::debug!(request_id, user, room = %marked.room.tag(), outcome = "read", "read mark");
        Ok(Some(ServerFrame::Read(ReadFrame {
            room_id: marked.room.to_string(),
            reader_email: marked.reader.to_string(),
            up_to: marked.up_to.to_string(),
        })))
    }

    async fn typing(&self, frame: TypingFrame, asked: &Asked<'_>) -> Answer {
        let receiver = email("receiverEmail", &frame.receiver_email)?;
        self.counts.pushed(self.typing.execute(&asked.origin, &receiver).await?);
        Ok(None)
    }

    async fn change_consent(&self, frame: ConsentFrame, change: ConsentChange, asked: &Asked<'_>) -> Answer {
        let peer = email("peerEmail", &frame.peer_email)?;
        let changed = self.change_consent.execute(&asked.origin, &peer, change).await?;
        self.counts.pushed(changed.deliveries);
        let request_id = asked.origin.correlation.request_id.as_str();
        let user = asked.user.as_deref();
        tracing::info!(request_id, user, room = %changed.room.tag(), outcome = ?change, "consent");
        Ok(Some(ServerFrame::consent(&changed.room, &peer, change)))
    }

    async fn clear(&self, frame: ClearFrame, asked: &Asked<'_>) -> Answer {
        let up_to = place("upTo", &frame.up_to)?;
        let peer = email("peerEmail", &frame.peer_email)?;
        let cleared = self.clear.execute(&asked.origin, &peer, up_to).await?;
        self.counts.pushed(cleared.deliveries);
        let request_id = asked.origin.correlation.request_id.as_str();
        let user = asked.user.as_deref();
        tracing::debug!(request_id, user, room = %cleared.room.tag(), outcome = "cleared", "clear");
        Ok(Some(ServerFrame::cleared(&cleared.room, &peer, cleared.up_to)))
    }

    async fn report(&self, frame: ReportFrame, asked: &Asked<'_>) -> Answer {
        let command = frame.into_command()?;
        // Each message is read, and kept for as long as the report.
        self.limit.charge(&asked.origin, command.times.iter().count()).await?;
        let peer_email = command.peer.to_string();
        let reported = self.file_report.execute(&asked.origin, command).await?;
        if reported.is_new {
            self.counts.reported();
        }
        let request_id = asked.origin.correlation.request_id.as_str();
        let (user, room, is_new) = (asked.user.as_deref(), reported.room.tag(), reported.is_new);
        tracing::info!(request_id, user, %room, is_new, outcome = "reported", "report");
        Ok(Some(ServerFrame::Reported(ReportedFrame { room_id: reported.room.to_string(), peer_email })))
    }

    async fn ping(&self, frame: PingFrame, asked: &Asked<'_>) -> Answer {
        self.keep_alive.execute(&asked.origin).await?;
        let pong = || ServerFrame::Pong(PongFrame { server_time: asked.origin.now.to_string() });
        Ok((!frame.quiet).then(pong))
    }

    async fn reauth(&self, frame: ReauthFrame, asked: &Asked<'_>) -> Answer {
        let token = AccessToken::new(frame.token);
        let expires_at = self.reauthenticate.execute(&asked.origin, &token).await?.to_string();
        Ok(Some(ServerFrame::Reauth(ReauthedFrame { expires_at })))
    }
}

/// Reads a timestamp that stands in `field`.
fn place(field: &str, text: &str) -> Result<Timestamp, WireError> {
    text.parse().map_err(|error| WireError::from(error).in_field(field))
}

/// The id of a message whose client gave it none: always the same for the same frame, however often it is
/// delivered.
fn fallback_id(delivery_id: &str) -> ClientMessageId {
    /// Made once, at random, for this purpose.
    const NAMESPACE: Uuid = Uuid::from_u128(0x6c1f_0f5e_3d0b_4c55_9a43_7e0c_58d1_2b9e);
    ClientMessageId::from_u128(Uuid::new_v5(&NAMESPACE, delivery_id.as_bytes()).as_u128())
}
