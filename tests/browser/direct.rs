//! Small and empty files, in one request where the connector takes it so; and a fresh session for one that is gone.

use serde_json::{Value, json};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Running, file, get, named_file, text};

/// Uploads a file with these options; tells whether it went in one request.
async fn is_direct(service: &'static str, size: usize, options: Value) -> bool {
    let consumer = Consumer::new(service);
    let file = file(size);
    let (running, uploaded) = Running::to_end(&file, &consumer.options(options)).await;
    consumer.assert_holds(&uploaded, &file).await;
    assert_eq!(running.progress("confirmed"), size as f64);
    assert_eq!(running.session.state(), "done");
    let requests = consumer.stats().await.requests;
    consumer.reset().await;
    match (requests.direct, requests.create) {
        (1, 0) => true,
        (0, 1) => false,
        other => panic!("direct and create: {other:?}"),
    }
}

#[wasm_bindgen_test]
async fn small_file_goes_in_one_request_unless_told_otherwise() {
    for service in ["box", "dropbox", "google-drive", "onedrive", "sharepoint"] {
        assert!(is_direct(service, 1000, json!({ "direct": "auto" })).await, "{service}");
        assert!(is_direct(service, 1000, json!({ "direct": null })).await, "{service}: the default");
    }
    assert!(!is_direct("dropbox", 1000, json!({ "direct": "never" })).await);
}

#[wasm_bindgen_test]
async fn empty_file_always_goes_in_one_request() {
    for service in ["box", "dropbox", "onedrive"] {
        for (direct, transport) in [("auto", "fetch"), ("never", "fetch"), ("never", "xhr")] {
            assert!(is_direct(service, 0, json!({ "direct": direct, "transport": transport })).await, "{service}");
        }
    }
}

#[wasm_bindgen_test]
async fn up_to_4_000_000_bytes_go_in_one_request_anywhere() {
    for service in ["onedrive", "dropbox"] {
        assert!(is_direct(service, 4_000_000, json!({ "direct": "auto" })).await, "{service}");
        assert!(!is_direct(service, 4_000_001, json!({ "direct": "auto" })).await, "{service}");
    }
}

/// Its sessions begin there.
#[wasm_bindgen_test]
async fn files_below_20_000_000_bytes_go_to_box_in_one_request() {
    assert!(is_direct("box", 19_999_999, json!({ "direct": "auto" })).await);
    assert!(!is_direct("box", 20_000_000, json!({ "direct": "auto" })).await);
}

#[wasm_bindgen_test]
async fn direct_upload_is_retried_and_fails_like_any_request() {
    let consumer = Consumer::new("dropbox");
    consumer.fail("direct", 2, json!({ "kind": "status", "status": 503 })).await;
    let file = named_file("日本語 – ✓.pdf", 1000);
    let (running, uploaded) = Running::to_end(&file, &consumer.options(json!({ "direct": "auto" }))).await;
    let info = consumer.assert_holds(&uploaded, &file).await;
    assert_eq!(info["name"], "日本語 – ✓.pdf");
    assert_eq!(consumer.stats().await.statuses("direct"), [503, 503, 201]);
    assert_eq!(running.events("retry").len(), 2);

    consumer.fail("direct", 1, json!({ "kind": "status", "status": 402 })).await;
    let failure = Running::start(&file, &consumer.options(json!({ "direct": "auto" }))).failure().await;
    assert_eq!(failure.code(), "payment_required");
}

#[wasm_bindgen_test]
async fn session_that_is_gone_is_an_error_or_with_restart_followed_by_a_fresh_one() {
    for (restart, sessions) in [(false, 1), (true, 2)] {
        let consumer = Consumer::with("dropbox", json!({ "part_size": 100_000 })).await;
        consumer.script(json!([{ "operation": "upload", "part_number": 5, "fault": { "kind": "expire" } }])).await;
        let file = file(1_000_000);
        let running = Running::start(&file, &consumer.options(json!({ "restart": restart })));
        match running.end().await {
            Ok(uploaded) => {
                assert!(restart);
                consumer.assert_holds(&uploaded, &file).await;
                assert!(running.events("session").iter().all(|session| get(session, "resumed") == false));
            }
            Err(failure) => {
                assert!(!restart);
                assert_eq!(failure.code(), "session_expired");
            }
        }
        assert_eq!(consumer.stats().await.requests.create, sessions);
    }
}

#[wasm_bindgen_test]
async fn file_whose_creation_carries_more_goes_by_session() {
    let pass_through = json!([{ "serviceId": "dropbox", "extendObject": { "a": 1 } }]);
    assert!(!is_direct("dropbox", 1000, json!({ "direct": "auto", "passThrough": pass_through })).await);
    let consumer = Consumer::new("dropbox");
    let (_, uploaded) = Running::to_end(&file(0), &consumer.options(json!({}))).await;
    assert!(text(&uploaded, "id").is_some());
}
