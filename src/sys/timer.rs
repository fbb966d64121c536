//! Clocks and timers: `performance.now()`, `Date.now()`, `setTimeout`.

use upload_session_engine::clock::Duration;

use upload_session_engine::clock::{Instant, Now};
use wasm_bindgen::prelude::*;

use crate::sys::listener::Signal;
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
    /// Calls back once, at the time that was set last.
    pub(crate) type Timer;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Timer;

    #[wasm_bindgen(method)]
    pub(crate) fn set(this: &Timer, callback: &JsValue, millis: f64);

    #[wasm_bindgen(method)]
    pub(crate) fn clear(this: &Timer);

    #[wasm_bindgen(js_name = sleep)]
    fn js_sleep(millis: f64, signal: Option<&Signal>) -> Promise;

    /// Waits for a promise; rejects where that takes longer.
    #[cfg(feature = "page")]
    pub(crate) fn within(millis: f64, promise: &Promise) -> Promise;

    /// Lets the event loop run.
    #[cfg(feature = "stream")]
    pub(crate) fn pause() -> Promise;
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
