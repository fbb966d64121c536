//! What the runtime has, and what it has not: fields of the global object and of `navigator`.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static GLOBAL: JsValue;
}

/// Returns the global object.
pub(crate) fn this() -> JsValue {
    GLOBAL.with(JsValue::clone)
}

/// Returns a field of the global object; undefined where there is none, or the runtime forbids it.
pub(crate) fn get(name: &str) -> JsValue {
    field(&this(), name)
}

/// Returns a field of `navigator`; undefined where there is none.
pub(crate) fn navigator(name: &str) -> JsValue {
    field(&get("navigator"), name)
}

/// Returns a field of any value; undefined where there is none, or it cannot be read.
pub(crate) fn field(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).unwrap_or_default()
}
