//! What a request's body is, as the browser is handed it.

use js_sys::Array;
use serde_json::json;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Patch, Running, eval, file, get, is_chromium};

/// Lets every request pass, and keeps what the bodies of parts are: a slice has a type.
const NOTING_FETCH: &str = "(() => {
    const { fetch } = globalThis;
    const bodies = [];
    const noting = (url, init) => {
        if (init.method === 'PUT') bodies.push([init.body.constructor.name, init.body.type].join(' ').trim());
        return fetch(url, init);
    };
    return Object.assign(noting, { bodies });
})()";

const SLICE: &str = "Blob application/octet-stream";

#[wasm_bindgen_test]
async fn parts_are_slices_of_the_file_unless_buffers_are_asked_for() {
    // Chromium keeps a copy of every buffer, and none of a Blob.
    let buffer = if is_chromium() { "Blob" } else { "Uint8Array" };
    for (body, expected) in [("auto", SLICE), ("blob", SLICE), ("buffer", buffer)] {
        let consumer = Consumer::with("dropbox", json!({ "part_size": 100_000 })).await;
        let file = file(500_000);
        let fetch = eval(NOTING_FETCH);
        let patch = Patch::new("globalThis", "fetch", &fetch);
        let (_, uploaded) = Running::to_end(&file, &consumer.options(json!({ "body": body }))).await;
        drop(patch);
        consumer.assert_holds(&uploaded, &file).await;
        let bodies: Vec<_> = Array::from(&get(&fetch, "bodies")).iter().map(|body| body.as_string().unwrap()).collect();
        assert_eq!(bodies, [expected; 5], "{body}");
    }
}
