//! Whether the machine has a network: `navigator.onLine` and its events (WHATWG HTML, 8.9).

use crate::sys::event::Listener;
use crate::sys::global;

/// Tells whether there may be a network; where the runtime does not know, there is.
pub(crate) fn is_online() -> bool {
    global::navigator("onLine") != false
}

/// Calls back, until it is dropped, whenever [`is_online`] may have changed; where the runtime tells of no changes, never.
pub(crate) fn on_change(listener: impl Fn() + Clone + 'static) -> [Option<Listener>; 2] {
    ["online", "offline"].map(|event| {
        let listener = listener.clone();
        Listener::new(&global::this(), event, move |_| listener()).ok()
    })
}
