//! Rule 1: six routes exist.

use serde_json::json;

use crate::harness::*;

#[test]
fn six_routes_exist_and_reach_the_same_six_of_the_api() {
    let path = session_path();
    let upstream = format!("https://api.example{SESSIONS}");
    let calls = [
        (create(&file()), "POST", upstream.clone()),
        (call("GET", &path), "GET", format!("{upstream}/s1")),
        (part(&path, "part_number=3"), "PUT", format!("{upstream}/s1?part_number=3")),
        (call("DELETE", &path), "DELETE", format!("{upstream}/s1")),
        (call("POST", &format!("{path}/finish")), "POST", format!("{upstream}/s1/finish")),
        (direct(&file()), "POST", format!("https://api.example{FILES}")),
    ];
    for (call, method, url) in calls {
        let sent = call.sent();
        assert_eq!((sent.method, sent.url), (method, url));
    }
}

#[test]
fn every_other_path_is_404() {
    let path = session_path();
    let token = &path[SESSIONS.len() + 1..];
    let paths = [
        "/".to_owned(),
        "//".to_owned(),
        "/file-storage".to_owned(),
        "/file-storage/".to_owned(),
        "/file-storage/drives".to_owned(),
        "/crm/contacts".to_owned(),
        "/vault/sessions".to_owned(),
        format!("{SESSIONS}/"),
        format!("{SESSIONS}//"),
        format!("{SESSIONS}//finish"),
        format!("{SESSIONS}s"),
        format!("/{SESSIONS}"),
        format!("//file-storage/upload-sessions/{token}"),
        format!("/file-storage//upload-sessions/{token}"),
        format!("{SESSIONS}//{token}"),
        format!("{path}/"),
        format!("{path}//finish"),
        format!("{path}/finish/"),
        format!("{path}/finish/more"),
        format!("{path}/Finish"),
        format!("{path}/%66inish"),
        format!("{path}%2Ffinish/x"),
        format!("{path}/parts"),
        format!("/file-storage%2Fupload-sessions/{token}"),
        format!("/file%2Dstorage/upload-sessions/{token}"),
        format!("/FILE-STORAGE/upload-sessions/{token}"),
        format!("{FILES}/"),
        format!("{FILES}/f1"),
        format!("{FILES}/f1/download"),
        format!("{FILES};x=1"),
        format!("{SESSIONS}/.."),
        format!("{SESSIONS}/%2e%2e"),
        format!("{SESSIONS}/../drives"),
        format!("{SESSIONS}/%2E%2e/drives/x"),
        format!("{SESSIONS}/..\\..\\crm"),
        format!("{path}/../../../crm/contacts"),
    ];
    for path in paths {
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = answer(&call(method, &path).receive(&policy()));
            assert_eq!(answer.status, 404, "{method} {path}");
            assert_eq!(answer.json()["message"], "Not Found");
        }
    }
}

#[test]
fn every_other_method_is_404_whatever_overrides_it() {
    let path = session_path();
    let finish = format!("{path}/finish");
    let known = [(SESSIONS, vec!["POST"]), (FILES, vec!["POST"]), (&path, vec!["GET", "PUT", "DELETE"])];
    let known = known.into_iter().chain([(finish.as_str(), vec!["POST"])]);
    for (path, methods) in known {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "", "*"] {
            let call = call(method, path).header("x-http-method-override", methods[0]).header("origin", ORIGIN);
            let exchange = call.receive(&policy());
            if methods.contains(&method) {
                assert_eq!(exchange.step(), &upload_session_edge::step::Step::Authorize, "{method} {path}");
            } else {
                assert_eq!(answer(&exchange).status, 404, "{method} {path}");
            }
        }
    }
}

#[test]
fn a_base_path_is_part_of_every_route() {
    for base in ["/api/upload", "/api/upload/"] {
        let policy = policy_with(json!({ "basePath": base }));
        let below = format!("/api/upload{}", session_path());
        assert_eq!(call("GET", &below).sent_by(&policy).url, format!("https://api.example{SESSIONS}/s1"));
        for path in [session_path(), format!("/api/uploads{SESSIONS}/x"), format!("/api/upload/{}", session_path())] {
            assert_eq!(call("GET", &path).refused_by(&policy), 404, "{path}");
        }
    }
}

#[test]
fn an_unknown_route_is_404_before_anybody_is_asked() {
    assert_eq!(answer(&call("GET", "/crm").header("origin", "https://evil.example").receive(&policy())).status, 404);
}

#[test]
fn the_id_is_decoded_once_and_encoded_again() {
    for (id, encoded) in [("a/b", "a%2Fb"), ("a.b", "a.b"), ("é ?#%", "%C3%A9%20%3F%23%25"), ("..%2f", "..%252f")] {
        let token = signed(id, None, &alice());
        let path: String = token.bytes().map(|byte| format!("%{byte:02x}")).collect();
        assert_eq!(
            call("GET", &format!("{SESSIONS}/{path}")).sent().url,
            format!("https://api.example{SESSIONS}/{encoded}")
        );
        let twice = path.replace('%', "%25");
        assert_eq!(call("GET", &format!("{SESSIONS}/{twice}")).refused(), 404, "{id}");
    }
}

#[test]
fn an_upstream_below_a_path_keeps_it() {
    for upstream in ["https://api.example/a/b", "https://api.example/a/b/"] {
        let policy = policy_with(json!({ "upstream": upstream }));
        let url = call("GET", &session_path()).sent_by(&policy).url;
        assert_eq!(url, format!("https://api.example/a/b{SESSIONS}/s1"));
    }
}
