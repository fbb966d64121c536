//! A token that the server refuses: one refresh for all, one more attempt each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use support::observe::Scenario;
use support::server::Fault;
use support::{Action, Sim};
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::output::{PartState, State};
use upload_session_engine::request::Operation::{Create, Delete, Finish, Get, Upload};

/// How long a refresh takes in the simulation.
const REFRESH: Duration = Duration::from_millis(30);

#[test]
fn refused_token_is_refreshed_and_the_request_sent_once_more() {
    for (operation, part) in [(Create, None), (Get, None), (Upload, Some(1)), (Finish, None)] {
        let sim = refreshing(Scenario::sequential(10, 4)).fault(operation, part, Fault::Status(401)).run();
        sim.assert_done();
        assert_eq!(sim.refreshes, 1);
        assert_eq!(sim.sends_of(operation, part).len(), 2);
        assert!(sim.retries().is_empty(), "it is no failure");
    }
}

#[test]
fn parts_refused_together_share_one_refresh() {
    let scenario =
        (0..2).fold(Scenario::parallel(40, 4), |scenario, part| scenario.fault(Upload, part, Fault::Status(401)));
    let mut sim = refreshing(scenario).sim_at(20);
    sim.run();
    sim.assert_done();
    assert_eq!(sim.refreshes, 1);
    for part in 0..10 {
        assert_eq!(sim.sends_of(Upload, part).len(), if part < 2 { 2 } else { 1 });
    }
}

#[test]
fn refresh_that_never_ends_fails_the_upload_in_time() {
    for (operation, part) in [(Create, None), (Upload, Some(1)), (Finish, None)] {
        let mut sim = refreshing(Scenario::parallel(10, 4)).fault(operation, part, Fault::Status(401)).sim();
        sim.tokens_hang = true;
        sim.run_until(|sim| sim.refreshes == 1);
        let since = sim.now;
        sim.run_until(|sim| sim.result.is_some());
        assert_eq!(sim.code(), ErrorCode::Timeout, "{operation:?}");
        assert_eq!(sim.now - since, Duration::from_secs(60), "{operation:?}");
        sim.run();
    }
}

#[test]
fn refresh_that_never_ends_does_not_hold_up_an_abort() {
    let mut sim = refreshing(Scenario::parallel(10, 4)).fault(Delete, None, Fault::Status(401)).sim();
    sim.tokens_hang = true;
    sim.run_until_sent(Upload, 0, 1);
    let since = sim.now;
    sim.act(Action::Abort);
    sim.run_until(|sim| sim.abort_ended);
    assert!(sim.now - since <= Duration::from_secs(31), "{:?}", sim.now - since);
    assert_eq!(sim.warnings(), ["session_not_deleted"]);
}

#[test]
fn token_of_a_long_finish_is_refreshed_each_time_it_is_refused() {
    let scenario = refreshing(Scenario::sequential(4, 4))
        .fault(Finish, None, Fault::Status(401))
        .fault(Finish, None, Fault::Accepted)
        .fault(Finish, None, Fault::Status(401));
    let sim = scenario.run();
    sim.assert_done();
    assert_eq!(sim.refreshes, 2);
}

#[test]
fn no_part_is_sent_while_the_token_is_refreshed() {
    let mut sim = refreshing(Scenario::parallel(40, 4)).fault(Upload, 0, Fault::Status(401)).sim_at(10);
    sim.run_until(|sim| sim.refreshes == 1);
    let (from, sent) = (sim.now, sim.sent.len());
    sim.run_until(|sim| sim.sent.len() > sent);
    assert_eq!(sim.now, from + REFRESH);
    sim.run();
    sim.assert_done();
}

#[test]
fn refused_part_waits_as_one_that_is_sent_again() {
    let sim = refreshing(Scenario::sequential(4, 4)).fault(Upload, 0, Fault::Status(401)).run();
    let sending = [(PartState::Sending, 1), (PartState::Retrying, 1), (PartState::Sending, 2), (PartState::Done, 2)];
    assert_eq!(sim.part_events(0)[2..], sending);
}

#[test]
fn refusal_of_an_older_token_needs_no_refresh() {
    let mut sim = refreshing(Scenario::parallel(8, 4))
        .fault(Upload, 0, Fault::Status(401))
        .fault(Upload, 1, Fault::Status(401))
        .sim_at(20);
    sim.run_until_sent(Upload, 0, 1);
    // The refusal of the second part comes when the token is long refreshed.
    sim.latency = Some(Duration::from_secs(1));
    sim.run();
    sim.assert_done();
    assert_eq!(sim.refreshes, 1);
    let sends = sim.sends_of(Upload, 1);
    assert_eq!(sends[1].at - sends[0].at, Duration::from_secs(1), "it is sent again at once");
}

#[test]
fn token_that_is_refused_again_is_unauthorized() {
    for (operation, part) in [(Create, None), (Get, None), (Upload, Some(1)), (Finish, None)] {
        let sim = refreshing(Scenario::sequential(10, 4))
            .fault(operation, part, Fault::Status(401))
            .fault(operation, part, Fault::Status(401))
            .run();
        assert_eq!((sim.code(), sim.error().part_number), (ErrorCode::Unauthorized, part));
        assert_eq!((sim.refreshes, sim.sends_of(operation, part).len()), (1, 2));
    }
}

#[test]
fn each_request_has_a_refresh_of_its_own() {
    let sim = refreshing(Scenario::sequential(10, 4))
        .fault(Create, None, Fault::Status(401))
        .fault(Upload, 0, Fault::Status(401))
        .fault(Finish, None, Fault::Status(401))
        .run();
    sim.assert_done();
    assert_eq!(sim.refreshes, 3);
}

#[test]
fn fixed_token_that_is_refused_is_unauthorized_at_once() {
    let sim = Scenario::sequential(10, 4).fault(Upload, 1, Fault::Status(401)).run();
    assert_eq!((sim.code(), sim.error().status()), (ErrorCode::Unauthorized, Some(401)));
    assert_eq!((sim.refreshes, sim.sends_of(Upload, 1).len()), (0, 1));
}

#[test]
fn failed_refresh_is_the_end_with_its_error() {
    for (operation, part) in [(Create, None), (Get, None), (Upload, Some(1)), (Finish, None)] {
        let sim = failing(refreshing(Scenario::sequential(10, 4)).fault(operation, part, Fault::Status(401)).sim());
        assert_eq!(sim.error().message, "The token function threw");
        assert_eq!(sim.upload.state(), State::Failed);
        assert_eq!(sim.sends_of(operation, part).len(), 1);
    }
}

#[test]
fn failed_refresh_during_a_pause_is_the_end() {
    let mut sim = refreshing(Scenario::sequential(10, 4)).fault(Upload, 1, Fault::Status(401)).sim();
    sim.run_until(|sim| sim.refreshes == 1);
    sim.act(Action::Pause);
    // The refresh was asked for before the pause; its failure is put in its place.
    let now = sim.at();
    sim.upload.handle_token(Err(threw()), now);
    sim.run();
    assert_eq!(sim.error().message, "The token function threw");
    assert_eq!(sim.upload.state(), State::Failed);
}

#[test]
fn token_that_comes_during_a_pause_is_used_after_it() {
    let mut sim = refreshing(Scenario::sequential(10, 4)).fault(Upload, 1, Fault::Status(401)).sim();
    sim.run_until(|sim| sim.refreshes == 1);
    sim.act(Action::Pause);
    sim.run();
    assert_eq!(sim.sends_of(Upload, 1).len(), 1);
    sim.act(Action::Resume);
    sim.run();
    sim.assert_done();
    assert_eq!(sim.refreshes, 1);
}

#[test]
fn refused_deletion_gets_a_fresh_token_too() {
    let mut sim = refreshing(Scenario::sequential(10, 4)).fault(Delete, None, Fault::Status(401)).sim();
    sim.run_until_sent(Upload, 1, 1);
    sim.act(Action::Abort);
    sim.run();
    assert!(sim.abort_ended && sim.server.deleted && sim.warnings().is_empty());
    assert_eq!((sim.refreshes, sim.count(Delete)), (1, 2));
}

#[test]
fn refused_deletion_waits_for_the_refresh_that_is_under_way() {
    let mut sim = refreshing(Scenario::sequential(10, 4))
        .fault(Upload, 1, Fault::Status(401))
        .fault(Delete, None, Fault::Status(401))
        .sim_at(10);
    sim.run_until(|sim| sim.refreshes == 1);
    sim.act(Action::Abort);
    sim.run();
    assert!(sim.abort_ended && sim.server.deleted);
    assert_eq!((sim.refreshes, sim.count(Delete)), (1, 2));
}

#[test]
fn failed_refresh_ends_an_abort_with_a_warning() {
    let mut sim = refreshing(Scenario::sequential(10, 4)).fault(Delete, None, Fault::Status(401)).sim();
    sim.run_until_sent(Upload, 1, 1);
    sim.act(Action::Abort);
    let sim = failing(sim);
    assert!(sim.abort_ended);
    assert_eq!((sim.code(), sim.warnings()), (ErrorCode::Aborted, vec!["session_not_deleted"]));
    assert_eq!(sim.upload.state(), State::Aborted);
}

#[test]
fn failed_refresh_ends_a_discard_with_a_warning_and_the_error_stays() {
    let sim = failing(refreshing(Scenario::sequential(10_002, 1)).fault(Delete, None, Fault::Status(401)).sim());
    assert_eq!((sim.code(), sim.warnings()), (ErrorCode::FileTooLarge, vec!["session_not_deleted"]));
}

#[test]
fn failed_refresh_that_nothing_waits_for_is_dropped() {
    let mut sim = refreshing(Scenario::sequential(10, 4)).fault(Upload, 1, Fault::Status(401)).sim_at(10);
    sim.tokens.push_back(Err(threw()));
    sim.run_until(|sim| sim.refreshes == 1);
    sim.act(Action::Abort);
    sim.run();
    assert!(sim.abort_ended && sim.server.deleted && sim.warnings().is_empty());
    assert_eq!(sim.upload.state(), State::Aborted);
}

fn refreshing(scenario: Scenario) -> Scenario {
    scenario.config(|config| config.can_refresh_token = true)
}

fn threw() -> UploadError {
    UploadError::new(ErrorCode::Unauthorized, "The token function threw")
}

/// Runs with a token function that throws.
fn failing(mut sim: Sim) -> Sim {
    sim.tokens.push_back(Err(threw()));
    sim.run();
    sim
}
