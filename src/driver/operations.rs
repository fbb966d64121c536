//! The operations that the engine asks for, each begun, awaited and answered for.

use std::ops::Range;
use std::rc::Rc;

use upload_session_engine::digest::PartHasher;
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::{OpId, PartBody};
use upload_session_engine::request::{Operation, Request};
use upload_session_engine::retry::Failure;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::{Driver, PartRead, Running, Source};
use crate::connection::{Content, Overrides, SendError, unsendable};
use crate::error::ReadError;
use crate::sys::abort::{AbortGuard, Flag};
use crate::sys::timer;

impl<S: Source> Driver<S> {
    pub(super) fn start_read(
        self: &Rc<Self>,
        op: OpId,
        part: u32,
        range: Range<u64>,
        mut hasher: PartHasher,
        keep: bool,
    ) {
        let driver = Rc::clone(self);
        let stop = Flag::default();
        self.running.insert(op, Running::Read(stop.clone()));
        spawn_local(async move {
            let start = range.start;
            let read = driver.source.read(range, &mut hasher, keep, &stop).await;
            driver.running.take(&op);
            match read {
                _ if stop.is_raised() => {}
                Ok(PartRead { bytes, end }) => {
                    if end != Some(start)
                        && let Some(bytes) = bytes
                    {
                        driver.held.insert(part, bytes);
                    }
                    driver.input(|upload| {
                        if let Some(end) = end {
                            upload.handle_end(op, end, timer::now());
                        }
                        if end != Some(start) {
                            upload.handle_read(op, hasher, timer::now());
                        }
                    });
                }
                Err(ReadError { error, cause }) => {
                    driver.read_failed(op, ReadError { error: error.for_part(part), cause });
                }
            }
        });
    }

    pub(super) fn start_verify(self: &Rc<Self>, op: OpId, mut hasher: PartHasher) {
        let driver = Rc::clone(self);
        let stop = Flag::default();
        self.running.insert(op, Running::Read(stop.clone()));
        spawn_local(async move {
            let verified = driver.source.verify(&mut hasher, &stop).await;
            driver.running.take(&op);
            match verified {
                _ if stop.is_raised() => {}
                Ok(end) => driver.input(|upload| {
                    if let Some(end) = end {
                        upload.handle_end(op, end, timer::now());
                    }
                    upload.handle_read(op, hasher, timer::now());
                }),
                Err(failure) => driver.read_failed(op, failure),
            }
        });
    }

    fn read_failed(self: &Rc<Self>, op: OpId, ReadError { error, cause }: ReadError) {
        self.note(error.code, cause);
        self.input(|upload| upload.handle_read_failed(op, error, timer::now()));
    }

    pub(super) fn start_send(self: &Rc<Self>, op: OpId, request: Request, part: Option<PartBody>) {
        let driver = Rc::clone(self);
        let signal = match AbortGuard::new() {
            Ok(guard) => {
                let signal = guard.signal();
                self.running.insert(op, Running::Request(guard));
                Ok(signal)
            }
            Err(cause) => Err(cause),
        };
        spawn_local(async move {
            if let Err(failure) = driver.check_unheld(part.as_ref()).await {
                if driver.running.take(&op).is_some() {
                    driver.refuse(op, failure);
                }
                return;
            }
            let operation = request.operation;
            let sent = async {
                let content = part.map(|part| driver.content(op, part)).transpose().map_err(SendError::NoAnswer)?;
                let signal = signal.map_err(SendError::NoAnswer)?;
                driver.connection.send(request, content, &Overrides::default(), &signal).await
            };
            let sent = sent.await;
            let was_running = driver.running.take(&op).is_some();
            match sent {
                Ok(response) => driver.input(|upload| upload.handle_response(op, &response, timer::now())),
                Err(_) if !was_running => {}
                Err(SendError::NoAnswer(cause)) => {
                    if let Some(failure) = driver.source.failure() {
                        return driver.refuse(op, failure);
                    }
                    // A deletion that fails is never what an upload ends with.
                    if operation != Operation::Delete {
                        driver.note_cause(ErrorCode::Network, cause);
                    }
                    driver.input(|upload| {
                        Self::note_network(upload);
                        upload.handle_failure(op, Failure::Network, timer::now());
                    });
                }
                Err(SendError::Token(refused)) => driver.refuse(op, refused),
                Err(SendError::Unsendable(cause)) => driver.refuse(op, unsendable(cause)),
            }
        });
    }

    /// Looks whether what is to be sent as the source has it is there at all.
    async fn check_unheld(&self, part: Option<&PartBody>) -> Result<(), ReadError> {
        match part {
            Some(part) if !part.held || self.held.get(&part.number).is_none() => {
                self.source.before_send(part.range.clone()).await
            }
            _ => Ok(()),
        }
    }

    /// Returns what is sent of a part: the very bytes that were hashed, or what the source gives for it.
    fn content(self: &Rc<Self>, op: OpId, part: PartBody) -> Result<Content, JsValue> {
        let held = self.held.get(&part.number);
        let (body, length) = match held.filter(|_| part.held) {
            Some(bytes) => (bytes.into(), None),
            None => self.source.body(part.range)?,
        };
        let weak = Rc::downgrade(self);
        let on_sent = move |bytes| {
            if let Some(driver) = weak.upgrade() {
                driver.input(|upload| upload.handle_sent(op, bytes, timer::now()));
            }
        };
        Ok(Content { body, length, on_sent: Box::new(on_sent) })
    }

    pub(super) fn cancel(&self, op: OpId) {
        match self.running.take(&op) {
            Some(Running::Request(guard)) => guard.abort(),
            Some(Running::Read(stop)) => stop.raise(),
            None => {}
        }
    }

    pub(super) fn start_refresh(self: &Rc<Self>) {
        let driver = Rc::clone(self);
        spawn_local(async move {
            let refreshed = driver.connection.token.refresh().await.map_err(|failure| {
                driver.note(failure.error.code, failure.cause);
                failure.error
            });
            driver.input(|upload| upload.handle_token(refreshed, timer::now()));
        });
    }
}
