//! What `UploadSessionsApi` is told, once and for each of its calls.

use upload_session_engine::clock::Duration;

use upload_session_engine::error::UploadError;
use upload_session_engine::retry::RetryPolicy;
use wasm_bindgen::prelude::*;

use super::{CONNECTION, MAX_INTERVAL, connection_from, extra_headers, identity, millis, retry_policy, server, signal};
use crate::connection::{Connection, Overrides};
use crate::fields::Fields;
use crate::sys::abort::Signal;

const REQUEST: &[&str] = &["serverUrl", "retries", "signal", "timeout", "headers"];
/// Fields of every call that say who it acts for.
pub(crate) const CALLER: &[&str] = &["appId", "consumerId", "serviceId"];

/// Reads the options of `UploadSessionsApi`.
///
/// # Errors
/// `invalid_argument`, naming the field.
pub(crate) fn connection(options: &JsValue) -> Result<Connection, UploadError> {
    connection_from(&Fields::new(options, "options", &[CONNECTION])?)
}

/// What one call of `UploadSessionsApi` is told beside its request.
#[derive(Default)]
pub(crate) struct RequestSettings {
    pub(crate) overrides: Overrides,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) signal: Option<Signal>,
    pub(crate) timeout: Option<Duration>,
}

/// Reads the `RequestOptions` of a call, and who it acts for from its request.
///
/// # Errors
/// `invalid_argument`, naming the field.
pub(crate) fn request_settings(request: &Fields, options: &JsValue) -> Result<RequestSettings, UploadError> {
    let mut settings = RequestSettings::default();
    if !options.is_undefined() {
        let fields = Fields::new(options, "options", &[REQUEST])?;
        let timeout = fields.number("timeout", 1.0..=MAX_INTERVAL)?;
        settings = RequestSettings {
            overrides: Overrides { server: server(&fields)?, headers: extra_headers(&fields)? },
            retry: retry_policy(&fields)?,
            signal: signal(&fields)?,
            timeout: timeout.map(millis),
        };
    }
    settings.overrides.headers.extend(identity(request)?);
    Ok(settings)
}
