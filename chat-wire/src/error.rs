//! What a client is told when something is refused or fails.

mod texts;

use http::StatusCode;
use serde::{Deserialize, Serialize};

/// The closed list of error codes. Clients decide by the code, and never by the text beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub enum ErrorCode {
    /// The request is malformed; `message` says where.
    BadRequest,
    /// An e-mail address is not one.
    InvalidEmail,
    /// Sender and receiver are the same.
    SelfChat,
    /// The text has more than `MESSAGE_TEXT_MAX_BYTES` bytes.
    MessageTooLong,
    /// The text is empty or blank.
    MessageEmpty,
    /// The `clientMessageId` was used for a message with other content.
    IdReused,
    /// The token is missing or not accepted.
    Unauthorized,
    /// The token or the connection's authentication has expired: send `reauth`, then try again.
    AuthExpired,
    /// The server does not know the connection and closes it: connect anew, then try again.
    UnknownConnection,
    /// Whoever runs the chat has suspended the user.
    Suspended,
    /// What it is about belongs to somebody else: the address, to another account; the message, to the other
    /// member.
    NotYours,
    /// Too many messages: try again after a moment.
    RateLimited,
    /// Too much was written since `after`: sync; if the message is not among what came, try again with a
    /// newer `after`.
    ResyncNeeded,
    /// There is no such uploaded object.
    AttachmentMissing,
    /// The attachment is not allowed, or not what was announced.
    AttachmentRejected,
    /// The proposal is not open, or not the caller's to answer.
    ProposalState,
    /// The receiver does not accept it: they block the sender, or have not accepted their request.
    NotAccepted,
    /// There is no such conversation, or no such message in it.
    NotFound,
    /// Something did not answer; the outcome is unknown: try again.
    Unavailable,
    /// A fault of the server; the outcome is unknown.
    Internal,
}

impl ErrorCode {
    /// Whether the outcome is unknown or may change, so that the same request is to be sent again, with the
    /// same id. `false` is definitive: it did not happen and will not.
    #[must_use]
    pub const fn retryable(self) -> bool {
        match self {
            Self::AuthExpired
            | Self::UnknownConnection
            | Self::RateLimited
            | Self::ResyncNeeded
            | Self::Unavailable
            | Self::Internal => true,
            Self::BadRequest
            | Self::InvalidEmail
            | Self::SelfChat
            | Self::MessageTooLong
            | Self::MessageEmpty
            | Self::IdReused
            | Self::Unauthorized
            | Self::AttachmentMissing
            | Self::AttachmentRejected
            | Self::ProposalState
            | Self::NotAccepted
            | Self::NotFound
            | Self::NotYours
            | Self::Suspended => false,
        }
    }

    /// The HTTP status of a REST answer with this code.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest
            | Self::InvalidEmail
            | Self::SelfChat
            | Self::MessageTooLong
            | Self::MessageEmpty => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::AuthExpired => StatusCode::UNAUTHORIZED,
            Self::NotAccepted | Self::NotYours | Self::Suspended => StatusCode::FORBIDDEN,
            Self::AttachmentMissing | Self::NotFound => StatusCode::NOT_FOUND,
            Self::IdReused | Self::ResyncNeeded | Self::ProposalState => StatusCode::CONFLICT,
            Self::UnknownConnection => StatusCode::GONE,
            Self::AttachmentRejected => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An error on its way to a client: a code, and a text that says nothing of the inside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {message}")]
pub struct WireError {
    /// What kind it is.
    pub code: ErrorCode,
    /// What to tell a developer. Nothing internal stands in it.
    pub message: String,
    /// Whether something failed here, which is for operators to know.
    pub failed: bool,
}

impl WireError {
    /// An error of this kind.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let failed = matches!(code, ErrorCode::Unavailable | ErrorCode::Internal);
        Self { code, message: message.into(), failed }
    }

    /// Something failed here. Only the log says what.
    #[must_use]
    pub fn fault(code: ErrorCode) -> Self {
        Self::new(code, "the chat has a fault or is unavailable for the moment")
    }

    /// The error for a malformed request.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    /// The same, with the name of the field it is about.
    #[must_use]
    pub fn in_field(self, field: &str) -> Self {
        Self { message: format!("{field}: {}", self.message), ..self }
    }
}

/// An error and what is behind it, on one line, for the log.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
