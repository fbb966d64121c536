//! What `ingest` is told of the upload of a stream.

use upload_session_engine::config::{BodyMode, Config};
use upload_session_engine::error::UploadError;
use wasm_bindgen::prelude::*;

use super::{UploadSettings, config, connection, known, signal, size};
use crate::fields::Fields;

/// Everything `ingest` is told.
pub(crate) struct StreamSettings {
    pub(crate) upload: UploadSettings,
    /// A function, or undefined.
    pub(crate) on_progress: JsValue,
}

/// Reads the options of `ingest`.
///
/// # Errors
/// `invalid_argument`, naming the field.
pub(crate) fn stream_settings(options: &JsValue) -> Result<StreamSettings, UploadError> {
    let fields = Fields::new(options, "options", concat!(known!(upload), " size onProgress"));
    let connection = connection(&fields);
    let defaults = Config::new(fields.required("name"), fields.required("parentFolderId"), 0);
    let defaults = config(&fields, &connection, defaults);
    let config = Config { size: size(&fields), body: BodyMode::Stream, ..defaults };
    let (signal, on_progress) = (signal(&fields), fields.function("onProgress"));
    fields.check()?;
    config.check()?;
    Ok(StreamSettings { upload: UploadSettings { connection, config, signal }, on_progress })
}
