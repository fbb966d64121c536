//! Requests by `XMLHttpRequest` (WHATWG XHR), which tells, as `fetch` does not, how much of a body is on its way.

use js_sys::{Promise, TypeError};
use upload_session_engine::request::Response;
use upload_session_engine::wire::header;
use wasm_bindgen::prelude::*;
use web_sys::RequestCredentials;

use crate::connection::SendError;
use crate::sys::abort::Signal;
use crate::sys::event::Listener;
use crate::sys::fetch::HttpRequest;
use crate::sys::global::{self, field};

#[wasm_bindgen]
extern "C" {
    type XMLHttpRequest;

    #[wasm_bindgen(constructor, catch)]
    fn new() -> Result<XMLHttpRequest, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn open(this: &XMLHttpRequest, method: &str, url: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = setRequestHeader)]
    fn set_header(this: &XMLHttpRequest, name: &str, value: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, setter, catch, js_name = withCredentials)]
    fn set_with_credentials(this: &XMLHttpRequest, with: bool) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn send(this: &XMLHttpRequest, body: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = getAllResponseHeaders)]
    fn headers(this: &XMLHttpRequest) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn abort(this: &XMLHttpRequest) -> Result<(), JsValue>;
}

/// Tells whether this runtime has it: windows and dedicated workers do, service workers and servers do not.
pub(crate) fn is_available() -> bool {
    global::get("XMLHttpRequest").is_function()
}

/// Sends a request, tells with `on_sent` how many bytes of its body are on their way so far, and reads the whole answer.
///
/// Unlike `fetch` it cannot be kept from following redirects; an answer from elsewhere than it was asked for comes out
/// with status 0, as the browser would hide it from `fetch`.
///
/// # Errors
/// The browser cannot make such a request, or there was no answer.
pub(crate) async fn send(
    request: HttpRequest,
    signal: &Signal,
    on_sent: impl Fn(u64) + 'static,
) -> Result<Response, SendError> {
    if signal.is_aborted() {
        return Err(SendError::NoAnswer(signal.reason()));
    }
    let exchange = Exchange::open(&request, on_sent).map_err(SendError::Unsendable)?;
    exchange.xhr.send(&request.body.unwrap_or_default()).map_err(SendError::Unsendable)?;
    if signal.unless_aborted(&exchange.ended).await.is_none() {
        return Err(SendError::NoAnswer(signal.reason()));
    }
    exchange.answer(&request.url).ok_or_else(|| SendError::NoAnswer(TypeError::new("XMLHttpRequest failed").into()))
}

/// A request on its way; dropping it cancels.
struct Exchange {
    xhr: XMLHttpRequest,
    ended: Promise,
    _listeners: [Listener; 2],
}

impl Exchange {
    fn open(request: &HttpRequest, on_sent: impl Fn(u64) + 'static) -> Result<Self, JsValue> {
        let xhr = XMLHttpRequest::new()?;
        xhr.open(request.method, &request.url)?;
        for (index, (name, value)) in request.headers.iter().enumerate() {
            // It would join both values of a name where fetch takes the last.
            if !request.headers[index + 1..].iter().any(|(later, _)| later == name) {
                xhr.set_header(name, value)?;
            }
        }
        xhr.set_with_credentials(request.credentials == Some(RequestCredentials::Include))?;
        let sent = Listener::new(&field(&xhr, "upload"), "progress", move |event| {
            on_sent(field(&event, "loaded").as_f64().unwrap_or_default() as u64);
        })?;
        let mut end = None;
        let ended = Promise::new(&mut |resolve, _| {
            end = Some(Listener::new(&xhr, "loadend", move |_| {
                // A promise's own resolve function does not throw.
                let _ = resolve.call0(&JsValue::UNDEFINED);
            }));
        });
        let end = end.unwrap_or(Err(JsValue::UNDEFINED))?;
        Ok(Self { xhr, ended, _listeners: [sent, end] })
    }

    /// Returns the answer; none where there was none.
    fn answer(&self, url: &str) -> Option<Response> {
        let status = field(&self.xhr, "status").as_f64().unwrap_or_default() as u16;
        if status == 0 {
            return None;
        }
        if field(&self.xhr, "responseURL").as_string().is_some_and(|from| !from.is_empty() && from != url) {
            return Some(Response::default());
        }
        // Asking for a header that the server does not expose would write an error to the console.
        let headers = self.xhr.headers().ok().and_then(|headers| headers.as_string()).unwrap_or_default();
        let header = |name| {
            let mut lines = headers.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
        };
        Some(Response {
            status,
            retry_after: header(header::RETRY_AFTER),
            request_id: header(header::REQUEST_ID),
            body: field(&self.xhr, "responseText").as_string().unwrap_or_default(),
        })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // Where it has ended this does nothing.
        let _ = self.xhr.abort();
    }
}
