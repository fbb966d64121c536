//! Abort, in every phase: its result comes at once, the deletion of the session after it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use support::observe::Scenario;
use support::server::Fault;
use support::{Action, Sim};
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::{Event, State};
use upload_session_engine::request::Operation::{self, Create, Delete, Finish, Get, Upload};

const DELETE_LIMIT: Duration = Duration::from_secs(30);

#[test]
fn abort_before_the_start_sends_nothing_ever() {
    let mut sim = Scenario::sequential(10, 4).sim();
    sim.act(Action::Abort);
    assert_eq!((sim.code(), sim.states()), (ErrorCode::Aborted, vec![State::Aborted]));
    assert!(!sim.upload.is_aborting() && !sim.abort_ended, "there is nothing to wait for");
    sim.run();
    assert!(sim.sent.is_empty());
}

#[test]
fn abort_during_create_awaits_the_session_and_deletes_it() {
    for pause in [false, true] {
        let mut sim = in_create(None);
        if pause {
            sim.act(Action::Pause);
        }
        abort(&mut sim);
        assert_eq!((sim.operations(), sim.upload.is_aborting()), (vec![Create], true));
        sim.run();
        assert_eq!(sim.operations(), [Create, Delete]);
        assert_ended(&sim, &[]);
    }
}

#[test]
fn abort_during_a_create_that_is_refused_has_nothing_to_delete() {
    for fault in [Fault::Status(402), Fault::Status(401), Fault::Status(429), Fault::Unsendable] {
        let mut sim = in_create(Some(fault));
        abort(&mut sim);
        sim.run();
        assert_eq!(sim.operations(), [Create], "{fault:?}");
        assert!(sim.abort_ended && !sim.upload.is_aborting());
        assert!(sim.warnings().is_empty(), "{fault:?}");
    }
}

#[test]
fn abort_during_a_create_that_may_have_been_done_is_a_warning() {
    for fault in
        [Fault::LostAnswer, Fault::Status(503), Fault::Answer(201, "{}"), Fault::Answer(201, r#"{"data":{"id":".."}}"#)]
    {
        let mut sim = in_create(Some(fault));
        abort(&mut sim);
        sim.run();
        assert_eq!((sim.operations(), sim.warnings()), (vec![Create], vec!["session_not_deleted"]), "{fault:?}");
        assert!(sim.abort_ended);
    }
}

#[test]
fn abort_between_two_creates_of_which_the_first_may_have_been_done_is_a_warning() {
    for (fault, warnings) in [
        (Fault::LostAnswer, vec!["session_not_deleted"]),
        (Fault::Status(502), vec!["session_not_deleted"]),
        (Fault::Status(429), vec![]),
    ] {
        let mut sim = Scenario::parallel(10, 4).fault(Create, None, fault).sim();
        sim.run_until(|sim| !sim.retries().is_empty());
        abort(&mut sim);
        sim.run();
        assert_eq!((sim.operations(), sim.warnings()), (vec![Create], warnings), "{fault:?}");
    }
}

#[test]
fn abort_during_a_create_that_is_never_answered_ends_at_its_deadline() {
    let mut sim = in_create(Some(Fault::Hang));
    let since = sim.now;
    sim.run_for(Duration::from_secs(1));
    abort(&mut sim);
    sim.run_until(|sim| sim.abort_ended);
    assert_eq!(sim.now - since, Duration::from_secs(60));
    sim.run();
    assert_eq!((sim.operations(), sim.cut.clone()), (vec![Create], vec![(Create, None)]));
    assert_eq!(sim.warnings(), ["session_not_deleted"]);
}

#[test]
fn abort_between_two_creates_sends_nothing_more() {
    let mut sim = Scenario::sequential(10, 4).fault(Create, None, Fault::StatusAfter(503, 10)).sim();
    sim.run_until(|sim| !sim.retries().is_empty());
    abort(&mut sim);
    assert!(!sim.upload.is_aborting());
    sim.run();
    assert_eq!(sim.operations(), [Create]);
}

#[test]
fn abort_during_get_cuts_it_and_deletes_the_session() {
    let mut sim = Scenario::sequential(10, 4).sim();
    sim.run_until_sent(Get, None, 1);
    abort(&mut sim);
    assert_eq!((sim.operations(), sim.cut.clone()), (vec![Create, Get, Delete], vec![(Get, None)]));
    sim.run();
    assert_ended(&sim, &[]);
}

#[test]
fn abort_during_parts_cuts_all_of_them_at_once() {
    for pause in [false, true] {
        let mut sim = in_parts([]);
        if pause {
            sim.act(Action::Pause);
        }
        abort(&mut sim);
        assert_eq!(sim.cut, [2, 3].map(|part| (Upload, Some(part))));
        assert_eq!((sim.operations().last(), sim.sent.last().unwrap().at), (Some(&Delete), sim.now));
        let told = |event: &Event| matches!(event, Event::Part { .. } | Event::Progress(_)).then_some(());
        let before = sim.told(told).len();
        sim.run();
        assert_eq!(sim.told(told).len(), before, "answers that come later are dropped");
        assert_eq!(sim.states().last(), Some(&State::Aborted));
        assert_ended(&sim, &[]);
    }
}

#[test]
fn abort_while_a_part_waits_to_be_sent_again_sends_it_no_more() {
    let mut sim = Scenario::sequential(10, 4).fault(Upload, 1, Fault::StatusAfter(503, 10)).sim();
    sim.run_until(|sim| !sim.retries().is_empty());
    abort(&mut sim);
    sim.run();
    assert_eq!(sim.sends_of(Upload, 1).len(), 1);
    assert_ended(&sim, &[]);
}

#[test]
fn abort_during_finish_cuts_it_and_deletes_the_session() {
    let mut sim = Scenario::sequential(10, 4).fault(Finish, None, Fault::Hang).sim();
    sim.run_until_sent(Finish, None, 1);
    abort(&mut sim);
    sim.run();
    assert_eq!(sim.cut, [(Finish, None)]);
    assert_ended(&sim, &[]);
}

#[test]
fn abort_while_an_accepted_finish_waits_deletes_the_session() {
    let mut sim = Scenario::sequential(10, 4).fault(Finish, None, Fault::Accepted).sim_at(10);
    sim.run_until_sent(Finish, None, 1);
    sim.run_for(Duration::from_secs(1));
    abort(&mut sim);
    sim.run();
    assert_eq!((sim.count(Finish), sim.cut.len()), (1, 0));
    assert_ended(&sim, &[]);
}

#[test]
fn abort_while_a_lost_finish_is_asked_after_cuts_the_question() {
    let mut sim = Scenario::sequential(10, 4).fault(Finish, None, Fault::LostRequest).sim();
    sim.run_until_sent(Get, None, 2);
    abort(&mut sim);
    sim.run();
    assert_eq!((sim.count(Finish), sim.cut.clone()), (1, vec![(Get, None)]));
    assert_ended(&sim, &[]);
}

#[test]
fn abort_of_a_file_that_was_finished_after_all_is_no_warning() {
    let mut sim = Scenario::sequential(10, 4).sim();
    sim.run_until_sent(Finish, None, 1);
    abort(&mut sim);
    sim.run();
    assert_eq!((sim.server.finished, sim.count(Delete)), (1, 1));
    assert!(sim.abort_ended && sim.warnings().is_empty(), "the deletion is answered 404");
}

#[test]
fn abort_during_a_discard_takes_its_deletion_over() {
    for fault in [None, Some(Fault::StatusAfter(503, 5))] {
        let scenario = Scenario::sequential(10_002, 1);
        let mut sim = fault.into_iter().fold(scenario, |all, fault| all.fault(Delete, None, fault)).sim();
        sim.run_until_sent(Delete, None, 1);
        if fault.is_some() {
            sim.run_until(|sim| !sim.retries().is_empty());
        }
        abort(&mut sim);
        sim.run();
        assert_eq!((sim.cut.len(), sim.count(Delete)), (0, if fault.is_some() { 2 } else { 1 }));
        assert_eq!(sim.states(), [State::Starting, State::Aborted]);
        assert_ended(&sim, &[]);
    }
}

#[test]
fn abort_after_a_failure_deletes_the_session_and_the_end_is_told_once() {
    let mut sim = Scenario::sequential(10, 4).fault(Upload, 1, Fault::Status(403)).run();
    sim.act(Action::Abort);
    sim.run();
    assert_eq!((sim.code(), sim.upload.state()), (ErrorCode::Forbidden, State::Aborted));
    assert!(sim.abort_ended && sim.server.deleted);
}

#[test]
fn abort_after_the_end_does_nothing() {
    let mut sim = Scenario::sequential(10, 4).run();
    let (events, sent) = (sim.events.len(), sim.sent.len());
    sim.act(Action::Abort);
    sim.run();
    sim.assert_done();
    assert_eq!((sim.events.len(), sim.sent.len(), sim.abort_ended), (events, sent, false));
}

#[test]
fn second_abort_does_nothing() {
    let mut sim = in_parts([]);
    abort(&mut sim);
    sim.act(Action::Abort);
    sim.run();
    sim.act(Action::Abort);
    sim.run();
    assert_eq!(sim.count(Delete), 1);
    assert_ended(&sim, &[]);
}

#[test]
fn deletion_is_tried_again() {
    let mut sim = in_parts([Fault::Status(503), Fault::LostRequest, Fault::StatusAfter(429, 5)]);
    abort(&mut sim);
    sim.run();
    assert_eq!(sim.count(Delete), 4);
    assert_eq!(sim.retries().iter().map(|retry| retry.operation).collect::<Vec<Operation>>(), [Delete; 3]);
    assert_ended(&sim, &[]);
}

#[test]
fn deletion_is_given_up_within_half_a_minute_with_a_warning() {
    for fault in [Fault::Status(503), Fault::LostRequest, Fault::Hang, Fault::StatusAfter(503, 31)] {
        let mut sim = Scenario::parallel(40, 4).always(Delete, None, fault).sim_at(50);
        sim.run_until_sent(Upload, 3, 1);
        let since = sim.now;
        abort(&mut sim);
        sim.run_until(|sim| sim.abort_ended);
        assert!(sim.now - since <= DELETE_LIMIT, "{fault:?}: {:?}", sim.now - since);
        sim.run();
        assert_eq!((sim.warnings(), sim.code()), (vec!["session_not_deleted"], ErrorCode::Aborted));
    }
}

#[test]
fn deletion_that_is_refused_or_cannot_be_made_is_a_warning() {
    for fault in [Fault::Status(403), Fault::Status(401), Fault::Unsendable] {
        let mut sim = in_parts([fault]);
        abort(&mut sim);
        sim.run();
        assert_eq!((sim.count(Delete), sim.warnings()), (1, vec!["session_not_deleted"]), "{fault:?}");
        assert!(sim.abort_ended);
    }
}

#[test]
fn session_gone_before_its_deletion_is_as_good_as_deleted() {
    for status in [404, 410] {
        let mut sim = in_parts([Fault::Status(status)]);
        abort(&mut sim);
        sim.run();
        assert!(sim.abort_ended && sim.warnings().is_empty());
    }
}

#[test]
fn strategy_none_deletes_once() {
    let mut sim = Scenario::parallel(40, 4)
        .config(|config| config.retry.enabled = false)
        .fault(Delete, None, Fault::Status(503))
        .sim();
    sim.run_until_sent(Upload, 0, 1);
    abort(&mut sim);
    sim.run();
    assert_eq!((sim.count(Delete), sim.warnings()), (1, vec!["session_not_deleted"]));
}

/// Create is on its way, and will meet that.
fn in_create(fault: Option<Fault>) -> Sim {
    let scenario = Scenario::sequential(10, 4);
    let mut sim = fault.into_iter().fold(scenario, |all, fault| all.fault(Create, None, fault)).sim();
    sim.run_until_sent(Create, None, 1);
    sim
}

/// Parts 0 to 3 are on their way; deletions will meet that.
fn in_parts<const N: usize>(deletions: [Fault; N]) -> Sim {
    let scenario = Scenario::parallel(40, 4);
    let mut sim = deletions.into_iter().fold(scenario, |all, fault| all.fault(Delete, None, fault)).sim_at(50);
    sim.run_until_sent(Upload, 3, 1);
    sim
}

/// Aborts, and checks that the upload ends in that very moment.
fn abort(sim: &mut Sim) {
    assert!(sim.result.is_none());
    sim.act(Action::Abort);
    assert_eq!((sim.code(), sim.upload.state()), (ErrorCode::Aborted, State::Aborted));
    assert!(!sim.error().retryable);
}

fn assert_ended(sim: &Sim, warnings: &[&str]) {
    assert!(sim.abort_ended && !sim.upload.is_aborting() && sim.server.deleted);
    assert_eq!(sim.warnings(), warnings);
}
