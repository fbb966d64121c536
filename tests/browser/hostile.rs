//! Values that throw, hang or change under the module's hands: an error each time, and the module lives on.

use js_sys::{Function, Promise, Reflect, Uint8Array};
use serde_json::json;
use upload_session::{UploadSession, UploadSessionsApi, sha1_digest};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::AbortController;

use crate::support::{Consumer, Failure, Running, eval, file, function, get, js, settle, until, with};

const NONE: JsValue = JsValue::UNDEFINED;

fn assert_invalid(failure: &Failure, field: &str, what: &str) {
    assert!(failure.is_upload_error(), "{what}: {failure:?}");
    assert_eq!(failure.code(), "invalid_argument", "{what}");
    assert!(failure.message().contains(&format!("`{field}`")), "{what}: {}", failure.message());
}

/// An upload that must still work whatever was thrown at the module before.
async fn assert_module_lives() {
    let consumer = Consumer::new("dropbox");
    let file = file(1000);
    let (_, uploaded) = Running::to_end(&file, &consumer.options(json!({}))).await;
    consumer.assert_holds(&uploaded, &file).await;
}

#[wasm_bindgen_test]
async fn pass_through_that_is_no_json_is_refused() {
    for expression in [
        "(() => { const a = {}; a.a = a; return [{ serviceId: 'box', extendObject: a }] })()",
        "[{ serviceId: 'box', extendObject: { get a() { throw new Error('no') } } }]",
        "[{ serviceId: 'box', extendObject: { a: 1n } }]",
        "(() => { let a = {}; for (let i = 0; i < 2000; i++) a = { a }; return [{ serviceId: 'box', extendObject: a }] })()",
        "() => 1",
        "Symbol('a')",
    ] {
        let options = with(Consumer::new("box").options(json!({})), "passThrough", eval(expression));
        let failure = Failure(UploadSession::new(&file(10), &options).err().expect(expression));
        assert_invalid(&failure, "passThrough", expression);
    }
    assert_module_lives().await;
}

#[wasm_bindgen_test]
async fn options_whose_fields_throw_are_refused() {
    let throwing = eval("({ get parentFolderId() { throw new Error('no') } })");
    let failure = Failure(UploadSession::new(&file(10), &throwing).err().unwrap());
    assert_invalid(&failure, "parentFolderId", "getter");
    let proxy = eval("new Proxy({}, { ownKeys() { throw new Error('no') } })");
    let failure = Failure(UploadSession::new(&file(10), &proxy).err().unwrap());
    assert_invalid(&failure, "options", "proxy");
    assert_module_lives().await;
}

#[wasm_bindgen_test]
fn objects_that_are_not_plain_are_refused_and_those_without_a_prototype_taken() {
    for expression in ["new Map()", "[]", "new Date()", "new Headers()", "new (class A {})()"] {
        let failure = Failure(UploadSessionsApi::new(&eval(expression)).err().expect(expression));
        assert_invalid(&failure, "options", expression);
    }
    for expression in ["new Headers({ 'x-a': 'b' })", "new Map([['x-a', 'b']])", "[['x-a', 'b']]"] {
        let options = with(Consumer::new("box").connection(json!({})), "headers", eval(expression));
        let failure = Failure(UploadSessionsApi::new(&options).err().expect(expression));
        assert_invalid(&failure, "headers", expression);
    }
    assert!(UploadSessionsApi::new(&eval("Object.assign(Object.create(null), { appId: 'a' })")).is_ok());
}

#[wasm_bindgen_test]
async fn event_names_that_are_no_strings_are_refused() {
    let session = UploadSession::new(&file(10), &Consumer::new("box").options(json!({}))).map_err(Failure).unwrap();
    for expression in ["5", "null", "undefined", "{}", "Symbol('state')", "['state']"] {
        let failure = Failure(session.on(&eval(expression), &eval("() => {}")).unwrap_err());
        assert_invalid(&failure, "event", expression);
    }
    assert_module_lives().await;
}

#[wasm_bindgen_test]
async fn bytes_that_were_taken_away_or_are_shared_are_refused() {
    let detached = "(() => { const b = new ArrayBuffer(8); structuredClone(b, { transfer: [b] }); return b })()";
    let view =
        "(() => { const b = new Uint8Array(8); structuredClone(b.buffer, { transfer: [b.buffer] }); return b })()";
    let api = UploadSessionsApi::new(&Consumer::new("dropbox").connection(json!({}))).map_err(Failure).unwrap();
    for expression in [detached, view, "new Uint16Array(2)", "'text'", "null", "{ byteLength: 1 }"] {
        let value = if expression == "{ byteLength: 1 }" { js(&json!({ "byteLength": 1 })) } else { eval(expression) };
        let digest = sha1_digest(&value);
        if expression == view {
            // A detached view has no bytes: whether it is refused or hashed as nothing, it is settled.
            let _ = settle(digest).await;
        } else {
            assert_invalid(&settle(digest).await.unwrap_err(), "body", expression);
        }
        let request = with(js(&json!({ "id": "s", "partNumber": 0 })), "body", value);
        let uploaded = settle(api.upload(&request, &NONE)).await;
        assert!(uploaded.is_err(), "{expression}");
    }
    assert_module_lives().await;
}

#[wasm_bindgen_test]
async fn digest_of_bytes_is_that_of_the_view_alone() {
    let whole = Uint8Array::from(&b"--abc--"[..]);
    let digest = async |value: JsValue| settle(sha1_digest(&value)).await.unwrap().as_string().unwrap();
    assert_eq!(digest(whole.subarray(2, 5).into()).await, "sha=qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
    assert_eq!(digest(Uint8Array::from(&b"abc"[..]).buffer().into()).await, "sha=qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
    assert_eq!(digest(Uint8Array::new_with_length(0).into()).await, "sha=2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
}

#[wasm_bindgen_test]
async fn token_function_that_never_settles_holds_up_neither_time_out_nor_signal() {
    let never = || function(|| Ok(Promise::new(&mut |_, _| {}).into()));
    let consumer = Consumer::new("dropbox");
    let connection =
        || with(with(consumer.connection(json!({})), "apiKey", never()), "retries", js(&json!({ "strategy": "none" })));
    let request = js(&json!({ "id": "s" }));

    let api = UploadSessionsApi::new(&connection()).map_err(Failure).unwrap();
    let failure = settle(api.get(&request, &js(&json!({ "timeout": 50 })))).await.unwrap_err();
    assert_eq!(failure.code(), "timeout");

    let controller = AbortController::new().unwrap();
    let pending = api.get(&request, &with(js(&json!({})), "signal", controller.signal()));
    controller.abort_with_reason(&"enough".into());
    let failure = settle(pending).await.unwrap_err();
    assert_eq!((failure.code(), failure.text("cause")), ("aborted".to_owned(), Some("enough".to_owned())));
    assert!(consumer.stats().await.log.is_empty());
}

#[wasm_bindgen_test]
async fn abort_goes_on_to_its_end_though_the_session_is_freed() {
    let consumer = Consumer::new("dropbox");
    consumer.set(json!({ "part_size": 100 })).await;
    consumer.fail("delete", 2, json!({ "kind": "status", "status": 503 })).await;
    let running = Running::start(&file(5000), &consumer.options(json!({})));
    running.until_parts_done(3).await;
    let aborted = running.session.abort();
    drop(running);
    settle(aborted).await.unwrap();
    until("the session is gone", async || consumer.sessions().await.is_empty()).await;
    assert_eq!(consumer.stats().await.statuses("delete"), [503, 503, 200]);
}

#[wasm_bindgen_test]
async fn server_address_with_a_mark_of_query_or_fragment_is_refused() {
    for address in ["http://127.0.0.1/?", "http://127.0.0.1/#", "http://127.0.0.1/p?#", "/?", "#"] {
        let options = Consumer::new("box").connection(json!({ "serverUrl": address }));
        assert_invalid(&Failure(UploadSessionsApi::new(&options).err().expect(address)), "serverUrl", address);
    }
}

#[wasm_bindgen_test]
async fn server_address_that_a_page_would_take_for_a_path_of_its_own_is_refused() {
    for address in ["upload.apideck.com", "localhost:8787", "api", "", "//other.example", "./api"] {
        let options = Consumer::new("box").connection(json!({ "serverUrl": address }));
        assert_invalid(&Failure(UploadSessionsApi::new(&options).err().expect(address)), "serverUrl", address);
    }
    for address in ["/", "/proxy", "HTTP://127.0.0.1", "https://upload.apideck.com/base/"] {
        assert!(
            UploadSessionsApi::new(&Consumer::new("box").connection(json!({ "serverUrl": address }))).is_ok(),
            "{address}"
        );
    }
}

#[wasm_bindgen_test]
async fn file_whose_name_is_no_string_needs_one_in_the_options() {
    let named = eval("Object.defineProperty(new File(['x'], 'a'), 'name', { value: 5 })");
    let options = Consumer::new("dropbox").options(json!({}));
    assert_invalid(&Failure(UploadSession::new(&named, &options).err().unwrap()), "name", "a number");
    assert_module_lives().await;
}

#[wasm_bindgen_test]
async fn stream_that_gives_no_bytes_fails_the_upload() {
    let broken = eval(
        "(() => { const f = new File(['x'], 'a'); f.slice = () => ({ stream: () => new ReadableStream({ \
         start(c) { c.enqueue('text'); c.close() } }) }); return f })()",
    );
    let running = Running::start(&broken, &Consumer::new("dropbox").options(json!({})));
    assert_eq!(running.failure().await.code(), "file_changed");
    assert_module_lives().await;
}

#[wasm_bindgen_test]
async fn stream_that_has_no_byob_reader_is_read_all_the_same() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": 1000 })).await;
    let file = file(2500);
    // What comes out of a TransformStream is no byte stream: asking it for a BYOB reader throws.
    let wrap = Function::new_with_args(
        "file",
        "const slice = file.slice.bind(file);
         file.asked = 0;
         file.slice = (...range) => ({ stream: () => {
             file.asked += 1;
             return slice(...range).stream().pipeThrough(new TransformStream());
         } });",
    );
    wrap.call1(&NONE, &file).unwrap();
    let (_, uploaded) = Running::to_end(&file, &consumer.options(json!({ "body": "buffer" }))).await;
    // Once to know the file by, and once for each part.
    assert!(get(&file, "asked").as_f64() >= Some(4.0));
    Reflect::delete_property(&file, &"slice".into()).unwrap();
    consumer.assert_holds(&uploaded, &file).await;
}

#[wasm_bindgen_test]
async fn authorization_beside_a_key_is_refused_for_a_single_call_too() {
    let consumer = Consumer::new("dropbox");
    let api = UploadSessionsApi::new(&consumer.connection(json!({}))).map_err(Failure).unwrap();
    let options = js(&json!({ "headers": { "Authorization": "Bearer other-key" } }));
    let failure = settle(api.get(&js(&json!({ "id": "s" })), &options)).await.unwrap_err();
    assert_invalid(&failure, "headers", "authorization");
    assert!(consumer.stats().await.log.is_empty());
}

#[wasm_bindgen_test]
async fn credentials_that_an_answer_spells_with_escapes_are_redacted() {
    let consumer = Consumer::new("dropbox");
    let body =
        r#"{"message":"no: te\u0073t-api-key","detail":{"test\u002dapi\u002dkey":["Bearer test-api-key","x\n"]}}"#;
    consumer.fail("get", 1, json!({ "kind": "status", "status": 400, "body": body })).await;
    let api = UploadSessionsApi::new(&consumer.connection(json!({}))).map_err(Failure).unwrap();
    let failure = settle(api.get(&js(&json!({ "id": "s" })), &NONE)).await.unwrap_err();
    assert_eq!(failure.message(), "no: [redacted]");
    let detail = js_sys::JSON::stringify(&failure.get("detail")).unwrap();
    assert_eq!(String::from(detail), r#"{"[redacted]":["[redacted]","x\n"]}"#);
}

#[wasm_bindgen_test]
async fn credentials_in_headers_of_the_callers_own_are_redacted() {
    let consumer = Consumer::new("dropbox");
    let body = "you sent Bearer own-secret-token and cookie-like-secret";
    consumer.fail("get", 1, json!({ "kind": "status", "status": 400, "body": body })).await;
    let headers = json!({ "authorization": "Bearer own-secret-token", "x-session": "cookie-like-secret" });
    let options = consumer.connection(json!({ "apiKey": null, "headers": headers }));
    let api = UploadSessionsApi::new(&options).map_err(Failure).unwrap();
    let failure = settle(api.get(&js(&json!({ "id": "s" })), &NONE)).await.unwrap_err();
    assert_eq!(failure.text("detail").as_deref(), Some("you sent [redacted] and [redacted]"));
}

#[wasm_bindgen_test]
async fn header_whose_value_is_the_files_own_as_well_leaves_the_answer_as_it_is() {
    let consumer = Consumer::new("dropbox");
    let headers = json!({ "accept": "application/octet-stream", "x-folder": "folder-12345" });
    let options = consumer.options(json!({ "headers": headers, "parentFolderId": "folder-12345" }));
    let (_, uploaded) = Running::to_end(&file(1000), &options).await;
    assert_eq!(get(&uploaded, "mimeType").as_string().as_deref(), Some("application/octet-stream"));
    let folders = js_sys::JSON::stringify(&get(&uploaded, "parentFolders")).unwrap();
    assert!(String::from(folders).contains("folder-12345"));
}

#[wasm_bindgen_test]
async fn listener_taken_off_by_an_earlier_one_is_not_called() {
    let session = UploadSession::new(&file(10), &Consumer::new("dropbox").options(json!({}))).map_err(Failure).unwrap();
    let log = eval("[]");
    let make =
        Function::new_with_args("log", "return { first: () => { log.push(1); log.off() }, second: () => log.push(2) }");
    let listeners = make.call1(&NONE, &log).unwrap();
    session.on(&"state".into(), &get(&listeners, "first")).map_err(Failure).unwrap();
    let off = session.on(&"state".into(), &get(&listeners, "second")).map_err(Failure).unwrap();
    let log = with(log, "off", off);
    settle(session.start()).await.unwrap();
    let told: Vec<f64> = js_sys::Array::from(&log).iter().filter_map(|entry| entry.as_f64()).collect();
    assert!(!told.is_empty() && told.iter().all(|&entry| entry == 1.0), "{told:?}");
}

/// They would match by chance.
#[wasm_bindgen_test]
async fn credentials_too_short_to_be_told_from_other_words_are_left() {
    let consumer = Consumer::new("dropbox");
    let body = "a key is a key; you sent Bearer key, 7 bytes and 8 bytes!";
    consumer.fail("get", 1, json!({ "kind": "status", "status": 400, "body": body })).await;
    let headers = json!({ "x-short": "7 bytes", "x-long": "8 bytes!" });
    let options = consumer.connection(json!({ "apiKey": "key", "headers": headers }));
    let api = UploadSessionsApi::new(&options).map_err(Failure).unwrap();
    let failure = settle(api.get(&js(&json!({ "id": "s" })), &NONE)).await.unwrap_err();
    let left = "a key is a key; you sent [redacted], 7 bytes and [redacted]";
    assert_eq!(failure.text("detail").as_deref(), Some(left));
}
