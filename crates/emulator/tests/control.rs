//! The control API: settings, statistics, sessions, files, reset.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Api, PART, bytes, cut, digest, fails, hex, ok, start};
use reqwest::Method;
use serde_json::{Value, json};

async fn listed(api: &Api, path: &str) -> Value {
    ok(api.control(Method::GET, path), 200).await
}

async fn reset(api: &Api, path: &str) {
    assert_eq!(api.control(Method::POST, path).send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn settings_count_for_new_sessions_of_whom_they_name() {
    let api = start("dropbox").await;
    let shape = async |api: &Api| {
        let id = api.create(100).await;
        let data = ok(api.get(&id), 200).await["data"].clone();
        (data["part_size"].as_u64().unwrap(), data["parallel_upload_supported"].as_bool().unwrap())
    };
    let own = json!({"consumer_id": "a", "part_size": 7, "parallel": false});
    let effective = api.settings(own).await;
    assert_eq!(
        effective,
        json!({"part_size": 7, "parallel": false, "finish_accepted_times": null, "rate": null,
            "session_minimum": null, "max_parallel_uploads": null, "retry_after": null, "latency_ms": null, "unreachable": null,
            "expires_at": null})
    );
    assert_eq!(shape(&api.consumer("a")).await, (7, false));
    assert_eq!(shape(&api.consumer("b")).await, (PART as u64, true));
    // Everybody's count where a consumer has none of their own, and above the command line's.
    api.settings(json!({"part_size": 8})).await;
    assert_eq!(shape(&api.consumer("a")).await, (7, false));
    assert_eq!(shape(&api.consumer("b")).await, (8, true));
    // Null resets, what is absent stays.
    api.settings(json!({"consumer_id": "a", "part_size": null})).await;
    assert_eq!(shape(&api.consumer("a")).await, (8, false));
    api.settings(json!({"part_size": null})).await;
    assert_eq!(shape(&api.consumer("b")).await, (PART as u64, true));
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let api = start("dropbox").await;
    let wrong = [
        (json!({"part_size": 0}), "part_size"),
        (json!({"part_size": 104_857_601}), "part_size"),
        (json!({"part_size": "8"}), "invalid type"),
        (json!({"rate": 0}), "rate"),
        (json!({"latency_ms": -1}), "invalid value"),
        (json!({"expires_at": "tomorrow"}), "tomorrow"),
        (json!({"speed": 1}), "speed"),
    ];
    for (settings, phrase) in wrong {
        let request = api.control(Method::POST, "settings").json(&settings);
        fails(request, 400, "RequestValidationError", phrase).await;
    }
}

#[tokio::test]
async fn too_many_uploads_in_flight_are_told_to_wait() {
    let api = start("dropbox").await;
    api.settings(json!({"consumer_id": "consumer", "max_parallel_uploads": 1})).await;
    let id = api.create(3 * PART).await;
    let part = bytes(PART);
    api.fault("upload", json!({"kind": "stall", "when": "before_body"})).await;
    let stalled = tokio::spawn(api.put(&id, 0, &part).send());
    api.until(|stats| stats["uploads_in_flight"] == 1).await;
    let answer = api.put(&id, 1, &part).send().await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "1");
    fails(api.put(&id, 1, &part), 429, "ConnectorRateLimitError", "1 uploads").await;
    api.settings(json!({"consumer_id": "consumer", "retry_after": 0})).await;
    let answer = api.put(&id, 1, &part).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("retry-after")), (429, None));
    // Others are not concerned.
    let other = api.consumer("other");
    let others = other.create(3 * PART).await;
    ok(other.put(&others, 0, &part), 200).await;
    stalled.abort();
    api.until(|stats| stats["uploads_in_flight"] == 0).await;
    ok(api.put(&id, 1, &part), 200).await;
}

#[tokio::test]
async fn a_session_may_begin_below_the_connector_s_minimum() {
    let api = start("box").await;
    let body = json!({"name": "a", "parent_folder_id": "root", "size": 1});
    fails(api.create_with(&body), 400, "RequestValidationError", "20000000").await;
    api.settings(json!({"session_minimum": 2})).await;
    fails(api.create_with(&body), 400, "RequestValidationError", "at least 2").await;
    api.settings(json!({"session_minimum": 0})).await;
    ok(api.create_with(&body), 201).await;
}

#[tokio::test]
async fn uploads_that_are_refused_take_no_place() {
    let api = start("dropbox").await;
    let part = bytes(PART);
    let id = api.create(4 * PART).await;
    api.settings(json!({"max_parallel_uploads": 1})).await;
    let stall = |number| json!({"operation": "upload", "part_number": number, "fault": {"kind": "stall", "when": "after_body"}});
    // The second is refused, and its refusal held back; the third comes when the first has gone.
    api.faults(json!([stall(0), stall(1)])).await;
    let first = tokio::spawn(api.put(&id, 0, &part).send());
    api.until(|stats| stats["parts_accepted"] == 1).await;
    let second = tokio::spawn(api.put(&id, 1, &part).send());
    api.until(|stats| stats["uploads_in_flight"] == 2).await;
    first.abort();
    api.until(|stats| stats["uploads_in_flight"] == 1).await;
    ok(api.put(&id, 2, &part), 200).await;
    second.abort();
    let stats = api.until(|stats| stats["uploads_in_flight"] == 0).await;
    assert_eq!(stats["parts_accepted"], 2);
}

#[tokio::test]
async fn an_unreachable_emulator_cuts_requests_under_way_and_those_that_come() {
    let api = start("dropbox").await;
    let (a, b) = (api.consumer("a"), api.consumer("b"));
    let id = a.create(2 * PART).await;
    a.fault("upload", json!({"kind": "stall", "when": "after_body"})).await;
    let stalled = tokio::spawn(a.put(&id, 0, &bytes(PART)).send());
    api.until(|stats| stats["parts_accepted"] == 1).await;
    a.fault("get", json!({"kind": "status", "status": 503})).await;

    api.settings(json!({"consumer_id": "a", "unreachable": true})).await;
    assert!(stalled.await.unwrap().is_err(), "under way");
    cut(a.get(&id)).await;
    cut(a.put(&id, 1, &bytes(PART))).await;
    cut(a.direct("{}", b"a")).await;
    assert_eq!(api.last().await["status"], Value::Null);
    // Others are not concerned, and faults are kept for requests that come through.
    b.create(1).await;
    api.settings(json!({"unreachable": true})).await;
    cut(b.get("any")).await;

    api.settings(json!({"unreachable": false})).await;
    api.settings(json!({"consumer_id": "a", "unreachable": null})).await;
    assert_eq!(a.get(&id).send().await.unwrap().status(), 503);
    assert_eq!(ok(a.get(&id), 200).await["data"]["uploaded_byte_range"], "0-999");
}

#[tokio::test]
async fn expires_at_may_lack_its_zone_or_lie_in_the_past() {
    let api = start("dropbox").await;
    let id = api.create(1).await;
    let told = async |setting: Value| {
        api.settings(json!({"consumer_id": "consumer", "expires_at": setting})).await;
        ok(api.get(&id), 200).await["data"]["expires_at"].as_str().unwrap().to_owned()
    };
    let truth = told(Value::Null).await;
    assert!(truth.ends_with('Z'), "{truth}");
    assert_eq!(told(json!("true")).await, truth);
    assert_eq!(format!("{}Z", told(json!("without_zone")).await), truth);
    let past: jiff::Timestamp = told(json!("past")).await.parse().unwrap();
    assert!(past < jiff::Timestamp::now());
    ok(api.put(&id, 0, b"a"), 200).await;
}

#[tokio::test]
async fn stats_tell_what_became_of_each_part() {
    let api = start("dropbox").await;
    let part = bytes(PART);
    let id = api.create(2 * PART).await;
    api.faults(json!([
        {"operation": "upload", "part_number": 0, "fault": {"kind": "status", "status": 200}},
        {"operation": "upload", "part_number": 0, "fault": {"kind": "lost_answer"}},
    ]))
    .await;
    ok(api.put(&id, 0, &part), 200).await;
    cut(api.put(&id, 0, &part)).await;
    ok(api.put(&id, 0, &part), 200).await;
    ok(api.put(&id, 0, &part), 200).await;
    ok(api.put(&id, 1, &part), 200).await;
    let of = |number: u64, attempts: u64, acknowledged: u64| {
        json!({"session_id": id, "part_number": number, "attempts": attempts, "acknowledged": acknowledged,
            "bytes": attempts * PART as u64})
    };
    assert_eq!(api.stats().await["parts"], json!([of(0, 4, 2), of(1, 1, 1)]));
}

#[tokio::test]
async fn stats_count_and_log_every_request() {
    let api = start("dropbox").await;
    let file = bytes(PART + 10);
    let id = api.create(file.len()).await;
    api.fault("upload", json!({"kind": "status", "status": 503})).await;
    assert_eq!(api.put(&id, 0, &file[..PART]).send().await.unwrap().status(), 503);
    ok(api.put(&id, 0, &file[..PART]), 200).await;
    ok(api.put_plain(&id, 1, &file[PART..]), 200).await;
    ok(api.get(&id), 200).await;
    ok(api.finish(&id, &file), 201).await;
    ok(api.direct(r#"{"name":"a","parent_folder_id":"root"}"#, b"ab"), 201).await;
    let unfinished = api.create(5).await;
    let dropped = api.create(5).await;
    ok(api.delete(&dropped), 200).await;

    let stats = api.stats().await;
    let requests = json!({"create": 3, "get": 1, "upload": 3, "finish": 1, "delete": 1, "direct": 1});
    assert_eq!(stats["requests"], requests);
    assert_eq!(stats["retries"], 1);
    assert_eq!(stats["parts_accepted"], 2);
    assert_eq!(stats["uploads_in_flight"], 0);
    assert_eq!(stats["peak_parallel_uploads"], 1);
    assert_eq!(stats["sessions_open"], 1);
    let log = stats["log"].as_array().unwrap();
    assert_eq!(log.len(), 10);
    let bytes: u64 = log.iter().map(|entry| entry["bytes"].as_u64().unwrap()).sum();
    assert_eq!(stats["bytes_received"], bytes);
    let mut retried = log[2].clone();
    let times = ["at_ms", "end_ms"].map(|name| retried.as_object_mut().unwrap().remove(name).unwrap());
    assert!(times[0].as_u64() <= times[1].as_u64());
    assert_eq!(
        retried,
        json!({"operation": "upload", "consumer_id": "consumer", "session_id": id, "part_number": 0, "status": 200,
            "bytes": PART, "digest": digest(&file[..PART]), "digest_ok": true})
    );
    assert_eq!((&log[1]["status"], &log[1]["fault"]), (&json!(503), &json!("status")));
    assert_eq!((&log[3]["digest"], &log[3]["digest_ok"]), (&Value::Null, &Value::Null));
    let sessions = listed(&api, "sessions").await;
    assert_eq!(
        sessions,
        json!([{"id": unfinished, "name": "a.bin", "size": 5, "service": "dropbox", "parts_held": 0}])
    );
}

#[tokio::test]
async fn nothing_tells_the_credentials() {
    let api = Api { token: Some("top-secret".to_owned()), ..start("dropbox").await };
    let id = api.create(1).await;
    ok(api.get(&id).query(&[("raw", "true")]), 200).await;
    for path in ["stats", "sessions", "files", "faults"] {
        let text = api.control(Method::GET, path).send().await.unwrap().text().await.unwrap();
        assert!(!text.contains("top-secret"), "{path}: {text}");
    }
}

#[tokio::test]
async fn consumers_have_statistics_of_their_own() {
    let api = start("dropbox").await;
    let (a, b) = (api.consumer("a"), api.consumer("b"));
    a.upload(&bytes(10), PART).await;
    b.create(10).await;
    let creates = async |path: &str| listed(&api, path).await["requests"]["create"].clone();
    assert_eq!(creates("stats?consumer_id=a").await, 1);
    assert_eq!(creates("stats?consumer_id=nobody").await, 0);
    assert_eq!(creates("stats").await, 2);
    assert_eq!(listed(&api, "stats?consumer_id=a").await["sessions_open"], 0);
    assert_eq!(listed(&api, "sessions?consumer_id=b").await.as_array().unwrap().len(), 1);
    assert_eq!(listed(&api, "sessions?consumer_id=a").await, json!([]));
    assert_eq!(listed(&api, "files?consumer_id=a").await.as_array().unwrap().len(), 1);
    assert_eq!(listed(&api, "files?consumer_id=b").await, json!([]));
}

#[tokio::test]
async fn reset_forgets_one_consumer_or_everything() {
    let api = start("dropbox").await;
    let (a, b) = (api.consumer("a"), api.consumer("b"));
    let mut sessions = Vec::new();
    for caller in [&a, &b] {
        let consumer = caller.consumer_id.as_deref().unwrap();
        caller.upload(&bytes(10), PART).await;
        sessions.push(caller.create(10).await);
        caller.settings(json!({"consumer_id": consumer, "part_size": 3})).await;
        caller.faults(json!([{"operation": "get", "consumer_id": consumer, "fault": {"kind": "expire"}}])).await;
    }
    reset(&api, "reset?consumer_id=a").await;
    fails(a.get(&sessions[0]), 404, "EntityNotFoundError", &sessions[0]).await;
    assert_eq!(listed(&api, "files").await.as_array().unwrap().len(), 1);
    assert_eq!(listed(&api, "faults").await[0]["consumer_id"], "b");
    let stats = listed(&api, "stats?consumer_id=a").await;
    assert_eq!((&stats["requests"]["create"], &stats["requests"]["get"]), (&json!(0), &json!(1)));
    let id = a.create(10).await;
    assert_eq!(ok(a.get(&id), 200).await["data"]["part_size"], PART);
    api.settings(json!({"part_size": 9})).await;

    reset(&api, "reset").await;
    for path in ["sessions", "files", "faults"] {
        assert_eq!(listed(&api, path).await, json!([]), "{path}");
    }
    let stats = api.stats().await;
    assert_eq!((&stats["log"], &stats["peak_parallel_uploads"]), (&json!([]), &json!(0)));
    let id = b.create(10).await;
    assert_eq!(ok(b.get(&id), 200).await["data"]["part_size"], PART, "all settings are gone");
}

#[tokio::test]
async fn files_are_described_and_given_back() {
    let api = start("dropbox").await;
    let file = bytes(2_500);
    let body = json!({"name": "grüße 1.txt", "parent_folder_id": "42", "size": file.len()});
    let id = ok(api.create_with(&body), 201).await["data"]["id"].as_str().unwrap().to_owned();
    for (number, part) in file.chunks(PART).enumerate() {
        ok(api.put(&id, number, part), 200).await;
    }
    let id = ok(api.finish(&id, &file), 201).await["data"]["id"].as_str().unwrap().to_owned();

    let info = listed(&api, &format!("files/{id}/info")).await;
    assert_eq!(listed(&api, "files").await, json!([info]));
    assert_eq!(info["name"], "grüße 1.txt");
    assert_eq!(info["size"], file.len());
    assert_eq!(info["sha1"], hex(&file));
    assert_eq!(info["parent_folder_id"], "42");
    let answer = api.control(Method::GET, &format!("files/{id}")).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("digest"), digest(&file));
    assert_eq!(header("content-type"), "text/plain");
    assert_eq!(header("content-length"), "2500");
    assert_eq!(header("content-disposition"), "attachment; filename*=UTF-8''gr%C3%BC%C3%9Fe%201%2Etxt");
    assert_eq!(answer.bytes().await.unwrap(), file);
    for path in ["files/nothing", "files/nothing/info"] {
        fails(api.control(Method::GET, path), 404, "EntityNotFoundError", "nothing").await;
    }
}
