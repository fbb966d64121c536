//! Carries out what the engine decides: starts reads and requests, feeds their answers back, tells the listeners.

mod operations;
mod source;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use js_sys::{Function, Promise};
use upload_session_engine::clock::Instant;
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::json::Value;
use upload_session_engine::output::{OpId, Output, State};
use upload_session_engine::snapshot::Snapshot;
use upload_session_engine::upload::Upload;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

pub(crate) use self::source::{PartRead, Source};
use crate::connection::Connection;
use crate::error::{self, ReadError};
use crate::events::Listeners;
use crate::json;
use crate::options::UploadSettings;
use crate::slots::Slots;
use crate::sys::abort::{AbortGuard, Flag};
use crate::sys::bytes::Bytes;
use crate::sys::event::Listener;
use crate::sys::{online, timer};

/// One upload on its way.
pub(crate) struct Driver<S> {
    pub(crate) upload: RefCell<Upload>,
    pub(crate) listeners: Rc<Listeners>,
    pub(crate) source: S,
    connection: Connection,
    /// Bytes of the parts that are to be sent as they were hashed.
    held: Slots<u32, Bytes>,
    running: Slots<OpId, Running>,
    timer: RefCell<Option<Timeout>>,
    end: RefCell<End>,
    abort_waiters: RefCell<Vec<Function>>,
    signal_listener: RefCell<Option<Listener>>,
    online_listeners: RefCell<[Option<Listener>; 2]>,
    /// What JavaScript last threw, and the code of the error that it led to.
    cause: RefCell<Option<(ErrorCode, JsValue)>>,
    draining: Cell<bool>,
}

/// What stops an operation.
enum Running {
    Request(AbortGuard),
    Read(Flag),
}

/// How the upload ended, and who is waiting for it.
enum End {
    Open(Option<(Function, Function)>),
    Settled(Result<JsValue, JsValue>),
}

impl<S: Source> Driver<S> {
    /// Makes the upload of a source: a fresh one, or one that goes on from a snapshot.
    ///
    /// # Errors
    /// `invalid_argument`, from the engine.
    pub(crate) fn new(
        source: S,
        listeners: Rc<Listeners>,
        settings: UploadSettings,
        snapshot: Option<Snapshot>,
    ) -> Result<Rc<Self>, UploadError> {
        let upload = match snapshot {
            Some(snapshot) => Upload::from_snapshot(settings.config, random_seed(), snapshot)?,
            None => Upload::new(settings.config, random_seed())?,
        };
        let driver = Rc::new(Self {
            upload: RefCell::new(upload),
            listeners,
            source,
            connection: settings.connection,
            held: Slots::default(),
            running: Slots::default(),
            timer: RefCell::default(),
            end: RefCell::new(End::Open(None)),
            abort_waiters: RefCell::default(),
            signal_listener: RefCell::default(),
            online_listeners: RefCell::default(),
            cause: RefCell::default(),
            draining: Cell::new(false),
        });
        if let Some(signal) = settings.signal {
            let weak = Rc::downgrade(&driver);
            let reason = signal.clone();
            let abort = move || {
                if let Some(driver) = weak.upgrade() {
                    driver.note_cause(ErrorCode::Aborted, reason.reason());
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
                driver.signal_listener.replace(signal.on_abort(abort));
            }
        }
        Ok(driver)
    }

    /// Returns the promise of the upload's end, fulfilled with its file.
    pub(crate) fn promise(self: &Rc<Self>) -> Promise {
        Promise::new(&mut |resolve, reject| match &mut *self.end.borrow_mut() {
            End::Open(waiter) => *waiter = Some((resolve, reject)),
            End::Settled(result) => settle(result, &resolve, &reject),
        })
    }

    /// Begins.
    pub(crate) fn start(self: &Rc<Self>) {
        if S::KNOWS_NETWORK {
            let weak = Rc::downgrade(self);
            let listeners = online::on_change(move || {
                if let Some(driver) = weak.upgrade() {
                    driver.input(Self::note_network);
                }
            });
            self.online_listeners.replace(listeners);
        }
        self.input(|upload| {
            Self::note_network(upload);
            upload.handle_start(timer::now());
        });
    }

    fn note_network(upload: &mut Upload) {
        if S::KNOWS_NETWORK {
            upload.handle_online(online::is_online(), timer::now());
        }
    }

    /// Tells whether the upload has ended, be it done or not.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(*self.end.borrow(), End::Settled(_))
    }

    /// Returns the promise of an abort's end.
    pub(crate) fn aborted(self: &Rc<Self>) -> Promise {
        Promise::new(&mut |resolve, _| {
            if self.upload.borrow().is_aborting() {
                self.abort_waiters.borrow_mut().push(resolve);
            } else {
                self.once_closed(move |_| call(&resolve, &JsValue::UNDEFINED));
            }
        })
    }

    /// Gives the engine an input, then does all that it answers.
    pub(crate) fn input(self: &Rc<Self>, handle: impl FnOnce(&mut Upload)) {
        handle(&mut self.upload.borrow_mut());
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
            Output::Read { op, part, range, hasher, keep } => self.start_read(op, part, range, hasher, keep),
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
                self.timer.take();
                self.once_closed(|driver| {
                    let waiters = driver.abort_waiters.take();
                    waiters.iter().for_each(|resolve| call(resolve, &JsValue::UNDEFINED));
                });
            }
            Output::Prepare | Output::Claim | Output::Save(_) | Output::Forget => S::carry_out(self, output),
        }
    }

    fn wait_until(self: &Rc<Self>, instant: Instant) {
        let weak = Rc::downgrade(self);
        // An abort goes on to its end though the page has let go of the session.
        let aborting = self.upload.borrow().is_aborting().then(|| Rc::clone(self));
        let timeout = timer::at(instant, move || {
            if let Some(driver) = aborting.or_else(|| weak.upgrade()) {
                driver.input(|upload| upload.handle_timeout(timer::now()));
            }
        });
        self.timer.replace(Some(timeout));
    }

    fn finish(self: &Rc<Self>, result: Result<Value, UploadError>) {
        let result = match result {
            Ok(file) => Ok(json::to_js(&json::camel_case(file))),
            Err(error) => {
                let cause = self.cause.take().filter(|(code, _)| *code == error.code);
                Err(error::with_cause(error, cause.map(|(_, cause)| cause)))
            }
        };
        self.source.end(result.as_ref().err());
        self.signal_listener.take();
        self.online_listeners.take();
        let waiter = match self.end.replace(End::Settled(result.clone())) {
            End::Open(waiter) => waiter,
            End::Settled(_) => None,
        };
        self.once_closed(move |_| {
            if let Some((resolve, reject)) = waiter {
                settle(&result, &resolve, &reject);
            }
        });
    }

    /// Goes on once the record is as it should be and others may drive the upload: at once where that is so.
    fn once_closed(self: &Rc<Self>, then: impl FnOnce(&Self) + 'static) {
        let driver = Rc::clone(self);
        let close = async move {
            driver.source.close().await;
            then(&driver);
        };
        spawn_local(close);
    }

    /// A request could not even be made.
    fn refuse(self: &Rc<Self>, op: OpId, ReadError { error, cause }: ReadError) {
        self.note(error.code, cause);
        self.input(|upload| upload.handle_unsendable(op, error, timer::now()));
    }

    pub(crate) fn note(&self, code: ErrorCode, cause: Option<JsValue>) {
        cause.into_iter().for_each(|cause| self.note_cause(code, cause));
    }

    fn note_cause(&self, code: ErrorCode, cause: JsValue) {
        self.cause.replace(Some((code, cause)));
    }
}

fn settle(result: &Result<JsValue, JsValue>, resolve: &Function, reject: &Function) {
    match result {
        Ok(file) => call(resolve, file),
        Err(error) => call(reject, error),
    }
}

/// Makes a seed for jitter: it has to differ between pages, and need not be secret.
pub(crate) fn random_seed() -> u64 {
    js_sys::Math::random().to_bits()
}

/// Calls a promise's own resolve or reject function, which does not throw.
fn call(function: &Function, value: &JsValue) {
    let _ = function.call1(&JsValue::UNDEFINED, value);
}
