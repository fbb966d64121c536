//! The judge: whether the end of an upload is what its file and its faults make of it.

use std::collections::{BTreeMap, BTreeSet};

use upload_session_engine::error::ErrorCode;

use crate::evidence::{Entry, Evidence};
use crate::faults::LATER;
use crate::scenario::{Scenario, sha1_hex};

/// How often an upload may begin again.
const MOST_RESTARTS: usize = 5;

/// What the uploader told of its upload. One that did not succeed was aborted afterwards, and had ended that.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Its events `retry`.
    pub retries: Vec<Retry>,
    /// The codes of its events `warning`.
    pub warnings: Vec<String>,
    /// Whether there is a record left to go on with.
    pub keeps_record: bool,
}

/// How an upload ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum End {
    /// Not at all, in the time it had.
    #[default]
    Hung,
    /// With a file.
    Done,
    /// With an error of this code.
    Failed(String),
}

/// An event `retry`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retry {
    /// The operation, e.g. `upload`.
    pub operation: String,
    /// The part, for an upload.
    pub part_number: Option<u32>,
    /// The code of the error.
    pub code: String,
}

impl Retry {
    /// Tells whether the request came to no answer.
    fn is_unanswered(&self) -> bool {
        matches!(self.code.as_str(), "network" | "timeout")
    }
}

/// Judges an upload.
///
/// # Errors
/// A sentence for each thing that neither the script nor the contract explains.
pub fn judge(scenario: &Scenario, outcome: &Outcome, evidence: &Evidence) -> Result<(), Vec<String>> {
    let case = Case { scenario, outcome, evidence };
    let mut wrong = Vec::new();
    case.check_end(&mut wrong);
    case.check_files(&mut wrong);
    case.check_parts(&mut wrong);
    case.check_sessions(&mut wrong);
    if outcome.keeps_record {
        wrong.push("there is a record left, and nothing to go on with".to_owned());
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

struct Case<'a> {
    scenario: &'a Scenario,
    outcome: &'a Outcome,
    evidence: &'a Evidence,
}

impl Case<'_> {
    fn check_end(&self, wrong: &mut Vec<String>) {
        match &self.outcome.end {
            End::Hung => wrong.push("it did not end in time".to_owned()),
            End::Done if self.evidence.files.is_empty() => wrong.push("it is done, and there is no file".to_owned()),
            End::Done => {}
            End::Failed(code) => {
                let causes = self.causes();
                if !causes.contains(code.as_str()) {
                    wrong.push(format!("nothing explains the error {code}, only {causes:?} would be"));
                }
            }
        }
    }

    /// Returns the codes of the errors that what happened may lead to.
    fn causes(&self) -> BTreeSet<&'static str> {
        let mut causes = BTreeSet::new();
        if self.scenario.abort_after.is_some() {
            causes.insert("aborted");
        }
        let refused = self.evidence.log.iter().filter(|entry| entry.status == Some(401)).count();
        if refused > usize::from(self.scenario.can_refresh_token) {
            causes.insert("unauthorized");
        }
        if self.complaints().into_values().any(|complaints| complaints > 1) {
            causes.insert("digest_mismatch");
        }
        let most = if self.scenario.restart { MOST_RESTARTS } else { 0 };
        if self.evidence.log.iter().filter(|entry| loses_session(entry)).count() > most {
            causes.insert("session_expired");
        }
        causes.extend(self.evidence.log.iter().filter_map(cause));
        causes
    }

    /// Counts how often the server complained of the digest of a part, or of a direct upload.
    fn complaints(&self) -> BTreeMap<(Option<&str>, Option<u32>), usize> {
        let mut complaints = BTreeMap::new();
        for entry in self.evidence.log.iter().filter(|entry| matches!(entry.operation.as_str(), "upload" | "direct")) {
            if entry.digest_ok == Some(false) || entry.is_scripted() && entry.status == Some(400) {
                *complaints.entry((entry.session_id.as_deref(), entry.part_number)).or_default() += 1;
            }
        }
        complaints
    }

    /// Whatever was made is the file, and made once.
    fn check_files(&self, wrong: &mut Vec<String>) {
        let files = &self.evidence.files;
        if !self.evidence.log.iter().any(Entry::is_silently_corrupt) {
            let expected = Some(sha1_hex(&self.scenario.content()));
            let differ = files.iter().filter(|file| file.size != self.scenario.size || file.sha1 != expected).count();
            if differ > 0 {
                wrong.push(format!("{differ} of {} files are not the file", files.len()));
            }
        }
        let unanswered = self.unanswered(&["finish", "direct"]);
        let most = unanswered + usize::from(self.outcome.end == End::Done || self.scenario.abort_after.is_some());
        if files.len() > most {
            wrong.push(format!("there are {} files, and {most} would do", files.len()));
        }
    }

    /// Counts the requests of these operations whose answers did not arrive.
    fn unanswered(&self, operations: &[&str]) -> usize {
        let told = self.outcome.retries.iter().filter(|retry| retry.is_unanswered());
        let told = told.filter(|retry| operations.contains(&retry.operation.as_str())).count();
        let lost = self.evidence.log.iter().filter(|entry| entry.status.is_none());
        told.max(lost.filter(|entry| operations.contains(&entry.operation.as_str())).count())
    }

    /// No part is sent, or acknowledged, once more than its failures explain, and none beside too many others.
    fn check_parts(&self, wrong: &mut Vec<String>) {
        let mut parts = BTreeMap::<_, Vec<&Entry>>::new();
        for entry in self.evidence.of("upload") {
            parts.entry((entry.session_id.as_deref(), entry.part_number)).or_default().push(entry);
        }
        for ((_, part), entries) in parts {
            let retries = || self.outcome.retries.iter().filter(|retry| retry.operation == "upload");
            let retries: Vec<&Retry> = retries().filter(|retry| retry.part_number == part).collect();
            let unanswered = retries.iter().filter(|retry| retry.is_unanswered()).count();
            let number = part.unwrap_or_default();
            let acknowledged = entries.iter().filter(|entry| entry.status == Some(200) && !entry.is_scripted()).count();
            if acknowledged > 1 + unanswered {
                wrong.push(format!("part {number} was acknowledged {acknowledged} times, {unanswered} in vain"));
            }
            let answered = entries.iter().filter(|entry| !is_no_failure(entry)).count();
            if answered > 1 + retries.len() {
                wrong.push(format!("part {number} was sent {answered} times, and failed {} times", retries.len()));
            }
        }
        let limit = if self.scenario.parallel { self.scenario.concurrency } else { 1 };
        // Of an attempt that was given up the server learns late.
        let most = limit + self.unanswered(&["upload"]);
        if self.evidence.peak > most as u64 {
            wrong.push(format!("{} uploads were in flight, and {most} may be", self.evidence.peak));
        }
    }

    /// No session is left behind that the uploader knew of, and it warns where it cannot help it.
    fn check_sessions(&self, wrong: &mut Vec<String>) {
        let warned = self.outcome.warnings.iter().any(|code| code == "session_not_deleted");
        // A session that is said to be gone cannot be told from one that is.
        let said_gone = |entry: &&Entry| entry.is_scripted() && matches!(entry.status, Some(404 | 410));
        let excused = self.unanswered(&["create"]) + self.evidence.log.iter().filter(said_gone).count();
        let left = self.evidence.sessions.len();
        if left > excused + usize::from(warned) {
            wrong.push(format!("{left} sessions are left, and nothing explains more than {excused}"));
        }
        let delete_failed = self.evidence.of("delete").any(|entry| entry.status != Some(200));
        // A server error may come after the session was made.
        let create_failed = self.evidence.of("create").any(|entry| entry.status.is_none_or(|status| status >= 500));
        if warned && !delete_failed && !create_failed && self.unanswered(&["create"]) == 0 {
            wrong.push("it warns of a session that it had no trouble to delete".to_owned());
        }
    }
}

/// Returns the code of the error that this request alone leads to, if any.
fn cause(entry: &Entry) -> Option<&'static str> {
    // Where the part is sent again, what is held and what comes are not the same.
    if entry.is_silently_corrupt() {
        return Some("unprocessable");
    }
    let status = entry.status.filter(|_| entry.is_scripted() && !loses_session(entry))?;
    match (status, entry.operation.as_str()) {
        (_, "delete") | (401, _) => None,
        (200, _) => Some("protocol"),
        // It is taken for a part that is held, and the server misses it later.
        (409, "upload") => Some("unprocessable"),
        (400, "finish") if entry.digest.is_some() => Some("digest_mismatch"),
        (400, "upload" | "direct") if entry.digest.is_some() => None,
        _ if LATER.contains(&status) => None,
        _ => Some(ErrorCode::from_status(status).as_str()),
    }
}

/// Tells whether the session of this request is gone, or is said to be.
fn loses_session(entry: &Entry) -> bool {
    let names_session = matches!(entry.operation.as_str(), "get" | "upload" | "finish");
    let said_gone = entry.is_scripted() && matches!(entry.status, Some(404 | 410));
    names_session && (said_gone || entry.fault.as_deref() == Some("expire"))
}

/// Tells whether a part may be sent again after this without a failure that was told of: browsers do so by themselves
/// where a kept-alive connection breaks, and Chromium where it is answered 408; a refused token is not the part's
/// failure; and what is said to be held (409) may turn out not to be.
fn is_no_failure(entry: &Entry) -> bool {
    matches!(entry.status, None | Some(401 | 408)) || entry.is_scripted() && entry.status == Some(409)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::evidence::StoredFile;

    /// An upload in two parts that went well.
    fn case() -> (Scenario, Outcome, Evidence) {
        let plain = Scenario { size: 15, part_size: 10, parallel: false, direct: false, ..Scenario::new(1) };
        let scenario = Scenario { abort_after: None, restart: false, can_refresh_token: false, ..plain };
        let file = StoredFile { size: 15, sha1: Some(sha1_hex(&scenario.content())) };
        let log = vec![entry("create", 201), part(0, 200), part(1, 200), entry("finish", 201)];
        let evidence = Evidence { peak: 1, log, files: vec![file], sessions: Vec::new() };
        (scenario, Outcome { end: End::Done, ..Outcome::default() }, evidence)
    }

    fn entry(operation: &str, status: u16) -> Entry {
        let status = Some(status).filter(|status| *status > 0);
        Entry { operation: operation.to_owned(), status, digest: Some("sha=".to_owned()), ..Entry::default() }
    }

    fn part(number: u32, status: u16) -> Entry {
        Entry { part_number: Some(number), session_id: Some("s".to_owned()), ..entry("upload", status) }
    }

    fn struck(entry: Entry, fault: &str) -> Entry {
        Entry { fault: Some(fault.to_owned()), ..entry }
    }

    fn retry(part: u32, code: &str) -> Retry {
        Retry { operation: "upload".to_owned(), part_number: Some(part), code: code.to_owned() }
    }

    /// Asserts that it is wrong, in a sentence with that phrase.
    fn wrong(case: &(Scenario, Outcome, Evidence), phrase: &str) {
        let sentences = judge(&case.0, &case.1, &case.2).unwrap_err();
        assert!(sentences.iter().any(|sentence| sentence.contains(phrase)), "{phrase}: {sentences:?}");
    }

    fn right(case: &(Scenario, Outcome, Evidence)) {
        assert_eq!(judge(&case.0, &case.1, &case.2), Ok(()));
    }

    #[test]
    fn what_went_well_is_right() {
        right(&case());
    }

    #[test]
    fn an_upload_that_hangs_is_wrong() {
        let mut case = case();
        case.1.end = End::Hung;
        wrong(&case, "did not end");
    }

    #[test]
    fn a_file_that_is_missing_or_another_or_twice_is_wrong() {
        let mut missing = case();
        missing.2.files.clear();
        wrong(&missing, "there is no file");
        let mut another = case();
        another.2.files[0].sha1 = Some("00".to_owned());
        wrong(&another, "1 of 1 files are not the file");
        let mut twice = case();
        twice.2.files.push(twice.2.files[0].clone());
        wrong(&twice, "there are 2 files, and 1 would do");
        twice.2.log.push(entry("finish", 0));
        right(&twice);
    }

    #[test]
    fn an_error_is_wrong_unless_the_script_explains_it() {
        let explained = [
            ("session_expired", struck(part(2, 404), "expire")),
            ("session_expired", struck(entry("finish", 410), "status")),
            ("not_found", struck(entry("create", 404), "status")),
            ("unauthorized", struck(entry("create", 401), "status")),
            ("forbidden", struck(part(2, 403), "status")),
            ("digest_mismatch", struck(entry("finish", 400), "status")),
            ("protocol", struck(entry("get", 200), "status")),
        ];
        for (code, fault) in explained {
            let mut case = case();
            case.1.end = End::Failed(code.to_owned());
            case.2.files.clear();
            wrong(&case, "nothing explains");
            case.2.log.push(Entry { session_id: Some("s".to_owned()), ..fault });
            right(&case);
        }
    }

    #[test]
    fn a_corrupt_byte_is_an_error_where_it_comes_twice() {
        let mut case = case();
        case.1.end = End::Failed("digest_mismatch".to_owned());
        case.2.files.clear();
        let corrupt = Entry { digest_ok: Some(false), ..struck(part(0, 422), "corrupt_byte") };
        case.1.retries.push(retry(0, "unprocessable"));
        case.2.log.push(corrupt.clone());
        wrong(&case, "nothing explains");
        case.1.retries.push(retry(0, "unprocessable"));
        case.2.log.push(corrupt);
        right(&case);
    }

    #[test]
    fn an_expiry_is_no_error_where_the_upload_may_begin_again() {
        let mut case = case();
        case.0.restart = true;
        case.1.end = End::Failed("session_expired".to_owned());
        case.2.files.clear();
        case.2.log.extend(vec![struck(entry("get", 404), "expire"); MOST_RESTARTS]);
        wrong(&case, "nothing explains");
        case.2.log.push(struck(entry("get", 404), "expire"));
        right(&case);
    }

    #[test]
    fn a_part_acknowledged_twice_is_wrong_unless_an_answer_was_lost() {
        let mut case = case();
        case.2.log.push(part(1, 200));
        wrong(&case, "part 1 was acknowledged 2 times");
        wrong(&case, "part 1 was sent 2 times");
        case.1.retries.push(retry(1, "server_error"));
        wrong(&case, "part 1 was acknowledged 2 times");
        case.1.retries.push(retry(1, "timeout"));
        right(&case);
    }

    #[test]
    fn more_uploads_in_flight_than_allowed_are_wrong() {
        let mut case = case();
        case.2.peak = 2;
        wrong(&case, "2 uploads were in flight, and 1 may be");
        (case.0.parallel, case.0.concurrency) = (true, 2);
        right(&case);
    }

    #[test]
    fn a_session_that_is_left_is_wrong_unless_nobody_could_know_of_it() {
        let mut case = case();
        case.2.sessions.push("s".to_owned());
        wrong(&case, "1 sessions are left");
        let mut lost = case.clone();
        lost.2.log.push(entry("create", 0));
        right(&lost);
        let mut gone = case.clone();
        gone.2.log.push(struck(part(2, 404), "status"));
        right(&gone);
        case.1.warnings.push("session_not_deleted".to_owned());
        wrong(&case, "no trouble to delete");
        case.2.log.push(entry("delete", 403));
        right(&case);
    }

    #[test]
    fn a_record_that_is_left_is_wrong() {
        let mut case = case();
        case.1.keeps_record = true;
        wrong(&case, "there is a record left");
    }

    #[test]
    fn evidence_is_read_as_the_emulator_writes_it() {
        let stats = json!({"peak_parallel_uploads": 3, "retries": 1,
            "log": [{"operation": "upload", "part_number": 1, "status": null, "bytes": 7, "digest": null}]});
        let evidence = Evidence::read(stats, json!([{"size": 1, "sha1": "ab"}]), json!([{"id": "s"}])).unwrap();
        assert_eq!((evidence.peak, evidence.sessions.as_slice()), (3, ["s".to_owned()].as_slice()));
        assert_eq!((evidence.log[0].part_number, evidence.log[0].status), (Some(1), None));
        assert_eq!(evidence.files[0].sha1.as_deref(), Some("ab"));
        assert!(Evidence::read(json!({}), json!([]), json!([])).is_err());
    }
}
