use std::fmt;
use std::sync::Arc;

use chat_domain::Email;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How many hexadecimal digits a tag has: 64 bits, so that of a million users no two are likely to share one.
const DIGITS: usize = 16;

/// What users are called in logs. Two lines with the same tag are about the same user, and only who has the
/// key can tell which user that is. Without a key, lines name nobody.
///
/// ```
/// use chat_domain::Email;
/// use chat_wire::UserTags;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let minji: Email = "minji@example.com".parse()?;
/// let tags = UserTags::keyed("a key of this chat");
/// assert_eq!(tags.of(&minji).as_deref(), Some("4a8b060b4931cba2"));
/// assert_eq!(UserTags::default().of(&minji), None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct UserTags {
    key: Option<Arc<[u8]>>,
}

impl UserTags {
    /// Tags that are made with this key. An empty one names nobody.
    #[must_use]
    pub fn keyed(key: &str) -> Self {
        Self { key: Some(key.as_bytes()).filter(|key| !key.is_empty()).map(Arc::from) }
    }

    /// The tag of a user: the beginning of an HMAC-SHA-256 of the address.
    #[must_use]
    pub fn of(&self, user: &Email) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_ref()?).expect("a key has any length");
        mac.update(user.as_str().as_bytes());
        let bytes = mac.finalize().into_bytes();
        Some(bytes.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Debug for UserTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserTags").field("is_keyed", &self.key.is_some()).finish()
    }
}
