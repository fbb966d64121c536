//! Arguments that are off are refused before anything is sent, with an error that names the field.

use js_sys::{Function, Uint8Array};
use serde_json::{Value, json};
use upload_session::{UploadSession, UploadSessionsApi};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Failure, Recorder, Running, file, js, settle, text, with};

const NONE: JsValue = JsValue::UNDEFINED;
/// What would end a header and begin another, or is no header's at all.
const NOT_HEADER_VALUES: [&str; 7] = ["", "a\r\nx-evil: 1", "a\nb", "a\rb", "a\0b", "caf\u{e9}", "\u{7f}"];

/// Asserts that something was refused, by an error that names the field and does not show the value.
fn assert_refused<T>(result: Result<T, JsValue>, field: &str, what: &str) {
    let failure = match result {
        Ok(_) => panic!("{field} was not refused: {what}"),
        Err(thrown) => Failure(thrown),
    };
    assert!(failure.is_upload_error(), "{field}, {what}: {failure:?}");
    assert_eq!(failure.code(), "invalid_argument", "{field}, {what}");
    assert!(failure.message().contains(&format!("`{field}`")), "{field}, {what}: {}", failure.message());
    assert!(!failure.message().contains("evil"));
    assert!(!failure.get("retryable").is_truthy());
}

/// Asserts that `UploadSession` refuses its options.
fn refuse_options(options: &JsValue, field: &str) {
    let value = js_sys::JSON::stringify(options).ok().and_then(|json| json.as_string());
    assert_refused(UploadSession::new(&file(10), options), field, &value.unwrap_or_default());
}

/// Asserts that both classes refuse an option.
fn refuse_connection(key: &str, value: Value, field: &str) {
    refuse_connection_js(key, &js(&value), field);
}

fn refuse_connection_js(key: &str, value: &JsValue, field: &str) {
    let consumer = Consumer::new("dropbox");
    refuse_options(&with(consumer.options(json!({})), key, value), field);
    let connection = with(consumer.connection(json!({})), key, value);
    assert_refused(UploadSessionsApi::new(&connection), field, &format!("{value:?}"));
}

fn refuse_upload(key: &str, value: Value) {
    refuse_options(&with(Consumer::new("dropbox").options(json!({})), key, js(&value)), key);
}

#[wasm_bindgen_test]
fn what_is_no_file_is_refused() {
    let options = Consumer::new("dropbox").options(json!({}));
    let bytes = Uint8Array::new_with_length(10);
    for value in [NONE, JsValue::NULL, "a.txt".into(), 5.into(), js(&json!({ "size": 5 })), bytes.into()] {
        assert_refused(UploadSession::new(&value, &options), "file", &format!("{value:?}"));
    }
}

#[wasm_bindgen_test]
fn options_that_are_no_object_are_refused() {
    for value in [NONE, JsValue::NULL, "options".into(), 5.into(), Function::new_no_args("").into()] {
        refuse_options(&value, "options");
        assert_refused(UploadSessionsApi::new(&value), "options", &format!("{value:?}"));
    }
}

#[wasm_bindgen_test]
fn unknown_options_are_refused() {
    for key in ["paralel", "stalltimeout", "apikey", ""] {
        refuse_connection(key, json!(1), key);
    }
    let connection = Consumer::new("dropbox").connection(json!({ "parentFolderId": "root" }));
    assert_refused(UploadSessionsApi::new(&connection), "parentFolderId", "not of a connection");
}

#[wasm_bindgen_test]
fn connection_options_of_a_wrong_type_or_value_are_refused() {
    for key in ["serverUrl", "appId", "consumerId", "serviceId"] {
        for value in [json!(5), json!(null), json!({}), json!(["a"]), json!(true)] {
            refuse_connection(key, value, key);
        }
    }
    for value in [json!(5), json!(null), json!({}), json!(["a"])] {
        refuse_connection("apiKey", value, "apiKey");
    }
    for value in [json!("JWT"), json!("bearer"), json!(1), json!(null)] {
        refuse_connection("authType", value, "authType");
    }
    for value in [json!("same-site"), json!(true), json!(null)] {
        refuse_connection("credentials", value, "credentials");
    }
    for value in [json!("x: y"), json!(1), json!({ "a": 1 }), json!({ "a": null }), json!({ "a": ["b"] })] {
        refuse_connection("headers", value, "headers");
    }
}

#[wasm_bindgen_test]
fn retries_of_a_wrong_type_or_out_of_range_are_refused() {
    let backoff = |key: &str, value: Value| json!({ "strategy": "backoff", "backoff": { key: value } });
    for value in [json!("backoff"), json!(5), json!(null), json!(true)] {
        refuse_connection("retries", value, "retries");
    }
    for (retries, field) in [
        (json!({}), "retries.strategy"),
        (json!({ "strategy": "always" }), "retries.strategy"),
        (json!({ "strategy": "none", "retryConnectionErrors": 1 }), "retries.retryConnectionErrors"),
        (json!({ "strategy": "backoff", "backoff": 5 }), "retries.backoff"),
        (backoff("initialInterval", json!(-1)), "retries.backoff.initialInterval"),
        (backoff("initialInterval", json!("1")), "retries.backoff.initialInterval"),
        (backoff("maxInterval", json!(1e13)), "retries.backoff.maxInterval"),
        (backoff("exponent", json!(0.5)), "retries.backoff.exponent"),
        (backoff("exponent", json!(101)), "retries.backoff.exponent"),
        (backoff("maxElapsedTime", json!(-0.5)), "retries.backoff.maxElapsedTime"),
        (backoff("maxElapsed", json!(5)), "retries.backoff.maxElapsed"),
        (json!({ "strategy": "none", "attempts": 5 }), "retries.attempts"),
    ] {
        refuse_connection("retries", retries, field);
    }
    for key in ["initialInterval", "maxInterval", "exponent", "maxElapsedTime"] {
        for value in [f64::NAN, f64::INFINITY] {
            let backoff = with(js(&json!({})), key, value);
            let retries = with(js(&json!({ "strategy": "backoff" })), "backoff", backoff);
            refuse_connection_js("retries", &retries, &format!("retries.backoff.{key}"));
        }
    }
}

#[wasm_bindgen_test]
fn upload_options_of_a_wrong_type_or_out_of_range_are_refused() {
    let ids = [json!(5), json!(null), json!({}), json!("")];
    for key in ["parentFolderId", "name", "driveId"] {
        ids.iter().for_each(|value| refuse_upload(key, value.clone()));
    }
    for value in [json!("part"), json!(true), json!(null)] {
        refuse_upload("digest", value.clone());
        refuse_upload("body", value.clone());
        refuse_upload("transport", value.clone());
        refuse_upload("store", value.clone());
        refuse_upload("direct", value);
    }
    for value in [json!("true"), json!(1), json!(null)] {
        refuse_upload("restart", value);
    }
    for value in [json!(0), json!(-1), json!(0.5), json!("1"), json!(null), json!(1e13)] {
        refuse_upload("stallTimeout", value);
    }
    for value in [json!(0), json!(7), json!(1.5), json!(-1), json!("4"), json!(null)] {
        refuse_upload("concurrency", value);
    }
    for value in [json!(0), json!(-1), json!(1.5), json!("1"), json!(null), json!(9_007_199_254_740_992.0)] {
        refuse_upload("memoryBudget", value);
    }
    for value in [json!({ "aborted": false }), json!(5), json!(null)] {
        refuse_upload("signal", value);
    }
    for value in [
        json!({ "serviceId": "box" }),
        json!([5]),
        json!([{}]),
        json!([{ "serviceId": 5 }]),
        json!([{ "service_id": "box" }]),
        json!([{ "serviceId": "box", "extendPaths": [{ "path": "$" }] }]),
        json!([{ "serviceId": "box", "extendObject": 5 }]),
    ] {
        refuse_upload("passThrough", value);
    }
    for value in [f64::NAN, f64::INFINITY] {
        let options = with(Consumer::new("dropbox").options(json!({})), "concurrency", value);
        refuse_options(&options, "concurrency");
    }
    let options = Consumer::new("dropbox").connection(json!({}));
    refuse_options(&options, "parentFolderId");
}

#[wasm_bindgen_test]
fn names_that_are_empty_or_have_control_characters_are_refused() {
    let consumer = Consumer::new("dropbox");
    let blob = file(10).slice().unwrap();
    assert_refused(UploadSession::new(&blob, &consumer.options(json!({}))), "name", "a Blob has none");
    for name in ["", "a\0.txt", "a\r\nb", "a\tb", "\u{7f}", "\u{85}"] {
        refuse_upload("name", json!(name));
        refuse_upload("parentFolderId", json!(name));
        refuse_upload("driveId", json!(name));
    }
    let named = crate::support::named_file("a\nb", 10);
    assert_refused(UploadSession::new(&named, &consumer.options(json!({}))), "name", "the file's own");
}

#[wasm_bindgen_test]
fn addresses_that_are_none_or_carry_more_than_a_path_are_refused() {
    for address in [
        "http://",
        "http://[::1",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/plain,a",
        "http://user@127.0.0.1",
        "http://user:password@127.0.0.1",
        "http://127.0.0.1/?a=b",
        "http://127.0.0.1/#a",
        "http://127.0.0.1:99999",
    ] {
        refuse_connection("serverUrl", json!(address), "serverUrl");
    }
}

#[wasm_bindgen_test]
fn headers_cannot_be_injected_through_options() {
    for value in NOT_HEADER_VALUES {
        for key in ["apiKey", "appId", "consumerId", "serviceId"] {
            refuse_connection(key, json!(value), key);
        }
        refuse_connection("headers", json!({ "X-Own": value }), "headers.x-own");
    }
    for name in ["", "a b", "a:", "a\r\nx-evil", "\u{e9}", "(a)", "a\0"] {
        refuse_connection("headers", json!({ name: "value" }), "headers");
    }
    for name in ["Digest", "content-type", "Content-Length", "X-Apideck-Metadata"] {
        let field = format!("headers.{}", name.to_ascii_lowercase());
        refuse_connection("headers", json!({ name: "value" }), &field);
    }
    refuse_connection("headers", json!({ "Authorization": "Bearer other" }), "headers");
}

#[wasm_bindgen_test]
async fn calls_refuse_what_is_off_and_send_nothing() {
    let consumer = Consumer::new("dropbox");
    let api = UploadSessionsApi::new(&consumer.connection(json!({}))).map_err(Failure).unwrap();
    let recorder = Recorder::new();
    type Call = fn(&UploadSessionsApi, &JsValue, &JsValue) -> js_sys::Promise;
    let calls: [(&str, Call, Value); 6] = [
        ("create", |api, r, o| api.create(r, o), json!({ "name": "a", "parentFolderId": "b", "size": 1 })),
        ("get", |api, r, o| api.get(r, o), json!({ "id": "s" })),
        ("upload", |api, r, o| api.upload(r, o), json!({ "id": "s", "partNumber": 0 })),
        ("delete", |api, r, o| api.delete(r, o), json!({ "id": "s" })),
        ("finish", |api, r, o| api.finish(r, o), json!({ "id": "s" })),
        ("uploadFile", |api, r, o| api.upload_file(r, o), json!({ "name": "a", "parentFolderId": "b" })),
    ];
    let request = |call: &str, valid: &Value| match call {
        "upload" | "uploadFile" => with(js(valid), "body", file(10)),
        _ => js(valid),
    };
    for (name, call, valid) in calls {
        let refuse = async |request: &JsValue, options: &JsValue, field: &str| {
            let result = settle(call(&api, request, options)).await.map_err(|failure| failure.0);
            assert_refused(result, field, &format!("{name} {request:?} {options:?}"));
        };
        for value in [NONE, JsValue::NULL, "s".into()] {
            refuse(&value, &NONE, "request").await;
        }
        refuse(&with(request(name, &valid), "unknown", 1), &NONE, "unknown").await;
        refuse(&with(request(name, &valid), "raw", "yes"), &NONE, "raw").await;
        for key in ["appId", "consumerId", "serviceId"] {
            refuse(&with(request(name, &valid), key, 5), &NONE, key).await;
            refuse(&with(request(name, &valid), key, "a\r\nx-evil: 1"), &NONE, key).await;
        }
        for key in valid.as_object().unwrap().keys() {
            refuse(&with(request(name, &valid), key, NONE), &NONE, key).await;
            refuse(&with(request(name, &valid), key, true), &NONE, key).await;
        }
        for (options, field) in [
            (json!(5), "options"),
            (json!({ "apiKey": "other" }), "apiKey"),
            (json!({ "timeout": 0 }), "timeout"),
            (json!({ "timeout": "1" }), "timeout"),
            (json!({ "serverUrl": "ftp://a" }), "serverUrl"),
            (json!({ "retries": {} }), "retries.strategy"),
            (json!({ "signal": {} }), "signal"),
            (json!({ "headers": { "a": "b\r\nx-evil: 1" } }), "headers.a"),
            (json!({ "headers": { "digest": "sha=" } }), "headers.digest"),
        ] {
            refuse(&request(name, &valid), &js(&options), field).await;
        }
    }
    assert!(recorder.is_empty());
}

#[wasm_bindgen_test]
async fn fields_of_single_calls_are_checked() {
    let consumer = Consumer::new("dropbox");
    let api = UploadSessionsApi::new(&consumer.connection(json!({}))).map_err(Failure).unwrap();
    let recorder = Recorder::new();
    let refused = async |promise, field: &str, what: String| {
        assert_refused(settle(promise).await.map_err(|failure: Failure| failure.0), field, &what);
    };
    for id in ["", ".", ".."] {
        let id = json!({ "id": id });
        let part = with(with(js(&id), "partNumber", 0), "body", file(1));
        for promise in [
            api.get(&js(&id), &NONE),
            api.upload(&part, &NONE),
            api.delete(&js(&id), &NONE),
            api.finish(&js(&id), &NONE),
        ] {
            refused(promise, "id", id.to_string()).await;
        }
    }
    for number in [json!(-1), json!(10_001), json!(0.5), json!("0"), json!(null), json!(1e300)] {
        let part = with(js(&json!({ "id": "s", "partNumber": number })), "body", file(1));
        refused(api.upload(&part, &NONE), "partNumber", number.to_string()).await;
    }
    for digest in [json!(5), json!(null), json!("sha=\r\nx-evil: 1"), json!("")] {
        let part = with(js(&json!({ "id": "s", "partNumber": 0, "digest": digest })), "body", file(1));
        refused(api.upload(&part, &NONE), "digest", digest.to_string()).await;
        let finish = js(&json!({ "id": "s", "digest": digest }));
        refused(api.finish(&finish, &NONE), "digest", digest.to_string()).await;
    }
    for body in [NONE, JsValue::NULL, "text".into(), js(&json!([1])), 5.into()] {
        let part = with(js(&json!({ "id": "s", "partNumber": 0 })), "body", &body);
        refused(api.upload(&part, &NONE), "body", format!("{body:?}")).await;
        let direct = with(js(&json!({ "name": "a", "parentFolderId": "b" })), "body", &body);
        refused(api.upload_file(&direct, &NONE), "body", format!("{body:?}")).await;
    }
    for size in [json!(-1), json!(1.5), json!("1"), json!(9_007_199_254_740_992.0)] {
        let create = js(&json!({ "name": "a", "parentFolderId": "b", "size": size }));
        refused(api.create(&create, &NONE), "size", size.to_string()).await;
    }
    for name in ["", "a\nb"] {
        let create = js(&json!({ "name": name, "parentFolderId": "b", "size": 1 }));
        refused(api.create(&create, &NONE), "name", format!("{name:?}")).await;
        let direct = with(js(&json!({ "name": name, "parentFolderId": "b" })), "body", file(1));
        refused(api.upload_file(&direct, &NONE), "name", format!("{name:?}")).await;
    }
    for fields in [json!(5), json!(["id"])] {
        refused(api.get(&js(&json!({ "id": "s", "fields": fields })), &NONE), "fields", fields.to_string()).await;
    }
    assert!(recorder.is_empty());
}

/// Session ids and selections are the server's own words: they stay within their place in the address.
#[wasm_bindgen_test]
async fn ids_and_fields_cannot_change_the_route() {
    let consumer = Consumer::new("dropbox");
    let api = UploadSessionsApi::new(&consumer.connection(json!({}))).map_err(Failure).unwrap();
    for id in ["../files", "a/finish", "a?part_number=1", "a#b", "%2e%2e", "a\\..\\b", "\u{e9} \u{1f600}"] {
        let request = js(&json!({ "id": id, "fields": "id&raw=true" }));
        let failure = settle(api.get(&request, &NONE)).await.unwrap_err();
        assert_eq!(
            (failure.code().as_str(), failure.text("typeName").as_deref()),
            ("not_found", Some("EntityNotFoundError"))
        );
        let stats = consumer.stats().await;
        assert!(
            failure.text("detail").unwrap().contains(id),
            "{:?} {:?}",
            failure.text("detail"),
            stats.of("get").last()
        );
    }
    assert_eq!(consumer.stats().await.requests.get, 7);
}

#[wasm_bindgen_test]
async fn undefined_options_are_as_good_as_absent_and_getters_may_throw() {
    let consumer = Consumer::new("dropbox");
    let mut options = consumer.options(json!({}));
    for key in ["name", "driveId", "passThrough", "digest", "concurrency", "signal", "headers", "authType"] {
        options = with(options, key, NONE);
    }
    let (_, uploaded) = Running::to_end(&file(10), &options).await;
    assert_eq!(text(&uploaded, "name").as_deref(), Some("report.bin"));
    let throwing = Function::new_with_args("o", "Object.defineProperty(o, 'appId', { get() { throw new Error() } })");
    throwing.call1(&NONE, &options).unwrap();
    refuse_options(&options, "appId");
}
