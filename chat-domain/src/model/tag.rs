use std::fmt;

use sha2::{Digest, Sha256};

/// A 128-bit name for an address or a room, written as 32 hexadecimal digits.
///
/// It is the beginning of a SHA-256, so in practice no two inputs share one. It is a name and no secret:
/// whoever can guess the input can check the guess.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(u128);

impl Tag {
    pub(crate) fn of(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let start: [u8; 16] = digest[..16].try_into().expect("a SHA-256 has 32 bytes");
        Self(u128::from_be_bytes(start))
    }

    /// Reads the 32 lower-case hexadecimal digits that [`Display`](fmt::Display) writes. Anything else is
    /// `None`.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        parse_hex(text).map(Self)
    }
}

/// Reads exactly 32 lower-case hexadecimal digits, so that each number has one text.
pub(crate) fn parse_hex(text: &str) -> Option<u128> {
    let canonical = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if canonical { u128::from_str_radix(text, 16).ok() } else { None }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_round_trips_and_has_one_spelling() {
        let tag = Tag::of("minji@example.com");
        assert_eq!(Tag::from_hex(&tag.to_string()), Some(tag));
        assert_eq!(Tag::from_hex(&tag.to_string().to_uppercase()), None);
        assert_eq!(Tag::from_hex("+0000000000000000000000000000001"), None);
        assert_eq!(Tag::from_hex(""), None);
    }

    #[test]
    fn the_value_is_pinned_because_stored_keys_contain_it() {
        assert_eq!(Tag::of("abc").to_string(), "ba7816bf8f01cfea414140de5dae2223");
    }
}
