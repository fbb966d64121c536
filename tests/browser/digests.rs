//! Who computes a part's digest: the browser, on a thread of its own, or the module. The server checks every one.

use js_sys::Array;
use serde_json::json;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Patch, Running, eval, file, get};

const MIB: usize = 1 << 20;

/// Stands in for `crypto.subtle.digest`, and keeps how many bytes it was given each time.
fn noting_digest(result: &str) -> wasm_bindgen::JsValue {
    eval(&format!(
        "(() => {{
            const sizes = [];
            const digest = crypto.subtle.digest.bind(crypto.subtle);
            return Object.assign((name, bytes) => (sizes.push(bytes.byteLength), {result}), {{ sizes }});
        }})()"
    ))
}

/// Uploads three parts and a bit; returns the sizes of what the browser was given to hash.
async fn hashed_by_the_browser(result: &str, options: serde_json::Value) -> Vec<f64> {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 2 * MIB })).await;
    let file = file(6 * MIB + 1000);
    let digest = noting_digest(result);
    let patch = Patch::new("crypto.subtle", "digest", &digest);
    let (running, uploaded) = Running::to_end(&file, &consumer.options(options)).await;
    drop(patch);
    assert_eq!(running.events("retry").len(), 0, "{result}");
    consumer.assert_holds(&uploaded, &file).await;
    Array::from(&get(&digest, "sizes")).iter().map(|size| size.as_f64().unwrap()).collect()
}

/// Each large part, once: Firefox reads it once more, to compare it with what it was, which takes no digest.
const EXPECTED: [f64; 3] = [(2 * MIB) as f64; 3];

#[wasm_bindgen_test]
async fn browser_computes_the_digests_of_large_parts_itself() {
    for body in ["blob", "buffer"] {
        let sizes = hashed_by_the_browser("digest(name, bytes)", json!({ "body": body, "direct": "never" })).await;
        assert_eq!(sizes, EXPECTED, "{body}");
    }
}

#[wasm_bindgen_test]
async fn digest_that_the_browser_does_not_give_is_computed_all_the_same() {
    for result in ["Promise.reject(new Error('no'))", "Promise.resolve(new ArrayBuffer(19))", "undefined.x"] {
        assert_eq!(hashed_by_the_browser(result, json!({ "direct": "never" })).await, EXPECTED, "{result}");
    }
}

#[wasm_bindgen_test]
async fn browser_is_given_no_part_that_memory_has_no_room_for() {
    let options = json!({ "memoryBudget": 8 * MIB - 4, "direct": "never" });
    assert!(hashed_by_the_browser("digest(name, bytes)", options).await.is_empty());
}
