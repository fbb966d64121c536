//! What holds for every input, shown with 10,000 random ones each.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use upload_session_edge::exchange::Exchange;
use upload_session_edge::failure::Failure;
use upload_session_edge::step::Step;
use upload_session_edge::token::{Keyring, LIFE, Owner, Session};
use upload_session_edge::url::Url;
use upload_session_engine::request::Response;

use crate::harness::*;

/// Texts that look like something, and texts that look like nothing.
fn garbage() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("/"),
        Just("//"),
        Just(".."),
        Just("."),
        Just("%2e"),
        Just("%2F"),
        Just("%"),
        Just("%00"),
        Just("?"),
        Just("\\"),
        Just("file-storage"),
        Just("upload-sessions"),
        Just("files"),
        Just("finish"),
        Just("part_number=0"),
        Just("&"),
        Just("raw=true"),
        Just("s1"),
        Just("-"),
        Just("1800000000"),
        Just("crm"),
        Just("\r\n"),
        Just("é"),
        Just("sha="),
        Just("{}"),
        Just("https://"),
        Just("null"),
        Just("9999999999999999999999"),
        Just(SESSIONS),
        Just(FILES),
    ];
    prop_oneof![any::<String>(), vec(pieces, 0..8).prop_map(|pieces| pieces.concat())]
}

fn method() -> impl Strategy<Value = String> {
    let known = prop_oneof![Just("GET"), Just("PUT"), Just("POST"), Just("DELETE"), Just("OPTIONS"), Just("HEAD")];
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

fn path() -> impl Strategy<Value = String> {
    let session = garbage().prop_map(|id| format!("{SESSIONS}/{id}"));
    let finish = garbage().prop_map(|id| format!("{SESSIONS}/{id}/finish"));
    prop_oneof![garbage(), session, finish, Just(SESSIONS.to_owned()), Just(FILES.to_owned())]
}

fn headers() -> impl Strategy<Value = Vec<String>> {
    let known = prop_oneof![
        Just("origin"),
        Just("sec-fetch-site"),
        Just("content-length"),
        Just("transfer-encoding"),
        Just("digest"),
        Just("content-type"),
        Just("x-apideck-service-id"),
        Just("x-apideck-metadata"),
        Just("access-control-request-method"),
    ];
    let name = prop_oneof![known.prop_map(str::to_owned), garbage()];
    let value = prop_oneof![garbage(), Just("10".to_owned()), Just(LISTED.to_owned()), Just(ORIGIN.to_owned())];
    vec(prop_oneof![name, value], 0..12)
}

/// Carries an exchange to its answer, or to a request to the API.
fn run(exchange: &mut Exchange, body: &str) {
    for _ in 0..4 {
        match exchange.step() {
            Step::Authorize => exchange.granted(Some(&anything().to_string()), NOW),
            Step::Read { .. } => exchange.read(body),
            Step::Send { .. } | Step::Answer { .. } => return,
        }
    }
    panic!("no end");
}

/// Tells whether it ended in an answer that says whose fault it is: not ours.
fn is_refused(exchange: &Exchange) -> bool {
    matches!(exchange.step(), Step::Answer { status, .. } if matches!(status, 204 | 400..=499))
}

fn ids() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z0-9./%é-]{0,40}", garbage()]
}

fn owners() -> impl Strategy<Value = Owner> {
    (any::<String>(), proptest::option::of(any::<String>()))
        .prop_map(|(consumer_id, service_id)| Owner { consumer_id, service_id })
}

fn keys() -> Keyring {
    Keyring::new(&[SECRET.to_owned(), RETIRED.to_owned()]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// No path, query, header or body that was not made for it is sent on, and none is our fault.
    #[test]
    fn garbage_is_refused(
        method in method(), path in path(), query in garbage(), headers in headers(), body in garbage()
    ) {
        let url = Url { origin: ORIGIN.into(), pathname: path, search: format!("?{query}"), has_credentials: false };
        let mut exchange = policy().receive(&method, &url, headers);
        run(&mut exchange, &body);
        prop_assert!(is_refused(&exchange), "{:?}", exchange);
    }

    /// The same through a URL parser.
    #[test]
    fn garbage_in_urls_is_refused(method in method(), target in garbage(), headers in headers(), body in garbage()) {
        let url = parse(&format!("{ORIGIN}/{target}")).unwrap_or_default();
        let mut exchange = policy().receive(&method, &url, headers);
        run(&mut exchange, &body);
        prop_assert!(is_refused(&exchange), "{:?}", exchange);
    }

    /// What the caller sends changes a header of the API's request nowhere but where a rule says so.
    #[test]
    fn the_identity_is_never_the_callers(headers in headers(), query in garbage()) {
        let url = Url { origin: ORIGIN.into(), pathname: session_path(), search: query, has_credentials: false };
        let mut exchange = policy().receive("GET", &url, headers);
        run(&mut exchange, "");
        if let Step::Send { headers, url, .. } = exchange.step() {
            prop_assert_eq!(&headers[0].1, &format!("Bearer {API_KEY}"));
            prop_assert_eq!((&*headers[1].1, &*headers[2].1, headers.len()), ("app", "alice", 3));
            let upstream = format!("https://api.example{SESSIONS}/s1");
            prop_assert!(url.starts_with(&upstream));
        }
    }

    /// No answer of the API makes the proxy answer with what no runtime can send, or say a secret.
    #[test]
    fn no_answer_of_the_api_gets_out_of_hand(
        status in any::<u16>(), body in garbage(), request_id in proptest::option::of(garbage()), key in any::<bool>()
    ) {
        let body = if key { format!("{{\"detail\":\"{API_KEY}{SECRET}\"}}") } else { body };
        let mut exchange = call("GET", &session_path()).run(&policy());
        exchange.answered(&Response { status, retry_after: request_id.clone(), request_id, body }, NOW);
        let answer = answer(&exchange);
        prop_assert!(matches!(answer.status, 200..=299 | 400..=599));
        prop_assert!(answer.headers.iter().all(|(_, value)| value.bytes().all(|byte| matches!(byte, b' '..=b'~'))));
        let body = answer.body.unwrap_or_default();
        prop_assert!(!body.contains(API_KEY) && !body.contains(SECRET));
    }

    /// Whatever order things come in, a request is only sent to who was granted it.
    #[test]
    fn no_order_of_events_sends_without_a_grant(events in vec(0..4_u8, 0..8), path in path()) {
        let url = Url { origin: ORIGIN.into(), pathname: path, search: String::new(), has_credentials: false };
        let mut exchange = policy().receive("POST", &url, Vec::new());
        for event in events {
            match event {
                0 => exchange.granted(None, NOW),
                1 => exchange.read(&file().to_string()),
                2 => exchange.answered(&Response { status: 200, body: "{}".into(), ..Response::default() }, NOW),
                _ => exchange.failed(Failure::Timeout),
            }
            let goes_on = matches!(exchange.step(), Step::Send { .. } | Step::Read { .. });
            prop_assert!(!goes_on);
        }
    }

    /// What was signed is read back, for its owner, whatever the API's id looks like.
    #[test]
    fn a_signed_id_is_its_sessions(id in ids(), size in proptest::option::of(any::<u64>()), owner in owners(), age in 0..604_800_u64) {
        let session = Session { id, size };
        let token = keys().sign(&session, &owner, NOW);
        prop_assert_eq!(keys().verify(&token, &owner, NOW + Duration::from_secs(age)), Some(session));
        prop_assert_eq!(keys().verify(&token, &owner, NOW + LIFE + Duration::from_secs(age)), None);
    }

    /// And nobody else's; nor does another secret fit.
    #[test]
    fn a_signed_id_is_nobody_elses(id in ids(), owner in owners(), other in owners()) {
        let session = Session { id, size: None };
        let token = keys().sign(&session, &owner, NOW);
        prop_assume!(owner != other);
        prop_assert_eq!(keys().verify(&token, &other, NOW), None);
        let mixed = Owner { service_id: Some(owner.service_id.clone().unwrap_or_default() + "x"), ..owner.clone() };
        prop_assert_eq!(keys().verify(&token, &mixed, NOW), None);
        let foreign = Keyring::new(&[RETIRED.to_owned()]).unwrap();
        prop_assert_eq!(foreign.verify(&token, &owner, NOW), None);
    }

    /// One letter more, less or other, anywhere: no id any more.
    #[test]
    fn a_changed_id_is_none(id in ids(), size in proptest::option::of(0..1000_u64), at in any::<proptest::sample::Index>(), other in any::<char>(), kind in 0..3_u8) {
        let token = keys().sign(&Session { id, size }, &alice(), NOW);
        let mut letters: Vec<char> = token.chars().collect();
        let at = at.index(letters.len());
        match kind {
            0 => letters[at] = other,
            1 => letters.insert(at, other),
            _ => drop(letters.remove(at)),
        }
        let changed: String = letters.into_iter().collect();
        prop_assume!(changed != token);
        prop_assert_eq!(keys().verify(&changed, &alice(), NOW), None);
    }

    /// The parser takes whatever comes.
    #[test]
    fn garbage_is_no_id(token in prop_oneof![ids(), "[a-z]{0,5}\\.[0-9]{0,22}\\.[0-9-]{0,22}\\.[A-Za-z0-9_-]{40,46}"], now in any::<u64>()) {
        prop_assert_eq!(keys().verify(&token, &alice(), Duration::from_secs(now)), None);
    }
}
