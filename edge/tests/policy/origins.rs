//! Rules 2 and 3: preflights, foreign origins, and the CORS headers of answers.

use serde_json::json;
use upload_session_edge::step::Step;

use crate::harness::*;

fn preflight(origin: &str, path: &str) -> Answer {
    let call = call("OPTIONS", path).header("origin", origin).header("access-control-request-method", "PUT");
    answer(&call.receive(&policy()))
}

#[test]
fn a_preflight_of_a_listed_origin_is_answered_and_kept_for_a_day() {
    let path = format!("{SESSIONS}/x");
    for (path, methods) in [(SESSIONS, "POST"), (FILES, "POST"), (path.as_str(), "GET, PUT, DELETE")] {
        let answer = preflight(LISTED, path);
        assert_eq!((answer.status, &answer.body), (204, &None));
        assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(answer.header("access-control-allow-methods"), Some(methods));
        assert_eq!(
            answer.header("access-control-allow-headers"),
            Some(
                "content-type, digest, authorization, x-apideck-app-id, x-apideck-consumer-id, x-apideck-service-id, \
                 x-apideck-auth-type, x-apideck-metadata"
            )
        );
        assert_eq!(answer.header("access-control-max-age"), Some("86400"));
        assert_eq!(answer.header("vary"), Some("origin"));
    }
}

#[test]
fn a_preflight_of_any_other_origin_is_403() {
    for origin in
        ["https://evil.example", "null", "*", "", "https://app.example.evil.example", "http://app.example", ORIGIN]
    {
        let answer = preflight(origin, SESSIONS);
        assert_eq!(answer.status, 403, "{origin}");
        assert!(!answer.has_cors(), "{origin}");
    }
}

#[test]
fn options_that_is_no_preflight_and_a_preflight_elsewhere_are_404() {
    assert_eq!(preflight(LISTED, "/crm/contacts").status, 404);
    assert_eq!(call("OPTIONS", SESSIONS).header("origin", LISTED).refused(), 404);
    assert_eq!(call("OPTIONS", SESSIONS).header("access-control-request-method", "POST").refused(), 404);
}

fn from(headers: &[(&str, &str)]) -> Call {
    headers.iter().fold(call("GET", &session_path()), |call, (name, value)| call.header(name, value))
}

#[test]
fn foreign_pages_are_403_before_authorize_and_without_cors() {
    let foreign: &[&[(&str, &str)]] = &[
        &[("origin", "https://evil.example")],
        &[("origin", "http://proxy.example")],
        &[("origin", "https://proxy.example:8443")],
        &[("origin", "https://app.example/")],
        &[("origin", "HTTPS://APP.EXAMPLE")],
        &[("origin", "https://app.example, https://evil.example")],
        &[("origin", LISTED), ("origin", LISTED)],
        &[("origin", "")],
        &[("origin", "null")],
        &[("origin", "null"), ("sec-fetch-site", "same-origin")],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ];
    for headers in foreign {
        let answer = answer(&from(headers).receive(&policy()));
        assert_eq!(answer.status, 403, "{headers:?}");
        assert!(!answer.has_cors(), "{headers:?}");
    }
}

#[test]
fn own_and_listed_pages_and_callers_that_are_no_page_are_let_through() {
    let own: &[&[(&str, &str)]] = &[
        &[],
        &[("origin", ORIGIN)],
        &[("Origin", ORIGIN), ("Sec-Fetch-Site", "same-origin")],
        // TLS ends before the proxy.
        &[("origin", "http://proxy.example"), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[("origin", LISTED)],
        &[("origin", LISTED), ("sec-fetch-site", "cross-site")],
    ];
    for headers in own {
        assert_eq!(from(headers).receive(&policy()).step(), &Step::Authorize, "{headers:?}");
    }
}

#[test]
fn nothing_is_listed_where_nothing_is_said() {
    let policy = policy_with(json!({ "allowedOrigins": [] }));
    assert_eq!(from(&[("origin", LISTED)]).refused_by(&policy), 403);
}

#[test]
fn answers_to_a_listed_origin_can_be_read_by_it_alone() {
    let path = session_path();
    let refused = |call: &Call| answer(&call.run(&policy()));
    let listed = [
        call("GET", &path).header("origin", LISTED).answered(200, "{}"),
        refused(&call("GET", &path).header("origin", LISTED).nobody()),
        refused(&call("GET", "/crm").header("origin", LISTED)),
    ];
    for answer in listed {
        assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(answer.header("access-control-expose-headers"), Some("request-id, retry-after"));
        assert_eq!(answer.header("vary"), Some("origin"));
    }
    for own in [call("GET", &path), call("GET", &path).header("origin", ORIGIN)] {
        let answer = own.answered(200, "{}");
        assert!(!answer.has_cors());
        // A cache in between must not hand this answer to a listed origin.
        assert_eq!(answer.header("vary"), Some("origin"));
    }
}
