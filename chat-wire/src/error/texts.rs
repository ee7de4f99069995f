//! What a client is told. The errors' own texts are for those who run the chat or build on it, and may say
//! more. An error that only a part of a message can have stands beside that
//! [part](crate::message).

use chat_domain::{
    AttachmentRefused, ChangeRefused, ChatError, ClientMessageIdError, EMAIL_MAX_BYTES, EmailError,
    IMAGE_MAX_BYTES, IMAGE_MAX_PIXELS, IMAGE_MAX_SIDE, InDoubt, ProposalRefused, TextError, TimestampError,
};

use super::{ErrorCode, WireError};

/// The one place where the domain's errors become answers.
impl From<&ChatError> for WireError {
    fn from(error: &ChatError) -> Self {
        let wire = |code, message: &str| Self::new(code, message);
        match error {
            ChatError::SelfChat => wire(ErrorCode::SelfChat, "nobody chats with themselves"),
            ChatError::IdReused => {
                wire(ErrorCode::IdReused, "this clientMessageId was used for another message")
            }
            ChatError::AfterAheadOfRoom => {
                wire(ErrorCode::BadRequest, "after is later than the newest message of the room")
            }
            ChatError::ResyncNeeded => {
                wire(ErrorCode::ResyncNeeded, "too much was written since; sync, then send again")
            }
            ChatError::RateLimited { retry_after } | ChatError::Closed { retry_after } => {
                let ms = retry_after.as_millis();
                Self::new(
                    ErrorCode::RateLimited,
                    format!("too much at once; the next is possible in {ms} ms"),
                )
            }
            ChatError::NotAccepted => wire(ErrorCode::NotAccepted, "the receiver does not accept it"),
            ChatError::NotFound => {
                wire(ErrorCode::NotFound, "there is no such conversation, or no such message in it")
            }
            ChatError::ChangeRefused(refused) => wire(ErrorCode::BadRequest, change(*refused)),
            ChatError::ProposalState(refused) => wire(ErrorCode::ProposalState, proposal(*refused)),
            ChatError::AttachmentRejected(refused) => (*refused).into(),
            ChatError::AttachmentMissing => wire(ErrorCode::AttachmentMissing, "there is no such attachment"),
            ChatError::Unauthorized { .. } => wire(ErrorCode::Unauthorized, "the token is not accepted"),
            ChatError::Suspended => wire(ErrorCode::Suspended, "the user is suspended"),
            ChatError::NotYours => wire(ErrorCode::NotYours, "it belongs to somebody else"),
            ChatError::AuthExpired => wire(ErrorCode::AuthExpired, "the authentication has expired"),
            ChatError::UnknownConnection => wire(ErrorCode::UnknownConnection, "the connection is unknown"),
            // Nothing has failed: time alone decides.
            ChatError::InDoubt(what) => {
                Self { failed: false, ..wire(ErrorCode::Unavailable, in_doubt(*what)) }
            }
            ChatError::Unavailable { .. } => {
                wire(ErrorCode::Unavailable, "the chat is unavailable for the moment")
            }
            ChatError::Internal { .. } => wire(ErrorCode::Internal, "the chat has a fault"),
        }
    }
}

const fn in_doubt(what: InDoubt) -> &'static str {
    match what {
        InDoubt::Proposal => "a match has just begun or is about to; what was in time is not settled yet",
        InDoubt::Unblock => "the block is newer than the attempt to lift it",
        InDoubt::Upload => "the upload has just become too old; what was in time is not settled yet",
    }
}

const fn change(refused: ChangeRefused) -> &'static str {
    match refused {
        ChangeRefused::TargetAfterAfter => "target: later than after",
        ChangeRefused::Fixed => "target: messages of this kind do not change so",
        _ => "target: the message does not change so",
    }
}

const fn proposal(refused: ProposalRefused) -> &'static str {
    match refused {
        ProposalRefused::InThePast => "the match would begin in the past",
        ProposalRefused::TooManyOpen => "too many proposals wait for an answer",
        ProposalRefused::NotOpen => "there is no such open proposal",
        ProposalRefused::NotYours => "this answer is the other member's to give",
        ProposalRefused::TooLate => "the match has already begun",
        ProposalRefused::InDoubt => in_doubt(InDoubt::Proposal),
    }
}

impl From<AttachmentRefused> for WireError {
    fn from(refused: AttachmentRefused) -> Self {
        let text = match refused {
            AttachmentRefused::Type => "an image is jpeg, png, webp or gif",
            AttachmentRefused::Size => &format!("an image has 1 to {IMAGE_MAX_BYTES} bytes"),
            AttachmentRefused::Sides => &format!(
                "an image has sides of 1 to {IMAGE_MAX_SIDE} pixels, \
                 and at most {IMAGE_MAX_PIXELS} pixels in all"
            ),
            AttachmentRefused::Key => "the attachment does not belong to this sender and receiver",
            AttachmentRefused::Differs => "the uploaded object differs from what was announced",
            AttachmentRefused::Broken => "the file is not one image from its first byte to its last",
            AttachmentRefused::Location => {
                "the image tells where it was taken, or may do so; encode it anew without its metadata"
            }
            AttachmentRefused::Taken => "another message shows this attachment already",
            AttachmentRefused::Lapsed => "the upload is too old; upload it anew",
            AttachmentRefused::InDoubt => in_doubt(InDoubt::Upload),
        };
        Self::new(ErrorCode::AttachmentRejected, text)
    }
}

impl From<EmailError> for WireError {
    fn from(error: EmailError) -> Self {
        let text = match error {
            EmailError::TooLong => &format!("an e-mail address has at most {EMAIL_MAX_BYTES} bytes"),
            EmailError::NotAscii => "an e-mail address is ASCII only",
            EmailError::ForbiddenCharacter => {
                "an e-mail address has no double quotes, spaces or control characters"
            }
            EmailError::AtSign => "an e-mail address has exactly one @",
            EmailError::NoLocalPart => "an e-mail address has something before the @",
            EmailError::HashInDomain => "an e-mail address has no # after the @",
            EmailError::DomainNotDotted => "an e-mail address has a dotted domain",
        };
        Self::new(ErrorCode::InvalidEmail, text)
    }
}

impl From<TextError> for WireError {
    fn from(error: TextError) -> Self {
        match error {
            TextError::Empty => Self::new(ErrorCode::MessageEmpty, "the text is empty"),
            TextError::TooLong { bytes, max_bytes } => Self::new(
                ErrorCode::MessageTooLong,
                format!("the text has {bytes} bytes; at most {max_bytes} are allowed"),
            ),
            TextError::ControlCharacter(c) => {
                Self::bad_request(format!("the text holds the control character U+{:04X}", u32::from(c)))
            }
            TextError::BidirectionalControl(c) => Self::bad_request(format!(
                "the text holds the bidirectional control character U+{:04X}",
                u32::from(c)
            )),
        }
    }
}

impl From<TimestampError> for WireError {
    fn from(error: TimestampError) -> Self {
        Self::bad_request(match error {
            TimestampError::Shape => "a timestamp has the form YYYY-MM-DDTHH:MM:SS.mmmZ",
            TimestampError::NoSuchTime => "there is no such date or time of day",
            TimestampError::OutOfRange => "the year is not between 0000 and 9999",
        })
    }
}

impl From<ClientMessageIdError> for WireError {
    fn from(_: ClientMessageIdError) -> Self {
        Self::bad_request("a clientMessageId is a UUID in its hyphenated form")
    }
}
