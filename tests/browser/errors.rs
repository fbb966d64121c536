//! Every answer that is an error, and every one that is none the API allows, becomes the `UploadError` it should.

use serde_json::{Value, json};
use upload_session::UploadSessionsApi;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Failure, Running, file, get, js, settle, text, until, with};

const NONE: JsValue = JsValue::UNDEFINED;
const CODES: [(u16, &str, bool); 11] = [
    (400, "bad_request", false),
    (401, "unauthorized", false),
    (402, "payment_required", false),
    (403, "forbidden", false),
    (404, "not_found", false),
    (409, "conflict", false),
    (418, "http_error", false),
    (422, "unprocessable", false),
    (429, "rate_limited", true),
    (500, "server_error", true),
    (501, "server_error", false),
];
/// A page of more than 2 KiB.
const FILLER: &str = "The gateway has no words for it. ";

fn no_retries() -> Value {
    json!({ "retries": { "strategy": "none" } })
}

/// What fails with `create`, by the single call and by the whole upload.
async fn create_fails(consumer: &Consumer, fields: Value) -> [Failure; 2] {
    let api = UploadSessionsApi::new(&consumer.connection(fields.clone())).map_err(Failure).unwrap();
    let request = js(&json!({ "name": "a", "parentFolderId": "root", "size": 10 }));
    let call = settle(api.create(&request, &NONE)).await.expect_err("create should have failed");
    let running = Running::start(&file(10), &consumer.options(fields));
    let failure = running.failure().await;
    assert_eq!(running.states(), ["starting", "failed"]);
    [call, failure]
}

#[wasm_bindgen_test]
async fn every_status_yields_its_code_and_what_the_api_says_of_it() {
    let consumer = Consumer::new("dropbox");
    for (status, code, retryable) in CODES {
        let body = json!({
            "status_code": status,
            "error": "Some Error",
            "type_name": "SomeTypeName",
            "message": "What went wrong",
            "detail": { "missing_field": ["name"] },
            "ref": "https://developers.apideck.com/errors#some",
        });
        let headers = json!({ "request-id": format!("request-{status}") });
        let fault = json!({ "kind": "status", "status": status, "headers": headers, "body": body });
        consumer.fail("create", 2, fault).await;
        for failure in create_fails(&consumer, no_retries()).await {
            assert!(failure.is_upload_error());
            assert_eq!((failure.code().as_str(), failure.number("status")), (code, Some(status.into())));
            assert_eq!(failure.message(), "What went wrong");
            assert_eq!(failure.text("typeName").as_deref(), Some("SomeTypeName"));
            assert_eq!(text(&failure.get("detail"), "missing_field.0").as_deref(), Some("name"));
            assert_eq!(failure.text("ref").as_deref(), Some("https://developers.apideck.com/errors#some"));
            assert_eq!(failure.text("requestId"), Some(format!("request-{status}")));
            assert_eq!(failure.get("retryable"), retryable, "{status}");
            assert!(failure.get("cause").is_undefined() && failure.get("partNumber").is_undefined());
            assert!(failure.text("stack").is_some());
        }
    }
}

#[wasm_bindgen_test]
async fn error_that_is_no_json_keeps_its_code_and_its_text() {
    let consumer = Consumer::new("dropbox");
    let page = format!("<html>{}</html>", FILLER.repeat(200));
    consumer.fail("create", 2, json!({ "kind": "status", "status": 502, "body": page })).await;
    for failure in create_fails(&consumer, no_retries()).await {
        assert_eq!((failure.code().as_str(), failure.number("status")), ("server_error", Some(502.0)));
        assert_eq!(failure.text("detail").as_deref(), Some(&page[..2048]));
        assert!(failure.text("requestId").is_some());
    }
}

#[wasm_bindgen_test]
async fn answer_that_is_not_the_apis_is_protocol_with_its_text() {
    let page = format!("<html>{}</html>", FILLER.repeat(200));
    let array = "[1,2]".to_owned();
    for body in [page, array, r#"{"data":null}"#.into(), r#"{"data":{}}"#.into(), r#"{"data":{"id":5}}"#.into()] {
        let consumer = Consumer::new("dropbox");
        let fault = json!({ "kind": "status", "status": 201, "body": body });
        consumer.fail("create", 2, fault).await;
        for failure in create_fails(&consumer, json!({})).await {
            assert_eq!((failure.code().as_str(), failure.number("status")), ("protocol", Some(201.0)), "{body}");
            assert_eq!(failure.text("detail").as_deref(), Some(&body[..body.len().min(2048)]));
            assert!(!failure.get("retryable").is_truthy());
        }
        assert_eq!(consumer.stats().await.requests.create, 2, "it is not asked again");
    }
}

#[wasm_bindgen_test]
async fn every_call_checks_its_answer() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 1000 })).await;
    let api = UploadSessionsApi::new(&consumer.connection(json!({}))).map_err(Failure).unwrap();
    let id = || js(&json!({ "id": "some-id" }));
    let named = || js(&json!({ "name": "a", "parentFolderId": "root", "size": 10 }));
    let part = with(with(id(), "partNumber", 0), "body", file(10));
    let direct = with(js(&json!({ "name": "a", "parentFolderId": "root" })), "body", file(10));
    let without_id = json!({ "kind": "status", "status": 200, "body": { "data": { "no": "id" } } });
    for operation in ["create", "get", "upload", "finish", "delete", "direct"] {
        consumer.fail(operation, 1, without_id.clone()).await;
        consumer.fail(operation, 1, json!({ "kind": "status", "status": 200, "body": "OK" })).await;
    }
    // The API itself lets a session's id be absent.
    settle(api.get(&id(), &NONE)).await.unwrap();
    for round in 0..2 {
        let calls = [
            api.create(&named(), &NONE),
            api.upload(&part, &NONE),
            api.finish(&id(), &NONE),
            api.delete(&id(), &NONE),
            api.upload_file(&direct, &NONE),
        ];
        for (call, promise) in calls.into_iter().enumerate() {
            let failure = settle(promise).await.unwrap_err();
            assert_eq!(failure.code(), "protocol", "round {round}, call {call}");
        }
    }
    assert_eq!(settle(api.get(&id(), &NONE)).await.unwrap_err().text("detail").as_deref(), Some("OK"));
}

#[wasm_bindgen_test]
async fn upload_checks_the_answers_to_its_parts_and_to_finish() {
    for operation in ["upload", "finish"] {
        let consumer = Consumer::new("dropbox");
        consumer.fail(operation, 1, json!({ "kind": "status", "status": 200, "body": "OK" })).await;
        let failure = Running::start(&file(10), &consumer.options(json!({}))).failure().await;
        assert_eq!((failure.code().as_str(), failure.text("detail").as_deref()), ("protocol", Some("OK")));
        let part = (operation == "upload").then_some(0.0);
        assert_eq!(failure.number("partNumber"), part);
    }
}

/// Asserts that the upload ends with that code, nothing was sent, and no session is left.
async fn refuses_session(data: Value, size: usize, code: &str) {
    let consumer = Consumer::new("dropbox");
    let fault = json!({ "kind": "status", "status": 200, "body": { "data": data } });
    consumer.fail("get", 1, fault).await;
    let running = Running::start(&file(size), &consumer.options(json!({})));
    let failure = running.failure().await;
    assert_eq!(failure.code(), code, "{data}");
    assert_eq!(consumer.sessions().await, Vec::<Value>::new(), "{data}");
    let stats = consumer.stats().await;
    assert_eq!((stats.requests.upload, stats.requests.finish), (0, 0));
    assert_eq!(stats.statuses("delete"), [200]);
    assert_eq!(running.events("session").len(), 0);
}

#[wasm_bindgen_test]
async fn wrong_part_size_is_protocol_and_leaves_no_session() {
    let sizes = [json!(0), json!(-1), json!(1.5), json!("8388608"), json!(null), json!(true), json!([1]), json!(1e300)];
    for part_size in sizes {
        refuses_session(json!({ "id": "s", "part_size": part_size }), 100, "protocol").await;
    }
    refuses_session(json!({ "id": "s" }), 100, "protocol").await;
    refuses_session(json!(null), 100, "protocol").await;
}

#[wasm_bindgen_test]
async fn more_than_10001_parts_is_file_too_large_and_leaves_no_session() {
    refuses_session(json!({ "id": "s", "part_size": 1 }), 10_002, "file_too_large").await;
}

#[wasm_bindgen_test]
async fn file_of_10001_parts_is_begun() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 1 })).await;
    let running = Running::start(&file(10_001), &consumer.options(json!({})));
    until("the parts are counted", async || running.progress("parts.total") == 10_001.0).await;
    settle(running.session.abort()).await.unwrap();
    consumer.assert_nothing_left().await;
}

/// Without `parallel_upload_supported` parts go one by one.
#[wasm_bindgen_test]
async fn session_that_does_not_say_is_sequential_and_part_size_may_be_a_float() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 1000 })).await;
    let body = r#"{"data":{"id":"s","part_size":1000.0}}"#;
    consumer.fail("get", 1, json!({ "kind": "status", "status": 200, "body": body })).await;
    let file = file(5500);
    let (running, uploaded) = Running::to_end(&file, &consumer.options(json!({}))).await;
    let session = &running.events("session")[0];
    assert_eq!((get(session, "parallel"), get(session, "expiresAt")), (false.into(), JsValue::NULL));
    consumer.assert_holds(&uploaded, &file).await;
    assert_eq!(consumer.stats().await.peak_parallel_uploads, 1);
}

#[wasm_bindgen_test]
async fn session_id_that_cannot_stand_in_a_path_is_protocol() {
    for id in [".", ".."] {
        let consumer = Consumer::new("dropbox");
        consumer.fail("create", 1, json!({ "kind": "status", "status": 201, "body": { "data": { "id": id } } })).await;
        let failure = Running::start(&file(10), &consumer.options(json!({}))).failure().await;
        assert_eq!(failure.code(), "protocol");
        assert_eq!(consumer.stats().await.requests.get, 0);
    }
}

#[wasm_bindgen_test]
async fn server_that_cannot_be_reached_is_network_with_the_browsers_own_error() {
    let consumer = Consumer::new("dropbox");
    let fields = json!({ "serverUrl": "http://127.0.0.1:1", "retries": { "strategy": "none" } });
    for failure in create_fails(&consumer, fields).await {
        assert_eq!(failure.code(), "network");
        assert!(failure.get("retryable").is_truthy() && failure.get("status").is_undefined());
        assert!(failure.get("cause").is_instance_of::<js_sys::TypeError>());
    }
}

/// Whether a text is anywhere in a value: in its text, and in every field of it and of its cause.
fn shows(value: &JsValue, secret: &str, depth: u32) -> bool {
    if let Some(text) = value.as_string() {
        return text.contains(secret);
    }
    let Some(object) = value.dyn_ref::<js_sys::Object>().filter(|_| depth < 5) else { return false };
    let names = js_sys::Object::get_own_property_names(object).into_iter().chain(["message".into(), "stack".into()]);
    let mut fields = names.map(|name| (js_sys::Reflect::get(object, &name).unwrap_or_default(), name));
    fields.any(|(field, name)| shows(&name, secret, depth) || shows(&field, secret, depth + 1))
}

/// A server that echoes what it was sent: as text, in every field, as a key and in a header.
#[wasm_bindgen_test]
async fn api_key_is_never_shown() {
    for key in ["sk_live_0123456789abcdef", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"] {
        let bodies = [
            json!(format!("<p>Bearer {key}</p>")),
            json!({ "message": format!("Bearer {key}"), "type_name": key, "ref": key, "detail": { key: [key] } }),
        ];
        for body in bodies {
            for status in [200, 400, 500] {
                let consumer = Consumer::new("dropbox");
                let fault =
                    json!({ "kind": "status", "status": status, "body": body, "headers": { "request-id": key } });
                consumer.fail("create", 9, fault).await;
                let fields = json!({ "apiKey": key, "retries": { "strategy": "none" } });
                for failure in create_fails(&consumer, fields).await {
                    assert!(!shows(&failure.0, key, 0), "{status} {body} {:?}", failure.0);
                }
            }
        }
    }
}

#[wasm_bindgen_test]
async fn api_key_is_not_in_events_either() {
    let key = "sk_live_0123456789abcdef";
    let consumer = Consumer::new("dropbox");
    let body = json!({ "message": format!("Bearer {key}"), "detail": key });
    for operation in ["create", "upload", "finish"] {
        consumer.fail(operation, 2, json!({ "kind": "status", "status": 503, "body": body })).await;
    }
    let (running, _) = Running::to_end(&file(10), &consumer.options(json!({ "apiKey": key }))).await;
    assert_eq!(running.events("retry").len(), 6);
    for event in running.names().iter().flat_map(|name| running.events(name)) {
        assert!(!shows(&event, key, 0), "{event:?}");
    }
    assert!(shows(&js(&json!({ "a": [format!("-{key}-")] })), key, 0), "the search itself works");
}
