//! The module in a dedicated worker, which has what a window has but for the page: `XMLHttpRequest`, IndexedDB, locks.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, unused_imports, reason = "the browser tests use all of it")]
#[path = "../browser/support/mod.rs"]
mod support;

use serde_json::json;
use wasm_bindgen_test::wasm_bindgen_test;

use support::{Consumer, Failure, Running, eval, file, get, settle, until};

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
async fn uploads_by_fetch_and_by_xhr() {
    assert!(eval("typeof WorkerGlobalScope === 'function' && typeof window === 'undefined'").is_truthy());
    for transport in ["fetch", "xhr"] {
        let consumer = Consumer::with("dropbox", json!({ "part_size": 300_000 })).await;
        let file = file(1_000_000);
        let options = consumer.options(json!({ "transport": transport }));
        let (running, uploaded) = Running::to_end(&file, &options).await;
        consumer.assert_holds(&uploaded, &file).await;
        assert_eq!(running.warnings(), Vec::<String>::new());
    }
}

#[wasm_bindgen_test]
async fn xhr_measures_progress_within_a_part() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 8 << 20, "rate": 4_000_000 })).await;
    let file = file(8 << 20);
    let (running, uploaded) = Running::to_end(&file, &consumer.options(json!({ "transport": "xhr" }))).await;
    consumer.assert_holds(&uploaded, &file).await;
    let number = |progress, field: &str| get(progress, field).as_f64().unwrap();
    let progress = running.events("progress");
    let within: Vec<_> = progress.iter().filter(|progress| number(progress, "confirmed") == 0.0).collect();
    assert!(within.iter().any(|progress| (1.0..8e6).contains(&number(progress, "sent"))));
    assert!(within.is_sorted_by_key(|progress| number(progress, "sent")));
}

#[wasm_bindgen_test]
async fn goes_on_from_indexeddb() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 50_000, "rate": 400_000 })).await;
    let file = file(1_000_000);
    let options = consumer.options(json!({ "store": "indexeddb" }));
    let running = Running::start(&file, &options);
    running.until_parts_done(2).await;
    let second = Running::start(&file, &options).failure().await;
    assert_eq!(second.code(), "conflict");
    settle(running.free()).await.unwrap_err();
    until("nothing is in flight", async || consumer.stats().await.uploads_in_flight == 0).await;
    consumer.set(json!({ "rate": null })).await;

    let resumed = support::stored(file.clone().into(), options).await.map_err(Failure).unwrap();
    let running = Running::run(resumed.expect("there is a record"));
    consumer.assert_holds(&running.end().await.unwrap(), &file).await;
    assert_eq!(consumer.stats().await.requests.create, 1);
    assert_eq!(get(&running.events("session")[0], "resumed"), true);
}
