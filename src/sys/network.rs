//! Requests: `network.js` sends them by `fetch` (WHATWG Fetch) or `XMLHttpRequest` (WHATWG XHR).

use alloc::string::String;

use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::request::{Request, Response};
use wasm_bindgen::prelude::*;

use crate::error::ReadError;
use crate::fields::Fields;
use crate::sys::listener::Signal;
use crate::sys::promise::Promise;

#[wasm_bindgen(module = "/src/network.js")]
extern "C" {
    /// Everything about requests that does not change from one to the next.
    #[derive(Clone)]
    pub(crate) type Connection;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new(fields: &Fields, server: &str, apart: bool) -> Connection;

    /// Returns the same connection with what a single call changes of it.
    #[wasm_bindgen(method, js_name = with)]
    pub(crate) fn with_call(this: &Connection, request: &Fields, options: Option<&Fields>) -> Connection;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn server(this: &Connection) -> String;

    /// Whether file content goes by XMLHttpRequest.
    #[wasm_bindgen(method, getter, js_name = xhr)]
    pub(crate) fn is_xhr(this: &Connection) -> bool;

    /// Returns a header of every request.
    #[wasm_bindgen(method)]
    pub(crate) fn header(this: &Connection, name: &str) -> Option<String>;

    /// Whether another token can be had.
    #[wasm_bindgen(method, getter, js_name = canRefresh)]
    pub(crate) fn can_refresh(this: &Connection) -> bool;

    /// Has the next request ask for a fresh token, unless the one that this request had was replaced already.
    #[wasm_bindgen(method)]
    pub(crate) fn forget(this: &Connection, outcome: &Outcome);

    /// Asks for another token than the one in use; resolves to an [`Outcome`].
    #[wasm_bindgen(method)]
    pub(crate) fn refresh(this: &Connection) -> Promise;

    #[wasm_bindgen(method, js_name = send)]
    fn js_send(
        this: &Connection,
        signal: Option<&Signal>,
        timeout: Option<f64>,
        method: &str,
        target: &str,
        json: Option<&str>,
        digest: Option<&str>,
        metadata: Option<&str>,
        content: &JsValue,
        length: Option<f64>,
        probes: bool,
        on_sent: &JsValue,
    ) -> Promise;

    /// What came of a request.
    pub(crate) type Outcome;

    #[wasm_bindgen(method, getter)]
    fn kind(this: &Outcome) -> u32;

    #[wasm_bindgen(method, getter)]
    fn status(this: &Outcome) -> u16;

    #[wasm_bindgen(method, getter, js_name = retryAfter)]
    fn retry_after(this: &Outcome) -> Option<String>;

    #[wasm_bindgen(method, getter, js_name = requestId)]
    fn request_id(this: &Outcome) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn text(this: &Outcome) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn cause(this: &Outcome) -> JsValue;
}

/// File content, the body of a request; by default none.
#[derive(Default)]
pub(crate) struct Content {
    pub(crate) body: JsValue,
    /// Bytes, where they have to be told (RFC 9110, 8.6).
    pub(crate) length: Option<f64>,
    /// Whether the body is a `Blob` that has to be looked for first.
    pub(crate) probes: bool,
}

/// How a request came to no answer.
pub(crate) enum NoAnswer {
    /// Whatever the transport failed with.
    Network(JsValue),
    /// It took longer than it may.
    Late(JsValue),
    /// Its caller aborted it, for that reason.
    Aborted(JsValue),
    /// It could not even be made.
    Refused(ReadError),
}

impl Connection {
    /// Sends a request with its credentials, once, for no longer than `timeout` milliseconds, nor than the signal allows;
    /// resolves to an [`Outcome`].
    pub(crate) fn send(
        &self,
        request: &Request,
        content: &Content,
        on_sent: &JsValue,
        timeout: Option<f64>,
        signal: Option<&Signal>,
    ) -> Promise {
        let Content { body, length, probes } = content;
        self.js_send(
            signal,
            timeout,
            request.operation.method(),
            &request.target,
            request.json.as_deref(),
            request.digest.as_deref(),
            request.metadata.as_deref(),
            body,
            *length,
            *probes,
            on_sent,
        )
    }
}

impl Outcome {
    /// Returns the answer.
    ///
    /// # Errors
    /// There was none.
    pub(crate) fn answer(&self) -> Result<Response, NoAnswer> {
        let kind = Kind::ALL.get(self.kind() as usize).copied().unwrap_or(Kind::NoAnswer);
        let error = match kind {
            Kind::Answer => {
                return Ok(Response {
                    status: self.status(),
                    retry_after: self.retry_after(),
                    request_id: self.request_id(),
                    body: self.text().unwrap_or_default(),
                });
            }
            Kind::NoAnswer => return Err(NoAnswer::Network(self.cause())),
            Kind::Late => return Err(NoAnswer::Late(self.cause())),
            Kind::Aborted => return Err(NoAnswer::Aborted(self.cause())),
            Kind::Unsendable => UploadError::invalid_argument("body", "cannot be sent by this browser"),
            Kind::TokenFailed => UploadError::new(ErrorCode::Unauthorized, "The function of `apiKey` failed"),
            Kind::NoToken => {
                let takes =
                    "takes a function that returns a string of visible ASCII characters, as it is sent as a header";
                UploadError::invalid_argument("apiKey", takes)
            }
            Kind::Unreadable => match self.text() {
                Some(changed) => UploadError::new(ErrorCode::FileChanged, &changed),
                None => return Err(NoAnswer::Refused(ReadError::refused(self.cause()))),
            },
        };
        let cause = self.cause();
        Err(NoAnswer::Refused(ReadError { error, cause: (!cause.is_undefined()).then_some(cause) }))
    }
}

/// As `network.js` numbers them.
#[derive(Clone, Copy)]
enum Kind {
    Answer,
    NoAnswer,
    Late,
    Aborted,
    Unsendable,
    TokenFailed,
    NoToken,
    Unreadable,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Answer,
        Self::NoAnswer,
        Self::Late,
        Self::Aborted,
        Self::Unsendable,
        Self::TokenFailed,
        Self::NoToken,
        Self::Unreadable,
    ];
}
