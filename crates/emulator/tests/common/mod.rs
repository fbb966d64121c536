//! An emulator on a port of its own, and a client that sends what it is told to, right or wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code, unreachable_pub)]

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use upload_emulator::{Config, app, serve};

/// Part size of most tests.
pub const PART: usize = 1_000;
/// Part size of tests on box, whose sessions start at 20,000,000 bytes.
pub const BOX_PART: usize = 10_000_000;
/// Smallest file that box takes in a session.
pub const BOX_SIZE: usize = 20_000_000;

/// A caller of one emulator. Clones differ in what they send, not in where.
#[derive(Clone)]
pub struct Api {
    pub base: String,
    pub http: reqwest::Client,
    pub token: Option<String>,
    pub app_id: Option<String>,
    pub consumer_id: Option<String>,
    pub service_id: Option<String>,
}

/// Starts an emulator with parts of [`PART`] bytes, for callers of `service_id`.
pub async fn start(service_id: &str) -> Api {
    let part_size = if service_id == "box" { BOX_PART } else { PART };
    start_with(service_id, Config { part_size: Some(part_size as u64), ..Config::default() }).await
}

/// Starts an emulator.
pub async fn start_with(service_id: &str, config: Config) -> Api {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, app(&config).unwrap()));
    Api {
        base,
        // A connection each, so that what is cut is one request's and no pool sends anything again.
        http: reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap(),
        token: Some("key".to_owned()),
        app_id: Some("app".to_owned()),
        consumer_id: Some("consumer".to_owned()),
        service_id: Some(service_id.to_owned()),
    }
}

impl Api {
    pub fn consumer(&self, id: &str) -> Self {
        Self { consumer_id: Some(id.to_owned()), ..self.clone() }
    }

    pub fn service(&self, id: &str) -> Self {
        Self { service_id: Some(id.to_owned()), ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let headers = [
            ("x-apideck-app-id", &self.app_id),
            ("x-apideck-consumer-id", &self.consumer_id),
            ("x-apideck-service-id", &self.service_id),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request
    }

    pub fn create_with(&self, body: &Value) -> RequestBuilder {
        self.request(Method::POST, "/file-storage/upload-sessions").json(body)
    }

    /// Creates a session of so many bytes and gives its id.
    pub async fn create(&self, size: impl Into<Option<usize>>) -> String {
        let body = json!({"name": "a.bin", "parent_folder_id": "root", "size": size.into()});
        let answer = ok(self.create_with(&body), 201).await;
        answer["data"]["id"].as_str().unwrap().to_owned()
    }

    pub fn get(&self, id: &str) -> RequestBuilder {
        self.request(Method::GET, &format!("/file-storage/upload-sessions/{id}"))
    }

    pub fn delete(&self, id: &str) -> RequestBuilder {
        self.request(Method::DELETE, &format!("/file-storage/upload-sessions/{id}"))
    }

    /// Sends a part with its digest.
    pub fn put(&self, id: &str, part_number: usize, bytes: &[u8]) -> RequestBuilder {
        self.put_plain(id, part_number, bytes).header("digest", digest(bytes))
    }

    /// Sends a part without a digest.
    pub fn put_plain(&self, id: &str, part_number: usize, bytes: &[u8]) -> RequestBuilder {
        let path = format!("/file-storage/upload-sessions/{id}?part_number={part_number}");
        self.request(Method::PUT, &path).body(bytes.to_vec())
    }

    /// Finishes with the digest of the file.
    pub fn finish(&self, id: &str, file: &[u8]) -> RequestBuilder {
        self.finish_plain(id).header("digest", digest(file))
    }

    pub fn finish_plain(&self, id: &str) -> RequestBuilder {
        self.request(Method::POST, &format!("/file-storage/upload-sessions/{id}/finish"))
    }

    pub fn direct(&self, metadata: &str, bytes: &[u8]) -> RequestBuilder {
        let request = self.request(Method::POST, "/file-storage/files");
        request.header("x-apideck-metadata", metadata).body(bytes.to_vec())
    }

    /// Creates a session, sends every part, finishes, and gives the id of the file.
    pub async fn upload(&self, file: &[u8], part_size: usize) -> String {
        let id = self.create(file.len()).await;
        for (number, part) in file.chunks(part_size).enumerate() {
            ok(self.put(&id, number, part), 200).await;
        }
        let answer = ok(self.finish(&id, file), 201).await;
        answer["data"]["id"].as_str().unwrap().to_owned()
    }

    /// Calls the control API.
    pub fn control(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/_emulator/{path}", self.base))
    }

    pub async fn faults(&self, rules: Value) {
        ok(self.control(Method::POST, "faults").json(&rules), 200).await;
    }

    /// Scripts one fault of the next request of an operation.
    pub async fn fault(&self, operation: &str, fault: Value) {
        self.faults(json!([{"operation": operation, "fault": fault}])).await;
    }

    pub async fn settings(&self, settings: Value) -> Value {
        ok(self.control(Method::POST, "settings").json(&settings), 200).await
    }

    pub async fn stats(&self) -> Value {
        ok(self.control(Method::GET, "stats"), 200).await
    }

    /// Gives the last entry of the log.
    pub async fn last(&self) -> Value {
        self.stats().await["log"].as_array().unwrap().last().unwrap().clone()
    }

    /// Asks for the statistics until they fulfil a condition.
    pub async fn until(&self, condition: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..10_000 {
            let stats = self.stats().await;
            if condition(&stats) {
                return stats;
            }
            tokio::task::yield_now().await;
        }
        panic!("never came true: {}", self.stats().await);
    }

    /// Downloads a finished file.
    pub async fn file(&self, id: &str) -> Vec<u8> {
        let answer = self.control(Method::GET, &format!("files/{id}")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap().to_vec()
    }
}

/// Sends, and gives the JSON of an answer that must have this status.
pub async fn ok(request: RequestBuilder, status: u16) -> Value {
    let answer = request.send().await.unwrap();
    let (found, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(found, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Sends, and checks the error envelope and a phrase of its detail.
pub async fn fails(request: RequestBuilder, status: u16, type_name: &str, phrase: &str) {
    let answer = request.send().await.unwrap();
    assert!(answer.headers().contains_key("request-id"));
    assert_eq!(answer.headers()["content-type"], "application/json");
    let (found, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(found, status, "{text}");
    let error: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(error["status_code"], status);
    assert_eq!(error["error"], StatusCode::from_u16(status).unwrap().canonical_reason().unwrap());
    assert_eq!(error["type_name"], type_name);
    assert!(!error["message"].as_str().unwrap().is_empty());
    let link = format!("https://developers.apideck.com/errors#{}", type_name.to_lowercase());
    assert_eq!(error["ref"], link);
    let detail = error["detail"].as_str().unwrap();
    assert!(detail.contains(phrase), "`{phrase}` is not in: {detail}");
}

/// Sends, and checks that no answer comes.
pub async fn cut(request: RequestBuilder) {
    let result: reqwest::Result<Response> = request.send().await;
    assert!(result.is_err(), "an answer came: {result:?}");
}

/// Opens a connection and sends a request's head and the beginning of its body; the rest is up to the caller.
pub async fn begin(api: &Api, head: &str, length: usize, bytes: &[u8]) -> TcpStream {
    let head = format!(
        "{head} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer k\r\nx-apideck-app-id: app\r\n\
         x-apideck-consumer-id: consumer\r\nx-apideck-metadata: {{\"name\":\"a\",\"parent_folder_id\":\"root\"}}\r\n\
         content-length: {length}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(api.base.trim_start_matches("http://")).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Counts the sessions and direct uploads whose bytes lie in a directory that was given by `--dir`.
pub fn parts_in(dir: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut parts = entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("parts-"));
    std::fs::read_dir(parts.next().unwrap()).unwrap().count()
}

/// Counts the finished files in a directory that was given by `--dir`.
pub fn files_in(dir: &std::path::Path) -> usize {
    std::fs::read_dir(dir.join("files")).unwrap().count()
}

/// Gives bytes that look like none of each other's neighbours.
pub fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

pub fn hex(bytes: &[u8]) -> String {
    sha1(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn digest(bytes: &[u8]) -> String {
    format!("sha={}", STANDARD.encode(sha1(bytes)))
}
