//! Rules 8, 9 and 12: lengths, digests, media types, and bodies that are not passed on.

use serde_json::json;

use crate::harness::*;

/// An upload or a direct upload with these headers and no others of the content's.
fn both(headers: &[(&str, &str)]) -> [Call; 2] {
    let unknown_size = format!("{SESSIONS}/{}", signed("s1", None, &alice()));
    let upload = call("PUT", &format!("{unknown_size}?part_number=0"));
    let direct = call("POST", FILES).header("x-apideck-metadata", &file().to_string());
    [upload, direct].map(|call| headers.iter().fold(call, |call, (name, value)| call.header(name, value)))
}

#[test]
fn content_without_a_plain_length_is_411() {
    let bad: &[&[(&str, &str)]] = &[
        &[],
        &[("content-length", "")],
        &[("content-length", "-1")],
        &[("content-length", "+1")],
        &[("content-length", "1.0")],
        &[("content-length", "1e3")],
        &[("content-length", "0x10")],
        &[("content-length", "10, 10")],
        &[("content-length", "10"), ("content-length", "10")],
        &[("content-length", "99999999999999999999")],
        &[("transfer-encoding", "chunked")],
        &[("content-length", "10"), ("transfer-encoding", "chunked")],
        &[("content-length", "10"), ("Transfer-Encoding", "identity")],
    ];
    for headers in bad {
        for call in both(headers) {
            assert_eq!(call.refused(), 411, "{headers:?}");
        }
    }
}

#[test]
fn a_part_above_the_limit_is_413_and_one_at_the_limit_is_piped_through() {
    for call in both(&[("content-length", "104857600")]) {
        let sent = call.sent();
        assert_eq!((sent.length, sent.header("content-length")), (Some(104_857_600), Some("104857600")));
        assert_eq!(sent.body, None);
    }
    for call in both(&[("content-length", "104857601")]) {
        assert_eq!(call.refused(), 413);
    }
    let small = policy_with(json!({ "maxPartSize": 5 }));
    for call in both(&[("content-length", "6")]) {
        assert_eq!(call.refused_by(&small), 413);
    }
    for call in both(&[("content-length", "0")]) {
        assert_eq!(call.sent_by(&small).length, Some(0));
    }
}

#[test]
fn parts_stay_within_the_size_that_the_session_was_created_for() {
    // 100 bytes: parts of 30 and a last one of 10.
    let path = session_path();
    let put = |number: u32, length: u32| {
        call("PUT", &format!("{path}?part_number={number}")).header("content-length", &length.to_string())
    };
    for (number, length) in [(0, 30), (1, 30), (2, 30), (3, 10), (0, 100), (9, 10)] {
        assert_eq!(put(number, length).sent().length, Some(length.into()));
    }
    for (number, length) in [(0, 101), (1, 51), (3, 30), (10, 10), (10_000, 1)] {
        assert_eq!(put(number, length).refused(), 413, "{number} {length}");
    }
}

#[test]
fn a_digest_is_passed_on_where_it_is_one() {
    let digest = "sha=2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
    let path = session_path();
    let finish = call("POST", &format!("{path}/finish"));
    assert_eq!(part(&path, "part_number=0").header("digest", digest).sent().header("digest"), Some(digest));
    assert_eq!(finish.clone().header("Digest", digest).sent().header("digest"), Some(digest));
    let bad = [
        "",
        "sha=",
        "SHA=2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "sha=2jmj7l5rSw0yVb/vlWAYkK/YBwk",
        "sha=2jmj7l5rSw0yVb_vlWAYkK_YBwk=",
        // The same bytes in another spelling: the last two bits are not 0.
        "sha=2jmj7l5rSw0yVb/vlWAYkK/YBwl=",
        "sha=2jmj7l5rSw0yVb/vlWAYkK/YBwk=, sha=2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "sha=2jmj7l5rSw0yVb/vlWAYkK/YBwk=\r\nx-apideck-app-id: other",
        "sha=2jmj7l5rSw0yVb/vlWAYkK/YB\r\n",
        "sha= 2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "sha=AAAA",
        "sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "md5=1B2M2Y8AsgTpgAmY7PhCfg==",
    ];
    for digest in bad {
        assert_eq!(part(&path, "part_number=0").header("digest", digest).refused(), 400, "{digest}");
        assert_eq!(finish.clone().header("digest", digest).refused(), 400, "{digest}");
    }
}

#[test]
fn a_plain_media_type_is_passed_on() {
    let of = |kind: &str| {
        both(&[("content-length", "1"), ("content-type", kind)]).map(|call| {
            let sent = call.sent();
            sent.header("content-type").unwrap().to_owned()
        })
    };
    for plain in ["image/png", "application/vnd.ms-excel", "text/plain;charset=utf-8", "text/plain; charset=utf-8; a=b"]
    {
        assert_eq!(of(plain), [plain, plain]);
    }
    let long = format!("a/{}", "b".repeat(255));
    let other = [
        "",
        "png",
        "a/",
        "/b",
        "a/b/c",
        "a b/c",
        "a/b;",
        "a/b;c",
        "a/b; c=\"d\"",
        "a/b, c/d",
        "a/b\r\nx: y",
        "é/b",
        &long,
    ];
    for other in other {
        assert_eq!(of(other), ["application/octet-stream"; 2], "{other}");
    }
}

#[test]
fn what_has_no_content_has_no_length_and_no_media_type_of_the_caller() {
    let path = session_path();
    for call in [call("GET", &path), call("DELETE", &path)] {
        let sent = call.header("content-length", "3").header("content-type", "a/b").body("abc").sent();
        assert_eq!((sent.body.as_deref(), sent.length), (None, None));
        assert_eq!((sent.header("content-type"), sent.header("content-length")), (None, None));
    }
}

#[test]
fn finish_sends_an_empty_object_whatever_came() {
    let call = call("POST", &format!("{}/finish", session_path())).header("content-type", "text/plain");
    let sent = call.body(r#"{"pass_through":[]}"#).sent();
    assert_eq!((sent.body.as_deref(), sent.length), (Some("{}"), None));
    assert_eq!(sent.header("content-type"), Some("application/json"));
}
