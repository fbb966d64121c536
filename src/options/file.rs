//! What `UploadSession` is told of the upload of a file.

use upload_session_engine::config::{BodyMode, Config};
use upload_session_engine::error::UploadError;
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use super::{CONNECTION, UPLOAD, UploadSettings, config, connection_from, signal};
use crate::connection::Transport;
use crate::fields::Fields;
use crate::sys::fetch::Credentials;
use crate::sys::storage::Store;
use crate::sys::{blob, fetch, xhr};

const FILE: &[&str] = &["body", "transport", "direct", "restart", "store"];

/// Everything `UploadSession` is told.
pub(crate) struct FileSettings {
    pub(crate) upload: UploadSettings,
    pub(crate) store: Option<Store>,
}

/// Reads the options of `UploadSession`.
///
/// # Errors
/// `invalid_argument`, naming the field.
pub(crate) fn file_settings(file: &Blob, options: &JsValue) -> Result<FileSettings, UploadError> {
    let fields = Fields::new(options, "options", &[CONNECTION, UPLOAD, FILE])?;
    let mut connection = connection_from(&fields)?;
    connection.transport = transport(&fields, connection.credentials)?;
    let store = store(&fields, file)?;
    let missing_name = || fields.refuse("name", "is missing, and the Blob has none of its own");
    let name = fields.string("name")?.or_else(|| blob::name(file)).ok_or_else(missing_name)?;
    let defaults = Config::new(name, fields.required_string("parentFolderId")?, blob::size(file));
    let defaults = config(&fields, &connection, defaults)?;
    let config = Config {
        body: fields.choice("body", BODIES)?.flatten().unwrap_or_else(auto_body),
        rereads_file: !fetch::is_chromium(),
        measures_progress: connection.transport == Transport::Xhr,
        direct: fields.choice("direct", &[("auto", true), ("never", false)])?.unwrap_or(defaults.direct),
        restart: fields.boolean("restart")?.unwrap_or(defaults.restart),
        keeps_record: store.is_some(),
        ..defaults
    };
    config.check()?;
    Ok(FileSettings { upload: UploadSettings { connection, config, signal: signal(&fields)? }, store })
}

fn transport(fields: &Fields, credentials: Option<Credentials>) -> Result<Transport, UploadError> {
    let transport = fields.choice("transport", &[("fetch", Transport::Fetch), ("xhr", Transport::Xhr)])?;
    if transport == Some(Transport::Xhr) {
        if !xhr::is_available() {
            return Err(fields.refuse("transport", "takes \"fetch\" alone here: this runtime has no XMLHttpRequest"));
        }
        if credentials == Some(Credentials::Omit) {
            return Err(
                fields.refuse("credentials", "takes no \"omit\" with the transport \"xhr\", which cannot do so")
            );
        }
    }
    Ok(transport.unwrap_or(Transport::Fetch))
}

fn store(fields: &Fields, file: &Blob) -> Result<Option<Store>, UploadError> {
    let Some(value) = fields.get("store")? else {
        // A plain Blob has no date to be known again by.
        return Ok(if blob::is_file(file) { Store::indexed_db_if_any() } else { None });
    };
    match value.as_string().as_deref() {
        Some("none") => Ok(None),
        Some("indexeddb") => Ok(Some(Store::indexed_db())),
        _ => Store::from_js(&value).map(Some).ok_or_else(|| {
            fields.refuse("store", "takes \"indexeddb\", \"none\", or an object with the methods get, set and delete")
        }),
    }
}

/// None is "auto".
const BODIES: &[(&str, Option<BodyMode>)] =
    &[("auto", None), ("blob", Some(BodyMode::Blob)), ("buffer", Some(BodyMode::Buffer))];

/// Chromium streams a slice faster than a buffer, and refuses to read a file that changed; other browsers
/// may silently send other bytes than were hashed.
fn auto_body() -> BodyMode {
    if fetch::is_chromium() { BodyMode::Blob } else { BodyMode::Buffer }
}
