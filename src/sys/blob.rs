//! Files: `Blob`, `File` and their streams (W3C File API).

use std::ops::Range;

use js_sys::{ArrayBuffer, Reflect, Uint8Array};
use upload_session_engine::digest::PartHasher;
use upload_session_engine::error::UploadError;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, ReadableStreamDefaultReader};

use crate::error::ReadError;
use crate::sys::abort::Flag;
use crate::sys::timer::Breather;

/// How many bytes enter the module at a time on their way to the hasher.
const SCRATCH: usize = 256 * 1024;
/// Type of every body that is sent: the connector learns the file's own type from its name.
const OCTET_STREAM: &str = "application/octet-stream";

/// What a caller may hand in as a request's body.
pub(crate) enum Body {
    Blob(Blob),
    Bytes(Uint8Array),
}

impl Body {
    /// # Errors
    /// `invalid_argument` for anything that is neither.
    pub(crate) fn from_js(value: &JsValue) -> Result<Self, UploadError> {
        if let Some(blob) = value.dyn_ref::<Blob>() {
            Ok(Self::Blob(blob.clone()))
        } else if let Some(bytes) = value.dyn_ref::<Uint8Array>() {
            Ok(Self::Bytes(bytes.clone()))
        } else if let Some(buffer) = value.dyn_ref::<ArrayBuffer>() {
            Ok(Self::Bytes(Uint8Array::new(buffer)))
        } else {
            Err(UploadError::invalid_argument("body", "takes a Blob, an ArrayBuffer or a Uint8Array"))
        }
    }

    /// # Errors
    /// The browser cannot slice the blob.
    pub(crate) fn into_js(self) -> Result<JsValue, JsValue> {
        match self {
            Self::Blob(blob) => {
                let size = size(&blob);
                Ok(slice(&blob, 0..size)?.into())
            }
            Self::Bytes(bytes) => Ok(bytes.into()),
        }
    }
}

/// Returns the size of a blob in bytes.
pub(crate) fn size(blob: &Blob) -> u64 {
    blob.size() as u64
}

/// Returns the name of a file; none of a plain blob.
pub(crate) fn name(blob: &Blob) -> Option<String> {
    blob.dyn_ref::<File>().map(File::name)
}

/// Returns a part of a blob, which the browser reads from disk when it is sent.
///
/// # Errors
/// The browser cannot slice the blob.
pub(crate) fn slice(blob: &Blob, range: Range<u64>) -> Result<Blob, JsValue> {
    blob.slice_with_f64_and_f64_and_content_type(range.start as f64, range.end as f64, OCTET_STREAM)
}

/// Reads a range once: feeds the hasher, and fills `copy` (of the range's length) where one is given.
/// Leaves off between two chunks where `stop` is raised.
///
/// # Errors
/// The browser refuses to read, or other bytes come than were asked for.
pub(crate) async fn read(
    blob: &Blob,
    range: Range<u64>,
    mut hasher: Option<&mut PartHasher>,
    copy: Option<&Uint8Array>,
    stop: &Flag,
) -> Result<(), ReadError> {
    let expected = range.end - range.start;
    let stream = slice(blob, range).map_err(ReadError::refused)?.stream();
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut scratch = hasher.is_some().then(|| vec![0; SCRATCH.min(expected as usize)]);
    let mut breather = Breather::new();
    let mut found: u64 = 0;
    while let Some(chunk) = next_chunk(&reader).await.map_err(ReadError::refused)? {
        let start = found;
        found += u64::from(chunk.length());
        if stop.is_raised() || found > expected {
            // What the cancellation itself comes to matters to nobody.
            let _ = reader.cancel();
            break;
        }
        if let Some(copy) = copy {
            copy.set(&chunk, start as u32);
        }
        if let (Some(hasher), Some(scratch)) = (&mut hasher, &mut scratch) {
            feed(&chunk, scratch, hasher);
        }
        breather.breathe().await;
    }
    if found == expected { Ok(()) } else { Err(ReadError::wrong_length(expected, found)) }
}

/// Feeds bytes that are in memory.
pub(crate) async fn hash_bytes(bytes: &Uint8Array, hasher: &mut PartHasher) {
    let mut breather = Breather::new();
    let mut scratch = vec![0; SCRATCH.min(bytes.length() as usize)];
    for start in (0..bytes.length()).step_by(SCRATCH) {
        let end = bytes.length().min(start + SCRATCH as u32);
        feed(&bytes.subarray(start, end), &mut scratch, hasher);
        breather.breathe().await;
    }
}

/// Passes bytes through the module's memory piece by piece, so that it does not grow with them.
fn feed(bytes: &Uint8Array, scratch: &mut [u8], hasher: &mut PartHasher) {
    let length = bytes.length();
    let mut start = 0;
    while start < length {
        let end = length.min(start + scratch.len() as u32);
        let piece = &mut scratch[..(end - start) as usize];
        bytes.subarray(start, end).copy_to(piece);
        hasher.update(piece);
        start = end;
    }
}

/// Returns the stream's next chunk; none at its end.
async fn next_chunk(reader: &ReadableStreamDefaultReader) -> Result<Option<Uint8Array>, JsValue> {
    let result = JsFuture::from(reader.read()).await?;
    if Reflect::get(&result, &"done".into())?.is_truthy() {
        return Ok(None);
    }
    Ok(Some(Reflect::get(&result, &"value".into())?.unchecked_into()))
}
