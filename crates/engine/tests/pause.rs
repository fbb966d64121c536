//! Pause and resume, in every phase.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use support::observe::Scenario;
use support::server::Fault;
use support::{Action, Sim};
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::{Event, PartState, State};
use upload_session_engine::request::Operation::{Create, Delete, Finish, Get, Upload};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn pause_during_create_takes_its_answer_and_sends_nothing_more() {
    let mut sim = Scenario::sequential(10, 4).sim();
    sim.run_until_sent(Create, None, 1);
    sim.act(Action::Pause);
    sim.run();
    assert_eq!((sim.upload.state(), sim.upload.session_id()), (State::Paused, Some("session")));
    assert_eq!(sim.operations(), [Create]);
    assert!(sim.cut.is_empty());
    sim.act(Action::Resume);
    sim.run();
    sim.assert_done();
    assert_eq!(sim.operations(), [Create, Get, Upload, Upload, Upload, Finish]);
    let states = [State::Starting, State::Paused, State::Starting, State::Uploading, State::Finishing, State::Done];
    assert_eq!(sim.states(), states);
}

#[test]
fn pause_during_get_takes_its_answer_and_reads_nothing() {
    let mut sim = Scenario::sequential(10, 4).sim();
    sim.run_until_sent(Get, None, 1);
    sim.act(Action::Pause);
    sim.run();
    assert_eq!(sim.told(|event| matches!(event, Event::Session { .. }).then_some(())).len(), 1);
    assert!(sim.reads.is_empty());
    sim.act(Action::Resume);
    sim.run();
    sim.assert_done();
}

#[test]
fn pause_during_parts_cuts_all_of_them_at_once() {
    let mut sim = paused_in_parts();
    assert_eq!(sim.upload.state(), State::Paused);
    assert_eq!(sim.cut, [2, 3].map(|part| (Upload, Some(part))));
    for part in 2..4 {
        assert_eq!(sim.part_events(part).last(), Some(&(PartState::Queued, 1)));
    }
    let sent = sim.sent.len();
    sim.run_for(HOUR);
    assert_eq!(sim.sent.len(), sent);
    sim.act(Action::Resume);
    assert_eq!(sim.sent.len(), sent + 2, "they go out again at once");
    sim.run();
    sim.assert_done();
    assert_eq!(sim.part_events(2).last(), Some(&(PartState::Done, 2)));
    let states = [State::Starting, State::Uploading, State::Paused, State::Uploading, State::Finishing, State::Done];
    assert_eq!(sim.states(), states);
}

#[test]
fn answers_that_come_after_the_pause_are_dropped() {
    for fault in [None, Some(Fault::LostAnswer), Some(Fault::Status(400)), Some(Fault::Unsendable)] {
        let scenario = Scenario::parallel(40, 4);
        let mut sim = fault.into_iter().fold(scenario, |all, fault| all.fault(Upload, 0, fault)).sim_at(50);
        sim.run_until_sent(Upload, 1, 1);
        sim.act(Action::Pause);
        let events = sim.told(|event| matches!(event, Event::Part { .. } | Event::Retry { .. }).then_some(()));
        sim.run_for(HOUR);
        assert_eq!(sim.upload.state(), State::Paused, "{fault:?}");
        assert_eq!(sim.upload.progress().confirmed, 0);
        let later = sim.told(|event| matches!(event, Event::Part { .. } | Event::Retry { .. }).then_some(()));
        // The one read that was under way ends: its part is queued.
        assert!(later.len() <= events.len() + 1);
        sim.act(Action::Resume);
        sim.run();
        sim.assert_done();
    }
}

#[test]
fn finish_in_flight_is_let_end() {
    let mut sim = Scenario::sequential(10, 4).sim();
    sim.run_until_sent(Finish, None, 1);
    sim.act(Action::Pause);
    assert_eq!(sim.upload.state(), State::Paused);
    sim.run();
    sim.assert_done();
    assert!(sim.cut.is_empty());
    assert_eq!(sim.states()[2..], [State::Finishing, State::Paused, State::Done]);
}

#[test]
fn finish_that_fails_during_a_pause_waits_for_its_end() {
    for fault in [Fault::LostAnswer, Fault::Hang, Fault::Accepted] {
        let mut sim = Scenario::sequential(10, 4).fault(Finish, None, fault).sim();
        sim.run_until_sent(Finish, None, 1);
        sim.act(Action::Pause);
        sim.run_for(HOUR);
        assert_eq!(sim.upload.state(), State::Paused);
        assert_eq!(sim.operations().last(), Some(&Finish));
        sim.act(Action::Resume);
        assert_eq!(sim.states().last(), Some(&State::Finishing));
        sim.run();
        assert_eq!(sim.upload.state(), State::Done);
        sim.server.assert_whole();
    }
}

#[test]
fn deadline_of_a_request_in_flight_stands_during_a_pause() {
    let mut sim = Scenario::sequential(10, 4).fault(Create, None, Fault::Hang).sim();
    sim.run_until_sent(Create, None, 1);
    let since = sim.now;
    sim.act(Action::Pause);
    // Whatever the timer was set to is forgotten: it has to be set again.
    let now = sim.at();
    sim.upload.handle_timeout(now);
    let told = sim.timers.len();
    sim.act(Action::Pause);
    assert_eq!(sim.timers[told..], [since + Duration::from_secs(60)]);
    sim.run();
    assert_eq!((sim.cut.clone(), sim.retries().len()), (vec![(Create, None)], 1));
    assert_eq!(sim.upload.state(), State::Paused);
}

#[test]
fn request_that_is_refused_during_a_pause_ends_the_upload() {
    let mut sim = Scenario::sequential(10, 4).fault(Create, None, Fault::Status(402)).sim();
    sim.run_until_sent(Create, None, 1);
    sim.act(Action::Pause);
    sim.run();
    assert_eq!((sim.code(), sim.upload.state()), (ErrorCode::PaymentRequired, State::Failed));
    sim.act(Action::Resume);
    sim.run();
    assert_eq!(sim.upload.state(), State::Failed);
}

#[test]
fn retry_after_is_honoured_after_a_shorter_pause() {
    for (operation, part) in [(Create, None), (Upload, Some(1)), (Finish, None)] {
        let mut sim = Scenario::sequential(10, 4).fault(operation, part, Fault::StatusAfter(429, 10)).sim();
        sim.run_until(|sim| !sim.retries().is_empty());
        let told_at = sim.now;
        sim.run_for(Duration::from_secs(1));
        sim.act(Action::Pause);
        sim.run_for(Duration::from_secs(2));
        sim.act(Action::Resume);
        sim.run();
        sim.assert_done();
        assert_eq!(sim.sends_of(operation, part)[1].at, told_at + Duration::from_secs(10));
    }
}

#[test]
fn wait_that_ends_during_a_pause_sends_at_its_end() {
    for (operation, part) in [(Create, None), (Upload, Some(1)), (Finish, None)] {
        let mut sim = Scenario::sequential(10, 4).fault(operation, part, Fault::StatusAfter(429, 10)).sim();
        sim.run_until(|sim| !sim.retries().is_empty());
        sim.act(Action::Pause);
        sim.run_for(Duration::from_secs(60));
        assert_eq!(sim.sends_of(operation, part).len(), 1);
        sim.act(Action::Resume);
        assert_eq!(sim.sends_of(operation, part)[1].at, sim.now);
        sim.run();
        sim.assert_done();
    }
}

#[test]
fn pause_does_not_count_against_the_elapsed_time() {
    for (operation, part) in [(Create, None), (Get, None), (Upload, Some(1))] {
        let mut sim =
            impatient().fault(operation, part, Fault::Status(503)).fault(operation, part, Fault::Status(503)).sim();
        sim.run_until(|sim| !sim.retries().is_empty());
        pause_for_an_hour(&mut sim);
        sim.run();
        sim.assert_done();
        assert_eq!(sim.sends_of(operation, part).len(), 3);
    }
}

#[test]
fn pause_after_a_lost_finish_does_not_count_against_the_elapsed_time() {
    let mut sim = impatient().fault(Finish, None, Fault::LostRequest).fault(Finish, None, Fault::LostRequest).sim();
    sim.run_until_sent(Finish, None, 1);
    sim.server.scripted.push((Get, None, Fault::StatusAfter(503, 5)));
    // The pause comes while the question whether the finish was done waits to be asked again.
    sim.run_until(|sim| sim.retries().len() == 2);
    pause_for_an_hour(&mut sim);
    sim.run();
    sim.assert_done();
    assert_eq!(sim.count(Finish), 3);
}

#[test]
fn pause_does_not_count_against_an_accepted_finish() {
    let mut sim = impatient().fault(Finish, None, Fault::Accepted).fault(Finish, None, Fault::Accepted).sim_at(10);
    sim.run_until_sent(Finish, None, 1);
    sim.run_for(Duration::from_secs(1));
    pause_for_an_hour(&mut sim);
    sim.run();
    sim.assert_done();
    assert_eq!(sim.count(Finish), 3);
}

#[test]
fn pause_during_a_discard_puts_it_off() {
    let mut sim = Scenario::sequential(10_002, 1).sim();
    sim.run_until_sent(Get, None, 1);
    sim.act(Action::Pause);
    sim.run();
    assert_eq!((sim.count(Delete), sim.upload.state()), (0, State::Paused));
    sim.act(Action::Resume);
    sim.run();
    assert!(sim.server.deleted);
    assert_eq!((sim.code(), sim.upload.state()), (ErrorCode::FileTooLarge, State::Failed));
}

#[test]
fn pause_means_nothing_before_the_start_and_after_the_end() {
    let mut sim = Scenario::sequential(10, 4).sim();
    sim.act(Action::Pause);
    assert_eq!(sim.upload.state(), State::Idle);
    sim.run();
    sim.assert_done();
    let failed = Scenario::sequential(10, 4).fault(Create, None, Fault::Status(402)).run();
    let mut aborted = Scenario::sequential(10, 4).sim();
    aborted.act(Action::Abort);
    for (mut sim, state) in [(sim, State::Done), (failed, State::Failed), (aborted, State::Aborted)] {
        let states = sim.states();
        sim.act(Action::Pause);
        sim.act(Action::Resume);
        sim.run();
        assert_eq!((sim.upload.state(), sim.states()), (state, states));
    }
}

#[test]
fn second_pause_and_a_resume_without_one_do_nothing() {
    let mut sim = paused_in_parts();
    let (events, cut) = (sim.events.len(), sim.cut.len());
    sim.act(Action::Pause);
    assert_eq!((sim.events.len(), sim.cut.len()), (events, cut));
    sim.act(Action::Resume);
    let (events, sent) = (sim.events.len(), sim.sent.len());
    sim.act(Action::Resume);
    assert_eq!((sim.events.len(), sim.sent.len()), (events, sent));
    sim.run();
    sim.assert_done();
}

/// Paused with parts 0 to 3 on the wire.
fn paused_in_parts() -> Sim {
    let mut sim = Scenario::parallel(40, 4).sim_at(50);
    sim.run_until_sent(Upload, 3, 1);
    sim.act(Action::Pause);
    sim
}

/// Gives up after ten seconds.
fn impatient() -> Scenario {
    Scenario::sequential(10, 4).config(|config| config.retry.max_elapsed_time = Duration::from_secs(10))
}

fn pause_for_an_hour(sim: &mut Sim) {
    sim.act(Action::Pause);
    sim.run_for(HOUR);
    sim.act(Action::Resume);
}
