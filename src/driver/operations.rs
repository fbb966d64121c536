//! The operations that the engine asks for, each begun, awaited and answered for.

use alloc::boxed::Box;
use alloc::rc::Rc;

use upload_session_engine::digest::PartHasher;
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::{OpId, PartBody};
use upload_session_engine::request::{Operation, Request};
use upload_session_engine::retry::Failure;
use wasm_bindgen::prelude::*;

use super::{Driver, PartRead, Source};
use crate::error::ReadError;
use crate::sys::bytes::Bytes;
use crate::sys::listener::{Controller, Signal};
use crate::sys::network::{Content, NoAnswer, Outcome};
use crate::sys::promise::{self, Settled};
use crate::sys::timer;

impl<S: Source> Driver<S> {
    /// Makes what stops an operation.
    fn begin(&self, op: OpId) -> Signal {
        let controller = Controller::new();
        let signal = controller.signal();
        self.running.insert(op, controller);
        signal
    }

    pub(super) fn cancel(&self, op: OpId) {
        if let Some(controller) = self.running.take(&op) {
            controller.abort();
        }
    }

    pub(super) fn start_read(self: &Rc<Self>, read: PartRead) {
        let signal = self.begin(read.op);
        S::read(self, read, signal);
    }

    pub(super) fn start_verify(self: &Rc<Self>, op: OpId, hasher: PartHasher) {
        let signal = self.begin(op);
        S::verify(self, op, hasher, signal);
    }

    /// A part was read to its end, or, with `end`, to that of the source; or it could not be.
    pub(crate) fn part_read(self: &Rc<Self>, read: PartRead, outcome: Result<(Option<Bytes>, Option<u64>), ReadError>) {
        let PartRead { op, part, range, hasher, .. } = read;
        match outcome {
            Ok((bytes, end)) => {
                let any = end != Some(range.start);
                // What was cancelled meanwhile is let go of.
                if let Some(bytes) = bytes.filter(|_| any && self.running.has(&op)) {
                    self.held.insert(part, bytes);
                }
                self.bytes_read(op, any.then_some(hasher), end);
            }
            Err(ReadError { error, cause }) => self.read_failed(op, ReadError { error: error.for_part(part), cause }),
        }
    }

    /// All that was read is what it should be, and ends there where that was not known before; or it is not.
    pub(crate) fn verified(self: &Rc<Self>, op: OpId, hasher: PartHasher, outcome: Result<Option<u64>, ReadError>) {
        match outcome {
            Ok(end) => self.bytes_read(op, Some(hasher), end),
            Err(failure) => self.read_failed(op, failure),
        }
    }

    #[cfg_attr(not(feature = "stream"), allow(unused_variables))]
    fn bytes_read(self: &Rc<Self>, op: OpId, hasher: Option<PartHasher>, end: Option<u64>) {
        if self.running.take(&op).is_none() {
            return;
        }
        self.input(|upload| {
            #[cfg(feature = "stream")]
            if let Some(end) = end {
                upload.handle_end(op, end, timer::now());
            }
            if let Some(hasher) = hasher {
                upload.handle_read(op, hasher, timer::now());
            }
        });
    }

    fn read_failed(self: &Rc<Self>, op: OpId, failure: ReadError) {
        if self.running.take(&op).is_some() {
            let error = self.noted(failure);
            self.input(|upload| upload.handle_read_failed(op, error, timer::now()));
        }
    }

    pub(super) fn start_send(self: &Rc<Self>, op: OpId, request: Request, part: Option<PartBody>) {
        let signal = self.begin(op);
        let content = match part.map_or_else(|| Ok(Content::default()), |part| self.content(part)) {
            Ok(content) => content,
            Err(cause) => return self.not_answered(op, request.operation, NoAnswer::Network(cause)),
        };
        let weak = Rc::downgrade(self);
        let on_sent = self.connection.is_xhr().then(|| {
            Closure::wrap(Box::new(move |bytes: f64| {
                if let Some(driver) = weak.upgrade() {
                    driver.input(|upload| upload.handle_sent(op, bytes as u64, timer::now()));
                }
            }) as Box<dyn FnMut(f64)>)
        });
        let function = on_sent.as_ref().map(|on_sent| on_sent.as_ref().clone()).unwrap_or_default();
        let sent = self.connection.send(&request, &content, &function, None, Some(&signal));
        let (driver, operation) = (Rc::clone(self), request.operation);
        promise::then(&sent, move |settled| {
            drop(on_sent);
            driver.sent(op, operation, settled);
        });
    }

    fn sent(self: &Rc<Self>, op: OpId, operation: Operation, settled: Settled) {
        let answer = match settled {
            Ok(outcome) => outcome.unchecked_into::<Outcome>().answer(),
            Err(cause) => Err(NoAnswer::Network(cause)),
        };
        match answer {
            Ok(response) => {
                self.running.take(&op);
                self.input(|upload| upload.handle_response(op, &response, timer::now()));
            }
            Err(failure) => self.not_answered(op, operation, failure),
        }
    }

    fn not_answered(self: &Rc<Self>, op: OpId, operation: Operation, failure: NoAnswer) {
        if self.running.take(&op).is_none() {
            return;
        }
        let refused = match failure {
            NoAnswer::Refused(refused) => refused,
            NoAnswer::Network(cause) | NoAnswer::Late(cause) | NoAnswer::Aborted(cause) => {
                let Some(broken) = self.source.failure() else {
                    // A deletion that fails is never what an upload ends with.
                    if operation != Operation::Delete {
                        self.note_cause(ErrorCode::Network, cause);
                    }
                    return self.input(|upload| {
                        Self::note_network(upload);
                        upload.handle_failure(op, Failure::Network, timer::now());
                    });
                };
                broken
            }
        };
        // The request could not even be made.
        let error = self.noted(refused);
        self.input(|upload| upload.handle_unsendable(op, error, timer::now()));
    }

    /// Returns what is sent of a part: the very bytes that were hashed, or what the source gives for it.
    fn content(&self, part: PartBody) -> Result<Content, JsValue> {
        match self.held.get(&part.number).filter(|_| part.held) {
            Some(bytes) => Ok(Content { body: bytes.into(), length: None, probes: false }),
            None => self.source.body(part.range),
        }
    }

    pub(super) fn start_refresh(self: &Rc<Self>) {
        let driver = Rc::clone(self);
        promise::then(&self.connection.refresh(), move |settled| {
            let refreshed = match settled.map(|outcome| outcome.unchecked_into::<Outcome>().answer()) {
                Ok(Err(NoAnswer::Refused(failure))) => Err(driver.noted(failure)),
                _ => Ok(()),
            };
            driver.input(|upload| upload.handle_token(refreshed, timer::now()));
        });
    }
}
