use std::str::FromStr;

use unicode_segmentation::UnicodeSegmentation;

use super::attachment::Attachment;
use super::client_message_id::ClientMessageId;
use super::email::Email;
use super::proposal::{Proposal, ProposalAnswer};
use super::room_id::{Member, RoomId};
use super::text::MessageText;
use super::timestamp::Timestamp;

/// How many characters of a message the room's head keeps for the conversation list.
pub const PREVIEW_MAX_CHARS: usize = 100;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Words that somebody wrote.
    Text(MessageText),
    /// An image, with or without words under it.
    Image {
        /// The image that is shown.
        attachment: Attachment,
        /// The words under the image.
        caption: Option<MessageText>,
    },
    /// A proposal to play a match.
    MatchProposal(Proposal),
    /// The answer to one.
    MatchProposalAnswer(ProposalAnswer),
    /// Nothing any more, since the data of the sender was erased. Nobody sends this.
    Erased,
}

/// Which variant of [`Content`] a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The kind of [`Content::Text`].
    Text,
    /// The kind of [`Content::Image`].
    Image,
    /// The kind of [`Content::MatchProposal`].
    MatchProposal,
    /// The kind of [`Content::MatchProposalAnswer`].
    MatchProposalAnswer,
    /// The kind of [`Content::Erased`].
    Erased,
}

/// The text names no [`Kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a kind is text, image, matchProposal, matchProposalAnswer or erased")]
pub struct KindError;

impl Kind {
    /// The name used in stores and frames.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::MatchProposal => "matchProposal",
            Self::MatchProposalAnswer => "matchProposalAnswer",
            Self::Erased => "erased",
        }
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        [Self::Text, Self::Image, Self::MatchProposal, Self::MatchProposalAnswer, Self::Erased]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(KindError)
    }
}

impl Content {
    /// Which variant this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Image { .. } => Kind::Image,
            Self::MatchProposal(_) => Kind::MatchProposal,
            Self::MatchProposalAnswer(_) => Kind::MatchProposalAnswer,
            Self::Erased => Kind::Erased,
        }
    }

    /// The words in it, which the seed calls `message`. Empty when there are none.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text.as_str(),
            Self::Image { caption, .. } => caption.as_ref().map_or("", MessageText::as_str),
            Self::MatchProposal(proposal) => proposal.note.as_ref().map_or("", |note| note.as_str()),
            Self::MatchProposalAnswer(_) | Self::Erased => "",
        }
    }

    /// The beginning of the words on one line: at most [`PREVIEW_MAX_CHARS`] characters.
    ///
    /// No flag and no family is cut in two.
    #[must_use]
    pub fn preview(&self) -> String {
        let one_line = |c: char| if c.is_whitespace() { ' ' } else { c };
        beginning(self.text()).chars().map(one_line).collect()
    }
}

/// The whole grapheme clusters within [`PREVIEW_MAX_CHARS`] characters, or the beginning of a longer one.
fn beginning(text: &str) -> &str {
    let Some((longest, _)) = text.char_indices().nth(PREVIEW_MAX_CHARS) else { return text };
    let boundaries = text.grapheme_indices(true).map(|(at, _)| at);
    match boundaries.take_while(|at| *at <= longest).last() {
        Some(end) if end > 0 => &text[..end],
        _ => &text[..longest],
    }
}

/// A message on its way into a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The client's name for the message.
    pub id: ClientMessageId,
    /// Which member of the room sends the message.
    pub sender: Member,
    /// What the message says.
    pub content: Content,
}

/// A message in a room. Only two things of it ever change: `read`, from `false` to `true`, and the content
/// when the data of its sender is erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The room that the message is in.
    pub room: RoomId,
    /// The message's place in the room. No other message has it, and every earlier message has an earlier
    /// one.
    pub at: Timestamp,
    /// The message's number in the room: 1, 2, 3, ...
    pub seq: u64,
    /// Which member of the room sent the message.
    pub sender: Member,
    /// The message's number among those of its sender in the room: 1, 2, 3, ...
    pub sender_seq: u64,
    /// The client's name for the message.
    pub id: ClientMessageId,
    /// What the message says.
    pub content: Content,
    /// Whether the row says that the message was read. It says so some time after the reader's
    /// [`ReadMark`](crate::ReadMark) has passed it; [`Room::is_read`](crate::Room::is_read) knows both.
    pub read: bool,
}

impl Message {
    /// The address of the sender.
    #[must_use]
    pub fn sender_email(&self) -> &Email {
        self.room.email(self.sender)
    }

    /// The address of the receiver.
    #[must_use]
    pub fn receiver_email(&self) -> &Email {
        self.room.email(self.sender.peer())
    }

    /// How many messages `member` had sent to the room when this one was the newest, this one included.
    #[must_use]
    pub fn sent_by(&self, member: Member) -> u64 {
        if member == self.sender { self.sender_seq } else { self.seq - self.sender_seq }
    }
}
