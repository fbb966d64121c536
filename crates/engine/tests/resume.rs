//! Going on after a crash: what is kept, what is asked, what is sent again, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use upload_session_engine::clock::Duration;

use serde_json::json;
use support::observe::Scenario;
use support::server::Fault;
use support::{Action, Sim, fingerprint, json_of, snapshot_of};
use upload_session_engine::config::{BodyMode, Config, DigestMode};
use upload_session_engine::digest::Digest;
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::output::{Event, PartState, State};
use upload_session_engine::request::Operation::{Create, Delete, Finish, Get, Upload};
use upload_session_engine::snapshot::BadSnapshot;

#[test]
fn parallel_session_goes_on_with_the_parts_that_are_not_acknowledged() {
    let mut sim = crashed(Scenario::parallel(100, 4), 10);
    let acknowledged = confirmed(&sim);
    sim.run();
    sim.assert_done();
    assert_eq!(sim.operations()[0], Get, "the session is asked first");
    assert_eq!(sim.count(Create), 0);
    let again = sim.parts_sent();
    assert_eq!(again.len() as u64, 25 - acknowledged / 4);
    assert!(resumed(&sim));
}

#[test]
fn sequential_session_goes_on_from_the_bytes_that_the_server_holds() {
    let mut sim = crashed(Scenario::sequential(100, 4), 7);
    // The answer to the last one got lost with the page.
    let held = sim.server.held.len() as u32;
    assert!(u64::from(held) * 4 > confirmed(&sim));
    sim.run();
    sim.assert_done();
    assert_eq!(sim.parts_sent(), (held..25).collect::<Vec<_>>());
}

#[test]
fn sequential_session_that_holds_less_than_was_acknowledged_is_believed() {
    let mut sim = crashed(Scenario::sequential(100, 4), 7);
    sim.server.held.split_off(&3);
    sim.run();
    sim.assert_done();
    assert_eq!(sim.parts_sent(), (3..25).collect::<Vec<_>>());
}

#[test]
fn acknowledged_parts_are_not_read_again() {
    for scenario in [Scenario::parallel(100, 4), Scenario::sequential(100, 4)] {
        let sim = crashed(scenario, 12);
        let known = json_of(sim.record.as_ref().unwrap());
        let hashed = known["hashed"].as_u64().unwrap() as u32;
        let held = sim.server.held.len();
        let mut sim = sim;
        sim.run();
        sim.assert_done();
        // Each that was hashed and not acknowledged is compared; what was not is hashed for the first time.
        assert!(sim.reads.len() <= 25 - held + 4, "{} reads with {held} parts held", sim.reads.len());
        assert!(sim.reads.iter().all(|read| read.wanted.file == (read.part >= hashed)));
    }
}

#[test]
fn digest_of_one_acknowledged_part_is_checked_where_nothing_else_can_be() {
    let mut sim = keeping(Scenario::sequential(100, 4)).sim_at(50);
    sim.run_until(|sim| sim.record.as_ref().is_some_and(|record| json_of(record)["acknowledged"] == json!([[0, 4]])));
    let mut record = json_of(sim.record.as_ref().unwrap());
    record["digests"] = json!([[4, Digest::of(&sim.server.file[16..20]).to_base64()]]);
    sim.record = Some(snapshot_of(&record).unwrap());
    let mut good = sim.crash();
    good.run();
    good.assert_done();
    assert_eq!(good.reads[0].part, 4);

    let mut sim = keeping(Scenario::sequential(100, 4)).sim_at(50);
    sim.run_until_sent(Upload, 5, 1);
    record["digests"] = json!([[4, Digest::of(b"other bytes").to_base64()]]);
    sim.record = Some(snapshot_of(&record).unwrap());
    let mut bad = sim.crash();
    bad.run();
    assert_eq!(bad.code(), ErrorCode::FileChanged);
    assert_eq!(bad.count(Finish), 0);
}

#[test]
fn file_that_changed_between_two_visits_is_found_by_the_parts_that_were_hashed() {
    for body in [BodyMode::Blob, BodyMode::Buffer] {
        let scenario = Scenario::parallel(100, 4).config(|config| config.body = body);
        let mut sim = crashed(scenario, 9);
        sim.file_changed = true;
        sim.run();
        assert_eq!(sim.code(), ErrorCode::FileChanged, "{body:?}");
        assert_eq!(sim.count(Upload), 0);
    }
}

#[test]
fn snapshot_of_another_file_is_file_changed_and_nothing_is_sent() {
    let mut sim = crashed(Scenario::parallel(100, 4), 9);
    let other = Config { name: "other.bin".into(), ..sim.config.clone() };
    sim.preparation = Some(Ok(fingerprint(&other)));
    sim.run();
    assert_eq!(sim.code(), ErrorCode::FileChanged);
    assert!(sim.sent.is_empty());
    assert!(sim.record.is_some(), "the right file may still come");
}

#[test]
fn snapshot_of_another_target_is_invalid_argument_and_nothing_is_sent() {
    let mut sim = crashed(Scenario::parallel(100, 4), 9);
    let other = Config { digest: DigestMode::Parts, ..sim.config.clone() };
    sim.preparation = Some(Ok(fingerprint(&other)));
    sim.run();
    assert_eq!(sim.code(), ErrorCode::InvalidArgument);
    assert!(sim.error().message.contains("`snapshot`"));
    assert!(sim.sent.is_empty());
}

#[test]
fn upload_that_somebody_else_drives_is_a_conflict_and_nothing_is_sent() {
    let fresh = keeping(Scenario::parallel(100, 4)).sim();
    for mut sim in [fresh, crashed(Scenario::parallel(100, 4), 9)] {
        sim.preparation = Some(Err(conflict()));
        sim.run();
        assert_eq!((sim.code(), sim.sent.len()), (ErrorCode::Conflict, 0));
        let record = sim.record.is_some();
        sim.act(Action::Abort);
        sim.run();
        assert!(sim.sent.is_empty(), "the session is the other one's");
        assert_eq!(sim.record.is_some(), record);
    }
}

#[test]
fn abort_of_what_somebody_else_drives_leaves_it_alone() {
    for started in [false, true] {
        let mut sim = crashed(Scenario::parallel(100, 4), 9);
        sim.preparation = Some(Err(conflict()));
        if started {
            sim.upload.handle_start(sim.at());
        }
        sim.act(Action::Abort);
        sim.run();
        assert_eq!((sim.code(), sim.sent.len()), (ErrorCode::Aborted, 0));
        assert!(sim.abort_ended && sim.record.is_some());
        assert_eq!(sim.warnings(), ["session_not_deleted"]);
    }
}

#[test]
fn abort_after_a_failure_leaves_alone_what_somebody_else_has_gone_on_with() {
    let failed = || keeping(Scenario::parallel(100, 4)).fault(Upload, 9, Fault::Status(403)).run();
    let mut sim = failed();
    sim.claim = Some(Err(conflict()));
    sim.act(Action::Abort);
    sim.run();
    assert_eq!((sim.count(Delete), sim.warnings()), (0, vec!["session_not_deleted"]));
    assert!(sim.abort_ended && sim.record.is_some());

    let mut sim = failed();
    sim.act(Action::Abort);
    sim.run();
    assert!(sim.server.deleted && sim.record.is_none());
}

#[test]
fn closing_what_is_resumed_before_it_is_known_whose_it_is_leaves_it_alone() {
    for keeps_record in [false, true] {
        for started in [false, true] {
            let mut sim = crashed(Scenario::parallel(100, 4), 9);
            sim.config.keeps_record = keeps_record;
            let record = sim.record.clone().unwrap();
            sim.upload = upload_session_engine::upload::Upload::from_snapshot(sim.config.clone(), 8, record).unwrap();
            if started {
                sim.start();
            }
            sim.act(Action::Close);
            sim.run();
            assert_eq!((sim.code(), sim.sent.len()), (ErrorCode::Aborted, 0));
            assert!(sim.record.is_some());
        }
    }
}

#[test]
fn odd_answer_at_a_resume_leaves_session_and_record() {
    for page in [Fault::Page, Fault::Answer(200, r#"{"data":{"id":"session","part_size":0}}"#)] {
        let mut sim = crashed(Scenario::parallel(100, 4), 9);
        sim.server.scripted.push((Get, None, page));
        sim.run();
        assert_eq!((sim.code(), sim.count(Delete)), (ErrorCode::Protocol, 0));
        assert!(sim.record.is_some());
    }
}

#[test]
fn later_record_of_the_same_session_is_gone_on_with() {
    let mut early = keeping(Scenario::parallel(100, 4)).sim_at(50);
    early.run_until_sent(Upload, 5, 1);
    let stale = early.record.clone().unwrap();
    early.run_until_sent(Upload, 15, 1);
    let latest = early.record.clone().unwrap();
    let mut sim = early.crash();
    sim.upload = upload_session_engine::upload::Upload::from_snapshot(sim.config.clone(), 8, stale.clone()).unwrap();
    sim.upload.handle_record(latest.clone());
    sim.upload.handle_record(stale);
    sim.never_again = latest.acknowledged();
    sim.run();
    sim.assert_done();
}

#[test]
fn record_with_a_digest_too_many_does_not_hang() {
    let scenario = Scenario::parallel(100, 4).config(|config| config.digest = DigestMode::None);
    let mut sim = crashed(scenario, 9);
    let mut record = json_of(sim.record.as_ref().unwrap());
    record["digests"] = json!([[1, Digest::of(b"").to_base64()]]);
    sim.upload =
        upload_session_engine::upload::Upload::from_snapshot(sim.config.clone(), 8, snapshot_of(&record).unwrap())
            .unwrap();
    sim.run();
    sim.assert_done();
}

#[test]
fn progress_of_what_is_resumed_is_told_before_its_session() {
    let mut sim = crashed(Scenario::parallel(100, 4), 10);
    let expected = confirmed(&sim);
    sim.run_until_state(State::Uploading);
    let events = sim.told(|event| match event {
        Event::Progress(progress) => Some(progress.confirmed),
        Event::Session { .. } => Some(u64::MAX),
        _ => None,
    });
    assert_eq!(events[..2], [expected, u64::MAX]);
}

#[test]
fn parts_that_are_held_already_are_told_at_a_resume() {
    let mut sim = crashed(Scenario::parallel(100, 4), 10);
    let held = confirmed(&sim) / 4;
    sim.run_until_sent(Upload, 12, 1);
    let told = sim.told(|event| match event {
        Event::Part { part, state: PartState::Done, attempt: 0, .. } => Some(*part),
        _ => None,
    });
    assert_eq!(told.len() as u64, held);
}

fn conflict() -> UploadError {
    UploadError::new(ErrorCode::Conflict, "Another tab is uploading this file")
}

#[test]
fn session_that_is_gone_at_a_resume_is_followed_by_a_fresh_one() {
    for fault in [Fault::Expire, Fault::Status(410)] {
        let mut sim = crashed(Scenario::parallel(100, 4), 9);
        sim.server.scripted.push((Get, None, fault));
        sim.run();
        sim.assert_done();
        assert_eq!(sim.operations()[..3], [Get, Create, Get]);
        assert!(!resumed(&sim));
        assert!(sim.record.is_none());
    }
}

#[test]
fn session_that_was_finished_meanwhile_is_done() {
    let mut sim = keeping(Scenario::parallel(10, 4)).fault(Finish, None, Fault::LostAnswer).sim_at(50);
    sim.run_until(|sim| sim.server.finished == 1);
    let mut sim = sim.crash();
    sim.run();
    assert_eq!(sim.upload.state(), State::Done);
    assert_eq!(sim.operations(), [Get]);
    assert_eq!(sim.file()["size"], 10);
    assert_eq!(sim.warnings(), ["file_id_unknown"]);
    assert!(sim.record.is_none());
}

#[test]
fn session_whose_part_size_changed_is_a_protocol_error() {
    let mut sim = crashed(Scenario::parallel(100, 4), 9);
    sim.server.part_size = 5;
    sim.run();
    assert_eq!((sim.code(), sim.count(Delete)), (ErrorCode::Protocol, 0));
    assert!(sim.record.is_some());
}

#[test]
fn record_is_kept_after_every_part_and_dropped_at_the_end() {
    let mut sim = keeping(Scenario::sequential(20, 4)).sim();
    for parts in 1..=5 {
        sim.run_until(|sim| sim.upload.progress().parts_done == parts || sim.server.finished == 1);
        let acknowledged = sim.record.as_ref().map(|record| json_of(record)["acknowledged"].clone());
        assert_eq!(acknowledged, Some(json!([[0, parts - 1]])));
    }
    sim.run();
    sim.assert_done();
    assert!(sim.record.is_none());
}

#[test]
fn abort_drops_the_record_at_once_and_the_session_too() {
    let mut sim = keeping(Scenario::parallel(100, 4)).sim_at(50);
    sim.run_until_sent(Upload, 5, 1);
    sim.act(Action::Abort);
    assert!(sim.record.is_none());
    sim.run();
    assert!(sim.server.deleted);
}

#[test]
fn abort_before_the_start_of_what_is_resumed_drops_session_and_record() {
    let mut sim = crashed(Scenario::parallel(100, 4), 9);
    assert_eq!(sim.upload.session_id(), Some("session"));
    sim.act(Action::Abort);
    sim.run();
    assert_eq!(sim.operations(), [Delete]);
    assert!(sim.record.is_none() && sim.server.deleted);
}

#[test]
fn failure_keeps_the_record_and_expiry_drops_it() {
    let failing = |fault| {
        let mut sim = keeping(Scenario::parallel(100, 4)).fault(Upload, 9, fault).sim();
        sim.run();
        sim
    };
    assert!(failing(Fault::Status(403)).record.is_some());
    let expired = failing(Fault::Expire);
    assert_eq!(expired.code(), ErrorCode::SessionExpired);
    assert!(expired.record.is_none());
}

#[test]
fn closing_leaves_a_session_with_a_record_and_deletes_one_without() {
    let mut sim = keeping(Scenario::parallel(100, 4)).sim_at(50);
    sim.run_until_sent(Upload, 5, 1);
    sim.act(Action::Close);
    assert_eq!((sim.code(), sim.count(Delete)), (ErrorCode::Aborted, 0));
    let mut sim = sim.crash();
    sim.run();
    sim.assert_done();

    let mut sim = Scenario::parallel(100, 4).sim_at(50);
    sim.run_until_sent(Upload, 5, 1);
    sim.act(Action::Close);
    sim.run();
    assert!(sim.server.deleted);

    let mut sim = Scenario::parallel(100, 4).fault(Upload, 5, Fault::Status(403)).run();
    sim.act(Action::Close);
    sim.run();
    assert_eq!(sim.count(Delete), 0, "it has failed before, and left its session");
}

#[test]
fn pause_during_the_preparation_holds_everything_back() {
    let mut sim = keeping(Scenario::parallel(100, 4)).sim();
    sim.upload.handle_start(sim.at());
    sim.act(Action::Pause);
    sim.run_for(Duration::from_secs(60));
    assert_eq!((sim.upload.state(), sim.sent.len()), (State::Paused, 0));
    sim.act(Action::Resume);
    sim.run();
    sim.assert_done();
}

#[test]
fn snapshot_is_there_whether_or_not_records_are_kept() {
    let mut sim = Scenario::parallel(100, 4).sim_at(50);
    assert!(sim.upload.snapshot().is_none());
    sim.run_until_sent(Upload, 5, 1);
    let snapshot = sim.upload.snapshot().unwrap();
    assert_eq!(snapshot.session_id(), "session");
    assert_eq!(snapshot.fingerprint(), fingerprint(&sim.config));
    sim.run();
    assert!(sim.upload.snapshot().is_none());
}

#[test]
fn snapshot_is_small_plain_and_holds_no_credentials() {
    let sim = crashed(Scenario::parallel(100, 4), 12);
    let json = json_of(&sim.record.unwrap());
    let fields: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "version",
        "sessionId",
        "file",
        "target",
        "size",
        "partSize",
        "acknowledged",
        "hashed",
        "hashState",
        "digests",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert!(json.to_string().len() < 1000, "{json}");
}

#[test]
fn damaged_snapshots_and_those_of_a_newer_version_are_told_apart() {
    let json = json_of(&crashed(Scenario::parallel(100, 4), 12).record.unwrap());
    let with = |field: &str, value| {
        let mut json = json.clone();
        json[field] = value;
        snapshot_of(&json).map(|_| ()).unwrap_err()
    };
    assert_eq!(with("version", json!(2)), BadSnapshot::Newer);
    for (field, value) in [
        ("version", json!("1")),
        ("version", json!(0)),
        ("sessionId", json!("..")),
        ("sessionId", json!(7)),
        ("file", json!("AAAA")),
        ("target", json!(null)),
        ("partSize", json!(0)),
        ("partSize", json!(-4)),
        ("acknowledged", json!([[0, 25]])),
        ("acknowledged", json!([[3, 1]])),
        ("acknowledged", json!([7])),
        ("hashed", json!(26)),
        ("hashState", json!("AAAA")),
        ("digests", json!([[25, Digest::of(b"").to_base64()]])),
        ("digests", json!([[1, "AAAA"]])),
    ] {
        assert_eq!(with(field, value.clone()), BadSnapshot::Damaged(field), "{value}");
    }
    assert_eq!(snapshot_of(&json!(null)).map(|_| ()).unwrap_err(), BadSnapshot::Damaged("version"));
    assert_eq!(with("size", json!("big")), BadSnapshot::Damaged("partSize"));
}

/// Runs until a part is sent for the first time, and crashes.
fn crashed(scenario: Scenario, part: u32) -> Sim {
    let mut sim = keeping(scenario).sim_at(50);
    sim.run_until_sent(Upload, part, 1);
    sim.crash()
}

fn keeping(scenario: Scenario) -> Scenario {
    scenario.config(|config| config.keeps_record = true)
}

/// Returns how many bytes the record says to be acknowledged.
fn confirmed(sim: &Sim) -> u64 {
    let record = json_of(sim.record.as_ref().unwrap());
    let ranges = record["acknowledged"].as_array().unwrap().clone();
    ranges.iter().map(|range| (range[1].as_u64().unwrap() - range[0].as_u64().unwrap() + 1) * 4).sum()
}

fn resumed(sim: &Sim) -> bool {
    let told = sim.told(|event| match event {
        Event::Session { resumed, .. } => Some(*resumed),
        _ => None,
    });
    assert_eq!(told.len(), 1);
    let done = |event: &Event| matches!(event, Event::Part { state: PartState::Done, .. }).then_some(());
    assert!(!sim.told(done).is_empty());
    told[0]
}
