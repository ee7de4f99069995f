use http::HeaderMap;
use http::header::ORIGIN;

/// Which web pages may use the chat from a browser: their origins, such as `https://chat.example.com`.
///
/// A request without an `Origin` does not come from a page and is not judged by it.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    /// These and no others.
    #[must_use]
    pub fn new(origins: impl IntoIterator<Item = String>) -> Self {
        Self(origins.into_iter().collect())
    }

    /// The request's origin, if it has one that is allowed.
    pub(crate) fn allowed<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let origin = headers.get(ORIGIN)?.to_str().ok()?;
        self.0.iter().any(|allowed| allowed == origin).then_some(origin)
    }

    /// Whether the request comes from a page that may not use the chat.
    pub(crate) fn refuses(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(ORIGIN) && self.allowed(headers).is_none()
    }
}
