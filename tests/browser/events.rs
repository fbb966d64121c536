//! What listeners are told, and what they can do wrong.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Error, Function};
use serde_json::json;
use upload_session::UploadSession;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Failure, Running, call, file, get, on, settle, text};

const SIZE: usize = 1_000_001;
const PART_SIZE: usize = 100_000;

/// One progress: total, confirmed, sent, hashed.
fn bytes(progress: &JsValue) -> [f64; 4] {
    ["total", "confirmed", "sent", "hashed"].map(|field| get(progress, field).as_f64().unwrap())
}

#[wasm_bindgen_test]
async fn progress_never_falls_and_ends_complete() {
    for (service, body) in [("dropbox", "blob"), ("dropbox", "buffer"), ("google-drive", "blob")] {
        let consumer = Consumer::with(service, json!({ "part_size": PART_SIZE, "rate": 4_000_000 })).await;
        consumer.fail("upload", 2, json!({ "kind": "status", "status": 503 })).await;
        let (running, _) = Running::to_end(&file(SIZE), &consumer.options(json!({ "body": body }))).await;
        let told = running.events("progress");
        let mut before = [0.0; 4];
        for progress in &told {
            let now @ [total, confirmed, sent, hashed] = bytes(progress);
            assert_eq!(total, SIZE as f64);
            assert!(confirmed <= sent && sent <= total && hashed <= total, "{now:?}");
            assert!(confirmed >= before[1] && hashed >= before[3], "{before:?} {now:?}");
            let parts = ["done", "inFlight", "total"].map(|field| get(progress, &format!("parts.{field}")));
            let [done, in_flight, all] = parts.map(|part| part.as_f64().unwrap());
            assert!(all == 11.0 && done + in_flight <= all && in_flight <= 4.0);
            assert!(get(progress, "bytesPerSecond").as_f64().unwrap() >= 0.0);
            assert!(get(progress, "secondsRemaining").as_f64().is_none_or(|seconds| seconds >= 0.0));
            before = now;
        }
        assert_eq!(before, [SIZE as f64; 4]);
        assert_eq!(bytes(&running.session.progress()), before);
        assert!(told.len() > 3);
    }
}

#[wasm_bindgen_test]
async fn states_follow_each_other_and_the_session_is_told_once() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": PART_SIZE })).await;
    let (running, _) = Running::to_end(&file(SIZE), &consumer.options(json!({}))).await;
    assert_eq!(running.states(), ["starting", "uploading", "finishing", "done"]);
    let [session] = running.events("session").try_into().unwrap();
    assert_eq!(text(&session, "id"), running.session.id());
    assert_eq!(get(&session, "partSize"), PART_SIZE as f64);
    assert_eq!((get(&session, "parallel"), get(&session, "resumed")), (true.into(), false.into()));
    assert!(text(&session, "expiresAt").unwrap().ends_with('Z'));
    let names = running.names();
    let first = |name| names.iter().position(|found| *found == name).unwrap();
    assert!(first("state") < first("session") && first("session") < first("part"));
    assert_eq!(running.events("warning").len() + running.events("retry").len(), 0);
}

#[wasm_bindgen_test]
async fn every_part_is_hashed_queued_sent_and_done() {
    for (service, concurrency) in [("dropbox", 3), ("google-drive", 3)] {
        let consumer = Consumer::with(service, json!({ "part_size": PART_SIZE })).await;
        let options = consumer.options(json!({ "concurrency": concurrency }));
        let (running, _) = Running::to_end(&file(SIZE), &options).await;
        let events = running.events("part");
        for part in 0..11 {
            let of_part: Vec<_> = events.iter().filter(|event| get(event, "partNumber") == f64::from(part)).collect();
            let states: Vec<_> = of_part.iter().map(|event| text(event, "state").unwrap()).collect();
            assert_eq!(states, ["hashing", "queued", "sending", "done"], "part {part}");
            let attempts: Vec<_> = of_part.iter().map(|event| get(event, "attempt").as_f64().unwrap()).collect();
            assert_eq!(attempts, [0.0, 0.0, 1.0, 1.0]);
            let (start, end) = (get(of_part[0], "start"), get(of_part[0], "end"));
            assert_eq!(start, f64::from(part) * PART_SIZE as f64);
            assert_eq!(end, (f64::from(part + 1) * PART_SIZE as f64).min(SIZE as f64));
        }
        let most = if service == "dropbox" { concurrency } else { 1 };
        assert!(consumer.stats().await.peak_parallel_uploads <= most);
    }
}

#[wasm_bindgen_test]
async fn parts_go_side_by_side_up_to_as_many_as_asked() {
    for (service, concurrency, least, most) in [
        ("dropbox", Some(1), 1, 1),
        ("dropbox", None, 2, 4),
        ("dropbox", Some(6), 2, 6),
        ("google-drive", Some(6), 1, 1),
    ] {
        // Slow, so that no part ends before others are on the wire.
        let consumer = Consumer::with(service, json!({ "part_size": PART_SIZE, "rate": 2_000_000 })).await;
        let options = consumer.options(json!({ "concurrency": concurrency }));
        Running::to_end(&file(SIZE), &options).await;
        let peak = consumer.stats().await.peak_parallel_uploads;
        assert!((least..=most).contains(&peak), "{service} {concurrency:?}: {peak}");
    }
}

#[wasm_bindgen_test]
async fn part_larger_than_the_budget_is_warned_of_and_sent_as_a_slice() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": PART_SIZE })).await;
    let file = file(SIZE);
    let options = consumer.options(json!({ "body": "buffer", "memoryBudget": PART_SIZE - 1 }));
    let (running, uploaded) = Running::to_end(&file, &options).await;
    let warnings: Vec<_> = running.events("warning").iter().map(|event| text(event, "code").unwrap()).collect();
    assert_eq!(warnings, ["memory_budget"]);
    consumer.assert_holds(&uploaded, &file).await;
}

#[wasm_bindgen_test]
async fn budget_of_one_part_sends_one_part_at_a_time() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": PART_SIZE })).await;
    let file = file(SIZE);
    let options = consumer.options(json!({ "body": "buffer", "memoryBudget": PART_SIZE }));
    let (_, uploaded) = Running::to_end(&file, &options).await;
    consumer.assert_holds(&uploaded, &file).await;
    assert_eq!(consumer.stats().await.peak_parallel_uploads, 1);
}

#[wasm_bindgen_test]
async fn listeners_that_throw_harm_nothing() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": PART_SIZE })).await;
    consumer.fail("upload", 2, json!({ "kind": "status", "status": 503 })).await;
    let file = file(SIZE);
    let session = UploadSession::new(&file, &consumer.options(json!({}))).map_err(Failure).unwrap();
    let told = Rc::new(Cell::new(0));
    for event in ["state", "session", "progress", "part", "retry", "warning"] {
        let told = Rc::clone(&told);
        let listener = move |_: JsValue| -> Result<(), JsValue> {
            told.set(told.get() + 1);
            Err(Error::new("thrown by a listener").into())
        };
        let listener = Closure::<dyn FnMut(JsValue) -> Result<(), JsValue>>::new(listener).into_js_value();
        session.on(&event.into(), &listener).map_err(Failure).unwrap();
    }
    let uploaded = settle(session.start()).await.unwrap();
    assert!(told.get() > 20);
    consumer.assert_holds(&uploaded, &file).await;
}

#[wasm_bindgen_test]
async fn listener_that_was_taken_off_hears_nothing_and_others_still_do() {
    let consumer = Consumer::new("dropbox");
    let session = UploadSession::new(&file(1000), &consumer.options(json!({}))).map_err(Failure).unwrap();
    let (removed, kept) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let count = |count: &Rc<Cell<u32>>| {
        let count = Rc::clone(count);
        move |_: JsValue| count.set(count.get() + 1)
    };
    let remove = on(&session, "state", count(&removed));
    on(&session, "state", count(&kept));
    call(&remove);
    call(&remove);
    settle(session.start()).await.unwrap();
    assert_eq!((removed.get(), kept.get()), (0, 4));
    drop(session);
    call(&remove);
}

/// The same function may listen twice; each time is taken off by itself.
#[wasm_bindgen_test]
async fn listener_can_take_itself_off_within_an_event() {
    let consumer = Consumer::new("dropbox");
    let session = UploadSession::new(&file(1000), &consumer.options(json!({}))).map_err(Failure).unwrap();
    let count = Rc::new(Cell::new(0));
    let remove = Rc::new(std::cell::RefCell::new(JsValue::UNDEFINED));
    let (counted, handle) = (Rc::clone(&count), Rc::clone(&remove));
    let off = on(&session, "state", move |_| {
        counted.set(counted.get() + 1);
        call(&handle.borrow());
    });
    remove.replace(off);
    settle(session.start()).await.unwrap();
    assert_eq!(count.get(), 1);
}

#[wasm_bindgen_test]
fn unknown_event_and_listener_that_is_no_function_are_refused() {
    let consumer = Consumer::new("dropbox");
    let session = UploadSession::new(&file(1), &consumer.options(json!({}))).map_err(Failure).unwrap();
    let function = Function::new_no_args("");
    for (event, listener, named) in [
        ("finished", function.into(), "`event`"),
        ("", Function::new_no_args("").into(), "`event`"),
        ("state", JsValue::UNDEFINED, "`listener`"),
        ("state", "function".into(), "`listener`"),
    ] {
        let failure = Failure(session.on(&event.into(), &listener).unwrap_err());
        assert_eq!(failure.code(), "invalid_argument");
        assert!(failure.message().contains(named), "{}", failure.message());
    }
}
