//! `AbortController` and `AbortSignal` (WHATWG DOM, 3).

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal};

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
            listener = Some(self.on_abort(move || {
                // A promise's own resolve function does not throw.
                let _ = resolve.call0(&JsValue::UNDEFINED);
            }));
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
    pub(crate) fn on_abort(&self, listener: impl FnOnce() + 'static) -> AbortListener {
        let mut listener = Some(listener);
        let closure = Closure::<dyn FnMut()>::new(move || {
            if let Some(listener) = listener.take() {
                listener();
            }
        });
        let function: &Function = closure.as_ref().unchecked_ref();
        // Adding a listener fails for no arguments of these types.
        let _ = self.0.add_event_listener_with_callback("abort", function);
        AbortListener { signal: self.0.clone(), closure }
    }
}

/// Takes the listener off the signal when it is dropped.
pub(crate) struct AbortListener {
    signal: AbortSignal,
    closure: Closure<dyn FnMut()>,
}

impl Drop for AbortListener {
    fn drop(&mut self) {
        let function: &Function = self.closure.as_ref().unchecked_ref();
        let _ = self.signal.remove_event_listener_with_callback("abort", function);
    }
}
