//! The six calls of `UploadSessionsApi`, with every parameter they take.

use js_sys::{ArrayBuffer, Object, Uint8Array};
use serde_json::{Value, json};
use upload_session::{UploadSessionsApi, sha1_digest};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::AbortController;

use crate::support::{Consumer, EMULATOR, Failure, Recorder, file, get, js, settle, text, until, with};

const NONE: JsValue = JsValue::UNDEFINED;
const SIZE: usize = 2500;

fn api(consumer: &Consumer, fields: Value) -> UploadSessionsApi {
    UploadSessionsApi::new(&consumer.connection(fields)).map_err(Failure).unwrap()
}

/// A consumer with parts of 1000 bytes, and the calls for them.
async fn ready(service: &'static str) -> (Consumer, UploadSessionsApi) {
    let consumer = Consumer::with(service, json!({ "part_size": 1000 })).await;
    let api = api(&consumer, json!({}));
    (consumer, api)
}

async fn create(api: &UploadSessionsApi) -> String {
    let request = json!({ "name": "a.bin", "parentFolderId": "root", "size": SIZE });
    let created = settle(api.create(&js(&request), &NONE)).await.unwrap();
    text(&created, "data.id").unwrap()
}

/// Asserts the envelope around `data`.
fn assert_envelope(answer: &JsValue, status: u16, resource: &str, operation: &str) {
    assert_eq!(get(answer, "statusCode"), status);
    assert_eq!(text(answer, "status").as_deref(), Some(if status == 201 { "Created" } else { "OK" }));
    assert_eq!(text(answer, "service").as_deref(), Some("dropbox"));
    assert_eq!(text(answer, "resource").as_deref(), Some(resource));
    assert_eq!(text(answer, "operation").as_deref(), Some(operation));
    assert!(!text(answer, "requestId").unwrap().is_empty());
    assert!(Object::keys(answer.unchecked_ref::<Object>()).iter().all(|key| !key.as_string().unwrap().contains('_')));
}

#[wasm_bindgen_test]
async fn one_file_call_by_call() {
    let (consumer, api) = ready("dropbox").await;
    let file = file(SIZE);
    let created = api.create(&js(&json!({ "name": "a.bin", "parentFolderId": "f-1", "size": SIZE })), &NONE);
    let created = settle(created).await.unwrap();
    assert_envelope(&created, 201, "UploadSessions", "add");
    let id = text(&created, "data.id").unwrap();

    let session = settle(api.get(&js(&json!({ "id": id })), &NONE)).await.unwrap();
    assert_envelope(&session, 200, "UploadSessions", "one");
    assert_eq!(text(&session, "data.id").as_ref(), Some(&id));
    assert_eq!(get(&session, "data.partSize"), 1000);
    assert_eq!(get(&session, "data.parallelUploadSupported"), true);
    assert_eq!(get(&session, "data.success"), false);
    assert!(text(&session, "data.expiresAt").is_some());
    assert!(get(&session, "data.uploadedByteRange").is_undefined());

    // A body of each kind.
    let part = |start: usize, end: usize| file.slice_with_f64_and_f64(start as f64, end as f64).unwrap();
    let buffer: ArrayBuffer = settle(part(1000, 2000).array_buffer()).await.unwrap().unchecked_into();
    let all: ArrayBuffer = settle(file.array_buffer()).await.unwrap().unchecked_into();
    let view = Uint8Array::new_with_byte_offset_and_length(&all, 2000, 500);
    for (number, body) in [(0, JsValue::from(part(0, 1000))), (1, buffer.into()), (2, view.into())] {
        let digest = digest(body.clone()).await.unwrap();
        let request = with(js(&json!({ "id": id, "partNumber": number })), "body", body);
        let answer = settle(api.upload(&with(request, "digest", digest), &NONE)).await.unwrap();
        assert_envelope(&answer, 200, "UploadSessions", "update");
        assert_eq!(text(&answer, "data.id").as_ref(), Some(&id));
    }
    let session = settle(api.get(&js(&json!({ "id": id })), &NONE)).await.unwrap();
    assert_eq!(text(&session, "data.uploadedByteRange").as_deref(), Some("0-2499"));

    let digest = digest(file.clone().into()).await.unwrap();
    let finished = api.finish(&with(js(&json!({ "id": id })), "digest", digest), &NONE);
    let finished = settle(finished).await.unwrap();
    assert_envelope(&finished, 201, "UploadSessions", "finish");
    assert_eq!(text(&finished, "data.mimeType").as_deref(), Some("application/octet-stream"));
    let info = consumer.assert_holds(&get(&finished, "data"), &file).await;
    assert_eq!(info["parent_folder_id"], "f-1");
    let stats = consumer.stats().await;
    assert!(stats.of("upload").iter().all(|entry| entry.digest_ok == Some(true)));
    assert_eq!(stats.of("finish")[0].digest_ok, Some(true));
}

async fn digest(body: JsValue) -> Result<JsValue, JsValue> {
    settle(sha1_digest(&body)).await.map_err(|failure| failure.0)
}

#[wasm_bindgen_test]
async fn delete_ends_a_session() {
    let (consumer, api) = ready("dropbox").await;
    let id = create(&api).await;
    let deleted = settle(api.delete(&js(&json!({ "id": id, "raw": true })), &NONE)).await.unwrap();
    assert_envelope(&deleted, 200, "UploadSessions", "delete");
    assert!(get(&deleted, "raw").is_object());
    assert_eq!(consumer.sessions().await.len(), 0);
    let failure = settle(api.get(&js(&json!({ "id": id })), &NONE)).await.unwrap_err();
    assert_eq!(failure.code(), "not_found");
}

#[wasm_bindgen_test]
async fn upload_file_sends_a_small_file_in_one_request() {
    let name = "R\u{e9}sum\u{e9} \u{65e5}\u{672c} \u{1f600} \"%\\.pdf";
    let (consumer, api) = ready("dropbox").await;
    for (size, raw) in [(SIZE, true), (0, false)] {
        let file = file(size);
        let request = json!({ "name": name, "parentFolderId": "f-1", "driveId": "d-1", "raw": raw });
        let answer = settle(api.upload_file(&with(js(&request), "body", &file), &NONE)).await.unwrap();
        assert_envelope(&answer, 201, "files", "add");
        assert_eq!(get(&answer, "raw").is_object(), raw);
        let info = consumer.assert_holds(&get(&answer, "data"), &file).await;
        assert_eq!([&info["name"], &info["parent_folder_id"], &info["drive_id"]], [name, "f-1", "d-1"]);
    }
}

/// Its keys are the connector's own and stay as they are.
#[wasm_bindgen_test]
async fn raw_asks_for_the_connectors_own_answer() {
    let (consumer, api) = ready("dropbox").await;
    let request = json!({ "name": "a.bin", "parentFolderId": "root", "size": 10, "raw": true });
    let created = settle(api.create(&js(&request), &NONE)).await.unwrap();
    assert_eq!(get(&created, "raw.part_size"), 1000);
    let id = text(&created, "data.id").unwrap();
    let session = settle(api.get(&js(&json!({ "id": id, "raw": true })), &NONE)).await.unwrap();
    assert_eq!(get(&session, "raw.part_size"), 1000);
    let part = with(js(&json!({ "id": id, "partNumber": 0, "raw": true })), "body", file(10));
    let answer = settle(api.upload(&part, &NONE)).await.unwrap();
    assert!(get(&answer, "raw").is_object());
    let finished = settle(api.finish(&js(&json!({ "id": id, "raw": true })), &NONE)).await.unwrap();
    assert!(get(&finished, "raw").is_object());
    assert_eq!(consumer.files().await.len(), 1);
}

#[wasm_bindgen_test]
async fn without_raw_there_is_none() {
    let (_, api) = ready("dropbox").await;
    let id = create(&api).await;
    for request in [json!({ "id": id }), json!({ "id": id, "raw": false })] {
        assert!(get(&settle(api.get(&js(&request), &NONE)).await.unwrap(), "raw").is_undefined());
    }
}

#[wasm_bindgen_test]
async fn fields_select_what_get_answers() {
    let (_, api) = ready("dropbox").await;
    let id = create(&api).await;
    let session = settle(api.get(&js(&json!({ "id": id, "fields": "part_size,success" })), &NONE)).await.unwrap();
    let keys: Vec<_> =
        Object::keys(get(&session, "data").unchecked_ref::<Object>()).iter().map(|key| key.as_string()).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!((get(&session, "data.partSize"), get(&session, "data.success")), (1000.into(), false.into()));
}

#[wasm_bindgen_test]
async fn create_passes_on_drive_size_and_additions() {
    let (consumer, api) = ready("dropbox").await;
    let recorder = Recorder::new();
    let pass_through = json!([{
        "serviceId": "dropbox",
        "operationId": "filesAdd",
        "extendObject": { "keepMe": { "asIAm": 1 } },
        "extendPaths": [{ "path": "$.a_b", "value": [1, null] }],
    }]);
    let request = json!({
        "name": "n", "parentFolderId": "p", "size": null, "driveId": "d", "passThrough": pass_through,
    });
    settle(api.create(&js(&request), &NONE)).await.unwrap();
    assert_eq!(consumer.sessions().await[0]["size"], Value::Null);
    let sent: Value = serde_json::from_str(&recorder.last().await.body).unwrap();
    let expected = json!({
        "name": "n", "parent_folder_id": "p", "size": null, "drive_id": "d",
        "pass_through": [{
            "service_id": "dropbox",
            "operation_id": "filesAdd",
            "extend_object": { "keepMe": { "asIAm": 1 } },
            "extend_paths": [{ "path": "$.a_b", "value": [1, null] }],
        }],
    });
    assert_eq!(sent, expected);
}

#[wasm_bindgen_test]
async fn caller_of_one_call_overrides_the_connections() {
    let (consumer, api) = ready("google-drive").await;
    let other = Consumer::new("dropbox");
    let request = json!({
        "name": "a", "parentFolderId": "root", "size": 10,
        "appId": "other-app", "consumerId": other.id, "serviceId": "onedrive",
    });
    let created = settle(api.create(&js(&request), &NONE)).await.unwrap();
    assert_eq!(text(&created, "service").as_deref(), Some("onedrive"));
    let id = text(&created, "data.id").unwrap();
    assert_eq!((consumer.sessions().await.len(), other.sessions().await.len()), (0, 1));
    let failure = settle(api.get(&js(&json!({ "id": id })), &NONE)).await.unwrap_err();
    assert_eq!(failure.code(), "not_found");
    let caller = json!({ "id": id, "appId": "other-app", "consumerId": other.id, "serviceId": "onedrive" });
    settle(api.get(&js(&caller), &NONE)).await.unwrap();
    settle(api.delete(&js(&caller), &NONE)).await.unwrap();
}

#[wasm_bindgen_test]
async fn server_of_one_call_overrides_the_connections() {
    let consumer = Consumer::new("dropbox");
    // Nothing listens on port 1; a slash at the end makes no difference.
    let api = api(&consumer, json!({ "serverUrl": "http://127.0.0.1:1", "retries": { "strategy": "none" } }));
    let request = js(&json!({ "name": "a", "parentFolderId": "root", "size": 10 }));
    let failure = settle(api.create(&request, &NONE)).await.unwrap_err();
    assert_eq!(failure.code(), "network");
    assert!(failure.get("cause").is_instance_of::<js_sys::TypeError>());
    settle(api.create(&request, &js(&json!({ "serverUrl": format!("{EMULATOR}/") })))).await.unwrap();
    assert_eq!(consumer.sessions().await.len(), 1);
}

#[wasm_bindgen_test]
async fn headers_of_connection_and_call_are_sent() {
    let consumer = Consumer::new("dropbox");
    let fields = json!({
        "apiKey": null, "serviceId": null, "authType": "jwt", "credentials": "omit",
        "headers": { "Authorization": "Bearer from-headers", "X-One": "1", "x-two": "2" },
    });
    let api = api(&consumer, fields);
    let recorder = Recorder::new();
    let request = js(&json!({ "name": "a", "parentFolderId": "root", "size": 10 }));
    let options = js(&json!({ "headers": { "X-Two": "two", "x-apideck-service-id": "onedrive" } }));
    let created = settle(api.create(&request, &options)).await.unwrap();
    assert_eq!(text(&created, "service").as_deref(), Some("onedrive"));
    let sent = recorder.last().await;
    for (name, value) in [
        ("authorization", "Bearer from-headers"),
        ("x-apideck-auth-type", "JWT"),
        ("x-one", "1"),
        ("x-two", "two"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(sent.header(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!((sent.text("credentials"), sent.text("redirect")), ("omit".to_owned(), "manual".to_owned()));
}

#[wasm_bindgen_test]
async fn credentials_are_those_of_the_same_origin_unless_asked_otherwise() {
    let consumer = Consumer::new("dropbox");
    let request = js(&json!({ "name": "a", "parentFolderId": "root", "size": 10 }));
    let recorder = Recorder::new();
    for (fields, credentials) in [
        (json!({}), "same-origin"),
        (json!({ "credentials": "same-origin" }), "same-origin"),
        (json!({ "credentials": "include" }), "include"),
        (json!({ "credentials": "omit" }), "omit"),
    ] {
        settle(api(&consumer, fields).create(&request, &NONE)).await.unwrap();
        let sent = recorder.last().await;
        assert_eq!(sent.text("credentials"), credentials);
        assert_eq!(sent.header("x-apideck-auth-type"), None);
    }
}

#[wasm_bindgen_test]
async fn bodies_are_sent_as_octets_whatever_the_blob_says() {
    let (_, api) = ready("dropbox").await;
    let recorder = Recorder::new();
    let blob = file(10).slice_with_f64_and_f64_and_content_type(0.0, 10.0, "text/html").unwrap();
    let request = js(&json!({ "name": "a", "parentFolderId": "root" }));
    settle(api.upload_file(&with(request, "body", blob), &NONE)).await.unwrap();
    let sent = recorder.last().await;
    assert_eq!(sent.header("content-type").as_deref(), Some("application/octet-stream"));
    assert_eq!(sent.header("x-apideck-metadata").as_deref(), Some(r#"{"name":"a","parent_folder_id":"root"}"#));
}

#[wasm_bindgen_test]
async fn retries_of_one_call_override_the_connections() {
    let (consumer, api) = ready("dropbox").await;
    let id = create(&api).await;
    let request = js(&json!({ "id": id }));
    consumer.fail("get", 3, json!({ "kind": "status", "status": 503 })).await;
    let none = js(&json!({ "retries": { "strategy": "none" } }));
    let failure = settle(api.get(&request, &none)).await.unwrap_err();
    assert_eq!(failure.code(), "server_error");
    assert_eq!(consumer.stats().await.requests.get, 1);
    settle(api.get(&request, &NONE)).await.unwrap();
    assert_eq!(consumer.stats().await.statuses("get"), [503, 503, 503, 200]);
}

#[wasm_bindgen_test]
async fn every_call_is_retried() {
    let (consumer, api) = ready("dropbox").await;
    for operation in ["create", "get", "upload", "finish", "delete", "direct"] {
        consumer.fail(operation, 1, json!({ "kind": "status", "status": 503 })).await;
        consumer.fail(operation, 1, json!({ "kind": "reset", "when": "after_body" })).await;
    }
    let id = create(&api).await;
    let request = || js(&json!({ "id": id }));
    settle(api.get(&request(), &NONE)).await.unwrap();
    let part = with(with(request(), "partNumber", 0), "body", file(1000));
    settle(api.upload(&part, &NONE)).await.unwrap();
    let failure = settle(api.finish(&request(), &NONE)).await.unwrap_err();
    assert_eq!(failure.code(), "unprocessable", "the parts are not all there");
    settle(api.delete(&request(), &NONE)).await.unwrap();
    let direct = with(js(&json!({ "name": "a", "parentFolderId": "root" })), "body", file(10));
    settle(api.upload_file(&direct, &NONE)).await.unwrap();
    assert_eq!(consumer.faults_left().await, 0);
}

#[wasm_bindgen_test]
async fn signal_ends_a_call_with_its_reason() {
    let (consumer, api) = ready("dropbox").await;
    let id = create(&api).await;
    let request = js(&json!({ "id": id }));
    let signal = |controller: &AbortController| with(js(&json!({})), "signal", controller.signal());

    let early = AbortController::new().unwrap();
    early.abort_with_reason(&"too early".into());
    let failure = settle(api.get(&request, &signal(&early))).await.unwrap_err();
    assert_eq!((failure.code(), failure.text("cause")), ("aborted".into(), Some("too early".into())));
    assert_eq!(consumer.stats().await.requests.get, 0);

    consumer.fail("get", 1, json!({ "kind": "stall", "when": "before_body" })).await;
    let in_flight = AbortController::new().unwrap();
    let call = api.get(&request, &signal(&in_flight));
    until("get is on its way", async || consumer.stats().await.requests.get == 1).await;
    in_flight.abort_with_reason(&"in flight".into());
    let failure = settle(call).await.unwrap_err();
    assert_eq!((failure.code(), failure.text("cause")), ("aborted".into(), Some("in flight".into())));
    until("the request is gone", async || consumer.stats().await.statuses("get") == [0]).await;

    let later = json!({ "kind": "status", "status": 503, "headers": { "retry-after": "600" } });
    consumer.fail("get", 1, later).await;
    let waiting = AbortController::new().unwrap();
    let call = api.get(&request, &signal(&waiting));
    until("it waits for its retry", async || consumer.stats().await.statuses("get") == [0, 503]).await;
    waiting.abort();
    let failure = settle(call).await.unwrap_err();
    assert_eq!(failure.code(), "aborted");
    assert_eq!(text(&failure.get("cause"), "name").as_deref(), Some("AbortError"));
}

#[wasm_bindgen_test]
async fn timeout_ends_an_attempt() {
    let (consumer, api) = ready("dropbox").await;
    let id = create(&api).await;
    consumer.fail("get", 2, json!({ "kind": "stall", "when": "before_body" })).await;
    let request = js(&json!({ "id": id }));
    let options = json!({ "timeout": 100, "retries": { "strategy": "none" } });
    let failure = settle(api.get(&request, &js(&options))).await.unwrap_err();
    assert_eq!(failure.code(), "timeout");
    assert!(failure.get("retryable").is_truthy());
    // With retries the next attempt is answered.
    settle(api.get(&request, &js(&json!({ "timeout": 300 })))).await.unwrap();
    assert!(consumer.stats().await.requests.get >= 3);
}

/// As with `JSON.parse`: a number loses digits, the answer is not lost, and no key is special.
#[wasm_bindgen_test]
async fn any_json_of_the_server_comes_through() {
    let (consumer, api) = ready("dropbox").await;
    let data = r#"{"id":"s","big_number":9007199254740993,"list":[null,1e300,-0.5],"__proto__":{"x":1},"a__b_":"c"}"#;
    let body = format!(r#"{{"status_code":200,"data":{data}}}"#);
    consumer.fail("get", 1, json!({ "kind": "status", "status": 200, "body": body })).await;
    let answer = settle(api.get(&js(&json!({ "id": "s" })), &NONE)).await.unwrap();
    assert_eq!(get(&answer, "data.bigNumber"), 9_007_199_254_740_992.0);
    assert_eq!(get(&answer, "data.list.1"), 1e300);
    assert!(get(&answer, "data.list.0").is_null());
    assert_eq!(text(&answer, "data.id").as_deref(), Some("s"));
    let prototype = Object::get_prototype_of(&get(&answer, "data"));
    assert!(get(&prototype, "x").is_undefined());

    let body = r#"{"message":"m","detail":{"id":9007199254740993}}"#;
    consumer.fail("get", 1, json!({ "kind": "status", "status": 422, "body": body })).await;
    let failure = settle(api.get(&js(&json!({ "id": "s" })), &NONE)).await.unwrap_err();
    assert_eq!(get(&failure.get("detail"), "id"), 9_007_199_254_740_992.0);
}

#[wasm_bindgen_test]
async fn keys_are_renamed_at_every_depth_but_within_opaque_fields() {
    let (consumer, api) = ready("dropbox").await;
    let body = json!({
        "status_code": 200,
        "data": {
            "id": "s",
            "parent_folders": [{ "downstream_id": 1 }, [{ "deep_key": 2 }]],
            "custom_mappings": { "my_key": { "other_key": 3 } },
            "pass_through": [{ "service_id": "box" }],
        },
        "_raw": { "raw_key": { "deep_key": 4 } },
    });
    consumer.fail("get", 1, json!({ "kind": "status", "status": 200, "body": body })).await;
    let answer = settle(api.get(&js(&json!({ "id": "s", "raw": true })), &NONE)).await.unwrap();
    let renamed = [("data.parentFolders.0.downstreamId", 1), ("data.parentFolders.1.0.deepKey", 2)];
    let opaque = [("data.customMappings.my_key.other_key", 3), ("raw.raw_key.deep_key", 4)];
    for (path, value) in renamed.into_iter().chain(opaque) {
        assert_eq!(get(&answer, path), value, "{path}");
    }
    assert_eq!(text(&answer, "data.passThrough.0.service_id").as_deref(), Some("box"));
}

#[wasm_bindgen_test]
async fn answer_is_taken_where_it_is_nested_128_deep_and_no_deeper() {
    let (consumer, api) = ready("dropbox").await;
    // The envelope and its data are two of them.
    for (depth, is_taken) in [(126, true), (127, false), (1000, false)] {
        let nested = format!("{}{{}}{}", r#"{"a_key":"#.repeat(depth - 1), "}".repeat(depth - 1));
        let body = format!(r#"{{"data":{{"a_key":{nested}}}}}"#);
        consumer.fail("get", 1, json!({ "kind": "status", "status": 200, "body": body })).await;
        match settle(api.get(&js(&json!({ "id": "s" })), &NONE)).await {
            Ok(answer) => {
                let deepest = get(&answer, &format!("data{}", ".aKey".repeat(depth)));
                assert!(is_taken && deepest.is_object(), "{depth}");
            }
            Err(failure) => assert!(!is_taken && failure.code() == "protocol", "{depth}: {failure:?}"),
        }
    }
}

#[wasm_bindgen_test]
async fn calls_outlive_their_object() {
    let (consumer, api) = ready("dropbox").await;
    let call = api.create(&js(&json!({ "name": "a", "parentFolderId": "root", "size": 10 })), &NONE);
    drop(api);
    settle(call).await.unwrap();
    assert_eq!(consumer.sessions().await.len(), 1);
}

#[wasm_bindgen_test]
async fn sha1_digest_of_every_kind_of_body() {
    let blob = web_sys::Blob::new_with_str_sequence(&js(&json!(["abc"]))).unwrap();
    let bytes = Uint8Array::from(b"-abc-".as_slice());
    for body in [blob.into(), bytes.slice(1, 4).buffer().into(), JsValue::from(bytes.subarray(1, 4))] {
        assert_eq!(digest(body).await.unwrap(), "sha=qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
    }
    let empty = Uint8Array::new_with_length(0);
    assert_eq!(digest(empty.into()).await.unwrap(), "sha=2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
    for body in [JsValue::UNDEFINED, JsValue::NULL, "abc".into(), js(&json!([1, 2]))] {
        let failure = Failure(digest(body).await.unwrap_err());
        assert_eq!(failure.code(), "invalid_argument");
        assert!(failure.message().contains("`body`"));
    }
}
