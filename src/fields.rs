//! Reads a JS object field by field, so that every refusal names the field and what it takes.

use alloc::string::String;

use upload_session_engine::error::{ErrorCode, UploadError};
use wasm_bindgen::prelude::*;

/// The largest whole number that JavaScript tells from its neighbours.
pub(crate) const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

#[wasm_bindgen(module = "/src/values.js")]
extern "C" {
    /// An object handed in by a caller, whose keys are all known. The first field that is off is kept for
    /// [`check`](Fields::check); reading goes on, with nothing in its place.
    pub(crate) type Fields;

    /// Reads an object; `known` are its fields' names with spaces between.
    #[wasm_bindgen(constructor)]
    pub(crate) fn new(object: &JsValue, name: &str, known: &str) -> Fields;

    /// Returns the object in a field, if there is one.
    #[wasm_bindgen(method)]
    pub(crate) fn nested(this: &Fields, key: &str, known: &str) -> Option<Fields>;

    /// Returns a field's value, undefined where it is absent.
    #[wasm_bindgen(method)]
    pub(crate) fn get(this: &Fields, key: &str) -> JsValue;

    /// Refuses a field, naming what it takes.
    #[wasm_bindgen(method)]
    pub(crate) fn refuse(this: &Fields, key: &str, takes: &str);

    #[wasm_bindgen(method)]
    pub(crate) fn string(this: &Fields, key: &str) -> Option<String>;

    /// Returns a string; an empty one where it is refused.
    #[wasm_bindgen(method)]
    pub(crate) fn required(this: &Fields, key: &str) -> String;

    /// Returns a string that is sent as a header.
    #[wasm_bindgen(method)]
    pub(crate) fn header(this: &Fields, key: &str) -> Option<String>;

    #[wasm_bindgen(method)]
    pub(crate) fn boolean(this: &Fields, key: &str) -> Option<bool>;

    #[wasm_bindgen(method)]
    pub(crate) fn number(this: &Fields, key: &str, min: f64, max: f64) -> Option<f64>;

    #[wasm_bindgen(method)]
    pub(crate) fn whole(this: &Fields, key: &str, min: f64, max: f64) -> Option<f64>;

    /// Returns which of the names (with spaces between) it is, from 0.
    #[wasm_bindgen(method)]
    pub(crate) fn choice(this: &Fields, key: &str, names: &str) -> Option<u32>;

    #[cfg(feature = "stream")]
    #[wasm_bindgen(method)]
    pub(crate) fn function(this: &Fields, key: &str) -> JsValue;

    /// Returns a list of `PassThrough` as JSON of the wire.
    #[wasm_bindgen(method, js_name = passThrough)]
    pub(crate) fn pass_through(this: &Fields, key: &str) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn problem(this: &Fields) -> Option<String>;
}

impl Fields {
    /// # Errors
    /// `invalid_argument`, of the first field that was refused.
    pub(crate) fn check(&self) -> Result<(), UploadError> {
        match self.problem() {
            Some(problem) => Err(UploadError::new(ErrorCode::InvalidArgument, &problem)),
            None => Ok(()),
        }
    }
}
