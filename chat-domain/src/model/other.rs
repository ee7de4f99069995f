use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::text::MessageText;

/// The longest name of a kind, in bytes.
pub const KIND_LABEL_MAX_BYTES: usize = 64;

/// The name of a kind of message that this version does not know: a letter, then letters, digits, `-` and
/// `_`; at most [`KIND_LABEL_MAX_BYTES`] bytes.
///
/// A later version stored it, or another application on the same store. [`Kind`](super::message::Kind) makes
/// one of a name that is none of its own.
///
/// ```
/// use chat_domain::{Kind, KindError, KindLabel};
/// assert_eq!("poll".parse(), Ok(Kind::Other("poll".parse::<KindLabel>()?)));
/// assert_eq!("text".parse(), Ok(Kind::Text));
/// assert_eq!("two words".parse::<Kind>(), Err(KindError));
/// # Ok::<(), KindError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KindLabel(Arc<str>);

/// The text can be the name of no kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no kind of message can have this name")]
pub struct KindError;

impl KindLabel {
    /// The name, as stores and frames have it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KindLabel {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
        let goes_on = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if begins && goes_on && text.len() <= KIND_LABEL_MAX_BYTES {
            Ok(Self(text.into()))
        } else {
            Err(KindError)
        }
    }
}

impl fmt::Display for KindLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a message of a kind says that this version does not know.
///
/// It is stored, ordered, read, listed, exported and erased like every other, and handed on as it is: whoever
/// knows the kind can show it, and everybody else shows the preview.
#[derive(Clone, PartialEq, Eq)]
pub struct OtherContent {
    /// The name of the kind.
    pub kind: KindLabel,
    /// What to show where the kind is not known.
    pub preview: Option<MessageText>,
    /// The rest of it, as JSON text. Nothing here looks into it.
    pub body: Option<Arc<str>>,
}

/// Shows the kind and the lengths alone: what people say stays out of logs.
impl fmt::Debug for OtherContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, preview, body } = self;
        let bytes = body.as_ref().map(|body| body.len());
        f.debug_struct("OtherContent")
            .field("kind", kind)
            .field("preview", preview)
            .field("body_bytes", &bytes)
            .finish()
    }
}
