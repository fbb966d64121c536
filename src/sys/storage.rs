//! Where resume records are kept: IndexedDB, or a caller's own `UploadStore`. Both are the page's to break: every call
//! is caught, and none is waited for without end.

use alloc::string::String;

use wasm_bindgen::prelude::*;

use crate::fields::Fields;
use crate::sys::blob::Blob;
use crate::sys::promise::Promise;

#[wasm_bindgen(module = "/src/platform.js")]
extern "C" {
    /// A place for records.
    #[derive(Clone)]
    pub(crate) type Store;

    /// Reads the option `store`; none where nothing is to be kept.
    #[wasm_bindgen(js_name = storeOf)]
    pub(crate) fn store_of(fields: &Fields, blob: &Blob) -> Option<Store>;

    /// Calls a method of a store: `get`, which resolves to what is kept under a key, as JSON, or to undefined; `set`, which
    /// keeps what is given as JSON; or `delete`.
    #[wasm_bindgen(js_name = callStore)]
    pub(crate) fn call(store: &Store, method: &str, key: &str, json: Option<&str>) -> Promise;

    /// Returns the name of what a store threw.
    #[wasm_bindgen(js_name = errorName)]
    pub(crate) fn error_name(error: &JsValue) -> String;
}
