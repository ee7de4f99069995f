//! What message `k` says. Id and text follow from the number, so the receiver checks both without asking
//! the sender.

use uuid::{Builder, Uuid, Variant, Version};

use crate::people::RunId;

/// Smallest text that can hold the number and the awkward characters.
pub const MIN_BYTES: usize = 48;
/// The protocol's limit for one message.
pub const MAX_BYTES: usize = chat_domain::MESSAGE_TEXT_MAX_BYTES;

/// The id of message `k`: a version-4 UUID in shape. Its first 48 bits are the run, and its last 62 are `k`.
pub fn message_id(run: RunId, k: u64) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&run.number().to_be_bytes()[2..]);
    bytes[8..].copy_from_slice(&k.to_be_bytes());
    Builder::from_random_bytes(bytes).into_uuid()
}

/// The number in `id`, if the id belongs to this run.
pub fn message_number(run: RunId, id: &str) -> Option<u64> {
    let uuid = Uuid::try_parse(id).ok()?;
    if uuid.get_variant() != Variant::RFC4122 || uuid.get_version() != Some(Version::Random) {
        return None;
    }
    let mut low = [0; 8];
    low.copy_from_slice(&uuid.as_bytes()[8..]);
    let k = u64::from_be_bytes(low) & (u64::MAX >> 2);
    (message_id(run, k) == uuid).then_some(k)
}

/// The text of message `k`, at least `bytes` long in UTF-8. It holds what encoders get wrong: Hangul, a
/// quote, a backslash, a newline, a character outside the basic plane.
pub fn text(k: u64, bytes: usize) -> String {
    const TWICE: &str = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    const PERIOD: usize = TWICE.len() / 2;
    let mut text = String::with_capacity(bytes.max(MIN_BYTES));
    text.push_str("안녕 \"");
    text.push_str(&k.to_string());
    text.push_str("\" \\ 🙂\n");
    // Starts at another letter each time, so two messages' fillings differ.
    let letters = &TWICE[k as usize % PERIOD..][..PERIOD];
    let mut missing = bytes.saturating_sub(text.len()).max(1);
    while missing > 0 {
        let piece = missing.min(PERIOD);
        text.push_str(&letters[..piece]);
        missing -= piece;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_message_is_recognised_by_its_id(run in 0u64..1 << 48, k in 0u64..1 << 62) {
            let run = RunId::from_number(run);
            prop_assert_eq!(message_number(run, &message_id(run, k).to_string()), Some(k));
        }

        #[test]
        fn another_runs_id_is_not_ours(k in 0u64..1 << 62) {
            let id = message_id(RunId::from_number(1), k).to_string();
            prop_assert_eq!(message_number(RunId::from_number(2), &id), None);
        }

        #[test]
        fn a_text_has_the_asked_size(k: u64, bytes in MIN_BYTES..MAX_BYTES) {
            prop_assert_eq!(text(k, bytes).len(), bytes);
        }
    }

    #[test]
    fn texts_differ_and_survive_trimming() {
        assert_ne!(text(1, 200), text(2, 200));
        assert_eq!(text(7, 200).trim(), text(7, 200));
    }

    #[test]
    fn what_is_no_id_is_not_ours() {
        for id in ["", "u1", "00000000-0000-0000-0000-000000000001"] {
            assert_eq!(message_number(RunId::from_number(0), id), None, "{id}");
        }
    }
}
