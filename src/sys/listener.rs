//! Events and their listeners (WHATWG DOM, 2), `AbortController` (3), and the network's coming and going (WHATWG HTML, 8.9).

use alloc::boxed::Box;

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Stops the operation that was handed its signal.
    #[wasm_bindgen(js_name = AbortController)]
    #[derive(Clone)]
    pub(crate) type Controller;

    #[wasm_bindgen(constructor, js_class = "AbortController")]
    pub(crate) fn new() -> Controller;

    #[wasm_bindgen(method, getter, js_class = "AbortController")]
    pub(crate) fn signal(this: &Controller) -> Signal;

    #[wasm_bindgen(method, js_class = "AbortController")]
    pub(crate) fn abort(this: &Controller);

    /// A signal: a caller's, checked to be one, or a controller's.
    #[wasm_bindgen(js_name = AbortSignal)]
    #[derive(Clone)]
    pub(crate) type Signal;

    #[wasm_bindgen(method, getter, js_class = "AbortSignal", js_name = aborted)]
    pub(crate) fn is_aborted(this: &Signal) -> bool;

    #[wasm_bindgen(method, getter, js_class = "AbortSignal")]
    pub(crate) fn reason(this: &Signal) -> JsValue;
}

#[wasm_bindgen(module = "/src/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = onAbort)]
    fn on_abort(signal: &Signal, callback: &JsValue) -> Stop;

    #[wasm_bindgen(js_name = onNetwork)]
    fn on_network(callback: &JsValue) -> Stop;

    /// Tells whether there may be a network; where the runtime does not know, there is.
    #[wasm_bindgen(js_name = isOnline)]
    pub(crate) fn is_online() -> bool;

    type Stop;

    #[wasm_bindgen(method, structural)]
    fn call(this: &Stop, this_arg: &JsValue);
}

/// What JavaScript calls back.
pub(crate) type Callback = Closure<dyn FnMut()>;

/// Makes a callback.
pub(crate) fn callback(run: impl FnMut() + 'static) -> Callback {
    Closure::wrap(Box::new(run))
}

/// Listens until it is dropped.
pub(crate) struct Listener {
    stop: Stop,
    _callback: Callback,
}

impl Listener {
    /// Calls back when the signal is aborted.
    pub(crate) fn of_abort(signal: &Signal, run: impl FnMut() + 'static) -> Self {
        let callback = callback(run);
        Self { stop: on_abort(signal, callback.as_ref()), _callback: callback }
    }

    /// Calls back whenever [`is_online`] may have changed; where the runtime tells of no changes, never.
    pub(crate) fn of_network(run: impl FnMut() + 'static) -> Self {
        let callback = callback(run);
        Self { stop: on_network(callback.as_ref()), _callback: callback }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.call(&JsValue::UNDEFINED);
    }
}
