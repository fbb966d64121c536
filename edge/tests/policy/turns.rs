//! What comes when it was not asked for, and what goes wrong outside of the policy.

use upload_session_edge::failure::Failure;
use upload_session_edge::step::Step;
use upload_session_engine::request::Response;

use crate::harness::*;

#[test]
fn every_failure_has_its_status_in_every_step() {
    let failures = [
        ("body_too_large", 413),
        ("body_broken", 400),
        ("timeout", 504),
        ("unreachable", 502),
        ("answer_too_large", 502),
        ("authorize_failed", 500),
        ("misconfigured", 500),
        ("something else", 500),
    ];
    let policy = policy();
    for (name, status) in failures {
        let authorizing = create(&file()).header("origin", LISTED).receive(&policy);
        let mut reading = create(&file()).header("origin", LISTED).receive(&policy);
        reading.granted(Some(&anything().to_string()), NOW);
        let sending = call("GET", &session_path()).header("origin", LISTED).run(&policy);
        for mut exchange in [authorizing, reading, sending] {
            exchange.failed(Failure::from_name(name));
            let answer = answer(&exchange);
            assert_eq!((answer.status, answer.json()["status_code"].as_u64()), (status, Some(status.into())), "{name}");
            assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED));
        }
    }
}

#[test]
fn without_a_policy_the_answer_is_the_same() {
    let Step::Answer { status, headers, body } = Failure::Misconfigured.to_step() else { panic!("no answer") };
    let answer = Answer { status, headers, body };
    assert_eq!((answer.status, answer.json()["type_name"].as_str()), (500, Some("UnexpectedError")));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn an_answer_stands_whatever_comes_after_it() {
    let mut exchange = call("GET", "/").run(&policy());
    let before = exchange.step().clone();
    exchange.granted(Some(&anything().to_string()), NOW);
    exchange.read("{}");
    exchange.answered(&Response { status: 200, ..Response::default() }, NOW);
    exchange.failed(Failure::Timeout);
    assert_eq!(exchange.step(), &before);
}

#[test]
fn what_does_not_fit_the_step_is_500_and_sends_nothing() {
    let policy = policy();
    let grant = anything().to_string();
    let response = Response { status: 200, body: "{}".into(), ..Response::default() };

    let mut exchange = create(&file()).receive(&policy);
    exchange.read(&file().to_string());
    assert_eq!(answer(&exchange).status, 500);

    let mut exchange = create(&file()).receive(&policy);
    exchange.answered(&response, NOW);
    assert_eq!(answer(&exchange).status, 500);

    let mut exchange = create(&file()).receive(&policy);
    exchange.granted(Some(&grant), NOW);
    exchange.granted(Some(&grant), NOW);
    assert_eq!(answer(&exchange).status, 500);

    let mut exchange = call("GET", &session_path()).run(&policy);
    exchange.granted(Some(&grant), NOW);
    assert_eq!(answer(&exchange).status, 500);
}

#[test]
fn steps_cross_the_boundary_as_agreed() {
    let json = |step: &Step| serde_json::from_str::<serde_json::Value>(&step.to_json()).unwrap();
    let authorize = call("GET", &session_path()).receive(&policy());
    assert_eq!(json(authorize.step()), serde_json::json!({ "do": "authorize" }));
    assert_eq!(json(&Step::Read { limit: 9 }), serde_json::json!({ "do": "read", "limit": 9 }));
    let send = call("DELETE", &session_path()).run(&policy());
    assert_eq!(
        json(send.step()),
        serde_json::json!({
            "do": "send",
            "method": "DELETE",
            "url": format!("https://api.example{SESSIONS}/s1"),
            "headers": [
                ["authorization", format!("Bearer {API_KEY}")],
                ["x-apideck-app-id", "app"],
                ["x-apideck-consumer-id", "alice"],
            ],
            "body": null,
            "length": null,
        })
    );
    let step = Step::Answer { status: 204, headers: vec![("vary", "origin".into())], body: None };
    assert_eq!(
        json(&step),
        serde_json::json!({ "do": "answer", "status": 204, "headers": [["vary", "origin"]], "body": null })
    );
}
