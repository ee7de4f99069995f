use std::time::Duration;

use crate::{
    AppendRefused, AttachmentRefused, AttachmentStoreError, BoxError, ChangeRefused, ConnectionStoreError,
    MessageStoreError, NotAdmitted, ProposalRefused, ReportStoreError, RoomIdError, UnblockInDoubt,
    UserStoreError, VerifyError,
};

/// Why a use case did not do what it was asked to.
///
/// The enum is exhaustive on purpose: whoever turns it into an answer has to decide about every variant.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// Sender and receiver are the same user. Nothing happened.
    #[error("nobody chats with themselves")]
    SelfChat,
    /// The id was used before, for a message with other content. Nothing happened.
    #[error("this clientMessageId was used for another message")]
    IdReused,
    /// The client claims to know a message newer than any in the room. Nothing happened.
    #[error("after is later than the newest message of the room")]
    AfterAheadOfRoom,
    /// More messages followed than one page holds, so it is unknown whether the message is among them. Sync,
    /// then send again with the same id and the newest timestamp that is known then.
    #[error("too much was written since; sync, then send again")]
    ResyncNeeded,
    /// The user is too fast, has begun, uploaded or reported enough for today, or has asked enough for this
    /// hour. Send again with the same id.
    #[error("too much at once; the next is possible in {} ms", retry_after.as_millis())]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The user went on although their requests were refused, or has asked enough for this hour, and the
    /// connection was closed. Connect anew and send again with the same id, later.
    #[error("far too much at once; the next is possible in {} ms", retry_after.as_millis())]
    Closed {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The proposal or the answer does not fit the room's state. Nothing happened.
    #[error(transparent)]
    ProposalState(ProposalRefused),
    /// The message does not change so. Nothing happened.
    #[error(transparent)]
    ChangeRefused(ChangeRefused),
    /// The receiver blocks the sender, or has not accepted their request. Nothing happened.
    #[error("the receiver does not accept it")]
    NotAccepted,
    /// What the request is about is not there: the conversation, or a message of it. Nothing happened.
    #[error("there is no such conversation or message")]
    NotFound,
    /// The attachment is refused. Nothing happened.
    #[error(transparent)]
    AttachmentRejected(AttachmentRefused),
    /// There is no such uploaded object, or the caller may not see it.
    #[error("there is no such attachment")]
    AttachmentMissing,
    /// The token is not accepted.
    #[error("the token is not accepted")]
    Unauthorized {
        /// Why the token is not accepted, for logs.
        reason: &'static str,
    },
    /// Whoever runs the chat has suspended the user. Nothing happened.
    #[error("the user is suspended")]
    Suspended,
    /// What the request is about belongs to somebody else: the address, to another account; the message, to
    /// the other member. Nothing happened.
    #[error("it belongs to somebody else")]
    NotYours,
    /// The token, or the authentication of the connection, has expired.
    #[error("the authentication has expired")]
    AuthExpired,
    /// The server knows no such connection, and has closed it. The client connects anew.
    #[error("the connection is unknown")]
    UnknownConnection,
    /// Time has run out only just, and an earlier attempt may still be on its way, so the outcome is not
    /// settled. Try again with the same id, for at most [`IN_DOUBT_FOR`](crate::IN_DOUBT_FOR).
    #[error(transparent)]
    InDoubt(InDoubt),
    /// Something that the chat needs did not answer, and the outcome is unknown. Try again with the same id.
    #[error("the chat is unavailable for the moment")]
    Unavailable {
        /// What failed, for logs.
        #[source]
        source: BoxError,
    },
    /// What is stored cannot be understood.
    #[error("the chat has a fault")]
    Internal {
        /// What is wrong, for logs.
        #[source]
        source: BoxError,
    },
}

/// What is not settled yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InDoubt {
    /// Whether a proposal or an answer was in time.
    #[error("the match has just begun or is about to; an earlier attempt may still be on its way")]
    Proposal,
    /// Whether an upload was shown in time.
    #[error("the upload has just become too old; an earlier attempt to show it may still be on its way")]
    Upload,
    /// Whether a block is older than the attempt to lift it.
    #[error("the block is newer than the attempt to lift it")]
    Unblock,
}

impl From<AppendRefused> for ChatError {
    fn from(refused: AppendRefused) -> Self {
        match refused {
            AppendRefused::RateLimited { retry_after } => Self::RateLimited { retry_after },
            AppendRefused::NotAccepted => Self::NotAccepted,
            AppendRefused::Change(ChangeRefused::NoTarget) => Self::NotFound,
            AppendRefused::Change(ChangeRefused::NotYours) => Self::NotYours,
            AppendRefused::Change(refused) => Self::ChangeRefused(refused),
            AppendRefused::Proposal(ProposalRefused::InDoubt) => Self::InDoubt(InDoubt::Proposal),
            AppendRefused::Proposal(refused) => Self::ProposalState(refused),
        }
    }
}

impl From<UnblockInDoubt> for ChatError {
    fn from(_: UnblockInDoubt) -> Self {
        Self::InDoubt(InDoubt::Unblock)
    }
}

impl From<NotAdmitted> for ChatError {
    fn from(refused: NotAdmitted) -> Self {
        match refused {
            NotAdmitted::Suspended => Self::Suspended,
            NotAdmitted::NotTheOwner => Self::NotYours,
            NotAdmitted::HeldUp { retry_after } => Self::RateLimited { retry_after },
        }
    }
}

impl From<UserStoreError> for ChatError {
    fn from(error: UserStoreError) -> Self {
        match error {
            UserStoreError::Conflict
            | UserStoreError::Throttled { .. }
            | UserStoreError::Unavailable { .. } => Self::Unavailable { source: error.into() },
            UserStoreError::Corrupt { .. } => Self::Internal { source: error.into() },
        }
    }
}

impl From<ReportStoreError> for ChatError {
    fn from(error: ReportStoreError) -> Self {
        match error {
            ReportStoreError::Throttled { .. } | ReportStoreError::Unavailable { .. } => {
                Self::Unavailable { source: error.into() }
            }
            ReportStoreError::Corrupt { .. } => Self::Internal { source: error.into() },
        }
    }
}

impl From<AttachmentRefused> for ChatError {
    fn from(refused: AttachmentRefused) -> Self {
        match refused {
            AttachmentRefused::Lapsed => Self::AttachmentMissing,
            AttachmentRefused::InDoubt => Self::InDoubt(InDoubt::Upload),
            refused => Self::AttachmentRejected(refused),
        }
    }
}

/// Two addresses make no room only when they are the same.
impl From<RoomIdError> for ChatError {
    fn from(_: RoomIdError) -> Self {
        Self::SelfChat
    }
}

impl From<VerifyError> for ChatError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Rejected { reason } => Self::Unauthorized { reason },
            VerifyError::Expired => Self::AuthExpired,
            VerifyError::Unavailable { .. } => Self::Unavailable { source: error.into() },
        }
    }
}

impl From<MessageStoreError> for ChatError {
    fn from(error: MessageStoreError) -> Self {
        match error {
            MessageStoreError::AttachmentTaken => Self::AttachmentRejected(AttachmentRefused::Taken),
            MessageStoreError::Conflict
            | MessageStoreError::Throttled { .. }
            | MessageStoreError::Unavailable { .. } => Self::Unavailable { source: error.into() },
            MessageStoreError::Corrupt { .. } => Self::Internal { source: error.into() },
        }
    }
}

impl From<ConnectionStoreError> for ChatError {
    fn from(error: ConnectionStoreError) -> Self {
        match error {
            ConnectionStoreError::Throttled { .. } | ConnectionStoreError::Unavailable { .. } => {
                Self::Unavailable { source: error.into() }
            }
            ConnectionStoreError::Corrupt { .. } => Self::Internal { source: error.into() },
        }
    }
}

impl From<AttachmentStoreError> for ChatError {
    fn from(error: AttachmentStoreError) -> Self {
        Self::Unavailable { source: error.into() }
    }
}
