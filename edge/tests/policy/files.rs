//! Rules 10 and 11: what may be created, by session and directly.

use serde_json::{Value, json};
use upload_session_edge::failure::Failure;
use upload_session_edge::step::Step;

use crate::harness::*;

fn with(changes: Value) -> Value {
    merged(file(), changes)
}

#[test]
fn the_body_of_create_is_rebuilt() {
    let pass_through = json!([{ "service_id": "box", "extend_object": { "a": [1, null] } }]);
    let whole = json!({
        "name": "Zoë 😀.pdf", "parent_folder_id": "f/1", "size": 5, "drive_id": "d", "pass_through": pass_through,
    });
    let sent = create(&whole).sent();
    assert_eq!(sent.json(), whole);
    assert_eq!(sent.length, None);
    assert_eq!(create(&file()).sent().json(), with(json!({ "size": null })));
    assert_eq!(
        create(&with(json!({ "drive_id": null, "pass_through": null }))).sent().json(),
        with(json!({ "size": null }))
    );
    // What counts is what goes out: the last of two fields of one name here, and only that one.
    let twice = r#" {"name":"a","name":"b","parent_folder_id":"root","size":8388608.0} "#;
    let sent = call("POST", SESSIONS).body(twice).sent();
    assert_eq!(sent.body.as_deref(), Some(r#"{"name":"b","parent_folder_id":"root","size":8388608}"#));
}

#[test]
fn a_body_that_is_none_of_create_is_400() {
    let bad = [
        json!([]),
        json!("a"),
        json!(null),
        json!({}),
        json!({ "name": "a" }),
        json!({ "parent_folder_id": "root" }),
        with(json!({ "name": "" })),
        with(json!({ "name": null })),
        with(json!({ "name": 5 })),
        with(json!({ "name": "a\r\nx-apideck-app-id: other" })),
        with(json!({ "name": "a\u{0}" })),
        with(json!({ "name": "a\u{7f}" })),
        with(json!({ "name": "a\u{85}" })),
        with(json!({ "parent_folder_id": "" })),
        with(json!({ "parent_folder_id": ["root"] })),
        with(json!({ "size": -1 })),
        with(json!({ "size": 1.5 })),
        with(json!({ "size": "5" })),
        with(json!({ "size": 1e19 })),
        with(json!({ "drive_id": 5 })),
        with(json!({ "pass_through": {} })),
        with(json!({ "pass_through": ["a"] })),
        with(json!({ "consumer_id": "bob" })),
        with(json!({ "__proto__": {} })),
        with(json!({ "unknown": null })),
    ];
    for body in bad {
        assert_eq!(create(&body).refused(), 400, "{body}");
    }
    let deep = "[".repeat(10_000);
    for text in ["", "{", "name=a", r#"{"name":"\ud800","parent_folder_id":"root"}"#, "{}{}", &deep] {
        assert_eq!(call("POST", SESSIONS).body(text).refused(), 400, "{text}");
    }
}

#[test]
fn a_body_above_the_limit_is_413() {
    let long = create(&with(json!({ "name": "a".repeat(65_536) })));
    assert_eq!(long.refused(), 413);
    let mut exchange = create(&file()).receive(&policy());
    exchange.granted(Some(&anything().to_string()), NOW);
    assert_eq!(exchange.step(), &Step::Read { limit: 65_536 });
    exchange.failed(Failure::from_name("body_too_large"));
    assert_eq!(answer(&exchange).status, 413);
    // One that says so is not read.
    let mut exchange = create(&file()).header("content-length", "65537").receive(&policy());
    exchange.granted(Some(&anything().to_string()), NOW);
    assert_eq!(answer(&exchange).status, 413);
    assert_eq!(create(&file()).header("content-length", "65536").sent().method, "POST");
}

/// Both ways to create a file, with a grant that has these restrictions.
fn both(file: &Value, restrictions: Value) -> [Call; 2] {
    let sized = merged(file.clone(), json!({ "size": 10 }));
    [create(&sized), direct(file)].map(|call| call.grant(merged(anything(), restrictions.clone())))
}

#[test]
fn folders_outside_the_grant_are_403() {
    for folders in [json!([]), json!(["a"]), json!(["ROOT", "root/", "root "])] {
        for call in both(&file(), json!({ "parentFolderIds": folders })) {
            assert_eq!(call.refused(), 403, "{folders}");
        }
    }
    for call in both(&file(), json!({ "parentFolderIds": ["a", "root"] })) {
        assert_eq!(call.sent().method, "POST");
    }
}

#[test]
fn the_drive_is_the_grants() {
    for call in both(&with(json!({ "drive_id": "other" })), json!({ "driveId": "d" })) {
        assert_eq!(call.refused(), 403);
    }
    for asked in [file(), with(json!({ "drive_id": "d" })), with(json!({ "drive_id": null }))] {
        let [create, direct] = both(&asked, json!({ "driveId": "d" }));
        assert_eq!(create.sent().json()["drive_id"], "d");
        let metadata: Value = serde_json::from_str(direct.sent().header("x-apideck-metadata").unwrap()).unwrap();
        assert_eq!(metadata["drive_id"], "d");
    }
    for call in both(&with(json!({ "drive_id": "any" })), json!({ "parentFolderIds": [file()["parent_folder_id"]] })) {
        assert_eq!(call.refused(), 403);
    }
    for call in both(&with(json!({ "drive_id": "any" })), json!({})) {
        assert_eq!(call.sent().method, "POST");
    }
}

#[test]
fn files_larger_than_granted_are_403_and_so_are_those_of_unknown_size() {
    for call in both(&file(), json!({ "maxFileSize": 9 })) {
        assert_eq!(call.refused(), 403);
    }
    for call in both(&file(), json!({ "maxFileSize": 10 })) {
        assert_eq!(call.sent().method, "POST");
    }
    let limited = merged(anything(), json!({ "maxFileSize": 10 }));
    for body in [file(), with(json!({ "size": null }))] {
        assert_eq!(create(&body).grant(limited.clone()).refused(), 403);
    }
}

#[test]
fn the_declared_size_binds_the_parts() {
    let answer = create(&with(json!({ "size": 10 }))).answered(201, r#"{"data":{"id":"s1"}}"#);
    let id = answer.json()["data"]["id"].as_str().unwrap().to_owned();
    let put = |length: &str| call("PUT", &format!("{SESSIONS}/{id}?part_number=0")).header("content-length", length);
    assert_eq!(put("10").sent().length, Some(10));
    assert_eq!(put("11").refused(), 413);
}

#[test]
fn pass_through_is_403_with_any_restriction() {
    let body = with(json!({ "size": 5, "pass_through": [] }));
    for restriction in [json!({ "parentFolderIds": ["root"] }), json!({ "driveId": "d" }), json!({ "maxFileSize": 9 })]
    {
        assert_eq!(create(&body).grant(merged(anything(), restriction)).refused(), 403);
    }
    assert_eq!(
        create(&body).grant(merged(anything(), json!({ "serviceId": "box" }))).sent().json()["pass_through"],
        json!([])
    );
}

#[test]
fn metadata_of_a_direct_upload_is_rebuilt_in_ascii() {
    let escaped = r#"{"parent_folder_id":"r","name":"Zo\u00eb\ud83d\ude00","drive_id":null}"#;
    let call = call("POST", FILES).header("content-length", "1").header("x-apideck-metadata", escaped);
    let sent = call.sent();
    let expected = r#"{"name":"Zo\u00eb\ud83d\ude00","parent_folder_id":"r"}"#;
    assert_eq!(sent.header("x-apideck-metadata"), Some(expected));
    assert_eq!((sent.length, sent.body), (Some(1), None));
}

#[test]
fn metadata_that_is_none_is_400() {
    let plain = || call("POST", FILES).header("content-length", "1");
    assert_eq!(plain().refused(), 400);
    let bad = [
        "",
        "a",
        "[]",
        "{}",
        r#"{"name":"Zoë","parent_folder_id":"r"}"#,
        r#"{"name":"a\u000d\u000ax: y","parent_folder_id":"r"}"#,
        r#"{"name":"","parent_folder_id":"r"}"#,
        r#"{"name":"a","parent_folder_id":"r","size":1}"#,
        r#"{"name":"a","parent_folder_id":"r","pass_through":[]}"#,
        r#"{"name":"a","parent_folder_id":"r"}, {"name":"b","parent_folder_id":"r"}"#,
    ];
    for metadata in bad {
        assert_eq!(plain().header("x-apideck-metadata", metadata).refused(), 400, "{metadata}");
    }
    assert_eq!(direct(&file()).header("x-apideck-metadata", &file().to_string()).refused(), 400);
    let long = format!(r#"{{"name":"{}","parent_folder_id":"r"}}"#, "a".repeat(65_536));
    assert_eq!(plain().header("x-apideck-metadata", &long).refused(), 400);
}
