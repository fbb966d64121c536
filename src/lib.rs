//! The JS boundary of upload-session: classes, options and errors as JavaScript sees them, and the driver that
//! carries out what the [engine](upload_session_engine) decides. No policy lives here.
//!
//! The public surface is described in the npm package's `index.d.ts`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod api;
mod connection;
mod driver;
mod error;
mod events;
mod fields;
mod json;
mod options;
mod record;
mod secrets;
mod session;
mod slots;
mod sys;
mod watch;

pub use api::UploadSessionsApi;
pub use session::UploadSession;

use js_sys::JsString;
use upload_session_engine::digest::PartHasher;
use wasm_bindgen::prelude::*;

/// Hashes a `Blob`, an `ArrayBuffer` or a `Uint8Array`; resolves to `sha=<base64 of SHA-1>`, the value of the
/// `digest` header (RFC 3230).
///
/// # Errors
/// `invalid_argument` for anything else, `file_changed` where the file cannot be read.
#[wasm_bindgen(js_name = sha1Digest)]
pub async fn sha1_digest(body: JsValue) -> Result<JsString, JsValue> {
    let mut hasher = PartHasher::plain();
    match sys::blob::Body::from_js(&body).map_err(error::to_js)? {
        sys::blob::Body::Blob(blob) => {
            let size = sys::blob::size(&blob);
            let read = sys::blob::read(&blob, 0..size, Some(&mut hasher), None, &sys::abort::Flag::default()).await;
            read.map_err(error::ReadError::into_js)?;
        }
        sys::blob::Body::Bytes(bytes) => {
            bytes.hash(&mut hasher).await.map_err(|cause| error::ReadError::refused(cause).into_js())?;
        }
    }
    Ok(hasher.finish().map(|digest| digest.to_string()).unwrap_or_default().into())
}
