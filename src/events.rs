//! Events of an upload as JavaScript objects, and the listeners they go to.

use std::cell::RefCell;

use js_sys::Function;
use upload_session_engine::error::UploadError;
use upload_session_engine::output::Event;
use upload_session_engine::progress::Progress;
use wasm_bindgen::prelude::*;

use crate::error;
use crate::json::object;

const NAMES: [&str; 6] = ["state", "session", "progress", "part", "retry", "warning"];

/// The listeners of one session.
#[derive(Default)]
pub(crate) struct Listeners {
    entries: RefCell<Vec<Listener>>,
    last_id: RefCell<u32>,
}

#[derive(Clone)]
struct Listener {
    id: u32,
    event: &'static str,
    function: Function,
}

impl Listeners {
    /// Adds a listener; returns what removes it.
    ///
    /// # Errors
    /// `invalid_argument` where there is no such event, or the listener is no function.
    pub(crate) fn add(&self, event: &JsValue, listener: &JsValue) -> Result<u32, UploadError> {
        let wanted = event.as_string();
        let Some(event) = NAMES.into_iter().find(|name| wanted.as_deref() == Some(name)) else {
            return Err(UploadError::invalid_argument("event", &["takes one of ", &NAMES.join(", ")].concat()));
        };
        let Some(function) = listener.dyn_ref::<Function>().cloned() else {
            return Err(UploadError::invalid_argument("listener", "takes a function"));
        };
        let mut last_id = self.last_id.borrow_mut();
        *last_id = last_id.wrapping_add(1);
        self.entries.borrow_mut().push(Listener { id: *last_id, event, function });
        Ok(*last_id)
    }

    pub(crate) fn remove(&self, id: u32) {
        self.entries.borrow_mut().retain(|entry| entry.id != id);
    }

    pub(crate) fn tell(&self, event: Event) {
        let name = name(&event);
        // Taken out first: a listener may add and remove listeners.
        let entries: Vec<_> = self.entries.borrow().iter().filter(|entry| entry.event == name).cloned().collect();
        if entries.is_empty() {
            return;
        }
        let detail = detail(event);
        for entry in entries {
            // An earlier listener may just have taken it off.
            if !self.entries.borrow().iter().any(|known| known.id == entry.id) {
                continue;
            }
            if let Err(thrown) = entry.function.call1(&JsValue::UNDEFINED, &detail) {
                let message = format!("upload-session: a listener of \"{name}\" threw");
                web_sys::console::error_2(&message.into(), &thrown);
            }
        }
    }
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::State(_) => "state",
        Event::Session { .. } => "session",
        Event::Progress(_) => "progress",
        Event::Part { .. } => "part",
        Event::Retry { .. } => "retry",
        Event::Warning { .. } => "warning",
    }
}

fn detail(event: Event) -> JsValue {
    match event {
        Event::State(state) => object(&[("state", state.as_str().into())]),
        Event::Session { id, part_size, parallel, resumed, expires_at } => object(&[
            ("id", id.into()),
            ("partSize", number(part_size)),
            ("parallel", parallel.into()),
            ("resumed", resumed.into()),
            ("expiresAt", expires_at.map_or(JsValue::NULL, JsValue::from)),
        ]),
        Event::Progress(progress) => self::progress(&progress),
        Event::Part { part, range, state, attempt } => object(&[
            ("partNumber", part.into()),
            ("start", number(range.start)),
            ("end", number(range.end)),
            ("state", state.as_str().into()),
            ("attempt", attempt.into()),
        ]),
        Event::Retry { operation, part, attempt, delay, error } => object(&[
            ("operation", operation.as_str().into()),
            ("partNumber", part.map_or(JsValue::UNDEFINED, JsValue::from)),
            ("attempt", attempt.into()),
            ("delay", (delay.as_secs_f64() * 1000.0).into()),
            ("error", error::to_js(error)),
        ]),
        Event::Warning { code, message } => object(&[("code", code.into()), ("message", message.into())]),
    }
}

/// Makes the JS object of a progress.
pub(crate) fn progress(progress: &Progress) -> JsValue {
    let parts = object(&[
        ("total", progress.parts_total.into()),
        ("done", progress.parts_done.into()),
        ("inFlight", progress.parts_in_flight.into()),
    ]);
    object(&[
        ("total", number(progress.total)),
        ("confirmed", number(progress.confirmed)),
        ("sent", number(progress.sent)),
        ("hashed", number(progress.hashed)),
        ("bytesPerSecond", progress.bytes_per_second.into()),
        ("secondsRemaining", progress.seconds_remaining.map_or(JsValue::NULL, JsValue::from)),
        ("parts", parts),
    ])
}

fn number(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}
