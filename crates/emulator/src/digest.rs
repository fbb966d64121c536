//! The `digest` header (RFC 3230): `sha=<base64 of SHA-1>`.

use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use upload_session_engine::wire::header::DIGEST;

use crate::envelope::ApiError;

/// A SHA-1.
pub(crate) type Sha1Sum = [u8; 20];

/// Reads the SHA-1 out of the `digest` header; none where the header is absent.
///
/// # Errors
/// 400 where the header is malformed or names no `sha`.
pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Option<Sha1Sum>, ApiError> {
    let Some(value) = headers.get(DIGEST) else {
        return Ok(None);
    };
    let malformed = || ApiError::bad_header("Header digest must be sha=<base64 of the 20 bytes of a SHA-1>");
    let text = value.to_str().map_err(|_| malformed())?;
    // An instance may list several algorithms; the others are none of our business.
    let encoded = text
        .split(',')
        .filter_map(|instance| instance.trim().split_once('='))
        .find_map(|(algorithm, value)| algorithm.eq_ignore_ascii_case("sha").then_some(value))
        .ok_or_else(malformed)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| malformed())?;
    Ok(Some(bytes.try_into().map_err(|_| malformed())?))
}

/// Writes a SHA-1 as the value of a `digest` header.
pub(crate) fn to_header(sum: &Sha1Sum) -> String {
    format!("sha={}", STANDARD.encode(sum))
}

/// Writes a SHA-1 in lower-case hex, as `sha1sum` does.
pub(crate) fn to_hex(sum: &Sha1Sum) -> String {
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}
