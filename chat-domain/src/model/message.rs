use std::str::FromStr;

use unicode_segmentation::GraphemeCursor;

use super::attachment::Attachment;
use super::change::{Change, ChangeAction, ChangeRefused, Changed, Effect, Reactions};
use super::client_message_id::ClientMessageId;
use super::email::Email;
use super::other::{KindError, KindLabel, OtherContent};
use super::proposal::{OpenProposal, OpenProposals, Proposal, ProposalAnswer, ProposalRefused};
use super::room_id::{Member, RoomId};
use super::search::SearchQuery;
use super::text::MessageText;
use super::timestamp::Timestamp;

/// How many characters of a message the room's head keeps for the conversation list.
pub const PREVIEW_MAX_CHARS: usize = 100;

/// What a message says. A new kind of message begins with a variant here; no `match` over it has a default
/// arm.
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
    /// That a message which was sent before has changed. It is no message that anybody shows or counts.
    Change(Change),
    /// Nothing any more, since the sender deleted it for both. Nobody sends this.
    Deleted,
    /// Nothing any more, since the data of the sender was erased. Nobody sends this.
    Erased,
    /// Something of an [application's own kind](KindLabel::is_own), or of one that this version does not
    /// know. The latter a store may hold; nobody sends it.
    Other(OtherContent),
}

/// Declares [`Kind`] with its names, so that [`Kind::KNOWN`] misses none.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $name:literal,)+) => {
        /// Which variant of [`Content`] a message has.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $kind,)+
            /// The kind of [`Content::Other`], by its name.
            Other(KindLabel),
        }

        impl Kind {
            /// Every kind that has a variant of its own, in the order in which they are declared.
            pub const KNOWN: &'static [Self] = &[$(Self::$kind),+];

            /// The name used in stores and frames.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$kind => $name,)+
                    Self::Other(label) => label.as_str(),
                }
            }
        }
    };
}

kinds! {
    /// The kind of [`Content::Text`].
    Text => "text",
    /// The kind of [`Content::Image`].
    Image => "image",
    /// The kind of [`Content::MatchProposal`].
    MatchProposal => "matchProposal",
    /// The kind of [`Content::MatchProposalAnswer`].
    MatchProposalAnswer => "matchProposalAnswer",
    /// The kind of [`Content::Change`].
    Change => "change",
    /// The kind of [`Content::Deleted`].
    Deleted => "deleted",
    /// The kind of [`Content::Erased`].
    Erased => "erased",
}

/// Every name that a kind can have is one: what has no variant of its own is [`Kind::Other`].
impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        let known = Self::KNOWN.iter().find(|kind| kind.as_str() == text);
        known.map_or_else(|| text.parse().map(Self::Other), |known| Ok(known.clone()))
    }
}

impl Content {
    /// Which variant this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Image { .. } => Kind::Image,
            Self::MatchProposal(_) => Kind::MatchProposal,
            Self::MatchProposalAnswer(_) => Kind::MatchProposalAnswer,
            Self::Change(_) => Kind::Change,
            Self::Deleted => Kind::Deleted,
            Self::Erased => Kind::Erased,
            Self::Other(other) => Kind::Other(other.kind.clone()),
        }
    }

    /// The words in it, which the seed calls `message`. Empty when there are none. Those of a kind that this
    /// version does not know are its preview.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text.as_str(),
            Self::Image { caption, .. } => caption.as_ref().map_or("", MessageText::as_str),
            Self::MatchProposal(proposal) => proposal.note.as_ref().map_or("", |note| note.as_str()),
            Self::MatchProposalAnswer(_) | Self::Change(_) | Self::Deleted | Self::Erased => "",
            Self::Other(other) => other.preview.as_ref().map_or("", MessageText::as_str),
        }
    }

    /// Whether somebody who looks for `query` means this: its words, and those beside them.
    #[must_use]
    pub fn is_found_by(&self, query: &SearchQuery) -> bool {
        let is_in = |text: &str| query.is_in(text);
        match self {
            Self::Text(_) | Self::Other(_) => is_in(self.text()),
            Self::Image { attachment, .. } => {
                is_in(self.text()) || attachment.alt.as_ref().is_some_and(|alt| is_in(alt.as_str()))
            }
            Self::MatchProposal(Proposal { team_name, opponent_team_name, venue, .. }) => {
                is_in(self.text())
                    || [team_name, opponent_team_name].into_iter().any(|name| is_in(name.as_str()))
                    || is_in(venue.as_str())
            }
            Self::MatchProposalAnswer(_) | Self::Change(_) | Self::Deleted | Self::Erased => false,
        }
    }

    /// The attachment that a message with this content shows. No other message may show it, and it stays as
    /// long as the message does: a store claims it and releases it. Stores ask here, so that all of them
    /// know of a new kind that shows one.
    #[must_use]
    pub const fn attachment(&self) -> Option<&Attachment> {
        match self {
            Self::Image { attachment, .. } => Some(attachment),
            Self::Text(_)
            | Self::MatchProposal(_)
            | Self::MatchProposalAnswer(_)
            | Self::Change(_)
            | Self::Deleted
            | Self::Erased
            | Self::Other(_) => None,
        }
    }

    /// The same with other words, if it is of a kind whose words can be replaced.
    pub(super) fn with_words(&self, words: &MessageText) -> Self {
        match self {
            Self::Text(_) => Self::Text(words.clone()),
            Self::Image { attachment, .. } => {
                Self::Image { attachment: attachment.clone(), caption: Some(words.clone()) }
            }
            Self::MatchProposal(_)
            | Self::MatchProposalAnswer(_)
            | Self::Change(_)
            | Self::Deleted
            | Self::Erased
            | Self::Other(_) => self.clone(),
        }
    }

    /// What the entry of a change says that has this effect on it.
    ///
    /// Words of a text and under an image can be replaced; of a proposal they are what the other member may
    /// have agreed to. An answer to a proposal is not taken back, since the proposal stays closed.
    pub(super) fn action(&self, effect: &Effect) -> Result<ChangeAction, ChangeRefused> {
        match (effect, self) {
            (_, Self::Change(_) | Self::Deleted | Self::Erased) => Err(ChangeRefused::NoTarget),
            (Effect::React(_), _) => Ok(ChangeAction::React),
            (Effect::Edit(_), Self::Text(_) | Self::Image { .. }) => Ok(ChangeAction::Edit),
            (Effect::Edit(_), Self::MatchProposal(_) | Self::MatchProposalAnswer(_) | Self::Other(_))
            | (Effect::Delete, Self::MatchProposalAnswer(_)) => Err(ChangeRefused::Fixed),
            (
                Effect::Delete,
                Self::Text(_) | Self::Image { .. } | Self::MatchProposal(_) | Self::Other(_),
            ) => {
                let attachment = self.attachment().map(|shown| shown.key.clone());
                Ok(ChangeAction::Delete { attachment })
            }
        }
    }

    /// Whether a request may say this: words and proposals. The only answer that its sender can give is to
    /// withdraw a proposal, since the receiver has made none.
    pub(super) const fn fits_a_request(&self) -> bool {
        match self {
            Self::Text(_) | Self::MatchProposal(_) | Self::MatchProposalAnswer(_) => true,
            Self::Image { .. } | Self::Change(_) | Self::Deleted | Self::Erased | Self::Other(_) => false,
        }
    }

    /// Opens or closes a proposal of the room, if that is what it means when `sender` says this at `at`.
    pub(super) fn update_proposals(
        &self,
        proposals: &mut OpenProposals,
        sender: Member,
        at: Timestamp,
    ) -> Result<(), ProposalRefused> {
        match self {
            Self::Text(_)
            | Self::Image { .. }
            | Self::Change(_)
            | Self::Deleted
            | Self::Erased
            | Self::Other(_) => Ok(()),
            Self::MatchProposal(proposal) => {
                proposals.open(OpenProposal { at, proposer: sender, match_at: proposal.match_at })
            }
            Self::MatchProposalAnswer(answer) => proposals.close(*answer, sender, at),
        }
    }

    /// The beginning of the words on one line: at most [`PREVIEW_MAX_CHARS`] characters.
    ///
    /// No flag and no family is cut in two.
    #[must_use]
    pub fn preview(&self) -> String {
        beginning(self.text()).replace(char::is_whitespace, " ")
    }
}

/// The whole grapheme clusters within [`PREVIEW_MAX_CHARS`] characters, or the beginning of a longer one.
fn beginning(text: &str) -> &str {
    let Some((longest, _)) = text.char_indices().nth(PREVIEW_MAX_CHARS) else { return text };
    // The cursor looks at the clusters around one place, however long the text is. It asks for more text
    // only if it was not given all of it.
    let mut cursor = GraphemeCursor::new(longest, text.len(), true);
    let end = match cursor.is_boundary(text, 0) {
        Ok(false) => cursor.prev_boundary(text, 0).ok().flatten().unwrap_or(0),
        _ => longest,
    };
    if end > 0 { &text[..end] } else { &text[..longest] }
}

/// A message on its way into a room, which [`Room::append`](crate::Room::append) makes a [`Message`] of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The client's name for the message.
    pub id: ClientMessageId,
    /// Which member of the room sends the message.
    pub sender: Member,
    /// What the message says.
    pub content: Content,
    /// The place of the message that this one replies to, if it does.
    pub reply_to: Option<Timestamp>,
}

/// An entry of a room's log: a message, or a [change](Content::Change) of an earlier one.
///
/// Its content and what [changes](Self::changed) left on it are as they are now; the rest never changes. How
/// far its receiver has read stands in the [room](crate::Room::is_read).
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
    /// How many messages the sender had sent to the room by then, this one included; a change is none.
    pub sender_seq: u64,
    /// How many changes the room had by then, this one included if it is one.
    pub changes: u64,
    /// The client's name for the message.
    pub id: ClientMessageId,
    /// What the message says.
    pub content: Content,
    /// The place of the message that this one replies to, if it does. It copies nothing of it.
    pub reply_to: Option<Timestamp>,
    /// What changes have left on the message.
    pub changed: Changed,
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
        let by_sender = self.sender_seq;
        if member == self.sender { by_sender } else { self.seq - self.changes - by_sender }
    }

    /// Whether changes still have an effect on this message. What is deleted or erased stays so, and an entry
    /// that is a change itself has nothing that could change.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self.content, Content::Deleted | Content::Erased | Content::Change(_))
    }

    /// This message once the change `entry` with this `effect` is applied to it: the same message if that
    /// change, or a later one, was applied before, or if it is [final](Self::is_final).
    #[must_use]
    pub fn changed_by(&self, entry: &Self, effect: &Effect) -> Self {
        if self.is_final() || self.changed.by >= entry.seq {
            return self.clone();
        }
        let mut message = self.clone();
        message.changed.by = entry.seq;
        match effect {
            Effect::React(reactions) => message.changed.reactions[entry.sender] = reactions.clone(),
            Effect::Edit(text) => {
                message.content = self.content.with_words(text);
                message.changed.edited_at = Some(entry.at);
            }
            Effect::Delete => {
                message.content = Content::Deleted;
                message.reply_to = None;
                message.changed = Changed { by: entry.seq, ..Changed::default() };
            }
        }
        message
    }

    /// Whether the change `entry` has had its effect on this message.
    #[must_use]
    pub const fn has_change(&self, entry: &Self) -> bool {
        self.is_final() || self.changed.by >= entry.seq
    }

    /// This message without what `member` has left on it.
    #[must_use]
    pub fn without_reactions_of(&self, member: Member) -> Self {
        let mut message = self.clone();
        message.changed.reactions[member] = Reactions::default();
        message
    }

    /// Whether nothing is left in it of what somebody wrote: it is erased, or only says that another message
    /// has changed.
    #[must_use]
    pub const fn says_nothing(&self) -> bool {
        matches!(self.content, Content::Erased | Content::Change(_))
    }

    /// This message as it is once what its sender wrote is erased: nothing is left but that there was one. A
    /// change says nothing of what was written, and stays.
    #[must_use]
    pub fn erased(&self) -> Self {
        match self.content {
            Content::Change(_) => self.clone(),
            _ => Self {
                content: Content::Erased,
                reply_to: None,
                changed: Changed { by: self.changed.by, ..Changed::default() },
                ..self.clone()
            },
        }
    }
}
