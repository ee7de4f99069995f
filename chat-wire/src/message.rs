//! A message as clients see it, and the parts of messages that they send.

use std::collections::BTreeMap;

use chat_domain::{
    Attachment, AttachmentKey, Content, ImageFacts, Member, Message, MessageText, Note, OWN_KIND_PREFIX,
    OtherContent, OwnKindError, Proposal, ProposalAnswer, TextError, VerdictError,
};
use serde::{Deserialize, Serialize};

use super::error::{ErrorCode, WireError};
use super::json;
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
    /// Of kind `change`: the timestamp of the message that has changed. What it is by now stands in
    /// `messages` or in `changed` of the same answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub target: Option<String>,
    /// When the words were last replaced; absent if they never were.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub edited_at: Option<String>,
    /// The emoji that each member has left on it, by the member's address; absent if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        ts(optional, type = "{ [address: string]: Array<string> }"),
        schemars(with = "BTreeMap<String, Vec<formats::Emoji>>")
    )]
    pub reactions: Option<BTreeMap<String, Vec<String>>>,
    /// The number of the last change that it has had, by which a client tells which of two states is the
    /// later; absent if it has had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional, type = "number"), schemars(with = "u64", range(min = 1)))]
    pub changed_by: Option<u64>,
    /// The timestamp of the message that it replies to; absent if it is no reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "formats::Timestamp"))]
    pub reply_to: Option<String>,
    /// The message that it replies to, as it is by now. Absent where that is not known: a client that has the
    /// message shows that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional), schemars(with = "QuotedBody"))]
    pub quoted: Option<QuotedBody>,
    /// Only with a kind that is not listed here: the words that a client shows which does not know the kind.
    /// `message` repeats them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        ts(optional),
        schemars(with = "String", length(min = 1, max = chat_domain::MESSAGE_TEXT_MAX_BYTES))
    )]
    pub preview: Option<String>,
    /// Only with a kind that is not listed here: the rest of what the message says, as any JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional, type = "unknown"), schemars(with = "serde_json::Value"))]
    pub body: Option<serde_json::Value>,
}

/// What kind of message it is. There may be kinds that are not listed here: show the `preview` of those.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// That a message which was sent before has changed. Not to be shown, and not counted as unread.
    Change,
    /// A message that its sender has deleted for both: nothing is left but that there was one.
    Deleted,
    /// A message whose sender's data was erased: nothing is left but that there was one.
    Erased,
    /// A message of another kind.
    #[serde(untagged)]
    Other(
        #[cfg_attr(feature = "schema", ts(type = "string & {}"), schemars(with = "formats::KindLabel"))]
        String,
    ),
}

impl From<chat_domain::Kind> for KindName {
    fn from(kind: chat_domain::Kind) -> Self {
        match kind {
            chat_domain::Kind::Text => Self::Text,
            chat_domain::Kind::Image => Self::Image,
            chat_domain::Kind::MatchProposal => Self::MatchProposal,
            chat_domain::Kind::MatchProposalAnswer => Self::MatchProposalAnswer,
            chat_domain::Kind::Change => Self::Change,
            chat_domain::Kind::Deleted => Self::Deleted,
            chat_domain::Kind::Erased => Self::Erased,
            chat_domain::Kind::Other(label) => Self::Other(label.to_string()),
        }
    }
}

/// A message that another one replies to, as it is by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct QuotedBody {
    /// The member who has sent it.
    #[cfg_attr(feature = "schema", schemars(with = "formats::EmailAddress"))]
    pub sender_email: String,
    /// What kind of message it is.
    pub kind: KindName,
    /// Its first `PREVIEW_MAX_CHARS` characters, on one line.
    #[cfg_attr(feature = "schema", schemars(length(max = chat_domain::PREVIEW_MAX_CHARS)))]
    pub preview: String,
}

impl From<&Message> for QuotedBody {
    fn from(message: &Message) -> Self {
        Self {
            sender_email: message.sender_email().to_string(),
            kind: message.content.kind().into(),
            preview: message.content.preview(),
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
    /// The name of the proposer's team: at most `TEAM_NAME_MAX_BYTES` bytes of UTF-8.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = chat_domain::TEAM_NAME_MAX_BYTES)))]
    pub team_name: String,
    /// The name of the receiver's team, of the same length at the most.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = chat_domain::TEAM_NAME_MAX_BYTES)))]
    pub opponent_team_name: String,
    /// When the match begins, `YYYY-MM-DDTHH:MM:SS.mmmZ`.
    #[cfg_attr(feature = "schema", schemars(with = "formats::Timestamp"))]
    pub match_at: String,
    /// Where the match takes place: at most `VENUE_MAX_BYTES` bytes of UTF-8.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = chat_domain::VENUE_MAX_BYTES)))]
    pub place: String,
    /// A remark of the proposer's: at most `NOTE_MAX_BYTES` bytes of UTF-8.
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

/// The message when it is new: nobody has read it.
impl From<&Message> for MessageBody {
    fn from(message: &Message) -> Self {
        let mut parts = ShownParts::default();
        match &message.content {
            Content::Text(_) | Content::Deleted | Content::Erased => {}
            Content::Change(change) => parts.target = Some(change.target.to_string()),
            Content::Image { attachment, .. } => parts.attachment = Some(attachment.into()),
            Content::MatchProposal(proposal) => parts.proposal = Some(proposal.into()),
            Content::MatchProposalAnswer(answer) => parts.proposal_answer = Some(answer.into()),
            Content::Other(other) => parts.other = Some(other),
        }
        let ShownParts { attachment, proposal, proposal_answer, target, other } = parts;
        let changed = &message.changed;
        Self {
            room_id: message.room.to_string(),
            timestamp: message.at.to_string(),
            seq: message.seq,
            sender_email: message.sender_email().to_string(),
            receiver_email: message.receiver_email().to_string(),
            message: message.content.text().to_owned(),
            read: false,
            kind: message.content.kind().into(),
            client_message_id: message.id.to_string(),
            attachment,
            proposal,
            proposal_answer,
            target,
            edited_at: changed.edited_at.map(|at| at.to_string()),
            reactions: reactions(message),
            changed_by: (changed.by > 0).then_some(changed.by),
            reply_to: message.reply_to.map(|at| at.to_string()),
            quoted: None,
            preview: other.and_then(|other| other.preview.as_ref()).map(ToString::to_string),
            // A stored body that is no JSON is left out: no version stores one.
            body: other.and_then(|other| json::stored(other.body.as_deref()?)),
        }
    }
}

/// The emoji of both members, by their addresses.
fn reactions(message: &Message) -> Option<BTreeMap<String, Vec<String>>> {
    let members = [Member::A, Member::B].into_iter();
    let left = members.filter(|member| !message.changed.reactions[*member].is_empty());
    let by_address = left.map(|member| {
        let emoji = message.changed.reactions[member].iter().map(ToString::to_string).collect();
        (message.room.email(member).to_string(), emoji)
    });
    Some(by_address.collect::<BTreeMap<_, _>>()).filter(|reactions| !reactions.is_empty())
}

/// What a message may show beside its words: one of these.
#[derive(Default)]
struct ShownParts<'a> {
    attachment: Option<AttachmentBody>,
    proposal: Option<ProposalBody>,
    proposal_answer: Option<ProposalAnswerBody>,
    target: Option<String>,
    other: Option<&'a OtherContent>,
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
            place: proposal.venue.to_string(),
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
            venue: field("proposal.place", &body.place)?,
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

impl From<VerdictError> for WireError {
    fn from(_: VerdictError) -> Self {
        Self::bad_request("an answer is accepted, declined or withdrawn")
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
    pub(crate) message: Option<String>,
    pub(crate) attachment: Option<AttachmentBody>,
    pub(crate) proposal: Option<ProposalBody>,
    pub(crate) proposal_answer: Option<ProposalAnswerBody>,
    pub(crate) own: OwnParts,
}

/// What a client wants to send of an application's own kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnParts {
    pub(crate) kind: Option<String>,
    pub(crate) preview: Option<String>,
    pub(crate) body: Option<serde_json::Value>,
}

impl OwnParts {
    fn is_there(&self) -> bool {
        self.kind.is_some() || self.preview.is_some() || self.body.is_some()
    }

    fn names_an_own_kind(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.starts_with(OWN_KIND_PREFIX))
    }
}

impl TryFrom<OwnParts> for OtherContent {
    type Error = WireError;

    fn try_from(parts: OwnParts) -> Result<Self, WireError> {
        let kind =
            parts.kind.ok_or_else(|| WireError::bad_request("kind: missing beside preview or body"))?;
        let kind = kind.parse().map_err(|_| OwnKindError::NotOwn)?;
        let preview = parts.preview.filter(|preview| !preview.trim().is_empty());
        let preview = preview.map(|preview| field("preview", &preview)).transpose()?;
        let body = parts.body.map(|body| body.to_string().into());
        Ok(Self::own(kind, preview, body)?)
    }
}

impl From<OwnKindError> for WireError {
    fn from(error: OwnKindError) -> Self {
        let field = match error {
            OwnKindError::NotOwn => "kind",
            OwnKindError::PreviewTooLong { .. } => "preview",
            OwnKindError::BodyTooLong { .. } => "body",
        };
        Self::bad_request(error.to_string()).in_field(field)
    }
}

impl TryFrom<Parts> for Content {
    type Error = WireError;

    fn try_from(parts: Parts) -> Result<Self, WireError> {
        let Parts { message, attachment, proposal, proposal_answer, own } = parts;
        let written = message.as_deref().filter(|message| !message.trim().is_empty());
        // Clients of before there were own kinds may send these fields beside words, as they got them.
        let is_alone =
            message.is_none() && attachment.is_none() && proposal.is_none() && proposal_answer.is_none();
        let own = Some(own).filter(|own| own.names_an_own_kind() || (is_alone && own.is_there()));
        match (attachment, proposal, proposal_answer, own) {
            (None, None, None, None) => {
                let text = message.ok_or_else(|| WireError::bad_request("message: missing"))?;
                Ok(Self::Text(text.parse()?))
            }
            (Some(attachment), None, None, None) => {
                let caption = written.map(str::parse::<MessageText>).transpose()?;
                Ok(Self::Image { attachment: attachment.try_into()?, caption })
            }
            (None, Some(proposal), None, None) if written.is_none() => {
                Ok(Self::MatchProposal(proposal.try_into()?))
            }
            (None, None, Some(answer), None) if written.is_none() => {
                Ok(Self::MatchProposalAnswer(answer.try_into()?))
            }
            (None, None, None, Some(own)) if written.is_none() => Ok(Self::Other(own.try_into()?)),
            _ => Err(WireError::bad_request(
                "a message is one of: message, attachment (with or without message), proposal, \
                 proposalAnswer, kind (with preview and body)",
            )),
        }
    }
}
