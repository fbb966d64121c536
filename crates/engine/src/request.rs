//! Requests to be sent and answers that came, without a transport: the six routes of the API.

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::digest::Digest;
use crate::error::UploadError;
use crate::json::{Object, Value, decimal, write_escape};
use crate::wire::{CreateFile, CreateUploadSession, FILES_PATH, MAX_PART_NUMBER, SESSIONS_PATH};

/// The operations of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Opens a session.
    Create,
    /// Asks for its part size and what it holds.
    Get,
    /// Sends one part.
    Upload,
    /// Makes the file of the parts.
    Finish,
    /// Drops the session.
    Delete,
    /// Sends a small file in one request.
    Direct,
}

impl Operation {
    /// Returns the name as the public surface spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Get => "get",
            Self::Upload => "upload",
            Self::Finish => "finish",
            Self::Delete => "delete",
            Self::Direct => "direct",
        }
    }

    /// Returns the HTTP method.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Upload => "PUT",
            Self::Delete => "DELETE",
            Self::Create | Self::Finish | Self::Direct => "POST",
        }
    }
}

/// A request without its origin, its credentials and its file content: those are the transport's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which operation it is.
    pub operation: Operation,
    /// Path and query, percent-encoded.
    pub target: String,
    /// JSON body.
    pub json: Option<String>,
    /// Value of the `digest` header.
    pub digest: Option<String>,
    /// Value of the `x-apideck-metadata` header, ASCII.
    pub metadata: Option<String>,
}

impl Request {
    /// Opens a session.
    pub fn create(body: &CreateUploadSession, raw: bool) -> Self {
        Self {
            json: Some(body.to_json().to_json()),
            ..Self::new(Operation::Create, SESSIONS_PATH.to_owned(), &[("raw", flag(raw))])
        }
    }

    /// Asks for a session; `fields` is a comma-separated selection.
    ///
    /// # Errors
    /// `invalid_argument` where the id is none.
    pub fn get(id: &str, raw: bool, fields: Option<&str>) -> Result<Self, UploadError> {
        Ok(Self::new(Operation::Get, session_path(id)?, &[("raw", flag(raw)), ("fields", fields)]))
    }

    /// Sends one part.
    ///
    /// # Errors
    /// `invalid_argument` where the id is none, or the part number is past 10,000.
    pub fn upload(id: &str, part_number: u32, digest: Option<String>, raw: bool) -> Result<Self, UploadError> {
        if part_number > MAX_PART_NUMBER {
            return Err(UploadError::invalid_argument("partNumber", "takes 0 to 10000"));
        }
        let number = decimal(part_number.into());
        let query = [("part_number", Some(number.as_str())), ("raw", flag(raw))];
        Ok(Self { digest, ..Self::new(Operation::Upload, session_path(id)?, &query) })
    }

    /// Drops a session.
    ///
    /// # Errors
    /// `invalid_argument` where the id is none.
    pub fn delete(id: &str, raw: bool) -> Result<Self, UploadError> {
        Ok(Self::new(Operation::Delete, session_path(id)?, &[("raw", flag(raw))]))
    }

    /// Makes the file of the parts.
    ///
    /// # Errors
    /// `invalid_argument` where the id is none.
    pub fn finish(id: &str, digest: Option<String>, raw: bool) -> Result<Self, UploadError> {
        let path = session_path(id)? + "/finish";
        Ok(Self { digest, json: Some("{}".to_owned()), ..Self::new(Operation::Finish, path, &[("raw", flag(raw))]) })
    }

    /// Sends a small file in one request.
    pub fn direct(metadata: &CreateFile, raw: bool) -> Self {
        let metadata = to_ascii_json(&metadata.to_json().to_json());
        Self { metadata: Some(metadata), ..Self::new(Operation::Direct, FILES_PATH.to_owned(), &[("raw", flag(raw))]) }
    }

    fn new(operation: Operation, path: String, query: &[(&str, Option<&str>)]) -> Self {
        let mut target = path;
        let mut separator = '?';
        for (name, value) in query.iter().filter_map(|(name, value)| value.map(|value| (name, value))) {
            target.push(separator);
            target.push_str(name);
            target.push('=');
            percent_encode(value, &mut target);
            separator = '&';
        }
        Self { operation, target, json: None, digest: None, metadata: None }
    }
}

const fn flag(set: bool) -> Option<&'static str> {
    if set { Some("true") } else { None }
}

/// Returns the path of a session. `.` and `..` would be resolved away by every URL parser (WHATWG URL, 4.4),
/// and the request would reach another route.
fn session_path(id: &str) -> Result<String, UploadError> {
    if matches!(id, "" | "." | "..") {
        return Err(UploadError::invalid_argument("id", "takes the id of an upload session"));
    }
    let mut path = [SESSIONS_PATH, "/"].concat();
    percent_encode(id, &mut path);
    Ok(path)
}

/// Appends a text so that it stands for itself within a path's segment or a query's value: all but RFC 3986's unreserved
/// characters are escaped (section 2.3).
fn percent_encode(text: &str, target: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            target.push(char::from(byte));
        } else {
            target.push('%');
            for digit in [byte >> 4, byte & 15] {
                target.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
}

/// Escapes what is not ASCII, as header values take no more than that.
fn to_ascii_json(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for character in json.chars() {
        // DEL is ASCII, yet no field-content (RFC 9110, 5.5).
        if character.is_ascii() && character != '\x7f' {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write_escape(*unit, &mut ascii);
            }
        }
    }
    ascii
}

/// An answer of the server, as far as the engine looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The `retry-after` header.
    pub retry_after: Option<String>,
    /// The `request-id` header.
    pub request_id: Option<String>,
    /// The whole body as text.
    pub body: String,
}

impl Response {
    /// Tells whether the status is a success.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Reads the envelope of a success, whose `data` must be an object.
    ///
    /// # Errors
    /// `protocol`, with the first 2 KiB of the answer as `detail`.
    pub fn envelope(&self) -> Result<Object, UploadError> {
        let Some(Value::Object(envelope)) = Value::parse(&self.body) else {
            return Err(UploadError::protocol(self, "The answer is no JSON object"));
        };
        match envelope.get("data") {
            Some(Value::Object(_)) => Ok(envelope),
            _ => Err(UploadError::protocol(self, "The answer has no `data`")),
        }
    }

    /// Reads the envelope of a success whose `data` must have an `id`; returns both.
    ///
    /// # Errors
    /// `protocol`, with the first 2 KiB of the answer as `detail`.
    pub fn identified(&self) -> Result<(String, Object), UploadError> {
        let envelope = self.envelope()?;
        match envelope.get("data").and_then(|data| data.get("id")) {
            Some(Value::String(id)) if !id.is_empty() => Ok((id.clone(), envelope)),
            _ => Err(UploadError::protocol(self, "The answer has no `data.id`")),
        }
    }
}

/// Returns the `digest` header of a request, where one is wanted.
pub(crate) fn digest_header(digest: Option<Digest>) -> Option<String> {
    digest.map(Digest::to_header)
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn targets_are_those_of_the_api() {
        let id = "a/b ?é";
        let path = "/file-storage/upload-sessions/a%2Fb%20%3F%C3%A9";
        assert_eq!(Request::get(id, false, None).unwrap().target, path);
        assert_eq!(
            Request::get(id, true, Some("id,part_size")).unwrap().target,
            format!("{path}?raw=true&fields=id%2Cpart_size")
        );
        assert_eq!(Request::upload(id, 7, None, true).unwrap().target, format!("{path}?part_number=7&raw=true"));
        assert_eq!(Request::delete(id, false).unwrap().target, path);
        let finish = Request::finish(id, Some("sha=x".into()), false).unwrap();
        assert_eq!(finish.target, format!("{path}/finish"));
        assert_eq!(finish.json.as_deref(), Some("{}"));
        assert_eq!(finish.digest.as_deref(), Some("sha=x"));
    }

    #[test]
    fn ids_that_a_url_parser_would_resolve_away_are_refused() {
        for id in ["", ".", ".."] {
            assert_eq!(Request::get(id, false, None).unwrap_err().code, ErrorCode::InvalidArgument);
        }
        assert!(Request::get("...", false, None).is_ok());
    }

    #[test]
    fn part_numbers_end_at_10000() {
        assert!(Request::upload("s", 10_000, None, false).is_ok());
        assert!(Request::upload("s", 10_001, None, false).unwrap_err().message.contains("partNumber"));
    }

    #[test]
    fn metadata_header_is_ascii_json() {
        let metadata = CreateFile { name: "é😀\u{7f}.pdf".into(), parent_folder_id: "root".into(), drive_id: None };
        let header = Request::direct(&metadata, false).metadata.unwrap();
        assert_eq!(header, r#"{"name":"\u00e9\ud83d\ude00\u007f.pdf","parent_folder_id":"root"}"#);
        assert_eq!(serde_json::from_str::<CreateFile>(&header).unwrap(), metadata);
    }

    #[test]
    fn create_leaves_out_what_is_not_given_and_keeps_a_null_size() {
        let body = CreateUploadSession {
            name: "a".into(),
            parent_folder_id: "root".into(),
            size: None,
            drive_id: None,
            pass_through: None,
        };
        let json = Request::create(&body, false).json.unwrap();
        assert_eq!(json, r#"{"name":"a","parent_folder_id":"root","size":null}"#);
    }

    #[test]
    fn answers_without_data_or_id_are_protocol_errors() {
        let answer = |body: &str| Response { status: 200, body: body.into(), ..Response::default() };
        for body in ["", "<html>", "[]", "{}", r#"{"data":null}"#, r#"{"data":[]}"#] {
            assert_eq!(answer(body).envelope().unwrap_err().code, ErrorCode::Protocol, "{body}");
        }
        for body in [r#"{"data":{}}"#, r#"{"data":{"id":""}}"#, r#"{"data":{"id":5}}"#] {
            assert!(answer(body).envelope().is_ok());
            assert_eq!(answer(body).identified().unwrap_err().code, ErrorCode::Protocol, "{body}");
        }
        assert_eq!(answer(r#"{"data":{"id":"s"}}"#).identified().unwrap().0, "s");
    }
}
