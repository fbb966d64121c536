//! Rule 7: signed session ids.

use std::time::Duration;

use serde_json::json;
use upload_session_edge::token::{LIFE, Owner};

use crate::harness::*;

fn get(token: &str) -> Call {
    call("GET", &format!("{SESSIONS}/{token}"))
}

#[test]
fn an_id_that_create_gave_is_good_for_its_owner() {
    let answer = create(&file()).answered(201, r#"{"data":{"id":"s/1"}}"#);
    let token = answer.json()["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(token.split('.').nth(1), Some((NOW + LIFE).as_secs().to_string().as_str()));
    let path = token.replace('/', "%2F");
    assert_eq!(get(&path).sent().url, format!("https://api.example{SESSIONS}/s%2F1"));
    assert_eq!(get(&path).grant(json!({ "consumerId": "bob" })).refused(), 404);
}

#[test]
fn every_bad_id_gets_one_and_the_same_answer() {
    let good = signed("s1", Some(100), &alice());
    let (id, rest) = good.split_once('.').unwrap();
    let (expiry, rest) = rest.split_once('.').unwrap();
    let (size, mac) = rest.split_once('.').unwrap();
    let expired = signed_at("s1", Some(100), &alice(), NOW - LIFE);
    let bob = Owner { consumer_id: "bob".into(), service_id: None };
    let boxed = Owner { consumer_id: "alice".into(), service_id: Some("box".into()) };
    let bad = [
        "s1".to_owned(),
        ".".repeat(3),
        format!("{id}.{expiry}.{size}."),
        format!("{id}.{expiry}.{size}"),
        format!("{expiry}.{size}.{mac}"),
        format!("s2.{expiry}.{size}.{mac}"),
        format!("{id}.{expiry}.{size}.{}", &mac[..42]),
        format!("{id}.{expiry}.{size}.{mac}A"),
        format!("{id}.{expiry}.{size}.{mac}="),
        format!("{id}.{expiry}.{size}.{}", "A".repeat(43)),
        format!("{id}.{}.{size}.{mac}", expiry.parse::<u64>().unwrap() + 1),
        format!("{id}.0{expiry}.{size}.{mac}"),
        format!("{id}.+{expiry}.{size}.{mac}"),
        format!("{id}.99999999999999999999.{size}.{mac}"),
        format!("{id}.{expiry}.101.{mac}"),
        format!("{id}.{expiry}.-.{mac}"),
        format!("{id}.{expiry}.0100.{mac}"),
        format!("{id}%2E{expiry}.{size}.{mac}%00"),
        format!("{good}.{mac}"),
        "%ff%fe".to_owned(),
        "%".to_owned(),
        expired,
        signed("s1", Some(100), &bob),
        signed("s1", Some(100), &boxed),
    ];
    let expected = answer(&get("x").run(&policy()));
    assert_eq!(expected.status, 404);
    assert_eq!(get(&good).sent().method, "GET");
    for token in bad {
        assert_eq!(answer(&get(&token).run(&policy())), expected, "{token}");
        let path = format!("{SESSIONS}/{token}");
        assert_eq!(answer(&part(&path, "part_number=0").run(&policy())), expected, "{token}");
        assert_eq!(answer(&call("DELETE", &path).run(&policy())), expected, "{token}");
        assert_eq!(answer(&call("POST", &format!("{path}/finish")).run(&policy())), expected, "{token}");
    }
}

#[test]
fn an_id_belongs_to_the_connector_it_was_created_with() {
    let boxed = Owner { consumer_id: "alice".into(), service_id: Some("box".into()) };
    let token = signed("s1", None, &boxed);
    assert_eq!(get(&token).refused(), 404);
    assert_eq!(get(&token).header("x-apideck-service-id", "dropbox").refused(), 404);
    assert_eq!(get(&token).header("x-apideck-service-id", "box").sent().header("x-apideck-service-id"), Some("box"));
    assert_eq!(get(&token).grant(json!({ "consumerId": "alice", "serviceId": "box" })).sent().method, "GET");
    assert_eq!(get(&token).grant(json!({ "consumerId": "alice", "serviceId": "dropbox" })).refused(), 404);
}

#[test]
fn no_two_sessions_are_signed_alike() {
    let of = |id: &str, consumer_id: &str, service_id: Option<&str>| {
        let owner = Owner { consumer_id: consumer_id.into(), service_id: service_id.map(str::to_owned) };
        signed(id, None, &owner).rsplit('.').next().unwrap().to_owned()
    };
    // Bytes that move from one field to the next, whatever stands between the fields.
    for separator in ["", "\0", "\u{1}", "."] {
        let (long, short) = (format!("x{separator}y"), format!("y{separator}z"));
        assert_ne!(of(&long, "z", None), of("x", &short, None));
        assert_ne!(of("s", &long, Some("z")), of("s", "x", Some(&short)));
    }
    assert_ne!(of("s", "a", None), of("s", "a", Some("")));
}

#[test]
fn an_id_ends_to_the_second() {
    let status = |now: Duration| {
        let mut exchange = get(&signed("s1", None, &alice())).receive(&policy());
        exchange.granted(Some(&anything().to_string()), now);
        match exchange.step() {
            upload_session_edge::step::Step::Send { .. } => 0,
            _ => answer(&exchange).status,
        }
    };
    assert_eq!(status(NOW + LIFE - Duration::from_millis(1)), 0);
    assert_eq!(status(NOW + LIFE), 404);
    assert_eq!(status(Duration::MAX), 404);
}

#[test]
fn secrets_can_be_replaced_while_sessions_run() {
    let token = signed("s1", None, &alice());
    let after = policy_with(json!({ "sessionSecret": ["the newest secret of them all, 32+", RETIRED, SECRET] }));
    assert_eq!(get(&token).sent_by(&after).method, "GET");
    let gone = policy_with(json!({ "sessionSecret": ["the newest secret of them all, 32+"] }));
    assert_eq!(get(&token).refused_by(&gone), 404);
    // The first one signs.
    let mut exchange = create(&file()).run(&after);
    let answer_of_api = upload_session_engine::request::Response {
        status: 201,
        body: r#"{"data":{"id":"s1"}}"#.into(),
        ..Default::default()
    };
    exchange.answered(&answer_of_api, NOW);
    let token = answer(&exchange).json()["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(get(&token).sent_by(&gone).method, "GET");
}
