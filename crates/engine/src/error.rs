//! What can go wrong, in the words of the public surface: one class, one stable code each.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::ops::Deref;

use crate::json::{Value, decimal};
use crate::request::Response;

/// How much of an answer that is no JSON is kept as `detail`, in bytes.
const DETAIL_LIMIT: usize = 2048;

/// The stable code of an [`UploadError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// An option, a name, a size, a file that is none.
    InvalidArgument,
    /// 400.
    BadRequest,
    /// 401, after the one refresh.
    Unauthorized,
    /// 402.
    PaymentRequired,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// 422.
    Unprocessable,
    /// 429, retries spent.
    RateLimited,
    /// 5xx, retries spent.
    ServerError,
    /// Any other status that is no success.
    HttpError,
    /// No answer, retries spent.
    Network,
    /// No answer in time, retries spent.
    Timeout,
    /// Ended by the caller.
    Aborted,
    /// The server no longer knows the session.
    SessionExpired,
    /// The file on disk is not the one that was chosen.
    FileChanged,
    /// More than 10,001 parts.
    FileTooLarge,
    /// The server holds other bytes than were sent, twice.
    DigestMismatch,
    /// An answer that the API does not allow.
    Protocol,
    /// The resume record could not be kept.
    Storage,
}

impl ErrorCode {
    /// Returns the code as the public surface spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArgument => "invalid_argument",
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::PaymentRequired => "payment_required",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Unprocessable => "unprocessable",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::HttpError => "http_error",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Aborted => "aborted",
            Self::SessionExpired => "session_expired",
            Self::FileChanged => "file_changed",
            Self::FileTooLarge => "file_too_large",
            Self::DigestMismatch => "digest_mismatch",
            Self::Protocol => "protocol",
            Self::Storage => "storage",
        }
    }

    /// Returns the code of an answer with this status.
    pub const fn from_status(status: u16) -> Self {
        match status {
            400 => Self::BadRequest,
            401 => Self::Unauthorized,
            402 => Self::PaymentRequired,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            409 => Self::Conflict,
            422 => Self::Unprocessable,
            429 => Self::RateLimited,
            500..=599 => Self::ServerError,
            ..400 => Self::Protocol,
            _ => Self::HttpError,
        }
    }
}

/// What the server said of an error.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The API's `type_name`.
    pub type_name: Option<String>,
    /// The API's `detail`; the first 2 KiB of the text where the answer was no JSON.
    pub detail: Option<Value>,
    /// The API's `ref`: a link to the documentation of this kind of error.
    pub reference: Option<String>,
    /// The `request-id` header, to quote to the vendor's support.
    pub request_id: Option<String>,
}

/// Why an upload or a single operation ended. Holds no credentials. One word, whose content is boxed: it is handed on through
/// most functions, and each move of it costs code.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadError(Box<ErrorFields>);

/// What an [`UploadError`] holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorFields {
    /// The stable code.
    pub code: ErrorCode,
    /// A sentence for developers.
    pub message: String,
    /// What the server said, where it did.
    pub answer: Option<Answer>,
    /// The part that was being sent.
    pub part_number: Option<u32>,
    /// Whether the same call may succeed later.
    pub retryable: bool,
}

impl UploadError {
    /// Makes an error that no answer caused.
    #[inline(never)]
    pub fn new(code: ErrorCode, message: &str) -> Self {
        Self::with(code, message.to_owned(), None, matches!(code, ErrorCode::Network | ErrorCode::Timeout))
    }

    fn with(code: ErrorCode, message: String, answer: Option<Answer>, retryable: bool) -> Self {
        Self(Box::new(ErrorFields { code, message, answer, part_number: None, retryable }))
    }

    /// Makes an `invalid_argument` that names the field and what it takes.
    pub fn invalid_argument(field: &str, takes: &str) -> Self {
        Self::new(ErrorCode::InvalidArgument, &["`", field, "` ", takes].concat())
    }

    /// Makes the error of an answer whose status is no success.
    pub fn from_response(response: &Response) -> Self {
        let code = ErrorCode::from_status(response.status);
        let mut envelope = match Value::parse(&response.body) {
            Some(Value::Object(envelope)) => Some(envelope),
            _ => None,
        };
        let detail = match &mut envelope {
            Some(envelope) => envelope.remove("detail").filter(|detail| !matches!(detail, Value::Null)),
            None => text_detail(&response.body),
        };
        let mut text = |field| match envelope.as_mut()?.remove(field) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let message = text("message")
            .or_else(|| text("error"))
            .unwrap_or_else(|| ["The server answered with status ", &decimal(response.status.into())].concat());
        let answer = Answer {
            status: response.status,
            type_name: text("type_name"),
            detail,
            reference: text("ref"),
            request_id: response.request_id.clone(),
        };
        Self::with(code, message, Some(answer), crate::retry::is_retryable_status(response.status))
    }

    /// Makes the error of an answer that the API does not allow.
    #[inline(never)]
    pub fn protocol(response: &Response, message: &str) -> Self {
        let answer = Answer {
            status: response.status,
            detail: text_detail(&response.body),
            request_id: response.request_id.clone(),
            ..Answer::default()
        };
        Self::with(ErrorCode::Protocol, message.to_owned(), Some(answer), false)
    }

    /// Returns the HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.answer.as_ref().map(|answer| answer.status)
    }

    /// Returns the same error under another code.
    pub fn with_code(mut self, code: ErrorCode) -> Self {
        self.0.code = code;
        self
    }

    /// Returns the same error, naming the part it is about.
    pub fn for_part(mut self, part_number: u32) -> Self {
        self.0.part_number = Some(part_number);
        self
    }

    /// Returns what it holds.
    pub fn into_fields(self) -> ErrorFields {
        *self.0
    }

    /// Returns code and message in one line.
    pub fn to_text(&self) -> String {
        [self.code.as_str(), ": ", &self.message].concat()
    }

    /// Tells whether the server complains of a digest: such a part is hashed and sent once more.
    pub(crate) fn speaks_of_digest(&self) -> bool {
        let complains = |text: &str| {
            let names =
                |word: &str| text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
            ["digest", "checksum", "sha1", "sha-1"].into_iter().any(names)
        };
        let Some(answer) = self.answer.as_ref().filter(|answer| matches!(answer.status, 400 | 422)) else {
            return false;
        };
        complains(&self.message)
            || answer.type_name.as_deref().is_some_and(complains)
            || answer.detail.as_ref().is_some_and(|detail| complains(&detail.to_json()))
    }
}

impl Deref for UploadError {
    type Target = ErrorFields;

    fn deref(&self) -> &ErrorFields {
        &self.0
    }
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl core::error::Error for UploadError {}

/// Returns the first 2 KiB of a text, cut between characters; nothing of an empty one.
fn text_detail(body: &str) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    let mut end = body.len().min(DETAIL_LIMIT);
    while !body.is_char_boundary(end) {
        end -= 1;
    }
    body.get(..end).map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response { status, request_id: Some("r-1".into()), retry_after: None, body: body.into() }
    }

    #[test]
    fn error_envelope_is_carried_over() {
        let error = UploadError::from_response(&response(
            402,
            r#"{"status_code":402,"error":"Payment Required","type_name":"RequestLimitError",
                "message":"Limit reached","detail":{"limit":2000},"ref":"https://example.com/e"}"#,
        ));
        assert_eq!(error.code, ErrorCode::PaymentRequired);
        assert_eq!(error.message, "Limit reached");
        assert_eq!(error.status(), Some(402));
        let answer = error.answer.clone().unwrap();
        assert_eq!(answer.type_name.as_deref(), Some("RequestLimitError"));
        assert_eq!(answer.detail.unwrap().to_json(), r#"{"limit":2000}"#);
        assert_eq!(answer.reference.as_deref(), Some("https://example.com/e"));
        assert_eq!(answer.request_id.as_deref(), Some("r-1"));
        assert!(!error.retryable);
    }

    #[test]
    fn answer_that_is_no_json_keeps_its_first_2_kib_as_detail() {
        let page = "é".repeat(3000);
        let error = UploadError::from_response(&response(502, &page));
        assert_eq!(error.code, ErrorCode::ServerError);
        assert_eq!(error.message, "The server answered with status 502");
        assert!(error.retryable);
        assert_eq!(error.into_fields().answer.unwrap().detail, Some(Value::String("é".repeat(1024))));
    }

    #[test]
    fn json_that_is_no_object_counts_as_text() {
        let error = UploadError::from_response(&response(400, "[1]"));
        assert_eq!(error.into_fields().answer.unwrap().detail, Some(Value::String("[1]".into())));
    }

    #[test]
    fn every_status_has_its_code() {
        let code = |status| ErrorCode::from_status(status).as_str();
        assert_eq!(
            [400, 401, 402, 403, 404, 409, 422, 429, 500, 599, 418, 304].map(code),
            [
                "bad_request",
                "unauthorized",
                "payment_required",
                "forbidden",
                "not_found",
                "conflict",
                "unprocessable",
                "rate_limited",
                "server_error",
                "server_error",
                "http_error",
                "protocol"
            ]
        );
    }

    #[test]
    fn digest_complaints_are_told_from_other_bad_requests() {
        let complaint = |status, body| UploadError::from_response(&response(status, body)).speaks_of_digest();
        assert!(complaint(422, r#"{"message":"The Digest does not match"}"#));
        assert!(complaint(400, r#"{"message":"Invalid","detail":{"error":"checksum"}}"#));
        assert!(!complaint(400, r#"{"message":"Invalid name"}"#));
        assert!(!complaint(500, r#"{"message":"digest service is down"}"#));
    }
}
