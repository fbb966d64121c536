//! Puts something else in the place of what the platform has.

use wasm_bindgen::prelude::*;

use super::js::eval;

#[wasm_bindgen(module = "/tests/browser/support/stand_ins.js")]
extern "C" {
    type PropertyPatch;
    #[wasm_bindgen(constructor)]
    fn new(object: &JsValue, key: &str, value: &JsValue) -> PropertyPatch;
    #[wasm_bindgen(method)]
    fn restore(this: &PropertyPatch);
}

/// Lasts until it is dropped.
pub(crate) struct Patch(PropertyPatch);

impl Patch {
    /// Replaces a property of what the expression gives, e.g. `navigator`.
    pub(crate) fn new(object: &str, key: &str, value: &JsValue) -> Self {
        Self(PropertyPatch::new(&eval(object), key, value))
    }
}

impl Drop for Patch {
    fn drop(&mut self) {
        self.0.restore();
    }
}
