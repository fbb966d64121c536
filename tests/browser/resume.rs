//! Going on where another session left off: from a store, and from a snapshot that the caller kept.

use js_sys::JSON;
use serde_json::{Value, json};
use upload_session::UploadSession;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::File;

use crate::support::{Consumer, Failure, MemoryStore, Running, eval, file, get, js, settle, text, until, with};

const SIZE: usize = 1_000_000;
const PART_SIZE: usize = 50_000;
const NONE: JsValue = JsValue::UNDEFINED;

/// An upload of 20 parts that was let go of in the middle: two parts are acknowledged, others were cut.
struct Dropped {
    consumer: Consumer,
    file: File,
    options: JsValue,
    snapshot: JsValue,
}

impl Dropped {
    /// Drops one that keeps its record in a store (none is the default).
    async fn with_store(service: &'static str, store: &JsValue) -> Self {
        let consumer = Consumer::with(service, json!({ "part_size": PART_SIZE })).await;
        let hang = json!({ "kind": "stall", "when": "before_body" });
        let hanging: Vec<_> =
            (2..6).map(|part| json!({ "operation": "upload", "part_number": part, "fault": hang })).collect();
        consumer.script(hanging.into()).await;
        let file = file(SIZE);
        let options = with(consumer.options(json!({})), "store", store);
        let running = Running::start(&file, &options);
        running.until_parts_done(2).await;
        until("parts hang", async || consumer.stats().await.uploads_in_flight > 0).await;
        let snapshot = running.session.snapshot();
        settle(running.free()).await.unwrap_err();
        until("nothing is in flight", async || consumer.stats().await.uploads_in_flight == 0).await;
        consumer.clear_faults().await;
        assert_eq!(consumer.sessions().await.len(), 1, "the session stays");
        Self { consumer, file, options, snapshot }
    }

    async fn resume(&self) -> UploadSession {
        let resumed = crate::support::stored(self.file.clone().into(), self.options.clone()).await;
        resumed.map_err(Failure).unwrap().expect("there is a record")
    }

    /// Asserts that the session goes on to the end, and sends nothing again that was acknowledged.
    async fn assert_goes_on(&self, session: UploadSession) -> Running {
        assert_eq!(session.state(), "idle");
        let running = Running::run(session);
        let uploaded = running.end().await.unwrap();
        self.consumer.assert_holds(&uploaded, &self.file).await;
        let stats = self.consumer.stats().await;
        assert_eq!((stats.requests.create, stats.requests.delete), (1, 0), "one session");
        for part in 0..2 {
            assert_eq!(stats.attempts(part).len(), 1, "part {part} was acknowledged");
        }
        let sent: u64 = stats.of("upload").iter().map(|entry| entry.bytes).sum();
        assert_eq!(sent, SIZE as u64, "every byte that was acknowledged was sent once");
        let [session] = &running.events("session")[..] else { panic!("the session is told once") };
        assert_eq!(get(session, "resumed"), true);
        running
    }
}

async fn resume_none(file: &File, options: &JsValue) {
    let resumed = crate::support::stored(file.clone().into(), options.clone()).await;
    assert!(resumed.map_err(Failure).unwrap().is_none());
}

#[wasm_bindgen_test]
async fn upload_that_was_dropped_goes_on_from_indexeddb() {
    for service in ["dropbox", "google-drive"] {
        for store in [JsValue::from("indexeddb"), NONE] {
            let dropped = Dropped::with_store(service, &store).await;
            let running = dropped.assert_goes_on(dropped.resume().await).await;
            assert_eq!(running.warnings(), Vec::<String>::new());
            resume_none(&dropped.file, &dropped.options).await;
        }
    }
}

#[wasm_bindgen_test]
async fn upload_that_was_dropped_goes_on_from_a_store_of_the_callers_own() {
    let store = MemoryStore::new(&NONE);
    let dropped = Dropped::with_store("dropbox", &store).await;
    assert_eq!(text(&store.last(), "sessionId").unwrap(), dropped.consumer.sessions().await[0]["id"]);
    dropped.assert_goes_on(dropped.resume().await).await;
    assert!(store.last().is_undefined(), "the record is gone with the upload");
}

#[wasm_bindgen_test]
async fn snapshot_goes_on_in_another_session() {
    let dropped = Dropped::with_store("dropbox", &MemoryStore::new(&NONE)).await;
    let json = JSON::stringify(&dropped.snapshot).unwrap().as_string().unwrap();
    assert!(json.len() < 2000, "{json}");
    for secret in ["test-api-key", dropped.consumer.id.as_str(), "report.bin"] {
        assert!(!json.contains(secret), "{secret}: {json}");
    }
    let options = dropped.consumer.options(json!({}));
    let kept = JSON::parse(&json).unwrap();
    let session = UploadSession::from_snapshot(&dropped.file, &kept, &options).map_err(Failure).unwrap();
    assert_eq!(session.id(), text(&kept, "sessionId"));
    assert!(!session.snapshot().is_undefined());
    dropped.assert_goes_on(session).await;
}

#[wasm_bindgen_test]
async fn snapshot_is_none_before_the_session_and_after_the_end() {
    let consumer = Consumer::new("dropbox");
    let session = UploadSession::new(&file(1000), &consumer.options(json!({}))).map_err(Failure).unwrap();
    assert!(session.snapshot().is_undefined());
    let running = Running::run(session);
    running.end().await.unwrap();
    assert!(running.session.snapshot().is_undefined());
}

#[wasm_bindgen_test]
async fn without_a_record_there_is_nothing_to_resume() {
    let consumer = Consumer::new("dropbox");
    for store in [JsValue::from("indexeddb"), "none".into(), MemoryStore::new(&NONE).into()] {
        resume_none(&file(1000), &with(consumer.options(json!({})), "store", store)).await;
    }
    assert_eq!(consumer.stats().await.log, []);
}

#[wasm_bindgen_test]
async fn record_of_another_file_or_target_is_not_found() {
    let dropped = Dropped::with_store("dropbox", &"indexeddb".into()).await;
    let (file, options) = (&dropped.file, &dropped.options);
    let date = get(file, "lastModified");
    let property = with(js(&json!({})), "lastModified", date);
    let copy = |bytes: &str| -> File {
        let make =
            js_sys::Function::new_with_args("file, options", &format!("return new File({bytes}, file.name, options)"));
        make.call2(&NONE, file, &property).unwrap().unchecked_into()
    };
    for bytes in ["[file.slice(0, 999999), 'a']", "['a', file.slice(1)]", "[file.slice(0, 999999)]"] {
        resume_none(&copy(bytes), options).await;
    }
    for (key, value) in
        [("parentFolderId", "other"), ("name", "other"), ("driveId", "d"), ("consumerId", "other"), ("digest", "none")]
    {
        let other = js_sys::Object::assign(&js_sys::Object::new(), options.unchecked_ref());
        resume_none(file, &with(other.into(), key, value)).await;
    }
    // The same bytes, name and date are the same file.
    let same = crate::support::stored(copy("[file]").into(), options.clone()).await.map_err(Failure).unwrap();
    settle(same.unwrap().abort()).await.unwrap();
    dropped.consumer.assert_nothing_left().await;
    resume_none(file, options).await;
}

#[wasm_bindgen_test]
async fn resume_rejects_what_is_off_but_for_the_store() {
    let consumer = Consumer::new("dropbox");
    let refuse = async |file: JsValue, options: JsValue| {
        let failure = Failure(crate::support::stored(file, options).await.err().unwrap());
        assert_eq!(failure.code(), "invalid_argument", "{failure:?}");
    };
    refuse(5.into(), consumer.options(json!({}))).await;
    refuse(file(10).into(), consumer.options(json!({ "concurrency": 0 }))).await;
    for store in [
        "({ get() { throw new Error('no') }, set() {}, delete() {} })",
        "({ get: async () => { throw 5 }, set() {}, delete() {} })",
        "({ get: async () => 'garbage', set() {}, delete() {} })",
        "({ get: () => ({ version: 1 }), set() {}, delete() {} })",
        "({ get: async () => ({ version: 2, sessionId: 's' }), set() {}, delete() {} })",
        "({ get: async () => { const a = {}; a.a = a; return a }, set() {}, delete() {} })",
        "({ get: async () => new Proxy({}, { get() { throw new Error('no') } }), set() {}, delete() {} })",
        "new Map()",
    ] {
        resume_none(&file(10), &with(consumer.options(json!({})), "store", eval(store))).await;
    }
}

#[wasm_bindgen_test]
async fn record_under_the_wrong_key_is_not_used() {
    let store = MemoryStore::new(&NONE);
    let dropped = Dropped::with_store("dropbox", &store).await;
    let wrong = MemoryStore::new(&store.last());
    resume_none(&file(SIZE + 1), &with(dropped.consumer.options(json!({})), "store", wrong)).await;
}

#[wasm_bindgen_test]
async fn snapshot_of_another_file_is_file_changed_and_of_another_target_refused() {
    let dropped = Dropped::with_store("dropbox", &MemoryStore::new(&NONE)).await;
    let before = dropped.consumer.stats().await;
    let start = async |file: &File, options: &JsValue| {
        let session = UploadSession::from_snapshot(file, &dropped.snapshot, options).map_err(Failure);
        match session {
            Ok(session) => settle(session.start()).await.unwrap_err().code(),
            Err(failure) => failure.code(),
        }
    };
    let options = dropped.consumer.options(json!({}));
    for other in [file(SIZE + 1), crate::support::named_file("report.bin", SIZE - 1)] {
        assert_eq!(start(&other, &options).await, "file_changed");
    }
    let elsewhere = dropped.consumer.options(json!({ "parentFolderId": "elsewhere" }));
    assert_eq!(start(&dropped.file, &elsewhere).await, "invalid_argument");
    assert_eq!(dropped.consumer.stats().await, before, "nothing is sent");
}

#[wasm_bindgen_test]
async fn snapshot_that_is_damaged_or_newer_is_refused_at_once() {
    let dropped = Dropped::with_store("dropbox", &MemoryStore::new(&NONE)).await;
    let json = JSON::stringify(&dropped.snapshot).unwrap().as_string().unwrap();
    let snapshot: Value = serde_json::from_str(&json).unwrap();
    let refuse = |value: &JsValue, what: &str| {
        let refused = UploadSession::from_snapshot(&dropped.file, value, &dropped.options);
        let failure = Failure(refused.err().unwrap_or_else(|| panic!("{what} was taken")));
        assert_eq!(failure.code(), "invalid_argument", "{what}");
        assert!(failure.message().contains("`snapshot`"), "{}", failure.message());
    };
    for value in [
        "undefined",
        "null",
        "5",
        "'text'",
        "[]",
        "{}",
        "1n",
        "Symbol('a')",
        "(() => { const a = {}; a.a = a; return a })()",
    ] {
        refuse(&eval(&format!("({value})")), value);
    }
    for field in snapshot.as_object().unwrap().keys() {
        for value in [json!(null), json!(-1), json!(""), json!([[9, 1]]), json!({ "a": 1 })] {
            let mut damaged = snapshot.clone();
            damaged[field] = value.clone();
            refuse(&js(&damaged), &format!("{field}: {value}"));
        }
    }
    let mut newer = snapshot;
    newer["version"] = json!(99);
    let failure = Failure(UploadSession::from_snapshot(&dropped.file, &js(&newer), &dropped.options).err().unwrap());
    assert!(failure.message().contains("newer"), "{}", failure.message());
}

#[wasm_bindgen_test]
async fn abort_of_a_session_that_was_resumed_and_not_started_deletes_it_and_its_record() {
    let store = MemoryStore::new(&NONE);
    let dropped = Dropped::with_store("dropbox", &store).await;
    settle(dropped.resume().await.abort()).await.unwrap();
    dropped.consumer.assert_nothing_left().await;
    assert!(store.last().is_undefined());
}

/// A page may let go of what it resumed at once: an effect that runs twice, a route that changes.
#[wasm_bindgen_test]
async fn session_that_was_resumed_and_dropped_at_once_is_left_to_be_resumed() {
    let store = MemoryStore::new(&NONE);
    let dropped = Dropped::with_store("dropbox", &store).await;
    let running = Running::run(dropped.resume().await);
    assert_eq!(settle(running.free()).await.unwrap_err().code(), "aborted");
    drop(dropped.resume().await);
    dropped.assert_goes_on(dropped.resume().await).await;
}

#[wasm_bindgen_test]
async fn signal_that_is_aborted_before_what_is_resumed_was_started_leaves_it() {
    let store = MemoryStore::new(&NONE);
    let dropped = Dropped::with_store("dropbox", &store).await;
    let signal =
        eval("(() => { const controller = new AbortController(); controller.abort(); return controller.signal; })()");
    let options = with(dropped.options.clone(), "signal", &signal);
    let resumed = crate::support::stored(dropped.file.clone().into(), options).await.map_err(Failure).unwrap();
    assert_eq!(Running::run(resumed.expect("there is a record")).failure().await.code(), "aborted");
    assert_eq!(dropped.consumer.sessions().await.len(), 1);
    assert!(!store.last().is_undefined());
}

#[wasm_bindgen_test]
async fn session_that_is_gone_on_resume_is_followed_by_a_fresh_one() {
    let store = MemoryStore::new(&NONE);
    let dropped = Dropped::with_store("dropbox", &store).await;
    let session = dropped.resume().await;
    dropped.consumer.fail("get", 1, json!({ "kind": "expire" })).await;
    let running = Running::run(session);
    let uploaded = running.end().await.unwrap();
    dropped.consumer.assert_holds(&uploaded, &dropped.file).await;
    let sessions = running.events("session");
    assert_eq!(get(sessions.last().unwrap(), "resumed"), false);
    assert_eq!(dropped.consumer.stats().await.requests.create, 2);
    assert!(store.last().is_undefined());
}

/// `new UploadSession` is a fresh start, whatever there is.
#[wasm_bindgen_test]
async fn fresh_session_replaces_the_record_of_an_older_one() {
    let store = MemoryStore::new(&NONE);
    let dropped = Dropped::with_store("dropbox", &store).await;
    let old = text(&store.last(), "sessionId");
    let running = Running::start(&dropped.file, &dropped.options);
    until("there is a record", async || text(&store.last(), "sessionId") != old).await;
    assert_eq!(text(&store.last(), "sessionId"), running.session.id());
    running.end().await.unwrap();
    assert_eq!(dropped.consumer.stats().await.requests.create, 2);
}

#[wasm_bindgen_test]
async fn free_without_a_store_leaves_no_session() {
    let consumer = Consumer::with("dropbox", json!({ "part_size": PART_SIZE, "rate": 400_000 })).await;
    let running = Running::start(&file(SIZE), &consumer.options(json!({ "store": "none" })));
    running.until_parts_done(1).await;
    settle(running.free()).await.unwrap_err();
    until("the session is gone", async || consumer.stats().await.statuses("delete") == [200]).await;
    consumer.assert_nothing_left().await;
}
