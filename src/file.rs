//! A file as the source of an upload, and the record that is kept of it.

use alloc::rc::Rc;
use core::ops::{Range, RangeInclusive};

use upload_session_engine::digest::PartHasher;
use upload_session_engine::output::{OpId, Output};
use wasm_bindgen::prelude::*;

use crate::driver::{Driver, PartRead, Source};
use crate::error::ReadError;
use crate::record::Record;
use crate::sys::blob::{self, Blob, Reader};
use crate::sys::bytes::{Bytes, Feed};
use crate::sys::listener::Signal;
use crate::sys::network::Content;
use crate::sys::promise::{self, Promise};
use crate::sys::timer;

/// A file that was picked.
pub(crate) struct File {
    pub(crate) blob: Blob,
    pub(crate) reader: Reader,
    /// The browser reads a file that changed as if nothing had happened.
    pub(crate) is_reread: bool,
    /// Sizes of parts whose digests the browser computes itself, if it can, in bytes.
    pub(crate) digests: RangeInclusive<u64>,
    pub(crate) record: Rc<Record>,
}

impl Source for File {
    const KNOWS_NETWORK: bool = true;

    fn carry_out(driver: &Rc<Driver<Self>>, output: Output) {
        match output {
            Output::Prepare => driver.start_prepare(),
            Output::Claim => driver.start_claim(),
            Output::Save(snapshot) => driver.source.record.save(snapshot),
            Output::Forget => driver.source.record.forget(),
            // The driver itself carries out all others.
            _ => {}
        }
    }

    fn read(driver: &Rc<Driver<Self>>, mut read: PartRead, signal: Signal) {
        let Self { reader, is_reread, digests, .. } = &driver.source;
        let length = read.range.end - read.range.start;
        let digests = read.hasher.wanted().part && digests.contains(&length);
        let feed = Feed::new(read.hasher.clone(), length);
        if *is_reread && !read.keep && !read.hasher.wanted().file {
            // What was sent is compared with what is there after that: a stream that is open may have read it before.
            reader.close();
        }
        let reading = reader.read(read.range.clone(), &feed, digests, read.keep, &signal);
        let driver = Rc::clone(driver);
        promise::then(&reading, move |bytes| {
            read.hasher = feed.into_hasher();
            let bytes = blob::kept(bytes);
            // Where memory is short the part is sent as a slice of the file.
            if read.keep && matches!(bytes, Ok(None)) {
                driver.input(|upload| upload.handle_not_held(read.op));
            }
            driver.part_read(read, bytes.map(|bytes| (bytes, None)));
        });
    }

    fn verify(driver: &Rc<Driver<Self>>, op: OpId, hasher: PartHasher, signal: Signal) {
        let Self { blob, is_reread, .. } = &driver.source;
        let feed = Feed::new(hasher, blob.size());
        // Where the browser itself knows of a change it is asked, and no more.
        let read = if *is_reread { blob::read_whole(blob, &feed, &signal) } else { blob::probe(blob) };
        let driver = Rc::clone(driver);
        promise::then(&read, move |read| driver.verified(op, feed.into_hasher(), blob::whole(read).map(|()| None)));
    }

    fn body(&self, range: Range<u64>) -> Result<Content, JsValue> {
        // Firefox never ends a request whose content it cannot read.
        Ok(Content { body: self.blob.slice(range)?, length: None, probes: self.is_reread })
    }

    // The browser reads a slice itself.
    fn failure(&self) -> Option<ReadError> {
        None
    }

    fn release(&self, bytes: Bytes) {
        self.reader.recycle(&bytes);
    }

    fn end(&self, _: Option<&JsValue>) {
        self.reader.close();
    }

    fn close(driver: &Rc<Driver<Self>>) -> Promise {
        driver.source.record.close()
    }
}

impl Driver<File> {
    fn start_prepare(self: &Rc<Self>) {
        let driver = Rc::clone(self);
        Record::prepare(&self.source.record, &self.source.blob, move |prepared| {
            let fingerprint = prepared.map_err(|failure| driver.noted(failure));
            driver.input(|upload| {
                let fingerprint = fingerprint.map(|(fingerprint, record)| {
                    record.into_iter().for_each(|record| upload.handle_record(record));
                    fingerprint
                });
                upload.handle_prepared(fingerprint, timer::now());
            });
            if driver.has_ended() {
                // It ended meanwhile, before there was a lock to let go of.
                let _ = driver.source.record.close();
            }
        });
    }

    fn start_claim(self: &Rc<Self>) {
        let driver = Rc::clone(self);
        Record::claim(&self.source.record, move |claimed| {
            driver.input(|upload| upload.handle_claimed(claimed, timer::now()));
        });
    }
}
