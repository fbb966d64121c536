//! An upload whose events are kept.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Promise;
use upload_session::UploadSession;
use wasm_bindgen::convert::TryFromJsValue;
use wasm_bindgen::prelude::*;

use super::js::{Failure, get, settle, text, until};

const EVENTS: [&str; 6] = ["state", "session", "progress", "part", "retry", "warning"];

/// An upload that was started.
pub(crate) struct Running {
    pub(crate) session: UploadSession,
    pub(crate) promise: Promise,
    events: Rc<RefCell<Vec<(&'static str, JsValue)>>>,
}

impl Running {
    /// Makes an `UploadSession` and starts it.
    pub(crate) fn start(file: &JsValue, options: &JsValue) -> Self {
        Self::run(UploadSession::new(file, options).map_err(Failure).unwrap())
    }

    /// Starts a session.
    pub(crate) fn run(session: UploadSession) -> Self {
        let events = Rc::new(RefCell::new(Vec::new()));
        for name in EVENTS {
            let events = Rc::clone(&events);
            on(&session, name, move |detail| events.borrow_mut().push((name, detail)));
        }
        let promise = session.start();
        Self { session, promise, events }
    }

    /// Starts, and waits for the end, which must be a success; returns what start() resolved to as well.
    pub(crate) async fn to_end(file: &JsValue, options: &JsValue) -> (Self, JsValue) {
        let running = Self::start(file, options);
        let uploaded = running.end().await.unwrap();
        (running, uploaded)
    }

    /// Waits for the end.
    pub(crate) async fn end(&self) -> Result<JsValue, Failure> {
        settle(self.promise.clone()).await
    }

    /// Waits for the end, which must be an error.
    pub(crate) async fn failure(&self) -> Failure {
        self.end().await.expect_err("the upload should have failed")
    }

    /// Returns the details of all events of that name so far.
    pub(crate) fn events(&self, name: &str) -> Vec<JsValue> {
        self.events.borrow().iter().filter(|(event, _)| *event == name).map(|(_, detail)| detail.clone()).collect()
    }

    /// Returns the names of all events so far.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.events.borrow().iter().map(|(name, _)| *name).collect()
    }

    /// Returns all states so far.
    pub(crate) fn states(&self) -> Vec<String> {
        self.events("state").iter().map(|event| text(event, "state").unwrap()).collect()
    }

    /// Returns how often a part came to that state.
    pub(crate) fn part_events(&self, state: &str) -> usize {
        self.events("part").iter().filter(|event| text(event, "state").as_deref() == Some(state)).count()
    }

    /// Returns the numbers of the parts that are done.
    pub(crate) fn parts_done(&self) -> Vec<u32> {
        let events = self.events("part").into_iter();
        let done = events.filter(|event| text(event, "state").as_deref() == Some("done"));
        done.map(|event| get(&event, "partNumber").as_f64().unwrap() as u32).collect()
    }

    /// Waits until so many parts are done.
    pub(crate) async fn until_parts_done(&self, parts: usize) {
        until("parts are done", async || self.parts_done().len() >= parts).await;
    }

    /// Returns the codes of all warnings so far.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.events("warning").iter().map(|event| text(event, "code").unwrap()).collect()
    }

    /// Lets go of the session, as `free()` does; returns the promise of its end.
    pub(crate) fn free(self) -> Promise {
        self.promise
    }

    /// Returns a field of the progress.
    pub(crate) fn progress(&self, field: &str) -> f64 {
        get(&self.session.progress(), field).as_f64().unwrap()
    }
}

/// Returns the session that goes on from the stored record, where there is one: `UploadSession.resume` in JavaScript.
pub(crate) async fn stored(file: JsValue, options: JsValue) -> Result<Option<UploadSession>, JsValue> {
    let session = settle(UploadSession::from_store(&file, &options)).await.map_err(|failure| failure.0)?;
    if session.is_undefined() {
        return Ok(None);
    }
    UploadSession::try_from_js_value(session).map(Some)
}

/// Adds a listener; returns the function that takes it off.
pub(crate) fn on(session: &UploadSession, event: &str, listener: impl FnMut(JsValue) + 'static) -> JsValue {
    let listener = Closure::<dyn FnMut(JsValue)>::new(listener).into_js_value();
    session.on(&event.into(), &listener).map_err(Failure).unwrap()
}
