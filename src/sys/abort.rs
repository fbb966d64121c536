//! `AbortController` and `AbortSignal` (WHATWG DOM, 3).

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal};

use crate::sys::event::Listener;

/// Cancels the request it was handed to when it is told to or dropped.
pub(crate) struct AbortGuard(AbortController);

impl AbortGuard {
    /// # Errors
    /// The runtime has no `AbortController`.
    pub(crate) fn new() -> Result<Self, JsValue> {
        AbortController::new().map(Self)
    }

    pub(crate) fn signal(&self) -> Signal {
        Signal(self.0.signal())
    }

    pub(crate) fn abort(&self) {
        self.0.abort();
    }
}

impl Drop for AbortGuard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Tells a reader between two chunks that nobody waits for it any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flag(Rc<Cell<bool>>);

impl Flag {
    pub(crate) fn raise(&self) {
        self.0.set(true);
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.0.get()
    }
}

/// A signal: a caller's, checked to be one, or a guard's.
#[derive(Debug, Clone)]
pub(crate) struct Signal(AbortSignal);

impl Signal {
    pub(crate) fn from_js(value: &JsValue) -> Option<Self> {
        value.dyn_ref::<AbortSignal>().cloned().map(Self)
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.0.aborted()
    }

    pub(crate) fn reason(&self) -> JsValue {
        self.0.reason()
    }

    pub(crate) fn raw(&self) -> &AbortSignal {
        &self.0
    }

    /// Waits for a promise; none where the signal is aborted before.
    pub(crate) async fn unless_aborted(&self, promise: &Promise) -> Option<Result<JsValue, JsValue>> {
        let mut listener = None;
        let aborted = Promise::new(&mut |resolve, _| {
            listener = self.on_abort(move || {
                // A promise's own resolve function does not throw.
                let _ = resolve.call0(&JsValue::UNDEFINED);
            });
        });
        let settled = if self.is_aborted() {
            Ok(JsValue::UNDEFINED)
        } else {
            JsFuture::from(Promise::race(&Array::of2(promise, &aborted))).await
        };
        drop(listener);
        (!self.is_aborted()).then_some(settled)
    }

    /// Calls `listener` once when the signal is aborted, unless the handle is dropped before.
    pub(crate) fn on_abort(&self, listener: impl FnOnce() + 'static) -> Option<Listener> {
        let mut listener = Some(listener);
        let once = move |_| listener.take().into_iter().for_each(|listener| listener());
        // A signal takes listeners.
        Listener::new(&self.0, "abort", once).ok()
    }
}
