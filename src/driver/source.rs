//! Where an upload's bytes come from: what the driver asks of a file, or of a stream.

use alloc::rc::Rc;
use core::ops::Range;

use upload_session_engine::digest::PartHasher;
use upload_session_engine::output::{OpId, Output};
use wasm_bindgen::prelude::*;

use super::Driver;
use crate::error::ReadError;
use crate::sys::bytes::Bytes;
use crate::sys::listener::Signal;
use crate::sys::network::Content;
use crate::sys::promise::Promise;

/// A part that is to be read.
pub(crate) struct PartRead {
    pub(crate) op: OpId,
    pub(crate) part: u32,
    pub(crate) range: Range<u64>,
    pub(crate) hasher: PartHasher,
    /// Whether to keep its bytes, where there is room.
    pub(crate) keep: bool,
}

/// The bytes of one upload. What takes time is begun, and answered for by a call of the driver's.
pub(crate) trait Source: Sized + 'static {
    /// Whether the platform tells of a network that comes and goes.
    const KNOWS_NETWORK: bool;

    /// Carries out what is asked of some sources only: [`Output::Prepare`], [`Output::Claim`], [`Output::Save`] and
    /// [`Output::Forget`].
    fn carry_out(driver: &Rc<Driver<Self>>, output: Output);

    /// Reads a part into its hasher, and into memory where it is to be kept and there is room; answered by
    /// [`Driver::part_read`]. Leaves off where the signal is aborted.
    fn read(driver: &Rc<Driver<Self>>, read: PartRead, signal: Signal);

    /// Makes sure that what was read is the whole of it; answered by [`Driver::verified`].
    fn verify(driver: &Rc<Driver<Self>>, op: OpId, hasher: PartHasher, signal: Signal);

    /// Returns the body of a part that is not held.
    ///
    /// # Errors
    /// The platform cannot make one.
    fn body(&self, range: Range<u64>) -> Result<Content, JsValue>;

    /// Returns why a body that it gave broke off, where it did.
    fn failure(&self) -> Option<ReadError>;

    /// Takes back the bytes of a part.
    fn release(&self, bytes: Bytes);

    /// Takes in that the upload has ended, and why where it failed.
    fn end(&self, error: Option<&JsValue>);

    /// Waits until nothing of the upload is left to be done, e.g. a record to be written.
    fn close(driver: &Rc<Driver<Self>>) -> Promise;
}
