//! Engine errors become the JS class `UploadError`.

use upload_session_engine::error::{ErrorCode, UploadError};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/values.js")]
extern "C" {
    #[wasm_bindgen(js_name = UploadError, reexport)]
    type JsUploadError;

    #[wasm_bindgen(js_name = uploadError)]
    fn upload_error(
        message: &str,
        code: &str,
        retryable: bool,
        status: Option<u16>,
        type_name: Option<&str>,
        detail: Option<&str>,
        reference: Option<&str>,
        request_id: Option<&str>,
        part_number: Option<u32>,
        cause: &JsValue,
    ) -> JsValue;
}

/// Makes the `UploadError` of an engine's error.
pub(crate) fn to_js(error: UploadError) -> JsValue {
    with_cause(error, None)
}

/// Makes the `UploadError` of an engine's error, with what JavaScript threw as its cause.
pub(crate) fn with_cause(error: UploadError, cause: Option<JsValue>) -> JsValue {
    let status = error.status();
    let error = error.into_fields();
    let answer = error.answer.unwrap_or_default();
    let detail = answer.detail.map(|detail| detail.to_json());
    upload_error(
        &error.message,
        error.code.as_str(),
        error.retryable,
        status,
        answer.type_name.as_deref(),
        detail.as_deref(),
        answer.reference.as_deref(),
        answer.request_id.as_deref(),
        error.part_number,
        cause.as_ref().unwrap_or(&JsValue::UNDEFINED),
    )
}

/// A file that could not be read, and what the browser said of it.
#[derive(Debug)]
pub(crate) struct ReadError {
    pub(crate) error: UploadError,
    pub(crate) cause: Option<JsValue>,
}

impl From<UploadError> for ReadError {
    fn from(error: UploadError) -> Self {
        Self { error, cause: None }
    }
}

impl ReadError {
    /// The browser refused to read.
    pub(crate) fn refused(cause: JsValue) -> Self {
        let error =
            UploadError::new(ErrorCode::FileChanged, "The file cannot be read: it was changed, moved or removed");
        Self { error, cause: Some(cause) }
    }

    pub(crate) fn into_js(self) -> JsValue {
        with_cause(self.error, self.cause)
    }
}
