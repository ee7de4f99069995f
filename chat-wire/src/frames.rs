//! The frames on the WebSocket.

use chat_domain::{
    ChangeCommand, ClientMessageId, ConsentChange, Correlation, Effect, Email, Event, REACTIONS_MAX,
    REPORT_MESSAGES_MAX, Reactions, ReportCommand, ReportedTimes, RoomId, SendCommand, SendOutcome, Sent,
    Timestamp, TimestampError,
};
use serde::{Deserialize, Serialize};

use super::error::{ErrorCode, WireError};
use super::message::{AttachmentBody, MessageBody, OwnParts, Parts, ProposalAnswerBody, ProposalBody};
#[cfg(feature = "schema")]
use crate::schema::formats;

/// A message to send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct SendMessageFrame {
    /// Who is to get it.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub receiver_email: String,
    /// The words: 1 to `MESSAGE_TEXT_MAX_BYTES` bytes of UTF-8. They may be absent beside an attachment, and
    /// must be beside a proposal, an answer or a kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        ts(optional),
        schemars(with = "String", length(max = chat_domain::MESSAGE_TEXT_MAX_BYTES))
    )]
    pub message: Option<String>,
    /// A UUID made before the first attempt, the same for every retry. Without it only doubled deliveries of
    /// the same frame are recognised, not retries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::ClientMessageId"))]
    pub client_message_id: Option<String>,
    /// The newest timestamp of the conversation that the client knew when it made the message;
    /// `1970-01-01T00:00:00.000Z` when it knew the conversation to be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub after: Option<String>,
    /// The timestamp of the message that it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub reply_to: Option<String>,
    /// An image that was uploaded before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "AttachmentBody"))]
    pub attachment: Option<AttachmentBody>,
    /// A proposal to play a match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "ProposalBody"))]
    pub proposal: Option<ProposalBody>,
    /// An answer to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "ProposalAnswerBody"))]
    pub proposal_answer: Option<ProposalAnswerBody>,
    /// A kind of the application's own that this chat admits. `message` is absent beside it, and a kind
    /// that is none of those is ignored beside `message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::OwnKind"))]
    pub kind: Option<String>,
    /// Only beside `kind`: what clients show that do not know the kind; 1 to `OWN_PREVIEW_MAX_BYTES` bytes of
    /// UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        ts(optional),
        schemars(with = "String", length(max = chat_domain::OWN_PREVIEW_MAX_BYTES))
    )]
    pub preview: Option<String>,
    /// Only beside `kind`: the rest of what the message says, as any JSON; at most `OWN_BODY_MAX_BYTES` bytes
    /// without white space.
    #[serde(default, deserialize_with = "crate::json::any", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional, type = "unknown"), schemars(with = "serde_json::Value"))]
    pub body: Option<serde_json::Value>,
}

/// The reactions of the user to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ReactFrame {
    /// The other member of the conversation.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub peer_email: String,
    /// The timestamp of the message.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub target: String,
    /// All emoji of the user on the message from now on: different ones, or none.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<formats::Emoji>", length(max = chat_domain::REACTIONS_MAX))
    )]
    pub emoji: Vec<String>,
    /// A UUID made before the first attempt, the same for every retry, as in `sendMessage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::ClientMessageId"))]
    pub client_message_id: Option<String>,
    /// As in `sendMessage`; no earlier than the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub after: Option<String>,
}

/// Other words for a message of the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct EditFrame {
    /// The other member of the conversation.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub peer_email: String,
    /// The timestamp of the message: a text, or an image.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub target: String,
    /// The words of the message from now on: 1 to `MESSAGE_TEXT_MAX_BYTES` bytes of UTF-8.
    #[cfg_attr(feature = "schema", schemars(length(max = chat_domain::MESSAGE_TEXT_MAX_BYTES)))]
    pub message: String,
    /// A UUID made before the first attempt, the same for every retry, as in `sendMessage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::ClientMessageId"))]
    pub client_message_id: Option<String>,
    /// As in `sendMessage`; no earlier than the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub after: Option<String>,
}

/// A message of the user that is to be deleted for both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct DeleteFrame {
    /// The other member of the conversation.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub peer_email: String,
    /// The timestamp of the message.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub target: String,
    /// A UUID made before the first attempt, the same for every retry, as in `sendMessage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::ClientMessageId"))]
    pub client_message_id: Option<String>,
    /// As in `sendMessage`; no earlier than the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub after: Option<String>,
}

/// How far a conversation was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct MarkReadFrame {
    /// The other member of the conversation.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub peer_email: String,
    /// The timestamp of the newest message read.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub up_to: String,
}

/// How far the user clears a conversation for themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ClearFrame {
    /// The other member of the conversation.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub peer_email: String,
    /// The timestamp of the newest message that goes. Later than that of the newest message stands for that
    /// one's.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub up_to: String,
}

/// The user is typing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct TypingFrame {
    /// Who is to be told.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub receiver_email: String,
}

/// Whom the user has decided about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ConsentFrame {
    /// The other member of the conversation.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub peer_email: String,
}

/// Messages that the user reports to whoever runs the chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ReportFrame {
    /// The other member of the conversation.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub peer_email: String,
    /// The timestamps of the reported messages.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<formats::Timestamp>", length(min = 1, max = chat_domain::REPORT_MESSAGES_MAX))
    )]
    pub timestamps: Vec<String>,
    /// Why, in the user's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        ts(optional),
        schemars(with = "String", length(max = chat_domain::REPORT_REASON_MAX_BYTES))
    )]
    pub reason: Option<String>,
}

impl ReportFrame {
    /// The command that the frame stands for. A blank reason is none.
    ///
    /// # Errors
    /// The first field that makes no sense.
    pub fn into_command(self) -> Result<ReportCommand, WireError> {
        let peer = email("peerEmail", &self.peer_email)?;
        let times = self.timestamps.iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>();
        let times = times.map_err(|error| WireError::from(error).in_field("timestamps"))?;
        let times = ReportedTimes::new(times)
            .map_err(|_| WireError::bad_request(format!("timestamps: 1 to {REPORT_MESSAGES_MAX}")))?;
        let reason = self.reason.filter(|reason| !reason.trim().is_empty());
        let reason = reason.map(|reason| reason.parse()).transpose();
        let reason = reason.map_err(|error| WireError::bad_request(WireError::from(error).message));
        Ok(ReportCommand { peer, times, reason: reason.map_err(|error| error.in_field("reason"))? })
    }
}

/// A report is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ReportedFrame {
    /// The room of the reported messages.
    #[cfg_attr(feature = "schema", schemars(with = "formats::RoomId"))]
    pub room_id: String,
    /// The other member of the conversation.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub peer_email: String,
}

/// A frame that asks whether the connection still works, and keeps it open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct PingFrame {
    /// Whether a connection that works is not answered. Such a ping keeps the connection open for half of
    /// what an answered one costs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "schema", ts(optional, as = "Option<bool>"))]
    pub quiet: bool,
}

/// A newer token of the same user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ReauthFrame {
    /// The access token, as the identity provider gave it.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub token: String,
}

impl std::fmt::Debug for ReauthFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReauthFrame(..)")
    }
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub enum ServerFrame {
    /// A message was stored.
    Message(MessageBody),
    /// A message was changed.
    Changed(ChangedFrame),
    /// Your message, or your change of one, is stored.
    Sent(SentFrame),
    /// A member has read further.
    Read(ReadFrame),
    /// A member is typing.
    Typing(TypingEventFrame),
    /// The user has accepted the peer's request.
    Accept(ConsentChangedFrame),
    /// The user blocks the peer.
    Block(ConsentChangedFrame),
    /// The user does not block the peer any more.
    Unblock(ConsentChangedFrame),
    /// The user has cleared a conversation for themselves, on this connection or on another one.
    Cleared(ClearedFrame),
    /// The user's report is kept.
    Reported(ReportedFrame),
    /// The connection works: the answer to `ping`.
    Pong(PongFrame),
    /// The connection's authentication is extended.
    Reauth(ReauthedFrame),
    /// A request was refused or failed.
    Error(ErrorBody),
}

/// A message was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ChangedFrame {
    /// The room of the two members.
    #[cfg_attr(feature = "schema", schemars(with = "formats::RoomId"))]
    pub room_id: String,
    /// The change's own place in the room.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub timestamp: String,
    /// The change's own number in the room.
    #[cfg_attr(feature = "schema", ts(type = "number"), schemars(range(min = 1)))]
    pub seq: u64,
    /// The member who has changed the message.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub sender_email: String,
    /// That member's name for the change.
    #[cfg_attr(feature = "schema", schemars(with = "formats::ClientMessageId"))]
    pub client_message_id: String,
    /// The timestamp of the message.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub target: String,
    /// The message as it is by now. Whether it is read is not said here.
    pub message: MessageBody,
}

/// The acknowledgement of a message, or of a change of one: it is stored, for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct SentFrame {
    /// The client's name for it, or the one the server made when the client gave none.
    #[cfg_attr(feature = "schema", schemars(with = "formats::ClientMessageId"))]
    pub client_message_id: String,
    /// The room of the two members.
    #[cfg_attr(feature = "schema", schemars(with = "formats::RoomId"))]
    pub room_id: String,
    /// Its place in the room: the same in every acknowledgement of this id.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub timestamp: String,
    /// Its number in the room: the same in every acknowledgement of this id.
    #[cfg_attr(feature = "schema", ts(type = "number"), schemars(range(min = 1)))]
    pub seq: u64,
    /// Whether an earlier attempt had stored it.
    pub duplicate: bool,
}

/// A member has read further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ReadFrame {
    /// The room of the two members.
    #[cfg_attr(feature = "schema", schemars(with = "formats::RoomId"))]
    pub room_id: String,
    /// The member who has read.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub reader_email: String,
    /// The timestamp of the newest message read.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub up_to: String,
}

/// The user has decided something about the peer, on this connection or on another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ConsentChangedFrame {
    /// The room of the two members.
    #[cfg_attr(feature = "schema", schemars(with = "formats::RoomId"))]
    pub room_id: String,
    /// About whom it was decided.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub peer_email: String,
}

/// The user has cleared a conversation for themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ClearedFrame {
    /// The room of the two members.
    #[cfg_attr(feature = "schema", schemars(with = "formats::RoomId"))]
    pub room_id: String,
    /// The other member of the conversation.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub peer_email: String,
    /// Up to where nothing is shown to the user any more.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub up_to: String,
}

/// A member is typing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct TypingEventFrame {
    /// The room of the two members.
    #[cfg_attr(feature = "schema", schemars(with = "formats::RoomId"))]
    pub room_id: String,
    /// The member who is typing.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub sender_email: String,
}

/// The connection works: the answer to `ping`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct PongFrame {
    /// What time it is for the server.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub server_time: String,
}

/// The connection's authentication is extended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ReauthedFrame {
    /// When it expires now.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub expires_at: String,
}

/// A request was refused or failed. A REST answer has the same body, with the HTTP status that fits the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ErrorBody {
    /// What kind of error it is.
    pub code: ErrorCode,
    /// What went wrong, for developers; people are told by `code`, in their language.
    pub message: String,
    /// Whether to send the same again with the same id. `false` is definitive: it did not happen and will
    /// not.
    pub retryable: bool,
    /// The server's name for the request, to be found in its log.
    pub request_id: String,
    /// The message's id, when the request had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::ClientMessageId"))]
    pub client_message_id: Option<String>,
}

impl ErrorBody {
    /// The body for `error`, as an answer to the request that `correlation` names.
    #[must_use]
    pub fn new(error: WireError, correlation: &Correlation) -> Self {
        Self {
            code: error.code,
            message: error.message,
            retryable: error.code.retryable(),
            request_id: correlation.request_id.clone(),
            client_message_id: correlation.message.map(|id| id.to_string()),
        }
    }
}

impl ServerFrame {
    /// The frame that says what a user has decided about `peer`.
    #[must_use]
    pub fn consent(room: &RoomId, peer: &Email, change: ConsentChange) -> Self {
        let frame = ConsentChangedFrame { room_id: room.to_string(), peer_email: peer.to_string() };
        match change {
            ConsentChange::Accept => Self::Accept(frame),
            ConsentChange::Block => Self::Block(frame),
            ConsentChange::Unblock => Self::Unblock(frame),
        }
    }

    /// The frame that says how far a user has cleared the conversation with `peer`.
    #[must_use]
    pub fn cleared(room: &RoomId, peer: &Email, up_to: Timestamp) -> Self {
        let (room_id, peer_email) = (room.to_string(), peer.to_string());
        Self::Cleared(ClearedFrame { room_id, peer_email, up_to: up_to.to_string() })
    }

    /// The frame as JSON text, which goes out on a socket as it is.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and booleans always serialise")
    }
}

impl From<&Sent> for SentFrame {
    fn from(sent: &Sent) -> Self {
        Self {
            client_message_id: sent.id.to_string(),
            room_id: sent.room.to_string(),
            timestamp: sent.at.to_string(),
            seq: sent.seq,
            duplicate: sent.outcome == SendOutcome::Duplicate,
        }
    }
}

impl From<&Event> for ServerFrame {
    fn from(event: &Event) -> Self {
        match event {
            Event::Message(message) => Self::Message(message.into()),
            Event::Changed { entry, target } => Self::Changed(ChangedFrame {
                room_id: entry.room.to_string(),
                timestamp: entry.at.to_string(),
                seq: entry.seq,
                sender_email: entry.sender_email().to_string(),
                client_message_id: entry.id.to_string(),
                target: target.at.to_string(),
                message: (&**target).into(),
            }),
            Event::Read { room, reader, up_to } => Self::Read(ReadFrame {
                room_id: room.to_string(),
                reader_email: reader.to_string(),
                up_to: up_to.to_string(),
            }),
            Event::Typing { room, sender } => {
                Self::Typing(TypingEventFrame { room_id: room.to_string(), sender_email: sender.to_string() })
            }
            Event::Consent { room, peer, change } => Self::consent(room, peer, *change),
            Event::Cleared { room, peer, up_to } => Self::cleared(room, peer, *up_to),
            Event::UnknownConnection(correlation) => {
                let error = WireError::from(&chat_domain::ChatError::UnknownConnection);
                Self::Error(ErrorBody::new(error, correlation))
            }
        }
    }
}

/// The JSON of an event. A [`Pusher`](chat_domain::Pusher) hands this to
/// [`Push::text`](chat_domain::Push::text), so that an event is encoded once for all its connections.
#[must_use]
pub fn encode(event: &Event) -> String {
    ServerFrame::from(event).to_json()
}

impl SendMessageFrame {
    /// The command that the frame stands for. A message without an id is named by `fallback_id`.
    ///
    /// # Errors
    /// The first field that makes no sense.
    pub fn into_command(
        self,
        fallback_id: impl FnOnce() -> ClientMessageId,
    ) -> Result<SendCommand, WireError> {
        let id = self.client_message_id.as_deref().map(str::parse).transpose()?;
        let parts = Parts {
            message: self.message,
            attachment: self.attachment,
            proposal: self.proposal,
            proposal_answer: self.proposal_answer,
            own: OwnParts { kind: self.kind, preview: self.preview, body: self.body },
        };
        Ok(SendCommand {
            receiver: email("receiverEmail", &self.receiver_email)?,
            id: id.unwrap_or_else(fallback_id),
            after: timestamp("after", self.after.as_deref())?,
            content: parts.try_into()?,
            reply_to: timestamp("replyTo", self.reply_to.as_deref())?,
        })
    }
}

impl ReactFrame {
    /// The command that the frame stands for. A change without an id is named by `fallback_id`.
    ///
    /// # Errors
    /// The first field that makes no sense.
    pub fn into_command(
        self,
        fallback_id: impl FnOnce() -> ClientMessageId,
    ) -> Result<ChangeCommand, WireError> {
        let refused = || WireError::bad_request(format!("emoji: up to {REACTIONS_MAX} different emoji"));
        let emoji = self.emoji.iter().map(|one| one.parse()).collect::<Result<Vec<_>, _>>();
        let reactions = Reactions::new(emoji.map_err(|_| refused())?).map_err(|_| refused())?;
        Changing::from(self).into_command(Effect::React(reactions), fallback_id)
    }
}

impl EditFrame {
    /// The command that the frame stands for. A change without an id is named by `fallback_id`.
    ///
    /// # Errors
    /// The first field that makes no sense.
    pub fn into_command(
        self,
        fallback_id: impl FnOnce() -> ClientMessageId,
    ) -> Result<ChangeCommand, WireError> {
        let words = self.message.parse()?;
        Changing::from(self).into_command(Effect::Edit(words), fallback_id)
    }
}

impl DeleteFrame {
    /// The command that the frame stands for. A change without an id is named by `fallback_id`.
    ///
    /// # Errors
    /// The first field that makes no sense.
    pub fn into_command(
        self,
        fallback_id: impl FnOnce() -> ClientMessageId,
    ) -> Result<ChangeCommand, WireError> {
        Changing::from(self).into_command(Effect::Delete, fallback_id)
    }
}

/// What the frames of all changes have.
struct Changing {
    peer_email: String,
    target: String,
    client_message_id: Option<String>,
    after: Option<String>,
}

macro_rules! changing {
    ($($frame:ident),+) => {
        $(impl From<$frame> for Changing {
            fn from(frame: $frame) -> Self {
                let $frame { peer_email, target, client_message_id, after, .. } = frame;
                Self { peer_email, target, client_message_id, after }
            }
        })+
    };
}

changing!(ReactFrame, EditFrame, DeleteFrame);

impl Changing {
    fn into_command(
        self,
        effect: Effect,
        fallback_id: impl FnOnce() -> ClientMessageId,
    ) -> Result<ChangeCommand, WireError> {
        let id = self.client_message_id.as_deref().map(str::parse).transpose()?;
        let target = self.target.parse().map_err(|error| WireError::from(error).in_field("target"))?;
        Ok(ChangeCommand {
            peer: email("peerEmail", &self.peer_email)?,
            id: id.unwrap_or_else(fallback_id),
            after: timestamp("after", self.after.as_deref())?,
            target,
            effect,
        })
    }
}

/// Reads a timestamp that stands in `field`, if there is one.
fn timestamp(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, WireError> {
    text.map(str::parse).transpose().map_err(|error: TimestampError| WireError::from(error).in_field(field))
}

/// Reads an address that stands in `field`.
///
/// # Errors
/// `invalidEmail`, naming the field.
pub fn email(field: &str, text: &str) -> Result<Email, WireError> {
    text.parse().map_err(|error| WireError::from(error).in_field(field))
}
