//! Streams of bytes: `ReadableStream` and its readers (WHATWG Streams, 4), with every step that may throw caught.

use js_sys::{ArrayBuffer, Promise, Reflect, TypeError};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::json::object;
use crate::sys::bytes::Bytes;

/// Most bytes of a chunk, where the reader can be told.
const CHUNK: u64 = 1024 * 1024;

#[wasm_bindgen]
extern "C" {
    type Stream;

    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn reader(this: &Stream, options: &JsValue) -> Result<Reader, JsValue>;

    type Reader;

    #[wasm_bindgen(method, catch)]
    fn read(this: &Reader, room: Option<&Bytes>) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn cancel(this: &Reader) -> Result<Promise, JsValue>;
}

/// Reads a stream chunk by chunk, into one and the same memory where the browser allows it: chunks of its own making
/// would pile up by the hundreds of megabytes until they are collected as garbage.
pub(crate) struct Chunks {
    reader: Reader,
    /// Where the next chunk goes; none where the browser makes its chunks itself.
    room: Option<Bytes>,
}

impl Chunks {
    /// Begins to read a stream of so many bytes.
    ///
    /// # Errors
    /// It is no stream, or is being read already.
    pub(crate) fn new(stream: &JsValue, expected: u64) -> Result<Self, JsValue> {
        let stream: &Stream = stream.unchecked_ref();
        let room = Bytes::reserve(expected.clamp(1, CHUNK));
        let byob = room.zip(stream.reader(&object(&[("mode", "byob".into())])).ok());
        match byob {
            Some((room, reader)) => Ok(Self { reader, room: Some(room) }),
            None => Ok(Self { reader: stream.reader(&JsValue::UNDEFINED)?, room: None }),
        }
    }

    /// Returns the next chunk, which is gone with the one after it; none at the end.
    ///
    /// # Errors
    /// The stream fails, or gives something else than bytes.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, JsValue> {
        let result = JsFuture::from(self.reader.read(self.room.as_ref())?).await?;
        if Reflect::get(&result, &"done".into())?.is_truthy() {
            return Ok(None);
        }
        let chunk = Reflect::get(&result, &"value".into())?;
        if !chunk.has_type::<js_sys::Uint8Array>() {
            return Err(TypeError::new("a Blob's stream gave something else than bytes").into());
        }
        if self.room.is_some() {
            // Its memory was handed to the stream, and came back under the chunk.
            let buffer = Reflect::get(&chunk, &"buffer".into())?.dyn_into::<ArrayBuffer>()?;
            self.room = Some(Bytes::whole(&buffer)?);
        }
        Ok(Some(chunk.unchecked_into()))
    }

    /// Reads no further. What that itself comes to matters to nobody.
    pub(crate) fn cancel(self) {
        let _ = self.reader.cancel();
    }
}
