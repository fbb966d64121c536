//! A caller's own store, which keeps what it is given and counts how often it is asked.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/tests/browser/support/stand_ins.js")]
extern "C" {
    /// An `UploadStore` in memory.
    pub(crate) type MemoryStore;
    /// Makes one that returns `found` for every key, where that is something.
    #[wasm_bindgen(constructor)]
    pub(crate) fn new(found: &JsValue) -> MemoryStore;
    /// Returns the record that was written last; undefined where there is none.
    #[wasm_bindgen(method)]
    pub(crate) fn last(this: &MemoryStore) -> JsValue;
}
