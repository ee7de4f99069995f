use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chat_domain::{Content, KindLabel, OwnKindError};
use serde_json::Value;

use crate::error::WireError;
use crate::json;

/// Says what is wrong with a body, in words for the developer of the client. A message without a body is
/// looked at as one whose body is `null`.
type Validator = dyn Fn(&Value) -> Result<(), String> + Send + Sync;

/// The kinds of messages that an application adds to the chat's: which ones people may send, and what their
/// bodies have to be. By default there are none.
///
/// ```
/// use chat_wire::OwnKinds;
///
/// let kinds = OwnKinds::default().admit("x-order", |body| match body["items"].as_array() {
///     Some(items) if !items.is_empty() => Ok(()),
///     _ => Err("items: at least one".to_owned()),
/// })?;
/// # let _ = kinds;
/// # Ok::<(), chat_domain::OwnKindError>(())
/// ```
#[derive(Clone, Default)]
pub struct OwnKinds(BTreeMap<KindLabel, Arc<Validator>>);

impl OwnKinds {
    /// Admits a kind, whose name begins with `x-`. `validator` looks at each body before it is stored, and
    /// says what is wrong with it.
    ///
    /// # Errors
    /// [`OwnKindError::NotOwn`] when the name is not an own kind's.
    pub fn admit(
        mut self,
        kind: &str,
        validator: impl Fn(&Value) -> Result<(), String> + Send + Sync + 'static,
    ) -> Result<Self, OwnKindError> {
        let label = kind.parse::<KindLabel>().ok().filter(KindLabel::is_own).ok_or(OwnKindError::NotOwn)?;
        self.0.insert(label, Arc::new(validator));
        Ok(self)
    }

    /// Refuses what somebody wants to send if it is of a kind that is not admitted, or has a body that its
    /// validator does not take.
    pub(super) fn check(&self, content: &Content) -> Result<(), WireError> {
        let Content::Other(other) = content else { return Ok(()) };
        let Some(validator) = self.0.get(&other.kind) else {
            return Err(WireError::bad_request("this chat does not admit the kind").in_field("kind"));
        };
        let body = other.body.as_deref().and_then(json::stored).unwrap_or_default();
        validator(&body).map_err(|reason| WireError::bad_request(reason).in_field("body"))
    }
}

/// Admits the kinds that are listed, separated by commas, with any body.
impl FromStr for OwnKinds {
    type Err = OwnKindError;

    fn from_str(names: &str) -> Result<Self, OwnKindError> {
        let mut names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.try_fold(Self::default(), |kinds, name| kinds.admit(name, |_| Ok(())))
    }
}

/// Lists the names of the kinds, separated by commas.
impl fmt::Display for OwnKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, kind) in self.0.keys().enumerate() {
            write!(f, "{}{kind}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl fmt::Debug for OwnKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnKinds({self})")
    }
}
