//! What an exchange asks of whoever drives it.

use std::fmt;

use serde::Serialize;

use crate::headers::CONTENT_TYPE;

/// Names and values, names in lower case.
pub type HeaderList = Vec<(&'static str, String)>;

/// What is to be done next.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Step {
    /// Find out who is calling; then `granted`.
    Authorize,
    /// Read the request's body as text; then `read`, or `failed` where it has more than `limit` bytes.
    Read {
        /// Bytes.
        limit: usize,
    },
    /// Send a request to the API; then `answered` or `failed`. Redirects are not to be followed.
    Send {
        /// HTTP method.
        method: &'static str,
        /// Absolute URL.
        url: String,
        /// All headers, and no others.
        headers: HeaderList,
        /// The whole body, where it is no file content.
        body: Option<String>,
        /// Bytes of the caller's body, to be piped through, neither more nor less.
        length: Option<u64>,
    },
    /// Answer the caller: the end.
    Answer {
        /// HTTP status.
        status: u16,
        /// All headers, and no others.
        headers: HeaderList,
        /// JSON, if anything.
        body: Option<String>,
    },
}

impl Step {
    /// Answers with a body of JSON, if any, which no cache keeps.
    pub(crate) fn answer(status: u16, more: HeaderList, body: Option<String>) -> Self {
        let kind = body.is_some().then(|| (CONTENT_TYPE, "application/json".to_owned()));
        let headers = [("cache-control", "no-store".to_owned())].into_iter().chain(kind).chain(more).collect();
        Self::Answer { status, headers, body }
    }

    /// Returns the step as the JSON that the boundary hands over.
    pub fn to_json(&self) -> String {
        // Maps with other keys than texts, and errors of a writer: neither exists here.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Leaves out what headers and bodies hold: the API key is among it.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorize => f.write_str("Authorize"),
            Self::Read { limit } => f.debug_struct("Read").field("limit", limit).finish(),
            Self::Send { method, length, .. } => {
                f.debug_struct("Send").field("method", method).field("length", length).finish_non_exhaustive()
            }
            Self::Answer { status, .. } => f.debug_struct("Answer").field("status", status).finish_non_exhaustive(),
        }
    }
}
