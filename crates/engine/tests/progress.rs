//! Progress: what it says, how often it is told, and that its timer never spins.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use support::observe::Scenario;
use support::server::Fault;
use support::{Action, Sim};
use upload_session_engine::output::State;
use upload_session_engine::progress::Progress;
use upload_session_engine::request::Operation::{Finish, Get, Upload};

const FRAME: Duration = Duration::from_millis(16);
const TICK: Duration = Duration::from_millis(100);

#[test]
fn nothing_is_known_but_the_size_before_the_session() {
    let mut sim = Scenario::parallel(4000, 1000).sim();
    assert_eq!(sim.upload.progress(), Progress { total: 4000, ..Progress::default() });
    sim.run_until_sent(Get, None, 1);
    assert!(sim.progress_events().is_empty());
}

#[test]
fn last_progress_is_the_whole_file() {
    let sim = Scenario::parallel(3500, 1000).run();
    let (_, last) = *sim.progress_events().last().unwrap();
    assert_eq!((last.total, last.confirmed, last.sent, last.hashed), (3500, 3500, 3500, 3500));
    assert_eq!((last.parts_total, last.parts_done, last.parts_in_flight), (4, 4, 0));
    assert_eq!(last.seconds_remaining, Some(0.0));
    assert_eq!(last, sim.upload.progress());
}

#[test]
fn acknowledged_parts_are_confirmed_and_parts_on_the_wire_are_not() {
    let mut sim = slow(4000, 1000);
    sim.run_until_sent(Upload, 2, 1);
    sim.run_for(Duration::from_millis(500));
    let progress = sim.upload.progress();
    assert_eq!((progress.confirmed, progress.parts_done, progress.parts_in_flight), (2000, 2, 1));
    assert_eq!((progress.sent, progress.hashed), (2500, 4000));
}

#[test]
fn estimate_grows_while_a_part_is_on_the_wire_and_stops_at_its_end() {
    let mut sim = slow(3000, 1000);
    sim.run_until_sent(Upload, 1, 1);
    // The second part takes four times as long as the first, at whose speed it is estimated.
    sim.latency = Some(Duration::from_secs(4));
    let begin = sim.now;
    sim.run_until_sent(Upload, 2, 1);
    let second: Vec<_> = sim.progress_events().into_iter().filter(|(at, _)| *at > begin && *at < sim.now).collect();
    assert!(second.windows(2).all(|pair| pair[0].1.sent < pair[1].1.sent));
    assert!(second.iter().all(|(_, progress)| progress.confirmed == 1000 && progress.sent <= 2000));
    assert!(second.len() >= 9, "{}", second.len());
}

#[test]
fn estimate_is_never_more_than_a_part_however_many_are_on_the_wire() {
    let mut sim = Scenario::parallel(40_000, 1000).sim_at(1000);
    sim.run_until(|sim| sim.upload.progress().parts_in_flight == 4 && sim.upload.progress().parts_done > 20);
    // The link dies, and nothing tells.
    sim.latency = Some(Duration::from_secs(100_000));
    for _ in 0..100 {
        sim.run_for(Duration::from_millis(100));
        let progress = sim.upload.progress();
        assert!(progress.sent <= progress.confirmed + 1000);
    }
    assert_eq!(sim.upload.progress().sent, sim.upload.progress().confirmed + 1000);
}

#[test]
fn speed_and_time_left_are_those_of_the_acknowledged_parts() {
    let mut sim = slow(4000, 1000);
    sim.run_until_sent(Upload, 0, 1);
    sim.run_for(Duration::from_millis(500));
    let progress = sim.upload.progress();
    assert_eq!((progress.bytes_per_second, progress.seconds_remaining, progress.sent), (0.0, None, 0));
    sim.run_until_sent(Upload, 1, 1);
    sim.run_for(Duration::from_millis(20));
    let progress = sim.upload.progress();
    assert_eq!(progress.bytes_per_second, 1000.0);
    assert_eq!(progress.seconds_remaining, Some((4000 - progress.sent) as f64 / 1000.0));
}

#[test]
fn failed_attempt_takes_its_estimate_back_and_confirmed_stays() {
    let mut sim = Scenario::sequential(4000, 1000).fault(Upload, 1, Fault::StatusAfter(503, 5)).sim_at(1000);
    sim.run_until_sent(Upload, 1, 1);
    sim.run_for(Duration::from_millis(900));
    assert!(sim.upload.progress().sent > 1700);
    sim.run_for(Duration::from_millis(500));
    let progress = sim.upload.progress();
    assert_eq!((progress.confirmed, progress.sent, progress.parts_in_flight), (1000, 1000, 0));
    sim.run_until_sent(Upload, 1, 2);
    sim.run_for(TICK * 2.0);
    let sent = sim.upload.progress().sent;
    assert!(sent > 1000 && sent <= 1200, "the next attempt counts from its own begin: {sent}");
}

#[test]
fn speed_is_that_of_all_parts_on_the_wire_together() {
    let mut sim = Scenario::parallel(2000, 1000).sim_at(1000);
    sim.run();
    // The second part begins a moment after the first, when it is hashed.
    let speed = sim.upload.progress().bytes_per_second;
    assert!((1990.0..=2000.0).contains(&speed), "{speed}");
}

#[test]
fn progress_is_told_once_a_frame_at_most() {
    let mut sim = Scenario::parallel(500, 1).sim_at(3);
    sim.run();
    sim.assert_done();
    let mut told = sim.progress_events();
    // The last of all comes with the end.
    told.pop();
    assert!(told.len() > 10);
    assert!(told.windows(2).all(|pair| pair[1].0 - pair[0].0 >= FRAME));
}

#[test]
fn progress_that_came_within_a_frame_is_told_at_the_next() {
    // Every part is acknowledged within the first frame, and the finish takes long.
    let mut sim = Scenario::parallel(6, 1).fault(Finish, None, Fault::Accepted).sim_at(1);
    sim.run_until_state(State::Finishing);
    let ended = sim.now;
    assert!(sim.progress_events().iter().all(|(_, told)| told.parts_done < 6));
    let progress = sim.upload.progress();
    assert_eq!(
        (progress.confirmed, progress.parts_done, progress.parts_in_flight),
        (6, 6, 0),
        "who asks is told at once"
    );
    sim.run_for(FRAME);
    assert_eq!(sim.upload.state(), State::Finishing);
    let (at, last) = *sim.progress_events().last().unwrap();
    assert_eq!((last.confirmed, last.parts_done, last.parts_in_flight), (6, 6, 0));
    assert!(at <= ended + FRAME);
}

#[test]
fn progress_of_a_pause_says_that_nothing_is_on_the_wire() {
    let mut sim = slow(4000, 1000);
    sim.run_until_sent(Upload, 1, 1);
    sim.run_for(TICK * 3.0);
    sim.act(Action::Pause);
    sim.run();
    let progress = sim.upload.progress();
    assert_eq!((progress.parts_in_flight, progress.sent, progress.confirmed), (0, 1000, 1000));
}

#[test]
fn estimate_is_told_ten_times_a_second_while_parts_are_on_the_wire() {
    let mut sim = slow(4000, 1000);
    sim.run_until_sent(Upload, 2, 1);
    let (from, timers) = (sim.now, sim.timers.len());
    sim.run_for(Duration::from_millis(950));
    let told: Vec<_> = sim.progress_events().into_iter().filter(|(at, _)| *at > from + FRAME).collect();
    assert!((8..=9).contains(&told.len()), "{}", told.len());
    assert!(told.windows(2).all(|pair| pair[1].0 - pair[0].0 == TICK));
    assert!(sim.timers.len() - timers <= 11, "{}", sim.timers.len() - timers);
}

#[test]
fn timer_ticks_as_slowly_while_no_speed_is_known() {
    let mut sim = slow(4000, 1000);
    sim.run_until_sent(Upload, 0, 1);
    let timers = sim.timers.len();
    sim.run_for(Duration::from_millis(950));
    assert!(sim.timers.len() - timers <= 11, "{}", sim.timers.len() - timers);
}

#[test]
fn nothing_ticks_while_nothing_is_on_the_wire_and_the_speed_has_faded() {
    let mut sim = Scenario::sequential(4000, 1000).fault(Upload, 1, Fault::StatusAfter(503, 600)).sim_at(100);
    sim.run_until(|sim| !sim.retries().is_empty());
    assert!(sim.upload.progress().bytes_per_second > 0.0);
    sim.run_for(Duration::from_secs(20));
    let progress = sim.upload.progress();
    assert_eq!((progress.bytes_per_second, progress.seconds_remaining), (0.0, None));
    let timers = sim.timers.len();
    sim.run_for(Duration::from_secs(500));
    assert_eq!(sim.timers.len(), timers);
    sim.act(Action::Pause);
    sim.run();
    assert!(sim.timers.len() <= timers + 1, "a pause ticks once at most");
}

#[test]
fn progress_of_an_empty_file_is_told_too() {
    let sim = Scenario::parallel(0, 4).run();
    let progress = sim.progress_events().last().unwrap().1;
    assert_eq!((progress.total, progress.confirmed, progress.parts_done), (0, 0, 1));
}

#[test]
fn failure_is_followed_by_no_timer() {
    let mut sim = Scenario::parallel(4000, 1000).fault(Upload, 1, Fault::Status(400)).sim();
    sim.run_until_state(State::Failed);
    let timers = sim.timers.len();
    sim.run();
    assert_eq!(sim.timers.len(), timers);
}

/// A second a request, one part at a time.
fn slow(size: u64, part_size: u64) -> Sim {
    Scenario::sequential(size, part_size).sim_at(1000)
}
