//! A file that changes while it is sent, on a platform that does not tell: read to its end ahead of sending, and verified
//! beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use proptest::prelude::*;
use support::observe::Scenario;
use support::server::{Fault, Server};
use support::{Action, Sim, json_of};
use upload_session_engine::clock::Duration;
use upload_session_engine::config::{BodyMode, Config, DigestMode};
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::{Event, PartState, State};
use upload_session_engine::request::Operation::{Finish, Get, Upload};

const BODIES: [BodyMode; 2] = [BodyMode::Buffer, BodyMode::Blob];
const INTERRUPTIONS: [(Action, Action); 2] = [(Action::Pause, Action::Resume), (Action::Offline, Action::Online)];
const DIGESTS: [DigestMode; 3] = [DigestMode::PartsAndFile, DigestMode::Parts, DigestMode::None];

fn rereading(body: BodyMode) -> Scenario {
    Scenario::parallel(400, 4).config(|config| {
        config.rereads_file = true;
        config.body = body;
    })
}

fn buffered() -> Scenario {
    rereading(BodyMode::Buffer)
}

/// Where the link is slow.
fn slow(scenario: Scenario) -> Sim {
    let mut sim = scenario.sim_at(100);
    sim.server.file_changes = true;
    sim
}

fn acknowledged(sim: &Sim) -> usize {
    sim.told(|event| matches!(event, Event::Part { state: PartState::Done, .. }).then_some(())).len()
}

/// Runs until all of the file was read once.
fn run_until_surveyed(sim: &mut Sim) {
    sim.run_until(|sim| (0..100).all(|part| sim.reads.iter().any(|read| read.part == part)));
    sim.run_for(Duration::from_millis(6));
}

fn uploaded(sim: &Sim) -> Vec<u8> {
    sim.server.held.values().flatten().copied().collect()
}

fn assert_changed(sim: &Sim, what: &str) {
    assert_eq!((sim.code(), sim.count(Finish)), (ErrorCode::FileChanged, 0), "{what}");
}

#[test]
fn slow_link_leaves_nothing_to_be_read_of_buffers_after_the_last_part() {
    for digest in DIGESTS {
        let mut sim = slow(buffered().config(|config| config.digest = digest));
        sim.run();
        sim.assert_done();
        assert_eq!(sim.verifications, 1);
        let last = sim.events.iter().rev().find_map(|(at, event)| match event {
            Event::Part { state: PartState::Done, .. } => Some(*at),
            _ => None,
        });
        assert_eq!(sim.sends_of(Finish, None)[0].at, last.unwrap(), "{digest:?}");
        assert!((0..100).all(|part| sim.reads.iter().filter(|read| read.part == part).count() <= 2));
    }
}

#[test]
fn slow_link_leaves_those_slices_to_be_read_that_were_sent_last() {
    for digest in DIGESTS {
        let mut sim = slow(rereading(BodyMode::Blob).config(|config| config.digest = digest));
        sim.run_until(|sim| acknowledged(sim) == 100);
        let reads = sim.reads.len();
        sim.run();
        sim.assert_done();
        assert!(sim.verifications == 1 && sim.reads.len() - reads <= 4, "{digest:?}");
        let times = |part| sim.reads.iter().filter(|read| read.part == part).count();
        // Those that were sent before are verified with the file.
        assert!((0..40).all(|part| times(part) == 1) && (60..100).all(|part| times(part) == 2), "{digest:?}");
    }
}

#[test]
fn survey_hashes_ahead_and_holds_nothing() {
    for body in BODIES {
        let mut sim = slow(rereading(body));
        run_until_surveyed(&mut sim);
        let surveyed: Vec<_> = sim.reads.iter().filter(|read| read.part > 20).collect();
        assert!(surveyed.iter().map(|read| read.part).eq(21..100), "in order, and each once");
        assert!(surveyed.iter().all(|read| read.wanted.file && !read.keep));
        // Of a part that is to be read once more that is told then.
        let told: &[_] = if body == BodyMode::Blob { &[(PartState::Hashing, 0), (PartState::Queued, 0)] } else { &[] };
        assert!((21..100).all(|part| sim.part_events(part) == told), "{body:?}");
        assert_eq!(sim.upload.progress().hashed, 400);
        sim.run();
        sim.assert_done();
        let states = [(PartState::Hashing, 0), (PartState::Queued, 0), (PartState::Sending, 1), (PartState::Done, 1)];
        assert!((0..100).all(|part| sim.part_events(part) == states), "{body:?}");
    }
}

#[test]
fn file_is_verified_beside_the_second_half_of_the_sending() {
    for body in BODIES {
        let mut sim = slow(rereading(body));
        sim.run_until(|sim| sim.verifications == 1);
        assert!((50..60).contains(&acknowledged(&sim)), "{}", acknowledged(&sim));
        assert_eq!(sim.upload.state(), State::Uploading);
    }
}

#[test]
fn part_that_is_opened_while_it_is_surveyed_is_not_read_twice() {
    // About as fast as it is read.
    for latency in 4..16 {
        let mut sim = rereading(BodyMode::Blob).sim_at(latency);
        sim.server.file_changes = true;
        sim.run_until(|sim| sim.verifications == 1);
        assert!(sim.reads.iter().map(|read| read.part).eq(0..100), "in order, and each once");
        sim.run();
        sim.assert_done();
        assert!(sim.reads.iter().all(|read| !read.keep));
    }
}

#[test]
fn small_parts_are_sent_from_memory_and_their_file_is_surveyed() {
    let mut sim = slow(rereading(BodyMode::Blob).config(|config| config.small_part = 4));
    sim.run();
    sim.assert_done();
    let uploads: Vec<_> = sim.sent.iter().filter(|sent| sent.operation == Upload).collect();
    assert!(uploads.len() == 100 && uploads.iter().all(|sent| sent.held));
    assert_eq!(sim.verifications, 1);
}

#[test]
fn fast_link_reads_everything_twice_and_no_more() {
    let mut sim = buffered().sim_at(0);
    sim.run();
    sim.assert_done();
    assert_eq!((sim.reads.len(), sim.verifications), (100, 1));
    assert!(sim.reads.iter().all(|read| read.keep));
}

#[test]
fn what_the_platform_tells_of_is_not_surveyed() {
    for body in BODIES {
        let mut sim = slow(rereading(body).config(|config| config.rereads_file = false));
        sim.run_until(|sim| sim.verifications == 1);
        assert_eq!((sim.reads.len(), acknowledged(&sim)), (100, 100), "{body:?}");
        sim.run();
        sim.assert_done();
    }
}

#[test]
fn change_is_found_in_whichever_part_and_whenever_before_the_file_is_verified() {
    for digest in DIGESTS {
        // Sent before, in flight or held, surveyed and not sent yet, the last.
        for at in [0, 4, 45, 60, 399] {
            for (body, after) in BODIES.into_iter().flat_map(|body| [7, 10, 20].map(|after| (body, after))) {
                let mut sim = slow(rereading(body).config(|config| config.digest = digest));
                run_until_surveyed(&mut sim);
                sim.run_until(|sim| acknowledged(sim) >= after);
                sim.act(Action::Overwrite(at));
                sim.run();
                assert_changed(&sim, &format!("byte {at} after {after} parts, {digest:?}, {body:?}"));
            }
        }
    }
}

#[test]
fn change_ahead_of_the_survey_is_uploaded_and_one_behind_it_is_found() {
    for body in BODIES {
        for (at, is_found) in [(399, false), (300, true), (0, true)] {
            let mut sim = slow(rereading(body));
            sim.run_until(|sim| sim.reads.iter().any(|read| read.part == 90));
            sim.act(Action::Overwrite(at));
            sim.run();
            if is_found {
                assert_changed(&sim, &format!("byte {at}, {body:?}"));
            } else {
                assert_eq!(sim.upload.state(), State::Done);
                assert_eq!(Some(&uploaded(&sim)), sim.states.last());
            }
        }
    }
}

#[test]
fn change_after_the_file_was_verified_is_found_where_it_would_be_sent() {
    for (body, digest) in BODIES.into_iter().flat_map(|body| DIGESTS.map(|digest| (body, digest))) {
        for (at, is_found) in [(0, false), (399, true)] {
            let mut sim = slow(rereading(body).config(|config| config.digest = digest));
            sim.run_until(|sim| sim.verifications == 1);
            sim.run_for(Duration::from_millis(11));
            sim.act(Action::Overwrite(at));
            sim.run();
            if is_found {
                assert_changed(&sim, &format!("byte {at}, {body:?}, {digest:?}"));
            } else {
                assert_eq!(sim.upload.state(), State::Done);
                assert_eq!(uploaded(&sim), sim.states[0]);
            }
        }
    }
}

#[test]
fn slice_that_is_on_its_way_when_the_file_is_verified_is_read_once_more_after_that() {
    // The file is verified beside it, and changes before the slice is sent to its end.
    let mut sim = slow(rereading(BodyMode::Blob).config(|config| config.digest = DigestMode::None));
    sim.run_until(|sim| sim.verifications == 1);
    sim.run_for(Duration::from_millis(11));
    let in_flight = (0..100).find(|&part| sim.part_events(part).last() == Some(&(PartState::Sending, 1))).unwrap();
    sim.act(Action::Overwrite(u64::from(in_flight) * 4));
    sim.run();
    assert_changed(&sim, "in flight");
}

#[test]
fn slice_that_memory_is_too_short_for_at_its_second_attempt_is_verified_all_the_same() {
    let mut sim = slow(rereading(BodyMode::Blob).fault(Upload, 70, Fault::LostRequest));
    sim.memory_is_short = true;
    sim.run();
    sim.assert_done();
    assert_eq!(sim.verifications, 1);
    assert_eq!(sim.reads.iter().filter(|read| read.keep).count(), 1);
}

#[test]
fn part_that_memory_is_too_short_for_is_verified_after_it_was_sent() {
    // Before the file is verified, and meanwhile.
    for verifications in [0, 1] {
        let mut sim = slow(buffered());
        run_until_surveyed(&mut sim);
        sim.run_until(|sim| sim.verifications == verifications);
        sim.memory_is_short = true;
        let next = sim.reads.len();
        sim.run_until(|sim| sim.reads.len() > next);
        sim.run_until(|sim| acknowledged(sim) == 100);
        sim.act(Action::Overwrite(0));
        sim.run();
        assert_changed(&sim, &format!("after {verifications}"));
        assert_eq!(sim.verifications, verifications + 1);
    }
}

#[test]
fn file_that_cannot_be_surveyed_or_verified_has_changed() {
    for (body, verifications) in BODIES.into_iter().flat_map(|body| [(body, 0), (body, 1)]) {
        let mut sim = slow(rereading(body));
        sim.run_until(|sim| sim.verifications == verifications && sim.reads.iter().any(|read| read.part == 90));
        sim.act(Action::BreakFile);
        sim.run();
        assert_changed(&sim, "broken");
    }
}

#[test]
fn snapshot_says_nothing_of_parts_that_were_only_surveyed() {
    for body in BODIES {
        let mut sim = slow(rereading(body).config(|config| config.keeps_record = true));
        run_until_surveyed(&mut sim);
        sim.run_until(|sim| acknowledged(sim) >= 10);
        let record = json_of(sim.record.as_ref().unwrap());
        assert!((2..=8).contains(&record["digests"].as_array().unwrap().len()), "{record}");
        let mut sim = sim.crash();
        sim.run();
        sim.assert_done();
    }
}

#[test]
fn survey_waits_for_the_end_of_a_pause_and_of_an_outage() {
    for ((begin, end), body) in INTERRUPTIONS.into_iter().flat_map(|actions| BODIES.map(|body| (actions, body))) {
        let mut sim = slow(rereading(body));
        sim.run_until(|sim| sim.reads.iter().any(|read| read.part == 90));
        sim.act(begin);
        let reads = sim.reads.len();
        sim.run_for(Duration::from_secs(60));
        assert_eq!(sim.reads.len(), reads);
        sim.act(end);
        sim.run();
        sim.assert_done();
    }
}

#[test]
fn slices_that_were_sent_are_read_once_more_after_a_pause_and_an_outage() {
    for (begin, end) in INTERRUPTIONS {
        let mut sim = slow(rereading(BodyMode::Blob).config(|config| config.digest = DigestMode::None));
        sim.run_until(|sim| sim.verifications == 1);
        // Those in flight arrive last, and close to each other: faster than they are read.
        sim.latency = Some(Duration::from_millis(1));
        let in_flight = (0..100).rfind(|&part| sim.part_events(part).last() == Some(&(PartState::Sending, 1))).unwrap();
        sim.run_until(|sim| acknowledged(sim) == 100);
        sim.act(begin);
        // What is being read is read to its end.
        sim.run_for(Duration::from_secs(60));
        let reads = sim.reads.len();
        sim.act(Action::Overwrite(u64::from(in_flight) * 4));
        sim.act(end);
        sim.run();
        assert!(sim.reads.len() > reads);
        assert_changed(&sim, &format!("{begin:?}"));
    }
}

#[test]
fn abort_cancels_the_survey_and_the_verification() {
    for (body, verifications) in BODIES.into_iter().flat_map(|body| [(body, 0), (body, 1)]) {
        let mut sim = slow(rereading(body));
        sim.run_until(|sim| sim.verifications == verifications && sim.reads.iter().any(|read| read.part == 90));
        // The simulation checks that nothing is read after it, and that what comes too late does nothing.
        sim.act(Action::Abort);
        sim.run();
        assert!(sim.server.deleted);
    }
}

#[test]
fn fresh_session_keeps_what_was_surveyed() {
    for body in BODIES {
        let mut sim = slow(rereading(body).config(|config| config.restart = true).fault(Upload, 20, Fault::Expire));
        sim.run();
        sim.assert_done();
        assert_eq!((sim.count(Get), sim.verifications), (2, 1));
        assert_eq!(sim.reads.iter().filter(|read| read.wanted.file).count(), 100, "nothing is surveyed twice");
        let told = [(PartState::Queued, 0), (PartState::Sending, 1), (PartState::Done, 1)];
        assert!((0..100).all(|part| sim.part_events(part).ends_with(&told)), "{body:?}");
    }
}

/// In the order of its parts, by an upload whose record is kept.
fn sequential((body, digest): (BodyMode, DigestMode)) -> Sim {
    slow(Scenario::sequential(40, 4).config(|config| {
        config.rereads_file = true;
        config.keeps_record = true;
        config.body = body;
        config.digest = digest;
    }))
}

/// A part whose answer the page did not live to see; the file changes by then at `change`.
fn crashed_before_the_answer(way: (BodyMode, DigestMode), part: u32, change: Option<u64>) -> Sim {
    let mut sim = sequential(way);
    sim.run_until(|sim| sim.server.held.contains_key(&part));
    assert_eq!(acknowledged(&sim), part as usize);
    change.into_iter().for_each(|at| sim.act(Action::Overwrite(at)));
    let states = std::mem::take(&mut sim.states);
    let mut sim = sim.crash();
    sim.states = states;
    sim.run();
    sim
}

fn each_way() -> impl Iterator<Item = ((BodyMode, DigestMode), u32)> {
    let ways = BODIES.into_iter().flat_map(|body| DIGESTS.into_iter().map(move |digest| (body, digest)));
    ways.flat_map(|way| [(way, 0), (way, 5), (way, 9)])
}

#[test]
fn part_whose_answer_was_lost_with_the_page_is_compared_with_what_was_sent() {
    for (way, part) in each_way() {
        let sim = crashed_before_the_answer(way, part, Some(u64::from(part) * 4));
        assert_changed(&sim, &format!("{way:?} {part}"));
        let sim = crashed_before_the_answer(way, part, None);
        sim.assert_done();
        assert_eq!(sim.count(Upload), 9 - part as usize, "it is not sent again");
    }
}

fn body() -> impl Strategy<Value = BodyMode> {
    prop::sample::select(BODIES.to_vec())
}

fn fault() -> impl Strategy<Value = Fault> {
    prop::sample::select(vec![
        Fault::Status(503),
        Fault::Status(429),
        Fault::LostRequest,
        Fault::LostAnswer,
        Fault::Hang,
        Fault::Corrupt,
        Fault::Expire,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_uploaded_is_what_the_file_held_at_some_time(
        (size, part_size, latency) in (1..600u64, 4..40u64, prop::sample::select(vec![0, 1, 4, 20, 100])),
        (body, parallel, direct) in (body(), any::<bool>(), prop::bool::weighted(0.1)),
        digest in prop::sample::select(DIGESTS.to_vec()),
        memory_budget in prop_oneof![1..200u64, Just(1 << 26)],
        (small_part, measures_progress) in (prop_oneof![Just(0), 0..40u64], any::<bool>()),
        (restart, keeps_record) in (any::<bool>(), any::<bool>()),
        faults in prop::collection::vec(prop::option::weighted(0.1, fault()), 0..40),
        changes in prop::collection::vec((0..2000u64, 0.0..1.0f64), 0..4),
        pause in prop::option::weighted(0.2, (0..1000u64, 0..1000u64)),
        short in prop::option::weighted(0.2, (0..40usize, 1..20usize)),
        crash in prop::option::weighted(0.2, 1..150usize),
        seed in any::<u64>(),
    ) {
        let config = Config {
            digest, body, memory_budget, small_part, measures_progress, restart, keeps_record, rereads_file: true, direct,
            ..Config::new("file.bin", "root", size)
        };
        let mut server = Server::new(size, part_size, parallel);
        server.script = faults.into();
        server.file_changes = true;
        let mut sim = Sim::new(config, server, seed);
        sim.latency = Some(Duration::from_millis(latency));
        for &(after, at) in &changes {
            let at = (size as f64 * at) as u64;
            sim.act_after(Duration::from_millis(after * (latency + 1) / 20), Action::Overwrite(at));
        }
        if let Some((after, length)) = pause {
            sim.act_after(Duration::from_millis(after), Action::Pause);
            sim.act_after(Duration::from_millis(after + length), Action::Resume);
        }
        sim.start();
        let mut steps = 0;
        while sim.step() {
            steps += 1;
            if let Some((from, length)) = short {
                sim.memory_is_short = (from..from + length).contains(&sim.reads.len());
            }
            if crash == Some(steps) && sim.record.is_some() && sim.result.is_none() {
                let states = std::mem::take(&mut sim.states);
                sim = sim.crash();
                sim.states = states;
                sim.start();
            }
        }
        match &sim.result {
            Some(Ok(_)) => {
                let is_state = sim.states.contains(&uploaded(&sim)) || uploaded(&sim) == sim.server.file;
                prop_assert!(is_state, "a mixture was uploaded");
            }
            Some(Err(_)) => prop_assert_eq!(sim.upload.state(), State::Failed),
            None => prop_assert!(false, "it never ended"),
        }
    }
}
