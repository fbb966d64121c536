//! Finish and direct uploads: completeness, digests, the file that comes out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{BOX_PART, BOX_SIZE, PART, begin, bytes, digest, fails, files_in, hex, ok, parts_in, start, start_with};
use reqwest::Method;
use serde_json::json;
use upload_emulator::Config;

#[tokio::test]
async fn finish_gives_the_file() {
    let api = start("google-drive").await;
    let file = bytes(2_500);
    let id = api.create(file.len()).await;
    for (number, part) in file.chunks(PART).enumerate() {
        ok(api.put(&id, number, part), 200).await;
    }
    let answer = ok(api.finish(&id, &file), 201).await;
    assert_eq!(answer["operation"], "finish");
    let data = &answer["data"];
    assert_eq!(data["name"], "a.bin");
    assert_eq!(data["type"], "file");
    assert_eq!(data["mime_type"], "application/octet-stream");
    assert_eq!(data["size"], 2_500);
    assert_eq!(data["parent_folders"], json!([{"id": "root"}]));
    assert_eq!(api.file(data["id"].as_str().unwrap()).await, file);
    assert_eq!(api.last().await["digest_ok"], true);
}

#[tokio::test]
async fn every_size_around_a_part_is_exact() {
    let api = start("dropbox").await;
    for size in [1, PART - 1, PART, PART + 1, 3 * PART, 7_919] {
        let file = bytes(size);
        let id = api.upload(&file, PART).await;
        assert_eq!(api.file(&id).await, file, "{size} bytes");
    }
}

#[tokio::test]
async fn an_empty_file_is_finished_without_parts() {
    let api = start("google-drive").await;
    assert!(api.file(&api.upload(b"", PART).await).await.is_empty());
    let id = api.create(0).await;
    fails(api.put(&id, 0, b""), 422, "InvalidStateError", "beyond the end").await;
}

#[tokio::test]
async fn finish_wants_every_part_and_names_the_first_missing() {
    let api = start("dropbox").await;
    let file = bytes(2_500);
    let id = api.create(file.len()).await;
    fails(api.finish(&id, &file), 422, "InvalidStateError", "part 0 is missing").await;
    ok(api.put(&id, 0, &file[..PART]), 200).await;
    ok(api.put(&id, 2, &file[2 * PART..]), 200).await;
    fails(api.finish(&id, &file), 422, "InvalidStateError", "part 1 is missing").await;
}

#[tokio::test]
async fn finish_checks_the_digest_of_the_whole_file() {
    let api = start("google-drive").await;
    let file = bytes(500);
    let id = api.create(file.len()).await;
    ok(api.put(&id, 0, &file), 200).await;
    fails(api.finish(&id, b"other"), 422, "InvalidStateError", "digest").await;
    assert_eq!(api.last().await["digest_ok"], false);
    ok(api.finish(&id, &file), 201).await;
}

#[tokio::test]
async fn finish_takes_no_body_or_an_empty_object() {
    let api = start("google-drive").await;
    let file = bytes(500);
    let id = api.create(file.len()).await;
    ok(api.put(&id, 0, &file), 200).await;
    let wrong = api.finish(&id, &file).json(&json!({"digest": "a"}));
    fails(wrong, 400, "RequestValidationError", "digest").await;
    ok(api.finish(&id, &file).json(&json!({})), 201).await;
}

#[tokio::test]
async fn a_finished_session_tells_so_and_takes_nothing_more() {
    let api = start("google-drive").await;
    let file = bytes(500);
    let id = api.create(file.len()).await;
    ok(api.put(&id, 0, &file), 200).await;
    ok(api.finish(&id, &file), 201).await;
    let data = &ok(api.get(&id), 200).await["data"];
    assert_eq!(data["success"], true);
    assert_eq!(data["uploaded_byte_range"], "0-499");
    for request in [api.finish(&id, &file), api.put(&id, 0, &file), api.delete(&id)] {
        fails(request, 409, "ConnectorExecutionError", "is finished").await;
    }
    let files = ok(api.control(Method::GET, "files"), 200).await;
    assert_eq!(files.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn finish_may_be_accepted_first() {
    let api = start("box").await;
    api.settings(json!({"finish_accepted_times": 2})).await;
    let file = bytes(BOX_SIZE);
    let id = api.create(BOX_SIZE).await;
    for (number, part) in file.chunks(BOX_PART).enumerate() {
        ok(api.put(&id, number, part), 200).await;
    }
    for _ in 0..2 {
        let answer = api.finish(&id, &file).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        assert_eq!(answer.headers()["retry-after"], "1");
        assert_eq!(ok(api.get(&id), 200).await["data"]["success"], false);
    }
    ok(api.finish(&id, &file), 201).await;
    assert_eq!(ok(api.get(&id), 200).await["data"]["success"], true);
}

const METADATA: &str = r#"{"name":"a.txt","parent_folder_id":"root","drive_id":"1","description":"b"}"#;

#[tokio::test]
async fn a_direct_upload_gives_the_file_at_once() {
    let api = start("google-drive").await;
    for file in [bytes(2_500), Vec::new()] {
        let request = api.direct(METADATA, &file).header("digest", digest(&file)).query(&[("raw", "true")]);
        let answer = ok(request, 201).await;
        let id = answer["data"]["id"].as_str().unwrap();
        assert_eq!(answer["resource"], "files");
        assert_eq!(answer["_raw"]["size"], file.len());
        assert_eq!(api.file(id).await, file);
        let info = ok(api.control(Method::GET, &format!("files/{id}/info")), 200).await;
        assert_eq!(info["mime_type"], "text/plain");
        assert_eq!(info["drive_id"], "1");
        assert_eq!(info["sha1"], hex(&file));
    }
}

#[tokio::test]
async fn a_direct_upload_wants_its_metadata() {
    let api = start("google-drive").await;
    let bare = api.request(Method::POST, "/file-storage/files").body("a");
    fails(bare, 400, "RequestHeadersValidationError", "x-apideck-metadata").await;
    let wrong = [
        ("{", "JSON"),
        ("[]", "object"),
        (r#"{"name":"a"}"#, "parent_folder_id"),
        (r#"{"name":"a","parent_folder_id":"root","size":1}"#, "size"),
        (r#"{"name":"a","parent_folder_id":"root","description":1}"#, "description"),
    ];
    for (metadata, phrase) in wrong {
        fails(api.direct(metadata, b"a"), 400, "RequestValidationError", phrase).await;
    }
    let raw = api.direct(r#"{"name":"ä","parent_folder_id":"root"}"#, b"a");
    fails(raw, 400, "RequestHeadersValidationError", "ASCII").await;
    let escaped = r#"{"name":"\u00e4","parent_folder_id":"root"}"#;
    ok(api.direct(escaped, b"a"), 201).await;
    let files = ok(api.control(Method::GET, "files"), 200).await;
    assert_eq!(files[0]["name"], "ä");
}

#[tokio::test]
async fn a_direct_upload_has_the_limit_of_its_connector() {
    let api = start("onedrive").await;
    let limits = [
        ("onedrive", 4_000_000, 422),
        ("sharepoint", 4_000_000, 422),
        ("box", 50_000_000, 422),
        ("google-drive", 104_857_600, 413),
        ("dropbox", 104_857_600, 413),
    ];
    for (service, limit, status) in limits {
        let api = api.service(service);
        let type_name = if status == 413 { "RequestValidationError" } else { "InvalidStateError" };
        let request = api.direct(METADATA, &vec![0; limit + 1]);
        fails(request, status, type_name, &limit.to_string()).await;
    }
    ok(api.direct(METADATA, &vec![0; 4_000_000]), 201).await;
}

#[tokio::test]
async fn a_direct_upload_with_a_wrong_digest_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let api = start_with("dropbox", Config { dir: Some(dir.path().to_owned()), ..Config::default() }).await;
    let request = api.direct(METADATA, b"a").header("digest", digest(b"b"));
    fails(request, 422, "InvalidStateError", "digest").await;
    assert_eq!((parts_in(dir.path()), files_in(dir.path())), (0, 0));
}

#[tokio::test]
async fn a_direct_upload_that_was_cut_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let api = start_with("dropbox", Config { dir: Some(dir.path().to_owned()), ..Config::default() }).await;
    let stream = begin(&api, "POST /file-storage/files", 1_000, &[0; 400]).await;
    api.until(|stats| stats["bytes_received"].as_u64() >= Some(400)).await;
    assert_eq!(parts_in(dir.path()), 1);
    drop(stream);
    api.until(|stats| stats["log"].as_array().unwrap().len() == 1).await;
    assert_eq!((parts_in(dir.path()), files_in(dir.path())), (0, 0));
}
