use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest text of a message, in bytes of UTF-8. Fifty rows of it stay below half of DynamoDB's 1 MB
/// query page, and its frame below API Gateway's 32 KB even when JSON doubles every character.
pub const MESSAGE_TEXT_MAX_BYTES: usize = 8_192;

/// Text as people write it, within bounds.
///
/// - It has 1 to `MAX_BYTES` bytes of UTF-8 after trimming.
/// - It has no C0 control characters but newline and tab: the others forge log lines and break terminals.
/// - It has no bidirectional override or isolate characters (U+202A to U+202E, U+2066 to U+2069): they make a
///   text read as another one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoundedText<const MAX_BYTES: usize>(Arc<str>);

/// The text of a message.
///
/// ```
/// use chat_domain::{MessageText, TextError};
/// let text: MessageText = "  안녕하세요 \n".parse()?;
/// assert_eq!(text.as_str(), "안녕하세요");
/// assert_eq!(" ".parse::<MessageText>(), Err(TextError::Empty));
/// # Ok::<(), chat_domain::TextError>(())
/// ```
pub type MessageText = BoundedText<MESSAGE_TEXT_MAX_BYTES>;

/// Why a text is refused.
///
/// Exhaustive on purpose: whoever tells a client about it has to find words for every variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The text is nothing but white space.
    #[error("the text is empty")]
    Empty,
    /// The text has more bytes than it may have.
    #[error("the text has {bytes} bytes; at most {max_bytes} are allowed")]
    TooLong {
        /// How many it has after trimming.
        bytes: usize,
        /// How many it may have.
        max_bytes: usize,
    },
    /// The text has a C0 control character other than newline and tab.
    #[error("the text holds the control character U+{:04X}", u32::from(*.0))]
    ControlCharacter(char),
    /// The text has a bidirectional override or isolate character.
    #[error("the text holds the bidirectional control character U+{:04X}", u32::from(*.0))]
    BidirectionalControl(char),
}

impl<const MAX_BYTES: usize> BoundedText<MAX_BYTES> {
    /// The text without white space around it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX_BYTES: usize> FromStr for BoundedText<MAX_BYTES> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(TextError::TooLong { bytes: text.len(), max_bytes: MAX_BYTES });
        }
        for c in text.chars() {
            match c {
                '\n' | '\t' => {}
                '\0'..='\u{1F}' => return Err(TextError::ControlCharacter(c)),
                '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                    return Err(TextError::BidirectionalControl(c));
                }
                _ => {}
            }
        }
        Ok(Self(text.into()))
    }
}

impl<const MAX_BYTES: usize> fmt::Display for BoundedText<MAX_BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Shows the length alone: what people write stays out of logs.
impl<const MAX_BYTES: usize> fmt::Debug for BoundedText<MAX_BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoundedText({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[rstest::rstest]
    #[case::empty("", TextError::Empty)]
    #[case::blank(" \n\t\u{3000} ", TextError::Empty)]
    #[case::bell("a\u{7}b", TextError::ControlCharacter('\u{7}'))]
    #[case::carriage_return("a\rb", TextError::ControlCharacter('\r'))]
    #[case::nul("a\0b", TextError::ControlCharacter('\0'))]
    #[case::right_to_left_override("a\u{202E}b", TextError::BidirectionalControl('\u{202E}'))]
    #[case::isolate("a\u{2066}b", TextError::BidirectionalControl('\u{2066}'))]
    fn each_rule_has_its_error(#[case] text: &str, #[case] error: TextError) {
        assert_eq!(text.parse::<MessageText>(), Err(error));
    }

    #[test]
    fn the_limit_counts_bytes_after_trimming() {
        let longest = "가".repeat(MESSAGE_TEXT_MAX_BYTES / 3) + "ab";
        assert_eq!(longest.len(), MESSAGE_TEXT_MAX_BYTES);
        assert!(format!("  {longest}\n").parse::<MessageText>().is_ok());
        assert_eq!(
            format!("{longest}c").parse::<MessageText>(),
            Err(TextError::TooLong { bytes: 8_193, max_bytes: 8_192 })
        );
    }

    #[test]
    fn newline_and_tab_and_right_to_left_scripts_are_kept() {
        let text = "one\n\ttwo שלום \u{200F}";
        assert_eq!(text.parse::<MessageText>().unwrap().as_str(), text);
    }

    #[test]
    fn debug_output_hides_the_text() {
        assert!(!format!("{:?}", "secret".parse::<MessageText>().unwrap()).contains("secret"));
    }

    proptest! {
        #[test]
        fn parsing_twice_changes_nothing(text in "\\PC{0,40}") {
            if let Ok(once) = text.parse::<MessageText>() {
                prop_assert_eq!(once.as_str().parse::<MessageText>(), Ok(once.clone()));
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<MessageText>();
        }
    }
}
