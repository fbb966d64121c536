//! One file's upload as JavaScript sees it: `UploadSession`.

use alloc::borrow::ToOwned;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::Cell;

use upload_session_engine::error::UploadError;
use upload_session_engine::output::State;
use upload_session_engine::snapshot::Snapshot;
use wasm_bindgen::prelude::*;

use crate::driver::Driver;
use crate::events::Listeners;
use crate::file::File;
use crate::options::FileSettings;
use crate::record::{self, Identity, Record};
use crate::sys::blob::{Blob, Reader};
use crate::sys::promise::{self, Promise};
use crate::sys::timer;
use crate::{error, events, json, options};

/// One file's upload, from first byte to finished file.
#[wasm_bindgen]
pub struct UploadSession {
    driver: Rc<Driver<File>>,
    started: Cell<bool>,
}

#[wasm_bindgen]
impl UploadSession {
    /// Takes a `Blob` and `UploadOptions`. Sends nothing yet.
    ///
    /// # Errors
    /// `invalid_argument`, naming the field.
    #[wasm_bindgen(constructor)]
    pub fn new(file: &JsValue, options: &JsValue) -> Result<UploadSession, JsValue> {
        let (file, settings) = checked(file, options).map_err(error::to_js)?;
        Self::with(file, settings, None)
    }

    /// Looks in the store for the record of this very file and target, and resolves to a session that goes on from there;
    /// to undefined where there is no usable record, or none can be kept. `UploadSession.resume` in JavaScript.
    ///
    /// # Errors
    /// `invalid_argument`, naming the field; `file_changed` where the file cannot be read. Never because of the store.
    #[wasm_bindgen(js_name = fromStore)]
    pub fn from_store(file: &JsValue, options: &JsValue) -> Promise {
        let (file, settings) = match checked(file, options) {
            Ok(checked) => checked,
            Err(error) => return promise::settled(Err(error::to_js(error))),
        };
        let Some(store) = settings.store.clone() else { return promise::settled(Ok(JsValue::UNDEFINED)) };
        let identity = Identity::new(&settings.upload.config, &settings.upload.connection);
        record::look_up(identity, &store, &file.clone(), move |found| match found {
            Some(snapshot) => Self::with(file, settings, Some(snapshot)).map(JsValue::from),
            None => Ok(JsValue::UNDEFINED),
        })
    }

    /// Takes a `Blob`, a snapshot of its upload that the caller kept, and `UploadOptions`. Sends nothing yet.
    ///
    /// # Errors
    /// `invalid_argument`, naming the field. Whether the snapshot is of this file shows at the start.
    #[wasm_bindgen(js_name = fromSnapshot)]
    pub fn from_snapshot(file: &JsValue, snapshot: &JsValue, options: &JsValue) -> Result<UploadSession, JsValue> {
        let snapshot = record::snapshot_from_js(snapshot).map_err(error::to_js)?;
        let (file, settings) = checked(file, options).map_err(error::to_js)?;
        Self::with(file, settings, Some(snapshot))
    }

    fn with(blob: Blob, settings: FileSettings, snapshot: Option<Snapshot>) -> Result<UploadSession, JsValue> {
        let FileSettings { upload, store, digests } = settings;
        let listeners = Listeners::new();
        let identity = Identity::new(&upload.config, &upload.connection);
        let record = Rc::new(Record::new(identity, store, listeners.clone()));
        if let Some(snapshot) = &snapshot {
            record.adopt(snapshot.fingerprint());
        }
        let file = File { reader: Reader::new(&blob), blob, is_reread: upload.config.rereads_file, digests, record };
        let driver = Driver::new(file, listeners, upload, snapshot).map_err(error::to_js)?;
        Ok(Self { driver, started: Cell::default() })
    }

    /// Id of the session on the server, once it is known.
    #[wasm_bindgen(getter)]
    pub fn id(&self) -> Option<String> {
        self.driver.upload.borrow().session_id().map(str::to_owned)
    }

    /// Where the upload stands.
    #[wasm_bindgen(getter)]
    pub fn state(&self) -> String {
        self.driver.upload.borrow().state().as_str().to_owned()
    }

    /// How far the upload is.
    #[wasm_bindgen(getter)]
    pub fn progress(&self) -> JsValue {
        let progress = self.driver.upload.borrow().progress();
        events::progress(&progress)
    }

    /// Runs to the end; resolves to the file. A second call gives the same promise.
    pub fn start(&self) -> Promise {
        if !self.started.replace(true) {
            self.driver.start();
        }
        self.driver.promise()
    }

    /// Stops sending at once; what is confirmed stays confirmed.
    pub fn pause(&self) {
        self.driver.source.reader.close();
        self.driver.input(|upload| upload.handle_pause(timer::now()));
    }

    /// Goes on after a pause.
    pub fn resume(&self) {
        self.driver.input(|upload| upload.handle_resume(timer::now()));
    }

    /// Cancels what is in flight and deletes the session on the server; resolves when that is done. After a
    /// failure too, which leaves the session there.
    pub fn abort(&self) -> Promise {
        self.driver.input(|upload| upload.handle_abort(timer::now()));
        self.driver.aborted()
    }

    /// Returns what it takes to go on after a reload, as plain JSON without credentials; undefined while there is no
    /// session, and once there is nothing to go on with.
    pub fn snapshot(&self) -> JsValue {
        let snapshot = self.driver.upload.borrow().snapshot();
        snapshot.map_or(JsValue::UNDEFINED, |snapshot| json::parse(&snapshot.to_json().to_json()))
    }

    /// Calls a listener at every event of that name; returns the function that takes it off again.
    ///
    /// # Errors
    /// `invalid_argument` where there is no such event, or the listener is no function.
    pub fn on(&self, event: &JsValue, listener: &JsValue) -> Result<JsValue, JsValue> {
        self.driver.listeners.on(event, listener)
    }
}

impl Drop for UploadSession {
    /// `free()` during an upload cancels it. Its session stays on the server where a record was kept to go on from, and
    /// is deleted otherwise: nobody could go on with it.
    fn drop(&mut self) {
        self.driver.source.reader.close();
        let state = self.driver.upload.borrow().state();
        if matches!(state, State::Idle | State::Done | State::Failed | State::Aborted) {
            return;
        }
        if self.driver.source.record.is_kept() {
            self.driver.input(|upload| upload.handle_close(timer::now()));
        } else {
            self.driver.input(|upload| upload.handle_abort(timer::now()));
        }
    }
}

fn checked(file: &JsValue, options: &JsValue) -> Result<(Blob, FileSettings), UploadError> {
    let takes = || UploadError::invalid_argument("file", "takes a File or a Blob");
    let blob = Blob::from_js(file).ok_or_else(takes)?;
    let settings = options::file_settings(&blob, options)?;
    Ok((blob, settings))
}
