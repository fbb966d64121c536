//! What `UploadSessionsApi` is told, once and for each of its calls.

use upload_session_engine::error::UploadError;
use upload_session_engine::retry::RetryPolicy;
use wasm_bindgen::prelude::*;

use super::{MAX_INTERVAL, connection, known, retry_policy, signal};
use crate::fields::Fields;
use crate::sys::listener::Signal;
use crate::sys::network::Connection;

/// What `UploadSessionsApi` is told once.
pub(crate) struct ApiSettings {
    pub(crate) connection: Connection,
    pub(crate) retry: RetryPolicy,
}

/// Reads the options of `UploadSessionsApi`.
///
/// # Errors
/// `invalid_argument`, naming the field.
pub(crate) fn api_settings(options: &JsValue) -> Result<ApiSettings, UploadError> {
    let fields = Fields::new(options, "options", known!(connection));
    let settings = ApiSettings { connection: connection(&fields), retry: retry_policy(&fields).unwrap_or_default() };
    fields.check()?;
    Ok(settings)
}

/// What one call of `UploadSessionsApi` is told beside its request.
pub(crate) struct RequestSettings {
    pub(crate) connection: Connection,
    pub(crate) retry: RetryPolicy,
    pub(crate) signal: Option<Signal>,
    /// In milliseconds.
    pub(crate) timeout: Option<f64>,
}

/// Reads the `RequestOptions` of a call, and who it acts for from its request.
///
/// # Errors
/// `invalid_argument`, naming the field.
pub(crate) fn request_settings(
    api: &ApiSettings,
    request: &Fields,
    options: &JsValue,
) -> Result<RequestSettings, UploadError> {
    let fields =
        (!options.is_undefined()).then(|| Fields::new(options, "options", "serverUrl retries signal timeout headers"));
    let fields = fields.as_ref();
    let settings = RequestSettings {
        connection: api.connection.with_call(request, fields),
        retry: fields.and_then(retry_policy).unwrap_or(api.retry),
        signal: fields.and_then(signal),
        timeout: fields.and_then(|fields| fields.number("timeout", 1.0, MAX_INTERVAL)),
    };
    request.check()?;
    fields.map_or(Ok(()), Fields::check)?;
    Ok(settings)
}
