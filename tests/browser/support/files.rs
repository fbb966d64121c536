//! Files of pseudo-random bytes, and the comparison with what the emulator holds.

use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, Crypto, File};

use super::js::{get, settle};

/// Bytes enter and leave the module's memory in pieces of this size, as that memory never shrinks.
const PIECE: usize = 64 * 1024;
/// Bytes of a file that are compared at a time.
const SLICE: u32 = 4 * 1024 * 1024;

/// Makes a file of that many bytes, the same for the same size.
pub(crate) fn file(size: usize) -> File {
    named_file("report.bin", size)
}

/// Makes such a file under a name.
pub(crate) fn named_file(name: &str, size: usize) -> File {
    let mut rng = fastrand::Rng::with_seed(size as u64);
    let mut piece = vec![0; PIECE];
    let pieces = Array::new();
    let mut left = size;
    while left > 0 {
        let length = left.min(PIECE);
        rng.fill(&mut piece[..length]);
        pieces.push(&Uint8Array::from(&piece[..length]));
        left -= length;
    }
    File::new_with_u8_array_sequence(&pieces, name).unwrap()
}

/// Makes a file of these bytes.
pub(crate) fn file_of(bytes: &[u8]) -> File {
    File::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes)), "report.bin").unwrap()
}

/// Returns the SHA-1 of a blob in hex, by the browser's own implementation.
pub(crate) async fn sha1(blob: &Blob) -> String {
    let bytes = settle(blob.array_buffer()).await.unwrap();
    let crypto: Crypto = get(&js_sys::global(), "crypto").unchecked_into();
    let hash = settle(crypto.subtle().digest_with_str_and_buffer_source("SHA-1", bytes.unchecked_ref()).unwrap()).await;
    let hash = Uint8Array::new(&hash.unwrap()).to_vec();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asserts that two blobs hold the same bytes.
pub(crate) async fn assert_same(a: &Blob, b: &Blob) {
    assert_eq!(a.size(), b.size());
    let (mut of_a, mut of_b) = (vec![0; PIECE], vec![0; PIECE]);
    let mut start = 0;
    while f64::from(start) < a.size() {
        let (a, b) = (bytes(a, start).await, bytes(b, start).await);
        for offset in (0..a.length()).step_by(PIECE) {
            let end = a.length().min(offset + PIECE as u32);
            let length = (end - offset) as usize;
            a.subarray(offset, end).copy_to(&mut of_a[..length]);
            b.subarray(offset, end).copy_to(&mut of_b[..length]);
            assert!(of_a[..length] == of_b[..length], "bytes differ after {}", start + offset);
        }
        start += SLICE;
    }
}

async fn bytes(blob: &Blob, start: u32) -> Uint8Array {
    let slice = blob.slice_with_f64_and_f64(start.into(), f64::from(start) + f64::from(SLICE)).unwrap();
    let buffer: ArrayBuffer = settle(slice.array_buffer()).await.unwrap().unchecked_into();
    Uint8Array::new(&buffer)
}
