//! JS values: made of JSON, looked into, and awaited.

use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Function, Promise, Reflect};
use serde_json::Value;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// Longest wait for anything, in milliseconds: only a test that fails ever gets there.
const BOUND: u32 = 30_000;
/// Between two looks at a condition, in milliseconds.
const POLL: u32 = 5;

/// Makes the JS value of any JSON.
pub(crate) fn js(value: &Value) -> JsValue {
    js_sys::JSON::parse(&value.to_string()).unwrap()
}

/// Sets a field that JSON cannot hold.
pub(crate) fn with(object: JsValue, key: &str, value: impl Into<JsValue>) -> JsValue {
    Reflect::set(&object, &key.into(), &value.into()).unwrap();
    object
}

/// Returns a field, undefined where it is absent; a dot leads into an object.
pub(crate) fn get(object: &JsValue, path: &str) -> JsValue {
    path.split('.').fold(object.clone(), |object, key| Reflect::get(&object, &key.into()).unwrap())
}

/// Returns a field that is a string.
pub(crate) fn text(object: &JsValue, path: &str) -> Option<String> {
    get(object, path).as_string()
}

/// Evaluates an expression.
pub(crate) fn eval(expression: &str) -> JsValue {
    Function::new_no_args(&format!("return {expression}")).call0(&JsValue::UNDEFINED).unwrap()
}

/// Tells whether the browser is Chromium: no other has client hints.
pub(crate) fn is_chromium() -> bool {
    eval("'userAgentData' in navigator").is_truthy()
}

/// Makes a JS function.
pub(crate) fn function(run: impl FnMut() -> Result<JsValue, JsValue> + 'static) -> JsValue {
    Closure::<dyn FnMut() -> Result<JsValue, JsValue>>::new(run).into_js_value()
}

/// Awaits a promise, which must be settled in time.
pub(crate) async fn settle(promise: Promise) -> Result<JsValue, Failure> {
    let late = Promise::new(&mut |_, reject| {
        spawn_local(async move {
            TimeoutFuture::new(BOUND).await;
            reject.call1(&JsValue::UNDEFINED, &"the promise was not settled in time".into()).unwrap();
        });
    });
    JsFuture::from(Promise::race(&Array::of2(&promise, &late))).await.map_err(Failure)
}

/// Looks at a condition until it is true, which must happen in time.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let start = js_sys::Date::now();
    while !condition().await {
        assert!(js_sys::Date::now() - start < BOUND.into(), "it never came to this: {what}");
        TimeoutFuture::new(POLL).await;
    }
}

/// What was thrown, or what a promise was rejected with.
pub(crate) struct Failure(pub(crate) JsValue);

impl Failure {
    pub(crate) fn code(&self) -> String {
        self.text("code").unwrap_or_else(|| panic!("it has no code: {self:?}"))
    }

    pub(crate) fn message(&self) -> String {
        self.text("message").unwrap()
    }

    pub(crate) fn text(&self, field: &str) -> Option<String> {
        text(&self.0, field)
    }

    pub(crate) fn number(&self, field: &str) -> Option<f64> {
        get(&self.0, field).as_f64()
    }

    pub(crate) fn get(&self, field: &str) -> JsValue {
        get(&self.0, field)
    }

    /// Tells whether it is an `Error` and an `UploadError` to JavaScript.
    pub(crate) fn is_upload_error(&self) -> bool {
        self.0.is_instance_of::<js_sys::Error>()
            && self.text("name").as_deref() == Some("UploadError")
            && self.text("constructor.name").as_deref() == Some("UploadError")
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = get(&self.0, "code").as_string().unwrap_or_default();
        write!(f, "{code} {:?}", self.0)
    }
}

/// Calls a function that a test got from the module, e.g. the one that takes a listener off.
pub(crate) fn call(function: &JsValue) {
    function.unchecked_ref::<Function>().call0(&JsValue::UNDEFINED).unwrap();
}
