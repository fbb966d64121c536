//! Sources that can be read only once, and those whose size nobody knows before their end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use proptest::prelude::*;
use support::observe::Scenario;
use support::server::Fault;
use support::{Action, Sim};
use upload_session_engine::config::{BodyMode, Config, DigestMode};
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::State;
use upload_session_engine::request::Operation::{Create, Delete, Direct, Finish, Get, Upload};

/// A stream whose size is told.
fn known(size: u64, part_size: u64) -> Scenario {
    Scenario::parallel(size, part_size).config(|config| config.body = BodyMode::Stream)
}

/// A stream that only its end tells the size of.
fn unknown(size: u64, part_size: u64) -> Scenario {
    known(size, part_size).config(|config| config.size = None)
}

/// Digests off, and parts that memory cannot hold.
fn piped(size: u64, part_size: u64) -> Scenario {
    known(size, part_size).config(|config| {
        config.digest = DigestMode::None;
        config.memory_budget = part_size - 1;
    })
}

/// Checks that it failed so, and left no session behind.
fn assert_failed(sim: &Sim, code: ErrorCode) {
    assert_eq!(sim.upload.state(), State::Failed);
    assert_eq!(sim.code(), code, "{:?}", sim.result);
    assert!(sim.server.deleted);
    assert_eq!(sim.sent.last().unwrap().operation, Delete);
}

#[test]
fn stream_is_read_once_held_and_sent_with_digests() {
    let sim = known(100, 8).run();
    sim.assert_done();
    assert_eq!(sim.operations()[..2], [Create, Get]);
    assert!(sim.sent.iter().all(|sent| sent.part.is_none() || sent.held));
    assert_eq!((sim.reads.len(), sim.stream_at, sim.verifications), (13, 100, 1));
    assert!(sim.record.is_none() && sim.upload.snapshot().is_none());
}

#[test]
fn size_of_null_is_what_create_is_told() {
    let sim = unknown(100, 8).run();
    sim.assert_done();
    assert!(sim.sent[0].request.json.as_ref().unwrap().contains(r#""size":null"#));
}

#[test]
fn last_part_is_as_short_as_the_source_and_never_empty() {
    for size in [1, 7, 8, 9, 15, 16, 17, 80] {
        let sim = unknown(size, 8).run();
        sim.assert_done();
        assert_eq!(sim.count(Upload) as u64, size.div_ceil(8), "{size}");
        let progress = sim.upload.progress();
        assert_eq!((progress.total, progress.confirmed, progress.parts_total), (size, size, size.div_ceil(8) as u32));
    }
}

#[test]
fn source_without_a_byte_makes_an_empty_file() {
    let sim = unknown(0, 8).run();
    sim.assert_done();
    assert_eq!(sim.count(Upload), 0);
}

#[test]
fn progress_tells_what_was_read_until_the_end_is_known() {
    let mut sim = unknown(100, 8).sim_at(50);
    sim.run_until_sent(Upload, 4, 1);
    let progress = sim.upload.progress();
    assert!((40..=64).contains(&progress.total), "{progress:?}");
    assert_eq!(u64::from(progress.parts_total) * 8, progress.total);
    assert_eq!(progress.seconds_remaining, None);
    sim.run();
    assert!(sim.progress_events().iter().any(|(_, progress)| progress.seconds_remaining.is_some()));
}

#[test]
fn ten_thousand_and_one_full_parts_are_finished_once_the_source_says_that_it_ended() {
    let mut sim = unknown(10_001, 1).config(|config| config.concurrency = 6).sim_at(1);
    sim.run();
    sim.assert_done();
    assert_eq!((sim.count(Upload), sim.verifications), (10_001, 1));
}

#[test]
fn part_that_memory_cannot_hold_is_refused_and_the_session_deleted() {
    for scenario in [known(100, 50), unknown(100, 50)] {
        let sim = scenario.config(|config| config.memory_budget = 49).run();
        assert_failed(&sim, ErrorCode::InvalidArgument);
        assert!(sim.error().message.contains("`memoryBudget`") && sim.error().message.contains("50 bytes"));
        assert_eq!((sim.count(Upload), sim.reads.len()), (0, 0));
    }
    // Without digests, too, where the size is not known.
    let sim = unknown(100, 50)
        .config(|config| {
            config.memory_budget = 49;
            config.digest = DigestMode::None;
        })
        .run();
    assert_failed(&sim, ErrorCode::InvalidArgument);
}

#[test]
fn part_that_memory_cannot_hold_is_piped_where_nothing_is_to_be_hashed() {
    let sim = piped(100, 30).run();
    sim.assert_done();
    assert_eq!(sim.parts_sent(), [0, 1, 2, 3]);
    assert_eq!((sim.reads.len(), sim.peak), (0, 1));
    assert!(sim.warnings().is_empty());
}

#[test]
fn what_was_piped_is_never_sent_again() {
    let failures = [
        (Fault::LostRequest, ErrorCode::Network),
        (Fault::Hang, ErrorCode::Timeout),
        (Fault::Status(503), ErrorCode::ServerError),
        (Fault::Status(401), ErrorCode::Unauthorized),
    ];
    for (fault, code) in failures {
        let sim = piped(100, 30).config(|config| config.can_refresh_token = true).fault(Upload, 1, fault).run();
        assert_failed(&sim, code);
        assert_eq!(sim.error().part_number, Some(1));
        assert_eq!((sim.sends_of(Upload, 1).len(), sim.refreshes), (1, 0));
    }
    let mut sim = piped(100, 30).sim_at(50);
    sim.run_until_sent(Upload, 1, 1);
    sim.act(Action::Offline);
    sim.run_for(Duration::from_millis(100));
    sim.act(Action::Online);
    sim.run();
    assert_failed(&sim, ErrorCode::Network);
}

#[test]
fn failed_parts_are_sent_again_from_memory() {
    let sim = unknown(100, 8).fault(Upload, 2, Fault::LostRequest).fault(Upload, 3, Fault::Status(500)).run();
    sim.assert_done();
    assert_eq!((sim.sends_of(Upload, 2).len(), sim.sends_of(Upload, 3).len()), (2, 2));
    assert_eq!(sim.stream_at, 100);
}

#[test]
fn complaint_about_a_digest_has_the_held_bytes_sent_once_more() {
    let sim = known(100, 8).fault(Upload, 2, Fault::Corrupt).run();
    sim.assert_done();
    assert_eq!(sim.reads.len(), 13);
    let sim = known(100, 8).always(Upload, 2, Fault::Corrupt).run();
    assert_failed(&sim, ErrorCode::DigestMismatch);
}

#[test]
fn source_that_fails_leaves_no_session() {
    for scenario in [known(100, 8), unknown(100, 8)] {
        let mut sim = scenario.sim_at(50);
        sim.run_until_sent(Upload, 3, 1);
        sim.act(Action::BreakFile);
        sim.run();
        assert_failed(&sim, ErrorCode::FileChanged);
        assert!(!sim.upload.is_aborting());
    }
}

#[test]
fn every_failure_deletes_the_session_before_it_is_told() {
    for operation in [Get, Finish] {
        let mut sim = unknown(100, 8).always(operation, None, Fault::Status(403)).sim();
        sim.start();
        while sim.result.is_none() {
            assert!(sim.step());
        }
        assert_failed(&sim, ErrorCode::Forbidden);
    }
}

#[test]
fn deletion_that_fails_is_a_warning_and_the_error_is_told_all_the_same() {
    let sim = known(100, 8).always(Upload, 3, Fault::Status(403)).always(Delete, None, Fault::Status(403)).run();
    assert_eq!((sim.upload.state(), sim.code()), (State::Failed, ErrorCode::Forbidden));
    assert_eq!(sim.error().part_number, Some(3));
    assert_eq!((sim.warnings(), sim.count(Delete)), (vec!["session_not_deleted"], 1));
}

#[test]
fn session_that_is_gone_is_the_end() {
    let sim = known(100, 8).config(|config| config.restart = false).fault(Upload, 3, Fault::Expire).run();
    assert_eq!(sim.code(), ErrorCode::SessionExpired);
    assert_eq!((sim.count(Create), sim.count(Delete)), (1, 0));
}

#[test]
fn abort_deletes_the_session() {
    let mut sim = unknown(100, 8).sim_at(50);
    sim.run_until_sent(Upload, 3, 1);
    sim.act(Action::Abort);
    sim.run();
    assert_eq!((sim.upload.state(), sim.code()), (State::Aborted, ErrorCode::Aborted));
    assert!(sim.server.deleted && sim.abort_ended);
}

#[test]
fn small_stream_of_known_size_goes_in_one_request_from_memory() {
    let sim = known(100, 8).config(|config| config.direct = true).run();
    sim.assert_done();
    assert_eq!(sim.operations(), [Direct]);
    assert!(sim.sent[0].held);
    // Not where it could not be sent again.
    let sim = known(100, 8).config(|config| (config.direct, config.memory_budget) = (true, 99)).run();
    sim.assert_done();
    assert_eq!(sim.count(Direct), 0);
    // What was refused so cannot be read again.
    let sim = known(100, 8).config(|config| config.direct = true).fault(Direct, None, Fault::Status(413)).run();
    assert_eq!((sim.error().status(), sim.operations()), (Some(413), vec![Direct]));
}

#[test]
fn end_that_comes_too_late_or_twice_changes_nothing() {
    let mut sim = unknown(100, 8).sim_at(50);
    sim.run_until_sent(Upload, 2, 1);
    let (op, now) = (sim.last_op(), sim.at());
    sim.upload.handle_end(op, 20, now);
    sim.run();
    sim.assert_done();
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        // One part that hangs five times in a row is out of time.
        1 => Just(Fault::Hang),
        4 => prop::sample::select(vec![429, 500, 503]).prop_map(Fault::Status),
        4 => Just(Fault::LostRequest),
        4 => Just(Fault::LostAnswer),
        4 => Just(Fault::Accepted),
    ]
}

fn fatal_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => fault(),
        1 => prop::sample::select(vec![400, 401, 403, 404, 410, 422]).prop_map(Fault::Status),
        1 => Just(Fault::Corrupt),
        1 => Just(Fault::Page),
        1 => Just(Fault::Expire),
    ]
}

prop_compose! {
    fn sim(faults: impl Strategy<Value = Fault>)(
        size in 0..500u64,
        part_size in 3..60u64,
        is_known in any::<bool>(),
        direct in any::<bool>(),
        digest in prop::sample::select(vec![DigestMode::PartsAndFile, DigestMode::Parts, DigestMode::None]),
        (parallel, once) in (any::<bool>(), any::<bool>()),
        concurrency in 1..=6usize,
        budget in 1..8u64,
        script in prop::collection::vec(prop::option::weighted(0.3, faults), 0..30),
        seed in any::<u64>(),
    ) -> Sim {
        let config = Config {
            size: is_known.then_some(size),
            body: BodyMode::Stream,
            memory_budget: budget * part_size,
            digest, direct, concurrency, ..Config::new("file.bin", "root", 0)
        };
        let mut server = support::server::Server::new(size, part_size, parallel);
        server.once = once;
        server.script = script.into();
        Sim::new(config, server, seed)
    }
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sim").field("config", &self.config).field("server", &self.server).finish_non_exhaustive()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_stream_arrives_whole_whatever_passes(mut sim in sim(fault())) {
        sim.run();
        prop_assert_eq!(sim.upload.state(), State::Done, "{:?}", sim.result);
        sim.server.assert_whole();
        let (progress, size) = (sim.upload.progress(), sim.server.size());
        prop_assert_eq!((progress.total, progress.confirmed, progress.sent), (size, size, size));
    }

    #[test]
    fn every_stream_ends_and_leaves_no_session(mut sim in sim(fatal_fault()), breaks in prop::option::of(0..2000u64)) {
        if let Some(after) = breaks {
            sim.act_after(Duration::from_millis(after), Action::BreakFile);
        }
        sim.run();
        match &sim.result {
            Some(Ok(_)) => sim.server.assert_whole(),
            Some(Err(error)) => {
                prop_assert_eq!(sim.upload.state(), State::Failed);
                // Nothing can be deleted before its id is known, and what the server no longer knows is gone.
                let is_known = sim.count(Get) > 0 && error.code != ErrorCode::SessionExpired;
                prop_assert!(!is_known || sim.count(Delete) > 0);
            }
            None => prop_assert!(false, "it never ended"),
        }
    }
}
