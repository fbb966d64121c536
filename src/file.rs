//! A file as the source of an upload, and the record that is kept of it.

use std::ops::Range;
use std::rc::Rc;

use upload_session_engine::digest::PartHasher;
use upload_session_engine::output::Output;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use crate::driver::{Driver, PartRead, Source};
use crate::error::ReadError;
use crate::record::Record;
use crate::sys::abort::Flag;
use crate::sys::bytes::Bytes;
use crate::sys::{blob, timer};
use crate::watch::{self, Watch};

/// A file that was picked.
pub(crate) struct File {
    pub(crate) blob: Blob,
    pub(crate) watch: Watch,
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

    async fn read(
        &self,
        range: Range<u64>,
        hasher: &mut PartHasher,
        keep: bool,
        stop: &Flag,
    ) -> Result<PartRead, ReadError> {
        // Where memory is short the part is sent as a slice of the file.
        let bytes = if keep { Bytes::reserve(range.end - range.start) } else { None };
        self.watch.look(&self.blob).await?;
        let feed = hasher.wanted().any().then_some(hasher);
        blob::read(&self.blob, range, feed, bytes.as_ref(), stop).await?;
        Ok(PartRead { bytes, end: None })
    }

    async fn verify(&self, hasher: &mut PartHasher, stop: &Flag) -> Result<Option<u64>, ReadError> {
        watch::verify(&self.blob, hasher, stop).await?;
        Ok(None)
    }

    async fn before_send(&self, range: Range<u64>) -> Result<(), ReadError> {
        self.watch.before_slice(&self.blob, range).await
    }

    fn body(&self, range: Range<u64>) -> Result<(JsValue, Option<u64>), JsValue> {
        Ok((blob::slice(&self.blob, range)?.into(), None))
    }

    // The browser reads a slice itself.
    fn failure(&self) -> Option<ReadError> {
        None
    }

    fn release(&self, bytes: Bytes) {
        drop(bytes);
    }

    fn end(&self, _: Option<&JsValue>) {}

    async fn close(&self) {
        self.record.close().await;
    }
}

impl Driver<File> {
    fn start_prepare(self: &Rc<Self>) {
        let driver = Rc::clone(self);
        spawn_local(async move {
            let prepared =
                driver.source.record.prepare(&driver.source.blob).await.map_err(|ReadError { error, cause }| {
                    driver.note(error.code, cause);
                    error
                });
            driver.input(|upload| {
                let fingerprint = prepared.map(|(fingerprint, record)| {
                    record.into_iter().for_each(|record| upload.handle_record(record));
                    fingerprint
                });
                upload.handle_prepared(fingerprint, timer::now());
            });
            if driver.has_ended() {
                // It ended meanwhile, before there was a lock to let go of.
                driver.source.record.close().await;
            }
        });
    }

    fn start_claim(self: &Rc<Self>) {
        let driver = Rc::clone(self);
        spawn_local(async move {
            let claimed = driver.source.record.claim().await;
            driver.input(|upload| upload.handle_claimed(claimed, timer::now()));
        });
    }
}
