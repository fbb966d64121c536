//! Create, get, delete: headers, fields, profiles, ownership, expiry.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Api, BOX_SIZE, PART, bytes, fails, ok, parts_in, start, start_with};
use reqwest::Method;
use serde_json::{Value, json};
use upload_emulator::Config;

fn body() -> Value {
    json!({"name": "a.bin", "parent_folder_id": "root", "size": 2_500})
}

fn without(field: &str) -> Value {
    let mut body = body();
    body.as_object_mut().unwrap().remove(field);
    body
}

fn with(field: &str, value: Value) -> Value {
    let mut body = body();
    body[field] = value;
    body
}

#[tokio::test]
async fn create_answers_with_an_id_in_an_envelope() {
    let api = start("dropbox").await;
    let answer = ok(api.create_with(&body()), 201).await;
    let id = answer["data"]["id"].as_str().unwrap();
    assert_eq!(
        answer,
        json!({"status_code": 201, "status": "Created", "service": "dropbox", "resource": "UploadSessions",
            "operation": "add", "data": {"id": id}})
    );
}

#[tokio::test]
async fn create_takes_every_field_and_an_unknown_size() {
    let api = start("dropbox").await;
    let mut body = with("size", Value::Null);
    body["drive_id"] = json!("1");
    body["pass_through"] = json!([{"service_id": "dropbox", "extend_object": {"a": 1}}]);
    ok(api.create_with(&body), 201).await;
}

#[tokio::test]
async fn create_refuses_a_bad_body_naming_the_field() {
    let api = start("dropbox").await;
    for field in ["name", "parent_folder_id", "size"] {
        let phrase = format!("Missing property {field}");
        fails(api.create_with(&without(field)), 400, "RequestValidationError", &phrase).await;
    }
    let wrong = [
        ("name", json!("")),
        ("name", json!(7)),
        ("parent_folder_id", json!(null)),
        ("size", json!("7")),
        ("size", json!(-1)),
        ("size", json!(1.5)),
        ("drive_id", json!(7)),
        ("pass_through", json!({"a": 1})),
        ("pass_through", json!([{"operation_id": "x"}])),
        ("mime_type", json!("text/plain")),
    ];
    for (field, value) in wrong {
        fails(api.create_with(&with(field, value)), 400, "RequestValidationError", field).await;
    }
    fails(api.create_with(&json!([])), 400, "RequestValidationError", "object").await;
    let path = "/file-storage/upload-sessions";
    let text = api.request(Method::POST, path).header("content-type", "application/json").body("{");
    fails(text, 400, "RequestValidationError", "JSON").await;
    let untyped = api.request(Method::POST, path).body(body().to_string());
    fails(untyped, 400, "RequestHeadersValidationError", "content-type").await;
    let huge = with("name", json!("a".repeat(1024 * 1024)));
    fails(api.create_with(&huge), 413, "RequestValidationError", "1048576").await;
}

#[tokio::test]
async fn every_operation_wants_its_headers() {
    let api = start("dropbox").await;
    let id = api.create(2_500).await;
    let requests = |api: &Api| {
        [
            api.create_with(&body()),
            api.get(&id),
            api.put(&id, 0, &bytes(PART)),
            api.finish(&id, b""),
            api.delete(&id),
            api.direct(r#"{"name":"a","parent_folder_id":"root"}"#, b"a"),
        ]
    };
    for request in requests(&Api { token: None, ..api.clone() }) {
        fails(request, 401, "UnauthorizedError", "authentication").await;
    }
    for request in requests(&Api { app_id: None, ..api.clone() }) {
        fails(request, 400, "RequestHeadersValidationError", "x-apideck-app-id").await;
    }
    for request in requests(&Api { consumer_id: None, ..api.clone() }) {
        fails(request, 400, "RequestHeadersValidationError", "x-apideck-consumer-id").await;
    }
    for request in requests(&api.service("floppy")) {
        fails(request, 404, "ConnectorNotFoundError", "floppy").await;
    }
    for request in [api.get(&id), api.put(&id, 0, b""), api.finish(&id, b""), api.delete(&id)] {
        let request = request.query(&[("raw", "yes")]);
        fails(request, 400, "RequestValidationError", "raw").await;
    }
}

#[tokio::test]
async fn only_bearer_is_a_way_to_authenticate() {
    let api = Api { token: None, ..start("dropbox").await };
    for value in ["Basic key", "key", "Bearer", "Bearer "] {
        let request = api.create_with(&body()).header("authorization", value);
        fails(request, 401, "UnauthorizedError", "authentication").await;
    }
    ok(api.create_with(&body()).header("authorization", "bearer key"), 201).await;
}

#[tokio::test]
async fn a_session_is_its_makers_alone() {
    let api = start("dropbox").await;
    let id = api.create(2_500).await;
    let others = [
        api.consumer("another"),
        Api { app_id: Some("another".to_owned()), ..api.clone() },
        api.service("google-drive"),
    ];
    for other in others {
        fails(other.get(&id), 404, "EntityNotFoundError", &id).await;
        fails(other.delete(&id), 404, "EntityNotFoundError", &id).await;
    }
    let unnamed = Api { service_id: None, ..api.clone() };
    assert_eq!(ok(unnamed.get(&id), 200).await["service"], "dropbox");
    fails(api.get("nothing"), 404, "EntityNotFoundError", "nothing").await;
}

#[tokio::test]
async fn get_tells_each_profile() {
    let api = start_with("box", Config::default()).await;
    let profiles = [
        ("box", json!(8_388_608), true),
        ("google-drive", json!(8_388_608), false),
        ("onedrive", json!(10_485_760.0), false),
        ("sharepoint", json!(10_485_760), false),
        ("dropbox", json!(8_388_608), true),
    ];
    for (service, part_size, parallel) in profiles {
        let api = api.service(service);
        let id = api.create(BOX_SIZE).await;
        let answer = ok(api.get(&id), 200).await;
        assert_eq!(answer["service"], service);
        assert_eq!(answer["operation"], "one");
        let data = answer["data"].as_object().unwrap();
        assert_eq!(data["id"], id);
        assert_eq!(data["success"], false);
        assert_eq!(data["part_size"], part_size, "{service}");
        assert_eq!(data["parallel_upload_supported"], parallel, "{service}");
        assert!(!data.contains_key("uploaded_byte_range"), "nothing is held");
        assert!(data["expires_at"].as_str().unwrap().ends_with('Z'));
    }
}

#[tokio::test]
async fn without_a_service_id_the_connector_is_google_drive() {
    let api = Api { service_id: None, ..start("dropbox").await };
    assert_eq!(ok(api.create_with(&body()), 201).await["service"], "google-drive");
}

#[tokio::test]
async fn onedrive_writes_its_part_size_as_a_fraction() {
    let api = start_with("onedrive", Config::default()).await;
    let id = api.create(1).await;
    let text = api.get(&id).send().await.unwrap().text().await.unwrap();
    assert!(text.contains(r#""part_size":10485760.0"#), "{text}");
}

#[tokio::test]
async fn get_filters_fields_and_adds_the_raw_answer() {
    let api = start("dropbox").await;
    let id = api.create(2_500).await;
    let answer = ok(api.get(&id).query(&[("fields", "id,part_size")]), 200).await;
    assert_eq!(answer["data"], json!({"id": id, "part_size": PART}));
    assert_eq!(answer.get("_raw"), None);
    let answer = ok(api.get(&id).query(&[("raw", "true")]), 200).await;
    assert_eq!(answer["_raw"]["id"], json!(id));
}

#[tokio::test]
async fn box_starts_sessions_at_twenty_million_bytes() {
    let api = start("box").await;
    let small = with("size", json!(BOX_SIZE - 1));
    fails(api.create_with(&small), 400, "RequestValidationError", "20000000").await;
    api.create(BOX_SIZE).await;
}

#[tokio::test]
async fn delete_removes_the_session_and_its_parts() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { dir: Some(dir.path().to_owned()), part_size: Some(PART as u64), ..Config::default() };
    let api = start_with("dropbox", config).await;
    let id = api.create(2_500).await;
    ok(api.put(&id, 0, &bytes(PART)), 200).await;
    assert_eq!(parts_in(dir.path()), 1);
    let answer = ok(api.delete(&id), 200).await;
    assert_eq!(answer["data"], json!({"id": id}));
    assert_eq!(answer["operation"], "delete");
    assert_eq!(parts_in(dir.path()), 0);
    for request in [api.get(&id), api.delete(&id), api.put(&id, 1, &bytes(PART)), api.finish(&id, b"")] {
        fails(request, 404, "EntityNotFoundError", &id).await;
    }
}

#[tokio::test]
async fn an_expired_session_is_gone_with_its_parts() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { dir: Some(dir.path().to_owned()), expires_in: 0, ..Config::default() };
    let api = start_with("dropbox", config).await;
    let id = api.create(2_500).await;
    fails(api.get(&id), 404, "EntityNotFoundError", &id).await;
    assert_eq!(parts_in(dir.path()), 0);
    assert_eq!(api.stats().await["sessions_open"], 0);
}

#[tokio::test]
async fn unknown_routes_and_methods_are_errors_of_the_api() {
    let api = start("dropbox").await;
    let path = "/file-storage/upload-sessions";
    fails(api.request(Method::GET, "/file-storage/folders"), 404, "EntityNotFoundError", "/file-storage/folders").await;
    fails(api.request(Method::PATCH, path), 405, "RequestValidationError", "").await;
}
