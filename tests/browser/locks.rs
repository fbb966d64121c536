//! Two tabs, or two sessions of one, never drive the same upload (Web Locks).

use serde_json::json;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Patch, Running, eval, file, settle, until};

/// A consumer, a file, and an upload of it that is under way and goes on as long as it is let.
async fn first() -> (Consumer, web_sys::File, Running) {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 50_000, "rate": 200_000 })).await;
    let file = file(1_000_000);
    let running = Running::start(&file, &consumer.options(json!({ "store": "indexeddb" })));
    running.until_parts_done(1).await;
    (consumer, file, running)
}

#[wasm_bindgen_test]
async fn second_is_refused_while_the_first_is_at_it_and_takes_over_then() {
    let (consumer, file, first) = first().await;
    let options = consumer.options(json!({ "store": "indexeddb" }));
    let second = Running::start(&file, &options);
    let failure = second.failure().await;
    assert!(failure.is_upload_error());
    assert_eq!((failure.code().as_str(), failure.number("status")), ("conflict", None));
    assert_eq!(second.session.state(), "failed");
    assert_eq!(consumer.stats().await.requests.create, 1);
    settle(first.free()).await.unwrap_err();

    let resumed = crate::support::stored(file.clone().into(), options).await;
    let third = Running::run(resumed.map_err(crate::support::Failure).unwrap().expect("the record is the first's"));
    consumer.set(json!({ "rate": null })).await;
    consumer.assert_holds(&third.end().await.unwrap(), &file).await;
    assert_eq!(consumer.stats().await.requests.create, 1);
}

#[wasm_bindgen_test]
async fn lock_ends_with_the_upload_however_it_ends() {
    let (consumer, file, running) = first().await;
    let options = consumer.options(json!({ "store": "indexeddb" }));
    settle(running.session.abort()).await.unwrap();
    assert_eq!(running.failure().await.code(), "aborted");
    consumer.set(json!({ "rate": null })).await;
    // After an abort, after a failure, after a success.
    consumer.fail("finish", 1, json!({ "kind": "status", "status": 402 })).await;
    assert_eq!(Running::start(&file, &options).failure().await.code(), "payment_required");
    Running::to_end(&file, &options).await;
    Running::to_end(&file, &options).await;
}

#[wasm_bindgen_test]
async fn abort_after_a_failure_leaves_alone_what_another_goes_on_with() {
    let (consumer, file, failed) = first().await;
    consumer.fail("upload", 1, json!({ "kind": "status", "status": 403 })).await;
    assert_eq!(failed.failure().await.code(), "forbidden");
    let options = consumer.options(json!({ "store": "indexeddb" }));
    let resumed = crate::support::stored(file.clone().into(), options).await;
    let second = Running::run(resumed.map_err(crate::support::Failure).unwrap().expect("the record stays"));
    until("the second is at it", async || second.session.state() == "uploading").await;
    settle(failed.session.abort()).await.unwrap();
    assert_eq!(failed.events("warning").len(), 1);
    consumer.set(json!({ "rate": null })).await;
    consumer.assert_holds(&second.end().await.unwrap(), &file).await;
    assert_eq!(consumer.stats().await.requests.delete, 0);
}

#[wasm_bindgen_test]
async fn uploads_of_other_files_or_to_other_places_are_not_in_the_way() {
    let (consumer, file, first) = first().await;
    consumer.set(json!({ "rate": null })).await;
    let elsewhere = consumer.options(json!({ "parentFolderId": "elsewhere" }));
    let renamed = consumer.options(json!({ "name": "other.bin" }));
    for options in [elsewhere, renamed] {
        Running::to_end(&file, &options).await;
    }
    Running::to_end(&crate::support::file(999), &consumer.options(json!({}))).await;
    consumer.assert_holds(&first.end().await.unwrap(), &file).await;
}

#[wasm_bindgen_test]
async fn where_there_are_no_locks_or_they_fail_the_upload_goes_on() {
    for locks in [
        "undefined",
        "{}",
        "{ request() { throw new DOMException('no', 'SecurityError') } }",
        "{ request: async () => { throw new DOMException('no', 'SecurityError') } }",
        "{ request: async () => {} }",
    ] {
        let consumer = Consumer::new("dropbox");
        let _patch = Patch::new("navigator", "locks", &eval(&format!("({locks})")));
        let file = file(1000);
        let (_, uploaded) = Running::to_end(&file, &consumer.options(json!({}))).await;
        consumer.assert_holds(&uploaded, &file).await;
    }
}

#[wasm_bindgen_test]
async fn abort_before_there_is_a_lock_leaves_none() {
    let consumer = Consumer::new("dropbox");
    let file = file(1000);
    let options = consumer.options(json!({}));
    let running = Running::start(&file, &options);
    settle(running.session.abort()).await.unwrap();
    until("it is free", async || Running::start(&file, &options).end().await.is_ok()).await;
    let held = async || {
        let query: js_sys::Promise = eval("navigator.locks.query()").unchecked_into();
        js_sys::Array::from(&crate::support::get(&settle(query).await.unwrap(), "held")).length()
    };
    until("no lock is held", async || held().await == 0).await;
}
