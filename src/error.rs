//! Engine errors become the JS class `UploadError`.

use upload_session_engine::error::{ErrorCode, UploadError};
use wasm_bindgen::prelude::*;

use crate::json;

#[wasm_bindgen(module = "/src/upload_error.js")]
extern "C" {
    #[wasm_bindgen(js_name = UploadError, extends = js_sys::Error, reexport)]
    type JsUploadError;

    #[wasm_bindgen(constructor, js_class = UploadError)]
    fn new(message: &str, fields: &JsValue) -> JsUploadError;
}

/// Makes the `UploadError` of an engine's error.
pub(crate) fn to_js(error: UploadError) -> JsValue {
    with_cause(error, None)
}

/// Makes the `UploadError` of an engine's error, with what JavaScript threw as its cause.
pub(crate) fn with_cause(error: UploadError, cause: Option<JsValue>) -> JsValue {
    let text = |text: Option<String>| text.map_or(JsValue::UNDEFINED, JsValue::from);
    let status = error.status().map_or(JsValue::UNDEFINED, JsValue::from);
    let error = error.into_fields();
    let answer = error.answer.unwrap_or_default();
    let fields = json::object(&[
        ("code", error.code.as_str().into()),
        ("retryable", error.retryable.into()),
        ("status", status),
        ("typeName", text(answer.type_name)),
        ("detail", answer.detail.as_ref().map_or(JsValue::UNDEFINED, json::to_js)),
        ("ref", text(answer.reference)),
        ("requestId", text(answer.request_id)),
        ("partNumber", error.part_number.map_or(JsValue::UNDEFINED, JsValue::from)),
        ("cause", cause.unwrap_or(JsValue::UNDEFINED)),
    ]);
    JsUploadError::new(&error.message, &fields).into()
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

    /// There were other bytes than asked for.
    pub(crate) fn wrong_length(expected: u64, found: u64) -> Self {
        let message = format!("The file changed: {expected} bytes were asked for, and {found} came");
        Self { error: UploadError::new(ErrorCode::FileChanged, message), cause: None }
    }

    /// The file's samples are not what they were.
    pub(crate) fn other_content() -> Self {
        let error = UploadError::new(ErrorCode::FileChanged, "The file changed: it holds other bytes than before");
        Self { error, cause: None }
    }

    pub(crate) fn into_js(self) -> JsValue {
        with_cause(self.error, self.cause)
    }
}
