//! How a file is read, part by part: `Reader` of src/platform.js, with real files.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Patch, eval, file, get, settle, with};

const MIB: usize = 1 << 20;

#[wasm_bindgen(module = "/src/platform.js")]
extern "C" {
    type Reader;

    #[wasm_bindgen(constructor)]
    fn new(file: &JsValue) -> Reader;

    #[wasm_bindgen(method)]
    fn read(
        this: &Reader,
        start: f64,
        end: f64,
        feed: &JsValue,
        digests: bool,
        keeps: bool,
        signal: &JsValue,
    ) -> Promise;

    #[wasm_bindgen(method)]
    fn recycle(this: &Reader, bytes: &JsValue);
}

/// Lets go of the file. Not by an import: the module's own has the very same symbol.
fn close(reader: &Reader) {
    get(reader.as_ref(), "close").unchecked_into::<Function>().call0(reader.as_ref()).unwrap();
}

/// Reads so many mebibytes with nothing to stop it.
async fn read(reader: &Reader, start: usize, length: usize, keeps: bool) -> JsValue {
    let (start, end) = ((start * MIB) as f64, ((start + length) * MIB) as f64);
    let signal = eval("new AbortController().signal");
    settle(reader.read(start, end, &JsValue::UNDEFINED, false, keeps, &signal)).await.unwrap()
}

#[wasm_bindgen_test]
async fn cancelled_read_feeds_no_more() {
    for digests in [false, true] {
        let controller = eval("new AbortController()");
        let signal = get(&controller, "signal");
        let abort = get(&controller, "abort").unchecked_into::<Function>();
        let fed = Rc::new(Cell::new(0));
        let count = Rc::clone(&fed);
        let feed = Closure::<dyn FnMut(Uint8Array)>::new(move |chunk: Uint8Array| {
            count.set(count.get() + chunk.length());
            abort.call0(&controller).unwrap();
        });
        let reader = Reader::new(file(8 * MIB).as_ref());
        // It comes to an end, whatever that tells: nobody asks any more.
        settle(reader.read(0.0, (8 * MIB) as f64, feed.as_ref(), digests, false, &signal)).await.unwrap();
        close(&reader);
        assert!((1..=MIB as u32).contains(&fed.get()), "digests: {digests}, {} bytes", fed.get());
    }
}

#[wasm_bindgen_test]
async fn memory_is_used_again_and_is_let_go_of_once_the_reader_is_closed() {
    let reader = Reader::new(file(4 * MIB).as_ref());
    let room = |bytes: &JsValue| get(bytes, "buffer.byteLength").as_f64().unwrap() as usize / MIB;
    let spare = || get(reader.as_ref(), "spare").unchecked_into::<Array>().length();
    let bytes = read(&reader, 0, 2, true).await;
    reader.recycle(&bytes);
    let bytes = read(&reader, 2, 1, true).await;
    assert_eq!((get(&bytes, "length").as_f64(), room(&bytes)), (Some(MIB as f64), 2), "that of the part before");
    let other = read(&reader, 3, 1, true).await;
    assert_eq!(room(&other), 1, "memory of its own");
    reader.recycle(&bytes);
    assert_eq!(spare(), 1);
    close(&reader);
    assert_eq!(spare(), 0);
    reader.recycle(&other);
    assert_eq!(spare(), 0, "it comes too late to be used");
}

#[wasm_bindgen_test]
async fn stream_goes_on_with_the_part_that_follows_until_it_is_old_or_the_reader_is_closed() {
    // What a stream has read ahead is of the time when it was opened: each is of a slice of its own.
    let counting = "((file) => { file.opened = 0; \
        file.slice = (...range) => { file.opened += 1; return Blob.prototype.slice.apply(file, range); }; return file; })";
    let count = eval(counting).unchecked_into::<Function>();
    let file = count.call1(&JsValue::UNDEFINED, file(8 * MIB).as_ref()).unwrap();
    let opened = || get(&file, "opened").as_f64().unwrap();
    // However long the machine takes, no time goes by but what is set here.
    let clock = with(eval("({})"), "millis", 0);
    let now = eval("(clock) => () => clock.millis").unchecked_into::<Function>();
    let patch = Patch::new("performance", "now", &now.call1(&JsValue::UNDEFINED, &clock).unwrap());
    let reader = Reader::new(&file);
    read(&reader, 0, 1, false).await;
    read(&reader, 1, 1, false).await;
    let clock = with(clock, "millis", 999);
    read(&reader, 2, 1, false).await;
    assert_eq!(opened(), 1.0);
    with(clock, "millis", 1000);
    read(&reader, 3, 1, false).await;
    assert_eq!(opened(), 2.0, "once it is a second old");
    close(&reader);
    read(&reader, 4, 1, false).await;
    assert_eq!(opened(), 3.0, "after it was closed");
    read(&reader, 6, 1, false).await;
    assert_eq!(opened(), 4.0, "of another part than follows");
    close(&reader);
    drop(patch);
}
