//! Where requests go, who they act for, and the token they carry.

use std::cell::RefCell;

use js_sys::{Function, Object, Promise};
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::request::{Request, Response};
use upload_session_engine::retry::RetryPolicy;
use upload_session_engine::wire::header;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use crate::error::ReadError;
use crate::fields::check_header_value;
use crate::sys::fetch::{self, Credentials, FetchRequest};

/// Tokens shorter than this are not looked for in answers: they would match by chance.
const SHORTEST_SECRET: usize = 8;

/// Everything about requests that does not change from one to the next.
pub(crate) struct Connection {
    pub(crate) server: String,
    pub(crate) token: TokenSource,
    /// Headers of every request, those of the caller's identity among them.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) credentials: Credentials,
    pub(crate) retry: RetryPolicy,
}

/// What one call changes of its connection.
#[derive(Default)]
pub(crate) struct Overrides {
    pub(crate) server: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
}

/// Why there is no token.
pub(crate) type TokenError = ReadError;

/// Where the bearer token comes from.
pub(crate) enum TokenSource {
    /// None is sent: a proxy adds it.
    None,
    Fixed(String),
    Function(TokenFunction),
}

/// Asks the page for a token, once for all requests that want one at the same time.
pub(crate) struct TokenFunction {
    function: Function,
    /// The last call's promise: every request waits for the same one.
    last: RefCell<Option<Promise>>,
}

impl TokenFunction {
    pub(crate) fn new(function: Function) -> Self {
        Self { function, last: RefCell::default() }
    }

    fn promise(&self) -> Promise {
        if let Some(promise) = self.last.borrow().as_ref() {
            return promise.clone();
        }
        // The function is the page's own and may call back into the module: nothing is borrowed meanwhile.
        let promise = match self.function.call0(&JsValue::UNDEFINED) {
            Ok(value) => Promise::resolve(&value),
            Err(thrown) => Promise::reject(&thrown),
        };
        self.last.replace(Some(promise.clone()));
        promise
    }

    fn forget(&self, promise: &Promise) {
        let is_last = self.last.borrow().as_ref().is_some_and(|last| Object::is(last, promise));
        if is_last {
            self.last.replace(None);
        }
    }

    async fn token(&self) -> Result<String, TokenError> {
        let promise = self.promise();
        let refuse = |error: UploadError, cause: Option<JsValue>| {
            self.forget(&promise);
            TokenError { error, cause }
        };
        let value = JsFuture::from(promise.clone()).await.map_err(|thrown| {
            refuse(UploadError::new(ErrorCode::Unauthorized, "The function of `apiKey` failed"), Some(thrown))
        })?;
        let takes = || UploadError::invalid_argument("apiKey", "takes a function that returns a string");
        let token = value.as_string().ok_or_else(|| refuse(takes(), None))?;
        check_header_value("apiKey", &token).map_err(|error| refuse(error, None))?;
        Ok(token)
    }
}

impl TokenSource {
    pub(crate) fn can_refresh(&self) -> bool {
        matches!(self, Self::Function(_))
    }

    /// Names the token that a request is about to use (asking for it where there is none yet), to tell later whether
    /// it was replaced meanwhile.
    pub(crate) fn stamp(&self) -> Option<Promise> {
        match self {
            Self::Function(function) => Some(function.promise()),
            _ => None,
        }
    }

    /// Asks for a fresh token, unless the one named by `stamp` was replaced already.
    ///
    /// # Errors
    /// `unauthorized` where the function throws, `invalid_argument` where it returns no token.
    pub(crate) async fn refresh(&self, stamp: Option<&Promise>) -> Result<(), TokenError> {
        let Self::Function(function) = self else { return Ok(()) };
        if let Some(stamp) = stamp {
            function.forget(stamp);
        }
        function.token().await.map(drop)
    }

    async fn token(&self) -> Result<Option<String>, TokenError> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(token) => Ok(Some(token.clone())),
            Self::Function(function) => function.token().await.map(Some),
        }
    }
}

/// How a request came to nothing.
pub(crate) enum SendError {
    /// There is no token to send it with.
    Token(TokenError),
    /// There was no answer; whatever `fetch` rejected with.
    NoAnswer(JsValue),
}

impl Connection {
    /// Sends a request with its credentials, once.
    pub(crate) async fn send(
        &self,
        request: Request,
        body: Option<JsValue>,
        overrides: &Overrides,
        signal: &AbortSignal,
    ) -> Result<Response, SendError> {
        let token = self.token.token().await.map_err(SendError::Token)?;
        let server = overrides.server.as_ref().unwrap_or(&self.server);
        let mut headers = self.headers.clone();
        for (name, value) in &overrides.headers {
            headers.retain(|(known, _)| known != name);
            headers.push((name.clone(), value.clone()));
        }
        let mut set = |name: &str, value: String| headers.push((name.to_owned(), value));
        if let Some(token) = &token {
            set("authorization", format!("Bearer {token}"));
        }
        if let Some(digest) = request.digest {
            set(header::DIGEST, digest);
        }
        if let Some(metadata) = request.metadata {
            set(header::METADATA, metadata);
        }
        if body.is_some() {
            set("content-type", "application/octet-stream".to_owned());
        } else if request.json.is_some() {
            set("content-type", "application/json".to_owned());
        }
        let fetched = FetchRequest {
            method: request.operation.method(),
            url: format!("{server}{}", request.target),
            headers,
            body: body.or_else(|| request.json.map(JsValue::from)),
            credentials: self.credentials,
        };
        let mut response = fetch::send(fetched, signal).await.map_err(SendError::NoAnswer)?;
        if let Some(token) = token.filter(|token| token.len() >= SHORTEST_SECRET) {
            // A server that echoes what it was sent must not carry the secret into an error.
            for text in [Some(&mut response.body), response.request_id.as_mut()].into_iter().flatten() {
                *text = text.replace(&token, "[redacted]");
            }
        }
        Ok(response)
    }
}
