//! Clocks and timers: `performance.now()`, `Date.now()`, `setTimeout`.

use std::cell::Cell;
use std::rc::Rc;
use upload_session_engine::clock::Duration;

use gloo_timers::callback::Timeout;
use js_sys::{Array, Date, Promise};
use upload_session_engine::clock::{Instant, Now};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::sys::abort::Signal;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    type Scheduler;

    /// `scheduler.yield()` goes on before other tasks of the page, and without the 4 ms that nested timers are held
    /// back (WICG Prioritized Task Scheduling); not every browser has it.
    #[wasm_bindgen(method, js_name = yield, catch)]
    fn yield_now(this: &Scheduler) -> Result<Promise, JsValue>;

    #[wasm_bindgen(thread_local_v2, js_namespace = globalThis, js_name = scheduler)]
    static SCHEDULER: Option<Scheduler>;
}

/// Lets the event loop run where the page has been kept busy for a while: the end of a chunk is no end of a task, as
/// chunks that are queued already come as microtasks.
pub(crate) struct Breather {
    since: Instant,
}

impl Breather {
    /// Longest stretch of work without a pause: a frame.
    const STRETCH: Duration = Duration::from_millis(12);

    pub(crate) fn new() -> Self {
        Self { since: now().instant }
    }

    pub(crate) async fn breathe(&mut self) {
        if now().instant.since(self.since) < Self::STRETCH {
            return;
        }
        match SCHEDULER.with(|scheduler| scheduler.as_ref().and_then(|scheduler| scheduler.yield_now().ok())) {
            // It never rejects without a signal.
            Some(promise) => drop(JsFuture::from(promise).await),
            None => sleep(Duration::ZERO, None).await,
        }
        self.since = now().instant;
    }
}

/// Reads both clocks.
pub(crate) fn now() -> Now {
    Now { instant: Instant::from_origin(from_millis(performance_now())), unix: from_millis(Date::now()) }
}

/// Reads a date as the browser does; none where it is none, or lies before 1970.
pub(crate) fn read_date(text: &str) -> Option<Duration> {
    Some(Date::parse(text)).filter(|millis| *millis >= 0.0).map(from_millis)
}

/// Calls back at `at`, or at once where that has passed; dropping the handle cancels.
pub(crate) fn at(at: Instant, callback: impl FnOnce() + 'static) -> Timeout {
    after(at.since(now().instant), callback)
}

/// Calls back after `delay`; dropping the handle cancels.
pub(crate) fn after(delay: Duration, callback: impl FnOnce() + 'static) -> Timeout {
    // setTimeout takes 31 bits (WHATWG HTML, 8.6). Rounded up: a timer that fires early only fires again.
    let millis = delay.as_millis_f64().min(f64::from(i32::MAX)).ceil() as u32;
    Timeout::new(millis, callback)
}

/// Waits until `delay` has passed or the signal is aborted.
pub(crate) async fn sleep(delay: Duration, signal: Option<&Signal>) {
    if signal.is_some_and(Signal::is_aborted) {
        return;
    }
    let mut handles = None;
    let promise = Promise::new(&mut |resolve, _| {
        let wake = move || {
            // A promise's own resolve function does not throw.
            let _ = resolve.call0(&JsValue::UNDEFINED);
        };
        let listener = signal.and_then(|signal| signal.on_abort(wake.clone()));
        handles = Some((after(delay, wake), listener));
    });
    // It never rejects.
    let _ = JsFuture::from(promise).await;
    drop(handles);
}

/// Waits for what a function of the page returned, be it a promise or not; none where that takes longer than `limit`.
pub(crate) async fn within(limit: Duration, value: &JsValue) -> Option<Result<JsValue, JsValue>> {
    let is_late = Rc::new(Cell::new(false));
    let mut timeout = None;
    let late = Promise::new(&mut |resolve, _| {
        let is_late = Rc::clone(&is_late);
        timeout = Some(after(limit, move || {
            is_late.set(true);
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }));
    });
    // A race, unlike Promise.resolve, never throws, whatever the value.
    let settled = JsFuture::from(Promise::race(&Array::of2(value, &late))).await;
    drop(timeout);
    (!is_late.get()).then_some(settled)
}

fn from_millis(millis: f64) -> Duration {
    Duration::from_millis_f64(millis)
}
