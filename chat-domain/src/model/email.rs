use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::tag::Tag;

/// The longest address a mailbox can have: RFC 5321 section 4.5.3.1.3 allows a path of 256 bytes, of which
/// the angle brackets take two.
pub const EMAIL_MAX_BYTES: usize = 254;

/// An e-mail address in its one canonical form; two addresses are the same user exactly when they are equal.
///
/// - It is ASCII in lower case, without surrounding white space. Normalising twice changes nothing.
/// - It has exactly one `@`, with something before it and a dotted domain behind it.
/// - It has no double quotes, spaces or control characters, and no `#` after the `@`: this is what makes the
///   seed's `a#b` room id unambiguous (see [`RoomId`](crate::RoomId)).
/// - It has at most [`EMAIL_MAX_BYTES`].
///
/// It is ASCII only, because lower-casing beyond it is neither injective nor idempotent (U+212A KELVIN SIGN
/// becomes `k`), and because JavaScript sorts by UTF-16 units where Rust sorts by code points.
///
/// ```
/// use chat_domain::Email;
/// let email: Email = " Minji@Example.COM ".parse()?;
/// assert_eq!(email.as_str(), "minji@example.com");
/// # Ok::<(), chat_domain::EmailError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(Arc<str>);

/// Why a text is not an [`Email`].
///
/// Exhaustive on purpose: whoever tells a client about it has to find words for every variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// The text is longer than [`EMAIL_MAX_BYTES`].
    #[error("an e-mail address has at most {EMAIL_MAX_BYTES} bytes")]
    TooLong,
    /// The text has a character outside ASCII.
    #[error("an e-mail address is ASCII only")]
    NotAscii,
    /// The text has a double quote, a space or a control character.
    #[error("an e-mail address has no double quotes, spaces or control characters")]
    ForbiddenCharacter,
    /// The text has no `@`, or more than one.
    #[error("an e-mail address has exactly one @")]
    AtSign,
    /// Nothing stands before the `@`.
    #[error("an e-mail address has something before the @")]
    NoLocalPart,
    /// The domain has a `#`.
    #[error("an e-mail address has no # after the @")]
    HashInDomain,
    /// The domain has no dot, or an empty label.
    #[error("an e-mail address has a dotted domain")]
    DomainNotDotted,
}

impl Email {
    /// The address in its canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A short fixed-width stand-in for the address where the address itself would leak or be too long.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::of(self.as_str())
    }
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        if text.len() > EMAIL_MAX_BYTES {
            return Err(EmailError::TooLong);
        }
        if !text.is_ascii() {
            return Err(EmailError::NotAscii);
        }
        let forbidden = |c: char| c.is_ascii_control() || c.is_ascii_whitespace() || c == '"';
        if text.contains(forbidden) {
            return Err(EmailError::ForbiddenCharacter);
        }
        let (local, domain) = text.split_once('@').ok_or(EmailError::AtSign)?;
        if domain.contains('@') {
            return Err(EmailError::AtSign);
        }
        if local.is_empty() {
            return Err(EmailError::NoLocalPart);
        }
        if domain.contains('#') {
            return Err(EmailError::HashInDomain);
        }
        if !domain.contains('.') || domain.split('.').any(str::is_empty) {
            return Err(EmailError::DomainNotDotted);
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Addresses for property tests.
#[cfg(test)]
pub(crate) mod strategies {
    use super::*;
    use proptest::prelude::*;

    /// Valid addresses with the awkward characters over-represented, in any case.
    pub(crate) fn email() -> impl Strategy<Value = Email> {
        "[a-cA-C#.+']{1,4}@[a-cA-C!]{1,2}(\\.[a-cA-C]{1,2}){1,2}"
            .prop_map(|text| text.parse().expect("the pattern makes valid addresses"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[rstest::rstest]
    #[case("a@b.c", "a@b.c")]
    #[case("\tMinji@Example.COM\n", "minji@example.com")]
    #[case("a#b@example.com", "a#b@example.com")]
    #[case("a+tag@sub.example.com", "a+tag@sub.example.com")]
    fn valid_addresses_take_their_canonical_form(#[case] text: &str, #[case] canonical: &str) {
        assert_eq!(text.parse::<Email>().map(|email| email.to_string()), Ok(canonical.to_owned()));
    }

    #[rstest::rstest]
    #[case::kelvin_sign("\u{212A}@example.com", EmailError::NotAscii)]
    #[case::korean("민지@example.com", EmailError::NotAscii)]
    #[case::quoted("\"a b\"@example.com", EmailError::ForbiddenCharacter)]
    #[case::inner_space("a b@example.com", EmailError::ForbiddenCharacter)]
    #[case::control("a\u{7}@example.com", EmailError::ForbiddenCharacter)]
    #[case::no_at("example.com", EmailError::AtSign)]
    #[case::empty("", EmailError::AtSign)]
    #[case::two_ats("a@b@example.com", EmailError::AtSign)]
    #[case::no_local_part("@example.com", EmailError::NoLocalPart)]
    #[case::hash_in_domain("a@exam#ple.com", EmailError::HashInDomain)]
    #[case::no_dot("a@localhost", EmailError::DomainNotDotted)]
    #[case::empty_label("a@example..com", EmailError::DomainNotDotted)]
    #[case::trailing_dot("a@example.com.", EmailError::DomainNotDotted)]
    fn each_rule_has_its_error(#[case] text: &str, #[case] error: EmailError) {
        assert_eq!(text.parse::<Email>(), Err(error));
    }

    #[test]
    fn the_longest_address_has_254_bytes() {
        let domain = "@example.com";
        let longest = "a".repeat(EMAIL_MAX_BYTES - domain.len()) + domain;
        assert!(longest.parse::<Email>().is_ok());
        assert_eq!(format!("a{longest}").parse::<Email>(), Err(EmailError::TooLong));
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "[ -~]{0,20}") {
            if let Ok(once) = text.parse::<Email>() {
                prop_assert_eq!(once.as_str().parse::<Email>(), Ok(once.clone()));
            }
        }

        #[test]
        fn only_case_and_outer_space_are_lost(text in "[ -~\\t]{0,20}") {
            if let Ok(email) = text.parse::<Email>() {
                prop_assert!(text.trim().eq_ignore_ascii_case(email.as_str()));
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<Email>();
        }
    }
}
