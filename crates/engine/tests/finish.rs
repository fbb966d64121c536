//! Finish: its answers, the wait for a file that is being made, and answers that were lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use serde_json::json;
use support::Action;
use support::observe::Scenario;
use support::server::Fault;
use upload_session_engine::config::DigestMode;
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::State;
use upload_session_engine::request::Operation::{Create, Delete, Finish, Get, Upload};

const COMPLAINT: &str = r#"{"message":"The checksum differs"}"#;

#[test]
fn accepted_finish_is_asked_after_again_when_the_server_says() {
    // The server says 2 s.
    let mut sim = small().fault(Finish, None, Fault::Accepted).fault(Finish, None, Fault::Accepted).sim_at(10);
    sim.run();
    sim.assert_done();
    let sends = sim.sends_of(Finish, None);
    assert_eq!(sends.len(), 3);
    for pair in sends.windows(2) {
        assert_eq!(pair[1].at - pair[0].at, Duration::from_millis(2010));
    }
    assert!(sim.retries().is_empty(), "it is no failure");
    assert_eq!(sim.count(Get), 1);
}

#[test]
fn accepted_finish_is_asked_after_once_a_second_at_most() {
    let mut sim = small().fault(Finish, None, Fault::Answer(202, "")).sim_at(10);
    sim.run();
    sim.assert_done();
    let sends = sim.sends_of(Finish, None);
    assert_eq!(sends[1].at - sends[0].at, Duration::from_millis(1010));
}

#[test]
fn accepted_finish_that_is_never_done_is_a_timeout() {
    let limit = Duration::from_secs(30);
    let sim =
        small().config(|config| config.retry.max_elapsed_time = limit).always(Finish, None, Fault::Accepted).run();
    assert_eq!(sim.code(), ErrorCode::Timeout);
    assert!(sim.error().retryable);
    let sends = sim.sends_of(Finish, None);
    let waited = sends.last().unwrap().at - sends[0].at;
    assert!(waited <= limit && waited > limit - Duration::from_secs(3), "{waited:?}");
    assert_eq!(sim.count(Delete), 0, "the caller may still ask for it");
}

#[test]
fn accepted_finish_with_a_wait_beyond_the_policy_is_a_timeout_at_once() {
    let mut sim = small().fault(Finish, None, Fault::StatusAfter(202, 901)).sim();
    sim.run_until_state(State::Failed);
    assert_eq!(sim.code(), ErrorCode::Timeout);
    assert!(sim.now < Duration::from_secs(10));
}

#[test]
fn finish_that_was_done_with_its_answer_lost_is_done() {
    for fault in [Fault::LostAnswer, Fault::DoneBut(504), Fault::DoneBut(409)] {
        let sim = small().fault(Finish, None, fault).run();
        assert_eq!(sim.upload.state(), State::Done);
        sim.server.assert_whole();
        assert_eq!(sim.file(), json!({"id": "session", "name": "file.bin", "size": 10}));
        assert_eq!(sim.warnings(), ["file_id_unknown"]);
        assert_eq!(sim.operations().split_off(5), [Finish, Get]);
        assert_eq!(sim.states().last(), Some(&State::Done));
    }
}

#[test]
fn finish_that_was_not_done_is_sent_again_after_asking() {
    for fault in [Fault::LostRequest, Fault::Status(503), Fault::Hang] {
        let sim = small().fault(Finish, None, fault).run();
        sim.assert_done();
        assert_eq!(sim.operations().split_off(5), [Finish, Get, Finish]);
        let (retry, sends) = (&sim.retries()[0], &sim.sent);
        assert_eq!((retry.operation, retry.attempt), (Finish, 1));
        assert_eq!(sends[6].at, retry.told_at + retry.delay, "the wait comes before the question");
        assert_eq!(sends[7].request.digest, sends[5].request.digest);
    }
}

#[test]
fn every_lost_finish_is_asked_after() {
    let sim = small().fault(Finish, None, Fault::LostRequest).fault(Finish, None, Fault::LostRequest).run();
    sim.assert_done();
    assert_eq!(sim.operations().split_off(5), [Finish, Get, Finish, Get, Finish]);
}

#[test]
fn finish_that_was_refused_for_now_is_sent_again_without_asking() {
    let sim = small().fault(Finish, None, Fault::StatusAfter(429, 3)).run();
    sim.assert_done();
    assert_eq!(sim.operations().split_off(5), [Finish, Finish]);
}

#[test]
fn question_after_a_lost_finish_is_retried_by_itself() {
    let sim = small()
        .fault(Get, None, Fault::Status(503)) // the one at the start
        .fault(Finish, None, Fault::LostRequest)
        .run();
    sim.assert_done();
    let mut sim = small().fault(Finish, None, Fault::LostAnswer).sim();
    sim.run_until_state(State::Finishing);
    sim.server.scripted.push((Get, None, Fault::Status(503)));
    sim.run();
    assert_eq!(sim.upload.state(), State::Done);
    assert_eq!(sim.operations().split_off(5), [Finish, Get, Get]);
}

#[test]
fn failed_question_after_a_lost_finish_is_the_error() {
    for (fault, code) in [
        (Fault::Status(404), ErrorCode::SessionExpired),
        (Fault::Status(403), ErrorCode::Forbidden),
        (Fault::Page, ErrorCode::Protocol),
        (Fault::Unsendable, ErrorCode::Unauthorized),
    ] {
        let mut sim = small().fault(Finish, None, Fault::LostRequest).sim();
        sim.run_until_state(State::Finishing);
        sim.server.scripted.push((Get, None, fault));
        sim.run();
        assert_eq!(sim.code(), code);
        assert_eq!(sim.count(Finish), 1);
    }
}

#[test]
fn refused_finish_has_its_error() {
    for (fault, code) in [
        (Fault::Status(400), ErrorCode::BadRequest),
        (Fault::Answer(422, COMPLAINT), ErrorCode::DigestMismatch),
        (Fault::Answer(201, r#"{"data":{"name":"file.bin"}}"#), ErrorCode::Protocol),
        (Fault::Page, ErrorCode::Protocol),
        (Fault::Unsendable, ErrorCode::Unauthorized),
    ] {
        let sim = small().fault(Finish, None, fault).run();
        assert_eq!(sim.code(), code, "{fault:?}");
        assert_eq!(sim.error().part_number, None);
        assert_eq!(sim.operations(), [Create, Get, Upload, Upload, Upload, Finish], "{fault:?}");
        assert_eq!(sim.states(), [State::Starting, State::Uploading, State::Finishing, State::Failed]);
    }
}

#[test]
fn finish_that_is_refused_as_done_and_is_not_has_its_error() {
    let sim = small().fault(Finish, None, Fault::Status(409)).run();
    assert_eq!(sim.code(), ErrorCode::Conflict);
    assert_eq!(sim.operations().split_off(5), [Finish, Get]);
}

#[test]
fn failed_finish_leaves_the_session_to_an_abort_unless_it_is_gone() {
    for (fault, deletions) in [(Fault::Status(400), 1), (Fault::Status(404), 0), (Fault::Expire, 0)] {
        let mut sim = small().fault(Finish, None, fault).run();
        sim.act(Action::Abort);
        sim.run();
        assert_eq!(sim.count(Delete), deletions);
    }
}

#[test]
fn complaint_of_a_digest_that_was_not_sent_is_a_plain_error() {
    for mode in [DigestMode::Parts, DigestMode::None] {
        let sim =
            small().config(|config| config.digest = mode).fault(Finish, None, Fault::Answer(422, COMPLAINT)).run();
        assert_eq!(sim.code(), ErrorCode::Unprocessable);
    }
}

#[test]
fn progress_is_whole_while_the_file_is_being_made() {
    let mut sim = small().fault(Finish, None, Fault::Accepted).sim_at(1);
    sim.run_until_state(State::Finishing);
    sim.run_for(Duration::from_secs(1));
    assert_eq!(sim.upload.state(), State::Finishing);
    let (_, progress) = *sim.progress_events().last().unwrap();
    assert_eq!((progress.confirmed, progress.parts_done, progress.parts_in_flight), (10, 3, 0));
}

fn small() -> Scenario {
    Scenario::sequential(10, 4)
}
