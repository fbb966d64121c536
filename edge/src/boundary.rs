//! The module's exports: the policy as JavaScript sees it, and nothing that decides.

use std::time::Duration;

use js_sys::JSON;
use upload_session_engine::request::Response;
use wasm_bindgen::prelude::*;

use crate::exchange;
use crate::failure::Failure;
use crate::policy;
use crate::url::Url;

/// The policy of one proxy.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Policy(policy::Policy);

#[wasm_bindgen]
impl Policy {
    /// Reads the options of a proxy, as JSON.
    ///
    /// # Errors
    /// An `Error` that names the option; never its value.
    #[wasm_bindgen(constructor)]
    pub fn new(json: &str) -> Result<Self, JsError> {
        Ok(Self(policy::Policy::new(json, parse)?))
    }

    /// Returns the last step of an exchange that has no policy, as JSON: the options were refused.
    pub fn misconfigured() -> String {
        Failure::Misconfigured.to_step().to_json()
    }

    /// Begins the exchange of a request; `headers` are names and values by turns.
    pub fn receive(&self, method: &str, url: &str, headers: Vec<String>) -> Exchange {
        // What is no URL has no path, and so finds no route.
        Exchange(self.0.receive(method, &parse(url).unwrap_or_default(), headers))
    }
}

/// One request on its way through the proxy.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Exchange(exchange::Exchange);

#[wasm_bindgen]
impl Exchange {
    /// Says what is to be done next, as an object.
    ///
    /// # Errors
    /// None: what goes through `JSON.parse` was written as JSON.
    pub fn step(&self) -> Result<JsValue, JsValue> {
        JSON::parse(&self.0.step().to_json())
    }

    /// `authorize` gave a grant, as JSON, or undefined.
    pub fn granted(&mut self, grant: Option<String>, now: f64) {
        self.0.granted(grant.as_deref(), since_1970(now));
    }

    /// The request's body was read.
    pub fn read(&mut self, text: &str) {
        self.0.read(text);
    }

    /// The API answered.
    pub fn answered(
        &mut self,
        status: u16,
        retry_after: Option<String>,
        request_id: Option<String>,
        body: String,
        now: f64,
    ) {
        self.0.answered(&Response { status, retry_after, request_id, body }, since_1970(now));
    }

    /// A step could not be done; `kind` says why.
    pub fn failed(&mut self, kind: &str) {
        self.0.failed(Failure::from_name(kind));
    }
}

/// Takes milliseconds as `Date.now()` gives them; what is no time is past every expiry.
fn since_1970(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(Duration::MAX)
}

fn parse(text: &str) -> Option<Url> {
    let url = web_sys::Url::new(text).ok()?;
    Some(Url {
        origin: url.origin(),
        pathname: url.pathname(),
        search: url.search(),
        has_credentials: !(url.username().is_empty() && url.password().is_empty()),
    })
}
