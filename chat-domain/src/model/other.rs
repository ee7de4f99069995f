use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::text::MessageText;

/// The longest name of a kind, in bytes.
pub const KIND_LABEL_MAX_BYTES: usize = 64;
/// What the names of an application's own kinds begin with. No version of the chat has a kind of its own
/// whose name begins so.
pub const OWN_KIND_PREFIX: &str = "x-";
/// The longest body of an own kind, in bytes of its JSON without white space. Four times what a unit of
/// writing holds is half of what the longest text takes.
pub const OWN_BODY_MAX_BYTES: usize = 4_096;
/// The longest preview of an own kind, in bytes of UTF-8: room for what lists show, whatever the script.
pub const OWN_PREVIEW_MAX_BYTES: usize = 400;

/// The name of a kind of message that is not one of the chat's: a letter, then letters, digits, `-` and `_`;
/// at most [`KIND_LABEL_MAX_BYTES`] bytes.
///
/// It is a kind of the [application's own](Self::is_own), or one that a later version has stored.
/// [`Kind`](super::message::Kind) makes one of a name that is none of its own.
///
/// ```
/// use chat_domain::{Kind, KindError, KindLabel};
/// assert_eq!("poll".parse(), Ok(Kind::Other("poll".parse::<KindLabel>()?)));
/// assert_eq!("text".parse(), Ok(Kind::Text));
/// assert_eq!("two words".parse::<Kind>(), Err(KindError));
/// # Ok::<(), KindError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// Whether the kind is an application's own, which people may send where the application admits it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.0.len() > OWN_KIND_PREFIX.len() && self.0.starts_with(OWN_KIND_PREFIX)
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

/// What a message of a kind says that is not one of the chat's.
///
/// It is stored, ordered, read, listed, exported and erased like every other, and handed on as it is: whoever
/// knows the kind can show it, and everybody else shows the preview. What is sent is made by
/// [`own`](Self::own); a store may hold more.
#[derive(Clone, PartialEq, Eq)]
pub struct OtherContent {
    /// The name of the kind.
    pub kind: KindLabel,
    /// What to show where the kind is not known.
    pub preview: Option<MessageText>,
    /// The rest of it, as JSON text. Nothing here looks into it.
    pub body: Option<Arc<str>>,
}

/// Why a message of an application's own kind is refused.
///
/// Exhaustive on purpose: whoever tells a client about it has to find words for every variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnKindError {
    /// The kind is not an application's own.
    #[error("the name of an own kind begins with {OWN_KIND_PREFIX}")]
    NotOwn,
    /// The preview is too long.
    #[error("the preview has {bytes} bytes; at most {OWN_PREVIEW_MAX_BYTES} are allowed")]
    PreviewTooLong {
        /// How many it has.
        bytes: usize,
    },
    /// The body is too long.
    #[error("the body has {bytes} bytes without white space; at most {OWN_BODY_MAX_BYTES} are allowed")]
    BodyTooLong {
        /// How many it has.
        bytes: usize,
    },
}

impl OtherContent {
    /// What somebody sends of an application's own kind. `body` is JSON without white space, which nothing
    /// here checks.
    ///
    /// # Errors
    /// [`OwnKindError`].
    pub fn own(
        kind: KindLabel,
        preview: Option<MessageText>,
        body: Option<Arc<str>>,
    ) -> Result<Self, OwnKindError> {
        let preview_bytes = preview.as_ref().map_or(0, |preview| preview.as_str().len());
        let body_bytes = body.as_ref().map_or(0, |body| body.len());
        match (kind.is_own(), preview_bytes, body_bytes) {
            (false, _, _) => Err(OwnKindError::NotOwn),
            (_, bytes, _) if bytes > OWN_PREVIEW_MAX_BYTES => Err(OwnKindError::PreviewTooLong { bytes }),
            (_, _, bytes) if bytes > OWN_BODY_MAX_BYTES => Err(OwnKindError::BodyTooLong { bytes }),
            _ => Ok(Self { kind, preview, body }),
        }
    }
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
