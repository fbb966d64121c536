//! Requests by `fetch` (WHATWG Fetch).

use crate::connection::SendError;
#[cfg(feature = "stream")]
use crate::json::object;
use crate::sys::abort::Signal;
use crate::sys::global;
use gloo_net::http::{Headers, Method, RequestBuilder, Response as HttpResponse};
use js_sys::Promise;
use upload_session_engine::request::Response;
use upload_session_engine::wire::header;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
pub(crate) use web_sys::RequestCredentials as Credentials;
use web_sys::{Request, RequestRedirect, Url};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch, catch)]
    fn fetch(request: &Request, init: &JsValue) -> Result<Promise, JsValue>;
}

/// A request with everything that goes on the wire.
pub(crate) struct HttpRequest {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    /// Checked before: names are tokens, values are field-content.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<JsValue>,
    pub(crate) credentials: Option<Credentials>,
}

/// Sends a request and reads the whole answer.
///
/// Redirects are not followed: the API has none, and credentials and content must not go where a captive portal
/// points. Such an answer comes out with its status, or with 0 where the browser hides it.
///
/// # Errors
/// The browser cannot make such a request, or whatever `fetch` rejected with: there was no answer.
pub(crate) async fn send(request: HttpRequest, signal: &Signal) -> Result<Response, SendError> {
    let (request, init) = build(request, signal).map_err(SendError::Unsendable)?;
    answer(request, &init).await.map_err(SendError::NoAnswer)
}

fn build(request: HttpRequest, signal: &Signal) -> Result<(Request, JsValue), JsValue> {
    let headers = Headers::new();
    for (name, value) in &request.headers {
        headers.set(name, value);
    }
    let method = request.method.parse::<Method>().map_err(|_| js_sys::Error::new("unknown method"))?;
    let mut builder = RequestBuilder::new(&request.url)
        .method(method)
        .headers(headers)
        .redirect(RequestRedirect::Manual)
        .abort_signal(Some(signal.raw()));
    if let Some(credentials) = request.credentials {
        builder = builder.credentials(credentials);
    }
    let (own, apart) = split_body(request.body);
    let request = builder.body(own).map_err(|error| js_sys::Error::new(&error.to_string()))?;
    Ok((request.into(), apart))
}

/// Returns what a request is made with, and what `fetch` is given beside it.
#[cfg(not(feature = "stream"))]
fn split_body(body: Option<JsValue>) -> (JsValue, JsValue) {
    (body.unwrap_or_default(), JsValue::UNDEFINED)
}

/// Returns what a request is made with, and what `fetch` is given beside it: Workers copy the body of a `Request`, and keep
/// the copy until both are collected as garbage. A stream is sent while it is read (WHATWG Fetch, 5.4: `duplex`).
#[cfg(feature = "stream")]
fn split_body(body: Option<JsValue>) -> (JsValue, JsValue) {
    let init = body.map(|body| object(&[("body", body), ("duplex", "half".into())]));
    (JsValue::UNDEFINED, init.unwrap_or_default())
}

async fn answer(request: Request, init: &JsValue) -> Result<Response, JsValue> {
    // gloo-net's own send panics where a patched fetch rejects with something that is no Error.
    let raw = JsFuture::from(fetch(&request, init)?).await?.dyn_into::<web_sys::Response>()?;
    let text = JsFuture::from(raw.text()?).await?;
    let response = HttpResponse::from(raw);
    Ok(Response {
        status: response.status(),
        retry_after: response.headers().get(header::RETRY_AFTER),
        request_id: response.headers().get(header::REQUEST_ID),
        body: text.as_string().unwrap_or_default(),
    })
}

/// Resolves a server's address against the page's; returns it without a slash at its end.
/// None where it is neither an http(s) address nor a path from the page's root, or has credentials, a query or a fragment.
pub(crate) fn resolve_server(address: &str) -> Option<String> {
    // A host without a scheme would be taken for a path of the page, and the token go to the page's own server.
    let begins = |prefix: &str| address.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
    if !(begins("http://") || begins("https://") || begins("/") && !begins("//")) {
        return None;
    }
    let page = global::field(&global::get("location"), "href").as_string();
    let url = match page.filter(|page| page.starts_with("http")) {
        Some(page) => Url::new_with_base(address, &page),
        None => Url::new(address),
    };
    let url = url.ok()?;
    // An empty query or fragment leaves nothing but its mark.
    let plain = matches!(url.protocol().as_str(), "http:" | "https:")
        && [url.username(), url.password()].iter().all(String::is_empty)
        && !address.contains(['?', '#']);
    plain.then(|| format!("{}{}", url.origin(), url.pathname().trim_end_matches('/')))
}

/// Tells whether this is Chromium, by its client hints (W3C UA-CH); no other engine has them.
pub(crate) fn is_chromium() -> bool {
    let brands = global::field(&global::navigator("userAgentData"), "brands");
    let is_chromium = |brand: JsValue| global::field(&brand, "brand").as_string().as_deref() == Some("Chromium");
    js_sys::Array::is_array(&brands) && js_sys::Array::from(&brands).iter().any(is_chromium)
}
