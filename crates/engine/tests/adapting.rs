//! How many parts are in flight: as many as make the upload faster, and fewer where that is too much.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use support::Sim;
use support::observe::Scenario;
use support::server::Fault;
use upload_session_engine::request::Operation::Upload;

#[test]
fn parallel_upload_begins_with_two_parts_and_grows_to_its_ceiling() {
    for ceiling in 1..=6 {
        let mut sim = Scenario::parallel(400, 4).config(|config| config.concurrency = ceiling).sim_at(100);
        sim.run_until(|sim| sim.upload.progress().parts_done == 1);
        assert_eq!(sim.peak, ceiling.min(2));
        sim.run();
        assert_eq!(sim.peak, ceiling);
    }
}

#[test]
fn sequential_upload_has_one_part_in_flight() {
    let mut sim = Scenario::sequential(400, 4).sim_at(100);
    sim.run();
    assert_eq!(sim.peak, 1);
}

#[test]
fn rate_limit_and_stall_halve_the_parts_in_flight() {
    for fault in [Fault::Status(429), Fault::Hang] {
        let mut sim = Scenario::parallel(10_000, 4).fault(Upload, 100, fault).sim_at(100);
        sim.run_until_sent(Upload, 100, 1);
        assert_eq!(sim.upload.progress().parts_in_flight, 4);
        sim.run_until(|sim| !sim.retries().is_empty());
        let since = sim.now;
        sim.run_for(Duration::from_millis(250));
        let later = sim.progress_events().into_iter().filter(|(at, _)| *at > since);
        // Those in flight are let end; half as many come after, and one more once they have been measured.
        let in_flight: Vec<_> = later.map(|(_, progress)| progress.parts_in_flight).collect();
        assert!(in_flight.contains(&2) && in_flight.iter().all(|&parts| parts <= 4), "{fault:?}: {in_flight:?}");
        assert!(sim.upload.progress().parts_in_flight <= 3, "{fault:?}");
        sim.run();
        sim.assert_done();
        assert_eq!(sim.retries().len(), 1);
    }
}

#[test]
fn parts_in_flight_settle_at_what_the_server_allows_and_lose_less_than_a_tenth() {
    for allowed in [2, 3, 4] {
        let run = |concurrency, limit| {
            let mut sim = Scenario::parallel(40_000, 10).config(|config| config.concurrency = concurrency).sim_at(300);
            sim.server.max_in_flight = limit;
            sim.run();
            sim.assert_done();
            sim
        };
        let fixed = run(allowed, None);
        let adaptive = run(6, Some(allowed));
        assert!(
            adaptive.now.as_secs_f64() < fixed.now.as_secs_f64() / 0.9,
            "{:?} against {:?}",
            adaptive.now,
            fixed.now
        );
        assert!(settled(&adaptive).abs_diff(allowed) <= 1);
    }
}

/// Returns how many parts were in flight for the longest time.
fn settled(sim: &Sim) -> usize {
    let mut at = [0; 7];
    for (_, progress) in sim.progress_events() {
        at[progress.parts_in_flight as usize] += 1;
    }
    (0..7).max_by_key(|&number| at[number]).unwrap()
}
