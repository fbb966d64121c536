//! What an upload is known by, and the record that is kept of it: fingerprint, lock and store.
//!
//! A store is never an upload's end: whatever it throws, returns or leaves undone comes to one warning, and the upload
//! goes on without it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use upload_session_engine::clock::Duration;

use js_sys::{JSON, Promise};
use upload_session_engine::config::{Config, DigestMode};
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::json::Value;
use upload_session_engine::output::Event;
use upload_session_engine::snapshot::{BadSnapshot, FileIdentity, Fingerprint, Snapshot, TargetIdentity};
use upload_session_engine::wire::header;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use crate::connection::Connection;
use crate::error::ReadError;
use crate::events::Listeners;
use crate::json;
use crate::sys::global::field;
use crate::sys::lock::Lock;
use crate::sys::storage::Store;
use crate::sys::{blob, timer};

/// Longest time that an upload's end is held up until its record is gone.
const FORGET_LIMIT: Duration = Duration::from_secs(2);

/// Which file goes where: what is known of it before the file is read.
pub(crate) struct Identity {
    name: String,
    server: String,
    app_id: Option<String>,
    consumer_id: Option<String>,
    service_id: Option<String>,
    parent_folder_id: String,
    drive_id: Option<String>,
    digest: DigestMode,
}

impl Identity {
    pub(crate) fn new(config: &Config, connection: &Connection) -> Self {
        let sent = |wanted| {
            let header = connection.headers.iter().rfind(|(name, _)| name == wanted);
            header.map(|(_, value)| value.clone())
        };
        Self {
            name: config.name.clone(),
            server: connection.server.clone(),
            app_id: sent(header::APP_ID),
            consumer_id: sent(header::CONSUMER_ID),
            service_id: sent(header::SERVICE_ID),
            parent_folder_id: config.parent_folder_id.clone(),
            drive_id: config.drive_id.clone(),
            digest: config.digest,
        }
    }

    /// Reads the file's samples.
    ///
    /// # Errors
    /// `file_changed` where the file cannot be read.
    pub(crate) async fn fingerprint(&self, file: &Blob) -> Result<Fingerprint, ReadError> {
        let samples = blob::samples(file).await?;
        let media_type = blob::media_type(file);
        let file = FileIdentity {
            name: &self.name,
            size: blob::size(file),
            last_modified: blob::last_modified(file),
            media_type: &media_type,
        };
        let target = TargetIdentity {
            server: &self.server,
            app_id: self.app_id.as_deref(),
            consumer_id: self.consumer_id.as_deref(),
            service_id: self.service_id.as_deref(),
            parent_folder_id: &self.parent_folder_id,
            drive_id: self.drive_id.as_deref(),
            digest: self.digest,
        };
        Ok(Fingerprint::new(&file, &target, samples))
    }
}

/// The record of one upload, where one is kept, and the lock on it.
pub(crate) struct Record {
    identity: Identity,
    listeners: Rc<Listeners>,
    store: Option<Store>,
    /// Known once the file was looked at.
    key: RefCell<Option<String>>,
    trust: Cell<Trust>,
    /// One warning is enough.
    warned: Cell<bool>,
    lock: RefCell<Option<Lock>>,
    /// What is to be written next: only the latest matters.
    next: RefCell<Option<Write>>,
    /// Fulfilled when there is nothing more to write.
    writing: RefCell<Option<Promise>>,
}

/// What may still be done with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Full,
    /// It failed: nothing is kept any more, and what was kept before is still to be dropped.
    Failed,
    /// What it holds is a later version's: it is left alone.
    Foreign,
}

enum Write {
    Set(Box<Snapshot>),
    Delete,
}

/// What a store has under a key.
enum Found {
    Nothing,
    Record(Box<Snapshot>),
    Bad(BadSnapshot),
}

impl Record {
    pub(crate) fn new(identity: Identity, store: Option<Store>, listeners: Rc<Listeners>) -> Self {
        Self {
            identity,
            listeners,
            store,
            key: RefCell::default(),
            trust: Cell::new(Trust::Full),
            warned: Cell::new(false),
            lock: RefCell::default(),
            next: RefCell::default(),
            writing: RefCell::default(),
        }
    }

    /// Names the upload before it is prepared, so that its record can be dropped.
    pub(crate) fn adopt(&self, fingerprint: Fingerprint) {
        self.key.replace(Some(fingerprint.key()));
    }

    /// Tells whether what is known of the upload is kept, so that it can be gone on with.
    pub(crate) fn is_kept(&self) -> bool {
        self.store.is_some() && self.trust.get() == Trust::Full
    }

    /// Finds out which upload this is, and makes sure that nobody else drives it and that the store can be used; returns
    /// what the store has of it by now, too.
    ///
    /// # Errors
    /// `file_changed` where the file cannot be read, `conflict` where another tab or session is at it.
    pub(crate) async fn prepare(&self, file: &Blob) -> Result<(Fingerprint, Option<Snapshot>), ReadError> {
        let fingerprint = self.identity.fingerprint(file).await?;
        let key = fingerprint.key();
        self.lock(&key).await.map_err(|error| ReadError { error, cause: None })?;
        let mut record = None;
        if let Some(store) = &self.store {
            match find(store, &key).await {
                Err(cause) => self.fail("read", &cause),
                Ok(Found::Bad(BadSnapshot::Newer)) => {
                    self.trust.set(Trust::Foreign);
                    self.warn("The resume record is from a newer version: it is kept, and the upload goes on without");
                }
                Ok(Found::Bad(BadSnapshot::Damaged(_))) => self.warn("The resume record is damaged, and is replaced"),
                Ok(Found::Record(found)) => record = Some(*found),
                Ok(Found::Nothing) => {}
            }
        }
        self.key.replace(Some(key));
        Ok((fingerprint, record))
    }

    /// Makes sure once more that nobody else drives the upload, after it was let go of.
    ///
    /// # Errors
    /// `conflict` where another tab or session is at it.
    pub(crate) async fn claim(&self) -> Result<(), UploadError> {
        let key = self.key.borrow().clone();
        match key {
            Some(key) => self.lock(&key).await,
            None => Ok(()),
        }
    }

    async fn lock(&self, key: &str) -> Result<(), UploadError> {
        let taken = || UploadError::new(ErrorCode::Conflict, "Another tab or session is uploading this file");
        let lock = Lock::take(key).await.ok_or_else(taken)?;
        self.lock.replace(Some(lock));
        Ok(())
    }

    /// Keeps a record in place of every earlier one.
    pub(crate) fn save(self: &Rc<Self>, snapshot: Snapshot) {
        if self.is_kept() {
            self.write(Write::Set(Box::new(snapshot)));
        }
    }

    /// Drops the record.
    pub(crate) fn forget(self: &Rc<Self>) {
        if self.trust.get() != Trust::Foreign {
            self.write(Write::Delete);
        }
    }

    /// Waits until everything is written, but not for long, and lets others drive the upload.
    pub(crate) async fn close(&self) {
        let writing = self.writing.borrow().clone();
        if let Some(writing) = writing {
            timer::within(FORGET_LIMIT, &writing).await;
        }
        self.lock.take();
    }

    /// Tells whether [`close`](Self::close) has something to wait for.
    fn is_writing(&self) -> bool {
        self.writing.borrow().is_some()
    }

    /// Writes one thing at a time; what is overtaken by something newer meanwhile is never written.
    fn write(self: &Rc<Self>, write: Write) {
        let (Some(store), Some(key)) = (self.store.clone(), self.key.borrow().clone()) else { return };
        self.next.replace(Some(write));
        if self.is_writing() {
            return;
        }
        let promise = Promise::new(&mut |resolve, _| {
            let (record, store, key) = (Rc::clone(self), store.clone(), key.clone());
            spawn_local(async move {
                loop {
                    let Some(write) = record.next.take() else { break };
                    record.carry_out(write, &store, &key).await;
                }
                record.writing.take();
                // A promise's own resolve function does not throw.
                let _ = resolve.call0(&JsValue::UNDEFINED);
            });
        });
        self.writing.replace(Some(promise));
    }

    async fn carry_out(&self, write: Write, store: &Store, key: &str) {
        let (what, written) = match write {
            Write::Set(_) if !self.is_kept() => return,
            Write::Set(snapshot) => ("kept", store.set(key, &json::to_js(&snapshot.to_json())).await),
            Write::Delete => ("dropped", store.delete(key).await),
        };
        if let Err(cause) = written {
            self.fail(what, &cause);
        }
    }

    fn fail(&self, what: &str, cause: &JsValue) {
        self.trust.set(Trust::Failed);
        let cause = field(cause, "name").as_string().unwrap_or_else(|| "it is no Error".to_owned());
        self.warn(&format!("The resume record could not be {what} ({cause}): the upload goes on without"));
    }

    fn warn(&self, message: &str) {
        if !self.warned.replace(true) {
            let code = ErrorCode::Storage.as_str();
            self.listeners.tell(Event::Warning { code, message: message.to_owned() });
        }
    }
}

/// Looks for the record of this file and target; none where there is no usable one.
///
/// # Errors
/// `file_changed` where the file cannot be read.
pub(crate) async fn look_up(identity: &Identity, store: &Store, file: &Blob) -> Result<Option<Snapshot>, ReadError> {
    let fingerprint = identity.fingerprint(file).await?;
    let found = find(store, &fingerprint.key()).await;
    Ok(match found {
        Ok(Found::Record(snapshot)) if snapshot.fingerprint() == fingerprint => Some(*snapshot),
        _ => None,
    })
}

/// Reads a snapshot that a caller kept.
///
/// # Errors
/// `invalid_argument` where it is none.
pub(crate) fn snapshot_from_js(value: &JsValue) -> Result<Snapshot, UploadError> {
    parse(value).map_err(|bad| match bad {
        BadSnapshot::Newer => UploadError::invalid_argument("snapshot", "is from a newer version of upload-session"),
        BadSnapshot::Damaged(field) => {
            UploadError::invalid_argument("snapshot", &["is damaged (`", field, "`)"].concat())
        }
    })
}

async fn find(store: &Store, key: &str) -> Result<Found, JsValue> {
    let value = store.get(key).await?;
    if value.is_undefined() || value.is_null() {
        return Ok(Found::Nothing);
    }
    Ok(parse(&value).map_or_else(Found::Bad, |snapshot| Found::Record(Box::new(snapshot))))
}

/// Reads a snapshot by way of JSON, which refuses cycles, getters that throw and whatever else a page may put in.
fn parse(value: &JsValue) -> Result<Snapshot, BadSnapshot> {
    let json = JSON::stringify(value).ok().and_then(|json| json.as_string()).unwrap_or_default();
    let json = Value::parse(&json).ok_or(BadSnapshot::Damaged("version"))?;
    Snapshot::from_json(&json)
}
