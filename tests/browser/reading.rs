//! How a file is read, part by part: `Reader` of src/platform.js, with real files.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Patch, eval, file, get, settle};

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

/// Reads a part with nothing to stop it.
async fn read(reader: &Reader, part: usize, keeps: bool) -> JsValue {
    let (start, end) = ((part * MIB) as f64, ((part + 1) * MIB) as f64);
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
        // Whatever it comes to: nobody asks any more.
        let read = reader.read(0.0, (8 * MIB) as f64, feed.as_ref(), digests, false, &signal);
        let _ = settle(read).await;
        assert!((1..=MIB as u32).contains(&fed.get()), "digests: {digests}, {} bytes", fed.get());
    }
}

#[wasm_bindgen_test]
async fn memory_is_used_again_and_is_let_go_of_once_the_reader_is_closed() {
    let reader = Reader::new(file(3 * MIB).as_ref());
    let spare = || get(reader.as_ref(), "spare").unchecked_into::<Array>().length();
    let bytes = read(&reader, 0, true).await;
    assert_eq!((get(&bytes, "length").as_f64(), spare()), (Some(MIB as f64), 0));
    reader.recycle(&bytes);
    assert_eq!(spare(), 1);
    let bytes = read(&reader, 1, true).await;
    assert_eq!(spare(), 0, "it is used for the next part");
    let other = read(&reader, 2, true).await;
    reader.recycle(&bytes);
    close(&reader);
    assert_eq!(spare(), 0);
    reader.recycle(&other);
    assert_eq!(spare(), 0, "it comes too late to be used");
}

#[wasm_bindgen_test]
async fn stream_goes_on_with_the_part_that_follows_until_the_reader_is_closed() {
    let streams = eval(
        "(() => { const own = Blob.prototype.stream; \
           return Object.assign(function () { self.streamsOpened = (self.streamsOpened ?? 0) + 1; return own.call(this); }); })()",
    );
    let patch = Patch::new("Blob.prototype", "stream", &streams);
    // A stream goes on for a second at most; however long the machine takes, none goes by.
    let clock = Patch::new("performance", "now", &eval("() => 0"));
    let opened = || eval("self.streamsOpened ?? 0").as_f64().unwrap();
    let before = opened();
    let reader = Reader::new(file(4 * MIB).as_ref());
    read(&reader, 0, false).await;
    read(&reader, 1, false).await;
    assert_eq!(opened() - before, 1.0);
    // What the stream has read ahead is of the time before.
    close(&reader);
    read(&reader, 2, false).await;
    assert_eq!(opened() - before, 2.0, "after it was closed");
    read(&reader, 0, false).await;
    assert_eq!(opened() - before, 3.0, "of another part than follows");
    drop((patch, clock));
}
