//! Whatever goes wrong on the way, the file arrives, and only what failed is sent again.

use serde_json::{Value, json};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::File;

use crate::support::{Consumer, Entry, Running, Stats, file, get, js, on, text};

/// Bytes of a file that even Box takes in a session, in 11 parts.
const SIZE: usize = 21_000_001;
const PART_SIZE: usize = 2_000_000;

async fn consumer(service: &'static str) -> (Consumer, File) {
    (Consumer::with(service, json!({ "part_size": PART_SIZE })).await, file(SIZE))
}

/// Uploads with faults scripted, all of which must come; returns what was sent.
async fn survive(consumer: &Consumer, file: &File, options: Value) -> Stats {
    let (_, uploaded) = Running::to_end(file, &consumer.options(options)).await;
    assert_eq!(consumer.faults_left().await, 0);
    let stats = consumer.stats().await;
    assert_eq!(consumer.files().await.len(), 1);
    consumer.assert_holds(&uploaded, file).await;
    consumer.reset().await;
    stats
}

/// Uploads in one small part with a fault of one operation; returns what was sent.
async fn survive_small(operation: &str, times: u32, fault: Value) -> Stats {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 1000 })).await;
    consumer.fail(operation, times, fault).await;
    survive(&consumer, &file(1500), json!({})).await
}

/// Milliseconds from the end of each request to the beginning of the next.
fn gaps(entries: &[&Entry]) -> Vec<u64> {
    entries.windows(2).map(|pair| pair[1].at_ms.saturating_sub(pair[0].end_ms)).collect()
}

fn status(status: u16) -> Value {
    json!({ "kind": "status", "status": status })
}

/// Everything at once, on a connector.
async fn many_faults(service: &'static str, body: &str) {
    let (consumer, file) = consumer(service).await;
    let html = "<html><body><h1>502 Bad Gateway</h1></body></html>";
    let on = |part: u32, times: u32, fault: Value| json!({ "operation": "upload", "part_number": part, "times": times, "fault": fault });
    let later = json!({ "kind": "status", "status": 429, "headers": { "retry-after": "2" } });
    consumer
        .script(json!([
            on(1, 1, later),
            on(3, 2, status(503)),
            on(5, 1, json!({ "kind": "reset", "when": "mid_body" })),
            on(7, 1, json!({ "kind": "lost_answer" })),
            on(9, 1, json!({ "kind": "status", "status": 502, "body": html })),
        ]))
        .await;
    let stats = survive(&consumer, &file, json!({ "body": body })).await;
    let attempts: Vec<_> = (0..11).map(|part| stats.attempts(part).len()).collect();
    assert_eq!(attempts, [1, 2, 1, 3, 1, 2, 1, 2, 1, 2, 1]);
    assert_eq!(stats.parts_accepted, 11);
    let waited = gaps(&stats.attempts(1));
    assert!(waited[0] >= 2000, "a retry came {} ms after Retry-After: 2", waited[0]);
    let cut = stats.attempts(5)[0];
    assert!(cut.status.is_none() && cut.bytes < PART_SIZE as u64, "{cut:?}");
    let second = if service == "box" { 409 } else { 200 };
    assert_eq!(stats.attempts(7)[1].status, Some(second));
    assert!(stats.of("upload").iter().all(|entry| entry.digest_ok != Some(false)));
}

#[wasm_bindgen_test]
async fn many_faults_at_once_sending_slices_to_dropbox() {
    many_faults("dropbox", "blob").await;
}

#[wasm_bindgen_test]
async fn many_faults_at_once_sending_buffers_to_dropbox() {
    many_faults("dropbox", "buffer").await;
}

#[wasm_bindgen_test]
async fn many_faults_at_once_sending_slices_to_box() {
    many_faults("box", "blob").await;
}

#[wasm_bindgen_test]
async fn many_faults_at_once_sending_buffers_to_box() {
    many_faults("box", "buffer").await;
}

#[wasm_bindgen_test]
async fn parts_in_order_stay_in_order_through_faults() {
    let (consumer, file) = consumer("google-drive").await;
    consumer.fail("upload", 3, status(503)).await;
    consumer.fail("upload", 1, json!({ "kind": "reset", "when": "after_body" })).await;
    consumer.fail("upload", 1, json!({ "kind": "lost_answer" })).await;
    let stats = survive(&consumer, &file, json!({})).await;
    let order: Vec<_> = stats.of("upload").iter().map(|entry| entry.part_number.unwrap()).collect();
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!((stats.peak_parallel_uploads, stats.requests.upload), (1, 11 + 5));
}

#[wasm_bindgen_test]
async fn server_errors_of_every_operation_are_retried() {
    for code in [408, 429, 500, 502, 503, 504] {
        for operation in ["create", "get", "upload", "finish"] {
            let stats = survive_small(operation, 2, status(code)).await;
            let failed = stats.of(operation).into_iter().filter(|entry| entry.status == Some(code)).count();
            assert_eq!(failed, 2, "{operation} {code}");
        }
    }
}

#[wasm_bindgen_test]
async fn connections_cut_at_every_operation_are_retried() {
    for operation in ["create", "get", "upload", "finish"] {
        for when in ["before_body", "after_body"] {
            let stats = survive_small(operation, 1, json!({ "kind": "reset", "when": when })).await;
            assert!(stats.statuses(operation).contains(&0), "{operation} {when}");
        }
    }
}

#[wasm_bindgen_test]
async fn answer_of_get_lost_is_asked_again() {
    let stats = survive_small("get", 1, json!({ "kind": "lost_answer" })).await;
    assert_eq!(stats.statuses("get"), [0, 200]);
}

#[wasm_bindgen_test]
async fn answer_of_create_lost_is_asked_again() {
    let stats = survive_small("create", 1, json!({ "kind": "lost_answer" })).await;
    assert_eq!(stats.statuses("create"), [0, 201]);
}

/// The file is there though finish was not answered: GET tells, and it is not made twice.
#[wasm_bindgen_test]
async fn answer_of_finish_lost_makes_one_file() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 1000 })).await;
    consumer.fail("finish", 1, json!({ "kind": "lost_answer" })).await;
    let file = file(2500);
    let (_, uploaded) = Running::to_end(&file, &consumer.options(json!({}))).await;
    let files = consumer.files().await;
    assert_eq!(files.len(), 1);
    assert_eq!(text(&uploaded, "name").as_deref(), Some("report.bin"));
    assert_eq!(get(&uploaded, "size"), 2500);
    consumer.assert_holds(&js(&files[0]), &file).await;
}

/// The server may refuse it for another reason than that it is done.
#[wasm_bindgen_test]
async fn finish_that_is_refused_is_an_error() {
    let digest = json!({ "kind": "status", "status": 422, "body": { "message": "The digest does not match" } });
    for (fault, code) in [(status(409), "conflict"), (status(403), "forbidden"), (digest, "digest_mismatch")] {
        let consumer = Consumer::new("dropbox");
        consumer.fail("finish", 9, fault).await;
        let running = Running::start(&file(2500), &consumer.options(json!({})));
        assert_eq!(running.failure().await.code(), code);
        assert_eq!(running.states(), ["starting", "uploading", "finishing", "failed"]);
        assert_eq!((consumer.files().await.len(), consumer.sessions().await.len()), (0, 1));
    }
}

#[wasm_bindgen_test]
async fn finish_that_is_accepted_is_polled_no_sooner_than_told() {
    for service in ["dropbox", "box"] {
        let (consumer, file) = consumer(service).await;
        consumer.set(json!({ "finish_accepted_times": 2 })).await;
        let stats = survive(&consumer, &file, json!({})).await;
        assert_eq!(stats.statuses("finish"), [202, 202, 201]);
        assert!(gaps(&stats.of("finish")).iter().all(|&gap| gap >= 1000), "{:?}", gaps(&stats.of("finish")));
    }
}

#[wasm_bindgen_test]
async fn retry_after_is_honoured_as_a_date_and_where_it_exceeds_every_interval() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 1000 })).await;
    let file = file(2500);
    let date = js_sys::Date::new(&(js_sys::Date::now() + 2000.0).into());
    let until = (date.get_time() / 1000.0).floor() * 1000.0;
    let headers = json!({ "retry-after": date.to_utc_string().as_string().unwrap() });
    consumer.fail("create", 1, json!({ "kind": "status", "status": 503, "headers": headers })).await;
    consumer.fail("finish", 1, json!({ "kind": "status", "status": 503, "headers": { "retry-after": "1" } })).await;
    let options = consumer.options(json!({}));
    let running = Running::start(&file, &options);
    on(&running.session, "retry", move |retry| {
        if text(&retry, "operation").as_deref() == Some("create") {
            let next = js_sys::Date::now() + get(&retry, "delay").as_f64().unwrap();
            // The event is told in the millisecond of the delay's beginning or in a later one.
            assert!(next >= until - 1.0, "{next} is before {until}");
        }
    });
    running.end().await.unwrap();
    let stats = consumer.stats().await;
    assert_eq!((stats.statuses("create"), stats.statuses("finish")), (vec![503, 201], vec![503, 201]));
    assert!(gaps(&stats.of("finish"))[0] >= 1000);
}

#[wasm_bindgen_test]
async fn corrupted_part_is_hashed_and_sent_once_more() {
    for body in ["blob", "buffer"] {
        let (consumer, file) = consumer("box").await;
        consumer
            .script(json!([{ "operation": "upload", "part_number": 4, "fault": { "kind": "corrupt_byte" } }]))
            .await;
        let stats = survive(&consumer, &file, json!({ "body": body })).await;
        let attempts: Vec<_> = stats.attempts(4).iter().map(|entry| (entry.status, entry.digest_ok)).collect();
        assert_eq!(attempts, [(Some(422), Some(false)), (Some(200), Some(true))]);
        assert_eq!(stats.requests.upload, 12);
    }
}

#[wasm_bindgen_test]
async fn part_that_is_corrupted_always_is_a_digest_mismatch() {
    for body in ["blob", "buffer"] {
        let consumer = Consumer::with("dropbox", json!({ "part_size": 1000 })).await;
        consumer
            .script(json!([
                { "operation": "upload", "part_number": 1, "times": 9, "fault": { "kind": "corrupt_byte" } },
            ]))
            .await;
        let running = Running::start(&file(2500), &consumer.options(json!({ "body": body })));
        let failure = running.failure().await;
        assert_eq!(failure.code(), "digest_mismatch");
        assert_eq!((failure.number("status"), failure.number("partNumber")), (Some(422.0), Some(1.0)));
        assert_eq!(consumer.stats().await.attempts(1).len(), 2);
        assert_eq!(consumer.stats().await.requests.finish, 0);
    }
}

#[wasm_bindgen_test]
async fn session_that_expires_on_the_way_is_session_expired() {
    for operation in ["get", "upload", "finish"] {
        let consumer = Consumer::with("dropbox", json!({ "part_size": 1000 })).await;
        consumer.fail(operation, 1, json!({ "kind": "expire" })).await;
        let failure = Running::start(&file(2500), &consumer.options(json!({}))).failure().await;
        assert_eq!((failure.code().as_str(), failure.number("status")), ("session_expired", Some(404.0)));
        assert!(!failure.get("retryable").is_truthy());
        consumer.assert_nothing_left().await;
    }
}

#[wasm_bindgen_test]
async fn without_retries_the_first_failure_is_final() {
    let none = json!({ "strategy": "none" });
    let answers_only = json!({ "strategy": "backoff", "retryConnectionErrors": false });
    let reset = json!({ "kind": "reset", "when": "before_body" });
    for (retries, fault, code) in [
        (none.clone(), status(503), "server_error"),
        (none, reset.clone(), "network"),
        (answers_only, reset, "network"),
    ] {
        let consumer = Consumer::with("google-drive", json!({ "part_size": 1000 })).await;
        // Browsers send a request again by themselves where a connection that was used before is cut.
        let fault = json!({ "operation": "upload", "part_number": 1, "times": 20, "fault": fault });
        consumer.script(json!([fault])).await;
        let failure = Running::start(&file(2500), &consumer.options(json!({ "retries": retries }))).failure().await;
        assert_eq!((failure.code().as_str(), failure.number("partNumber")), (code, Some(1.0)));
        assert!(failure.get("retryable").is_truthy());
        assert_eq!(failure.get("cause").is_undefined(), code == "server_error");
        assert_eq!(consumer.sessions().await.len(), 1);
    }
}

#[wasm_bindgen_test]
async fn retries_are_told_with_what_failed() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 1000 })).await;
    consumer
        .script(json!([
            { "operation": "upload", "part_number": 2, "times": 2, "fault": status(503) },
            { "operation": "finish", "times": 1, "fault": status(500) },
        ]))
        .await;
    let (running, _) = Running::to_end(&file(2500), &consumer.options(json!({}))).await;
    let retries: Vec<_> = running
        .events("retry")
        .iter()
        .map(|retry| {
            let number = |field| get(retry, field).as_f64();
            assert!(number("delay").unwrap() <= 50.0);
            (
                text(retry, "operation").unwrap(),
                number("partNumber"),
                number("attempt"),
                text(retry, "error.code").unwrap(),
            )
        })
        .collect();
    let told =
        |operation: &str, part, attempt: f64| (operation.to_owned(), part, Some(attempt), "server_error".to_owned());
    assert_eq!(retries, [told("upload", Some(2.0), 1.0), told("upload", Some(2.0), 2.0), told("finish", None, 1.0)]);
}
