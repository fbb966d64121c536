//! Streams of bytes: `ReadableStream` and its readers (WHATWG Streams, 4), with every step that may throw caught.

use alloc::boxed::Box;
use core::cell::RefCell;

use js_sys::{ArrayBuffer, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise, spawn_local};

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
    fn cancel(this: &Reader, reason: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_name = ReadableStream)]
    type NewStream;

    #[wasm_bindgen(constructor, catch, js_class = "ReadableStream")]
    fn new(source: &JsValue, strategy: &JsValue) -> Result<NewStream, JsValue>;

    #[wasm_bindgen(method, catch, js_name = pipeThrough)]
    fn pipe_through(this: &NewStream, transform: &JsValue) -> Result<JsValue, JsValue>;

    type FixedLengthStream;

    #[wasm_bindgen(constructor, catch)]
    fn new(length: f64) -> Result<FixedLengthStream, JsValue>;

    type Controller;

    #[wasm_bindgen(method, catch)]
    fn enqueue(this: &Controller, chunk: &Bytes) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn close(this: &Controller) -> Result<(), JsValue>;
}

/// Reads a stream chunk by chunk, into one and the same memory where the runtime allows it: chunks of its own making
/// would pile up by the hundreds of megabytes until they are collected as garbage.
pub(crate) struct Chunks {
    reader: Reader,
    /// Where the next chunk goes; none where the runtime makes its chunks itself.
    room: RefCell<Option<Bytes>>,
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
            Some((room, reader)) => Ok(Self { reader, room: RefCell::new(Some(room)) }),
            None => Ok(Self { reader: stream.reader(&JsValue::UNDEFINED)?, room: RefCell::default() }),
        }
    }

    /// Returns the next chunk, whatever it is, which is gone with the one after it; none at the end. Not to be asked after
    /// the end.
    ///
    /// # Errors
    /// The stream fails.
    pub(crate) async fn next(&self) -> Result<Option<JsValue>, JsValue> {
        let promise = self.reader.read(self.room.borrow().as_ref())?;
        let result = JsFuture::from(promise).await?;
        if Reflect::get(&result, &"done".into())?.is_truthy() {
            return Ok(None);
        }
        let chunk = Reflect::get(&result, &"value".into())?;
        if self.room.borrow().is_some() {
            // Its memory was handed to the stream, and came back under the chunk.
            let buffer = Reflect::get(&chunk, &"buffer".into())?.dyn_into::<ArrayBuffer>()?;
            self.room.replace(Some(Bytes::whole(&buffer)?));
        }
        Ok(Some(chunk))
    }

    /// Reads no further. What that itself comes to matters to nobody.
    pub(crate) fn cancel_with(&self, reason: &JsValue) {
        if let Ok(cancelled) = self.reader.cancel(reason) {
            // Nor must it come up as a rejection that nobody handles.
            spawn_local(async move { drop(JsFuture::from(cancelled).await) });
        }
    }
}

/// Tells whether a value is a stream, of whatever realm, that nobody reads yet.
pub(crate) fn is_stream(value: &JsValue) -> bool {
    let field = |name: &str| Reflect::get(value, &name.into()).unwrap_or_default();
    value.is_object() && field("getReader").is_function() && field("locked") == false
}

/// Makes a stream of so many bytes, whose chunks are asked for one by one, as they are wanted.
///
/// # Errors
/// The runtime cannot make one.
pub(crate) fn of_chunks<F>(length: u64, mut next: impl FnMut() -> F + 'static) -> Result<JsValue, JsValue>
where
    F: Future<Output = Result<Option<Bytes>, JsValue>> + 'static,
{
    let pull = Closure::wrap(Box::new(move |controller: Controller| {
        let next = next();
        future_to_promise(async move {
            match next.await? {
                Some(chunk) => controller.enqueue(&chunk),
                None => controller.close(),
            }
            .map(|()| JsValue::UNDEFINED)
        })
    }) as Box<dyn FnMut(Controller) -> Promise>);
    let source = object(&[("pull", pull.into_js_value())]);
    let stream = NewStream::new(&source, &object(&[("highWaterMark", 0.into())]))?;
    // Workers tell the length of a body by its stream alone.
    match Reflect::get(&js_sys::global(), &"FixedLengthStream".into()).is_ok_and(|made| made.is_function()) {
        true => stream.pipe_through(&FixedLengthStream::new(length as f64)?.into()),
        false => Ok(stream.into()),
    }
}

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a field of a fresh object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}
