//! Answers: the success envelope, the error envelope, and the words of a status.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use upload_session_engine::wire::{Envelope, ErrorEnvelope};

/// A successful answer, before it is put into its envelope.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) service: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) data: Value,
    /// What the connector itself would have answered; sent where `raw=true`.
    pub(crate) raw: Option<Value>,
    pub(crate) retry_after: Option<u32>,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let envelope = Envelope {
            status_code: self.status.as_u16(),
            status: words(self.status),
            service: self.service.to_owned(),
            resource: self.resource.to_owned(),
            operation: self.operation.to_owned(),
            data: self.data,
            meta: None,
            raw: self.raw,
        };
        let mut response = (self.status, Json(envelope)).into_response();
        set_retry_after(&mut response, self.retry_after);
        response
    }
}

/// An error answer of the API.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    type_name: &'static str,
    message: &'static str,
    detail: String,
    retry_after: Option<u32>,
}

impl ApiError {
    fn new(status: StatusCode, type_name: &'static str, message: &'static str, detail: impl Into<String>) -> Self {
        Self { status, type_name, message, detail: detail.into(), retry_after: None }
    }

    /// 401: no usable bearer token.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UnauthorizedError", "Unauthorized Request", detail)
    }

    /// 400: a header is missing or malformed.
    pub(crate) fn bad_header(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "RequestHeadersValidationError", "Invalid Headers", detail)
    }

    /// 400: a query parameter or a field of the body is missing or malformed.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "RequestValidationError", "Invalid Params", detail)
    }

    /// 403: a page of another machine asks for what is not the API's.
    pub(crate) fn foreign_origin(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "RequestHeadersValidationError", "Foreign Origin", detail)
    }

    /// 421: sent to a name that is not this machine's.
    pub(crate) fn foreign_host(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::MISDIRECTED_REQUEST, "RequestHeadersValidationError", "Foreign Host", detail)
    }

    /// 404: no connector of that name.
    pub(crate) fn unknown_connector(service_id: &str) -> Self {
        let detail = format!("Unknown service id '{service_id}' in x-apideck-service-id");
        Self::new(StatusCode::NOT_FOUND, "ConnectorNotFoundError", "Unknown Connector", detail)
    }

    /// 404: no session of that id for this caller.
    pub(crate) fn unknown_session(id: &str) -> Self {
        let detail = format!("Could not find upload session with id: '{id}'");
        Self::new(StatusCode::NOT_FOUND, "EntityNotFoundError", "Unknown Upload Session", detail)
    }

    /// 404: no such route or file.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "EntityNotFoundError", "Not Found", detail)
    }

    /// 405: the route exists, the method does not.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "RequestValidationError", "Method Not Allowed", "")
    }

    /// 409: done already.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "ConnectorExecutionError", "Conflict", detail)
    }

    /// 410: it was there, its bytes are not.
    pub(crate) fn gone(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "EntityNotFoundError", "Gone", detail)
    }

    /// 413: more than the API takes in one request.
    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestValidationError", "Payload Too Large", detail)
    }

    /// 422: well-formed, yet not what the session or the connector takes now.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "InvalidStateError", "Invalid State", detail)
    }

    /// 429: more uploads in flight than allowed; 0 seconds are no `Retry-After`.
    pub(crate) fn too_many(detail: impl Into<String>, retry_after: u32) -> Self {
        let mut error =
            Self::new(StatusCode::TOO_MANY_REQUESTS, "ConnectorRateLimitError", "Connector Rate Limit Error", detail);
        error.retry_after = Some(retry_after).filter(|seconds| *seconds > 0);
        error
    }

    /// 500: the emulator itself failed, e.g. on a full disk.
    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "UnexpectedError", "Internal Server Error", detail)
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        Self::internal(format!("storage of the emulator failed: {error}"))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let envelope = error_envelope(self.status, self.type_name, self.message, self.detail);
        let mut response = (self.status, Json(envelope)).into_response();
        set_retry_after(&mut response, self.retry_after);
        response
    }
}

/// Gives the error that a scripted status carries when the script brings no body of its own.
pub(crate) fn scripted_error(status: StatusCode) -> ErrorEnvelope {
    let type_name = match status.as_u16() {
        400 => "RequestValidationError",
        401 => "UnauthorizedError",
        402 => "RequestLimitError",
        404 => "EntityNotFoundError",
        422 => "InvalidStateError",
        429 => "ConnectorRateLimitError",
        _ => "ConnectorExecutionError",
    };
    let detail = format!("Scripted by the emulator: status {}", status.as_u16());
    error_envelope(status, type_name, "Scripted Fault", detail)
}

fn error_envelope(status: StatusCode, type_name: &str, message: &str, detail: String) -> ErrorEnvelope {
    ErrorEnvelope {
        status_code: Some(status.as_u16()),
        error: Some(words(status)),
        type_name: Some(type_name.to_owned()),
        message: Some(message.to_owned()),
        detail: Some(Value::String(detail)),
        reference: Some(format!("https://developers.apideck.com/errors#{}", type_name.to_lowercase())),
    }
}

fn words(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().to_owned()
}

fn set_retry_after(response: &mut Response, seconds: Option<u32>) {
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}
