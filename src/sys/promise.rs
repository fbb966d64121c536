//! Promises: one function that goes on with what they come to, for all of the module.

use alloc::boxed::Box;

#[cfg(feature = "std")]
pub(crate) use js_sys::Promise;
use wasm_bindgen::prelude::*;

// js-sys exports an executor of its own from every module that it is linked into.
#[cfg(not(feature = "std"))]
#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    pub type Promise;

    #[wasm_bindgen(static_method_of = Promise)]
    fn resolve(value: &JsValue) -> Promise;

    #[wasm_bindgen(static_method_of = Promise)]
    fn reject(error: &JsValue) -> Promise;
}

#[wasm_bindgen(module = "/src/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = chain)]
    fn js_chain(promise: &Promise, next: &JsValue) -> Promise;

    /// A promise that is settled from without.
    pub(crate) type Deferred;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Deferred;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn promise(this: &Deferred) -> Promise;

    #[wasm_bindgen(method)]
    pub(crate) fn resolve(this: &Deferred, value: &JsValue);

    #[wasm_bindgen(method)]
    pub(crate) fn reject(this: &Deferred, error: &JsValue);
}

/// What a promise came to.
pub(crate) type Settled = Result<JsValue, JsValue>;

/// Goes on with what a promise comes to; the promise that it returns is settled as `next` says.
pub(crate) fn chain(promise: &Promise, next: impl FnOnce(Settled) -> Settled + 'static) -> Promise {
    chain_boxed(promise, Box::new(next))
}

/// As [`chain`], where nothing comes of it.
pub(crate) fn then(promise: &Promise, next: impl FnOnce(Settled) + 'static) {
    let _ = chain(promise, move |settled| {
        next(settled);
        Ok(JsValue::UNDEFINED)
    });
}

// Made once, whatever goes on.
fn chain_boxed(promise: &Promise, next: Box<dyn FnOnce(Settled) -> Settled>) -> Promise {
    let once = move |is_fulfilled: bool, value: JsValue| next(if is_fulfilled { Ok(value) } else { Err(value) });
    js_chain(promise, &Closure::once_into_js(once))
}

/// Makes a promise that is settled already.
pub(crate) fn settled(value: Settled) -> Promise {
    match value {
        Ok(value) => Promise::resolve(&value),
        Err(error) => Promise::reject(&error),
    }
}
