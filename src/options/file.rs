//! What `UploadSession` is told of the upload of a file.

use core::ops::RangeInclusive;

use upload_session_engine::config::{BodyMode, Config};
use upload_session_engine::error::UploadError;
use wasm_bindgen::prelude::*;

use super::{UploadSettings, config, connection, known, signal};
use crate::fields::Fields;
use crate::sys::blob::{self, Blob};
use crate::sys::storage::{self, Store};

/// Parts up to this size are sent from memory, in bytes: for the browser to open the file once more costs more than to hand
/// them over.
const SMALL_PART: u64 = 64 * 1024;

/// Parts from this size on are worth handing over to the browser's own SHA-1, in bytes.
const DIGEST_FROM: u64 = 1024 * 1024;

/// What share of the memory for content such a part may have: it is gathered, and the browser takes a copy.
const DIGEST_SHARE: u64 = 4;

/// The same where the memory is full of parts that are sent from there: what is gathered comes on top of it.
const BUFFERED_DIGEST_SHARE: u64 = 8;

/// Everything `UploadSession` is told.
pub(crate) struct FileSettings {
    pub(crate) upload: UploadSettings,
    pub(crate) store: Option<Store>,
    /// Sizes of parts whose digests the browser computes itself, in bytes.
    pub(crate) digests: RangeInclusive<u64>,
}

/// Reads the options of `UploadSession`.
///
/// # Errors
/// `invalid_argument`, naming the field.
pub(crate) fn file_settings(file: &Blob, options: &JsValue) -> Result<FileSettings, UploadError> {
    let fields = Fields::new(options, "options", concat!(known!(upload), " body transport direct restart store"));
    let connection = connection(&fields);
    let store = storage::store_of(&fields, file);
    let name = fields.string("name").or_else(|| blob::name(file));
    if name.is_none() {
        fields.refuse("name", "is missing, and the Blob has none of its own");
    }
    let defaults = Config::new(name.unwrap_or_default(), fields.required("parentFolderId"), file.size());
    let defaults = config(&fields, &connection, defaults);
    let is_chromium = blob::is_chromium();
    let config = Config {
        body: match fields.choice("body", "auto blob buffer") {
            Some(1) => BodyMode::Blob,
            Some(2) => BodyMode::Buffer,
            // Both stream a slice faster than a buffer; Safari was seen not to end requests with slices of files.
            _ if is_chromium || blob::is_firefox() => BodyMode::Blob,
            _ => BodyMode::Buffer,
        },
        small_part: SMALL_PART,
        rereads_file: !is_chromium,
        measures_progress: connection.is_xhr(),
        direct: fields.choice("direct", "auto never").map_or(defaults.direct, |direct| direct == 0),
        restart: fields.boolean("restart").unwrap_or(defaults.restart),
        keeps_record: store.is_some(),
        ..defaults
    };
    let signal = signal(&fields);
    fields.check()?;
    config.check()?;
    let share = if config.body == BodyMode::Buffer { BUFFERED_DIGEST_SHARE } else { DIGEST_SHARE };
    let digest_to = config.memory_budget / share;
    Ok(FileSettings { upload: UploadSettings { connection, config, signal }, store, digests: DIGEST_FROM..=digest_to })
}
