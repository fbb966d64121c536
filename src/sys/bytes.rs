//! Bytes in JavaScript's memory, and how they get to the hashers.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec;
use core::cell::RefCell;

use upload_session_engine::digest::{Digest, PartHasher, Wanted};
use wasm_bindgen::prelude::*;

use crate::sys::promise::Promise;

/// How many bytes enter the module at a time on their way to the hasher.
const SCRATCH: usize = 256 * 1024;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Uint8Array, typescript_type = "Uint8Array")]
    #[derive(Clone, Debug)]
    pub(crate) type Bytes;

    #[wasm_bindgen(method, getter, js_class = "Uint8Array")]
    fn length(this: &Bytes) -> f64;
}

#[cfg(feature = "stream")]
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(constructor, catch, js_class = "Uint8Array")]
    fn of_buffer(buffer: &js_sys::ArrayBuffer) -> Result<Bytes, JsValue>;

    #[wasm_bindgen(method, catch, js_class = "Uint8Array")]
    fn subarray(this: &Bytes, start: f64, end: f64) -> Result<Bytes, JsValue>;

    #[wasm_bindgen(method, catch, js_class = "Uint8Array")]
    fn slice(this: &Bytes) -> Result<Bytes, JsValue>;

    #[wasm_bindgen(method, catch, js_class = "Uint8Array")]
    fn set(this: &Bytes, from: &Bytes, start: f64) -> Result<(), JsValue>;
}

#[wasm_bindgen(module = "/src/platform.js")]
extern "C" {
    #[cfg(feature = "stream")]
    #[wasm_bindgen(js_name = reserve)]
    fn js_reserve(length: f64) -> Option<Bytes>;

    #[wasm_bindgen(catch, js_name = copyPiece)]
    fn copy_piece(chunk: &Bytes, start: u32, to: &mut [u8]) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = ownDigest)]
    fn own_digest(feed: &JsValue, to: &mut [u8]) -> bool;

    /// Feeds bytes that are in memory already, and lets the page breathe meanwhile.
    #[wasm_bindgen(js_name = feedBytes)]
    pub(crate) fn feed_bytes(bytes: &JsValue, feed: &JsValue) -> Promise;
}

#[cfg(feature = "stream")]
impl Bytes {
    /// Reserves memory; none where there is not enough of it, or one array cannot have so much.
    pub(crate) fn reserve(length: u64) -> Option<Self> {
        js_reserve(length as f64)
    }

    /// Returns all the bytes of a buffer.
    ///
    /// # Errors
    /// It is detached.
    pub(crate) fn whole(buffer: &js_sys::ArrayBuffer) -> Result<Self, JsValue> {
        Self::of_buffer(buffer)
    }

    /// Takes a chunk of a stream; none where it is something else than bytes.
    pub(crate) fn from_chunk(chunk: JsValue) -> Option<Self> {
        chunk.has_type::<js_sys::Uint8Array>().then(|| chunk.unchecked_into())
    }

    /// Returns some of the bytes, in the same memory.
    ///
    /// # Errors
    /// The memory was taken away (detached).
    pub(crate) fn part(&self, range: core::ops::Range<u64>) -> Result<Self, JsValue> {
        self.subarray(range.start as f64, range.end as f64)
    }

    /// Copies the bytes.
    ///
    /// # Errors
    /// Memory is short, or was taken away (detached).
    pub(crate) fn copy(&self) -> Result<Self, JsValue> {
        self.slice()
    }

    /// Copies other bytes in.
    ///
    /// # Errors
    /// They do not fit.
    pub(crate) fn fill(&self, from: &Self, start: u64) -> Result<(), JsValue> {
        self.set(from, start as f64)
    }

    /// Returns how many bytes there are; none of a detached buffer.
    pub(crate) fn len(&self) -> u64 {
        self.length() as u64
    }
}

/// Takes one chunk, for both digests or one of them: `BOTH`, `FILE` and `PART` in platform.js.
type Pass = dyn FnMut(Bytes, u32) -> Result<(), JsValue>;

/// Takes chunks from JavaScript to a hasher, piece by piece through the module's memory, which does not grow with them.
pub(crate) struct Feed {
    hasher: Rc<RefCell<PartHasher>>,
    function: Option<Closure<Pass>>,
}

impl Feed {
    /// Makes one for so many bytes in all.
    pub(crate) fn new(hasher: PartHasher, total: u64) -> Self {
        let wants_any = hasher.wants_any();
        let hasher = Rc::new(RefCell::new(hasher));
        let function = wants_any.then(|| {
            let (hasher, mut scratch) = (Rc::clone(&hasher), vec![0; scratch(total)]);
            let pass = move |chunk: Bytes, digests: u32| {
                pass(&chunk, Wanted { part: digests != 1, file: digests != 2 }, &mut scratch, &mut hasher.borrow_mut())
            };
            Closure::wrap(Box::new(pass) as Box<Pass>)
        });
        Self { hasher, function }
    }

    /// Returns what JavaScript calls with each chunk; undefined where the hasher wants none.
    pub(crate) fn function(&self) -> JsValue {
        self.function.as_ref().map(|function| function.as_ref().clone()).unwrap_or_default()
    }

    /// Returns the hasher, once nothing feeds it any more, with the part's digest where the platform computed it.
    pub(crate) fn into_hasher(self) -> PartHasher {
        let mut hasher = self.hasher.borrow().clone();
        let mut digest = Digest([0; 20]);
        if self.function.is_some_and(|function| own_digest(function.as_ref(), &mut digest.0)) {
            hasher.set_part(digest);
        }
        hasher
    }
}

fn pass(chunk: &Bytes, digests: Wanted, scratch: &mut [u8], hasher: &mut PartHasher) -> Result<(), JsValue> {
    let length = if hasher.wants(digests) { chunk.length() as usize } else { 0 };
    let mut start = 0;
    while start < length {
        let room = scratch.len().min(length - start);
        let Some(piece) = scratch.get_mut(..room) else { break };
        copy_piece(chunk, start as u32, piece)?;
        hasher.update_only(piece, digests);
        start += room;
    }
    Ok(())
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
