//! Events of an upload, and the listeners they go to.

use alloc::string::String;

use upload_session_engine::output::Event;
use upload_session_engine::progress::Progress;
use wasm_bindgen::prelude::*;

use crate::error;
use crate::sys::timer;

#[wasm_bindgen(module = "/src/values.js")]
extern "C" {
    /// The listeners of one session.
    #[derive(Clone)]
    pub(crate) type Listeners;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Listeners;

    /// Adds a listener; returns the function that takes it off.
    ///
    /// # Errors
    /// An `UploadError`, `invalid_argument`, where there is no such event, or the listener is no function.
    #[wasm_bindgen(method, catch)]
    pub(crate) fn on(this: &Listeners, event: &JsValue, listener: &JsValue) -> Result<JsValue, JsValue>;

    /// Tells whether anybody listens to an event, as `values.js` numbers them.
    #[wasm_bindgen(method)]
    fn wants(this: &Listeners, event: u32) -> bool;

    #[wasm_bindgen(method, js_name = tell)]
    fn tell_detail(this: &Listeners, event: &str, detail: &JsValue);

    #[wasm_bindgen(method)]
    fn state(this: &Listeners, state: &str);

    #[wasm_bindgen(method)]
    fn session(this: &Listeners, id: &str, part_size: f64, parallel: bool, resumed: bool, expires_at: Option<String>);

    #[wasm_bindgen(method)]
    fn part(this: &Listeners, part: u32, start: f64, end: f64, state: &str, attempt: u32);

    #[wasm_bindgen(method)]
    fn retry(this: &Listeners, operation: &str, part: Option<u32>, attempt: u32, delay: f64, error: &JsValue);

    #[wasm_bindgen(method)]
    pub(crate) fn warning(this: &Listeners, code: &str, message: &str);

    #[wasm_bindgen(js_name = progress)]
    fn js_progress(
        total: f64,
        confirmed: f64,
        sent: f64,
        hashed: f64,
        bytes_per_second: f64,
        seconds_remaining: Option<f64>,
        parts: u32,
        done: u32,
        in_flight: u32,
    ) -> JsValue;
}

impl Listeners {
    /// Tells the listeners of an event.
    pub(crate) fn tell(&self, event: Event) {
        let number = match event {
            Event::State(_) => 0,
            Event::Session { .. } => 1,
            Event::Progress(_) => 2,
            Event::Part { .. } => 3,
            Event::Retry { .. } => 4,
            Event::Warning { .. } => 5,
        };
        // Most are for nobody.
        if !self.wants(number) {
            return;
        }
        match event {
            Event::State(state) => self.state(state.as_str()),
            Event::Session { id, part_size, parallel, resumed, expires_at } => {
                self.session(&id, part_size as f64, parallel, resumed, expires_at);
            }
            Event::Progress(progress) => self.tell_detail("progress", &self::progress(&progress)),
            Event::Part { part, range, state, attempt } => {
                self.part(part, range.start as f64, range.end as f64, state.as_str(), attempt);
            }
            Event::Retry { operation, part, attempt, delay, error } => {
                self.retry(operation.as_str(), part, attempt, timer::millis(delay), &error::to_js(error));
            }
            Event::Warning { code, message } => self.warning(code, &message),
        }
    }
}

/// Makes the JS object of a progress.
pub(crate) fn progress(progress: &Progress) -> JsValue {
    js_progress(
        progress.total as f64,
        progress.confirmed as f64,
        progress.sent as f64,
        progress.hashed as f64,
        progress.bytes_per_second,
        progress.seconds_remaining,
        progress.parts_total,
        progress.parts_done,
        progress.parts_in_flight,
    )
}
