//! Who may call from a page, and what CORS says of it (WHATWG Fetch, 3.2).

use upload_session_engine::wire::header;

use crate::headers::Headers;
use crate::route::Route;
use crate::url::Url;

/// Seconds that a browser may keep the answer to a preflight; Chromium keeps none longer than two hours.
const MAX_AGE: &str = "86400";

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// No page, or a page of this very origin.
    Own,
    /// A page of an origin that is listed.
    Listed(String),
    /// A page of another site.
    Foreign,
}

impl Origin {
    pub(crate) fn of(headers: &Headers, url: &Url, allowed: &[String]) -> Self {
        let site = headers.get("sec-fetch-site");
        let same_origin = site.as_deref() == Some("same-origin");
        match headers.get("origin") {
            Some(origin) if allowed.contains(&origin) => Self::Listed(origin),
            // What hides where it comes from: a sandboxed frame, a redirect across origins.
            Some(origin) if origin == "null" => Self::Foreign,
            // Behind a proxy that ends TLS the two differ by their scheme, and the browser's word counts.
            Some(origin) if same_origin || origin == url.origin => Self::Own,
            Some(_) => Self::Foreign,
            None if matches!(site.as_deref(), Some("cross-site" | "same-site")) => Self::Foreign,
            None => Self::Own,
        }
    }

    /// Returns the headers of every answer but a preflight's.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let Self::Listed(_) = self else { return self.allow() };
        let exposed = [header::REQUEST_ID, header::RETRY_AFTER].join(", ");
        [self.allow(), vec![("access-control-expose-headers", exposed)]].concat()
    }

    /// Returns the headers of the answer to a preflight.
    pub(crate) fn preflight(&self, route: Route<'_>) -> Vec<(&'static str, String)> {
        let more = vec![
            ("access-control-allow-methods", route.methods()),
            ("access-control-allow-headers", request_headers()),
            ("access-control-max-age", MAX_AGE.to_owned()),
        ];
        [self.allow(), more].concat()
    }

    fn allow(&self) -> Vec<(&'static str, String)> {
        let vary = ("vary", "origin".to_owned());
        match self {
            Self::Own | Self::Foreign => vec![vary],
            Self::Listed(origin) => vec![
                ("access-control-allow-origin", origin.clone()),
                ("access-control-allow-credentials", "true".to_owned()),
                vary,
            ],
        }
    }
}

/// Tells whether a request on a known path is a preflight (WHATWG Fetch, 3.2.2).
pub(crate) fn is_preflight(method: &str, headers: &Headers) -> bool {
    method == "OPTIONS" && headers.get("origin").is_some() && headers.get("access-control-request-method").is_some()
}

/// Headers that the client of this project sends; most of them are ignored here.
fn request_headers() -> String {
    let names = [
        "content-type",
        header::DIGEST,
        "authorization",
        header::APP_ID,
        header::CONSUMER_ID,
        header::SERVICE_ID,
        header::AUTH_TYPE,
        header::METADATA,
    ];
    names.join(", ")
}
