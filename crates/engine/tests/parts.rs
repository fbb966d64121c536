//! Parts: order, parallelism, retries, parts held already, digests the server complains of.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use support::observe::Scenario;
use support::server::Fault;
use support::{Action, Sim};
use upload_session_engine::config::{BodyMode, DigestMode};
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::{PartState, State};
use upload_session_engine::request::Operation::{Create, Delete, Finish, Get, Upload};

const COMPLAINT: Fault = Fault::Answer(422, r#"{"type_name":"UnprocessableError","message":"Digest mismatch"}"#);

#[test]
fn sequential_session_gets_one_part_at_a_time_in_order() {
    let sim = Scenario::sequential(100, 4).config(|config| config.concurrency = 6).run();
    sim.assert_done();
    assert_eq!(sim.peak, 1);
    assert_eq!(sim.parts_sent(), (0..25).collect::<Vec<_>>());
}

#[test]
fn sequential_session_waits_for_a_part_that_failed() {
    let sim = Scenario::sequential(12, 4).fault(Upload, 1, Fault::StatusAfter(503, 9)).run();
    sim.assert_done();
    assert_eq!(sim.parts_sent(), [0, 1, 1, 2]);
}

#[test]
fn parallel_session_gets_as_many_parts_at_once_as_configured() {
    for concurrency in [1, 3, 6] {
        let sim = Scenario::parallel(100, 4).config(|config| config.concurrency = concurrency).run();
        sim.assert_done();
        assert_eq!(sim.peak, concurrency);
    }
}

#[test]
fn parts_of_a_parallel_session_do_not_wait_for_one_that_failed() {
    let mut sim = Scenario::parallel(40, 4).fault(Upload, 0, Fault::StatusAfter(503, 60)).sim_at(10);
    sim.run();
    sim.assert_done();
    let retried = sim.sends_of(Upload, 0)[1].at;
    // The window stays open for what it holds: 4 in flight and 2 read ahead, the failed one among them.
    assert!(sim.sends_of(Upload, 5)[0].at + Duration::from_secs(50) < retried);
}

#[test]
fn only_the_part_that_failed_is_sent_again() {
    let sim = Scenario::parallel(20, 4).fault(Upload, 3, Fault::Status(503)).fault(Upload, 3, Fault::Status(503)).run();
    sim.assert_done();
    let mut sent = sim.parts_sent();
    sent.sort_unstable();
    assert_eq!(sent, [0, 1, 2, 3, 3, 3, 4]);
    assert_eq!(sim.reads.len(), 5, "a retry reads nothing");
}

#[test]
fn retries_are_told_with_attempt_delay_and_error() {
    let sim = Scenario::parallel(20, 4).fault(Upload, 3, Fault::Status(503)).fault(Upload, 3, Fault::Status(429)).run();
    let (retries, sends) = (sim.retries(), sim.sends_of(Upload, 3));
    assert_eq!(retries.len(), 2);
    for (index, (retry, code)) in retries.iter().zip([ErrorCode::ServerError, ErrorCode::RateLimited]).enumerate() {
        assert_eq!((retry.operation, retry.part, retry.attempt), (Upload, Some(3), index as u32 + 1));
        assert_eq!((retry.error.code, retry.error.part_number), (code, Some(3)));
        assert_eq!(sends[index + 1].at, retry.told_at + retry.delay);
    }
    let events: Vec<_> = sim.part_events(3).split_off(2);
    assert_eq!(
        events,
        [
            (PartState::Sending, 1),
            (PartState::Retrying, 1),
            (PartState::Sending, 2),
            (PartState::Retrying, 2),
            (PartState::Sending, 3),
            (PartState::Done, 3),
        ]
    );
}

#[test]
fn retry_after_is_waited_for_exactly() {
    for status in [429, 503] {
        let sim = Scenario::sequential(8, 4).fault(Upload, 0, Fault::StatusAfter(status, 7)).run();
        sim.assert_done();
        let retry = &sim.retries()[0];
        assert_eq!(retry.delay, Duration::from_secs(7));
        assert_eq!(sim.sends_of(Upload, 0)[1].at, retry.told_at + Duration::from_secs(7));
    }
}

#[test]
fn part_that_got_through_with_its_answer_lost_is_done() {
    for fault in [Fault::LostAnswer, Fault::DoneBut(504)] {
        let sim = Scenario::parallel(20, 4).once().fault(Upload, 2, fault).run();
        sim.assert_done();
        assert_eq!(sim.sends_of(Upload, 2).len(), 2, "the second is answered 409");
        assert_eq!(sim.part_events(2).last(), Some(&(PartState::Done, 2)));
        assert_eq!(sim.upload.progress().confirmed, 20);
    }
}

#[test]
fn part_that_got_through_in_spite_of_a_pause_is_done() {
    let mut sim = Scenario::sequential(8, 4).once().sim();
    sim.run_until_sent(Upload, 1, 1);
    sim.act(Action::Pause);
    sim.act(Action::Resume);
    sim.run();
    sim.assert_done();
    assert_eq!(sim.sends_of(Upload, 1).len(), 2, "the second is answered 409");
}

#[test]
fn part_that_the_browser_sent_twice_by_itself_is_done() {
    // The engine sent it once, and knows of no answer that was lost.
    let mut sim = Scenario::parallel(20, 4).once().sim();
    sim.run_until_sent(Upload, 0, 1);
    let bytes = sim.server.file[8..12].to_vec();
    sim.server.held.insert(2, bytes);
    sim.run();
    sim.assert_done();
    assert_eq!(sim.sends_of(Upload, 2).len(), 1);
    assert_eq!((sim.part_events(2).last(), sim.retries().len()), (Some(&(PartState::Done, 1)), 0));
}

#[test]
fn session_that_is_gone_has_expired_and_is_not_deleted() {
    for status in [404, 410] {
        let mut sim = Scenario::parallel(40, 4).fault(Upload, 2, Fault::Status(status)).run();
        assert_eq!(sim.code(), ErrorCode::SessionExpired);
        assert_eq!(sim.error().part_number, Some(2));
        sim.act(Action::Abort);
        sim.run();
        assert_eq!(sim.count(Delete), 0);
    }
}

#[test]
fn failed_part_cancels_the_others_and_leaves_the_session_to_an_abort() {
    let mut sim = Scenario::parallel(100, 4).fault(Upload, 2, Fault::Status(400)).sim_at(50);
    sim.run();
    assert_eq!(sim.code(), ErrorCode::BadRequest);
    assert_eq!(sim.states(), [State::Starting, State::Uploading, State::Failed]);
    assert_eq!(sim.operations().last(), Some(&Upload), "no finish and no delete");
    assert!(!sim.cut.is_empty());
    sim.act(Action::Abort);
    sim.run();
    assert!(sim.server.deleted && sim.abort_ended);
    assert_eq!(sim.code(), ErrorCode::BadRequest, "the end is told once");
    assert_eq!(sim.upload.state(), State::Aborted);
}

#[test]
fn every_status_of_a_part_has_its_error() {
    for (status, code) in [
        (400, ErrorCode::BadRequest),
        (401, ErrorCode::Unauthorized),
        (402, ErrorCode::PaymentRequired),
        (403, ErrorCode::Forbidden),
        (418, ErrorCode::HttpError),
        (422, ErrorCode::Unprocessable),
        (304, ErrorCode::Protocol),
    ] {
        let sim = Scenario::sequential(8, 4).fault(Upload, 1, Fault::Status(status)).run();
        assert_eq!(sim.code(), code);
        assert_eq!((sim.error().status(), sim.error().part_number), (Some(status), Some(1)));
        assert!(!sim.error().retryable);
        assert_eq!(sim.sends_of(Upload, 1).len(), 1);
    }
}

#[test]
fn success_that_names_nothing_is_no_acknowledgement() {
    for body in ["", "<html>Log in</html>", "{}", r#"{"data":{}}"#] {
        let sim = Scenario::sequential(8, 4).fault(Upload, 0, Fault::Answer(200, body)).run();
        assert_eq!(sim.code(), ErrorCode::Protocol, "{body}");
        assert_eq!(sim.error().part_number, Some(0));
        assert_eq!(sim.upload.progress().confirmed, 0);
        assert_eq!(sim.parts_sent(), [0]);
    }
}

#[test]
fn part_whose_digest_is_complained_of_is_hashed_and_sent_once_more() {
    let ways = [BodyMode::Blob, BodyMode::Buffer].into_iter().flat_map(|body| [(body, false), (body, true)]);
    for (body, rereads_file) in ways {
        let scenario =
            Scenario::parallel(20, 4).config(|config| (config.body, config.rereads_file) = (body, rereads_file));
        let sim = scenario.fault(Upload, 1, COMPLAINT).run();
        // The server checks the file's digest at finish: the second read left it alone.
        sim.assert_done();
        let reads: Vec<_> = sim.reads.iter().filter(|read| read.part == 1).collect();
        assert!(reads[0].wanted.file && reads[1..].iter().all(|read| !read.wanted.file));
        // What is read to be compared wants no digest.
        assert_eq!(reads[1..].iter().filter(|read| read.wanted.part).count(), 1, "{body:?} {rereads_file}");
        assert!(rereads_file || reads.len() == 2);
        assert_eq!(sim.sends_of(Upload, 1).len(), 2);
        let retry = &sim.retries()[0];
        assert_eq!((retry.part, retry.attempt, retry.delay), (Some(1), 1, Duration::ZERO));
        assert_eq!(retry.error.code, ErrorCode::Unprocessable);
        assert_eq!(sim.upload.progress().hashed, 20, "bytes hashed twice count once");
    }
}

#[test]
fn digest_that_was_computed_wrong_is_replaced_where_the_bytes_are_the_same() {
    for body in [BodyMode::Blob, BodyMode::Buffer] {
        let scenario = Scenario::parallel(20, 4).config(|config| (config.body, config.rereads_file) = (body, true));
        let mut sim = scenario.fault(Upload, 1, COMPLAINT).sim();
        sim.miscomputed = Some(1);
        sim.run();
        sim.assert_done();
        assert_eq!(sim.sends_of(Upload, 1).len(), 2, "{body:?}");
    }
}

#[test]
fn second_complaint_of_a_digest_is_a_mismatch() {
    let sim = Scenario::parallel(20, 4).fault(Upload, 1, COMPLAINT).fault(Upload, 1, COMPLAINT).run();
    assert_eq!(sim.code(), ErrorCode::DigestMismatch);
    assert_eq!((sim.error().part_number, sim.error().status()), (Some(1), Some(422)));
    assert_eq!(sim.sends_of(Upload, 1).len(), 2);
}

#[test]
fn other_bytes_at_the_second_read_mean_that_the_file_changed() {
    let mut sim = Scenario::sequential(8, 4).fault(Upload, 1, COMPLAINT).sim();
    sim.run_until_sent(Upload, 1, 1);
    sim.act(Action::ChangeFile);
    sim.run();
    assert_eq!(sim.code(), ErrorCode::FileChanged);
    assert_eq!(sim.error().part_number, Some(1));
    assert_eq!(sim.sends_of(Upload, 1).len(), 1);
}

#[test]
fn complaint_of_a_digest_that_was_not_sent_is_a_plain_error() {
    let sim = Scenario::sequential(8, 4)
        .config(|config| config.digest = DigestMode::None)
        .fault(Upload, 0, Fault::Answer(422, r#"{"message":"The digest header is required"}"#))
        .run();
    assert_eq!(sim.code(), ErrorCode::Unprocessable);
    assert_eq!(sim.error().part_number, Some(0));
}

#[test]
fn spent_retries_fail_with_the_last_error() {
    for (fault, code) in [
        (Fault::Status(503), ErrorCode::ServerError),
        (Fault::Status(429), ErrorCode::RateLimited),
        (Fault::LostRequest, ErrorCode::Network),
    ] {
        let mut sim = spending(fault);
        sim.run();
        assert_eq!(sim.code(), code);
        assert!(sim.error().retryable);
        assert_eq!(sim.error().part_number, Some(0));
        let (first, last) = (sim.retries()[0].told_at, sim.sent.last().unwrap().at);
        assert!(last - first <= Duration::from_secs(10), "no attempt begins after maxElapsedTime");
        assert!(sim.sends_of(Upload, 0).len() > 3);
    }
}

#[test]
fn spent_retries_of_requests_without_an_answer_are_a_timeout() {
    let sim = Scenario::sequential(8, 4)
        .config(|config| config.retry.max_elapsed_time = Duration::from_secs(100))
        .always(Get, None, Fault::Hang)
        .run();
    assert_eq!(sim.code(), ErrorCode::Timeout);
    assert!(sim.error().retryable);
    assert_eq!(sim.count(Get), 3, "a minute each, the third begun within 100 s of the first failure");
}

#[test]
fn retry_after_beyond_the_policy_fails_at_once() {
    let sim = Scenario::sequential(8, 4).fault(Upload, 0, Fault::StatusAfter(503, 901)).run();
    assert_eq!(sim.code(), ErrorCode::ServerError);
    assert!(sim.error().retryable && sim.retries().is_empty());
}

#[test]
fn strategy_none_retries_nothing() {
    for (operation, part) in [(Create, None), (Get, None), (Upload, Some(0)), (Finish, None)] {
        let sim = Scenario::sequential(8, 4)
            .config(|config| config.retry.enabled = false)
            .fault(operation, part, Fault::Status(503))
            .run();
        assert_eq!(sim.code(), ErrorCode::ServerError);
        assert_eq!(sim.sends_of(operation, part).len(), 1);
    }
}

#[test]
fn connection_errors_are_not_retried_where_configured_so() {
    let lost = |fault| {
        let config = |config: &mut upload_session_engine::config::Config| config.retry.retry_connection_errors = false;
        Scenario::sequential(8, 4).config(config).fault(Upload, 0, fault).run()
    };
    assert_eq!(lost(Fault::LostRequest).code(), ErrorCode::Network);
    lost(Fault::Status(503)).assert_done();
}

#[test]
fn part_that_cannot_be_sent_ends_the_upload_with_its_error() {
    let mut sim = Scenario::parallel(40, 4).fault(Upload, 2, Fault::Unsendable).run();
    assert_eq!(sim.error().message, "The token function threw");
    assert_eq!(sim.upload.state(), State::Failed);
    sim.act(Action::Abort);
    sim.run();
    assert!(sim.server.deleted);
}

/// Every attempt of the first part fails, for ten seconds.
fn spending(fault: Fault) -> Sim {
    Scenario::sequential(8, 4)
        .config(|config| config.retry.max_elapsed_time = Duration::from_secs(10))
        .always(Upload, 0, fault)
        .sim()
}
