//! What `ingest` is told of the upload of a stream.

use js_sys::Function;
use upload_session_engine::config::{BodyMode, Config};
use upload_session_engine::error::UploadError;
use wasm_bindgen::prelude::*;

use super::{CONNECTION, UPLOAD, UploadSettings, config, connection_from, signal, size};
use crate::fields::Fields;

const STREAM: &[&str] = &["size", "onProgress"];

/// Everything `ingest` is told.
pub(crate) struct StreamSettings {
    pub(crate) upload: UploadSettings,
    pub(crate) on_progress: Option<Function>,
}

/// Reads the options of `ingest`.
///
/// # Errors
/// `invalid_argument`, naming the field.
pub(crate) fn stream_settings(options: &JsValue) -> Result<StreamSettings, UploadError> {
    let fields = Fields::new(options, "options", &[CONNECTION, UPLOAD, STREAM])?;
    let connection = connection_from(&fields)?;
    let defaults = Config::new(fields.required_string("name")?, fields.required_string("parentFolderId")?, 0);
    let defaults = config(&fields, &connection, defaults)?;
    let config = Config { size: size(&fields)?, body: BodyMode::Stream, ..defaults };
    config.check()?;
    let on_progress = fields.function("onProgress")?;
    if on_progress.is_none() && fields.get("onProgress")?.is_some() {
        return Err(fields.refuse("onProgress", "takes a function"));
    }
    Ok(StreamSettings { upload: UploadSettings { connection, config, signal: signal(&fields)? }, on_progress })
}
