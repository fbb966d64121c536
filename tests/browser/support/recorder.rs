//! Keeps the API requests that the page makes and lets them pass: the emulator tells neither headers nor JSON bodies.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Request;

use super::js::{settle, text};

#[wasm_bindgen(module = "/tests/browser/support/stand_ins.js")]
extern "C" {
    type FetchRecorder;
    #[wasm_bindgen(constructor)]
    fn new() -> FetchRecorder;
    #[wasm_bindgen(method)]
    fn last(this: &FetchRecorder) -> Recorded;
    #[wasm_bindgen(method, getter)]
    fn length(this: &FetchRecorder) -> u32;
    #[wasm_bindgen(method)]
    fn count(this: &FetchRecorder, method: &str) -> u32;
    #[wasm_bindgen(method)]
    fn restore(this: &FetchRecorder);

    type Recorded;
    #[wasm_bindgen(method, getter)]
    fn request(this: &Recorded) -> Request;
    #[wasm_bindgen(method, getter)]
    fn body(this: &Recorded) -> Promise;
}

/// Records until it is dropped.
pub(crate) struct Recorder(FetchRecorder);

impl Recorder {
    pub(crate) fn new() -> Self {
        Self(FetchRecorder::new())
    }

    /// Tells whether nothing was sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.length() == 0
    }

    /// Returns how many requests had that method.
    pub(crate) fn count(&self, method: &str) -> u32 {
        self.0.count(method)
    }

    /// Returns the last request.
    pub(crate) async fn last(&self) -> Sent {
        let last = self.0.last();
        let body = settle(last.body()).await.unwrap();
        Sent { request: last.request(), body: body.as_string().unwrap() }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.0.restore();
    }
}

/// One request.
pub(crate) struct Sent {
    request: Request,
    /// Its JSON; empty where it had none.
    pub(crate) body: String,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).unwrap()
    }

    /// Returns a field of the request, e.g. its mode of credentials.
    pub(crate) fn text(&self, field: &str) -> String {
        text(&self.request, field).unwrap()
    }
}
