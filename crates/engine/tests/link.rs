//! The link: offline waits, stalls and answers that never come, and what is learned of the file from a broken link.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use support::observe::Scenario;
use support::server::Fault;
use support::{Action, Sim};
use upload_session_engine::config::{BodyMode, DigestMode};
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::{PartState, State};
use upload_session_engine::request::Operation::{Create, Delete, Direct, Finish, Get, Upload};

const STALL: Duration = Duration::from_secs(30);

#[test]
fn offline_is_waited_out_and_spends_no_attempt() {
    for scenario in [Scenario::parallel(40, 4), Scenario::sequential(40, 4)] {
        let mut sim = scenario.sim_at(50);
        sim.run_until_sent(Upload, 3, 1);
        sim.act(Action::Offline);
        assert_eq!(sim.upload.state(), State::Waiting);
        sim.run_for(Duration::from_secs(7200));
        assert_eq!(sim.upload.state(), State::Waiting);
        assert!(sim.retries().is_empty(), "{:?}", sim.retries());
        sim.act(Action::Online);
        assert_eq!(sim.upload.state(), State::Uploading);
        sim.run();
        sim.assert_done();
        for part in 0..10 {
            assert_eq!(sim.part_events(part).last(), Some(&(PartState::Done, 1)), "part {part}");
        }
        assert!(sim.states().contains(&State::Waiting));
    }
}

#[test]
fn every_phase_waits_out_an_offline_time() {
    for (operation, part) in [(Create, None), (Get, None), (Upload, Some(1)), (Finish, None)] {
        let mut sim = Scenario::parallel(10, 4).sim_at(50);
        sim.run_until_sent(operation, part, 1);
        sim.act(Action::Offline);
        sim.run_for(Duration::from_secs(7200));
        assert_eq!(sim.upload.state(), State::Waiting, "{operation:?}");
        sim.act(Action::Online);
        sim.run();
        assert_eq!(sim.upload.state(), State::Done, "{operation:?}: {:?}", sim.result);
        assert!(sim.retries().is_empty());
    }
}

#[test]
fn coming_online_ends_every_backoff_but_not_a_retry_after() {
    let mut sim = Scenario::parallel(40, 4)
        .config(|config| config.retry.initial_interval = Duration::from_secs(3000))
        .config(|config| config.retry.max_interval = Duration::from_secs(3000))
        .config(|config| config.retry.max_elapsed_time = Duration::from_secs(90_000))
        .fault(Upload, 0, Fault::Status(503))
        .fault(Upload, 1, Fault::StatusAfter(503, 40))
        .sim_at(50);
    sim.run_until(|sim| sim.retries().len() == 2);
    let failed_at = sim.now;
    sim.act(Action::Offline);
    sim.run_for(Duration::from_secs(1));
    sim.act(Action::Online);
    sim.run();
    sim.assert_done();
    assert!(sim.sends_of(Upload, 0)[1].at < failed_at + Duration::from_secs(2));
    assert!(sim.sends_of(Upload, 1)[1].at >= failed_at + Duration::from_secs(40));
}

#[test]
fn pause_counts_before_offline_and_resume_leads_to_waiting() {
    let mut sim = Scenario::parallel(40, 4).sim_at(50);
    sim.run_until_sent(Upload, 3, 1);
    sim.act(Action::Offline);
    sim.act(Action::Pause);
    assert_eq!(sim.upload.state(), State::Paused);
    sim.act(Action::Resume);
    assert_eq!(sim.upload.state(), State::Waiting);
    sim.act(Action::Online);
    sim.run();
    sim.assert_done();
}

#[test]
fn abort_while_offline_ends_in_time_and_warns() {
    let mut sim = Scenario::parallel(40, 4).sim_at(50);
    sim.run_until_sent(Upload, 3, 1);
    sim.act(Action::Offline);
    sim.act(Action::Abort);
    sim.run();
    assert_eq!((sim.upload.state(), sim.code()), (State::Aborted, ErrorCode::Aborted));
    assert!(sim.abort_ended);
    assert_eq!(sim.warnings(), ["session_not_deleted"]);
}

#[test]
fn abort_while_offline_deletes_the_session_where_the_network_comes_back_in_time() {
    let mut sim = Scenario::parallel(40, 4).sim_at(50);
    sim.run_until_sent(Upload, 3, 1);
    sim.act(Action::Offline);
    sim.act(Action::Abort);
    sim.run_for(Duration::from_secs(2));
    sim.act(Action::Online);
    sim.run();
    assert!(sim.server.deleted && sim.warnings().is_empty());
}

#[test]
fn stalled_part_is_given_up_and_sent_again_with_both_transports() {
    for measures in [false, true] {
        let mut sim = Scenario::sequential(4000, 1000)
            .config(|config| config.measures_progress = measures)
            .fault(Upload, 2, Fault::Hang)
            .sim_at(100);
        sim.run();
        sim.assert_done();
        let sends = sim.sends_of(Upload, 2);
        assert_eq!(sends.len(), 2);
        let given_up = sim.retries()[0].told_at - sends[0].at;
        assert_eq!(sim.retries()[0].error.code, ErrorCode::Timeout);
        // 1000 bytes in 100 ms were measured before: three times that is the least that a part is given.
        let limit = if measures { STALL } else { STALL + Duration::from_millis(300) };
        assert!(given_up >= STALL && given_up <= limit + Duration::from_millis(50), "{given_up:?}");
    }
}

#[test]
fn part_that_is_measured_may_take_as_long_as_it_moves() {
    // A quarter of a part every 28 s.
    let mut sim = slow_parts(140, 30);
    sim.run_until(|sim| sim.upload.progress().parts_done == 3);
    assert!(sim.retries().is_empty());
}

#[test]
fn answer_may_take_four_times_the_stall_timeout_after_the_last_byte() {
    let retries = |latency| {
        let mut sim = slow_parts(latency, 10);
        sim.run_until_sent(Upload, 0, 1);
        // The bytes are on their way at once, the answer takes as long as it does.
        let op = sim.last_op();
        sim.upload.handle_sent(op, 1000, sim.at());
        sim.run_until(|sim| sim.upload.progress().parts_done == 1 || !sim.retries().is_empty());
        sim.retries().len()
    };
    assert_eq!(retries(39), 0);
    assert_eq!(retries(41), 1);
}

/// A transport that tells of progress, and parts that take so many seconds each.
fn slow_parts(seconds: u64, stall_timeout: u64) -> Sim {
    let mut sim = Scenario::sequential(4000, 1000)
        .config(|config| config.measures_progress = true)
        .config(|config| config.stall_timeout = Duration::from_secs(stall_timeout))
        .sim_at(100);
    sim.run_until(|sim| sim.reads.len() == 1);
    sim.latency = Some(Duration::from_secs(seconds));
    sim
}

#[test]
fn unmeasured_part_is_given_what_its_speed_asks_for_and_twice_that_after_a_stall() {
    // 64 KiB/s are expected at least: a part of 64 KiB is given a second more than the stall timeout.
    let mut sim = Scenario::sequential(4 << 16, 1 << 16)
        .config(|config| config.retry.max_elapsed_time = Duration::from_secs(100_000))
        .fault(Upload, 0, Fault::Hang)
        .fault(Upload, 0, Fault::Hang)
        .sim_at(100);
    sim.run();
    sim.assert_done();
    let waits: Vec<_> = sim
        .sends_of(Upload, 0)
        .iter()
        .zip(sim.retries())
        .map(|(sent, retry)| (retry.told_at - sent.at).as_millis())
        .collect();
    assert_eq!(waits, [31_000, 62_000]);
}

#[test]
fn slow_link_is_not_taken_for_a_stalled_one() {
    // Half of the speed that is expected at first, then a sixth of what was measured.
    let mut sim = Scenario::sequential(20 << 16, 1 << 16).sim_at(2000);
    sim.run_until(|sim| sim.upload.progress().parts_done == 5);
    sim.latency = Some(Duration::from_secs(12));
    sim.run();
    sim.assert_done();
    assert!(sim.retries().is_empty());
}

#[test]
fn short_last_part_does_not_make_the_link_seem_slow() {
    // One byte in 100 ms would be 10 bytes a second, and a day for the other part.
    let mut sim = Scenario::parallel((1 << 20) + 1, 1 << 20).fault(Upload, 0, Fault::Hang).sim_at(100);
    sim.run();
    sim.assert_done();
    let wait = sim.retries()[0].told_at - sim.sends_of(Upload, 0)[0].at;
    assert_eq!(wait, STALL + Duration::from_secs(16));
}

#[test]
fn part_that_stalls_before_any_speed_is_known_is_held_to_the_speed_of_the_others() {
    // At 64 KiB/s, as slow as a link may be, each part might take 16 s.
    let mut sim = Scenario::parallel(10 << 20, 1 << 20).fault(Upload, 0, Fault::Hang).sim_at(100);
    sim.run();
    sim.assert_done();
    let wait = sim.retries()[0].told_at - sim.sends_of(Upload, 0)[0].at;
    assert!(wait > STALL && wait < STALL + Duration::from_secs(1), "{wait:?}");
}

#[test]
fn part_that_waits_for_room_does_not_spend_its_time_to_retry() {
    // Both are refused at first; the other one then stalls in the only place for longer than retries may take.
    let mut sim = Scenario::parallel(40, 4)
        .config(|config| config.concurrency = 1)
        .config(|config| config.retry.max_elapsed_time = Duration::from_secs(10))
        .fault(Upload, 0, Fault::Status(429))
        .fault(Upload, 1, Fault::Status(429))
        .fault(Upload, 1, Fault::Status(429))
        .sim_at(100);
    sim.run_until(|sim| sim.retries().len() == 1);
    sim.latency = Some(Duration::from_secs(20));
    sim.run_until(|sim| sim.count(Upload) == 3);
    sim.latency = Some(Duration::from_millis(100));
    sim.run();
    sim.assert_done();
}

#[test]
fn requests_without_content_have_a_deadline_of_four_stall_timeouts_and_a_minute_at_most() {
    for (stall, limit) in [(1, 4), (30, 60)] {
        for operation in [Create, Get, Finish] {
            let mut sim = Scenario::sequential(10, 4)
                .config(|config| config.stall_timeout = Duration::from_secs(stall))
                .fault(operation, None, Fault::Hang)
                .sim_at(100);
            sim.run();
            sim.assert_done();
            let wait = sim.retries()[0].told_at - sim.sends_of(operation, None)[0].at;
            assert_eq!(wait, Duration::from_secs(limit), "{operation:?}");
        }
    }
}

#[test]
fn hung_deletion_ends_in_time() {
    let mut sim = Scenario::sequential(10, 4).always(Delete, None, Fault::Hang).sim_at(100);
    sim.run_until_sent(Upload, 1, 1);
    sim.act(Action::Abort);
    let since = sim.now;
    sim.run();
    assert!(sim.abort_ended && sim.now - since <= Duration::from_secs(61));
}

#[test]
fn slice_that_stalls_or_fails_without_an_answer_is_read_and_sent_from_memory() {
    for fault in [Fault::LostRequest, Fault::Hang] {
        for digest in [DigestMode::PartsAndFile, DigestMode::None] {
            let sim = Scenario::parallel(40, 4).config(|config| config.digest = digest).fault(Upload, 3, fault).run();
            sim.assert_done();
            let sends = sim.sends_of(Upload, 3);
            assert_eq!(sends.iter().map(|sent| sent.held).collect::<Vec<_>>(), [false, true], "{fault:?}");
            assert!(sim.sent.iter().all(|sent| !sent.held || sent.part == Some(3)));
        }
    }
}

#[test]
fn slice_that_fails_with_an_answer_is_sent_as_a_slice_again() {
    let sim = Scenario::parallel(40, 4).fault(Upload, 3, Fault::Status(503)).run();
    sim.assert_done();
    assert!(sim.sent.iter().all(|sent| !sent.held));
}

#[test]
fn broken_link_and_changed_file_are_told_apart() {
    let failing = |change: Option<Action>| {
        let mut sim = Scenario::parallel(40, 4).fault(Upload, 9, Fault::LostRequest).sim_at(50);
        sim.run_until_sent(Upload, 9, 1);
        change.into_iter().for_each(|change| sim.act(change));
        sim.run();
        sim
    };
    failing(None).assert_done();
    for change in [Action::ChangeFile, Action::BreakFile] {
        let sim = failing(Some(change));
        assert_eq!((sim.code(), sim.error().part_number), (ErrorCode::FileChanged, Some(9)), "{change:?}");
    }
}

#[test]
fn slice_larger_than_the_memory_budget_is_compared_and_sent_as_a_slice_again() {
    let sim =
        Scenario::parallel(40, 4).config(|config| config.memory_budget = 3).fault(Upload, 3, Fault::LostRequest).run();
    sim.assert_done();
    assert_eq!(sim.reads.iter().filter(|read| read.part == 3).count(), 2);
    assert!(sim.sent.iter().all(|sent| !sent.held));
}

#[test]
fn parts_sent_from_memory_share_the_budget() {
    let mut scenario = Scenario::parallel(40, 4).config(|config| config.memory_budget = 4);
    for part in 0..10 {
        scenario = scenario.fault(Upload, part, Fault::LostRequest);
    }
    let sim = scenario.run();
    sim.assert_done();
    assert_eq!(sim.held_peak, 4);
}

#[test]
fn direct_upload_stalls_waits_and_is_sent_from_memory_too() {
    let mut sim =
        Scenario::parallel(40, 4).config(|config| config.direct = true).fault(Direct, None, Fault::Hang).sim_at(100);
    sim.run();
    assert_eq!(sim.upload.state(), State::Done);
    assert_eq!(sim.sent.iter().map(|sent| sent.held).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn file_is_verified_once_before_finish() {
    for rereads_file in [false, true] {
        for body in [BodyMode::Blob, BodyMode::Buffer] {
            let scenario = Scenario::parallel(100, 4).config(|config| config.body = body);
            let sim = scenario.config(|config| config.rereads_file = rereads_file).run();
            sim.assert_done();
            assert_eq!(sim.verifications, 1);
        }
    }
}

#[test]
fn file_that_was_read_by_an_earlier_visit_is_verified_after_the_last_part() {
    let mut sim = rereading(100, BodyMode::Blob).config(|config| config.keeps_record = true).sim_at(50);
    sim.run_until(|sim| sim.part_events(10).last() == Some(&(PartState::Done, 1)));
    let mut sim = sim.crash();
    sim.run_until(|sim| sim.verifications == 1);
    assert_eq!((sim.upload.progress().parts_done, sim.upload.state()), (25, State::Finishing));
    sim.run();
    sim.assert_done();
}

#[test]
fn file_that_was_changed_behind_the_reader_is_never_finished() {
    for digest in [DigestMode::PartsAndFile, DigestMode::Parts, DigestMode::None] {
        for body in [BodyMode::Blob, BodyMode::Buffer] {
            let mut sim = rereading(100, body).config(|config| config.digest = digest).sim_at(50);
            sim.run_until(|sim| sim.reads.len() == 25);
            sim.run_for(Duration::from_millis(6));
            sim.act(Action::ChangeFile);
            sim.run();
            assert_eq!((sim.code(), sim.count(Finish)), (ErrorCode::FileChanged, 0), "{digest:?} {body:?}");
            sim.act(Action::Abort);
            sim.run();
            assert!(sim.server.deleted);
        }
    }
}

#[test]
fn direct_upload_of_a_file_that_changed_is_not_sent() {
    let mut sim = rereading(100, BodyMode::Blob).config(|config| config.direct = true).sim_at(50);
    sim.run_until(|sim| sim.verifications == 1);
    sim.act(Action::ChangeFile);
    sim.run();
    assert_eq!((sim.code(), sim.sent.len()), (ErrorCode::FileChanged, 0));
}

#[test]
fn short_memory_begins_nothing_for_a_direct_upload_that_was_aborted_meanwhile() {
    let mut sim = rereading(100, BodyMode::Blob).config(|config| config.direct = true).sim_at(50);
    sim.run_until(|sim| sim.reading.is_some());
    let (op, _) = sim.reading.expect("a part is read");
    sim.act(Action::Abort);
    sim.upload.handle_not_held(op);
    sim.run();
    assert_eq!((sim.upload.state(), sim.sent.len()), (State::Aborted, 0));
}

fn rereading(size: u64, body: BodyMode) -> Scenario {
    Scenario::parallel(size, 4).config(|config| {
        config.rereads_file = true;
        config.body = body;
    })
}

#[test]
fn pause_while_the_file_is_verified_loses_nothing() {
    for body in [BodyMode::Buffer, BodyMode::Blob] {
        let mut sim = rereading(100, body).sim_at(50);
        sim.run_until(|sim| sim.verifications == 1);
        sim.act(Action::Pause);
        sim.run_for(Duration::from_secs(60));
        sim.act(Action::Resume);
        sim.run();
        sim.assert_done();
        assert_eq!(sim.verifications, 1);
    }
}

#[test]
fn abort_while_the_file_is_verified_ends_at_once() {
    let mut sim: Sim = rereading(100, BodyMode::Buffer).sim_at(50);
    sim.run_until(|sim| sim.verifications == 1);
    sim.act(Action::Abort);
    sim.run();
    assert!(sim.server.deleted);
}
