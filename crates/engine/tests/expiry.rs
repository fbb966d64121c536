//! Sessions that are gone: 404, 410, `expires_at` that has passed, clocks that disagree, and a fresh start.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use support::observe::Scenario;
use support::server::Fault;
use support::{Action, Sim};
use upload_session_engine::config::{BodyMode, DigestMode};
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::{Event, State};
use upload_session_engine::request::Operation::{Create, Finish, Get, Upload};

/// The clock of the simulation begins a second before this.
const START: &str = "2023-11-14T22:13:20Z";

#[test]
fn session_that_is_gone_is_session_expired() {
    for fault in [Fault::Status(404), Fault::Status(410)] {
        for (operation, part) in [(Get, None), (Upload, Some(3))] {
            let sim = Scenario::parallel(40, 4).fault(operation, part, fault).run();
            assert_eq!(sim.code(), ErrorCode::SessionExpired, "{operation:?}");
            assert_eq!(sim.count(Create), 1);
        }
    }
}

#[test]
fn finish_that_does_not_find_its_session_is_asked_after() {
    let expired = Scenario::parallel(40, 4).fault(Finish, None, Fault::Expire).run();
    assert_eq!((expired.code(), expired.count(Get)), (ErrorCode::SessionExpired, 2));
    // The browser sent it twice by itself, and the server knows a session no more once its file is made.
    let made =
        Scenario::parallel(40, 4).config(|config| config.restart = true).fault(Finish, None, Fault::DoneBut(404)).run();
    assert_eq!((made.upload.state(), made.count(Create)), (State::Done, 1));
    assert_eq!(made.warnings(), ["file_id_unknown"]);
    let contrary = Scenario::parallel(40, 4).fault(Finish, None, Fault::Status(404)).run();
    assert_eq!(contrary.code(), ErrorCode::SessionExpired);
}

#[test]
fn parts_that_wait_do_not_spin_while_the_session_is_asked_for() {
    let mut sim = expiring("2023-11-14T22:13:30Z", false);
    sim.server.scripted = vec![(Upload, Some(6), Fault::Status(503))];
    sim.run_until_sent(Get, None, 1);
    sim.run_until_state(State::Uploading);
    sim.server.scripted.push((Get, None, Fault::Hang));
    sim.run();
    sim.assert_done();
    assert!(sim.timers.len() < 1500, "{} timers", sim.timers.len());
}

#[test]
fn restart_begins_again_with_a_fresh_session() {
    for (operation, part) in [(Upload, Some(3)), (Finish, None)] {
        for body in [BodyMode::Blob, BodyMode::Buffer] {
            let sim = restarting(operation, part, Fault::Expire).config(|config| config.body = body).run();
            sim.assert_done();
            assert_eq!((sim.count(Create), sim.warnings()), (2, vec!["restarted"]), "{operation:?}");
            let sessions = sim.told(|event| matches!(event, Event::Session { .. }).then_some(()));
            assert_eq!(sessions.len(), 2);
        }
    }
}

#[test]
fn restart_keeps_the_hashes() {
    let sim = restarting(Finish, None, Fault::Expire).run();
    sim.assert_done();
    assert_eq!(sim.reads.len(), 10, "each part is read once for both sessions");
    assert_eq!(sim.count(Upload), 20);

    let sim = restarting(Finish, None, Fault::Expire).config(|config| config.body = BodyMode::Buffer).run();
    sim.assert_done();
    assert_eq!(sim.reads.iter().filter(|read| read.wanted.file).count(), 10, "read again to be sent, not to be hashed");
}

/// A session that is gone at its end, and is followed by one with larger parts, wherever the platform tells of changes or not.
fn restarted_with_another_part_size(body: BodyMode, rereads_file: bool) -> Sim {
    let scenario = restarting(Finish, None, Fault::Expire).config(|config| {
        (config.body, config.rereads_file, config.keeps_record) = (body, rereads_file, true);
    });
    let mut sim = scenario.sim_at(50);
    sim.run_until_sent(Finish, None, 1);
    sim.server.part_size = 8;
    sim
}

const WAYS: [(BodyMode, bool); 4] =
    [(BodyMode::Blob, false), (BodyMode::Blob, true), (BodyMode::Buffer, false), (BodyMode::Buffer, true)];

#[test]
fn restart_with_another_part_size_hashes_the_parts_anew_and_the_file_not() {
    for (body, rereads_file) in WAYS {
        let mut sim = restarted_with_another_part_size(body, rereads_file);
        let reads = sim.reads.len();
        sim.run();
        sim.assert_done();
        assert_eq!(sim.reads.iter().filter(|read| read.wanted.file).count(), 10, "{body:?} {rereads_file}");
        let anew: Vec<_> = sim.reads[reads..].iter().map(|read| (read.part, read.wanted.part)).collect();
        assert_eq!(anew, [0, 1, 2, 3, 4].map(|part| (part, true)), "{body:?} {rereads_file}");
    }
}

#[test]
fn crash_after_a_restart_with_another_part_size_keeps_the_digest_of_the_file() {
    for (body, rereads_file) in WAYS {
        let mut sim = restarted_with_another_part_size(body, rereads_file);
        sim.run_until(|sim| sim.server.held.len() == 3 && sim.record.is_some());
        let mut sim = sim.crash();
        sim.run();
        sim.assert_done();
    }
}

#[test]
fn restart_of_a_file_that_changed_is_file_changed() {
    let mut sim = restarting(Upload, Some(9), Fault::Expire).config(|config| config.body = BodyMode::Buffer).sim_at(50);
    sim.run_until_sent(Upload, 9, 1);
    sim.act(Action::ChangeFile);
    sim.run();
    assert_eq!(sim.code(), ErrorCode::FileChanged);
}

#[test]
fn server_that_loses_every_session_is_given_up_in_the_end() {
    let sim = Scenario::parallel(40, 4).config(|config| config.restart = true).always(Upload, 3, Fault::Expire).run();
    assert_eq!((sim.code(), sim.count(Create)), (ErrorCode::SessionExpired, 6));
}

#[test]
fn expiry_behind_a_finish_that_may_have_been_done_does_not_begin_again() {
    let mut sim = restarting(Finish, None, Fault::LostRequest).sim_at(50);
    sim.run_until_sent(Finish, None, 1);
    sim.server.expire();
    sim.run();
    assert_eq!((sim.code(), sim.count(Create)), (ErrorCode::SessionExpired, 1));
}

#[test]
fn session_whose_time_is_over_is_asked_for_before_more_is_sent() {
    let mut sim = expiring("2023-11-14T22:13:30Z", true);
    sim.run();
    assert_eq!(sim.code(), ErrorCode::SessionExpired);
    assert_eq!(sim.count(Get), 2);
    let asked_at = sim.sends_of(Get, None)[1].at;
    assert_eq!(asked_at, Duration::from_secs(10));
    assert!(sim.sends_of(Upload, None).iter().all(|sent| sent.at <= asked_at));
}

#[test]
fn session_that_lives_longer_than_it_said_goes_on() {
    let mut sim = expiring("2023-11-14T22:13:30Z", false);
    sim.run();
    sim.assert_done();
    assert_eq!(sim.count(Get), 2, "asked once: the clocks disagree");
    assert!(!sim.states()[2..].contains(&State::Starting));
}

#[test]
fn expiry_without_a_zone_is_read_as_utc() {
    let mut sim = expiring("2023-11-14T22:13:30", true);
    sim.run();
    assert_eq!((sim.code(), sim.count(Get)), (ErrorCode::SessionExpired, 2));
}

#[test]
fn expiry_in_the_past_or_in_no_form_is_ignored() {
    for expires_at in [START, "2001-01-01T00:00:00Z", "tomorrow", ""] {
        let mut sim = expiring(expires_at, false);
        sim.run();
        sim.assert_done();
        assert_eq!(sim.count(Get), 1, "{expires_at}");
    }
}

#[test]
fn retry_after_in_the_past_is_no_wait() {
    let past = Fault::StatusUntil(503, "Sun, 06 Nov 1994 08:49:37 GMT");
    let sim = Scenario::sequential(10, 4).fault(Upload, 1, past).run();
    sim.assert_done();
    assert!(sim.retries()[0].delay <= Duration::from_millis(500));
    let future = Fault::StatusUntil(503, "Tue, 14 Nov 2023 22:14:20 GMT");
    let sim = Scenario::sequential(10, 4).fault(Upload, 1, future).run();
    assert!(sim.retries()[0].delay > Duration::from_secs(50));
}

#[test]
fn expiry_during_a_pause_is_found_at_the_resume() {
    let mut sim = expiring("2023-11-14T22:13:30Z", true);
    sim.run_until_sent(Upload, 2, 1);
    sim.act(Action::Pause);
    sim.run_for(Duration::from_secs(3600));
    assert_eq!((sim.upload.state(), sim.count(Get)), (State::Paused, 1));
    sim.act(Action::Resume);
    sim.run();
    assert_eq!((sim.code(), sim.count(Get)), (ErrorCode::SessionExpired, 2));
}

#[test]
fn digests_off_restart_too() {
    let sim = restarting(Upload, Some(3), Fault::Expire).config(|config| config.digest = DigestMode::None).run();
    sim.assert_done();
}

fn restarting(operation: upload_session_engine::request::Operation, part: Option<u32>, fault: Fault) -> Scenario {
    Scenario::parallel(40, 4).config(|config| config.restart = true).fault(operation, part, fault)
}

/// A second a request, and a session that says when its time is over; at that time it is gone, or not.
fn expiring(expires_at: &'static str, gone: bool) -> Sim {
    let mut sim = Scenario::sequential(80, 4).sim_at(1000);
    sim.server.expires_at = expires_at;
    if gone {
        sim.server.gone_at = Some(Duration::from_secs(10));
    }
    sim
}
