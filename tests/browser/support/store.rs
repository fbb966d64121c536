//! A caller's own store, which keeps what it is given and counts how often it is asked.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(inline_js = r#"
export class MemoryStore {
    constructor(found) {
        this.found = found;
        this.records = new Map();
        this.calls = { get: 0, set: 0, delete: 0 };
    }
    async get(key) {
        this.calls.get++;
        return this.found ?? this.records.get(key);
    }
    async set(key, value) {
        this.calls.set++;
        this.records.set(key, structuredClone(value));
    }
    async delete(key) {
        this.calls.delete++;
        this.records.delete(key);
    }
    last() {
        return [...this.records.values()].at(-1);
    }
}
"#)]
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
