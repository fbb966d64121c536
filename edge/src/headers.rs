//! Header values: which are fit to be sent on, and in which form.

use upload_session_engine::digest::Digest;
use upload_session_engine::wire::header;

use crate::refusal::Refusal;

pub(crate) const CONTENT_TYPE: &str = "content-type";
pub(crate) const CONTENT_LENGTH: &str = "content-length";
pub(crate) const TRANSFER_ENCODING: &str = "transfer-encoding";

/// The headers of a request that came in.
#[derive(Debug, Default)]
pub(crate) struct Headers(Vec<String>);

impl Headers {
    /// Takes names and values by turns.
    pub(crate) fn new(flat: Vec<String>) -> Self {
        Self(flat)
    }

    /// Returns a header's value. One that is there twice is joined with a comma (RFC 9110, 5.3), and so fits no rule.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let lines = self.0.chunks_exact(2).filter_map(|line| match line {
            [key, value] if key.eq_ignore_ascii_case(name) => Some(value.as_str()),
            _ => None,
        });
        lines.map(str::to_owned).reduce(|all, value| all + ", " + &value)
    }
}

/// What the checks look at once the caller is known; the rest of the headers is dropped at once.
#[derive(Debug, Default)]
pub(crate) struct CallerHeaders {
    pub(crate) service_id: Option<String>,
    pub(crate) metadata: Option<String>,
    content_type: Option<String>,
    content_length: Option<String>,
    transfer_encoding: bool,
    digest: Option<String>,
}

impl CallerHeaders {
    pub(crate) fn of(headers: &Headers) -> Self {
        Self {
            service_id: headers.get(header::SERVICE_ID),
            metadata: headers.get(header::METADATA),
            content_type: headers.get(CONTENT_TYPE),
            content_length: headers.get(CONTENT_LENGTH),
            transfer_encoding: headers.get(TRANSFER_ENCODING).is_some(),
            digest: headers.get(header::DIGEST),
        }
    }

    /// Returns how many bytes the body is said to have.
    pub(crate) fn declared_length(&self) -> Option<u64> {
        self.content_length.as_deref().filter(|_| !self.transfer_encoding).and_then(decimal)
    }

    /// Returns how many bytes the body has: declared, plain, at most `max`.
    pub(crate) fn length(&self, max: u64) -> Result<u64, Refusal> {
        match self.declared_length() {
            None => Err(Refusal::length_required()),
            Some(length) if length > max => {
                Err(Refusal::too_large(format!("The body has {length} bytes, and may have {max}")))
            }
            Some(length) => Ok(length),
        }
    }

    /// Returns the `digest` header: `sha=<base64 of SHA-1>`, spelled in the one way there is.
    pub(crate) fn digest(&self) -> Result<Option<String>, Refusal> {
        let Some(value) = &self.digest else { return Ok(None) };
        match value.strip_prefix("sha=").and_then(Digest::from_base64) {
            Some(digest) => Ok(Some(digest.to_string())),
            None => Err(Refusal::bad_header("digest must be `sha=` and the base64 of a SHA-1")),
        }
    }

    /// Returns the media type of the content, where it is a plain one.
    pub(crate) fn content_type(&self) -> String {
        let plain = self.content_type.as_deref().filter(|value| is_media_type(value));
        plain.unwrap_or("application/octet-stream").to_owned()
    }
}

/// Reads a number that is spelled in digits only; up to 15, which no size exceeds.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = matches!(text.len(), 1..=15) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Tells whether a text can stand in a header as it is: visible ASCII, spaces within, at most 1,024 bytes.
pub(crate) fn is_header_safe(text: &str) -> bool {
    let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    plain && matches!(text.len(), 1..=1024) && !text.starts_with(' ') && !text.ends_with(' ')
}

/// Tells whether it is a connector's name.
pub(crate) fn is_service_id(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    plain && matches!(text.len(), 1..=64)
}

/// Tells whether it is `type/subtype`, with parameters whose values are tokens (RFC 9110, 8.3.1).
fn is_media_type(text: &str) -> bool {
    let mut pieces = text.split(';').map(|piece| piece.trim_matches([' ', '\t']));
    let essence = pieces.next().and_then(|essence| essence.split_once('/'));
    text.len() <= 256
        && essence.is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
        && pieces.all(|piece| piece.split_once('=').is_some_and(|(name, value)| is_token(name) && is_token(value)))
}

/// RFC 9110, 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
