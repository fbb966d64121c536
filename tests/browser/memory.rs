//! File content does not pile up in the module's memory.

use js_sys::WebAssembly::Memory;
use serde_json::json;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

use crate::support::{Consumer, Running, file, get};

const FILE: usize = 96 << 20;
const LIMIT: f64 = (8 << 20) as f64;

async fn linear_memory_stays_small(body: &str) {
    let consumer = Consumer::new("dropbox");
    let file = file(FILE);
    let options = consumer.options(json!({ "body": body }));
    let (_, uploaded) = Running::to_end(&file, &options).await;
    consumer.assert_holds(&uploaded, &file).await;
    consumer.reset().await;
    let memory = wasm_bindgen::memory().unchecked_into::<Memory>().buffer();
    let bytes = get(&memory, "byteLength").as_f64().unwrap();
    console_log!("linear memory: {bytes} bytes");
    assert!(bytes < LIMIT, "{bytes} bytes");
}

#[wasm_bindgen_test]
async fn linear_memory_stays_under_8_mib_sending_slices() {
    linear_memory_stays_small("blob").await;
}

#[wasm_bindgen_test]
async fn linear_memory_stays_under_8_mib_sending_buffers() {
    linear_memory_stays_small("buffer").await;
}
