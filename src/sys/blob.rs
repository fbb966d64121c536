//! Files: `Blob`, `File` and their streams (W3C File API).

use std::ops::Range;

use upload_session_engine::digest::{Digest, PartHasher};
use upload_session_engine::error::UploadError;
use upload_session_engine::snapshot::sample_ranges;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, File};

use crate::error::ReadError;
use crate::sys::abort::Flag;
use crate::sys::bytes::{Bytes, Feed};
use crate::sys::global::field;
use crate::sys::stream::Chunks;
use crate::sys::timer::Breather;

/// Type of every body that is sent: the connector learns the file's own type from its name.
const OCTET_STREAM: &str = "application/octet-stream";

/// What a caller may hand in as a request's body.
pub(crate) enum Body {
    Blob(Blob),
    Bytes(Bytes),
}

impl Body {
    /// # Errors
    /// `invalid_argument` for anything that is neither.
    pub(crate) fn from_js(value: &JsValue) -> Result<Self, UploadError> {
        match value.dyn_ref::<Blob>() {
            Some(blob) => Ok(Self::Blob(blob.clone())),
            None => Bytes::from_js(value).map(Self::Bytes),
        }
    }

    /// # Errors
    /// The browser cannot slice the blob.
    pub(crate) fn into_js(self) -> Result<JsValue, JsValue> {
        match self {
            Self::Blob(blob) => match size(&blob) {
                // A slice of nothing is never read, however the file may be by now.
                0 => Ok(blob.into()),
                size => Ok(slice(&blob, 0..size)?.into()),
            },
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
    // Read as any value: a page may have put something else in its place.
    is_file(blob).then(|| field(blob, "name").as_string())?
}

/// Returns when a file was last changed, in milliseconds since 1970; none of a plain blob.
pub(crate) fn last_modified(blob: &Blob) -> Option<u64> {
    is_file(blob).then(|| field(blob, "lastModified").as_f64().map(|millis| millis as u64))?
}

/// Returns a blob's media type as the browser guessed it; empty where it did not.
pub(crate) fn media_type(blob: &Blob) -> String {
    field(blob, "type").as_string().unwrap_or_default()
}

/// Tells whether a blob is a file, with a name and a date.
pub(crate) fn is_file(blob: &Blob) -> bool {
    blob.has_type::<File>()
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
    hasher: Option<&mut PartHasher>,
    copy: Option<&Bytes>,
    stop: &Flag,
) -> Result<(), ReadError> {
    let expected = range.end - range.start;
    pass(&slice(blob, range).map_err(ReadError::refused)?, expected, hasher, copy, stop).await
}

/// Reads the whole of a blob into a hasher. Not as a slice, which ends where the file ended when it was picked:
/// Firefox reads a file that has grown since to its real end, and so tells.
///
/// # Errors
/// The browser refuses to read, or there are other bytes than [`size`] says.
pub(crate) async fn read_whole(blob: &Blob, hasher: &mut PartHasher, stop: &Flag) -> Result<(), ReadError> {
    pass(blob, size(blob), Some(hasher), None, stop).await
}

/// Reads the last byte of a range, which costs little more than a look at the file's metadata. No browser reads a file
/// that is gone or has become too short; Chromium reads none that was written to since it was picked. Of an empty file
/// there is no byte to read but by mistake: Chromium takes a file for empty that is gone before anyone asks for its size.
///
/// # Errors
/// The browser refuses to read, there is no such byte, or an empty file is empty no more.
pub(crate) async fn probe(blob: &Blob, range: Range<u64>) -> Result<(), ReadError> {
    match range.end.checked_sub(1) {
        Some(last) => read(blob, last..range.end, None, None, &Flag::default()).await,
        None => pass(blob, 0, None, None, &Flag::default()).await,
    }
}

/// Returns the digest of a blob's first, middle and last bytes.
///
/// # Errors
/// The browser refuses to read, or the blob is shorter than [`size`] says.
pub(crate) async fn samples(blob: &Blob) -> Result<Digest, ReadError> {
    let mut hasher = PartHasher::plain();
    for range in sample_ranges(size(blob)) {
        read(blob, range, Some(&mut hasher), None, &Flag::default()).await?;
    }
    hasher.finish().ok_or_else(|| ReadError::refused("nothing was hashed".into()))
}

async fn pass(
    blob: &Blob,
    expected: u64,
    mut hasher: Option<&mut PartHasher>,
    copy: Option<&Bytes>,
    stop: &Flag,
) -> Result<(), ReadError> {
    let chunks = Chunks::new(&blob.stream(), expected).map_err(ReadError::refused)?;
    let mut feed = hasher.is_some().then(|| Feed::new(expected));
    let mut breather = Breather::new();
    let mut found = 0;
    while let Some(chunk) = chunks.next().await.map_err(ReadError::refused)? {
        let start = found;
        found += chunk.len();
        if stop.is_raised() || found > expected {
            chunks.cancel_with(&JsValue::UNDEFINED);
            break;
        }
        if let Some(copy) = copy {
            copy.fill(&chunk, start).map_err(ReadError::refused)?;
        }
        if let (Some(hasher), Some(feed)) = (&mut hasher, &mut feed) {
            feed.pass(&chunk, hasher).map_err(ReadError::refused)?;
        }
        breather.breathe().await;
    }
    if found == expected { Ok(()) } else { Err(ReadError::wrong_length(expected, found)) }
}
