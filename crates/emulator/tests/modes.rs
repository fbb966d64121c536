//! What the flags change: discard, rate, parallel, mounts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{Api, PART, bytes, fails, files_in, hex, ok, parts_in, start, start_with};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;
use upload_emulator::Config;

fn discard() -> Config {
    Config { discard: true, part_size: Some(PART as u64), ..Config::default() }
}

async fn info(api: &Api, id: &str) -> Value {
    ok(api.control(Method::GET, &format!("files/{id}/info")), 200).await
}

#[tokio::test]
async fn discard_hashes_parts_in_order_and_drops_them() {
    for service in ["google-drive", "dropbox"] {
        let dir = tempfile::tempdir().unwrap();
        let api = start_with(service, Config { dir: Some(dir.path().to_owned()), ..discard() }).await;
        let file = bytes(2_500);
        let id = api.upload(&file, PART).await;
        let info = info(&api, &id).await;
        assert_eq!((&info["sha1"], &info["size"]), (&json!(hex(&file)), &json!(2_500)));
        fails(api.control(Method::GET, &format!("files/{id}")), 410, "EntityNotFoundError", "--discard").await;
        assert_eq!((parts_in(dir.path()), files_in(dir.path())), (0, 0));
    }
}

#[tokio::test]
async fn discard_checks_digests_as_far_as_it_can() {
    let api = start_with("dropbox", discard()).await;
    let file = bytes(2_500);
    let id = api.create(file.len()).await;
    let wrong = api.put_plain(&id, 0, &file[..PART]).header("digest", common::digest(b"other"));
    fails(wrong, 422, "InvalidStateError", "digest").await;
    for (number, part) in file.chunks(PART).enumerate() {
        ok(api.put(&id, number, part), 200).await;
    }
    fails(api.finish(&id, b"other"), 422, "InvalidStateError", "digest").await;
    ok(api.finish(&id, &file), 201).await;
}

#[tokio::test]
async fn discard_takes_the_word_for_a_file_whose_parts_came_out_of_order() {
    let api = start_with("dropbox", discard()).await;
    let file = bytes(2_500);
    let id = api.create(file.len()).await;
    for number in [1, 0, 2] {
        ok(api.put(&id, number, &file[number * PART..2_500.min((number + 1) * PART)]), 200).await;
    }
    let answer = ok(api.finish(&id, b"other"), 201).await;
    assert_eq!(api.last().await["digest_ok"], Value::Null);
    assert_eq!(info(&api, answer["data"]["id"].as_str().unwrap()).await["sha1"], Value::Null);
}

#[tokio::test]
async fn parallel_overrides_the_profiles() {
    for (service, parallel) in [("google-drive", true), ("dropbox", false)] {
        let config = Config { parallel: Some(parallel), part_size: Some(PART as u64), ..Config::default() };
        let api = start_with(service, config).await;
        let id = api.create(2_500).await;
        assert_eq!(ok(api.get(&id), 200).await["data"]["parallel_upload_supported"], parallel);
        let status = api.put(&id, 1, &bytes(PART)).send().await.unwrap().status();
        assert_eq!(status, if parallel { 200 } else { 422 });
    }
}

// Time is virtual in these tests: it passes at once wherever everybody waits.

#[tokio::test(start_paused = true)]
async fn a_rate_is_shared_by_all_connections() {
    let api = start_with("dropbox", Config { rate: Some(100_000), ..Config::default() }).await;
    api.settings(json!({"part_size": 500_000})).await;
    let id = api.create(1_000_000).await;
    let start = Instant::now();
    let part = bytes(500_000);
    let (a, b) = tokio::join!(api.put(&id, 0, &part).send(), api.put(&id, 1, &part).send());
    assert_eq!((a.unwrap().status().as_u16(), b.unwrap().status().as_u16()), (200, 200));
    assert!(start.elapsed() >= Duration::from_millis(9_900), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_rate_may_be_one_consumers_and_be_lifted() {
    let api = start("dropbox").await;
    api.settings(json!({"consumer_id": "slow", "rate": 10_000})).await;
    let took = async |api: &Api| {
        let start = Instant::now();
        api.upload(&bytes(50_000), PART).await;
        start.elapsed()
    };
    let slow = api.consumer("slow");
    let elapsed = took(&slow).await;
    assert!(elapsed >= Duration::from_millis(4_900), "{elapsed:?}");
    let elapsed = took(&api).await;
    assert!(elapsed < Duration::from_secs(1), "others are not paced: {elapsed:?}");
    api.settings(json!({"consumer_id": "slow", "rate": null})).await;
    let elapsed = took(&slow).await;
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_latency_keeps_every_request_waiting() {
    let api = start("dropbox").await;
    api.settings(json!({"consumer_id": "consumer", "latency_ms": 300})).await;
    let start = Instant::now();
    api.upload(&bytes(2 * PART), PART).await;
    assert!(start.elapsed() >= Duration::from_millis(4 * 300), "create, two parts, finish: {:?}", start.elapsed());
    let start = Instant::now();
    api.consumer("other").upload(&bytes(2 * PART), PART).await;
    assert!(start.elapsed() < Duration::from_millis(300), "others do not wait: {:?}", start.elapsed());
}

#[tokio::test]
async fn mounts_serve_files_with_their_types() {
    let dir = tempfile::tempdir().unwrap();
    let types = [
        ("index.html", "text/html"),
        ("a.js", "text/javascript"),
        ("a.wasm", "application/wasm"),
        ("a.css", "text/css"),
    ];
    for (name, _) in types {
        std::fs::write(dir.path().join(name), name).unwrap();
    }
    let mounts = ["/", "/demo/"].map(|path| format!("{path}={}", dir.path().display()).parse().unwrap());
    let api = start_with("dropbox", Config { mounts: mounts.to_vec(), ..Config::default() }).await;
    for (name, content_type) in types {
        for folder in ["", "/demo"] {
            let answer = api.request(Method::GET, &format!("{folder}/{name}")).send().await.unwrap();
            assert_eq!(answer.headers()["content-type"], content_type);
            assert_eq!(answer.headers()["cache-control"], "no-cache");
            assert_eq!(answer.text().await.unwrap(), name);
        }
    }
    for folder in ["/", "/demo/"] {
        let answer = api.request(Method::GET, folder).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "index.html");
    }
    for path in ["/nothing", "/demo/nothing", "/demo/../../etc/passwd"] {
        fails(api.request(Method::GET, path), 404, "EntityNotFoundError", "No such route").await;
    }
    ok(api.control(Method::GET, "stats"), 200).await;
}

#[test]
fn mounts_that_cannot_be_served_are_refused() {
    let dir = std::env::temp_dir();
    let wrong = [
        "demo".to_owned(),
        format!("demo={}", dir.display()),
        format!("/{{id}}={}", dir.display()),
        format!("/_emulator={}", dir.display()),
        format!("/file-storage/x={}", dir.display()),
        "/demo=/nowhere/at/all".to_owned(),
    ];
    for text in wrong {
        assert!(text.parse::<upload_emulator::Mount>().is_err(), "{text}");
    }
}
