//! Carries out what the engine decides: starts reads and requests, feeds their answers back, tells the listeners.

mod operations;
mod source;

use alloc::rc::{Rc, Weak};
use core::cell::{Cell, RefCell};

use upload_session_engine::clock::Instant;
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::json::Value;
use upload_session_engine::output::{OpId, Output, State};
use upload_session_engine::snapshot::Snapshot;
use upload_session_engine::upload::Upload;
use wasm_bindgen::prelude::*;

pub(crate) use self::source::{PartRead, Source};
use crate::error::{self, ReadError};
use crate::events::Listeners;
use crate::json;
use crate::options::UploadSettings;
use crate::slots::Slots;
use crate::sys::bytes::Bytes;
use crate::sys::listener::{self, Controller, Listener};
use crate::sys::network::Connection;
use crate::sys::promise::{self, Deferred, Promise};
use crate::sys::timer::{self, Timer};

/// One upload on its way.
pub(crate) struct Driver<S> {
    pub(crate) upload: RefCell<Upload>,
    pub(crate) listeners: Listeners,
    pub(crate) source: S,
    connection: Connection,
    /// Bytes of the parts that are to be sent as they were hashed.
    held: Slots<u32, Bytes>,
    /// What stops an operation that is under way.
    running: Slots<OpId, Controller>,
    timer: Timer,
    /// An abort goes on to its end though the page has let go of the session.
    aborting: Cell<Option<Rc<Self>>>,
    ended: Deferred,
    has_ended: Cell<bool>,
    abort_ended: Deferred,
    signal_listener: Cell<Option<Listener>>,
    network_listener: Cell<Option<Listener>>,
    /// What JavaScript last threw, and the code of the error that it led to.
    cause: Cell<Option<(ErrorCode, JsValue)>>,
    draining: Cell<bool>,
}

impl<S: Source> Driver<S> {
    /// Makes the upload of a source: a fresh one, or one that goes on from a snapshot.
    ///
    /// # Errors
    /// `invalid_argument`, from the engine.
    pub(crate) fn new(
        source: S,
        listeners: Listeners,
        settings: UploadSettings,
        snapshot: Option<Snapshot>,
    ) -> Result<Rc<Self>, UploadError> {
        let upload = match snapshot {
            Some(snapshot) => Upload::from_snapshot(settings.config, timer::random_seed(), snapshot)?,
            None => Upload::new(settings.config, timer::random_seed())?,
        };
        let driver = Rc::new_cyclic(|weak: &Weak<Self>| {
            let weak = weak.clone();
            let on_timeout = move || {
                if let Some(driver) = weak.upgrade() {
                    driver.input(|upload| upload.handle_timeout(timer::now()));
                }
            };
            Self {
                upload: RefCell::new(upload),
                listeners,
                source,
                connection: settings.connection,
                held: Slots::default(),
                running: Slots::default(),
                timer: Timer::new(listener::callback(on_timeout)),
                aborting: Cell::default(),
                ended: Deferred::new(),
                has_ended: Cell::new(false),
                abort_ended: Deferred::new(),
                signal_listener: Cell::default(),
                network_listener: Cell::default(),
                cause: Cell::default(),
                draining: Cell::new(false),
            }
        });
        if let Some(signal) = settings.signal {
            let weak = Rc::downgrade(&driver);
            let aborted = signal.clone();
            let abort = move || {
                if let Some(driver) = weak.upgrade() {
                    driver.note_cause(ErrorCode::Aborted, aborted.reason());
                    // What was not even started is left as it is, to be resumed by who will.
                    driver.input(|upload| match upload.state() {
                        State::Idle => upload.handle_close(timer::now()),
                        _ => upload.handle_abort(timer::now()),
                    });
                }
            };
            if signal.is_aborted() {
                abort();
            } else {
                driver.signal_listener.set(Some(Listener::of_abort(&signal, abort)));
            }
        }
        Ok(driver)
    }

    /// Returns the promise of the upload's end, fulfilled with its file.
    pub(crate) fn promise(&self) -> Promise {
        self.ended.promise()
    }

    /// Begins.
    pub(crate) fn start(self: &Rc<Self>) {
        if S::KNOWS_NETWORK {
            let weak = Rc::downgrade(self);
            let listener = Listener::of_network(move || {
                if let Some(driver) = weak.upgrade() {
                    driver.input(Self::note_network);
                }
            });
            self.network_listener.set(Some(listener));
        }
        self.input(|upload| {
            Self::note_network(upload);
            upload.handle_start(timer::now());
        });
    }

    fn note_network(upload: &mut Upload) {
        if S::KNOWS_NETWORK {
            upload.handle_online(listener::is_online(), timer::now());
        }
    }

    /// Tells whether the upload has ended, be it done or not.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    /// Returns the promise of an abort's end.
    pub(crate) fn aborted(self: &Rc<Self>) -> Promise {
        if self.upload.borrow().is_aborting() { self.abort_ended.promise() } else { S::close(self) }
    }

    /// Gives the engine an input, then does all that it answers.
    pub(crate) fn input(self: &Rc<Self>, handle: impl FnOnce(&mut Upload)) {
        handle(&mut self.upload.borrow_mut());
        self.drain();
    }

    // Not inlined: there are many inputs.
    #[inline(never)]
    fn drain(self: &Rc<Self>) {
        // A listener may give an input of its own: what it leads to is done by the loop that runs already.
        if self.draining.replace(true) {
            return;
        }
        loop {
            let output = self.upload.borrow_mut().poll_output();
            match output {
                Some(output) => self.carry_out(output),
                None => break,
            }
        }
        self.draining.set(false);
    }

    fn carry_out(self: &Rc<Self>, output: Output) {
        match output {
            Output::Read { op, part, range, hasher, keep } => {
                self.start_read(PartRead { op, part, range, hasher, keep });
            }
            Output::Verify { op, hasher } => self.start_verify(op, hasher),
            Output::Send { op, request, part } => self.start_send(op, request, part),
            Output::Cancel { op } => self.cancel(op),
            Output::Release { part } => {
                self.held.take(&part).into_iter().for_each(|bytes| self.source.release(bytes));
            }
            Output::RefreshToken => self.start_refresh(),
            Output::WaitUntil(instant) => self.wait_until(instant),
            Output::Event(event) => self.listeners.tell(event),
            Output::Finished(result) => self.finish(result),
            Output::AbortEnded => {
                // It holds the upload, and keeps some runtimes from ending.
                self.timer.clear();
                self.aborting.take();
                self.once_closed(|driver| driver.abort_ended.resolve(&JsValue::UNDEFINED));
            }
            Output::Prepare | Output::Claim | Output::Save(_) | Output::Forget => S::carry_out(self, output),
        }
    }

    fn wait_until(self: &Rc<Self>, instant: Instant) {
        let aborting = self.upload.borrow().is_aborting().then(|| Rc::clone(self));
        if aborting.is_none() && self.has_ended.get() {
            // Nothing is left to be done, and a timer keeps some runtimes from ending.
            return;
        }
        self.aborting.set(aborting);
        self.timer.set(instant.since(timer::now().instant));
    }

    fn finish(self: &Rc<Self>, result: Result<Value, UploadError>) {
        let result = result.map(|file| json::file(&file.to_json())).map_err(|error| {
            let cause = self.cause.take().filter(|(code, _)| *code == error.code);
            error::with_cause(error, cause.map(|(_, cause)| cause))
        });
        if !self.upload.borrow().is_aborting() {
            self.timer.clear();
        }
        self.source.end(result.as_ref().err());
        self.signal_listener.take();
        self.network_listener.take();
        self.has_ended.set(true);
        self.once_closed(move |driver| match result {
            Ok(file) => driver.ended.resolve(&file),
            Err(error) => driver.ended.reject(&error),
        });
    }

    /// Goes on once the record is as it should be and others may drive the upload: at once where that is so.
    fn once_closed(self: &Rc<Self>, next: impl FnOnce(&Self) + 'static) {
        let driver = Rc::clone(self);
        promise::then(&S::close(self), move |_| next(&driver));
    }

    /// Keeps what JavaScript threw, and returns the error that it led to.
    pub(crate) fn noted(&self, ReadError { error, cause }: ReadError) -> UploadError {
        cause.into_iter().for_each(|cause| self.note_cause(error.code, cause));
        error
    }

    fn note_cause(&self, code: ErrorCode, cause: JsValue) {
        self.cause.set(Some((code, cause)));
    }
}
