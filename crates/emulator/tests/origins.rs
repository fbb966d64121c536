//! Who is answered: pages of every origin by the API, those of this machine alone by all the rest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Api, PART, bytes, fails, ok, start, start_with};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use upload_emulator::Config;

const FOREIGN: [&str; 6] = [
    "https://page.test",
    "null",
    "http://127.0.0.1.page.test",
    "http://localhost.page.test:8787",
    "http://page.test:127",
    "file://localhost",
];
const LOOPBACK: [&str; 4] = ["http://127.0.0.1:1", "http://localhost", "https://localhost:8443", "http://[::1]:8787"];
const REFUSED: &str = "RequestHeadersValidationError";

/// Sends, and checks that the answer is that of the guard and that no page may read it.
async fn refused(request: RequestBuilder) {
    let headers = request.try_clone().unwrap().send().await.unwrap().headers().clone();
    assert!(!headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{headers:?}");
    fails(request, 403, REFUSED, "other machines").await;
}

fn preflight(api: &Api, path: &str, origin: &str) -> RequestBuilder {
    let request = api.http.request(Method::OPTIONS, format!("{}{path}", api.base)).header("origin", origin);
    request.header("access-control-request-method", "POST")
}

#[tokio::test]
async fn the_api_allows_in_preflights_what_pages_ask_for() {
    let api = start("dropbox").await;
    let preflight = api
        .http
        .request(Method::OPTIONS, format!("{}/file-storage/upload-sessions/a?part_number=0", api.base))
        .header("origin", "http://page.test")
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "authorization,digest,x-apideck-app-id");
    let answer = preflight.send().await.unwrap();
    assert!(answer.status().is_success());
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_lowercase();
    assert_eq!(header("access-control-allow-origin"), "http://page.test");
    assert_eq!(header("access-control-allow-headers"), "authorization,digest,x-apideck-app-id");
    assert_eq!(header("access-control-max-age"), "600");
    for method in ["get", "post", "put", "delete"] {
        assert!(header("access-control-allow-methods").contains(method));
    }
    assert!(answer.headers().contains_key("request-id"));
    assert_eq!(api.stats().await["log"], json!([]), "preflights are no operations");
}

#[tokio::test]
async fn pages_of_any_origin_may_read_every_answer_of_the_api() {
    let api = start("dropbox").await;
    let id = api.create(1).await;
    api.fault("upload", json!({"kind": "status", "status": 503})).await;
    let direct = api.direct(r#"{"name":"a","parent_folder_id":"root"}"#, b"ab");
    for request in [api.get(&id), api.get("nothing"), api.put(&id, 0, b"a"), direct] {
        let answer = request.header("origin", "http://page.test").send().await.unwrap();
        assert_eq!(answer.headers()["access-control-allow-origin"], "http://page.test");
        assert_eq!(answer.headers()["access-control-allow-credentials"], "true");
        let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap();
        assert!(exposed.contains("request-id") && exposed.contains("retry-after"), "{exposed}");
        assert!(!answer.headers()["request-id"].is_empty());
    }
}

#[tokio::test]
async fn foreign_pages_cannot_read_the_control_api() {
    let api = start("dropbox").await;
    let id = api.upload(&bytes(10), PART).await;
    for origin in FOREIGN {
        for path in
            ["stats", "sessions", "files", "faults", "nothing", &format!("files/{id}"), &format!("files/{id}/info")]
        {
            refused(api.control(Method::GET, path).header("origin", origin)).await;
        }
        refused(preflight(&api, "/_emulator/files", origin)).await;
    }
}

#[tokio::test]
async fn foreign_pages_cannot_change_the_emulator() {
    let api = start("dropbox").await;
    api.upload(&bytes(10), PART).await;
    api.fault("get", json!({"kind": "expire"})).await;
    let rules = json!([{"operation": "upload", "fault": {"kind": "expire"}}]);
    for origin in FOREIGN {
        for request in [
            api.control(Method::POST, "reset"),
            api.control(Method::POST, "faults").body(rules.to_string()),
            api.control(Method::DELETE, "faults"),
            api.control(Method::POST, "settings").body(r#"{"part_size": 7}"#),
        ] {
            refused(request.header("origin", origin)).await;
        }
    }
    assert_eq!(ok(api.control(Method::GET, "files"), 200).await.as_array().unwrap().len(), 1);
    let faults = ok(api.control(Method::GET, "faults"), 200).await;
    assert_eq!((faults.as_array().unwrap().len(), &faults[0]["operation"]), (1, &json!("get")));
    assert_eq!(api.settings(json!({})).await["part_size"], PART);
}

#[tokio::test]
async fn pages_of_this_machine_use_the_control_api() {
    let api = start("dropbox").await;
    let file = bytes(10);
    let id = api.upload(&file, PART).await;
    for origin in LOOPBACK {
        let answer = preflight(&api, "/_emulator/settings", origin).send().await.unwrap();
        assert!(answer.status().is_success());
        assert_eq!(answer.headers()["access-control-allow-origin"], origin);
        let request = api.control(Method::POST, "settings").header("origin", origin).json(&json!({}));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["access-control-allow-origin"], origin);
        let answer = api.control(Method::GET, &format!("files/{id}")).header("origin", origin).send().await.unwrap();
        assert_eq!(answer.headers()["access-control-allow-origin"], origin);
        assert_eq!(answer.bytes().await.unwrap(), file);
    }
}

#[tokio::test]
async fn mounts_are_closed_to_foreign_pages() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.txt"), "a").unwrap();
    let mounts = ["/", "/files"].map(|path| format!("{path}={}", dir.path().display()).parse().unwrap());
    let api = start_with("dropbox", Config { mounts: mounts.to_vec(), ..Config::default() }).await;
    for path in ["/a.txt", "/files/a.txt"] {
        refused(api.request(Method::GET, path).header("origin", "https://page.test")).await;
        let answer = api.request(Method::GET, path).header("origin", LOOPBACK[0]).send().await.unwrap();
        assert_eq!(answer.headers()["access-control-allow-origin"], LOOPBACK[0]);
        assert_eq!(answer.text().await.unwrap(), "a");
    }
}

#[tokio::test]
async fn whatever_was_sent_to_another_hosts_name_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.txt"), "a").unwrap();
    let mounts = vec![format!("/={}", dir.path().display()).parse().unwrap()];
    let api = start_with("dropbox", Config { mounts, ..Config::default() }).await;
    let id = api.create(1).await;
    let session = format!("/file-storage/upload-sessions/{id}");
    let paths = [session.as_str(), "/_emulator/stats", "/a.txt", "/nothing"];
    for host in ["page.test", "page.test:8787", "127.0.0.1.page.test", "localhost.page.test", "0.0.0.0", "a b", ""] {
        for path in paths {
            fails(api.request(Method::GET, path).header("host", host), 421, REFUSED, "127.0.0.1").await;
        }
        let reset = api.control(Method::POST, "reset").header("host", host);
        fails(reset, 421, REFUSED, "127.0.0.1").await;
        // Once its name points here, a site asks as a page of the same origin.
        let own = api.control(Method::GET, "files").header("host", host).header("origin", LOOPBACK[0]);
        fails(own, 421, REFUSED, "127.0.0.1").await;
    }
    for host in ["127.0.0.1", "127.0.0.1:1", "localhost", "LocalHost:8787", "[::1]", "[::1]:8787"] {
        for path in &paths[..3] {
            let answer = api.request(Method::GET, path).header("host", host).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{host} {path}");
        }
    }
}
