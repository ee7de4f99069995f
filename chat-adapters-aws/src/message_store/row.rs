//! A message as an item of `playground-messages`.

use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use chat_domain::{
    Attachment, BoxError, Content, Email, ImageFacts, ImageType, Kind, Message, Proposal, ProposalAnswer,
    RoomId, Timestamp,
};

use crate::attributes::{Fields, Item, Malformed, item, number, text, words};
use crate::tables::messages::{
    ATTACHMENT, CLIENT_MESSAGE_ID, KIND, MESSAGE, PROPOSAL, PROPOSAL_ANSWER, READ, RECEIVER_EMAIL, ROOM_ID,
    SENDER_EMAIL, SENDER_SEQ, SEQ, TIMESTAMP,
};

pub(super) fn key(room: &RoomId, at: Timestamp) -> Item {
    item([(ROOM_ID, text(room)), (TIMESTAMP, text(at))])
}

pub(super) fn to_item(message: &Message) -> Item {
    let mut row = key(&message.room, message.at);
    row.extend(item([
        (SENDER_EMAIL, text(message.sender_email())),
        (RECEIVER_EMAIL, text(message.receiver_email())),
        (READ, AttributeValue::Bool(message.read)),
        (SEQ, number(message.seq)),
        (SENDER_SEQ, number(message.sender_seq)),
        (CLIENT_MESSAGE_ID, text(message.id)),
        (KIND, text(message.content.kind().as_str())),
    ]));
    let said = words(message.content.text());
    row.extend(said.map(|said| (MESSAGE.to_owned(), said)));
    row.extend(match &message.content {
        Content::Text(_) | Content::Erased => None,
        Content::Image { attachment, .. } => Some((ATTACHMENT.to_owned(), attachment_value(attachment))),
        Content::MatchProposal(proposal) => Some((PROPOSAL.to_owned(), proposal_value(proposal))),
        Content::MatchProposalAnswer(answer) => Some((PROPOSAL_ANSWER.to_owned(), answer_value(*answer))),
    });
    row
}

pub(super) fn from_item(room: &RoomId, row: &Item) -> Result<Message, Malformed> {
    let row = Fields(row);
    let sender_email: Email = row.parsed(SENDER_EMAIL)?;
    let sender = room.member(&sender_email).ok_or(Malformed::Contradiction(SENDER_EMAIL))?;
    let (seq, sender_seq) = (row.number(SEQ)?, row.number(SENDER_SEQ)?);
    if !(1..=seq).contains(&sender_seq) {
        return Err(Malformed::Contradiction(SENDER_SEQ));
    }
    Ok(Message {
        room: room.clone(),
        at: row.parsed(TIMESTAMP)?,
        seq,
        sender,
        sender_seq,
        id: row.parsed(CLIENT_MESSAGE_ID)?,
        content: content(row)?,
        read: row.flag(READ)?,
    })
}

fn content(row: Fields<'_>) -> Result<Content, Malformed> {
    Ok(match row.parsed(KIND)? {
        Kind::Text => Content::Text(row.parsed(MESSAGE)?),
        Kind::Image => {
            Content::Image { attachment: attachment(row.map(ATTACHMENT)?)?, caption: maybe_words(row)? }
        }
        Kind::MatchProposal => Content::MatchProposal(proposal(row.map(PROPOSAL)?, row)?),
        Kind::MatchProposalAnswer => Content::MatchProposalAnswer(answer(row.map(PROPOSAL_ANSWER)?)?),
        Kind::Erased => Content::Erased,
    })
}

/// The words that go with something else.
fn maybe_words<T: FromStr<Err: Into<BoxError>>>(row: Fields<'_>) -> Result<Option<T>, Malformed> {
    row.has(MESSAGE).then(|| row.parsed(MESSAGE)).transpose()
}

fn attachment_value(attachment: &Attachment) -> AttributeValue {
    let Attachment { key, facts, alt } = attachment;
    let mut map = item([
        ("key", text(key)),
        ("contentType", text(facts.kind().as_str())),
        ("size", number(facts.size_bytes())),
        ("width", number(facts.width_px())),
        ("height", number(facts.height_px())),
    ]);
    map.extend(alt.as_ref().map(|alt| ("alt".to_owned(), text(alt))));
    AttributeValue::M(map)
}

fn attachment(map: Fields<'_>) -> Result<Attachment, Malformed> {
    let kind: ImageType = map.parsed("contentType")?;
    let facts = ImageFacts::new(kind, map.number("size")?, map.number("width")?, map.number("height")?);
    Ok(Attachment {
        key: map.parsed("key")?,
        facts: facts.map_err(|error| Malformed::value(ATTACHMENT, error))?,
        alt: map.has("alt").then(|| map.parsed("alt")).transpose()?,
    })
}

/// Without the note, which is the row's `message`.
fn proposal_value(proposal: &Proposal) -> AttributeValue {
    AttributeValue::M(item([
        ("teamName", text(&proposal.team_name)),
        ("opponentTeamName", text(&proposal.opponent_team_name)),
        ("matchAt", text(proposal.match_at)),
        ("place", text(&proposal.place)),
    ]))
}

fn proposal(map: Fields<'_>, row: Fields<'_>) -> Result<Proposal, Malformed> {
    Ok(Proposal {
        team_name: map.parsed("teamName")?,
        opponent_team_name: map.parsed("opponentTeamName")?,
        match_at: map.parsed("matchAt")?,
        place: map.parsed("place")?,
        note: maybe_words(row)?,
    })
}

fn answer_value(answer: ProposalAnswer) -> AttributeValue {
    AttributeValue::M(item([("proposal", text(answer.proposal)), ("answer", text(answer.verdict.as_str()))]))
}

fn answer(map: Fields<'_>) -> Result<ProposalAnswer, Malformed> {
    Ok(ProposalAnswer { proposal: map.parsed("proposal")?, verdict: map.parsed("answer")? })
}
