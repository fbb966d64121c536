//! Where resume records are kept: IndexedDB, or a caller's own `UploadStore`. Both are the page's to break: every call
//! is caught, and none is waited for without end.

use upload_session_engine::clock::Duration;

use js_sys::TypeError;
use wasm_bindgen::prelude::*;

use crate::sys::{global, timer};

/// Longest wait for a store.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

#[wasm_bindgen(module = "/src/sys/indexed_db.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = indexedDbStore)]
    static INDEXED_DB: UploadStore;
}

#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type UploadStore;

    #[wasm_bindgen(method, catch, js_name = get)]
    fn js_get(this: &UploadStore, key: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = set)]
    fn js_set(this: &UploadStore, key: &str, value: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = delete)]
    fn js_delete(this: &UploadStore, key: &str) -> Result<JsValue, JsValue>;
}

/// A place for records.
#[derive(Clone)]
pub(crate) struct Store(UploadStore);

impl Store {
    /// Returns the browser's own; none where there is no IndexedDB.
    pub(crate) fn indexed_db_if_any() -> Option<Self> {
        global::get("indexedDB").is_object().then(Self::indexed_db)
    }

    /// Returns the browser's own, whose every call fails where there is no IndexedDB.
    pub(crate) fn indexed_db() -> Self {
        Self(INDEXED_DB.with(UploadStore::clone))
    }

    /// Takes a caller's own; none where it lacks a method.
    pub(crate) fn from_js(value: &JsValue) -> Option<Self> {
        let is_store = ["get", "set", "delete"].iter().all(|name| global::field(value, name).is_function());
        is_store.then(|| Self(value.clone().unchecked_into()))
    }

    /// Returns what is kept under a key: undefined where there is nothing.
    ///
    /// # Errors
    /// Whatever the store threw, or that it took too long.
    pub(crate) async fn get(&self, key: &str) -> Result<JsValue, JsValue> {
        settled(self.0.js_get(key)).await
    }

    /// Keeps a value under a key.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) async fn set(&self, key: &str, value: &JsValue) -> Result<JsValue, JsValue> {
        settled(self.0.js_set(key, value)).await
    }

    /// Forgets what is kept under a key.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) async fn delete(&self, key: &str) -> Result<JsValue, JsValue> {
        settled(self.0.js_delete(key)).await
    }
}

async fn settled(called: Result<JsValue, JsValue>) -> Result<JsValue, JsValue> {
    let late = || Err(TypeError::new("the store did not answer in time").into());
    timer::within(LIMIT, &called?).await.unwrap_or_else(late)
}
