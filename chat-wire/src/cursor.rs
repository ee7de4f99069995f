//! The place in a user's conversation list, as an opaque text.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chat_domain::{Activity, Email};

use super::error::WireError;

/// The only version there is. A cursor of another one is refused, and the client begins at the first page.
const VERSION: &str = "v1";

/// The cursor that leads `caller` to the page after `place`. It names the caller and the room by their tags
/// alone, and is of no use to anybody else.
#[must_use]
pub fn encode(place: Activity, caller: &Email) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{VERSION}.{}.{place}", caller.tag()))
}

/// The place a cursor of `caller` leads to.
///
/// # Errors
/// `badRequest` for anything that [`encode`] did not make for this caller.
pub fn decode(cursor: &str, caller: &Email) -> Result<Activity, WireError> {
    let place = || {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (version, rest) = text.split_once('.')?;
        let (owner, place) = rest.split_once('.')?;
        let valid = version == VERSION && owner == caller.tag().to_string();
        if valid { place.parse().ok() } else { None }
    };
    place().ok_or_else(|| WireError::bad_request("cursor: not one that was given to you"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place() -> Activity {
        "2026-11-23#00112233445566778899aabbccddeeff".parse().unwrap()
    }

    fn minji() -> Email {
        "minji@example.com".parse().unwrap()
    }

    #[test]
    fn a_cursor_leads_back_to_its_place_for_its_owner_only() {
        let cursor = encode(place(), &minji());
        assert_eq!(decode(&cursor, &minji()), Ok(place()));
        assert!(decode(&cursor, &"junho@example.com".parse().unwrap()).is_err());
    }

    #[test]
    fn a_cursor_of_another_version_is_refused() {
        let cursor = BASE64_URL_SAFE_NO_PAD.encode(format!("v2.{}.{}", minji().tag(), place()));
        assert!(decode(&cursor, &minji()).is_err());
    }

    #[test]
    fn a_cursor_shows_no_address() {
        let text = BASE64_URL_SAFE_NO_PAD.decode(encode(place(), &minji())).unwrap();
        assert!(!String::from_utf8(text).unwrap().contains('@'));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            let _ = decode(&text, &minji());
            let _ = decode(&BASE64_URL_SAFE_NO_PAD.encode(bytes), &minji());
        }
    }
}
