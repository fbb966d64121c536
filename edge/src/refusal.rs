//! Answers of the proxy's own, in the API's error envelope.

use serde_json::Value;
use upload_session_engine::wire::ErrorEnvelope;

/// Why a request goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    type_name: &'static str,
    message: &'static str,
    detail: String,
}

impl Refusal {
    fn new(status: u16, type_name: &'static str, message: &'static str, detail: impl Into<String>) -> Self {
        Self { status, type_name, message, detail: detail.into() }
    }

    /// 400: a query parameter or a field of the body is missing or malformed.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "RequestValidationError", "Invalid Params", detail)
    }

    /// 400: a header is missing or malformed.
    pub(crate) fn bad_header(detail: impl Into<String>) -> Self {
        Self::new(400, "RequestHeadersValidationError", "Invalid Headers", detail)
    }

    /// 400: the body broke off, or was longer or shorter than declared.
    pub(crate) fn broken_body() -> Self {
        Self::bad_request("The body broke off, or has another length than declared")
    }

    /// 401: nobody is logged in.
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "UnauthorizedError", "Unauthorized Request", "Log in first")
    }

    /// 403: logged in, but this is not granted.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "ForbiddenError", "Forbidden", detail)
    }

    /// 403: a page of another site asks.
    pub(crate) fn foreign_origin() -> Self {
        Self::forbidden("Requests from this origin are not allowed")
    }

    /// 404: no such route.
    pub(crate) fn not_found() -> Self {
        Self::new(404, "EntityNotFoundError", "Not Found", "There is no such route")
    }

    /// 404: no such session for this caller. One and the same for every reason there is.
    pub(crate) fn unknown_session() -> Self {
        Self::new(404, "EntityNotFoundError", "Unknown Upload Session", "There is no such upload session")
    }

    /// 411: the body's length is not declared.
    pub(crate) fn length_required() -> Self {
        Self::new(411, "RequestHeadersValidationError", "Length Required", "Content-Length is required")
    }

    /// 413: more bytes than may come.
    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(413, "RequestValidationError", "Payload Too Large", detail)
    }

    /// 500: the proxy, or what it was given to find out who calls, does not work.
    pub(crate) fn misconfigured(detail: impl Into<String>) -> Self {
        Self::new(500, "UnexpectedError", "Internal Server Error", detail)
    }

    /// 502: the API cannot be reached, or answers with what it must not.
    pub(crate) fn bad_gateway(detail: impl Into<String>) -> Self {
        Self::new(502, "BadGatewayError", "Bad Gateway", detail)
    }

    /// 504: the API takes too long.
    pub(crate) fn gateway_timeout() -> Self {
        Self::new(504, "GatewayTimeoutError", "Gateway Timeout", "The API did not answer in time")
    }

    /// An error status of the API whose body is no JSON.
    pub(crate) fn wordless(status: u16) -> Self {
        Self::new(
            status,
            "ConnectorExecutionError",
            "Upstream Error",
            format!("The API answered {status} without JSON"),
        )
    }

    /// Returns the body of the answer.
    pub(crate) fn to_json(&self) -> String {
        let envelope = ErrorEnvelope {
            status_code: Some(self.status),
            error: Some(words(self.status).to_owned()),
            type_name: Some(self.type_name.to_owned()),
            message: Some(self.message.to_owned()),
            detail: Some(Value::from(self.detail.as_str())),
            reference: Some(format!("https://developers.apideck.com/errors#{}", self.type_name.to_lowercase())),
        };
        serde_json::to_string(&envelope).unwrap_or_default()
    }
}

/// The words of a status (RFC 9110, 15).
const fn words(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        411 => "Length Required",
        413 => "Payload Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ if status < 500 => "Client Error",
        _ => "Server Error",
    }
}
