//! What an upload is known by, and the record that is kept of it: fingerprint, lock and store.
//!
//! A store is never an upload's end: whatever it throws, returns or leaves undone comes to one warning, and the upload
//! goes on without it.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::{Cell, RefCell};

use upload_session_engine::clock::{Duration, Instant};
use upload_session_engine::config::Config;
use upload_session_engine::digest::Digest;
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::json::Value;
use upload_session_engine::snapshot::{BadSnapshot, FileIdentity, Fingerprint, Snapshot, TargetIdentity};
use upload_session_engine::wire::header;
use wasm_bindgen::prelude::*;

use crate::error::ReadError;
use crate::events::Listeners;
use crate::json;
use crate::sys::blob::{self, Blob};
use crate::sys::listener::Controller;
use crate::sys::lock::{self, Lock};
use crate::sys::network::Connection;
use crate::sys::promise::{self, Deferred, Promise, Settled};
use crate::sys::storage::{self, Store};
use crate::sys::timer;

/// Longest time that an upload's end is held up until its record is gone, in milliseconds.
const FORGET_LIMIT: f64 = 2000.0;

/// Shortest time from the beginning of one write to that of the next: parts of a usual size never come so close, and are
/// recorded at once.
const WRITE_INTERVAL: Duration = Duration::from_millis(25);

/// Which file goes where: what is known of it before the file is read.
pub(crate) struct Identity {
    name: String,
    target: Digest,
}

impl Identity {
    pub(crate) fn new(config: &Config, connection: &Connection) -> Self {
        let app_id = connection.header(header::APP_ID);
        let consumer_id = connection.header(header::CONSUMER_ID);
        let service_id = connection.header(header::SERVICE_ID);
        let target = TargetIdentity {
            server: &connection.server(),
            app_id: app_id.as_deref(),
            consumer_id: consumer_id.as_deref(),
            service_id: service_id.as_deref(),
            parent_folder_id: &config.parent_folder_id,
            drive_id: config.drive_id.as_deref(),
            digest: config.digest,
        };
        Self { name: config.name.clone(), target: target.to_digest() }
    }

    /// Tells the upload from all others, by the digest of the file's samples among others.
    pub(crate) fn fingerprint(&self, file: &Blob, samples: Digest) -> Fingerprint {
        let file = FileIdentity {
            name: &self.name,
            size: file.size(),
            last_modified: blob::last_modified(file).map(|millis| millis as u64),
            media_type: &file.media_type(),
        };
        Fingerprint { file: file.to_digest(samples), target: self.target }
    }
}

/// The record of one upload, where one is kept, and the lock on it.
pub(crate) struct Record {
    identity: Identity,
    listeners: Listeners,
    store: Option<Store>,
    /// Known once the file was looked at.
    key: RefCell<Option<String>>,
    trust: Cell<Trust>,
    /// One warning is enough.
    warned: Cell<bool>,
    lock: Cell<Option<Lock>>,
    /// What is to be written next: only the latest matters.
    next: Cell<Option<Write>>,
    /// Fulfilled when there is nothing more to write.
    writing: RefCell<Option<Deferred>>,
    /// Before then nothing more is written.
    due: Cell<Option<Instant>>,
    /// Ends the wait for it.
    wake: Cell<Option<Controller>>,
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
    pub(crate) fn new(identity: Identity, store: Option<Store>, listeners: Listeners) -> Self {
        Self {
            identity,
            listeners,
            store,
            key: RefCell::default(),
            trust: Cell::new(Trust::Full),
            warned: Cell::new(false),
            lock: Cell::default(),
            next: Cell::default(),
            writing: RefCell::default(),
            due: Cell::default(),
            wake: Cell::default(),
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

    /// Finds out which upload this is, and makes sure that nobody else drives it and that the store can be used; tells
    /// what the store has of it by now, too.
    ///
    /// # Errors
    /// `file_changed` where the file cannot be read, `conflict` where another tab or session is at it.
    pub(crate) fn prepare(
        record: &Rc<Self>,
        file: &Blob,
        next: impl FnOnce(Result<(Fingerprint, Option<Snapshot>), ReadError>) + 'static,
    ) {
        let (samples, feed) = blob::samples(file);
        let (record, file) = (Rc::clone(record), file.clone());
        promise::then(&samples, move |samples| {
            let fingerprint = match blob::digest(samples, feed) {
                Ok(samples) => record.identity.fingerprint(&file, samples),
                Err(failure) => return next(Err(failure)),
            };
            promise::then(&lock::take(&fingerprint.key()), move |taken| {
                if let Err(error) = record.locked(taken) {
                    return next(Err(error.into()));
                }
                record.key.replace(Some(fingerprint.key()));
                let Some(store) = &record.store else { return next(Ok((fingerprint, None))) };
                let found = storage::call(store, "get", &fingerprint.key(), None);
                promise::then(&found, move |found| next(Ok((fingerprint, record.take_in(found)))));
            });
        });
    }

    /// Takes in what the store had.
    fn take_in(&self, found: Settled) -> Option<Snapshot> {
        match found.map(parse) {
            Err(cause) => self.fail("read", &cause),
            Ok(Found::Bad(BadSnapshot::Newer)) => {
                self.trust.set(Trust::Foreign);
                self.warn("The resume record is from a newer version: it is kept, and the upload goes on without");
            }
            Ok(Found::Bad(BadSnapshot::Damaged(_))) => self.warn("The resume record is damaged, and is replaced"),
            Ok(Found::Record(found)) => return Some(*found),
            Ok(Found::Nothing) => {}
        }
        None
    }

    /// Makes sure once more that nobody else drives the upload, after it was let go of.
    ///
    /// # Errors
    /// `conflict` where another tab or session is at it.
    pub(crate) fn claim(record: &Rc<Self>, next: impl FnOnce(Result<(), UploadError>) + 'static) {
        let taken = match &*record.key.borrow() {
            Some(key) => lock::take(key),
            // There is nothing to take, as if it could not be had.
            None => promise::settled(Err(JsValue::UNDEFINED)),
        };
        let record = Rc::clone(record);
        promise::then(&taken, move |taken| next(record.locked(taken)));
    }

    /// Takes in what became of the lock; where there is none to be had, nothing can be kept apart.
    fn locked(&self, taken: Settled) -> Result<(), UploadError> {
        if let Ok(taken) = taken {
            let lock = Lock::new(taken);
            if lock.is_none() {
                return Err(UploadError::new(ErrorCode::Conflict, "Another tab or session is uploading this file"));
            }
            self.lock.set(lock);
        }
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
    pub(crate) fn close(self: &Rc<Self>) -> Promise {
        let writing = match &*self.writing.borrow() {
            Some(writing) => timer::within(FORGET_LIMIT, &writing.promise()),
            None => promise::settled(Ok(JsValue::UNDEFINED)),
        };
        let record = Rc::clone(self);
        promise::chain(&writing, move |_| {
            record.lock.take();
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Writes one thing at a time, and nothing too soon after the last, but for a deletion, which comes once; what is overtaken
    /// by something newer meanwhile is never written.
    fn write(self: &Rc<Self>, write: Write) {
        if self.store.is_none() || self.key.borrow().is_none() {
            return;
        }
        if matches!(write, Write::Delete) {
            self.due.take();
        }
        self.next.set(Some(write));
        if self.writing.borrow().is_none() {
            self.writing.replace(Some(Deferred::new()));
            self.wait();
        } else if self.time_left().is_zero() {
            // Timers of hidden pages may be late.
            self.wake.take().into_iter().for_each(|wake| wake.abort());
        }
    }

    fn time_left(&self) -> Duration {
        self.due.get().map_or(Duration::ZERO, |due| due.since(timer::now().instant))
    }

    /// Goes on to the next write, once it is due.
    fn wait(self: &Rc<Self>) {
        let left = self.time_left();
        let wait = if left.is_zero() {
            // What follows at once overtakes, too.
            promise::settled(Ok(JsValue::UNDEFINED))
        } else {
            let wake = Controller::new();
            let wait = timer::sleep(left, Some(&wake.signal()));
            self.wake.set(Some(wake));
            wait
        };
        let record = Rc::clone(self);
        promise::then(&wait, move |_| {
            record.wake.take();
            record.write_next();
        });
    }

    fn write_next(self: &Rc<Self>) {
        let next = self.next.take();
        let (Some(store), Some(key), Some(write)) = (&self.store, &*self.key.borrow(), next) else {
            return self.written();
        };
        self.due.set(Some(timer::now().instant + WRITE_INTERVAL));
        let (what, written) = match write {
            Write::Set(snapshot) if self.is_kept() => {
                ("kept", storage::call(store, "set", key, Some(&snapshot.to_json().to_json())))
            }
            Write::Set(_) => ("kept", promise::settled(Ok(JsValue::UNDEFINED))),
            Write::Delete => ("dropped", storage::call(store, "delete", key, None)),
        };
        let record = Rc::clone(self);
        promise::then(&written, move |written| {
            if let Err(cause) = written {
                record.fail(what, &cause);
            }
            match record.next.take() {
                None => record.written(),
                next => {
                    record.next.set(next);
                    record.wait();
                }
            }
        });
    }

    fn written(&self) {
        self.writing.take().into_iter().for_each(|writing| writing.resolve(&JsValue::UNDEFINED));
    }

    fn fail(&self, what: &str, cause: &JsValue) {
        self.trust.set(Trust::Failed);
        let mut message = String::from("The resume record could not be ");
        for piece in [what, " (", &storage::error_name(cause), "): the upload goes on without"] {
            message.push_str(piece);
        }
        self.warn(&message);
    }

    fn warn(&self, message: &str) {
        if !self.warned.replace(true) {
            self.listeners.warning(ErrorCode::Storage.as_str(), message);
        }
    }
}

/// Looks in a store for the record of this very file and target; none where there is no usable one.
///
/// # Errors
/// `file_changed` where the file cannot be read.
pub(crate) fn look_up(
    identity: Identity,
    store: &Store,
    file: &Blob,
    next: impl FnOnce(Option<Snapshot>) -> Settled + 'static,
) -> Promise {
    let (samples, feed) = blob::samples(file);
    let (store, file) = (store.clone(), file.clone());
    promise::chain(&samples, move |samples| {
        let samples = blob::digest(samples, feed).map_err(ReadError::into_js)?;
        let fingerprint = identity.fingerprint(&file, samples);
        let found = storage::call(&store, "get", &fingerprint.key(), None);
        let found = promise::chain(&found, move |found| match found.map(parse) {
            Ok(Found::Record(snapshot)) if snapshot.fingerprint() == fingerprint => next(Some(*snapshot)),
            _ => next(None),
        });
        Ok(found.into())
    })
}

/// Reads a snapshot that a caller kept.
///
/// # Errors
/// `invalid_argument` where it is none.
pub(crate) fn snapshot_from_js(value: &JsValue) -> Result<Snapshot, UploadError> {
    // By way of JSON, which refuses cycles, getters that throw and whatever else a page may put in.
    let (takes, field) = match parse_json(&json::stringify(value)) {
        Ok(snapshot) => return Ok(snapshot),
        Err(BadSnapshot::Newer) => ("is from a newer version of upload-session", ""),
        Err(BadSnapshot::Damaged(field)) => ("is damaged: ", field),
    };
    Err(UploadError::invalid_argument("snapshot", &[takes, field].concat()))
}

fn parse(value: JsValue) -> Found {
    match value.as_string() {
        None => Found::Nothing,
        Some(json) => parse_json(&json).map_or_else(Found::Bad, |snapshot| Found::Record(Box::new(snapshot))),
    }
}

fn parse_json(json: &str) -> Result<Snapshot, BadSnapshot> {
    let json = Value::parse(json).ok_or(BadSnapshot::Damaged("version"))?;
    Snapshot::from_json(&json)
}
