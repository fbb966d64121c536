//! Parts: numbers, lengths, order, digests, repetition, parallelism.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::convert::Infallible;

use common::{BOX_PART, BOX_SIZE, PART, begin, bytes, digest, fails, ok, start, start_with};
use futures_util::stream;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use upload_emulator::Config;

const MAX_PART_SIZE: usize = 100 * 1024 * 1024;

#[tokio::test]
async fn an_upload_answers_with_the_session_and_moves_the_range() {
    let api = start("google-drive").await;
    let file = bytes(2_500);
    let id = api.create(file.len()).await;
    let answer = ok(api.put(&id, 0, &file[..PART]).query(&[("raw", "true")]), 200).await;
    assert_eq!(answer["data"], json!({"id": id}));
    assert_eq!(answer["_raw"]["uploaded_byte_range"], "0-999");
    ok(api.put(&id, 1, &file[PART..2 * PART]), 200).await;
    assert_eq!(ok(api.get(&id), 200).await["data"]["uploaded_byte_range"], "0-1999");
}

#[tokio::test]
async fn the_range_ends_at_the_first_gap() {
    let api = start("dropbox").await;
    let file = bytes(2_500);
    let id = api.create(file.len()).await;
    ok(api.put(&id, 2, &file[2 * PART..]), 200).await;
    assert_eq!(ok(api.get(&id), 200).await["data"].get("uploaded_byte_range"), None);
    ok(api.put(&id, 0, &file[..PART]), 200).await;
    assert_eq!(ok(api.get(&id), 200).await["data"]["uploaded_byte_range"], "0-999");
}

#[tokio::test]
async fn part_number_is_an_integer_within_the_file() {
    let api = start("dropbox").await;
    let id = api.create(2_500).await;
    let path = format!("/file-storage/upload-sessions/{id}");
    fails(api.request(Method::PUT, &path), 400, "RequestValidationError", "part_number").await;
    for number in ["-1", "1.5", "one", "10001", "", "99999999999"] {
        let request = api.request(Method::PUT, &path).query(&[("part_number", number)]);
        fails(request, 400, "RequestValidationError", "part_number").await;
    }
    let beyond = api.put(&id, 3, &bytes(PART));
    fails(beyond, 422, "InvalidStateError", "part_number 3").await;
}

#[tokio::test]
async fn part_ten_thousand_is_the_last() {
    let api = start_with("dropbox", Config { part_size: Some(1), ..Config::default() }).await;
    let id = api.create(10_002).await;
    ok(api.put(&id, 10_000, b"a"), 200).await;
    fails(api.put(&id, 10_001, b"a"), 400, "RequestValidationError", "10000").await;
}

#[tokio::test]
async fn every_part_has_its_exact_length() {
    let api = start("dropbox").await;
    let id = api.create(2_500).await;
    for (part_number, length) in [(0, PART - 1), (0, PART + 1), (0, 0), (2, 499), (2, 501), (2, PART)] {
        let phrase = format!("not {length}");
        fails(api.put(&id, part_number, &bytes(length)), 422, "InvalidStateError", &phrase).await;
    }
    ok(api.put(&id, 2, &bytes(500)), 200).await;
}

#[tokio::test]
async fn a_body_in_chunks_is_counted() {
    let api = start("dropbox").await;
    let id = api.create(2_500).await;
    let chunked = |length| {
        let path = format!("/file-storage/upload-sessions/{id}?part_number=0");
        let chunks: Vec<_> = bytes(length).chunks(100).map(|chunk| Ok::<_, Infallible>(chunk.to_vec())).collect();
        api.request(Method::PUT, &path).body(reqwest::Body::wrap_stream(stream::iter(chunks)))
    };
    fails(chunked(PART - 1), 422, "InvalidStateError", "not 999").await;
    fails(chunked(PART + 1), 422, "InvalidStateError", "more than 1000").await;
    ok(chunked(PART), 200).await;
}

#[tokio::test]
async fn a_part_above_the_limit_of_the_api_is_too_large() {
    let config = Config { part_size: Some(MAX_PART_SIZE as u64), ..Config::default() };
    let api = start_with("dropbox", config).await;
    let id = api.create(None).await;
    let body = vec![0; MAX_PART_SIZE + 1];
    fails(api.put_plain(&id, 0, &body), 413, "RequestValidationError", "104857600").await;
}

#[tokio::test]
async fn parts_of_an_unknown_size_end_with_a_short_one() {
    let api = start("dropbox").await;
    let file = bytes(2_500);
    let id = api.create(None).await;
    fails(api.put(&id, 0, b""), 422, "InvalidStateError", "1 to 1000").await;
    fails(api.put(&id, 0, &bytes(PART + 1)), 422, "InvalidStateError", "1 to 1000").await;
    ok(api.put(&id, 2, &file[2 * PART..]), 200).await;
    fails(api.put(&id, 3, &bytes(PART)), 422, "InvalidStateError", "beyond the last part").await;
    ok(api.put(&id, 0, &file[..PART]), 200).await;
    fails(api.finish(&id, &file), 422, "InvalidStateError", "part 1").await;
    ok(api.put(&id, 1, &file[PART..2 * PART]), 200).await;
    let answer = ok(api.finish(&id, &file), 201).await;
    assert_eq!(answer["data"]["size"], file.len());
    assert_eq!(api.file(answer["data"]["id"].as_str().unwrap()).await, file);
}

#[tokio::test]
async fn sequential_profiles_take_parts_in_order() {
    let api = start("google-drive").await;
    for service in ["google-drive", "onedrive", "sharepoint"] {
        let api = api.service(service);
        let id = api.create(2_500).await;
        fails(api.put(&id, 1, &bytes(PART)), 422, "InvalidStateError", "in order").await;
        ok(api.put(&id, 0, &bytes(PART)), 200).await;
        fails(api.put(&id, 2, &bytes(500)), 422, "InvalidStateError", "in order").await;
    }
}

#[tokio::test]
async fn a_part_sent_again_is_fine_with_the_same_bytes() {
    let api = start("google-drive").await;
    for service in ["google-drive", "onedrive", "sharepoint", "dropbox"] {
        let api = api.service(service);
        let file = bytes(2_500);
        let id = api.create(file.len()).await;
        ok(api.put(&id, 0, &file[..PART]), 200).await;
        ok(api.put(&id, 0, &file[..PART]), 200).await;
        let other = &file[PART..2 * PART];
        fails(api.put(&id, 0, other), 422, "InvalidStateError", "other bytes").await;
        for (number, part) in file.chunks(PART).enumerate().skip(1) {
            ok(api.put(&id, number, part), 200).await;
        }
        let answer = ok(api.finish(&id, &file), 201).await;
        assert_eq!(api.file(answer["data"]["id"].as_str().unwrap()).await, file);
    }
}

#[tokio::test]
async fn box_takes_a_part_once() {
    let api = start("box").await;
    let id = api.create(BOX_SIZE).await;
    let part = bytes(BOX_PART);
    ok(api.put(&id, 0, &part), 200).await;
    fails(api.put(&id, 0, &part), 409, "ConnectorExecutionError", "already").await;
}

#[tokio::test]
async fn box_requires_digests() {
    let api = start("box").await;
    let file = bytes(BOX_SIZE);
    let id = api.create(BOX_SIZE).await;
    fails(api.put_plain(&id, 0, &file[..BOX_PART]), 400, "RequestHeadersValidationError", "digest").await;
    fails(api.finish_plain(&id), 400, "RequestHeadersValidationError", "digest").await;
    ok(api.put(&id, 0, &file[..BOX_PART]), 200).await;
    ok(api.put(&id, 1, &file[BOX_PART..]), 200).await;
    ok(api.finish(&id, &file), 201).await;
}

#[tokio::test]
async fn a_digest_is_checked_wherever_it_is_sent() {
    let api = start("google-drive").await;
    let id = api.create(2_500).await;
    let part = bytes(PART);
    ok(api.put_plain(&id, 0, &part), 200).await;
    let wrong = api.put_plain(&id, 1, &part).header("digest", digest(b"other"));
    fails(wrong, 422, "InvalidStateError", "digest").await;
    assert_eq!(api.last().await["digest_ok"], false);
    let malformed = ["", "sha", "sha=", "sha=AAAA", "sha=!", "md5=AAAA", "sha-256=AAAA"];
    for value in malformed {
        let request = api.put_plain(&id, 1, &part).header("digest", value);
        fails(request, 400, "RequestHeadersValidationError", "digest").await;
    }
    let several = format!("md5=AAAA, SHA={}", &digest(&part)["sha=".len()..]);
    ok(api.put_plain(&id, 1, &part).header("digest", several), 200).await;
    assert_eq!(api.last().await["digest_ok"], true);
}

#[tokio::test]
async fn eight_parts_in_flight_make_one_file() {
    let api = start("dropbox").await;
    let file = bytes(64 * PART + 7);
    let id = api.create(file.len()).await;
    let parts: Vec<_> = file.chunks(PART).enumerate().collect();
    // Eight at a time, far from the order of the file.
    for group in 0..8 {
        let requests = parts.iter().skip(group).step_by(8).rev();
        let sent: Vec<_> = requests.map(|(number, part)| tokio::spawn(ok(api.put(&id, *number, part), 200))).collect();
        for answer in sent {
            answer.await.unwrap();
        }
    }
    let answer = ok(api.finish(&id, &file), 201).await;
    assert_eq!(api.file(answer["data"]["id"].as_str().unwrap()).await, file);
}

#[tokio::test]
async fn a_part_that_was_cut_is_not_held() {
    let api = start("google-drive").await;
    let file = bytes(2_500);
    let id = api.create(file.len()).await;
    let head = format!("PUT /file-storage/upload-sessions/{id}?part_number=0");
    let stream = begin(&api, &head, PART, &[0xff; 400]).await;
    api.until(|stats| stats["bytes_received"].as_u64() >= Some(400)).await;
    drop(stream);
    let stats = api.until(|stats| stats["log"].as_array().unwrap().len() == 2).await;
    assert_eq!(stats["log"][1]["status"], Value::Null);
    assert_eq!(stats["log"][1]["bytes"], 400);
    assert_eq!(stats["uploads_in_flight"], 0);
    assert_eq!(ok(api.get(&id), 200).await["data"].get("uploaded_byte_range"), None);
    for (number, part) in file.chunks(PART).enumerate() {
        ok(api.put(&id, number, part), 200).await;
    }
    let answer = ok(api.finish(&id, &file), 201).await;
    assert_eq!(api.file(answer["data"]["id"].as_str().unwrap()).await, file);
}

#[tokio::test]
async fn a_second_attempt_waits_for_the_first() {
    let api = start("dropbox").await;
    let file = bytes(2_500);
    let id = api.create(file.len()).await;
    let head = format!("PUT /file-storage/upload-sessions/{id}?part_number=0");
    let mut first = begin(&api, &head, PART, &file[..500]).await;
    api.until(|stats| stats["bytes_received"].as_u64() >= Some(500)).await;
    let other = api.put(&id, 0, &file[PART..2 * PART]);
    let second = tokio::spawn(async move { fails(other, 422, "InvalidStateError", "other bytes").await });
    api.until(|stats| stats["uploads_in_flight"] == 2).await;
    // Time for the second to come through, if it did not wait.
    for _ in 0..20 {
        assert_eq!(api.stats().await["parts_accepted"], 0);
    }
    first.write_all(&file[500..PART]).await.unwrap();
    second.await.unwrap();
    let stats = api.stats().await;
    assert_eq!((&stats["parts_accepted"], &stats["retries"]), (&json!(1), &json!(1)));
    for (number, part) in file.chunks(PART).enumerate() {
        ok(api.put(&id, number, part), 200).await;
    }
    ok(api.finish(&id, &file), 201).await;
}
