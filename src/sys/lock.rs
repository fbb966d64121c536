//! Locks that the tabs of one origin share: `navigator.locks` (W3C Web Locks API).

use upload_session_engine::clock::Duration;

use js_sys::{Array, Function, Promise};
use wasm_bindgen::prelude::*;

use crate::json::object;
use crate::sys::{global, timer};

/// Longest wait for the browser's word on a lock.
const LIMIT: Duration = Duration::from_secs(5);

#[wasm_bindgen]
extern "C" {
    type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &JsValue,
        callback: &Closure<dyn FnMut(JsValue) -> JsValue>,
    ) -> Result<JsValue, JsValue>;
}

/// A lock that is held until this is dropped, or the page goes.
pub(crate) struct Lock(Option<Function>);

impl Lock {
    /// Takes a lock, unless another holds it: none then. Where the runtime has no locks, or will not give one, it is a
    /// lock in name only: nothing can be kept apart there.
    pub(crate) async fn take(name: &str) -> Option<Self> {
        let locks = global::navigator("locks");
        if locks.is_falsy() {
            return Some(Self(None));
        }
        let mut release = None;
        let held = Promise::new(&mut |resolve, _| release = Some(resolve));
        let lock = Self(release);
        let mut callback = None;
        let refused = Promise::new(&mut |resolve, _| {
            let held = held.clone();
            callback = Some(Closure::<dyn FnMut(JsValue) -> JsValue>::new(move |lock: JsValue| {
                // A promise's own functions do not throw.
                let _ = resolve.call1(&JsValue::UNDEFINED, &lock.is_null().into());
                if lock.is_null() { JsValue::UNDEFINED } else { held.clone().into() }
            }));
        });
        let options = object(&[("ifAvailable", true.into())]);
        let request = |callback| locks.unchecked_ref::<LockManager>().request(name, &options, callback);
        let Some(Ok(request)) = callback.as_ref().map(request) else { return Some(Self(None)) };
        // The request itself is settled first only where it is rejected, and the callback never called.
        let word = Promise::race(&Array::of2(&refused, &request));
        let is_refused = matches!(timer::within(LIMIT, &word).await, Some(Ok(refused)) if refused.is_truthy());
        (!is_refused).then_some(lock)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = &self.0 {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}
