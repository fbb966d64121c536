//! Opening a session: create, get, and what becomes of a session that cannot be used.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use serde_json::{Value, json};
use support::Action;
use support::observe::Scenario;
use support::server::Fault;
use upload_session_engine::config::DigestMode;
use upload_session_engine::digest::Digest;
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::{Event, PartState, State};
use upload_session_engine::request::Operation::{self, Create, Delete, Finish, Get, Upload};

const PATH: &str = "/file-storage/upload-sessions";

#[test]
fn requests_go_from_create_to_finish() {
    let sim = Scenario::sequential(10, 4).run();
    sim.assert_done();
    assert_eq!(sim.operations(), [Create, Get, Upload, Upload, Upload, Finish]);
    assert_eq!(sim.parts_sent(), [0, 1, 2]);
    let targets: Vec<_> = sim.sent.iter().map(|sent| sent.request.target.clone()).collect();
    assert_eq!(targets[0], PATH);
    assert_eq!(targets[1], format!("{PATH}/session"));
    assert_eq!(targets[4], format!("{PATH}/session?part_number=2"));
    assert_eq!(targets[5], format!("{PATH}/session/finish"));
    assert_eq!(sim.upload.session_id(), Some("session"));
}

#[test]
fn create_says_what_was_configured() {
    let sim = Scenario::sequential(10, 4)
        .config(|config| {
            config.drive_id = Some("drive".into());
            config.pass_through = Some(json!([{"service_id": "box"}]).into());
        })
        .run();
    let body: Value = serde_json::from_str(sim.sent[0].request.json.as_ref().unwrap()).unwrap();
    let expected = json!({"name": "file.bin", "parent_folder_id": "root", "size": 10, "drive_id": "drive",
                          "pass_through": [{"service_id": "box"}]});
    assert_eq!(body, expected);
}

#[test]
fn part_size_beyond_what_a_part_may_have_is_a_protocol_error_where_the_file_has_as_much() {
    const LIMIT: u64 = 100 * 1024 * 1024;
    for (size, part_size, fits) in [(10, LIMIT + 1, true), (LIMIT + 1, LIMIT + 1, false), (LIMIT + 1, 1 << 40, false)] {
        let mut sim = Scenario::sequential(10, part_size).sim();
        sim.config.size = Some(size);
        sim.upload = upload_session_engine::upload::Upload::new(sim.config.clone(), 1).unwrap();
        sim.server.checks_size = false;
        sim.run_until(|sim| sim.result.is_some() || sim.count(Upload) > 0);
        assert_eq!(sim.count(Upload) > 0, fits, "{size} {part_size}");
        if !fits {
            assert_eq!((sim.code(), sim.server.deleted), (ErrorCode::Protocol, true));
        }
    }
}

#[test]
fn states_are_told_in_order_and_once() {
    let sim = Scenario::sequential(10, 4).run();
    assert_eq!(sim.states(), [State::Starting, State::Uploading, State::Finishing, State::Done]);
}

#[test]
fn result_is_the_data_of_finish() {
    let sim = Scenario::sequential(10, 4).run();
    assert_eq!(sim.file(), json!({"id": "file", "mime_type": "application/octet-stream"}));
}

#[test]
fn session_event_says_what_the_server_said() {
    let sim = Scenario::parallel(10, 4).run();
    let session = Event::Session {
        id: "session".into(),
        part_size: 4,
        parallel: true,
        resumed: false,
        expires_at: Some("2030-01-01T00:00:00Z".into()),
    };
    assert_eq!(sim.told(|event| matches!(event, Event::Session { .. }).then(|| event.clone())), [session]);
}

#[test]
fn session_that_does_not_say_so_is_sequential() {
    let sim = Scenario::sequential(10, 4)
        .fault(Get, None, Fault::Answer(200, r#"{"data":{"id":"session","part_size":4}}"#))
        .run();
    sim.assert_done();
    let told = sim.told(|event| match event {
        Event::Session { parallel, expires_at, .. } => Some((*parallel, expires_at.clone())),
        _ => None,
    });
    assert_eq!(told, [(false, None)]);
}

#[test]
fn part_events_follow_a_part_with_its_attempt() {
    let sim = Scenario::sequential(10, 4).run();
    let expected = [(PartState::Hashing, 0), (PartState::Queued, 0), (PartState::Sending, 1), (PartState::Done, 1)];
    for part in 0..3 {
        assert_eq!(sim.part_events(part), expected);
    }
    let ranges = sim.told(|event| match event {
        Event::Part { range, state: PartState::Done, .. } => Some(range.clone()),
        _ => None,
    });
    assert_eq!(ranges, [0..4, 4..8, 8..10]);
}

#[test]
fn digests_are_sent_as_configured() {
    for (mode, of_parts, of_file) in
        [(DigestMode::PartsAndFile, true, true), (DigestMode::Parts, true, false), (DigestMode::None, false, false)]
    {
        let sim = Scenario::sequential(10, 4).config(|config| config.digest = mode).run();
        sim.assert_done();
        let digest = |range: std::ops::Range<usize>| Some(Digest::of(&sim.server.file[range]).to_string());
        let sent = |operation, part| sim.sends_of(operation, part)[0].request.digest.clone();
        assert_eq!(sent(Upload, Some(1)), digest(4..8).filter(|_| of_parts), "{mode:?}");
        assert_eq!(sent(Finish, None), digest(0..10).filter(|_| of_file), "{mode:?}");
        assert_eq!(sim.upload.progress().hashed, if of_parts { 10 } else { 0 });
    }
}

#[test]
fn without_digests_nothing_is_read() {
    let sim = Scenario::parallel(10, 4).config(|config| config.digest = DigestMode::None).run();
    assert!(sim.reads.is_empty());
    assert_eq!(sim.part_events(0), [(PartState::Queued, 0), (PartState::Sending, 1), (PartState::Done, 1)]);
}

#[test]
fn second_start_does_nothing() {
    let mut sim = Scenario::sequential(10, 4).sim();
    sim.run();
    sim.run();
    assert_eq!(sim.count(Create), 1);
}

#[test]
fn refused_create_fails_and_leaves_nothing_to_delete() {
    for (status, code) in [(400, ErrorCode::BadRequest), (402, ErrorCode::PaymentRequired), (404, ErrorCode::NotFound)]
    {
        let mut sim = Scenario::sequential(10, 4).fault(Create, None, Fault::Status(status)).run();
        assert_eq!(sim.code(), code);
        assert_eq!(sim.states(), [State::Starting, State::Failed]);
        let answer = sim.error().answer.as_ref().unwrap();
        assert_eq!((answer.type_name.as_deref(), answer.request_id.as_deref()), (Some("TestError"), Some("r-1")));
        sim.act(Action::Abort);
        sim.run();
        assert_eq!(sim.operations(), [Create]);
        assert_eq!(sim.upload.state(), State::Aborted);
    }
}

#[test]
fn create_that_names_no_usable_session_is_a_protocol_error() {
    for body in [r#"{"data":{}}"#, r#"{"data":{"id":""}}"#, r#"{"data":{"id":".."}}"#, "<html>Log in</html>"] {
        let sim = Scenario::sequential(10, 4).fault(Create, None, Fault::Answer(201, body)).run();
        assert_eq!(sim.code(), ErrorCode::Protocol, "{body}");
        assert_eq!(sim.error().answer.as_ref().unwrap().detail, Some(body.into()));
        assert_eq!(sim.operations(), [Create]);
    }
}

#[test]
fn create_without_an_answer_within_its_timeout_is_cancelled_and_sent_again() {
    let sim = Scenario::sequential(10, 4).fault(Create, None, Fault::Hang).run();
    sim.assert_done();
    assert_eq!(sim.cut, [(Create, None)]);
    let (first, retries) = (&sim.sent[0], sim.retries());
    assert_eq!(retries.len(), 1);
    assert_eq!(retries[0].error.code, ErrorCode::Timeout);
    assert_eq!((retries[0].operation, retries[0].attempt), (Create, 1));
    assert_eq!(retries[0].told_at - first.at, Duration::from_secs(60));
    assert_eq!(sim.sends_of(Create, None)[1].at, retries[0].told_at + retries[0].delay);
}

#[test]
fn own_timeout_is_kept() {
    let sim = Scenario::sequential(10, 4)
        .config(|config| config.timeout = Duration::from_secs(5))
        .fault(Get, None, Fault::Hang)
        .run();
    sim.assert_done();
    assert_eq!(sim.retries()[0].told_at - sim.sends_of(Get, None)[0].at, Duration::from_secs(5));
}

#[test]
fn early_timeout_does_no_harm() {
    let mut sim = Scenario::sequential(10, 4).fault(Create, None, Fault::Hang).sim();
    sim.run_until_sent(Create, None, 1);
    for _ in 0..3 {
        let now = sim.at();
        sim.upload.handle_timeout(now);
    }
    sim.run();
    sim.assert_done();
    assert_eq!(sim.retries()[0].told_at - sim.sent[0].at, Duration::from_secs(60));
}

#[test]
fn session_that_is_gone_when_asked_for_has_expired() {
    for status in [404, 410] {
        let mut sim = Scenario::sequential(10, 4).fault(Get, None, Fault::Status(status)).run();
        assert_eq!(sim.code(), ErrorCode::SessionExpired);
        sim.act(Action::Abort);
        sim.run();
        assert_eq!(sim.operations(), [Create, Get]);
    }
}

#[test]
fn refused_get_leaves_the_session_to_an_abort() {
    let mut sim = Scenario::sequential(10, 4).fault(Get, None, Fault::Status(403)).run();
    assert_eq!(sim.code(), ErrorCode::Forbidden);
    assert_eq!(sim.operations(), [Create, Get]);
    sim.act(Action::Abort);
    sim.run();
    assert_eq!(sim.operations(), [Create, Get, Delete]);
    assert!(sim.abort_ended && sim.server.deleted);
}

#[test]
fn session_of_a_senseless_part_size_is_deleted() {
    for body in [
        "<html>Log in</html>",
        r#"{"data":{"id":"session"}}"#,
        r#"{"data":{"id":"session","part_size":null}}"#,
        r#"{"data":{"id":"session","part_size":0}}"#,
        r#"{"data":{"id":"session","part_size":-4}}"#,
        r#"{"data":{"id":"session","part_size":4.5}}"#,
        r#"{"data":{"id":"session","part_size":"4"}}"#,
    ] {
        let sim = Scenario::sequential(10, 4).fault(Get, None, Fault::Answer(200, body)).run();
        assert_eq!(sim.code(), ErrorCode::Protocol, "{body}");
        assert_eq!(sim.operations(), [Create, Get, Delete], "{body}");
        assert!(sim.server.deleted && sim.warnings().is_empty());
        assert_eq!(sim.states(), [State::Starting, State::Failed]);
    }
}

#[test]
fn session_of_too_many_parts_is_deleted() {
    let sim = Scenario::sequential(10_002, 1).run();
    assert_eq!(sim.code(), ErrorCode::FileTooLarge);
    assert_eq!(sim.operations(), [Create, Get, Delete]);
    assert!(!sim.error().retryable);
    let mut fits = Scenario::parallel(10_001, 1).sim();
    fits.run_until_sent(Upload, 0, 1);
}

#[test]
fn abort_after_a_session_was_discarded_sends_nothing() {
    let mut sim = Scenario::sequential(10_002, 1).run();
    sim.act(Action::Abort);
    sim.run();
    assert_eq!(sim.count(Delete), 1);
}

#[test]
fn failed_deletion_is_a_warning_and_the_error_stays() {
    let sim = discarding([Fault::Status(403)]).run();
    assert_eq!(sim.code(), ErrorCode::FileTooLarge);
    assert_eq!(sim.warnings(), ["session_not_deleted"]);
}

#[test]
fn session_gone_before_its_deletion_is_as_good_as_deleted() {
    for status in [404, 410] {
        let sim = discarding([Fault::Status(status)]).run();
        assert_eq!(sim.code(), ErrorCode::FileTooLarge);
        assert!(sim.warnings().is_empty());
    }
}

#[test]
fn deletion_is_tried_again() {
    let sim = discarding([Fault::Status(503), Fault::LostRequest]).run();
    assert_eq!(sim.operations(), [Create, Get, Delete, Delete, Delete]);
    assert!(sim.server.deleted && sim.warnings().is_empty());
    assert_eq!(sim.retries().iter().map(|retry| retry.operation).collect::<Vec<Operation>>(), [Delete, Delete]);
}

#[test]
fn session_that_was_not_deleted_is_left_to_an_abort() {
    let mut sim = discarding([Fault::Status(403)]).run();
    sim.act(Action::Abort);
    sim.run();
    assert!(sim.abort_ended && sim.server.deleted);
    assert_eq!(sim.count(Delete), 2);
}

#[test]
fn request_that_cannot_be_made_ends_the_opening_with_its_error() {
    for (operation, operations) in [(Create, vec![Create]), (Get, vec![Create, Get])] {
        let sim = Scenario::sequential(10, 4).fault(operation, None, Fault::Unsendable).run();
        assert_eq!(sim.error().message, "The token function threw");
        assert_eq!(sim.operations(), operations);
    }
}

#[test]
fn deletion_that_cannot_be_made_is_a_warning_and_the_error_stays() {
    let sim = discarding([Fault::Unsendable]).run();
    assert_eq!(sim.code(), ErrorCode::FileTooLarge);
    assert_eq!(sim.warnings(), ["session_not_deleted"]);
}

/// A session that cannot be used, and what its deletions meet.
fn discarding<const N: usize>(faults: [Fault; N]) -> Scenario {
    faults.into_iter().fold(Scenario::sequential(10_002, 1), |scenario, fault| scenario.fault(Delete, None, fault))
}
