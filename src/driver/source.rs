//! Where an upload's bytes come from: what the driver asks of a file, or of a stream.

use std::ops::Range;
use std::rc::Rc;

use upload_session_engine::digest::PartHasher;
use upload_session_engine::output::Output;
use wasm_bindgen::prelude::*;

use super::Driver;
use crate::error::ReadError;
use crate::sys::abort::Flag;
use crate::sys::bytes::Bytes;

/// What came of reading a part.
pub(crate) struct PartRead {
    /// Its bytes, where they are kept.
    pub(crate) bytes: Option<Bytes>,
    /// Where the source ended, where that was not known before.
    pub(crate) end: Option<u64>,
}

/// The bytes of one upload.
pub(crate) trait Source: Sized + 'static {
    /// Whether the platform tells of a network that comes and goes.
    const KNOWS_NETWORK: bool;

    /// Carries out what is asked of some sources only: [`Output::Prepare`], [`Output::Claim`], [`Output::Save`] and
    /// [`Output::Forget`].
    fn carry_out(driver: &Rc<Driver<Self>>, output: Output);

    /// Reads a part into its hasher, and into memory where it is to be kept and there is room. Leaves off where `stop` is
    /// raised.
    ///
    /// # Errors
    /// It cannot be read, or other bytes come than were asked for.
    async fn read(
        &self,
        range: Range<u64>,
        hasher: &mut PartHasher,
        keep: bool,
        stop: &Flag,
    ) -> Result<PartRead, ReadError>;

    /// Makes sure that what was read is the whole of it; returns where it ends, where that was not known before.
    ///
    /// # Errors
    /// It is not, or it cannot be told.
    async fn verify(&self, hasher: &mut PartHasher, stop: &Flag) -> Result<Option<u64>, ReadError>;

    /// Makes sure that a part which is not held can be sent.
    ///
    /// # Errors
    /// It is gone.
    async fn before_send(&self, range: Range<u64>) -> Result<(), ReadError>;

    /// Returns the body of a part that is not held, and its length where the platform cannot tell by itself.
    ///
    /// # Errors
    /// The platform cannot make one.
    fn body(&self, range: Range<u64>) -> Result<(JsValue, Option<u64>), JsValue>;

    /// Returns why a body that it gave broke off, where it did.
    fn failure(&self) -> Option<ReadError>;

    /// Takes back the bytes of a part.
    fn release(&self, bytes: Bytes);

    /// Takes in that the upload has ended, and why where it failed.
    fn end(&self, error: Option<&JsValue>);

    /// Waits until nothing of the upload is left to be done, e.g. a record to be written.
    async fn close(&self);
}
