//! Pause, resume, abort, signals and `free()`: what stops, what stays, and what is left on the server.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Object;
use serde_json::{Value, json};
use upload_session::UploadSession;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{AbortController, File};

use crate::support::{Consumer, Failure, Running, Stats, file, get, js, on, settle, text, until, with};

const SIZE: usize = 1_000_000;
const PART_SIZE: usize = 50_000;
/// Bytes a second at which several parts are on their way whenever a test looks.
const SLOW: usize = 400_000;
const NONE: JsValue = JsValue::UNDEFINED;
/// How often the statistics are looked at to see that they stand still.
const LOOKS: usize = 10;

/// A consumer on a slow link, and a file of 20 parts.
async fn slow() -> (Consumer, File) {
    let settings = json!({ "part_size": PART_SIZE, "rate": SLOW });
    (Consumer::with("dropbox", settings).await, file(SIZE))
}

/// An upload with parts on their way that, from now on, come to an end only if they are cancelled.
async fn under_way(options: Value) -> (Consumer, File, Running) {
    under_way_with(options, NONE).await
}

async fn under_way_with(options: Value, signal: JsValue) -> (Consumer, File, Running) {
    let consumer = Consumer::with("dropbox", json!({ "part_size": PART_SIZE })).await;
    let hang = json!({ "kind": "stall", "when": "before_body" });
    let hanging: Vec<_> =
        (2..6).map(|part| json!({ "operation": "upload", "part_number": part, "fault": hang })).collect();
    consumer.script(hanging.into()).await;
    let file = file(SIZE);
    let running = Running::start(&file, &with(consumer.options(options), "signal", signal));
    running.until_parts_done(2).await;
    until("parts hang", async || consumer.stats().await.uploads_in_flight >= 2).await;
    (consumer, file, running)
}

/// Asserts that from now on nothing is sent; returns the statistics.
async fn assert_standstill(consumer: &Consumer) -> Stats {
    until("nothing is in flight", async || consumer.stats().await.uploads_in_flight == 0).await;
    let stats = consumer.stats().await;
    for _ in 0..LOOKS {
        assert_eq!(consumer.stats().await, stats);
    }
    stats
}

fn keep(value: JsValue, into: &Rc<RefCell<Vec<JsValue>>>) {
    into.borrow_mut().push(value);
}

#[wasm_bindgen_test]
async fn pause_stops_traffic_and_resume_goes_on() {
    for body in ["blob", "buffer"] {
        let (consumer, file, running) = under_way(json!({ "body": body })).await;
        running.session.pause();
        assert_eq!(running.session.state(), "paused");
        let begun = running.part_events("sending");
        let done = running.parts_done();
        let paused = assert_standstill(&consumer).await;
        assert_eq!(running.part_events("sending"), begun);
        assert!(paused.requests.upload as usize <= begun, "no part was begun after the pause");
        assert!(paused.bytes_received < SIZE as u64);
        until("the progress says so", async || running.progress("parts.inFlight") == 0.0).await;
        let confirmed = running.progress("confirmed");
        assert!(confirmed >= (2 * PART_SIZE) as f64);

        consumer.clear_faults().await;
        running.session.resume();
        let uploaded = running.end().await.unwrap();
        consumer.assert_holds(&uploaded, &file).await;
        assert_eq!(running.states(), ["starting", "uploading", "paused", "uploading", "finishing", "done"]);
        for part in done {
            assert_eq!(consumer.stats().await.attempts(part).len(), 1, "part {part} was confirmed before the pause");
        }
    }
}

#[wasm_bindgen_test]
async fn pause_while_the_session_is_opened_holds_back_the_parts() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": PART_SIZE })).await;
    let file = file(SIZE);
    consumer.fail("create", 1, json!({ "kind": "stall", "when": "after_body", "seconds": 0.3 })).await;
    let running = Running::start(&file, &consumer.options(json!({})));
    until("the session exists", async || consumer.sessions().await.len() == 1).await;
    running.session.pause();
    until("the session is known", async || running.session.id().is_some()).await;
    let paused = assert_standstill(&consumer).await;
    assert_eq!((paused.requests.create, paused.requests.get, paused.requests.upload), (1, 0, 0));
    running.session.resume();
    consumer.assert_holds(&running.end().await.unwrap(), &file).await;
    assert_eq!(consumer.stats().await.requests.create, 1);
}

#[wasm_bindgen_test]
async fn pause_and_resume_out_of_turn_do_nothing() {
    let consumer = Consumer::new("dropbox");
    let file = file(1000);
    let session = UploadSession::new(&file, &consumer.options(json!({}))).map_err(Failure).unwrap();
    session.resume();
    session.pause();
    assert_eq!(session.state(), "idle");
    let uploaded = settle(session.start()).await.unwrap();
    session.pause();
    session.resume();
    assert_eq!(session.state(), "done");
    consumer.assert_holds(&uploaded, &file).await;
}

#[wasm_bindgen_test]
async fn abort_deletes_the_session_and_leaves_nothing_in_flight() {
    let (consumer, _, running) = under_way(json!({})).await;
    let aborted = running.session.abort();
    assert_eq!(running.session.state(), "aborted");
    let failure = running.failure().await;
    assert!(failure.is_upload_error());
    assert_eq!(failure.code(), "aborted");
    assert!(failure.get("cause").is_undefined());
    settle(aborted).await.unwrap();
    assert_eq!(consumer.sessions().await, Vec::<Value>::new(), "abort() resolves once the session is gone");
    consumer.assert_nothing_left().await;
    let stats = assert_standstill(&consumer).await;
    assert_eq!((stats.requests.delete, stats.requests.finish), (1, 0));
    assert_eq!(stats.statuses("delete"), [200]);
}

#[wasm_bindgen_test]
async fn abort_twice_deletes_once() {
    let (consumer, _, running) = under_way(json!({})).await;
    let (first, second) = (running.session.abort(), running.session.abort());
    settle(first).await.unwrap();
    settle(second).await.unwrap();
    settle(running.session.abort()).await.unwrap();
    consumer.assert_nothing_left().await;
    assert_eq!(consumer.stats().await.requests.delete, 1);
}

#[wasm_bindgen_test]
async fn abort_while_paused_deletes_the_session() {
    let (consumer, _, running) = under_way(json!({})).await;
    running.session.pause();
    settle(running.session.abort()).await.unwrap();
    assert_eq!(running.failure().await.code(), "aborted");
    consumer.assert_nothing_left().await;
}

#[wasm_bindgen_test]
async fn abort_before_the_start_sends_nothing() {
    let consumer = Consumer::new("dropbox");
    let session = UploadSession::new(&file(1000), &consumer.options(json!({}))).map_err(Failure).unwrap();
    settle(session.abort()).await.unwrap();
    assert_eq!(settle(session.start()).await.unwrap_err().code(), "aborted");
    assert_eq!(consumer.stats().await.log, []);
}

/// Its answer is the only thing that names the session.
#[wasm_bindgen_test]
async fn abort_while_create_is_in_flight_leaves_no_session() {
    let consumer = Consumer::new("dropbox");
    consumer.fail("create", 1, json!({ "kind": "stall", "when": "after_body", "seconds": 0.3 })).await;
    let running = Running::start(&file(1000), &consumer.options(json!({})));
    until("the session exists", async || consumer.sessions().await.len() == 1).await;
    let aborted = running.session.abort();
    assert_eq!(running.failure().await.code(), "aborted");
    settle(aborted).await.unwrap();
    consumer.assert_nothing_left().await;
    assert_eq!(consumer.stats().await.statuses("delete"), [200]);
}

#[wasm_bindgen_test]
async fn abort_right_after_the_start_leaves_no_session() {
    let consumer = Consumer::new("dropbox");
    let running = Running::start(&file(1000), &consumer.options(json!({})));
    settle(running.session.abort()).await.unwrap();
    assert_eq!(running.failure().await.code(), "aborted");
    consumer.assert_nothing_left().await;
    let requests = consumer.stats().await.requests;
    assert_eq!(requests.create, requests.delete);
}

#[wasm_bindgen_test]
async fn abort_while_any_other_request_is_in_flight_leaves_no_session() {
    for operation in ["get", "upload", "finish"] {
        let consumer = Consumer::new("dropbox");
        consumer.fail(operation, 9, json!({ "kind": "stall", "when": "before_body" })).await;
        let running = Running::start(&file(1000), &consumer.options(json!({})));
        let begun = async || {
            let requests = consumer.stats().await.requests;
            [("get", requests.get), ("upload", requests.upload), ("finish", requests.finish)].contains(&(operation, 1))
        };
        until(operation, begun).await;
        settle(running.session.abort()).await.unwrap();
        assert_eq!(running.failure().await.code(), "aborted");
        consumer.assert_nothing_left().await;
        assert_eq!(consumer.stats().await.statuses("delete"), [200], "{operation}");
    }
}

#[wasm_bindgen_test]
async fn abort_after_a_failure_deletes_the_session() {
    let consumer = Consumer::new("dropbox");
    consumer.fail("upload", 1, json!({ "kind": "status", "status": 403 })).await;
    let running = Running::start(&file(1000), &consumer.options(json!({})));
    assert_eq!(running.failure().await.code(), "forbidden");
    assert_eq!(running.session.state(), "failed");
    assert_eq!(consumer.sessions().await.len(), 1, "it is left for the caller");
    settle(running.session.abort()).await.unwrap();
    assert_eq!(running.failure().await.code(), "forbidden");
    consumer.assert_nothing_left().await;
}

#[wasm_bindgen_test]
async fn abort_after_the_end_changes_nothing() {
    let consumer = Consumer::new("dropbox");
    let file = file(1000);
    let (running, uploaded) = Running::to_end(&file, &consumer.options(json!({}))).await;
    settle(running.session.abort()).await.unwrap();
    assert_eq!(running.session.state(), "done");
    assert_eq!(consumer.stats().await.requests.delete, 0);
    consumer.assert_holds(&uploaded, &file).await;
}

/// As the session stays, nothing but the cancellation ends what is on the wire.
#[wasm_bindgen_test]
async fn abort_that_the_server_refuses_cancels_warns_and_resolves() {
    let (consumer, _, running) = under_way(json!({})).await;
    consumer.fail("delete", 9, json!({ "kind": "status", "status": 403 })).await;
    settle(running.session.abort()).await.unwrap();
    assert_standstill(&consumer).await;
    assert_eq!(consumer.sessions().await.len(), 1);
    let warnings: Vec<_> = running.events("warning").iter().map(|event| text(event, "code").unwrap()).collect();
    assert_eq!(warnings, ["session_not_deleted"]);
    assert_eq!(running.failure().await.code(), "aborted");
}

#[wasm_bindgen_test]
async fn delete_that_fails_at_first_is_retried() {
    let (consumer, _, running) = under_way(json!({})).await;
    consumer.fail("delete", 2, json!({ "kind": "status", "status": 503 })).await;
    settle(running.session.abort()).await.unwrap();
    consumer.assert_nothing_left().await;
    assert_eq!(consumer.stats().await.statuses("delete"), [503, 503, 200]);
}

#[wasm_bindgen_test]
async fn signal_that_is_aborted_already_sends_nothing() {
    let consumer = Consumer::new("dropbox");
    let controller = AbortController::new().unwrap();
    controller.abort_with_reason(&"no longer wanted".into());
    let options = with(consumer.options(json!({})), "signal", controller.signal());
    let failure = Running::start(&file(1000), &options).failure().await;
    assert_eq!((failure.code(), failure.text("cause")), ("aborted".to_owned(), Some("no longer wanted".to_owned())));
    assert_eq!(consumer.stats().await.log, []);
}

#[wasm_bindgen_test]
async fn signal_in_the_middle_does_what_abort_does_with_its_reason_as_cause() {
    let reason = js(&json!({ "because": "the user left" }));
    for custom in [true, false] {
        let controller = AbortController::new().unwrap();
        let (consumer, _, running) = under_way_with(json!({}), controller.signal().into()).await;
        if custom {
            controller.abort_with_reason(&reason);
        } else {
            controller.abort();
        }
        let failure = running.failure().await;
        assert_eq!(failure.code(), "aborted");
        assert!(Object::is(&failure.get("cause"), &controller.signal().reason()));
        settle(running.session.abort()).await.unwrap();
        consumer.assert_nothing_left().await;
        let stats = assert_standstill(&consumer).await;
        assert_eq!((stats.requests.delete, stats.requests.finish), (1, 0));
    }
}

#[wasm_bindgen_test]
async fn signal_after_the_end_changes_nothing() {
    let consumer = Consumer::new("dropbox");
    let controller = AbortController::new().unwrap();
    let options = with(consumer.options(json!({})), "signal", controller.signal());
    let (running, _) = Running::to_end(&file(1000), &options).await;
    controller.abort();
    assert_eq!(running.session.state(), "done");
    assert_eq!(consumer.stats().await.requests.delete, 0);
}

#[wasm_bindgen_test]
async fn free_in_the_middle_cancels_and_leaves_no_session() {
    let (consumer, _, running) = under_way(json!({})).await;
    let Running { session, promise, .. } = running;
    drop(session);
    assert_eq!(settle(promise).await.unwrap_err().code(), "aborted");
    until("the session is gone", async || consumer.sessions().await.is_empty()).await;
    consumer.assert_nothing_left().await;
    assert_eq!(assert_standstill(&consumer).await.requests.delete, 1);
}

#[wasm_bindgen_test]
async fn free_while_create_is_in_flight_leaves_no_session() {
    let consumer = Consumer::new("dropbox");
    consumer.fail("create", 1, json!({ "kind": "stall", "when": "after_body", "seconds": 0.2 })).await;
    let Running { session, promise, .. } = Running::start(&file(1000), &consumer.options(json!({})));
    until("the session exists", async || consumer.sessions().await.len() == 1).await;
    drop(session);
    assert_eq!(settle(promise).await.unwrap_err().code(), "aborted");
    until("the session is gone", async || consumer.stats().await.statuses("delete") == [200]).await;
    consumer.assert_nothing_left().await;
}

#[wasm_bindgen_test]
async fn free_before_the_start_sends_nothing_and_after_the_end_takes_nothing_back() {
    let consumer = Consumer::new("dropbox");
    let file = file(1000);
    drop(UploadSession::new(&file, &consumer.options(json!({}))).map_err(Failure).unwrap());
    assert_eq!(consumer.stats().await.log, []);
    let (running, uploaded) = Running::to_end(&file, &consumer.options(json!({}))).await;
    drop(running);
    consumer.assert_holds(&uploaded, &file).await;
    assert_eq!(consumer.stats().await.requests.delete, 0);
}

#[wasm_bindgen_test]
async fn second_start_gives_the_same_promise() {
    let consumer = Consumer::new("dropbox");
    let running = Running::start(&file(1000), &consumer.options(json!({})));
    assert!(Object::is(&running.promise, &running.session.start()));
    running.end().await.unwrap();
    assert!(Object::is(&running.promise, &running.session.start()));
    assert_eq!(consumer.stats().await.requests.create, 1);
}

#[wasm_bindgen_test]
async fn listener_that_pauses_and_resumes_within_an_event() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": PART_SIZE })).await;
    let file = file(SIZE);
    let session = UploadSession::new(&file, &consumer.options(json!({}))).map_err(Failure).unwrap();
    let session = Rc::new(session);
    let (states, handle, paused) = (Rc::default(), Rc::clone(&session), Cell::new(false));
    on(&session, "part", move |event| {
        if text(&event, "state").as_deref() == Some("done") && !paused.replace(true) {
            handle.pause();
            assert_eq!(handle.state(), "paused");
        }
    });
    let into = Rc::clone(&states);
    on(&session, "state", move |event| keep(get(&event, "state"), &into));
    let promise = session.start();
    until("it is paused", async || states.borrow().iter().any(|state| *state == "paused")).await;
    assert_standstill(&consumer).await;
    session.resume();
    consumer.assert_holds(&settle(promise).await.unwrap(), &file).await;
}

#[wasm_bindgen_test]
async fn listener_that_aborts_within_an_event() {
    for event in ["session", "progress", "part"] {
        let (consumer, file) = slow().await;
        let session = UploadSession::new(&file, &consumer.options(json!({}))).map_err(Failure).unwrap();
        let session = Rc::new(session);
        let handle = Rc::clone(&session);
        on(&session, event, move |_| drop(handle.abort()));
        assert_eq!(settle(session.start()).await.unwrap_err().code(), "aborted");
        settle(session.abort()).await.unwrap();
        consumer.assert_nothing_left().await;
        assert_eq!(consumer.stats().await.requests.delete, 1, "{event}");
    }
}

#[wasm_bindgen_test]
async fn listener_that_frees_the_session_within_an_event() {
    let (consumer, file) = slow().await;
    let session = UploadSession::new(&file, &consumer.options(json!({}))).map_err(Failure).unwrap();
    let promise = session.start();
    let session = Rc::new(RefCell::new(Some(session)));
    let handle = Rc::clone(&session);
    on(session.borrow().as_ref().unwrap(), "part", move |_| drop(handle.take()));
    assert_eq!(settle(promise).await.unwrap_err().code(), "aborted");
    until("the session is gone", async || consumer.stats().await.statuses("delete") == [200]).await;
    consumer.assert_nothing_left().await;
}
