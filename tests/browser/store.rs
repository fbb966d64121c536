//! Stores that fail: one warning, never an end, never a hang.

use serde_json::json;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Failure, MemoryStore, Patch, Running, eval, file, get, js, settle, text, with};

const NONE: JsValue = JsValue::UNDEFINED;

/// Uploads a file of several parts with a store; the end must be a success. Returns how often there was a warning.
async fn warnings_with(store: &JsValue, what: &str) -> usize {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 100_000 })).await;
    let file = file(1_000_000);
    let (running, uploaded) = Running::to_end(&file, &with(consumer.options(json!({})), "store", store)).await;
    consumer.assert_holds(&uploaded, &file).await;
    let warnings = running.warnings();
    assert!(warnings.iter().all(|code| code == "storage"), "{what}: {warnings:?}");
    warnings.len()
}

#[wasm_bindgen_test]
async fn store_that_fails_in_whatever_way_is_one_warning() {
    for store in [
        // Throws on every call.
        "({ get() { throw new Error('no') }, set() { throw new Error('no') }, delete() { throw new Error('no') } })",
        // Rejects every call, with something that is no Error.
        "({ get: async () => { throw 5 }, set: async () => { throw null }, delete: async () => { throw undefined } })",
        // Is full.
        "({ get() {}, async set() { throw new DOMException('full', 'QuotaExceededError') }, delete() {} })",
        // Does not forget.
        "({ get() {}, set() {}, async delete() { throw new Error('no') } })",
        // Returns garbage.
        "({ get: () => 'garbage', set: () => 5, delete: () => ({}) })",
        "({ get: async () => ({ version: 1, sessionId: 5 }), set() {}, delete() {} })",
        "({ get: () => 'garbage', set() { throw new Error('no') }, delete() { throw new Error('no') } })",
        "({ get: () => ({ get then() { throw new Error('no') } }), set() {}, delete() {} })",
        "({ get: () => { const a = {}; a.a = a; return a }, set() {}, delete() {} })",
    ] {
        assert_eq!(warnings_with(&eval(store), store).await, 1, "{store}");
    }
}

#[wasm_bindgen_test]
async fn store_that_works_is_no_warning() {
    for store in [JsValue::from("indexeddb"), "none".into(), MemoryStore::new(&NONE).into(), eval("new Map()")] {
        assert_eq!(warnings_with(&store, "").await, 0);
    }
}

#[wasm_bindgen_test]
async fn store_that_hangs_holds_up_neither_start_nor_end() {
    let hang = "() => new Promise(() => {})";
    for (store, least) in [
        (format!("({{ get: {hang}, set() {{}}, delete() {{}} }})"), 1),
        // The end may come before these are known to hang.
        (format!("({{ get() {{}}, set: {hang}, delete() {{}} }})"), 0),
        (format!("({{ get() {{}}, set() {{}}, delete: {hang} }})"), 0),
    ] {
        let warnings = warnings_with(&eval(&store), &store).await;
        assert!((least..=1).contains(&warnings), "{store}: {warnings} warnings");
    }
}

/// A record of a later version is left as it is: that version may want to go on from it.
#[wasm_bindgen_test]
async fn record_from_a_newer_version_is_kept_and_one_warning() {
    let newer = js(&json!({ "version": 2, "sessionId": "s", "anything": [1] }));
    let store = MemoryStore::new(&newer);
    assert_eq!(warnings_with(&store, "newer").await, 1);
    let calls = |name: &str| get(&store, &format!("calls.{name}")).as_f64().unwrap();
    assert_eq!((calls("get"), calls("set"), calls("delete")), (1.0, 0.0, 0.0));
}

/// Parts that are acknowledged in quick succession share a write, and what is deleted is never written after that.
#[wasm_bindgen_test]
async fn record_is_written_at_most_every_25_ms_and_is_gone_in_the_end() {
    let now = || eval("performance.now()").as_f64().unwrap();
    let store = MemoryStore::new(&NONE);
    let consumer = Consumer::with("dropbox", json!({ "part_size": 1000 })).await;
    let file = file(200_000);
    let began = now();
    let (running, uploaded) = Running::to_end(&file, &with(consumer.options(json!({})), "store", &store)).await;
    let elapsed = now() - began;
    consumer.assert_holds(&uploaded, &file).await;
    assert!(running.warnings().is_empty());
    let calls = |name: &str| get(&store, &format!("calls.{name}")).as_f64().unwrap();
    assert!(calls("set") > 1.0);
    // The first may come at any time, and timers are rounded to milliseconds.
    assert!((calls("set") - 1.0) * 24.0 <= elapsed, "{} writes in {elapsed} ms", calls("set"));
    assert_eq!(calls("delete"), 1.0);
    assert!(store.last().is_undefined());
}

#[wasm_bindgen_test]
async fn damaged_record_is_replaced_and_one_warning() {
    let store = MemoryStore::new(&js(&json!({ "version": 1, "sessionId": "" })));
    assert_eq!(warnings_with(&store, "damaged").await, 1);
    let calls = |name: &str| get(&store, &format!("calls.{name}")).as_f64().unwrap();
    assert!(calls("set") > 0.0);
    assert_eq!(calls("delete"), 1.0);
    assert!(store.last().is_undefined());
}

#[wasm_bindgen_test]
async fn indexeddb_that_the_browser_refuses_is_one_warning() {
    for broken in ["{ open() { throw new DOMException('no', 'SecurityError') } }", "{}", "undefined"] {
        let patch = Patch::new("globalThis", "indexedDB", &eval(&format!("({broken})")));
        assert_eq!(warnings_with(&"indexeddb".into(), broken).await, 1, "{broken}");
        drop(patch);
    }
}

/// Where there is none, none is missed unless it was asked for.
#[wasm_bindgen_test]
async fn without_indexeddb_the_default_is_no_store() {
    let _patch = Patch::new("globalThis", "indexedDB", &NONE);
    assert_eq!(warnings_with(&NONE, "default").await, 0);
}

#[wasm_bindgen_test]
async fn blob_without_a_date_has_no_record_unless_asked_for() {
    let blob = file(1000).slice().unwrap();
    for (store, kept) in [(NONE, false), ("indexeddb".into(), true)] {
        let consumer = Consumer::new("dropbox");
        consumer.fail("upload", 9, json!({ "kind": "stall", "when": "before_body" })).await;
        let options = with(consumer.options(json!({ "name": "blob.bin" })), "store", store);
        let running = Running::start(&blob, &options);
        crate::support::until("it hangs", async || consumer.stats().await.uploads_in_flight == 1).await;
        settle(running.free()).await.unwrap_err();
        let resumed = crate::support::stored(blob.clone().into(), options).await.map_err(Failure).unwrap();
        assert_eq!(resumed.is_some(), kept);
    }
}

#[wasm_bindgen_test]
async fn what_is_kept_is_plain_json_without_credentials() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 100_000 })).await;
    consumer.fail("finish", 1, json!({ "kind": "status", "status": 402 })).await;
    let store = MemoryStore::new(&NONE);
    let headers = json!({ "x-secret": "hush-hush-hush" });
    let options = with(consumer.options(json!({ "headers": headers })), "store", &store);
    assert_eq!(Running::start(&file(1_000_000), &options).failure().await.code(), "payment_required");
    let record = js_sys::JSON::stringify(&store.last()).unwrap().as_string().unwrap();
    for secret in ["test-api-key", "Bearer", "hush-hush-hush"] {
        assert!(!record.contains(secret), "{record}");
    }
    assert!(text(&store.last(), "sessionId").is_some());
}
