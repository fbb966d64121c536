//! JSON of the wire (snake_case) as JavaScript sees it (camelCase), by the rules of `JSON.parse`: a number past 2^53 loses
//! digits, and `__proto__` is a key like any other.

#[cfg(feature = "page")]
use alloc::string::String;

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Reads JSON of the module's own making.
    #[wasm_bindgen(js_namespace = JSON)]
    pub(crate) fn parse(json: &str) -> JsValue;
}

#[wasm_bindgen(module = "/src/values.js")]
extern "C" {
    /// Makes a `UnifiedFile` of JSON that was read before.
    pub(crate) fn file(json: &str) -> JsValue;

    /// Makes the `Envelope` of an answer that was read before.
    #[cfg(feature = "page")]
    pub(crate) fn envelope(json: &str, request_id: Option<String>) -> JsValue;

    /// Writes any value as JSON; empty where it is none: a cycle, a getter that throws, whatever a page may put in.
    #[cfg(feature = "page")]
    pub(crate) fn stringify(value: &JsValue) -> String;
}
