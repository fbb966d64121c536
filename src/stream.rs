//! A stream as the source of an upload: read once, from its beginning to its end, no faster than it is sent.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::ops::Range;

use upload_session_engine::digest::PartHasher;
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::output::{OpId, Output};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::driver::{Driver, PartRead, Source};
use crate::error::ReadError;
use crate::sys::bytes::{self, Bytes, Feed};
use crate::sys::chunks::{self, Chunks};
use crate::sys::listener::{Controller, Listener, Signal};
use crate::sys::network::Content;
use crate::sys::promise::{self, Promise};
use crate::sys::timer::Breather;

/// A caller's `ReadableStream`.
pub(crate) struct Stream(Rc<Inner>);

struct Inner {
    chunks: Chunks,
    /// Bytes that it is to have; none where that is not known.
    size: Cell<Option<u64>>,
    /// Bytes of it that were taken so far.
    position: Cell<u64>,
    /// What was read of it and not taken yet, in order.
    ahead: RefCell<VecDeque<Bytes>>,
    has_ended: Cell<bool>,
    /// Memory of parts that were acknowledged, for those to come: a runtime counts what it has not collected yet, too.
    free: RefCell<Vec<Bytes>>,
    /// Why a part that was passed on broke off.
    failure: RefCell<Option<ReadError>>,
}

impl Stream {
    /// Begins to read a caller's stream; the caller cannot any more.
    ///
    /// # Errors
    /// `invalid_argument` where it is none, or somebody reads it already.
    pub(crate) fn new(source: &JsValue, size: Option<u64>) -> Result<Self, UploadError> {
        let takes = || UploadError::invalid_argument("source", "takes a ReadableStream that nobody reads yet");
        if !chunks::is_stream(source) {
            return Err(takes());
        }
        let chunks = Chunks::new(source, size.unwrap_or(u64::MAX)).map_err(|_| takes())?;
        Ok(Self(Rc::new(Inner {
            chunks,
            size: Cell::new(size),
            position: Cell::new(0),
            ahead: RefCell::default(),
            has_ended: Cell::new(false),
            free: RefCell::default(),
            failure: RefCell::default(),
        })))
    }

    /// Reads ahead, and returns how many bytes there are in all, where it ends within so many.
    ///
    /// # Errors
    /// The stream fails, or the signal is aborted.
    pub(crate) async fn peek(&self, limit: u64, signal: Option<&Signal>) -> Result<Option<u64>, ReadError> {
        let Some(room) = Bytes::reserve(limit + 1) else { return Ok(None) };
        let stop = Controller::new();
        let stopped = signal.map(|signal| {
            let (stop, inner, own) = (stop.clone(), Rc::clone(&self.0), signal.clone());
            Listener::of_abort(signal, move || {
                stop.abort();
                // A stream that is cancelled ends at once, however slow it is.
                inner.chunks.cancel_with(&aborted(&own).into_js());
            })
        });
        if signal.is_some_and(Signal::is_aborted) {
            stop.abort();
        }
        let filled = self.0.fill(&room, &stop.signal()).await;
        drop(stopped);
        if let Some(signal) = signal.filter(|signal| signal.is_aborted()) {
            return Err(aborted(signal));
        }
        let filled = filled?;
        self.0.put_back(room.part(0..filled).map_err(|cause| self.0.failed(cause))?);
        self.0.position.set(0);
        let size = (filled <= limit).then_some(filled);
        self.0.size.set(size);
        Ok(size)
    }

    /// Reads no further, as the upload failed.
    pub(crate) fn cancel(&self, reason: &JsValue) {
        self.0.chunks.cancel_with(reason);
    }
}

impl Source for Stream {
    const KNOWS_NETWORK: bool = false;

    // The engine asks none of it of a stream.
    fn carry_out(_: &Rc<Driver<Self>>, _: Output) {}

    fn read(driver: &Rc<Driver<Self>>, mut read: PartRead, signal: Signal) {
        let driver = Rc::clone(driver);
        spawn_local(async move {
            let outcome = driver.source.0.read(&mut read, &signal).await;
            driver.part_read(read, outcome);
        });
    }

    fn verify(driver: &Rc<Driver<Self>>, op: OpId, hasher: PartHasher, _: Signal) {
        let driver = Rc::clone(driver);
        spawn_local(async move {
            let outcome = driver.source.0.verify().await;
            driver.verified(op, hasher, outcome);
        });
    }

    /// Passes a part on as it is read.
    fn body(&self, range: Range<u64>) -> Result<Content, JsValue> {
        let (inner, end, length) = (Rc::clone(&self.0), range.end, range.end - range.start);
        let body = chunks::of_chunks(length, move || {
            let inner = Rc::clone(&inner);
            async move { inner.pass_on(end).await }
        })?;
        Ok(Content { body, length: Some(length as f64), probes: false })
    }

    fn failure(&self) -> Option<ReadError> {
        self.0.failure.take()
    }

    fn release(&self, bytes: Bytes) {
        self.0.free.borrow_mut().push(bytes);
    }

    fn end(&self, error: Option<&JsValue>) {
        if let Some(error) = error {
            self.cancel(error);
        }
    }

    fn close(_: &Rc<Driver<Self>>) -> Promise {
        promise::settled(Ok(JsValue::UNDEFINED))
    }
}

impl Inner {
    /// Reads a part; returns its bytes, and where the stream ended where that was not known before.
    async fn read(&self, read: &mut PartRead, stop: &Signal) -> Result<(Option<Bytes>, Option<u64>), ReadError> {
        let (start, length) = (read.range.start, read.range.end - read.range.start);
        let room = self.room(length)?;
        let filled = self.fill(&room, stop).await?;
        let end = (filled < length).then_some(start + filled);
        if let Some(end) = end.filter(|_| !stop.is_aborted()) {
            self.check_end(end)?;
        }
        let bytes = room.part(0..filled).map_err(|cause| self.failed(cause))?;
        if read.hasher.wants_any() {
            let feed = Feed::new(read.hasher.clone(), filled);
            let fed = JsFuture::from(bytes::feed_bytes(&bytes, &feed.function())).await;
            fed.map_err(|cause| self.failed(cause))?;
            read.hasher = feed.into_hasher();
        }
        Ok((Some(bytes), end))
    }

    async fn verify(&self) -> Result<Option<u64>, ReadError> {
        let position = self.position.get();
        match (self.next().await?, self.size.get()) {
            (None, _) => Ok(Some(position)),
            (Some(_), Some(size)) => {
                let message = format!("The source has more than the {size} bytes of its `size`");
                Err(UploadError::new(ErrorCode::FileChanged, &message).into())
            }
            (Some(_), None) => {
                let message =
                    format!("The source goes on after {position} bytes, which are all the parts that the API takes");
                Err(UploadError::new(ErrorCode::FileTooLarge, &message).into())
            }
        }
    }

    /// Returns the next bytes, however many; none at the end.
    async fn next(&self) -> Result<Option<Bytes>, ReadError> {
        loop {
            let ahead = self.ahead.borrow_mut().pop_front();
            if ahead.is_some() {
                return Ok(ahead);
            }
            if self.has_ended.get() {
                return Ok(None);
            }
            match self.chunks.next().await.map_err(|cause| self.failed(cause))? {
                None => self.has_ended.set(true),
                Some(chunk) => {
                    let takes = || UploadError::invalid_argument("source", "takes a stream of Uint8Array");
                    let bytes = Bytes::from_chunk(chunk).ok_or_else(takes)?;
                    self.put_back(bytes);
                }
            }
        }
    }

    /// Takes as many bytes as there is room for, or as there are.
    async fn fill(&self, room: &Bytes, stop: &Signal) -> Result<u64, ReadError> {
        let mut breather = Breather::new();
        let mut filled = 0;
        while filled < room.len() && !stop.is_aborted() {
            let Some(bytes) = self.take(room.len() - filled).await? else { break };
            room.fill(&bytes, filled).map_err(|cause| self.failed(cause))?;
            filled += bytes.len();
            breather.breathe().await;
        }
        Ok(filled)
    }

    /// Takes the next bytes, so many at most.
    async fn take(&self, most: u64) -> Result<Option<Bytes>, ReadError> {
        let Some(bytes) = self.next().await? else { return Ok(None) };
        let length = bytes.len().min(most);
        let part = |range| bytes.part(range).map_err(|cause| self.failed(cause));
        if length < bytes.len() {
            self.put_back(part(length..bytes.len())?);
        }
        self.position.set(self.position.get() + length);
        part(0..length).map(Some)
    }

    /// Puts bytes before all that are still to be taken; chunks may be empty.
    fn put_back(&self, bytes: Bytes) {
        if bytes.len() > 0 {
            self.ahead.borrow_mut().push_front(bytes);
        }
    }

    /// Returns the next bytes of a part that is passed on; none at its end.
    async fn pass_on(&self, end: u64) -> Result<Option<Bytes>, JsValue> {
        let left = end.saturating_sub(self.position.get());
        if left == 0 {
            return Ok(None);
        }
        let taken = match self.take(left).await {
            Ok(None) => self.check_end(self.position.get()).map(|()| None),
            taken => taken,
        };
        match taken {
            // What the reader gives is gone with the next chunk.
            Ok(bytes) => bytes.map(|bytes| bytes.copy()).transpose(),
            Err(failure) => {
                let cause = failure.cause.clone().unwrap_or(JsValue::UNDEFINED);
                self.failure.replace(Some(failure));
                Err(cause)
            }
        }
    }

    /// Returns memory for so many bytes.
    fn room(&self, length: u64) -> Result<Bytes, ReadError> {
        let free = self.free.borrow_mut().pop().filter(|bytes| bytes.len() >= length);
        let part = free.and_then(|bytes| bytes.part(0..length).ok());
        let takes = || {
            let takes = format!("takes less than it does: there is no room for the {length} bytes of a part");
            UploadError::invalid_argument("memoryBudget", &takes).into()
        };
        part.or_else(|| Bytes::reserve(length)).ok_or_else(takes)
    }

    fn check_end(&self, end: u64) -> Result<(), ReadError> {
        match self.size.get() {
            Some(size) => {
                let message = format!("The source ended after {end} of the {size} bytes of its `size`");
                Err(UploadError::new(ErrorCode::FileChanged, &message).into())
            }
            None => Ok(()),
        }
    }

    fn failed(&self, cause: JsValue) -> ReadError {
        let message = format!("The source failed after {} bytes", self.position.get());
        ReadError { error: UploadError::new(ErrorCode::Network, &message), cause: Some(cause) }
    }
}

fn aborted(signal: &Signal) -> ReadError {
    let error = UploadError::new(ErrorCode::Aborted, "The upload was aborted");
    ReadError { error, cause: Some(signal.reason()) }
}
