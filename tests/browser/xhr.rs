//! File content by `XMLHttpRequest`: the same upload, with progress that is measured.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::json;
use upload_session::UploadSession;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Failure, Patch, Recorder, Running, eval, file, get, on, settle, until};

const MIB: usize = 1024 * 1024;

#[wasm_bindgen_test]
async fn xhr_uploads_byte_exact_with_either_body() {
    for body in ["blob", "buffer"] {
        let consumer = Consumer::with("dropbox", json!({ "part_size": 300_000 })).await;
        let file = file(1_000_000);
        let recorder = Recorder::new();
        let (_, uploaded) =
            Running::to_end(&file, &consumer.options(json!({ "transport": "xhr", "body": body }))).await;
        consumer.assert_holds(&uploaded, &file).await;
        assert_eq!(recorder.last().await.text("method"), "POST", "fetch is what finishes");
        assert_eq!(recorder.count("PUT"), 0, "no content goes by fetch");
        assert_eq!(consumer.stats().await.requests.upload, 4);
    }
}

#[wasm_bindgen_test]
async fn header_that_is_given_twice_has_one_value() {
    for transport in ["fetch", "xhr"] {
        let consumer = Consumer::new("dropbox");
        let file = file(1000);
        let headers = json!({ "X-Apideck-Consumer-Id": "somebody-else", "x-apideck-service-id": "box" });
        let options = json!({ "transport": transport, "direct": "auto", "headers": headers });
        let (_, uploaded) = Running::to_end(&file, &consumer.options(options)).await;
        consumer.assert_holds(&uploaded, &file).await;
    }
}

#[wasm_bindgen_test]
async fn small_file_goes_by_xhr_too() {
    let consumer = Consumer::new("dropbox");
    let file = file(1000);
    let recorder = Recorder::new();
    let options = consumer.options(json!({ "transport": "xhr", "direct": "auto" }));
    let (_, uploaded) = Running::to_end(&file, &options).await;
    consumer.assert_holds(&uploaded, &file).await;
    assert!(recorder.is_empty());
}

#[wasm_bindgen_test]
async fn errors_and_their_headers_are_those_of_fetch() {
    for transport in ["fetch", "xhr"] {
        let consumer = Consumer::with("dropbox", json!({ "part_size": 300_000 })).await;
        let late = json!({ "kind": "status", "status": 429, "headers": { "Retry-After": "1" } });
        consumer.fail("upload", 1, late).await;
        let running = Running::start(&file(1000), &consumer.options(json!({ "transport": transport })));
        running.end().await.unwrap();
        let retries = running.events("retry");
        assert_eq!(retries.len(), 1);
        assert!(get(&retries[0], "delay").as_f64().unwrap() >= 1000.0, "{transport}: Retry-After is heard");

        let refused = json!({ "kind": "status", "status": 403, "headers": { "request-id": "abc" } });
        consumer.fail("upload", 1, refused).await;
        let failure = Running::start(&file(1000), &consumer.options(json!({ "transport": transport }))).failure().await;
        assert_eq!((failure.code().as_str(), failure.number("status")), ("forbidden", Some(403.0)));
        assert_eq!(failure.text("requestId").as_deref(), Some("abc"));
    }
}

#[wasm_bindgen_test]
async fn connection_that_breaks_is_tried_again() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 300_000 })).await;
    for when in ["before_body", "mid_body", "after_body"].repeat(2) {
        consumer.fail("upload", 1, json!({ "kind": "reset", "when": when })).await;
    }
    let file = file(1_000_000);
    let (running, uploaded) = Running::to_end(&file, &consumer.options(json!({ "transport": "xhr" }))).await;
    consumer.assert_holds(&uploaded, &file).await;
    assert_eq!(consumer.faults_left().await, 0);
    let retries = running.events("retry");
    assert!(!retries.is_empty(), "a browser may send again by itself, yet not six times");
}

#[wasm_bindgen_test]
async fn pause_and_abort_cut_what_is_on_the_wire() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 50_000 })).await;
    consumer.fail("upload", 9, json!({ "kind": "stall", "when": "before_body" })).await;
    let file = file(1_000_000);
    let running = Running::start(&file, &consumer.options(json!({ "transport": "xhr" })));
    until("a part hangs", async || consumer.stats().await.uploads_in_flight > 0).await;
    running.session.pause();
    until("nothing is in flight", async || consumer.stats().await.uploads_in_flight == 0).await;
    running.session.resume();
    until("a part hangs again", async || consumer.stats().await.uploads_in_flight > 0).await;
    settle(running.session.abort()).await.unwrap();
    assert_eq!(running.failure().await.code(), "aborted");
    consumer.assert_nothing_left().await;
}

/// Done-when 9 of a link of 1 MB/s: `sent` moves within one part of 8 MiB, at least four times a second, never back.
#[wasm_bindgen_test]
async fn progress_within_a_part_is_measured_at_least_four_times_a_second() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 8 * MIB, "rate": 1_000_000 })).await;
    let file = file(8 * MIB);
    let session = UploadSession::new(&file, &consumer.options(json!({ "transport": "xhr" }))).map_err(Failure).unwrap();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let into = Rc::clone(&seen);
    on(&session, "progress", move |progress| {
        let number = |field: &str| get(&progress, field).as_f64().unwrap();
        into.borrow_mut().push((js_sys::Date::now(), number("sent"), number("confirmed")));
    });
    let uploaded = settle(session.start()).await.unwrap();
    let seen = seen.take();
    assert!(seen.windows(2).all(|pair| pair[0].1 <= pair[1].1), "sent never runs backwards: {seen:?}");
    // Within the part: neither its begin nor its acknowledgement.
    let moves: Vec<_> = seen.iter().filter(|(_, sent, confirmed)| *sent > 0.0 && *confirmed == 0.0).collect();
    let distinct = moves.windows(2).filter(|pair| pair[0].1 < pair[1].1).count() as f64;
    let seconds = (moves.last().unwrap().0 - moves[0].0) / 1000.0;
    assert!(seconds > 2.0, "the link is slow enough to tell: {seconds} s");
    assert!(distinct / seconds >= 4.0, "{distinct} moves in {seconds} s: {moves:?}");
    consumer.assert_holds(&uploaded, &file).await;
}

#[wasm_bindgen_test]
fn credentials_that_xhr_cannot_omit_are_refused() {
    let consumer = Consumer::new("dropbox");
    let options = |credentials| consumer.options(json!({ "transport": "xhr", "credentials": credentials }));
    let failure = Failure(UploadSession::new(&file(10), &options("omit")).err().unwrap());
    assert_eq!(failure.code(), "invalid_argument");
    assert!(failure.message().contains("`credentials`"), "{}", failure.message());
    assert!(UploadSession::new(&file(10), &options("same-origin")).is_ok());
    assert!(UploadSession::new(&file(10), &options("include")).is_ok());
}

#[wasm_bindgen_test]
fn runtime_without_xhr_refuses_it_and_takes_fetch() {
    let consumer = Consumer::new("dropbox");
    let _patch = Patch::new("globalThis", "XMLHttpRequest", &JsValue::UNDEFINED);
    let failure =
        Failure(UploadSession::new(&file(10), &consumer.options(json!({ "transport": "xhr" }))).err().unwrap());
    assert_eq!(failure.code(), "invalid_argument");
    assert!(failure.message().contains("`transport`") && failure.message().contains("XMLHttpRequest"));
    assert!(UploadSession::new(&file(10), &consumer.options(json!({ "transport": "fetch" }))).is_ok());
}

/// Whatever a page did to it, the upload ends and the module lives.
#[wasm_bindgen_test]
async fn xhr_that_the_page_broke_is_an_error() {
    for broken in [
        "class { constructor() { throw new Error('no') } }",
        "class extends XMLHttpRequest { open() { throw new Error('no') } }",
        "class extends XMLHttpRequest { setRequestHeader() { throw new Error('no') } }",
        "class extends XMLHttpRequest { send() { throw new Error('no') } }",
        "class extends XMLHttpRequest { set withCredentials(_) { throw new Error('no') } }",
        "class extends XMLHttpRequest { get upload() { return null } }",
        "class extends XMLHttpRequest { get status() { throw new Error('no') } }",
        "class extends XMLHttpRequest { addEventListener() { throw new Error('no') } }",
    ] {
        let consumer = Consumer::new("dropbox");
        let _patch = Patch::new("globalThis", "XMLHttpRequest", &eval(broken));
        let retries = json!({ "strategy": "none" });
        let options = consumer.options(json!({ "transport": "xhr", "retries": retries }));
        let failure = Running::start(&file(1000), &options).failure().await;
        assert!(failure.is_upload_error(), "{broken}: {failure:?}");
    }
    for odd in [
        "class extends XMLHttpRequest { getAllResponseHeaders() { throw new Error('no') } }",
        "class extends XMLHttpRequest { abort() { throw new Error('no') } }",
    ] {
        let consumer = Consumer::new("dropbox");
        let _patch = Patch::new("globalThis", "XMLHttpRequest", &eval(odd));
        let file = file(1000);
        let (_, uploaded) = Running::to_end(&file, &consumer.options(json!({ "transport": "xhr" }))).await;
        consumer.assert_holds(&uploaded, &file).await;
    }
}

/// The API has no redirects: what answers from elsewhere is a captive portal, say.
#[wasm_bindgen_test]
async fn answer_from_elsewhere_is_none_of_the_api() {
    let consumer = Consumer::new("dropbox");
    let moved = "class extends XMLHttpRequest { get responseURL() { return 'http://portal.test/' } }";
    let _patch = Patch::new("globalThis", "XMLHttpRequest", &eval(moved));
    let failure = Running::start(&file(1000), &consumer.options(json!({ "transport": "xhr" }))).failure().await;
    assert!(failure.is_upload_error());
    assert_eq!(consumer.files().await.len(), 0);
}
