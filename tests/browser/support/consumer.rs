//! One consumer of the emulator: its settings and faults, what it sent, and what is held for it.

use gloo_net::http::{Request, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use upload_storm::Evidence;
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use super::files::{assert_same, sha1};
use super::js::{js, settle, text};

pub(crate) const EMULATOR: &str = env!("UPLOAD_EMULATOR_URL");

/// One consumer, whom no other test knows.
pub(crate) struct Consumer {
    pub(crate) id: String,
    service: &'static str,
}

impl Consumer {
    /// Makes one whose storage is that connector.
    pub(crate) fn new(service: &'static str) -> Self {
        let id = format!("test-{:x}", js_sys::Math::random().to_bits());
        Self { id, service }
    }

    /// Makes one for whom the emulator behaves as the settings say.
    pub(crate) async fn with(service: &'static str, settings: Value) -> Self {
        let consumer = Self::new(service);
        consumer.set(settings).await;
        consumer
    }

    /// Changes how the emulator behaves.
    pub(crate) async fn set(&self, mut settings: Value) {
        settings["consumer_id"] = json!(self.id);
        post("/_emulator/settings", &settings).await;
    }

    /// Scripts faults that come one by one, each as often as it says.
    pub(crate) async fn script(&self, mut faults: Value) {
        for fault in faults.as_array_mut().unwrap() {
            fault["consumer_id"] = json!(self.id);
        }
        post("/_emulator/faults", &faults).await;
    }

    /// Scripts one fault of an operation, for so many times.
    pub(crate) async fn fail(&self, operation: &str, times: u32, fault: Value) {
        self.script(json!([{ "operation": operation, "times": times, "fault": fault }])).await;
    }

    /// Takes back the faults that did not happen yet.
    pub(crate) async fn clear_faults(&self) {
        send(Request::delete(&format!("{EMULATOR}{}", self.path("faults"))).build().unwrap()).await;
    }

    /// Returns the faults that were scripted and did not happen.
    pub(crate) async fn faults_left(&self) -> usize {
        self.list("faults").await.len()
    }

    /// Returns `ConnectionOptions` with these fields; null takes one off. Retries are fast.
    pub(crate) fn connection(&self, fields: Value) -> JsValue {
        let connection = json!({
            "serverUrl": EMULATOR,
            "apiKey": "test-api-key",
            "appId": "test-app",
            "consumerId": self.id,
            "serviceId": self.service,
            "retries": { "strategy": "backoff", "backoff": { "initialInterval": 5, "maxInterval": 50 } },
        });
        js(&merged(connection, fields))
    }

    /// Returns `UploadOptions` with these fields; null takes one off. Retries are fast; however small the file, it goes
    /// by session, and no record is kept.
    pub(crate) fn options(&self, mut fields: Value) -> JsValue {
        let all = fields.as_object_mut().unwrap();
        for (key, value) in [("parentFolderId", "root"), ("direct", "never"), ("store", "none")] {
            all.entry(key).or_insert(json!(value));
        }
        self.connection(fields)
    }

    /// Returns what the consumer sent.
    pub(crate) async fn stats(&self) -> Stats {
        serde_json::from_value(fetch(&self.path("stats")).await).unwrap()
    }

    /// Returns all that is known of the consumer, once every request has ended.
    pub(crate) async fn evidence(&self) -> Evidence {
        let mut stats = Value::Null;
        super::until("every request has ended", async || {
            stats = fetch(&self.path("stats")).await;
            let begun: u64 = stats["requests"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
            begun == stats["log"].as_array().unwrap().len() as u64
        })
        .await;
        let (files, sessions) = (fetch(&self.path("files")).await, fetch(&self.path("sessions")).await);
        Evidence::read(stats, files, sessions).unwrap()
    }

    /// Returns the sessions that are open.
    pub(crate) async fn sessions(&self) -> Vec<Value> {
        self.list("sessions").await
    }

    /// Returns the finished files.
    pub(crate) async fn files(&self) -> Vec<Value> {
        self.list("files").await
    }

    /// Asserts that the emulator's file is that one, by its SHA-1 and byte by byte; returns what it is said to be.
    pub(crate) async fn assert_holds(&self, uploaded: &JsValue, file: &Blob) -> Value {
        let id = text(uploaded, "id").unwrap();
        let info = fetch(&format!("/_emulator/files/{id}/info")).await;
        assert_eq!(info["consumer_id"], self.id.as_str());
        assert_eq!(info["size"], file.size());
        assert_eq!(info["sha1"], sha1(file).await);
        let held = send(Request::get(&format!("{EMULATOR}/_emulator/files/{id}")).build().unwrap()).await;
        let held = settle(web_sys::Response::from(held).blob().unwrap()).await.unwrap();
        assert_same(file, held.unchecked_ref::<Blob>()).await;
        info
    }

    /// Asserts that there is no session, no file, and nothing on its way.
    pub(crate) async fn assert_nothing_left(&self) {
        super::until("nothing is in flight", async || self.stats().await.uploads_in_flight == 0).await;
        assert_eq!(self.sessions().await, Vec::<Value>::new());
        assert_eq!(self.files().await, Vec::<Value>::new());
    }

    /// Drops the consumer's files, for large ones.
    pub(crate) async fn reset(&self) {
        send(Request::post(&format!("{EMULATOR}{}", self.path("reset"))).build().unwrap()).await;
    }

    fn path(&self, what: &str) -> String {
        format!("/_emulator/{what}?consumer_id={}", self.id)
    }

    async fn list(&self, what: &str) -> Vec<Value> {
        serde_json::from_value(fetch(&self.path(what)).await).unwrap()
    }
}

fn merged(mut object: Value, fields: Value) -> Value {
    let all: &mut Map<_, _> = object.as_object_mut().unwrap();
    for (key, value) in fields.as_object().unwrap() {
        match value {
            Value::Null => all.remove(key),
            value => all.insert(key.clone(), value.clone()),
        };
    }
    object
}

async fn fetch(path: &str) -> Value {
    let response = send(Request::get(&format!("{EMULATOR}{path}")).build().unwrap()).await;
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn post(path: &str, body: &Value) {
    send(Request::post(&format!("{EMULATOR}{path}")).body(body.to_string()).unwrap()).await;
}

async fn send(request: Request) -> Response {
    let url = request.url();
    let response = request.send().await.unwrap_or_else(|error| panic!("{url}: {error}"));
    assert!(response.ok(), "{url}: {} {}", response.status(), response.text().await.unwrap_or_default());
    response
}

/// What the emulator says was sent to it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Stats {
    pub(crate) requests: Requests,
    pub(crate) bytes_received: u64,
    pub(crate) uploads_in_flight: u64,
    pub(crate) peak_parallel_uploads: u64,
    pub(crate) parts_accepted: u64,
    /// Requests that have ended, by the time of their beginning.
    pub(crate) log: Vec<Entry>,
}

/// Requests that have begun.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
pub(crate) struct Requests {
    pub(crate) create: u32,
    pub(crate) get: u32,
    pub(crate) upload: u32,
    pub(crate) finish: u32,
    pub(crate) delete: u32,
    pub(crate) direct: u32,
}

/// One request that has ended.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Entry {
    pub(crate) at_ms: u64,
    pub(crate) end_ms: u64,
    pub(crate) operation: String,
    pub(crate) part_number: Option<u32>,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: u64,
    pub(crate) digest: Option<String>,
    pub(crate) digest_ok: Option<bool>,
    pub(crate) fault: Option<String>,
}

impl Stats {
    /// Returns the requests of an operation.
    pub(crate) fn of(&self, operation: &str) -> Vec<&Entry> {
        self.log.iter().filter(|entry| entry.operation == operation).collect()
    }

    /// Returns the attempts at a part.
    pub(crate) fn attempts(&self, part: u32) -> Vec<&Entry> {
        self.of("upload").into_iter().filter(|entry| entry.part_number == Some(part)).collect()
    }

    /// Returns the statuses of an operation's answers, 0 where there was none.
    pub(crate) fn statuses(&self, operation: &str) -> Vec<u16> {
        self.of(operation).iter().map(|entry| entry.status.unwrap_or(0)).collect()
    }
}
