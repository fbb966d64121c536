//! Small and empty files: one request, where the connector takes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use support::observe::Scenario;
use support::server::Fault;
use support::{Action, Sim};
use upload_session_engine::config::BodyMode;
use upload_session_engine::error::ErrorCode;
use upload_session_engine::output::State;
use upload_session_engine::request::Operation::{self, Create, Direct, Finish, Get, Upload};

#[test]
fn small_file_goes_in_one_request() {
    let sim = direct(1000).run();
    assert_eq!(sim.operations(), [Direct]);
    assert_eq!(sim.sent[0].request.target, "/file-storage/files");
    assert_eq!(sim.sent[0].request.metadata.as_deref(), Some(r#"{"name":"file.bin","parent_folder_id":"root"}"#));
    assert_eq!(sim.file(), json!({"id": "file", "name": "file.bin", "size": 1000}));
    sim.server.assert_whole();
    assert_eq!(sim.states(), [State::Uploading, State::Done]);
    let progress = sim.upload.progress();
    assert_eq!((progress.confirmed, progress.parts_done), (1000, 1));
    assert!(sim.upload.session_id().is_none() && sim.upload.snapshot().is_none());
}

#[test]
fn limit_of_a_direct_upload_is_the_connectors() {
    for (service, size, expected) in [
        (None, 4_000_000, true),
        (None, 4_000_001, false),
        (Some("onedrive"), 4_000_000, true),
        (Some("onedrive"), 4_000_001, false),
        (Some("sharepoint"), 4_000_001, false),
        (Some("google-drive"), 4_000_001, false),
        (Some("dropbox"), 4_000_000, true),
        (Some("box"), 19_999_999, true),
        (Some("box"), 20_000_000, false),
    ] {
        let mut sim = direct(size).config(|config| config.service_id = service.map(str::to_owned)).sim();
        sim.server.part_size = 10_000_000;
        sim.run();
        sim.server.assert_whole();
        assert_eq!(sim.operations()[0] == Direct, expected, "{service:?} {size}");
    }
}

#[test]
fn empty_file_always_goes_direct() {
    for body in [BodyMode::Blob, BodyMode::Buffer] {
        let sim = Scenario::parallel(0, 4).config(|config| config.body = body).run();
        assert_eq!(sim.operations(), [Direct]);
        assert_eq!(sim.upload.state(), State::Done);
    }
}

#[test]
fn file_that_memory_cannot_hold_goes_by_session_where_the_platform_does_not_tell_of_changes() {
    for (rereads_file, expected) in [(false, Direct), (true, Create)] {
        let sim = direct(1000).config(|config| (config.memory_budget, config.rereads_file) = (999, rereads_file)).run();
        assert_eq!(sim.operations()[0], expected);
    }
}

#[test]
fn file_that_could_not_be_held_goes_by_session_where_the_platform_does_not_tell_of_changes() {
    for (rereads_file, expected) in [(false, Direct), (true, Create)] {
        let scenario =
            direct(1000).config(|config| (config.body, config.rereads_file) = (BodyMode::Buffer, rereads_file));
        let mut sim = scenario.sim();
        sim.memory_is_short = true;
        sim.run();
        assert_eq!((sim.upload.state(), sim.operations()[0]), (State::Done, expected));
        sim.server.assert_whole();
    }
}

#[test]
fn what_is_passed_through_needs_a_session() {
    let sim = direct(1000).config(|config| config.pass_through = Some(json!([{"service_id": "box"}]).into())).run();
    sim.assert_done();
    assert_eq!(sim.operations()[0], Create);
}

#[test]
fn direct_upload_is_retried_and_warns_where_the_file_may_be_there_twice() {
    for (fault, warnings) in [
        (Fault::Status(503), &["possible_duplicate"][..]),
        (Fault::Status(429), &[]),
        (Fault::LostAnswer, &["possible_duplicate"]),
    ] {
        let sim = direct(1000).fault(Direct, None, fault).run();
        assert_eq!((sim.upload.state(), sim.count(Direct)), (State::Done, 2), "{fault:?}");
        assert_eq!(sim.warnings(), warnings, "{fault:?}");
        assert_eq!(sim.retries()[0].operation, Direct);
    }
}

#[test]
fn direct_upload_that_is_too_large_for_the_server_goes_by_session() {
    let sim = direct(1000).fault(Direct, None, Fault::Status(413)).run();
    sim.assert_done();
    assert_eq!(sim.operations()[..3], [Direct, Create, Get]);
    assert!(sim.operations().ends_with(&[Finish]));
}

#[test]
fn errors_of_a_direct_upload_are_their_statuses_own() {
    for (status, code) in [(404, ErrorCode::NotFound), (409, ErrorCode::Conflict), (422, ErrorCode::Unprocessable)] {
        let sim = direct(1000).fault(Direct, None, Fault::Status(status)).run();
        assert_eq!((sim.code(), sim.count(Direct)), (code, 1));
    }
    let sim = direct(1000).fault(Direct, None, Fault::Page).run();
    assert_eq!(sim.code(), ErrorCode::Protocol);
}

#[test]
fn direct_upload_is_paused_and_goes_on() {
    let mut sim = direct(1000).sim_at(50);
    sim.run_until_sent(Direct, 0, 1);
    sim.act(Action::Pause);
    assert_eq!(sim.cut, [(Direct, Some(0))]);
    sim.act(Action::Resume);
    sim.run();
    assert_eq!(sim.upload.state(), State::Done);
}

#[test]
fn direct_upload_is_aborted_by_cutting_it() {
    let mut sim = direct(1000).sim_at(50);
    sim.run_until_sent(Direct, 0, 1);
    sim.act(Action::Abort);
    sim.run();
    assert_eq!((sim.code(), sim.cut.len(), sim.count(Operation::Delete)), (ErrorCode::Aborted, 1, 0));
    assert_eq!(sim.count(Upload), 0);
}

#[test]
fn direct_upload_refreshes_its_token_once() {
    let mut sim: Sim =
        direct(1000).config(|config| config.can_refresh_token = true).fault(Direct, None, Fault::Status(401)).sim();
    sim.run();
    assert_eq!((sim.upload.state(), sim.refreshes), (State::Done, 1));
}

fn direct(size: u64) -> Scenario {
    Scenario::parallel(size, 400).config(|config| config.direct = true)
}
