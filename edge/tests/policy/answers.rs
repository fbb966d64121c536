//! Rule 14: what the API answers, and what of it the caller sees.

use serde_json::{Value, json};
use upload_session_engine::request::Response;

use crate::harness::*;

fn get() -> Call {
    call("GET", &session_path())
}

fn finish() -> Call {
    call("POST", &format!("{}/finish", session_path()))
}

fn with_headers(call: &Call, answer_of_api: &Response) -> Answer {
    let mut exchange = call.run(&policy());
    exchange.answered(answer_of_api, NOW);
    answer(&exchange)
}

#[test]
fn the_envelope_is_kept_but_for_the_connectors_own_words() {
    let body = json!({
        "status_code": 200, "status": "OK", "service": "box", "resource": "UploadSessions", "operation": "one",
        "data": { "success": false, "part_size": 8388608.0, "uploaded_byte_range": "0-9" },
        "meta": { "a": 1 }, "_raw": { "upload_url": "https://upload.box.com/secret" },
    });
    let answer = get().answered(200, &body.to_string());
    let mut expected = body;
    expected.as_object_mut().unwrap().remove("_raw");
    assert_eq!((answer.status, answer.json()), (200, expected));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn the_callers_own_id_comes_back_and_never_the_apis() {
    let path = session_path();
    let token = &path[SESSIONS.len() + 1..];
    for call in [get(), part(&path, "part_number=0"), call("DELETE", &path)] {
        let answer = call.answered(200, r#"{"data":{"id":"s1","success":true}}"#);
        assert_eq!(answer.json()["data"], json!({ "id": token, "success": true }));
    }
    // `data.id` is the file's here.
    for call in [finish(), direct(&file())] {
        assert_eq!(call.answered(201, r#"{"data":{"id":"f1"}}"#).json()["data"]["id"], "f1");
    }
    assert_eq!(get().answered(200, r#"{"data":{"success":true}}"#).json()["data"], json!({ "success": true }));
}

#[test]
fn an_empty_success_stays_empty() {
    for (status, body) in [(202, ""), (204, ""), (200, " \n"), (204, "{}"), (205, "{}")] {
        let answer = finish().answered(status, body);
        assert_eq!((answer.status, &answer.body), (status, &None));
        assert_eq!(answer.header("content-type"), None);
    }
}

#[test]
fn a_success_that_is_no_json_object_is_502() {
    for body in ["<html>", "[]", "null", "\"s1\"", "1", "{", "{}{}"] {
        for call in [create(&file()), get(), finish(), direct(&file())] {
            let answer = call.answered(200, body);
            assert_eq!(answer.status, 502, "{body}");
            assert_eq!(answer.json()["status_code"], 502);
        }
    }
}

#[test]
fn redirects_and_whatever_is_no_answer_are_502() {
    for status in [0, 100, 101, 199, 300, 301, 302, 304, 307, 308, 399, 600, 999, 65_535] {
        assert_eq!(get().answered(status, r#"{"data":{}}"#).status, 502, "{status}");
    }
}

#[test]
fn create_without_a_usable_id_is_502() {
    let bad = ["", "{}", r#"{"data":null}"#, r#"{"data":[]}"#, r#"{"data":{}}"#, r#"{"data":{"id":5}}"#];
    let resolved_away = [r#"{"data":{"id":""}}"#, r#"{"data":{"id":"."}}"#, r#"{"data":{"id":".."}}"#];
    for body in bad.into_iter().chain(resolved_away) {
        for status in [200, 201, 202, 204] {
            assert_eq!(create(&file()).answered(status, body).status, 502, "{status} {body}");
        }
    }
}

#[test]
fn errors_of_the_api_keep_status_and_envelope() {
    let envelope = json!({
        "status_code": 422, "error": "Unprocessable", "type_name": "InvalidStateError", "message": "m", "detail": { "a": 1 },
        "ref": "https://developers.apideck.com/errors#invalidstateerror",
    });
    let leaky = merged(envelope.clone(), json!({ "_raw": {} }));
    for status in [400, 401, 402, 404, 409, 422, 429, 500, 503, 599] {
        for call in [create(&file()), get(), finish()] {
            let answer = call.answered(status, &leaky.to_string());
            assert_eq!((answer.status, answer.json()), (status, envelope.clone()));
        }
    }
}

#[test]
fn errors_that_are_no_json_get_an_envelope_without_their_words() {
    for status in [400, 403, 404, 413, 418, 429, 500, 502, 503, 504, 520] {
        for body in ["", "<h1>nginx at 10.0.0.7</h1>", "[]"] {
            let answer = get().answered(status, body);
            assert_eq!(answer.status, status);
            let json = answer.json();
            assert_eq!(json["status_code"], status);
            let fields = ["status_code", "error", "type_name", "message", "detail", "ref"];
            assert!(fields.iter().all(|field| !json[field].is_null()), "{json}");
            assert!(!answer.body.unwrap().contains("nginx"));
        }
    }
}

#[test]
fn request_id_and_retry_after_are_kept_and_nothing_else() {
    let of = |status: u16, body: &str, request_id: &str, retry_after: &str| {
        let (request_id, retry_after) = (Some(request_id.to_owned()), Some(retry_after.to_owned()));
        with_headers(&get(), &Response { status, request_id, retry_after, body: body.into() })
    };
    for (status, body) in [(200, "{}"), (202, ""), (429, "{}"), (503, "busy")] {
        let answer = of(status, body, "req-1", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(answer.header("request-id"), Some("req-1"));
        assert_eq!(answer.header("retry-after"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    }
    // 502 is ours: it says nothing of when to come again.
    let answer = of(200, "<html>", "req-1", "5");
    assert_eq!((answer.header("request-id"), answer.header("retry-after")), (Some("req-1"), None));
    let answer = of(429, "{}", "a\r\nset-cookie: a=b", "é");
    assert_eq!((answer.header("request-id"), answer.header("retry-after")), (None, None));
    assert_eq!(answer.headers.len(), 3, "{:?}", answer.headers);
}

#[test]
fn secrets_that_the_api_says_back_are_redacted() {
    let escaped: String = API_KEY.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let body = format!(
        r#"{{"message":"Bearer {API_KEY} is not known","detail":{{"{API_KEY}":["{escaped}",{{"a":"{SECRET}/{RETIRED}"}}]}}}}"#
    );
    for status in [200, 401, 500] {
        for call in [get(), finish()] {
            let request_id = Some(format!("r-{API_KEY}"));
            let retry_after = Some(SECRET.to_owned());
            let answer = with_headers(&call, &Response { status, request_id, retry_after, body: body.clone() });
            let all = format!("{:?} {}", answer.headers, answer.body.as_deref().unwrap());
            for secret in [API_KEY, SECRET, RETIRED] {
                assert!(!all.contains(secret), "{all}");
            }
            assert_eq!(answer.json()["message"], "Bearer [redacted] is not known");
            assert_eq!(answer.json()["detail"]["[redacted]"][1]["a"], "[redacted]/[redacted]");
            assert_eq!(answer.header("request-id"), Some("r-[redacted]"));
        }
    }
    let created = create(&file()).answered(201, &format!(r#"{{"data":{{"id":"{API_KEY}"}}}}"#));
    assert!(!created.body.unwrap().contains(API_KEY));
}

#[test]
fn own_refusals_wear_the_apis_envelope() {
    let refusals = [
        (call("GET", "/crm"), 404),
        (get().header("origin", "https://evil.example"), 403),
        (get().nobody(), 401),
        (get().grant(json!({})), 500),
        (call("GET", &format!("{}?x=1", session_path())), 400),
        (call("PUT", &format!("{}?part_number=0", session_path())), 411),
        (part(&session_path(), "part_number=10000"), 413),
    ];
    for (call, status) in refusals {
        let answer = answer(&call.run(&policy()));
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let json = answer.json();
        assert_eq!(json["status_code"], status);
        for field in ["error", "type_name", "message", "detail", "ref"] {
            assert!(json[field].as_str().is_some_and(|text| !text.is_empty()), "{json}");
        }
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(6));
        assert_ne!(json["error"], Value::from("Client Error"));
    }
}
