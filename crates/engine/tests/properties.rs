//! The engine's invariants, against a reference model and random schedules of faults.
//!
//! The model itself (`support`) checks at every step: the parts tile the file; finish comes after every part and
//! with the digest of the file; in flight never exceeds the limit, and sequential sessions are in order; no retry
//! comes before its `Retry-After` or after its policy; progress never falls; only DELETE follows an abort.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use proptest::prelude::*;
use support::server::{Fault, Server};
use support::{Action, Sim};
use upload_session_engine::config::{BodyMode, Config, DigestMode};
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::State;
use upload_session_engine::plan::Plan;
use upload_session_engine::wire::MAX_PARTS;

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        prop::sample::select(vec![408, 429, 500, 502, 503, 504]).prop_map(Fault::Status),
        (prop::sample::select(vec![429, 503]), 0..5u32).prop_map(|(status, after)| Fault::StatusAfter(status, after)),
        Just(Fault::LostRequest),
        Just(Fault::LostAnswer),
        Just(Fault::DoneBut(504)),
        Just(Fault::Hang),
        Just(Fault::Accepted),
    ]
}

/// Faults that may end the upload.
fn fatal_fault() -> impl Strategy<Value = Fault> {
    let fatal = prop_oneof![
        prop::sample::select(vec![400, 401, 402, 403, 404, 410, 418, 422]).prop_map(Fault::Status),
        Just(Fault::Corrupt),
        Just(Fault::Page),
        Just(Fault::Expire),
        Just(Fault::StatusAfter(503, 100_000)),
    ];
    prop_oneof![3 => fault(), 1 => fatal]
}

fn script(fault: impl Strategy<Value = Fault>) -> impl Strategy<Value = Vec<Option<Fault>>> {
    prop::collection::vec(prop::option::weighted(0.4, fault), 0..30)
}

prop_compose! {
    fn config()(
        size in prop_oneof![0..50u64, 0..3000u64],
        digest in prop::sample::select(vec![DigestMode::PartsAndFile, DigestMode::Parts, DigestMode::None]),
        body in prop::sample::select(vec![BodyMode::Blob, BodyMode::Buffer]),
        concurrency in 1..=6usize,
        memory_budget in prop_oneof![1..2000u64, Just(1 << 26)],
        can_refresh_token in any::<bool>(),
        (measures_progress, rereads_file, direct) in (any::<bool>(), any::<bool>(), prop::bool::weighted(0.2)),
        (restart, keeps_record) in (any::<bool>(), any::<bool>()),
        small_part in prop_oneof![Just(0), 0..400u64],
    ) -> Config {
        Config {
            digest, body, concurrency, memory_budget, can_refresh_token, measures_progress, rereads_file, direct, restart,
            keeps_record, small_part, ..Config::new("file.bin", "root", size)
        }
    }
}

prop_compose! {
    fn sim(faults: impl Strategy<Value = Fault>)(
        config in config(),
        part_size in prop_oneof![1..20u64, 1..4000u64],
        parallel in any::<bool>(),
        once in any::<bool>(),
        script in script(faults),
        seed in any::<u64>(),
        expires_at in prop::sample::select(vec!["2030-01-01T00:00:00Z", "2023-11-14T22:13:22Z", "2023-11-14T22:13:25"]),
    ) -> Sim {
        let part_size = part_size.max(size_of(&config).div_ceil(200)).max(1);
        let mut server = Server::new(size_of(&config), part_size, parallel);
        server.once = once;
        server.script = script.into();
        server.expires_at = expires_at;
        Sim::new(config, server, seed)
    }
}

// A Sim is no Debug, and need not be: proptest shows the values it is made of.
impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sim").field("config", &self.config).field("server", &self.server).finish_non_exhaustive()
    }
}

fn size_of(config: &Config) -> u64 {
    config.size.unwrap()
}

/// Has one action, and then the other, done again and again: after so many milliseconds, and for so many.
fn interrupt(sim: &mut Sim, times: Vec<(u64, u64)>, begin: Action, end: Action) {
    let mut at = Duration::ZERO;
    for (until, length) in times {
        at += Duration::from_millis(until);
        sim.act_after(at, begin);
        at += Duration::from_millis(length);
        sim.act_after(at, end);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_tile_the_file_exactly(size in any::<u64>(), part_size in 1..=u64::MAX) {
        match Plan::new(size, part_size) {
            Err(error) => prop_assert!(error.parts > MAX_PARTS && error.parts == size.div_ceil(part_size)),
            Ok(plan) => {
                prop_assert!(u64::from(plan.parts()) <= MAX_PARTS);
                let mut end = 0;
                for part in 0..plan.parts() {
                    let range = plan.range(part);
                    prop_assert_eq!(range.start, end);
                    prop_assert!(range.end > range.start);
                    prop_assert!(range.end - range.start == part_size || part + 1 == plan.parts());
                    end = range.end;
                }
                prop_assert_eq!(end, size);
            }
        }
    }

    #[test]
    fn every_schedule_of_passing_faults_ends_with_the_whole_file(mut sim in sim(fault())) {
        sim.run();
        prop_assert_eq!(sim.upload.state(), State::Done, "{:?}", sim.result);
        sim.server.assert_whole();
        let progress = sim.upload.progress();
        prop_assert_eq!((progress.confirmed, progress.sent), (size_of(&sim.config), size_of(&sim.config)));
    }

    #[test]
    fn every_schedule_of_faults_ends(mut sim in sim(fatal_fault()), tokens_hang in any::<bool>()) {
        sim.tokens_hang = tokens_hang;
        sim.run();
        match &sim.result {
            Some(Ok(_)) => sim.server.assert_whole(),
            Some(Err(_)) => prop_assert_eq!(sim.upload.state(), State::Failed),
            None => prop_assert!(false, "it never ended"),
        }
    }

    #[test]
    fn pausing_and_going_on_loses_nothing(
        mut sim in sim(fault()),
        pauses in prop::collection::vec((0..3000u64, 0..20_000u64), 0..4),
    ) {
        interrupt(&mut sim, pauses, Action::Pause, Action::Resume);
        sim.run();
        prop_assert_eq!(sim.upload.state(), State::Done, "{:?}", sim.result);
        sim.server.assert_whole();
    }

    #[test]
    fn losing_the_network_and_finding_it_again_loses_nothing(
        mut sim in sim(fault()),
        outages in prop::collection::vec((0..3000u64, 0..100_000u64), 0..4),
    ) {
        interrupt(&mut sim, outages, Action::Offline, Action::Online);
        sim.run();
        prop_assert_eq!(sim.upload.state(), State::Done, "{:?}", sim.result);
        sim.server.assert_whole();
    }

    #[test]
    fn crash_and_resume_deliver_the_same_file_and_send_no_acknowledged_part_twice(
        mut sim in sim(fault()),
        crashes in prop::collection::vec(1..60usize, 1..4),
        later in script(fault()),
    ) {
        sim.config.keeps_record = true;
        let mut sim = Sim::new(sim.config, sim.server, 5);
        for steps in crashes {
            sim.start();
            for _ in 0..steps {
                if sim.result.is_some() || !sim.step() {
                    break;
                }
            }
            if sim.result.is_some() || sim.record.is_none() {
                break;
            }
            let acknowledged = sim.record.as_ref().unwrap().acknowledged();
            sim = sim.crash();
            sim.server.script = later.clone().into();
            sim.never_again = acknowledged;
        }
        sim.run();
        prop_assert_eq!(sim.upload.state(), State::Done, "{:?}", sim.result);
        sim.server.assert_whole();
        prop_assert!(sim.record.is_none());
    }

    #[test]
    fn closing_what_was_resumed_leaves_it_to_be_resumed_again(
        mut sim in sim(fault()),
        steps in 1..60usize,
        after in 0..300u64,
    ) {
        sim.config.keeps_record = true;
        sim.config.direct = false;
        let size = size_of(&sim.config).max(1);
        sim.config.size = Some(size);
        let server = Server { file: Server::new(size, 1, true).file, ..sim.server };
        let mut sim = Sim::new(sim.config, server, 5);
        sim.start();
        for _ in 0..steps {
            sim.step();
        }
        if sim.result.is_some() || sim.record.is_none() {
            return Ok(());
        }
        sim = sim.crash();
        sim.act_after(Duration::from_millis(after), Action::Close);
        sim.run();
        if sim.upload.state() != State::Done {
            prop_assert!(sim.record.is_some() && !sim.server.deleted);
            sim = sim.crash();
            sim.run();
        }
        prop_assert_eq!(sim.upload.state(), State::Done, "{:?}", sim.result);
        sim.server.assert_whole();
    }

    #[test]
    fn close_stops_everything_at_once(mut sim in sim(fatal_fault()), after in 0..5000u64) {
        sim.act_after(Duration::from_millis(after), Action::Close);
        sim.run();
        prop_assert!(sim.result.is_some());
    }

    #[test]
    fn abort_ends_everything_and_leaves_no_session(
        mut sim in sim(fatal_fault()),
        after in 0..5000u64,
        tokens_hang in any::<bool>(),
        pause in prop::option::of(0..5000u64),
        offline in prop::option::of(0..5000u64),
    ) {
        if let Some(offline) = offline {
            sim.act_after(Duration::from_millis(offline), Action::Offline);
            sim.act_after(Duration::from_millis(offline + 20_000), Action::Online);
        }
        sim.tokens_hang = tokens_hang;
        if let Some(pause) = pause {
            sim.act_after(Duration::from_millis(pause), Action::Pause);
        }
        sim.act_after(Duration::from_millis(after), Action::Abort);
        sim.run();
        let state = sim.upload.state();
        prop_assert!(matches!(state, State::Aborted | State::Done), "{state:?}");
        if state == State::Aborted {
            prop_assert!(!sim.upload.is_aborting());
            let was_running = matches!(&sim.result, Some(Err(error)) if error.code == ErrorCode::Aborted);
            prop_assert!(was_running || sim.result.is_some());
        }
    }
}
