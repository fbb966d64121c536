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

    /// Resolves to what is kept under a key, as JSON; to undefined where there is nothing.
    #[wasm_bindgen(js_name = storeGet)]
    pub(crate) fn get(store: &Store, key: &str) -> Promise;

    /// Keeps a value, given as JSON, under a key.
    #[wasm_bindgen(js_name = storeSet)]
    pub(crate) fn set(store: &Store, key: &str, json: &str) -> Promise;

    /// Forgets what is kept under a key.
    #[wasm_bindgen(js_name = storeDelete)]
    pub(crate) fn delete(store: &Store, key: &str) -> Promise;

    /// Returns the name of what a store threw.
    #[wasm_bindgen(js_name = errorName)]
    pub(crate) fn error_name(error: &JsValue) -> String;
}
