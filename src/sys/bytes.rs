//! Bytes in JavaScript's memory: `Uint8Array`, with every step that may throw caught. A buffer can be detached
//! between two chunks, and memory can be short; what js-sys does not catch would leave a promise unsettled for good.

#[cfg(feature = "stream")]
use std::ops::Range;

use js_sys::{ArrayBuffer, Reflect};
use upload_session_engine::digest::PartHasher;
use upload_session_engine::error::UploadError;
use wasm_bindgen::prelude::*;

use crate::sys::timer::Breather;

/// How many bytes enter the module at a time on their way to the hasher.
const SCRATCH: usize = 256 * 1024;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Uint8Array, typescript_type = "Uint8Array")]
    #[derive(Clone, Debug)]
    pub(crate) type Bytes;

    #[wasm_bindgen(constructor, catch, js_class = "Uint8Array")]
    fn with_length(length: u32) -> Result<Bytes, JsValue>;

    #[wasm_bindgen(constructor, catch, js_class = "Uint8Array")]
    fn view(buffer: &ArrayBuffer, start: u32, length: u32) -> Result<Bytes, JsValue>;

    #[wasm_bindgen(method, getter, js_class = "Uint8Array")]
    fn length(this: &Bytes) -> f64;

    #[wasm_bindgen(method, catch, js_class = "Uint8Array")]
    fn subarray(this: &Bytes, start: u32, end: u32) -> Result<Bytes, JsValue>;

    #[cfg(feature = "stream")]
    #[wasm_bindgen(method, catch, js_class = "Uint8Array")]
    fn slice(this: &Bytes) -> Result<Bytes, JsValue>;

    #[wasm_bindgen(method, catch, js_class = "Uint8Array")]
    fn set(this: &Bytes, from: &Bytes, start: u32) -> Result<(), JsValue>;
}

impl Bytes {
    /// Reserves memory; `None` where there is not enough of it, or one array cannot have so much.
    pub(crate) fn reserve(length: u64) -> Option<Self> {
        Self::with_length(u32::try_from(length).ok()?).ok()
    }

    /// Returns all the bytes of a buffer.
    ///
    /// # Errors
    /// It is detached.
    pub(crate) fn whole(buffer: &ArrayBuffer) -> Result<Self, JsValue> {
        Self::view(buffer, 0, buffer.byte_length())
    }

    /// Takes an `ArrayBuffer` or a `Uint8Array` of a caller.
    ///
    /// # Errors
    /// `invalid_argument` where it is neither, is detached, is shared with other threads, or has 4 GiB or more.
    pub(crate) fn from_js(value: &JsValue) -> Result<Self, UploadError> {
        let field = |name: &str| Reflect::get(value, &name.into()).ok();
        let number =
            |name: &str| field(name).and_then(|value| value.as_f64()).filter(|&size| size < f64::from(u32::MAX));
        let view = if let Some(buffer) = value.dyn_ref::<ArrayBuffer>() {
            number("byteLength").map(|length| Self::view(buffer, 0, length as u32))
        } else if value.has_type::<js_sys::Uint8Array>() {
            let buffer = field("buffer").and_then(|buffer| buffer.dyn_into::<ArrayBuffer>().ok());
            // A view of the module's own: a subclass may have overridden what a view does.
            buffer
                .zip(number("byteOffset"))
                .zip(number("byteLength"))
                .map(|((buffer, start), length)| Self::view(&buffer, start as u32, length as u32))
        } else {
            None
        };
        let takes =
            "takes a Blob, or an ArrayBuffer or a Uint8Array of less than 4 GiB that is neither detached nor shared";
        view.and_then(Result::ok).ok_or_else(|| UploadError::invalid_argument("body", takes))
    }

    /// Takes a chunk of a stream; none where it is something else than bytes.
    pub(crate) fn from_chunk(chunk: JsValue) -> Option<Self> {
        chunk.has_type::<js_sys::Uint8Array>().then(|| chunk.unchecked_into())
    }

    /// Returns some of the bytes, in the same memory.
    ///
    /// # Errors
    /// The memory was taken away (detached), or one array cannot have so much.
    #[cfg(feature = "stream")]
    pub(crate) fn part(&self, range: Range<u64>) -> Result<Self, JsValue> {
        let index = |at: u64| u32::try_from(at).map_err(|_| JsValue::from("out of range"));
        self.subarray(index(range.start)?, index(range.end)?)
    }

    /// Copies the bytes.
    ///
    /// # Errors
    /// Memory is short, or was taken away (detached).
    #[cfg(feature = "stream")]
    pub(crate) fn copy(&self) -> Result<Self, JsValue> {
        self.slice()
    }

    /// Returns how many bytes there are; none of a detached buffer.
    pub(crate) fn len(&self) -> u64 {
        self.length() as u64
    }

    /// Copies other bytes in.
    ///
    /// # Errors
    /// They do not fit.
    pub(crate) fn fill(&self, from: &Self, start: u64) -> Result<(), JsValue> {
        self.set(from, u32::try_from(start).map_err(|_| JsValue::from("out of range"))?)
    }

    /// Feeds all bytes to a hasher, and lets the page breathe meanwhile.
    ///
    /// # Errors
    /// The bytes were taken away (detached) meanwhile.
    pub(crate) async fn hash(&self, hasher: &mut PartHasher) -> Result<(), JsValue> {
        let mut feed = Feed::new(self.len());
        let mut breather = Breather::new();
        let length = self.length() as u32;
        for start in (0..length).step_by(SCRATCH) {
            feed.pass(&self.subarray(start, length.min(start.saturating_add(SCRATCH as u32)))?, hasher)?;
            breather.breathe().await;
        }
        Ok(())
    }
}

/// Passes bytes through the module's memory piece by piece, so that it does not grow with them.
pub(crate) struct Feed(Vec<u8>);

impl Feed {
    /// Makes one for so many bytes in all.
    pub(crate) fn new(total: u64) -> Self {
        Self(vec![0; scratch(total)])
    }

    /// Feeds a chunk to the hasher.
    ///
    /// # Errors
    /// The chunk cannot be read.
    pub(crate) fn pass(&mut self, chunk: &Bytes, hasher: &mut PartHasher) -> Result<(), JsValue> {
        let length = chunk.length() as u32;
        for start in (0..length).step_by(self.0.len().max(1)) {
            let end = length.min(start.saturating_add(self.0.len() as u32));
            let piece = chunk.subarray(start, end)?.unchecked_into::<js_sys::Uint8Array>();
            let room = self.0.get_mut(..piece.length() as usize).ok_or("a piece is longer than it was cut")?;
            piece.copy_to(room);
            hasher.update(room);
        }
        Ok(())
    }
}

/// Returns how much memory to hash so many bytes with: never none, as nothing would ever get through.
fn scratch(total: u64) -> usize {
    total.clamp(1, SCRATCH as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_is_never_empty_and_never_large_whatever_the_size() {
        for size in [0, 1, 1 << 32, (1 << 32) + 4, u64::MAX] {
            assert!((1..=SCRATCH).contains(&scratch(size)), "{size}");
        }
        assert_eq!(scratch(1 << 32), SCRATCH);
    }
}
