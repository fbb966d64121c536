//! The token: asked for once, once more where it is refused, and for all requests at the same time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Promise;
use serde_json::{Value, json};
use upload_session::UploadSessionsApi;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Failure, Recorder, Running, file, function, js, settle, until, with};

const NONE: JsValue = JsValue::UNDEFINED;

/// A token function, and how often it was called.
fn tokens(mut token: impl FnMut(u32) -> Result<JsValue, JsValue> + 'static) -> (JsValue, Rc<Cell<u32>>) {
    let calls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&calls);
    let function = function(move || {
        counted.set(counted.get() + 1);
        token(counted.get())
    });
    (function, calls)
}

fn numbered(call: u32) -> Result<JsValue, JsValue> {
    Ok(format!("token-{call}").into())
}

fn refused() -> Value {
    json!({ "kind": "status", "status": 401 })
}

fn api(consumer: &Consumer, token: &JsValue) -> UploadSessionsApi {
    UploadSessionsApi::new(&with(consumer.connection(json!({})), "apiKey", token)).map_err(Failure).unwrap()
}

fn create() -> JsValue {
    js(&json!({ "name": "a", "parentFolderId": "root", "size": 10 }))
}

#[wasm_bindgen_test]
async fn function_is_called_once_for_a_whole_upload() {
    for promised in [false, true] {
        let consumer = Consumer::with("dropbox", json!({ "part_size": 1000 })).await;
        let (function, calls) = tokens(move |call| match promised {
            false => numbered(call),
            true => Ok(future_to_promise(async move { numbered(call) }).into()),
        });
        let recorder = Recorder::new();
        Running::to_end(&file(10_000), &with(consumer.options(json!({})), "apiKey", &function)).await;
        assert_eq!(calls.get(), 1);
        assert_eq!(recorder.last().await.header("authorization").as_deref(), Some("Bearer token-1"));
    }
}

#[wasm_bindgen_test]
async fn function_is_called_again_exactly_once_after_a_401() {
    for operation in ["create", "get", "upload", "finish"] {
        let consumer = Consumer::with("dropbox", json!({ "part_size": 1000 })).await;
        consumer.fail(operation, 1, refused()).await;
        let (function, calls) = tokens(numbered);
        let recorder = Recorder::new();
        Running::to_end(&file(1000), &with(consumer.options(json!({})), "apiKey", &function)).await;
        assert_eq!(calls.get(), 2, "{operation}");
        assert_eq!(recorder.last().await.header("authorization").as_deref(), Some("Bearer token-2"));
        let tried = consumer.stats().await.statuses(operation);
        assert_eq!((tried.len(), tried[0]), (2, 401), "{operation}");
    }
}

#[wasm_bindgen_test]
async fn single_calls_share_the_function_too() {
    let consumer = Consumer::new("dropbox");
    consumer.fail("create", 1, refused()).await;
    let (function, calls) = tokens(numbered);
    let api = api(&consumer, &function);
    settle(api.create(&create(), &NONE)).await.unwrap();
    settle(api.create(&create(), &NONE)).await.unwrap();
    assert_eq!(calls.get(), 2);
    assert_eq!(consumer.stats().await.statuses("create"), [401, 201, 201]);
}

/// All parts on the wire are refused before the new token is there; those that come later wait for it.
#[wasm_bindgen_test]
async fn parts_refused_at_the_same_time_ask_once() {
    let settings = json!({ "part_size": 50_000, "rate": 800_000 });
    let consumer = Rc::new(Consumer::with("dropbox", settings).await);
    consumer.fail("upload", 99, refused()).await;
    let asked = Rc::clone(&consumer);
    let (function, calls) = tokens(move |call| {
        let consumer = Rc::clone(&asked);
        let token = async move {
            if call > 1 {
                until("all are refused", async || consumer.stats().await.uploads_in_flight == 0).await;
                consumer.clear_faults().await;
            }
            numbered(call)
        };
        Ok(future_to_promise(token).into())
    });
    let file = file(400_000);
    let options = with(consumer.options(json!({ "concurrency": 4 })), "apiKey", &function);
    let (_, uploaded) = Running::to_end(&file, &options).await;
    assert_eq!(calls.get(), 2);
    consumer.assert_holds(&uploaded, &file).await;
    let statuses = consumer.stats().await.statuses("upload");
    let refused = statuses.iter().filter(|&&status| status == 401).count();
    assert!(refused >= 2, "{statuses:?}");
    assert_eq!(statuses.len(), 8 + refused);
}

#[wasm_bindgen_test]
async fn calls_refused_at_the_same_time_ask_once() {
    let consumer = Rc::new(Consumer::new("dropbox"));
    consumer.fail("create", 3, refused()).await;
    let asked = Rc::clone(&consumer);
    let (function, calls) = tokens(move |call| {
        let consumer = Rc::clone(&asked);
        let token = async move {
            if call > 1 {
                until("all are refused", async || consumer.stats().await.statuses("create") == [401; 3]).await;
            }
            numbered(call)
        };
        Ok(future_to_promise(token).into())
    });
    let api = api(&consumer, &function);
    let created: [Promise; 3] = std::array::from_fn(|_| api.create(&create(), &NONE));
    for promise in created {
        settle(promise).await.unwrap();
    }
    assert_eq!(calls.get(), 2);
}

#[wasm_bindgen_test]
async fn second_401_is_unauthorized() {
    let consumer = Consumer::new("dropbox");
    consumer.fail("create", 2, refused()).await;
    let (function, calls) = tokens(numbered);
    let failure = settle(api(&consumer, &function).create(&create(), &NONE)).await.unwrap_err();
    assert_eq!((failure.code().as_str(), failure.number("status"), calls.get()), ("unauthorized", Some(401.0), 2));

    consumer.fail("upload", 2, refused()).await;
    let (function, calls) = tokens(numbered);
    let running = Running::start(&file(10), &with(consumer.options(json!({})), "apiKey", &function));
    let failure = running.failure().await;
    assert_eq!((failure.code().as_str(), failure.number("status"), calls.get()), ("unauthorized", Some(401.0), 2));
    assert_eq!(failure.number("partNumber"), Some(0.0));
}

#[wasm_bindgen_test]
async fn fixed_key_that_is_refused_is_unauthorized_at_once() {
    let consumer = Consumer::new("dropbox");
    consumer.fail("create", 2, refused()).await;
    let call = settle(api(&consumer, &"some-fixed-key".into()).create(&create(), &NONE)).await.unwrap_err();
    let upload = Running::start(&file(10), &consumer.options(json!({}))).failure().await;
    for failure in [call, upload] {
        assert_eq!((failure.code().as_str(), failure.number("status")), ("unauthorized", Some(401.0)));
    }
    assert_eq!(consumer.stats().await.requests.create, 2);
}

#[wasm_bindgen_test]
async fn without_a_key_no_authorization_is_sent() {
    let consumer = Consumer::new("dropbox");
    let recorder = Recorder::new();
    let failure = Running::start(&file(10), &consumer.options(json!({ "apiKey": null }))).failure().await;
    assert_eq!(failure.code(), "unauthorized");
    assert_eq!(failure.text("typeName").as_deref(), Some("UnauthorizedError"));
    assert_eq!(recorder.last().await.header("authorization"), None);
}

#[wasm_bindgen_test]
async fn function_that_throws_or_rejects_is_an_error_with_its_cause() {
    let consumer = Consumer::new("dropbox");
    for promised in [false, true] {
        let thrown = js_sys::Error::new("signed out");
        let reason = JsValue::from(thrown.clone());
        let (function, _) = tokens(move |_| match promised {
            false => Err(reason.clone()),
            true => Ok(Promise::reject(&reason).into()),
        });
        let call = settle(api(&consumer, &function).create(&create(), &NONE)).await.unwrap_err();
        let running = Running::start(&file(10), &with(consumer.options(json!({})), "apiKey", &function));
        for failure in [call, running.failure().await] {
            assert!(failure.is_upload_error());
            assert_eq!(failure.code(), "unauthorized");
            assert!(js_sys::Object::is(&failure.get("cause"), &thrown));
        }
    }
    assert_eq!(consumer.stats().await.log, []);
}

#[wasm_bindgen_test]
async fn function_that_throws_at_the_refresh_ends_the_upload_with_its_cause() {
    let consumer = Consumer::new("dropbox");
    consumer.fail("upload", 1, refused()).await;
    let (function, calls) = tokens(|call| if call == 1 { numbered(call) } else { Err("signed out".into()) });
    let running = Running::start(&file(10), &with(consumer.options(json!({})), "apiKey", &function));
    let failure = running.failure().await;
    assert_eq!((failure.code(), failure.text("cause")), ("unauthorized".into(), Some("signed out".into())));
    assert_eq!(calls.get(), 2);
    assert_eq!(running.session.state(), "failed");
}

#[wasm_bindgen_test]
async fn function_that_returns_no_token_is_an_invalid_argument() {
    let consumer = Consumer::new("dropbox");
    let values = [JsValue::UNDEFINED, JsValue::NULL, 5.into(), "".into(), "a\r\nx-evil: 1".into(), "\u{e9}".into()];
    for value in values {
        let (function, _) = tokens(move |_| Ok(value.clone()));
        let call = settle(api(&consumer, &function).create(&create(), &NONE)).await.unwrap_err();
        let running = Running::start(&file(10), &with(consumer.options(json!({})), "apiKey", &function));
        for failure in [call, running.failure().await] {
            assert_eq!(failure.code(), "invalid_argument");
            assert!(failure.message().contains("`apiKey`") && !failure.message().contains("evil"));
        }
    }
    assert_eq!(consumer.stats().await.log, []);
}

/// The page's function may use the session that asks for the token.
#[wasm_bindgen_test]
async fn function_that_aborts_the_upload_it_is_asked_for() {
    let consumer = Consumer::new("dropbox");
    let session: Rc<RefCell<Option<upload_session::UploadSession>>> = Rc::default();
    let handle = Rc::clone(&session);
    let (function, _) = tokens(move |call| {
        drop(handle.borrow().as_ref().unwrap().abort());
        numbered(call)
    });
    let options = with(consumer.options(json!({})), "apiKey", &function);
    let made = upload_session::UploadSession::new(&file(10), &options).map_err(Failure).unwrap();
    session.replace(Some(made));
    let promise = session.borrow().as_ref().unwrap().start();
    assert_eq!(settle(promise).await.unwrap_err().code(), "aborted");
    let aborted = session.borrow().as_ref().unwrap().abort();
    settle(aborted).await.unwrap();
    consumer.assert_nothing_left().await;
}
