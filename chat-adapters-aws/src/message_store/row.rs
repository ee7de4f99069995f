//! A message as an item of `playground-messages`.

use std::collections::BTreeSet;

use chat_domain::{
    Attachment, Content, Email, ImageFacts, ImageType, Kind, Message, OtherContent, Proposal, ProposalAnswer,
    RoomId, Timestamp,
};

use super::change_values;
use crate::attributes::{Fields, Malformed, item, number, text, words};
use crate::items::{Item, Value};
use crate::tables::messages::{
    BODY, CHANGES, CLIENT_MESSAGE_ID, KIND, MESSAGE, PREVIEW, READ, RECEIVER_EMAIL, REPLY_TO, ROOM_ID,
    SENDER_EMAIL, SENDER_SEQ, SEQ, TIMESTAMP,
};

/// The attribute that keeps what a message of this kind says beside its [words](words_attribute);
/// [`MESSAGE`] if there is nothing else.
const fn content_attribute(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Deleted | Kind::Erased => MESSAGE,
        Kind::Change => "change",
        Kind::Image => "attachment",
        Kind::MatchProposal => "proposal",
        Kind::MatchProposalAnswer => "proposalAnswer",
        Kind::Other(_) => BODY,
    }
}

/// The attribute that keeps the words of a message of this kind, by which functions that do not know the kind
/// show it. The kinds of the first version have theirs in [`MESSAGE`], every later one in [`PREVIEW`].
const fn words_attribute(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text
        | Kind::Image
        | Kind::MatchProposal
        | Kind::MatchProposalAnswer
        | Kind::Change
        | Kind::Deleted
        | Kind::Erased => MESSAGE,
        Kind::Other(_) => PREVIEW,
    }
}

/// Every attribute in which a row may keep what its message says. A kind that comes later has [`BODY`] and
/// [`PREVIEW`], and no others, so that the functions of today can hand it on, and erase it.
pub(super) fn content_attributes() -> BTreeSet<&'static str> {
    Kind::KNOWN.iter().map(content_attribute).chain([MESSAGE, PREVIEW, BODY]).collect()
}

pub(super) fn key(room: &RoomId, at: Timestamp) -> Item {
    item([(ROOM_ID, text(room)), (TIMESTAMP, text(at))])
}

pub(crate) fn to_item(message: &Message) -> Item {
    let mut row = key(&message.room, message.at);
    row.extend(item([
        (SENDER_EMAIL, text(message.sender_email())),
        (RECEIVER_EMAIL, text(message.receiver_email())),
        // Nothing here reads it: how far somebody has read stands in the head.
        (READ, Value::Bool(false)),
        (SEQ, number(message.seq)),
        (SENDER_SEQ, number(message.sender_seq)),
        (CLIENT_MESSAGE_ID, text(message.id)),
    ]));
    if message.changes > 0 {
        row.insert(CHANGES.to_owned(), number(message.changes));
    }
    row.extend(message.reply_to.map(|at| (REPLY_TO.to_owned(), text(at))));
    row.extend(change_values::changed_item(&message.changed));
    row.extend(content_item(&message.content));
    row
}

/// What a message says, as its row has it, and the head of its room while the message is the newest.
pub(super) fn content_item(content: &Content) -> Item {
    let kind = content.kind();
    let mut said = item([(KIND, text(kind.as_str()))]);
    said.extend(words(content.text()).map(|words| (words_attribute(&kind).to_owned(), words)));
    let more = match content {
        Content::Text(_) | Content::Deleted | Content::Erased => None,
        Content::Change(change) => Some(change_values::change_value(change)),
        Content::Image { attachment, .. } => Some(attachment_value(attachment)),
        Content::MatchProposal(proposal) => Some(proposal_value(proposal)),
        Content::MatchProposalAnswer(answer) => Some(answer_value(*answer)),
        Content::Other(other) => other.body.as_ref().map(text),
    };
    said.extend(more.map(|more| (content_attribute(&kind).to_owned(), more)));
    said
}

pub(crate) fn from_item(room: &RoomId, row: &Item) -> Result<Message, Malformed> {
    let row = Fields(row);
    let sender_email: Email = row.parsed(SENDER_EMAIL)?;
    let sender = room.member(&sender_email).ok_or(Malformed::Contradiction(SENDER_EMAIL))?;
    let (seq, sender_seq): (u64, u64) = (row.number(SEQ)?, row.number(SENDER_SEQ)?);
    let changes: u64 = row.maybe_number(CHANGES)?.unwrap_or(0);
    let content = content_from(row)?;
    // Somebody sends nothing before they change something, if that is all they do.
    let least = u64::from(!matches!(content, Content::Change(_)));
    if sender_seq < least || sender_seq.checked_add(changes).is_none_or(|counted| counted > seq) {
        return Err(Malformed::Contradiction(SENDER_SEQ));
    }
    Ok(Message {
        room: room.clone(),
        at: row.parsed(TIMESTAMP)?,
        seq,
        sender,
        sender_seq,
        changes,
        id: row.parsed(CLIENT_MESSAGE_ID)?,
        content,
        reply_to: row.maybe_parsed(REPLY_TO)?,
        changed: change_values::changed_from(row)?,
    })
}

/// The content of which [`content_item`] made these attributes.
pub(super) fn content_from(row: Fields<'_>) -> Result<Content, Malformed> {
    let kind: Kind = row.parsed(KIND)?;
    let more = || row.map(content_attribute(&kind));
    Ok(match kind {
        Kind::Text => Content::Text(row.parsed(MESSAGE)?),
        Kind::Image => {
            Content::Image { attachment: attachment(more()?)?, caption: row.maybe_parsed(MESSAGE)? }
        }
        Kind::MatchProposal => Content::MatchProposal(proposal(more()?, row)?),
        Kind::MatchProposalAnswer => Content::MatchProposalAnswer(answer(more()?)?),
        Kind::Change => Content::Change(change_values::change_from(more()?)?),
        Kind::Deleted => Content::Deleted,
        Kind::Erased => Content::Erased,
        Kind::Other(kind) => Content::Other(OtherContent {
            kind,
            preview: row.maybe_parsed(PREVIEW)?,
            body: row.has(BODY).then(|| row.text(BODY)).transpose()?.map(Into::into),
        }),
    })
}

fn attachment_value(attachment: &Attachment) -> Value {
    let Attachment { key, facts, alt } = attachment;
    let mut map = item([
        ("key", text(key)),
        ("contentType", text(facts.kind().as_str())),
        ("size", number(facts.size_bytes())),
        ("width", number(facts.width_px())),
        ("height", number(facts.height_px())),
    ]);
    map.extend(alt.as_ref().map(|alt| ("alt".to_owned(), text(alt))));
    Value::M(map)
}

fn attachment(map: Fields<'_>) -> Result<Attachment, Malformed> {
    let kind: ImageType = map.parsed("contentType")?;
    let facts = ImageFacts::new(kind, map.number("size")?, map.number("width")?, map.number("height")?);
    Ok(Attachment {
        key: map.parsed("key")?,
        facts: facts.map_err(|error| Malformed::value(content_attribute(&Kind::Image), error))?,
        alt: map.maybe_parsed("alt")?,
    })
}

/// Without the note, which is the row's `message`.
fn proposal_value(proposal: &Proposal) -> Value {
    Value::M(item([
        ("teamName", text(&proposal.team_name)),
        ("opponentTeamName", text(&proposal.opponent_team_name)),
        ("matchAt", text(proposal.match_at)),
        ("place", text(&proposal.venue)),
    ]))
}

fn proposal(map: Fields<'_>, row: Fields<'_>) -> Result<Proposal, Malformed> {
    Ok(Proposal {
        team_name: map.parsed("teamName")?,
        opponent_team_name: map.parsed("opponentTeamName")?,
        match_at: map.parsed("matchAt")?,
        venue: map.parsed("place")?,
        note: row.maybe_parsed(MESSAGE)?,
    })
}

fn answer_value(answer: ProposalAnswer) -> Value {
    Value::M(item([("proposal", text(answer.proposal)), ("answer", text(answer.verdict.as_str()))]))
}

fn answer(map: Fields<'_>) -> Result<ProposalAnswer, Malformed> {
    Ok(ProposalAnswer { proposal: map.parsed("proposal")?, verdict: map.parsed("answer")? })
}
