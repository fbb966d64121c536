//! Files: `Blob` and `File` (W3C File API).

use alloc::string::String;
use core::ops::Range;

use upload_session_engine::digest::{Digest, PartHasher};
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::snapshot::sample_ranges;
use wasm_bindgen::prelude::*;

use crate::error::ReadError;
use crate::sys::bytes::{Bytes, Feed};
use crate::sys::promise::{Promise, Settled};

#[wasm_bindgen]
extern "C" {
    /// A `Blob`, checked to be one.
    #[derive(Clone)]
    pub(crate) type Blob;

    #[wasm_bindgen(method, getter, js_name = size)]
    fn js_size(this: &Blob) -> f64;

    #[wasm_bindgen(method, getter, js_name = type)]
    pub(crate) fn media_type(this: &Blob) -> String;
}

#[wasm_bindgen(module = "/src/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = isBlob)]
    fn is_blob(value: &JsValue) -> bool;

    #[wasm_bindgen(js_name = isChromium)]
    pub(crate) fn is_chromium() -> bool;

    #[wasm_bindgen(js_name = isFirefox)]
    pub(crate) fn is_firefox() -> bool;

    /// Returns the name of a file; none of a plain blob.
    #[wasm_bindgen(js_name = fileName)]
    pub(crate) fn name(blob: &Blob) -> Option<String>;

    /// Returns when a file was last changed, in milliseconds since 1970; none of a plain blob.
    #[wasm_bindgen(js_name = lastModified)]
    pub(crate) fn last_modified(blob: &Blob) -> Option<f64>;

    /// Takes what a caller hands in as a request's body; undefined where it is none.
    pub(crate) fn body(value: &JsValue) -> JsValue;

    #[wasm_bindgen(catch, js_name = slice)]
    fn js_slice(blob: &Blob, start: f64, end: f64) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = readRanges)]
    fn js_read_ranges(blob: &JsValue, ranges: &[f64], feed: &JsValue) -> Promise;

    #[wasm_bindgen(js_name = readWhole)]
    fn js_read_whole(blob: &JsValue, feed: &JsValue, signal: &JsValue) -> Promise;

    #[wasm_bindgen(js_name = probe)]
    fn js_probe(blob: &JsValue) -> Promise;

    /// Reads one file part by part.
    pub(crate) type Reader;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new(blob: &Blob) -> Reader;

    #[wasm_bindgen(method, js_name = read)]
    fn js_read(
        this: &Reader,
        start: f64,
        end: f64,
        feed: &JsValue,
        digests: bool,
        keeps: bool,
        signal: &JsValue,
    ) -> Promise;

    /// Takes back the memory of a part that was kept.
    #[wasm_bindgen(method)]
    pub(crate) fn recycle(this: &Reader, bytes: &Bytes);

    /// Lets go of the file, until it is read again.
    #[wasm_bindgen(method)]
    pub(crate) fn close(this: &Reader);
}

impl Blob {
    /// Takes a blob; none where it is something else.
    pub(crate) fn from_js(value: &JsValue) -> Option<Self> {
        is_blob(value).then(|| value.clone().unchecked_into())
    }

    /// Returns the size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.js_size() as u64
    }

    /// Returns a part of the blob, which the browser reads from disk when it is sent; an empty one is the blob itself.
    ///
    /// # Errors
    /// The browser cannot slice the blob.
    pub(crate) fn slice(&self, range: Range<u64>) -> Result<JsValue, JsValue> {
        if range.end == 0 { Ok(self.clone().into()) } else { js_slice(self, range.start as f64, range.end as f64) }
    }
}

impl Reader {
    /// Reads a range once: feeds the hasher, and `keeps` the bytes where there is memory for them. Leaves off between two
    /// chunks where the signal is aborted. To be looked at with [`kept`]. With `digests` the platform computes
    /// the part's digest, if it can.
    pub(crate) fn read(&self, range: Range<u64>, feed: &Feed, digests: bool, keeps: bool, signal: &JsValue) -> Promise {
        self.js_read(range.start as f64, range.end as f64, &feed.function(), digests, keeps, signal)
    }
}

/// Reads the whole of a blob, and finds out where there is more of it than [`Blob::size`] says. To be looked at with
/// [`whole`].
pub(crate) fn read_whole(blob: &JsValue, feed: &Feed, signal: &JsValue) -> Promise {
    js_read_whole(blob, &feed.function(), signal)
}

/// Looks whether a blob can still be read, at the cost of a byte. To be looked at with [`whole`].
pub(crate) fn probe(blob: &Blob) -> Promise {
    js_probe(blob)
}

/// Reads a blob's first, middle and last bytes; what comes of it is their [`digest`].
pub(crate) fn samples(blob: &Blob) -> (Promise, Feed) {
    let mut bounds = [0.0; 6];
    let ranges = sample_ranges(blob.size());
    for (bounds, range) in bounds.chunks_exact_mut(2).zip(&ranges) {
        bounds.copy_from_slice(&[range.start as f64, range.end as f64]);
    }
    let feed = Feed::new(PartHasher::plain(), u64::MAX);
    let bounds = bounds.get(..2 * ranges.len()).unwrap_or_default();
    (js_read_ranges(blob, bounds, &feed.function()), feed)
}

/// Returns the digest of what was read.
///
/// # Errors
/// As [`whole`].
pub(crate) fn digest(read: Settled, feed: Feed) -> Result<Digest, ReadError> {
    whole(read)?;
    feed.into_hasher().finish().ok_or_else(|| ReadError::refused(JsValue::UNDEFINED))
}

/// Makes sure that all was read that was asked for.
///
/// # Errors
/// `file_changed`: the browser refused to read, or other bytes came.
pub(crate) fn whole(read: Settled) -> Result<(), ReadError> {
    kept(read).map(drop)
}

/// Makes sure that all was read that was asked for, and returns the bytes where they were kept.
///
/// # Errors
/// As [`whole`].
pub(crate) fn kept(read: Settled) -> Result<Option<Bytes>, ReadError> {
    let kept = read.map_err(ReadError::refused)?;
    match kept.as_string() {
        Some(changed) => Err(UploadError::new(ErrorCode::FileChanged, &changed).into()),
        None => Ok((!kept.is_undefined()).then(|| kept.unchecked_into())),
    }
}
