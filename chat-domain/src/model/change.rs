use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::attachment::AttachmentKey;
use super::client_message_id::ClientMessageId;
use super::room_id::{Member, PerMember};
use super::text::MessageText;
use super::timestamp::Timestamp;

/// How many emoji one member may leave on one message.
pub const REACTIONS_MAX: usize = 4;
/// The longest emoji, in bytes of UTF-8. The flag of a region of a country takes 28.
pub const EMOJI_MAX_BYTES: usize = 32;

/// What an entry of the log says that changes a message which was sent before: which one, and in what way.
/// What the message says since then stands in the message alone, so that nothing is left of a text that was
/// edited away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The place of the message that is changed.
    pub target: Timestamp,
    /// What was done to the message.
    pub action: ChangeAction,
}

/// What a [`Change`] does to its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeAction {
    /// A member's reactions to the message were replaced.
    React,
    /// The words of the message were replaced.
    Edit,
    /// The message was deleted for both members.
    Delete {
        /// The attachment that the message had shown. It is released once nothing shows it.
        attachment: Option<AttachmentKey>,
    },
}

impl Change {
    /// Whether a retry that asks for `effect` on `target` is this change again.
    #[must_use]
    pub fn is(&self, target: Timestamp, effect: &Effect) -> bool {
        let same_action = matches!(
            (&self.action, effect),
            (ChangeAction::React, Effect::React(_))
                | (ChangeAction::Edit, Effect::Edit(_))
                | (ChangeAction::Delete { .. }, Effect::Delete)
        );
        self.target == target && same_action
    }
}

/// What becomes of the target of a change. It is on its way into the store, and stands in no entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// These are all reactions of the member to the message from now on.
    React(Reactions),
    /// These are the words of the message from now on.
    Edit(MessageText),
    /// The message says nothing from now on. Nothing changes it any more.
    Delete,
}

/// A change on its way into a room, which [`Room::change`](crate::Room::change) makes an entry of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeDraft {
    /// The client's name for the change.
    pub id: ClientMessageId,
    /// Which member of the room changes the message.
    pub sender: Member,
    /// The place of the message.
    pub target: Timestamp,
    /// What becomes of the message.
    pub effect: Effect,
}

/// Why a change is refused. Nothing changed. Refuse by it only on a target that was read strongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeRefused {
    /// The room has no such message, or nothing is left of it that could change.
    #[error("there is no such message to change")]
    NoTarget,
    /// The message is the other member's, and only a reaction changes those.
    #[error("the message is the other member's")]
    NotYours,
    /// A message of this kind has no words that can be replaced, or may not be taken back.
    #[error("messages of this kind do not change so")]
    Fixed,
    /// The client cannot have known the message when it made the change.
    #[error("the message is newer than what the change was made from")]
    TargetAfterAfter,
}

/// What changes have left on a message beside its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The number in the room of the last change that the message has; 0 when it has none.
    pub by: u64,
    /// When the words were last replaced: the timestamp of that change.
    pub edited_at: Option<Timestamp>,
    /// The reactions of each member.
    pub reactions: PerMember<Reactions>,
}

/// The emoji that one member leaves on one message: up to [`REACTIONS_MAX`] different ones, in the order in
/// which they were chosen. The whole set replaces the one before, so that a repeated reaction is no other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reactions(Vec<Emoji>);

/// The emoji are more than [`REACTIONS_MAX`], or one is among them twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reaction is up to {REACTIONS_MAX} different emoji")]
pub struct ReactionsError;

impl Reactions {
    /// Checks the number of emoji, and that they differ.
    ///
    /// # Errors
    /// [`ReactionsError`].
    pub fn new(emoji: Vec<Emoji>) -> Result<Self, ReactionsError> {
        let differ = emoji.iter().enumerate().all(|(index, one)| !emoji[..index].contains(one));
        if emoji.len() <= REACTIONS_MAX && differ { Ok(Self(emoji)) } else { Err(ReactionsError) }
    }

    /// The emoji in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Emoji> {
        self.0.iter()
    }

    /// Whether there is no emoji.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One emoji, as the Unicode standard lists them: what a keyboard of emoji offers.
///
/// ```
/// use chat_domain::{Emoji, EmojiError};
/// assert_eq!("👍🏽".parse::<Emoji>()?.as_str(), "👍🏽");
/// assert_eq!("ok".parse::<Emoji>(), Err(EmojiError));
/// assert_eq!("👍👍".parse::<Emoji>(), Err(EmojiError));
/// # Ok::<(), EmojiError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Emoji(Arc<str>);

/// The text is not one emoji.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not one emoji")]
pub struct EmojiError;

impl Emoji {
    /// An emoji as a store has it, which a later version of the standard may have brought.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The characters that the emoji is made of.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Emoji {
    type Err = EmojiError;

    fn from_str(text: &str) -> Result<Self, EmojiError> {
        // Keyboards leave the variation selector out, or put it in, where the standard has it otherwise. The
        // standard's own form is kept, so that the same emoji is the same text for everybody.
        let known = emojis::get(text).or_else(|| emojis::get(&format!("{text}\u{FE0F}")));
        // A digit alone is the beginning of a key cap, and no emoji.
        let known = known.filter(|emoji| !text.is_ascii() && emoji.as_str().len() <= EMOJI_MAX_BYTES);
        known.map(|emoji| Self(emoji.as_str().into())).ok_or(EmojiError)
    }
}

impl fmt::Display for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Shows the length alone: what people say stays out of logs.
impl fmt::Debug for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Emoji({} bytes)", self.0.len())
    }
}
