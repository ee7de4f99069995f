use std::fmt;
use std::str::FromStr;

/// The name a client gives a message before its first attempt to send it, so that every retry is recognised:
/// a UUID.
///
/// - Written as 8-4-4-4-12 hexadecimal digits, in lower case; read in either case.
/// - Unique per sender; what two senders choose is independent.
///
/// ```
/// use chat_domain::ClientMessageId;
/// let id: ClientMessageId = "018F2D4E-7B1A-7C3D-9E5F-001122334455".parse()?;
/// assert_eq!(id.to_string(), "018f2d4e-7b1a-7c3d-9e5f-001122334455");
/// # Ok::<(), chat_domain::ClientMessageIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientMessageId(u128);

/// The text is not a UUID in its hyphenated form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a clientMessageId is a UUID in its hyphenated form")]
pub struct ClientMessageIdError;

const SHAPE: &[u8; 36] = b"dddddddd-dddd-dddd-dddd-dddddddddddd";

impl ClientMessageId {
    /// The id that is a UUID of these 128 bits.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// The 128 bits of the UUID.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl FromStr for ClientMessageId {
    type Err = ClientMessageIdError;

    fn from_str(text: &str) -> Result<Self, ClientMessageIdError> {
        let bytes: &[u8; 36] = text.as_bytes().try_into().map_err(|_| ClientMessageIdError)?;
        let mut bits = 0_u128;
        for (byte, shape) in bytes.iter().zip(SHAPE) {
            if *shape == b'd' {
                let digit = char::from(*byte).to_digit(16).ok_or(ClientMessageIdError)?;
                bits = bits << 4 | u128::from(digit);
            } else if byte != shape {
                return Err(ClientMessageIdError);
            }
        }
        Ok(Self(bits))
    }
}

impl fmt::Display for ClientMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = *SHAPE;
        let digits = text.iter_mut().filter(|byte| **byte == b'd');
        let nibbles = self.0.to_be_bytes().into_iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        for (digit, nibble) in digits.zip(nibbles) {
            *digit = b"0123456789abcdef"[usize::from(nibble)];
        }
        f.write_str(std::str::from_utf8(&text).expect("digits and hyphens"))
    }
}

impl fmt::Debug for ClientMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[rstest::rstest]
    #[case::empty("")]
    #[case::no_hyphens("018f2d4e7b1a7c3d9e5f001122334455")]
    #[case::braced("{018f2d4e-7b1a-7c3d-9e5f-001122334455}")]
    #[case::short_group("018f2d4-7b1a-7c3d-9e5f-0011223344556")]
    #[case::long("018f2d4e-7b1a-7c3d-9e5f-001122334455-00")]
    #[case::not_hexadecimal("018f2d4e-7b1a-7c3d-9e5f-00112233445g")]
    #[case::signed("+18f2d4e-7b1a-7c3d-9e5f-001122334455")]
    #[case::wide_digits("０18f2d-7b1a-7c3d-9e5f-001122334455")]
    fn malformed_text_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<ClientMessageId>(), Err(ClientMessageIdError));
    }

    proptest! {
        #[test]
        fn text_round_trips_in_either_case(bits in any::<u128>()) {
            let id = ClientMessageId::from_u128(bits);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        }
    }
}
