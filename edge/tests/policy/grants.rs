//! Rules 4, 5 and 13: who is calling, with which connector, and as whom the API sees it.

use serde_json::{Value, json};
use upload_session_edge::failure::Failure;

use crate::harness::*;

#[test]
fn nobody_is_401_on_every_route() {
    let path = session_path();
    let calls = [
        create(&file()),
        call("GET", &path),
        part(&path, "part_number=0"),
        call("DELETE", &path),
        call("POST", &format!("{path}/finish")),
        direct(&file()),
    ];
    for call in calls {
        let answer = answer(&call.nobody().run(&policy()));
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["type_name"], "UnauthorizedError");
    }
}

#[test]
fn authorize_that_fails_is_500() {
    let mut exchange = call("GET", &session_path()).receive(&policy());
    exchange.failed(Failure::from_name("authorize_failed"));
    assert_eq!(answer(&exchange).status, 500);
}

#[test]
fn a_grant_that_does_not_fit_is_500_and_names_the_field() {
    let bad = [
        ("consumerId", json!({})),
        ("consumerId", json!({ "consumerId": "" })),
        ("consumerId", json!({ "consumerId": 7 })),
        ("consumerId", json!({ "consumerId": null })),
        ("consumerId", json!({ "consumerId": "a\r\nx-apideck-app-id: other" })),
        ("consumerId", json!({ "consumerId": " a" })),
        ("consumerId", json!({ "consumerId": "é" })),
        ("serviceId", json!({ "consumerId": "a", "serviceId": "" })),
        ("serviceId", json!({ "consumerId": "a", "serviceId": "Box" })),
        ("serviceId", json!({ "consumerId": "a", "serviceId": null })),
        ("parentFolderIds", json!({ "consumerId": "a", "parentFolderIds": "root" })),
        ("parentFolderIds", json!({ "consumerId": "a", "parentFolderIds": [1] })),
        ("driveId", json!({ "consumerId": "a", "driveId": [] })),
        // What JSON makes of NaN and Infinity is not "no limit".
        ("maxFileSize", json!({ "consumerId": "a", "maxFileSize": null })),
        ("maxFileSize", json!({ "consumerId": "a", "maxFileSize": -1 })),
        ("maxFileSize", json!({ "consumerId": "a", "maxFileSize": 1.5 })),
        ("maxFileSize", json!({ "consumerId": "a", "maxFileSize": "1" })),
        ("maxFileSize", json!({ "consumerId": "a", "maxFileSize": 1e300 })),
        ("parentFolderId", json!({ "consumerId": "a", "parentFolderId": "root" })),
    ];
    for (field, grant) in bad {
        let answer = answer(&create(&file()).grant(grant.clone()).run(&policy()));
        assert_eq!(answer.status, 500, "{grant}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(field), "{grant}: {answer:?}");
    }
    for grant in ["null", "", "[]", "\"alice\"", "{"] {
        let mut exchange = create(&file()).receive(&policy());
        exchange.granted(Some(grant), NOW);
        assert_eq!(answer(&exchange).status, 500, "{grant}");
    }
}

#[test]
fn an_unknown_field_is_not_said_again_unless_it_is_a_plain_name() {
    let answer = answer(&create(&json!({ "<script>": 1, "name": "a", "parent_folder_id": "root" })).run(&policy()));
    assert_eq!(answer.status, 400);
    assert!(!answer.body.unwrap().contains("script"));
}

/// The connector that a request goes to, or the status it is refused with.
fn service(granted: Option<&str>, asked: Option<&str>) -> Result<Option<String>, u16> {
    let mut grant = anything();
    if let Some(granted) = granted {
        grant["serviceId"] = Value::from(granted);
    }
    let mut call = create(&file()).grant(grant);
    if let Some(asked) = asked {
        call = call.header("X-Apideck-Service-Id", asked);
    }
    let exchange = call.run(&policy());
    match exchange.step() {
        upload_session_edge::step::Step::Send { .. } => {
            Ok(sent(&exchange).header("x-apideck-service-id").map(str::to_owned))
        }
        _ => Err(answer(&exchange).status),
    }
}

#[test]
fn the_connector_is_the_grants_or_else_the_callers() {
    assert_eq!(service(None, None), Ok(None));
    assert_eq!(service(None, Some("google-drive")), Ok(Some("google-drive".into())));
    assert_eq!(service(Some("box"), None), Ok(Some("box".into())));
    assert_eq!(service(Some("box"), Some("box")), Ok(Some("box".into())));
    assert_eq!(service(Some("box"), Some("dropbox")), Err(403));
}

#[test]
fn a_connector_that_is_none_is_400() {
    let long = "x".repeat(65);
    for asked in ["", "Box", "box, dropbox", "box\r\nx: y", "../box", "b%6fx", "bóx", &long] {
        assert_eq!(service(None, Some(asked)), Err(400), "{asked}");
    }
    assert_eq!(service(None, Some(&"x".repeat(64))), Ok(Some("x".repeat(64))));
}

#[test]
fn no_other_header_of_the_caller_reaches_the_api() {
    let hostile = [
        ("authorization", "Bearer mine"),
        ("cookie", "session=1"),
        ("host", "evil.example"),
        ("connection", "x-apideck-app-id"),
        ("keep-alive", "timeout=5"),
        ("te", "trailers"),
        ("trailer", "digest"),
        ("upgrade", "websocket"),
        ("proxy-authorization", "Basic eA=="),
        ("expect", "100-continue"),
        ("x-apideck-app-id", "other"),
        ("X-APIDECK-CONSUMER-ID", "bob"),
        ("x-apideck-auth-type", "JWT"),
        ("x-apideck-raw", "true"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "evil.example"),
        ("x-http-method-override", "DELETE"),
        ("content-encoding", "gzip"),
        ("accept-encoding", "br"),
        ("range", "bytes=0-1"),
    ];
    let path = session_path();
    let with = |call: Call| hostile.iter().fold(call, |call, (name, value)| call.header(name, value));
    let identity = vec![
        ("authorization", format!("Bearer {API_KEY}")),
        ("x-apideck-app-id", "app".to_owned()),
        ("x-apideck-consumer-id", "alice".to_owned()),
    ];
    let json = ("content-type", "application/json".to_owned());
    let content =
        [("content-type", "application/octet-stream".to_owned()), ("content-length", "10".to_owned())].to_vec();
    let metadata = ("x-apideck-metadata", r#"{"name":"a.pdf","parent_folder_id":"root"}"#.to_owned());
    let calls = [
        (create(&file()), vec![json.clone()]),
        (call("GET", &path), vec![]),
        (part(&path, "part_number=0"), content.clone()),
        (call("DELETE", &path), vec![]),
        (call("POST", &format!("{path}/finish")), vec![json]),
        (direct(&file()), [content, vec![metadata]].concat()),
    ];
    for (call, more) in calls {
        assert_eq!(with(call).sent().headers, [identity.clone(), more].concat());
    }
}
