//! Scripted faults: each kind, and which requests it strikes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::ErrorKind;

use common::{Api, PART, bytes, cut, fails, ok, start};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

async fn left(api: &Api) -> Value {
    ok(api.control(Method::GET, "faults"), 200).await
}

async fn range(api: &Api, id: &str) -> Value {
    ok(api.get(id), 200).await["data"]["uploaded_byte_range"].clone()
}

#[tokio::test]
async fn a_status_comes_with_the_api_s_error_envelope() {
    let api = start("dropbox").await;
    let types = [
        (400, "RequestValidationError"),
        (401, "UnauthorizedError"),
        (402, "RequestLimitError"),
        (403, "ConnectorExecutionError"),
        (404, "EntityNotFoundError"),
        (422, "InvalidStateError"),
        (429, "ConnectorRateLimitError"),
        (500, "ConnectorExecutionError"),
        (503, "ConnectorExecutionError"),
    ];
    let id = api.create(1).await;
    for (status, type_name) in types {
        api.fault("get", json!({"kind": "status", "status": status})).await;
        fails(api.get(&id), status, type_name, "Scripted").await;
        assert_eq!(api.last().await["fault"], "status");
    }
    ok(api.get(&id), 200).await;
}

#[tokio::test]
async fn a_status_strikes_every_operation() {
    let api = start("dropbox").await;
    let id = api.create(1).await;
    let body = json!({"name": "a", "parent_folder_id": "root", "size": 1});
    let requests = [
        ("create", api.create_with(&body)),
        ("get", api.get(&id)),
        ("upload", api.put(&id, 0, b"a")),
        ("finish", api.finish(&id, b"a")),
        ("delete", api.delete(&id)),
        ("direct", api.direct("{}", b"a")),
    ];
    for (operation, request) in requests {
        api.fault(operation, json!({"kind": "status", "status": 503})).await;
        fails(request, 503, "ConnectorExecutionError", "Scripted").await;
        assert_eq!(api.last().await["operation"], operation);
    }
    assert_eq!(range(&api, &id).await, Value::Null, "nothing was done");
}

#[tokio::test]
async fn cuts_lost_answers_and_stalls_strike_every_operation() {
    let api = start("dropbox").await;
    let metadata = r#"{"name":"a","parent_folder_id":"root"}"#;
    let faults = [
        json!({"kind": "reset", "when": "before_body"}),
        json!({"kind": "reset", "when": "after_body"}),
        json!({"kind": "lost_answer"}),
        json!({"kind": "stall", "when": "before_body", "seconds": 0.01}),
        json!({"kind": "stall", "when": "after_body", "seconds": 0.01}),
    ];
    for fault in faults {
        for operation in ["create", "get", "upload", "finish", "delete", "direct"] {
            let id = api.create(1).await;
            if operation == "finish" {
                ok(api.put(&id, 0, b"a"), 200).await;
            }
            let body = json!({"name": "a", "parent_folder_id": "root", "size": 1});
            let request = match operation {
                "create" => api.create_with(&body),
                "get" => api.get(&id),
                "upload" => api.put(&id, 0, b"a"),
                "finish" => api.finish(&id, b"a"),
                "delete" => api.delete(&id),
                _ => api.direct(metadata, b"a"),
            };
            api.fault(operation, fault.clone()).await;
            let answer = request.send().await;
            assert_eq!(answer.is_ok(), fault["kind"] == "stall", "{operation}, {fault}: {answer:?}");
            let entry = api.last().await;
            assert_eq!((&entry["operation"], &entry["fault"]), (&json!(operation), &fault["kind"]), "{fault}");
        }
    }
}

#[tokio::test]
async fn a_corrupted_byte_breaks_the_digest_of_a_direct_upload() {
    let api = start("dropbox").await;
    api.fault("direct", json!({"kind": "corrupt_byte"})).await;
    let request = api.direct(r#"{"name":"a","parent_folder_id":"root"}"#, b"a").header("digest", common::digest(b"a"));
    fails(request, 422, "InvalidStateError", "digest").await;
}

#[tokio::test]
async fn a_status_brings_its_own_headers_and_body() {
    let api = start("dropbox").await;
    let bodies = [
        (json!("<html>502</html>"), "text/html; charset=utf-8", "<html>502</html>"),
        (json!("busy"), "text/plain; charset=utf-8", "busy"),
        (json!({"a": 1}), "application/json", r#"{"a":1}"#),
    ];
    for (body, content_type, text) in bodies {
        let headers = json!({"Retry-After": "2", "request-id": "mine"});
        api.fault("get", json!({"kind": "status", "status": 502, "headers": headers, "body": body})).await;
        let answer = api.get("any").send().await.unwrap();
        assert_eq!(answer.status(), 502);
        assert_eq!(answer.headers()["retry-after"], "2");
        assert_eq!(answer.headers()["request-id"], "mine");
        assert_eq!(answer.headers()["content-type"], content_type);
        assert_eq!(answer.text().await.unwrap(), text);
    }
}

#[tokio::test]
async fn a_status_may_come_before_the_body_is_read() {
    let api = start("dropbox").await;
    let id = api.create(PART).await;
    let status = |before_body| json!({"kind": "status", "status": 503, "before_body": before_body});
    api.fault("upload", status(true)).await;
    fails(api.put(&id, 0, &bytes(PART)), 503, "ConnectorExecutionError", "Scripted").await;
    assert_eq!(api.last().await["bytes"], 0);
    api.fault("upload", status(false)).await;
    fails(api.put(&id, 0, &bytes(PART)), 503, "ConnectorExecutionError", "Scripted").await;
    assert_eq!(api.last().await["bytes"], PART);
}

#[tokio::test]
async fn a_reset_leaves_nothing_behind() {
    let api = start("dropbox").await;
    let file = bytes(3_000_000);
    api.settings(json!({"part_size": file.len()})).await;
    let id = api.create(file.len()).await;
    for (when, at_least, at_most) in
        [("before_body", 0, 0), ("mid_body", 1, 2_999_999), ("after_body", 3_000_000, 3_000_000)]
    {
        api.fault("upload", json!({"kind": "reset", "when": when})).await;
        cut(api.put(&id, 0, &file)).await;
        let entry = api.last().await;
        let read = entry["bytes"].as_u64().unwrap();
        assert!((at_least..=at_most).contains(&read), "{when}: {read} bytes read");
        assert_eq!(entry["status"], Value::Null, "{when}");
        assert_eq!(entry["fault"], "reset");
        assert_eq!(range(&api, &id).await, Value::Null, "{when}");
    }
    ok(api.put(&id, 0, &file), 200).await;
    assert_eq!(api.stats().await["retries"], 3);
}

#[tokio::test]
async fn a_reset_is_one_on_the_wire() {
    let api = start("dropbox").await;
    api.fault("get", json!({"kind": "reset", "when": "after_body"})).await;
    let mut stream = TcpStream::connect(api.base.trim_start_matches("http://")).await.unwrap();
    stream.write_all(b"GET /file-storage/upload-sessions/a HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let error = stream.read_to_end(&mut answer).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(answer.is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_of_a_thing_done() {
    let api = start("dropbox").await;
    let file = bytes(PART);
    let id = api.create(file.len()).await;
    api.fault("upload", json!({"kind": "lost_answer"})).await;
    cut(api.put(&id, 0, &file)).await;
    assert_eq!(range(&api, &id).await, "0-999");
    api.fault("finish", json!({"kind": "lost_answer"})).await;
    cut(api.finish(&id, &file)).await;
    assert_eq!(ok(api.get(&id), 200).await["data"]["success"], true);
}

#[tokio::test]
async fn a_corrupted_byte_breaks_the_digest() {
    let api = start("dropbox").await;
    let file = bytes(PART);
    let id = api.create(file.len()).await;
    api.fault("upload", json!({"kind": "corrupt_byte"})).await;
    fails(api.put(&id, 0, &file), 422, "InvalidStateError", "digest").await;
    assert_eq!(range(&api, &id).await, Value::Null);
    // Without a digest nobody notices until the end.
    api.fault("upload", json!({"kind": "corrupt_byte"})).await;
    ok(api.put_plain(&id, 0, &file), 200).await;
    fails(api.finish(&id, &file), 422, "InvalidStateError", "digest").await;
    let answer = ok(api.finish_plain(&id), 201).await;
    let stored = api.file(answer["data"]["id"].as_str().unwrap()).await;
    let different = stored.iter().zip(&file).filter(|(a, b)| a != b).count();
    assert_eq!((stored.len(), different), (file.len(), 1));
}

#[tokio::test]
async fn an_expired_session_is_gone() {
    let api = start("dropbox").await;
    let id = api.create(2_500).await;
    api.faults(json!([{"operation": "upload", "part_number": 1, "fault": {"kind": "expire"}}])).await;
    ok(api.put(&id, 0, &bytes(PART)), 200).await;
    fails(api.put(&id, 1, &bytes(PART)), 404, "EntityNotFoundError", &id).await;
    fails(api.get(&id), 404, "EntityNotFoundError", &id).await;
}

#[tokio::test]
async fn a_stall_ends_when_the_client_goes_away() {
    let api = start("dropbox").await;
    // Few enough to fit into the kernel's buffers, the client's end behind them, and more than hyper reads ahead.
    let file = bytes(40_000);
    api.settings(json!({"part_size": file.len()})).await;
    let id = api.create(file.len()).await;
    for (when, held) in [("before_body", Value::Null), ("after_body", json!("0-39999"))] {
        let request = stalled(&api, when, api.put(&id, 0, &file)).await;
        if when == "after_body" {
            api.until(|stats| stats["parts_accepted"] == 1).await;
        }
        request.abort();
        api.until(|stats| stats["uploads_in_flight"] == 0).await;
        let entry = api.last().await;
        assert_eq!((&entry["status"], &entry["fault"]), (&Value::Null, &json!("stall")));
        assert_eq!(range(&api, &id).await, held, "{when}");
    }
}

#[tokio::test]
async fn a_stall_ends_when_the_client_moves_on() {
    let api = start("dropbox").await;
    // More than the buffers on the way take: the client's end cannot be seen behind it.
    let file = bytes(16_000_000);
    api.settings(json!({"part_size": file.len()})).await;
    let id = api.create(file.len()).await;
    let request = stalled(&api, "before_body", api.put(&id, 0, &file)).await;
    ok(api.put(&id, 0, &file), 200).await;
    api.until(|stats| stats["uploads_in_flight"] == 0).await;
    assert!(request.await.unwrap().is_err(), "tried again");

    let id = api.create(file.len()).await;
    let request = stalled(&api, "before_body", api.put(&id, 0, &file)).await;
    ok(api.delete(&id), 200).await;
    api.until(|stats| stats["uploads_in_flight"] == 0).await;
    assert!(request.await.unwrap().is_err(), "deleted");
}

/// Sends an upload into a stall.
async fn stalled(api: &Api, when: &str, request: RequestBuilder) -> JoinHandle<reqwest::Result<Response>> {
    api.fault("upload", json!({"kind": "stall", "when": when})).await;
    let request = tokio::spawn(request.send());
    api.until(|stats| stats["uploads_in_flight"] == 1).await;
    request
}

#[tokio::test]
async fn a_stall_may_end_by_itself() {
    let api = start("dropbox").await;
    let file = bytes(2 * PART);
    let id = api.create(file.len()).await;
    for (number, when) in ["before_body", "after_body"].into_iter().enumerate() {
        api.fault("upload", json!({"kind": "stall", "when": when, "seconds": 0.05})).await;
        ok(api.put(&id, number, &file[number * PART..][..PART]), 200).await;
        let entry = api.last().await;
        let took = entry["end_ms"].as_u64().unwrap() - entry["at_ms"].as_u64().unwrap();
        assert!(took >= 50, "{when}: {took} ms");
    }
}

#[tokio::test]
async fn stalled_parts_are_in_flight_together() {
    let api = start("dropbox").await;
    let id = api.create(4 * PART).await;
    api.faults(json!([{"operation": "upload", "times": 4, "fault": {"kind": "stall", "when": "before_body"}}])).await;
    let requests: Vec<_> = (0..4).map(|number| tokio::spawn(api.put(&id, number, &bytes(PART)).send())).collect();
    let stats = api.until(|stats| stats["uploads_in_flight"] == 4).await;
    assert_eq!(stats["peak_parallel_uploads"], 4);
    requests.iter().for_each(tokio::task::JoinHandle::abort);
    let stats = api.until(|stats| stats["uploads_in_flight"] == 0).await;
    assert_eq!(stats["peak_parallel_uploads"], 4);
}

#[tokio::test]
async fn faults_strike_what_they_name_in_order_and_as_often_as_told() {
    let api = start("dropbox").await;
    let id = api.create(3 * PART).await;
    let status = |status| json!({"kind": "status", "status": status});
    api.faults(json!([
        {"operation": "upload", "part_number": 1, "times": 2, "fault": status(503)},
        {"operation": "upload", "part_number": 1, "fault": status(429)},
        {"operation": "upload", "consumer_id": "another", "fault": status(500)},
    ]))
    .await;
    let part = bytes(PART);
    ok(api.put(&id, 0, &part), 200).await;
    for status in [503, 503, 429, 200] {
        assert_eq!(api.put(&id, 1, &part).send().await.unwrap().status(), status);
    }
    assert_eq!(left(&api).await.as_array().unwrap().len(), 1);
    let another = api.consumer("another");
    assert_eq!(another.put(&id, 0, &part).send().await.unwrap().status(), 500);
    assert_eq!(left(&api).await, json!([]));
}

#[tokio::test]
async fn faults_are_listed_and_cleared() {
    let api = start("dropbox").await;
    let rule = |consumer: &str| {
        json!({"operation": "get", "consumer_id": consumer, "times": 3,
            "fault": {"kind": "status", "status": 503, "before_body": false}})
    };
    api.faults(json!([rule("a"), rule("b")])).await;
    assert_eq!(left(&api).await, json!([rule("a"), rule("b")]));
    assert_eq!(ok(api.control(Method::GET, "faults?consumer_id=b"), 200).await, json!([rule("b")]));
    let clear = |path| api.control(Method::DELETE, path).send();
    assert_eq!(clear("faults?consumer_id=a").await.unwrap().status(), 204);
    assert_eq!(left(&api).await, json!([rule("b")]));
    assert_eq!(clear("faults").await.unwrap().status(), 204);
    assert_eq!(left(&api).await, json!([]));
}

#[tokio::test]
async fn faults_that_cannot_be_played_are_refused() {
    let api = start("dropbox").await;
    let get = |fault: Value| json!([{"operation": "get", "fault": fault}]);
    let wrong = [
        (json!({"operation": "get"}), "sequence"),
        (json!([{"operation": "put", "fault": {"kind": "expire"}}]), "put"),
        (get(json!({"kind": "flood"})), "flood"),
        (get(json!({"kind": "status"})), "status"),
        (get(json!({"kind": "status", "status": 100})), "200 to 599"),
        (get(json!({"kind": "status", "status": 600})), "200 to 599"),
        (get(json!({"kind": "status", "status": 503, "headers": {"a b": "c"}})), "a b"),
        (get(json!({"kind": "reset", "when": "never"})), "never"),
        (get(json!({"kind": "stall", "when": "before_body", "seconds": -1})), "seconds"),
        (get(json!({"kind": "expire", "how": 1})), "how"),
        (json!([{"operation": "get", "times": 0, "fault": {"kind": "expire"}}]), "times"),
        (json!([{"operation": "get", "part_number": 1, "fault": {"kind": "expire"}}]), "part_number"),
        (json!([{"operation": "get", "part": 1, "fault": {"kind": "expire"}}]), "part"),
    ];
    for (rules, phrase) in wrong {
        let request = api.control(Method::POST, "faults").json(&rules);
        fails(request, 400, "RequestValidationError", phrase).await;
    }
    assert_eq!(left(&api).await, json!([]));
}
