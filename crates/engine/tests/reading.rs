//! Reading the file: order, read-ahead, what is held in memory, and a file that cannot be read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::observe::Scenario;
use support::server::Fault;
use support::{Action, Sim};
use upload_session_engine::config::{BodyMode, DigestMode};
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::State;
use upload_session_engine::request::Operation::{Delete, Finish, Upload};

#[test]
fn parts_are_read_one_at_a_time_and_in_order() {
    // That there is one at a time is checked by the simulation at every read.
    let sim = Scenario::parallel(100, 4).run();
    assert_eq!(sim.reads.iter().map(|read| read.part).collect::<Vec<_>>(), (0..25).collect::<Vec<_>>());
    assert!(sim.reads.iter().all(|read| read.wanted.part && read.wanted.file && !read.keep));
    assert!(sim.sent.iter().all(|sent| !sent.held));
}

#[test]
fn reads_run_two_parts_ahead_of_those_in_flight() {
    for (parallel, limit) in [(true, 4), (false, 1)] {
        let scenario = if parallel { Scenario::parallel(100, 4) } else { Scenario::sequential(100, 4) };
        let mut sim = scenario.sim_at(500);
        sim.run();
        assert_eq!(sim.reads.iter().map(|read| read.open).max(), Some(limit + 2));
    }
}

#[test]
fn file_that_cannot_be_read_has_changed_and_its_session_stays() {
    let mut sim = Scenario::parallel(100, 4).sim_at(50);
    sim.run_until_sent(Upload, 3, 1);
    sim.act(Action::BreakFile);
    sim.run();
    assert_eq!(sim.code(), ErrorCode::FileChanged);
    assert!(sim.error().part_number.is_some());
    assert_eq!(sim.upload.state(), State::Failed);
    assert_eq!((sim.count(Finish), sim.count(Delete)), (0, 0));
    sim.act(Action::Abort);
    sim.run();
    assert!(sim.server.deleted);
}

#[test]
fn read_that_fails_during_a_pause_ends_the_upload() {
    let mut sim = Scenario::parallel(100, 4).sim_at(50);
    sim.run_until(|sim| sim.reads.len() == 4);
    sim.act(Action::BreakFile);
    sim.act(Action::Pause);
    sim.run();
    assert_eq!(sim.code(), ErrorCode::FileChanged);
    assert_eq!(sim.upload.state(), State::Failed);
}

#[test]
fn buffered_parts_are_read_once_and_sent_as_they_were_hashed() {
    let sim = buffered(100, 4, 1 << 20).fault(Upload, 2, Fault::Status(503)).run();
    sim.assert_done();
    assert_eq!(sim.reads.len(), 25);
    assert!(sim.reads.iter().all(|read| read.keep));
    assert!(sim.sent.iter().filter(|sent| sent.part.is_some()).all(|sent| sent.held));
}

#[test]
fn buffered_parts_are_read_even_without_digests() {
    let sim = buffered(100, 4, 1 << 20).config(|config| config.digest = DigestMode::None).run();
    sim.assert_done();
    assert!(sim.reads.iter().all(|read| read.keep && !read.wanted.part && !read.wanted.file));
    assert_eq!(sim.upload.progress().hashed, 0);
    assert_eq!(sim.reads.len(), 25);
}

#[test]
fn memory_budget_is_used_and_never_exceeded() {
    for (budget, parts) in [(4, 1), (7, 1), (8, 2), (15, 3), (1 << 20, 6)] {
        let sim = buffered(100, 4, budget).run();
        sim.assert_done();
        assert_eq!(sim.held_peak, 4 * parts, "of {budget} bytes");
        assert!(sim.warnings().is_empty());
    }
}

#[test]
fn part_larger_than_the_budget_is_sent_as_a_slice_with_a_warning() {
    let sim = buffered(100, 4, 3).run();
    sim.assert_done();
    assert_eq!(sim.warnings(), ["memory_budget"]);
    assert!(sim.reads.iter().all(|read| !read.keep) && sim.sent.iter().all(|sent| !sent.held));
}

#[test]
fn file_smaller_than_its_part_size_is_held_by_its_own_size() {
    let sim = buffered(3, 1000, 3).run();
    sim.assert_done();
    assert!(sim.warnings().is_empty() && sim.reads[0].keep);
}

#[test]
fn slices_are_within_any_budget() {
    let sim = Scenario::parallel(100, 4).config(|config| config.memory_budget = 1).run();
    sim.assert_done();
    assert!(sim.warnings().is_empty());
}

#[test]
fn small_part_is_held_where_that_leaves_room_for_a_slice_before_it() {
    // A sequential session sends nothing past a part that has to be read and cannot be.
    for (memory_budget, expected) in [(8, false), (16, true)] {
        let scenario = Scenario::sequential(25, 8).fault(Upload, 1, Fault::LostRequest);
        let sim = scenario.config(|config| (config.memory_budget, config.small_part) = (memory_budget, 1)).run();
        sim.assert_done();
        assert_eq!(sim.sends_of(Upload, 3)[0].held, expected);
        assert!(!sim.sends_of(Upload, 1)[0].held && sim.sends_of(Upload, 1)[1].held);
    }
}

#[test]
fn small_parts_that_are_read_anyway_are_sent_from_memory() {
    for (small_part, digest, keep) in
        [(4, DigestMode::Parts, true), (3, DigestMode::Parts, false), (4, DigestMode::None, false)]
    {
        let mut sim = Scenario::parallel(40, 4)
            .config(|config| {
                config.body = BodyMode::Blob;
                config.small_part = small_part;
                config.digest = digest;
            })
            .sim();
        sim.run();
        sim.assert_done();
        assert_eq!(sim.reads.len(), if digest == DigestMode::None { 0 } else { 10 });
        assert!(sim.reads.iter().all(|read| read.keep == keep), "{small_part} {digest:?}");
        assert_eq!(sim.upload.progress().confirmed, 40);
    }
}

#[test]
fn small_part_that_is_larger_than_the_budget_is_sent_as_a_slice() {
    let mut sim = Scenario::parallel(40, 4)
        .config(|config| {
            config.body = BodyMode::Blob;
            config.small_part = 4;
            config.memory_budget = 3;
        })
        .sim();
    sim.run();
    sim.assert_done();
    assert!(sim.reads.iter().all(|read| !read.keep));
}

#[test]
fn held_bytes_are_let_go_with_the_acknowledgement() {
    let mut sim = buffered(8, 4, 1 << 20).fault(Finish, None, Fault::Hang).sim();
    sim.run_until_state(State::Finishing);
    assert!(sim.held.is_empty());
    sim.run();
    sim.assert_done();
}

#[test]
fn held_bytes_are_let_go_with_a_failure() {
    // The simulation checks at its end that nothing is held.
    let mut sim = buffered(100, 4, 1 << 20).fault(Upload, 2, Fault::Status(400)).sim_at(50);
    sim.run_until_sent(Upload, 3, 1);
    assert!(sim.held.len() > 1);
    sim.run();
    assert_eq!(sim.code(), ErrorCode::BadRequest);
    assert!(sim.held.is_empty());
}

#[test]
fn held_bytes_and_those_being_read_are_let_go_with_an_abort() {
    let mut sim = mid_read();
    assert!(sim.held.len() > 1);
    sim.act(Action::Abort);
    assert!(sim.held.is_empty());
    sim.run();
    assert!(sim.server.deleted);
}

#[test]
fn held_bytes_are_let_go_before_the_part_is_read_again() {
    let complaint = Fault::Answer(422, r#"{"message":"Digest mismatch"}"#);
    let mut sim = buffered(100, 4, 1 << 20).fault(Upload, 1, complaint).sim();
    sim.run_until(|sim| sim.reads.iter().filter(|read| read.part == 1).count() == 2);
    // The simulation checks that nothing is held twice, and nothing let go twice.
    sim.act(Action::Abort);
    sim.run();
    assert!(sim.held.is_empty());
}

#[test]
fn held_bytes_outlive_a_pause() {
    let mut sim = mid_read();
    let reads = sim.reads.len();
    let held = sim.held.clone();
    sim.act(Action::Pause);
    sim.run();
    assert_eq!(sim.held, held);
    assert_eq!(sim.reads.len(), reads, "nothing more is read during a pause");
    sim.act(Action::Resume);
    sim.run();
    sim.assert_done();
    assert_eq!(sim.reads.len(), 25, "nothing is read twice");
}

/// A file whose parts are held in memory until they are acknowledged.
fn buffered(size: u64, part_size: u64, memory_budget: u64) -> Scenario {
    Scenario::parallel(size, part_size).config(|config| {
        config.body = BodyMode::Buffer;
        config.memory_budget = memory_budget;
    })
}

/// Parts on the wire, parts held, and one being read.
fn mid_read() -> Sim {
    let mut sim = buffered(100, 4, 1 << 20).sim_at(500);
    sim.run_until(|sim| sim.reads.len() == 4);
    sim
}
