//! The module's export for streams.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

/// Uploads a stream as `IngestOptions` say; see [`upload_session::ingest`].
///
/// Rejects with an `UploadError`.
#[wasm_bindgen]
pub fn ingest(source: JsValue, options: JsValue) -> Promise {
    upload_session::ingest(source, options)
}
