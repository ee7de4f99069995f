//! A message as clients see it, and the parts of messages that they send.

use chat_domain::{
    Attachment, AttachmentKey, Content, ImageFacts, Message, MessageText, Note, Proposal, ProposalAnswer,
    TextError,
};
use serde::{Deserialize, Serialize};

use super::error::{ErrorCode, WireError};
#[cfg(feature = "schema")]
use crate::schema::formats;

/// A message as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct MessageBody {
    /// The two members' addresses, sorted and joined with `#`.
    #[cfg_attr(feature = "schema", schemars(with = "formats::RoomId"))]
    pub room_id: String,
    /// Its place in the room, `YYYY-MM-DDTHH:MM:SS.mmmZ`: unique there, and later than that of every earlier
    /// message.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub timestamp: String,
    /// Its number in the room: 1, 2, 3, ... A hole means that something is missing: sync.
    #[cfg_attr(feature = "schema", ts(type = "number"), schemars(range(min = 1)))]
    pub seq: u64,
    /// The member who sent it.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub sender_email: String,
    /// Who is to get it.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub receiver_email: String,
    /// The words in it; empty when there are none.
    #[cfg_attr(feature = "schema", schemars(length(max = chat_domain::MESSAGE_TEXT_MAX_BYTES)))]
    pub message: String,
    /// Whether the receiver has read it.
    pub read: bool,
    /// What kind of message it is.
    pub kind: KindName,
    /// The sender's name for it.
    #[cfg_attr(feature = "schema", schemars(with = "formats::ClientMessageId"))]
    pub client_message_id: String,
    /// The image, of kind `image`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "AttachmentBody"))]
    pub attachment: Option<AttachmentBody>,
    /// The proposal, of kind `matchProposal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "ProposalBody"))]
    pub proposal: Option<ProposalBody>,
    /// The answer, of kind `matchProposalAnswer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "ProposalAnswerBody"))]
    pub proposal_answer: Option<ProposalAnswerBody>,
}

/// What kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub enum KindName {
    /// A message of words alone.
    Text,
    /// An image, with or without words.
    Image,
    /// A proposal to play a match.
    MatchProposal,
    /// An answer to one.
    MatchProposalAnswer,
    /// A message whose sender's data was erased: nothing is left but that there was one.
    Erased,
}

impl From<chat_domain::Kind> for KindName {
    fn from(kind: chat_domain::Kind) -> Self {
        match kind {
            chat_domain::Kind::Text => Self::Text,
            chat_domain::Kind::Image => Self::Image,
            chat_domain::Kind::MatchProposal => Self::MatchProposal,
            chat_domain::Kind::MatchProposalAnswer => Self::MatchProposalAnswer,
            chat_domain::Kind::Erased => Self::Erased,
        }
    }
}

/// An image that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct AttachmentBody {
    /// The key that `POST /chat/uploads` gave.
    #[cfg_attr(feature = "schema", schemars(with = "formats::AttachmentKey"))]
    pub key: String,
    /// `image/jpeg`, `image/png`, `image/webp` or `image/gif`.
    #[cfg_attr(feature = "schema", ts(as = "formats::ContentType"), schemars(with = "formats::ContentType"))]
    pub content_type: String,
    /// Its length in bytes.
    #[cfg_attr(
        feature = "schema",
        ts(type = "number"),
        schemars(range(min = 1, max = chat_domain::IMAGE_MAX_BYTES))
    )]
    pub size: u64,
    /// Its width in pixels.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = chat_domain::IMAGE_MAX_SIDE)))]
    pub width: u32,
    /// Its height in pixels.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = chat_domain::IMAGE_MAX_SIDE)))]
    pub height: u32,
    /// What it shows, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        ts(optional),
        schemars(with = "String", length(min = 1, max = chat_domain::ALT_TEXT_MAX_BYTES))
    )]
    pub alt: Option<String>,
}

/// A proposal to play a match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ProposalBody {
    /// The proposer's team, at most 200 bytes.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = chat_domain::TEAM_NAME_MAX_BYTES)))]
    pub team_name: String,
    /// The receiver's team, at most 200 bytes.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = chat_domain::TEAM_NAME_MAX_BYTES)))]
    pub opponent_team_name: String,
    /// When the match begins, `YYYY-MM-DDTHH:MM:SS.mmmZ`.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub match_at: String,
    /// Where it takes place, at most 400 bytes.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = chat_domain::PLACE_MAX_BYTES)))]
    pub place: String,
    /// A remark, at most 1,000 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        ts(optional),
        schemars(with = "String", length(max = chat_domain::NOTE_MAX_BYTES))
    )]
    pub note: Option<String>,
}

/// An answer to a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct ProposalAnswerBody {
    /// The timestamp of the message that proposed.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub proposal: String,
    /// `accepted` or `declined` by the receiver of the proposal, `withdrawn` by its sender.
    #[cfg_attr(feature = "schema", ts(as = "formats::Verdict"), schemars(with = "formats::Verdict"))]
    pub answer: String,
}

impl From<&Message> for MessageBody {
    fn from(message: &Message) -> Self {
        let (attachment, proposal, proposal_answer) = match &message.content {
            Content::Text(_) | Content::Erased => (None, None, None),
            Content::Image { attachment, .. } => (Some(attachment.into()), None, None),
            Content::MatchProposal(proposal) => (None, Some(proposal.into()), None),
            Content::MatchProposalAnswer(answer) => (None, None, Some(answer.into())),
        };
        Self {
            room_id: message.room.to_string(),
            timestamp: message.at.to_string(),
            seq: message.seq,
            sender_email: message.sender_email().to_string(),
            receiver_email: message.receiver_email().to_string(),
            message: message.content.text().to_owned(),
            read: message.read,
            kind: message.content.kind().into(),
            client_message_id: message.id.to_string(),
            attachment,
            proposal,
            proposal_answer,
        }
    }
}

impl From<&Attachment> for AttachmentBody {
    fn from(attachment: &Attachment) -> Self {
        let facts = &attachment.facts;
        Self {
            key: attachment.key.to_string(),
            content_type: facts.kind().as_str().to_owned(),
            size: facts.size_bytes(),
            width: facts.width_px(),
            height: facts.height_px(),
            alt: attachment.alt.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&Proposal> for ProposalBody {
    fn from(proposal: &Proposal) -> Self {
        Self {
            team_name: proposal.team_name.to_string(),
            opponent_team_name: proposal.opponent_team_name.to_string(),
            match_at: proposal.match_at.to_string(),
            place: proposal.place.to_string(),
            note: proposal.note.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&ProposalAnswer> for ProposalAnswerBody {
    fn from(answer: &ProposalAnswer) -> Self {
        Self { proposal: answer.proposal.to_string(), answer: answer.verdict.as_str().to_owned() }
    }
}

impl TryFrom<AttachmentBody> for Attachment {
    type Error = WireError;

    fn try_from(body: AttachmentBody) -> Result<Self, WireError> {
        let key: AttachmentKey = body.key.parse()?;
        let facts = ImageFacts::new(body.content_type.parse()?, body.size, body.width, body.height)?;
        let alt = body.alt.map(|alt| field("attachment.alt", &alt)).transpose()?;
        Ok(Self { key, facts, alt })
    }
}

impl TryFrom<ProposalBody> for Proposal {
    type Error = WireError;

    fn try_from(body: ProposalBody) -> Result<Self, WireError> {
        let note = body.note.filter(|note| !note.trim().is_empty());
        Ok(Self {
            team_name: field("proposal.teamName", &body.team_name)?,
            opponent_team_name: field("proposal.opponentTeamName", &body.opponent_team_name)?,
            match_at: body
                .match_at
                .parse()
                .map_err(|error| WireError::from(error).in_field("proposal.matchAt"))?,
            place: field("proposal.place", &body.place)?,
            note: note.map(|note| field::<Note>("proposal.note", &note)).transpose()?,
        })
    }
}

impl TryFrom<ProposalAnswerBody> for ProposalAnswer {
    type Error = WireError;

    fn try_from(body: ProposalAnswerBody) -> Result<Self, WireError> {
        let at = body.proposal.parse();
        Ok(Self {
            proposal: at.map_err(|error| WireError::from(error).in_field("proposalAnswer.proposal"))?,
            verdict: body
                .answer
                .parse()
                .map_err(|error| WireError::from(error).in_field("proposalAnswer.answer"))?,
        })
    }
}

/// Reads a text other than the message's own: `messageEmpty` and `messageTooLong` are about that one alone.
fn field<T: std::str::FromStr<Err = TextError>>(name: &str, text: &str) -> Result<T, WireError> {
    let refused = |error| WireError { code: ErrorCode::BadRequest, ..WireError::from(error) };
    text.parse().map_err(|error: TextError| refused(error).in_field(name))
}

/// What a client wants to send, before it is known to make sense.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    pub message: Option<String>,
    pub(crate) attachment: Option<AttachmentBody>,
    pub(crate) proposal: Option<ProposalBody>,
    pub(crate) proposal_answer: Option<ProposalAnswerBody>,
}

impl TryFrom<Parts> for Content {
    type Error = WireError;

    fn try_from(parts: Parts) -> Result<Self, WireError> {
        let Parts { message, attachment, proposal, proposal_answer } = parts;
        let written = message.as_deref().filter(|message| !message.trim().is_empty());
        match (attachment, proposal, proposal_answer) {
            (None, None, None) => {
                let text = message.ok_or_else(|| WireError::bad_request("message: missing"))?;
                Ok(Self::Text(text.parse()?))
            }
            (Some(attachment), None, None) => {
                let caption = written.map(str::parse::<MessageText>).transpose()?;
                Ok(Self::Image { attachment: attachment.try_into()?, caption })
            }
            (None, Some(proposal), None) if written.is_none() => {
                Ok(Self::MatchProposal(proposal.try_into()?))
            }
            (None, None, Some(answer)) if written.is_none() => {
                Ok(Self::MatchProposalAnswer(answer.try_into()?))
            }
            _ => Err(WireError::bad_request(
                "a message is one of: message, attachment (with or without message), proposal, \
                 proposalAnswer",
            )),
        }
    }
}
