//! Locks that the tabs of one origin share: `navigator.locks` (W3C Web Locks API).

use wasm_bindgen::prelude::*;

use crate::sys::promise::Promise;

#[wasm_bindgen(module = "/src/platform.js")]
extern "C" {
    /// Takes a lock: resolves to what [`Lock::new`] takes.
    #[wasm_bindgen(js_name = takeLock)]
    pub(crate) fn take(name: &str) -> Promise;

    type Release;

    #[wasm_bindgen(method, structural)]
    fn call(this: &Release, this_arg: &JsValue);
}

/// A lock that is held until this is dropped, or the page goes.
pub(crate) struct Lock(Release);

impl Lock {
    /// Takes what [`take`] resolved to; none where another holds the lock.
    pub(crate) fn new(taken: JsValue) -> Option<Self> {
        (!taken.is_undefined()).then(|| Self(taken.unchecked_into()))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.call(&JsValue::UNDEFINED);
    }
}
