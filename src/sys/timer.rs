//! Clocks and timers: `performance.now()`, `Date.now()`, `setTimeout`.

use upload_session_engine::clock::Duration;

use upload_session_engine::clock::{Instant, Now};
use wasm_bindgen::prelude::*;

use crate::sys::listener::{Callback, Signal};
use crate::sys::promise::Promise;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;

    #[wasm_bindgen(js_namespace = Date, js_name = parse)]
    fn date_parse(text: &str) -> f64;

    #[wasm_bindgen(js_namespace = Math)]
    fn random() -> f64;
}

#[wasm_bindgen(module = "/src/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = Timer)]
    type JsTimer;

    #[wasm_bindgen(constructor, js_class = Timer)]
    fn new() -> JsTimer;

    #[wasm_bindgen(method, js_class = Timer)]
    fn set(this: &JsTimer, callback: &JsValue, millis: f64);

    #[wasm_bindgen(method, js_class = Timer)]
    fn clear(this: &JsTimer);

    #[wasm_bindgen(js_name = sleep)]
    fn js_sleep(millis: f64, signal: Option<&Signal>) -> Promise;

    /// Waits for a promise; rejects where that takes longer.
    #[cfg(feature = "page")]
    pub(crate) fn within(millis: f64, promise: &Promise) -> Promise;

    /// Lets the event loop run.
    #[cfg(feature = "stream")]
    pub(crate) fn pause() -> Promise;
}

/// Calls back once, at the time that was set last, unless it is dropped before.
pub(crate) struct Timer {
    timer: JsTimer,
    callback: Callback,
}

impl Timer {
    pub(crate) fn new(callback: Callback) -> Self {
        Self { timer: JsTimer::new(), callback }
    }

    pub(crate) fn set(&self, delay: Duration) {
        self.timer.set(self.callback.as_ref(), millis(delay));
    }

    pub(crate) fn clear(&self) {
        self.timer.clear();
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Reads both clocks.
pub(crate) fn now() -> Now {
    Now { instant: Instant::from_origin(duration(performance_now())), unix: duration(date_now()) }
}

/// Reads a date as the browser does; none where it is none, or lies before 1970.
pub(crate) fn read_date(text: &str) -> Option<Duration> {
    Some(date_parse(text)).filter(|millis| *millis >= 0.0).map(duration)
}

/// Waits until `delay` has passed or the signal, where there is one, is aborted.
#[cfg(feature = "page")]
pub(crate) fn sleep(delay: Duration, signal: Option<&Signal>) -> Promise {
    js_sleep(millis(delay), signal)
}

/// Reads milliseconds, with fractions down to a microsecond; what is below 0, or no number, is 0.
pub(crate) fn duration(millis: f64) -> Duration {
    Duration::from_millis_f64(millis)
}

/// Returns the milliseconds of a duration.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_millis_f64()
}

/// Makes a seed for jitter: it has to differ between pages, and need not be secret.
pub(crate) fn random_seed() -> u64 {
    random().to_bits()
}

/// Lets the event loop run where it has been kept busy for a while: the end of a chunk is no end of a task, as chunks that
/// are queued already come as microtasks.
#[cfg(feature = "stream")]
pub(crate) struct Breather {
    since: Instant,
}

#[cfg(feature = "stream")]
impl Breather {
    /// Longest stretch of work without a pause: a frame.
    const STRETCH: Duration = Duration::from_millis(12);

    pub(crate) fn new() -> Self {
        Self { since: now().instant }
    }

    pub(crate) async fn breathe(&mut self) {
        if now().instant.since(self.since) >= Self::STRETCH {
            // It never rejects.
            let _ = wasm_bindgen_futures::JsFuture::from(pause()).await;
            self.since = now().instant;
        }
    }
}
