//! Events and their listeners (WHATWG DOM, 2).

use js_sys::Function;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type Target;

    #[wasm_bindgen(method, catch, js_name = addEventListener)]
    fn add(this: &Target, event: &str, listener: &Function) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = removeEventListener)]
    fn remove(this: &Target, event: &str, listener: &Function) -> Result<(), JsValue>;
}

/// Listens until it is dropped.
pub(crate) struct Listener {
    target: Target,
    event: &'static str,
    closure: Closure<dyn FnMut(JsValue)>,
}

impl Listener {
    /// Calls `listener` at every such event of a target.
    ///
    /// # Errors
    /// It is no target of events.
    pub(crate) fn new(
        target: &JsValue,
        event: &'static str,
        listener: impl FnMut(JsValue) + 'static,
    ) -> Result<Self, JsValue> {
        let listener = Self { target: target.clone().unchecked_into(), event, closure: Closure::new(listener) };
        listener.target.add(event, listener.function())?;
        Ok(listener)
    }

    fn function(&self) -> &Function {
        self.closure.as_ref().unchecked_ref()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // What cannot be taken off was never on.
        let _ = self.target.remove(self.event, self.function());
    }
}
