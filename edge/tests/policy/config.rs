//! What a proxy starts with, and what it refuses to start with.

use serde_json::{Value, json};
use upload_session_edge::policy::Policy;

use crate::harness::*;

fn refused(changes: Value) -> String {
    let options = merged(options(), changes);
    Policy::new(&options.to_string(), parse).expect_err(&format!("{options} was taken")).to_string()
}

#[test]
fn secrets_shorter_than_32_bytes_are_refused_and_not_said() {
    let short = "hunter2-hunter2-hunter2-hunter2";
    for secrets in
        [json!([]), json!([short]), json!([SECRET, short]), json!([""]), json!(SECRET), json!([5]), json!(null)]
    {
        let message = refused(json!({ "sessionSecret": secrets }));
        assert!(message.contains("sessionSecret"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    assert!(refused(json!({ "sessionSecret": [short] })).contains("32 bytes"));
    // Bytes of UTF-8, not letters.
    policy_with(json!({ "sessionSecret": ["é".repeat(16)] }));
}

#[test]
fn keys_that_no_header_takes_are_refused_and_not_said() {
    for field in ["apiKey", "appId"] {
        for value in [
            json!(null),
            json!(""),
            json!(5),
            json!("a\r\nhunter2: x"),
            json!("hunter2\u{e9}"),
            json!(" hunter2"),
            json!("hunter2\u{7f}"),
        ] {
            let message = refused(json!({ field: value }));
            assert!(message.contains(field) && !message.contains("hunter2"), "{message}");
        }
        let mut without = options();
        without.as_object_mut().unwrap().remove(field);
        assert!(Policy::new(&without.to_string(), parse).unwrap_err().to_string().contains(field));
    }
}

#[test]
fn an_upstream_that_is_no_plain_http_url_is_refused() {
    let bad = [
        "",
        "api.example",
        "/file-storage",
        "ftp://api.example",
        "data:,x",
        "https://",
        "https://hunter2@api.example",
        "https://:hunter2@api.example",
        "https://api.example?a=1",
        "https://api.example/?",
        "https://api.example/#",
        "https://api.example#a",
        "https://api\r\n.example",
    ];
    for upstream in bad {
        let message = refused(json!({ "upstream": upstream }));
        assert!(message.contains("upstream") && !message.contains("hunter2"), "{message}");
    }
    for upstream in ["http://127.0.0.1:8787", "https://API.example:443/"] {
        policy_with(json!({ "upstream": upstream }));
    }
}

#[test]
fn only_exact_origins_are_allowed() {
    let bad = [
        "*",
        "null",
        "",
        "app.example",
        "https://app.example/",
        "https://*.example",
        "https://app.example/x",
        "HTTPS://app.example",
        "https://App.example",
        "https://app.example:443",
        "https://bücher.example",
        "https://a@app.example",
        "file://",
        "ftp://app.example",
        "ws://app.example",
        "chrome-extension://abc",
        "https://app.example, https://b.example",
    ];
    for origin in bad {
        let message = refused(json!({ "allowedOrigins": [LISTED, origin] }));
        assert!(message.contains("allowedOrigins"), "{origin}: {message}");
    }
    policy_with(
        json!({ "allowedOrigins": ["http://localhost:5173", "https://xn--bcher-kva.example", "http://[::1]:8080"] }),
    );
}

#[test]
fn base_paths_stand_as_they_do_in_urls() {
    for path in ["", "api", "api/", "/a b", "/é", "/a/../b", "/a?b", "/a#b", "/a\\b", "@evil.example/", ":80/a"] {
        assert!(refused(json!({ "basePath": path })).contains("basePath"), "{path}");
    }
    for path in ["/", "/api", "/api/", "/a/b/c", "/%C3%A9"] {
        policy_with(json!({ "basePath": path }));
    }
}

#[test]
fn part_sizes_are_1_to_100_mebibytes() {
    for size in [json!(0), json!(-1), json!(104_857_601), json!(1.5), json!("1"), json!(null)] {
        assert!(refused(json!({ "maxPartSize": size })).contains("maxPartSize"), "{size}");
    }
    for size in [1, 104_857_600] {
        policy_with(json!({ "maxPartSize": size }));
    }
}

#[test]
fn options_that_are_unknown_or_no_object_are_refused() {
    assert!(refused(json!({ "sessionSecrets": [SECRET] })).contains("sessionSecrets is not known"));
    for json in ["", "null", "[]", "{"] {
        assert!(Policy::new(json, parse).is_err(), "{json}");
    }
}

#[test]
fn what_is_left_out_has_the_defaults_of_the_contract() {
    let least = json!({ "appId": "app", "apiKey": API_KEY, "sessionSecret": [SECRET] });
    let policy = Policy::new(&least.to_string(), parse).unwrap();
    let sent = call("PUT", &format!("{SESSIONS}/{}?part_number=0", signed("s1", None, &alice())))
        .header("content-length", "104857600")
        .sent_by(&policy);
    assert_eq!(sent.url, format!("https://upload.apideck.com{SESSIONS}/s1?part_number=0"));
}

#[test]
fn nothing_secret_shows_in_debug() {
    let policy = policy();
    let path = session_path();
    let mut shown = format!("{policy:?}");
    for call in [create(&file()), part(&path, "part_number=0"), call("GET", &path), call("GET", "/")] {
        let exchange = call.run(&policy);
        shown += &format!("{exchange:?} {:?}", exchange.step());
    }
    shown += &format!("{:?}", upload_session_edge::token::Keyring::new(&[SECRET.to_owned()]).unwrap());
    for secret in [API_KEY, SECRET, RETIRED] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("Send"));
}
