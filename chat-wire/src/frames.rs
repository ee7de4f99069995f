//! The frames on the WebSocket.

use chat_domain::{ClientMessageId, Correlation, Email, Event, SendCommand, SendOutcome, Sent};
use serde::{Deserialize, Serialize};

use super::error::{ErrorCode, WireError};
use super::message::{AttachmentBody, MessageBody, Parts, ProposalAnswerBody, ProposalBody};
pub use super::table::ClientFrame;
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
    /// The words: 1 to 8,192 bytes of UTF-8. May be absent beside an attachment, and must be beside a
    /// proposal or an answer.
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

/// The user is typing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct TypingFrame {
    /// Who is to be told.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub receiver_email: String,
}

/// A frame that asks whether the connection still works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct PingFrame {}

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
#[expect(clippy::large_enum_variant, reason = "one frame is written at a time, so its size costs nothing")]
pub enum ServerFrame {
    /// A message was stored.
    Message(MessageBody),
    /// Your message is stored.
    Sent(SentFrame),
    /// A member has read further.
    Read(ReadFrame),
    /// A member is typing.
    Typing(TypingEventFrame),
    /// The connection works: the answer to `ping`.
    Pong(PongFrame),
    /// The connection's authentication is extended.
    Reauth(ReauthedFrame),
    /// A request was refused or failed.
    Error(ErrorBody),
}

/// The acknowledgement of a message: it is stored, for good.
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
    /// The frame as JSON text.
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
            Event::Read { room, reader, up_to } => Self::Read(ReadFrame {
                room_id: room.to_string(),
                reader_email: reader.to_string(),
                up_to: up_to.to_string(),
            }),
            Event::Typing { room, sender } => {
                Self::Typing(TypingEventFrame { room_id: room.to_string(), sender_email: sender.to_string() })
            }
            Event::UnknownConnection(correlation) => {
                let error = WireError::from(&chat_domain::ChatError::UnknownConnection);
                Self::Error(ErrorBody::new(error, correlation))
            }
        }
    }
}

/// The JSON of an event, for a [`Pusher`](chat_domain::Pusher).
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
        let after = self.after.as_deref().map(str::parse).transpose();
        let parts = Parts {
            message: self.message,
            attachment: self.attachment,
            proposal: self.proposal,
            proposal_answer: self.proposal_answer,
        };
        Ok(SendCommand {
            receiver: email("receiverEmail", &self.receiver_email)?,
            id: id.unwrap_or_else(fallback_id),
            after: after.map_err(|error| WireError::from(error).in_field("after"))?,
            content: parts.try_into()?,
        })
    }
}

/// Reads an address that stands in `field`.
///
/// # Errors
/// `invalidEmail`, naming the field.
pub fn email(field: &str, text: &str) -> Result<Email, WireError> {
    text.parse().map_err(|error| WireError::from(error).in_field(field))
}
