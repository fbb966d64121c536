//! A URL as the runtime's own parser took it apart (WHATWG URL, 6.1): every runtime has one, so the module brings none.

/// The parts of a URL, serialised as the accessors of the class `URL` give them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Url {
    /// Scheme, host and port, without a default port: `https://example.com`.
    pub origin: String,
    /// Path, percent-encoded as it came.
    pub pathname: String,
    /// Query with its `?`, or nothing.
    pub search: String,
    /// Whether a user name or a password stands in it.
    pub has_credentials: bool,
}

/// Parses an absolute URL; none where it is no URL.
pub type ParseUrl = fn(&str) -> Option<Url>;

impl Url {
    /// Tells whether it is an http or an https URL.
    pub(crate) fn is_http(&self) -> bool {
        self.origin.starts_with("http://") || self.origin.starts_with("https://")
    }
}
