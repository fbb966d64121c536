//! Where requests go, who they act for, and the token they carry.

use std::cell::RefCell;

use js_sys::{Function, Object, Promise};
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::request::{Request, Response};
use upload_session_engine::retry::RetryPolicy;
use upload_session_engine::wire::header;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::error::ReadError;
use crate::fields::check_header_value;
use crate::secrets::redact;
use crate::sys::abort::Signal;
use crate::sys::fetch::{self, Credentials, HttpRequest};
#[cfg(feature = "page")]
use crate::sys::xhr;

/// Headers whose values are no secret.
const OPEN_HEADERS: [&str; 2] = ["content-type", header::DIGEST];

/// Everything about requests that does not change from one to the next.
pub(crate) struct Connection {
    pub(crate) server: String,
    pub(crate) token: TokenSource,
    /// Headers of every request, those of the caller's identity among them.
    pub(crate) headers: Vec<(String, String)>,
    /// What fetch does by itself ("same-origin") where nothing is said: runtimes without credentials refuse the word.
    pub(crate) credentials: Option<Credentials>,
    /// How file content is sent; all else goes by fetch.
    pub(crate) transport: Transport,
    pub(crate) retry: RetryPolicy,
}

/// By what a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Fetch,
    #[cfg(feature = "page")]
    Xhr,
}

/// File content, the body of a request.
pub(crate) struct Content {
    pub(crate) body: JsValue,
    /// Bytes, where they have to be told (RFC 9110, 8.6).
    pub(crate) length: Option<u64>,
    /// Is told how many bytes are on their way so far, where the transport knows.
    pub(crate) on_sent: Box<dyn Fn(u64)>,
}

/// What one call changes of its connection.
#[derive(Default)]
pub(crate) struct Overrides {
    pub(crate) server: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
}

/// Refuses a second authorization beside `apiKey`.
///
/// # Errors
/// `invalid_argument`, naming the field.
pub(crate) fn refuse_authorization(headers: &[(String, String)]) -> Result<(), UploadError> {
    match headers.iter().any(|(name, _)| name == "authorization") {
        true => Err(UploadError::invalid_argument("headers", "takes no authorization beside `apiKey`")),
        false => Ok(()),
    }
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

    /// Waits for the token, but no longer than anyone waits for the request.
    async fn token(&self, signal: &Signal) -> Result<String, SendError> {
        let promise = self.promise();
        match signal.unless_aborted(&promise).await {
            Some(settled) => self.check(&promise, settled).map_err(SendError::Token),
            None => {
                // It may never settle: the next request asks anew.
                self.forget(&promise);
                Err(SendError::NoAnswer(signal.reason()))
            }
        }
    }

    /// Asks for another token than the one in use.
    async fn refresh(&self) -> Result<(), TokenError> {
        self.last.replace(None);
        let promise = self.promise();
        let settled = JsFuture::from(promise.clone()).await;
        self.check(&promise, settled).map(drop)
    }

    /// Takes what a call of the function came to; what is no token is forgotten.
    fn check(&self, promise: &Promise, settled: Result<JsValue, JsValue>) -> Result<String, TokenError> {
        let refuse = |error: UploadError, cause: Option<JsValue>| {
            self.forget(promise);
            TokenError { error, cause }
        };
        let value = settled.map_err(|thrown| {
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

    /// Has the next request ask for a fresh token, unless the one named by `stamp` was replaced already.
    pub(crate) fn expire(&self, stamp: Option<&Promise>) {
        if let (Self::Function(function), Some(stamp)) = (self, stamp) {
            function.forget(stamp);
        }
    }

    /// Asks for a fresh token now.
    ///
    /// # Errors
    /// `unauthorized` where the function throws, `invalid_argument` where it returns no token.
    pub(crate) async fn refresh(&self) -> Result<(), TokenError> {
        match self {
            Self::Function(function) => function.refresh().await,
            _ => Ok(()),
        }
    }

    async fn token(&self, signal: &Signal) -> Result<Option<String>, SendError> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(token) => Ok(Some(token.clone())),
            Self::Function(function) => function.token(signal).await.map(Some),
        }
    }
}

/// How a request came to nothing.
pub(crate) enum SendError {
    /// There is no token to send it with.
    Token(TokenError),
    /// The browser cannot even make such a request.
    Unsendable(JsValue),
    /// There was no answer; whatever the transport failed with.
    NoAnswer(JsValue),
}

/// Makes the error of a request that the browser refuses to make.
pub(crate) fn unsendable(cause: JsValue) -> ReadError {
    let error = UploadError::invalid_argument("body", "cannot be sent by this browser");
    ReadError { error, cause: Some(cause) }
}

impl Connection {
    /// Sends a request with its credentials, once.
    pub(crate) async fn send(
        &self,
        request: Request,
        content: Option<Content>,
        overrides: &Overrides,
        signal: &Signal,
    ) -> Result<Response, SendError> {
        let token = self.token.token(signal).await?;
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
        if let Some(content) = &content {
            set("content-type", "application/octet-stream".to_owned());
            if let Some(length) = content.length {
                set("content-length", length.to_string());
            }
        } else if request.json.is_some() {
            set("content-type", "application/json".to_owned());
        }
        let mut http = HttpRequest {
            method: request.operation.method(),
            url: format!("{server}{}", request.target),
            headers,
            body: request.json.map(JsValue::from),
            credentials: self.credentials,
        };
        let sent = http.headers.clone();
        let mut response = match content {
            Some(content) => {
                http.body = Some(content.body);
                match self.transport {
                    Transport::Fetch => fetch::send(http, signal).await?,
                    #[cfg(feature = "page")]
                    Transport::Xhr => xhr::send(http, signal, content.on_sent).await?,
                }
            }
            None => fetch::send(http, signal).await?,
        };
        let secrets = secrets(token.as_deref(), &sent, response.is_success());
        response.body = redact(response.body, &secrets);
        response.request_id = response.request_id.map(|id| redact(id, &secrets));
        Ok(response)
    }
}

/// Returns what must not come back in an answer: the token, and in an error what headers of the caller's own may hold.
/// In a success such a value (`accept: application/json`, say) may be the file's own as well, and stays.
fn secrets<'a>(token: Option<&'a str>, headers: &'a [(String, String)], success: bool) -> Vec<&'a str> {
    let is_own = |name: &str| !name.starts_with("x-apideck-") && !OPEN_HEADERS.contains(&name);
    let is_secret = |name: &str| name == "authorization" || (!success && is_own(name));
    let values = headers.iter().filter(|(name, _)| is_secret(name)).flat_map(|(_, value)| {
        // A scheme and its credentials (RFC 9110, 11.4): the credentials alone are as secret.
        [Some(value.as_str()), value.split_once(' ').map(|(_, credentials)| credentials)]
    });
    values.flatten().chain(token).collect()
}
