//! Every transition of the upload: what an answer, a failure or an abort leads to.

use std::mem;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Finish, Phase, Session, Upload};
use crate::call::{Call, CallState};
use crate::clock::{Instant, Now, parse_date};
use crate::error::{ErrorCode, UploadError};
use crate::output::{Event, OpId, Output, PartState};
use crate::part::{OverBudget, Parts};
use crate::plan::{Plan, parse_part_size};
use crate::progress::SpeedMeter;
use crate::request::{Operation, Request, Response};
use crate::retry::{Failure, Outcome, Verdict, parse_retry_after};
use crate::snapshot::Fingerprint;
use crate::wire::MAX_PART_SIZE;

/// For how long a session's deletion is tried, from its first attempt on: a caller waits for it.
pub(super) const DELETE_LIMIT: Duration = Duration::from_secs(30);
/// Least time between two questions after a finish that was accepted (202) but is not done.
const ACCEPTED_INTERVAL: Duration = Duration::from_secs(1);
/// How often an upload begins again with a fresh session: a server that loses every one of them must not spin.
const MAX_RESTARTS: u32 = 5;

impl Upload {
    pub(super) fn abort(&mut self) {
        self.cancel_parts();
        self.paused = false;
        self.forget();
        let live = self.session.as_ref().is_some_and(|session| session.live);
        self.phase = match mem::replace(&mut self.phase, Phase::Aborted) {
            // Somebody else may be driving the session.
            Phase::Idle if self.snapshot.is_some() => {
                self.outputs.push_back(Output::Prepare);
                Phase::Claiming
            }
            Phase::Preparing if self.snapshot.is_some() => Phase::Claiming,
            Phase::Creating(call) if call.in_flight().is_some() => Phase::AbortingCreate(call),
            Phase::Creating(call) if call.unsure => {
                self.warn_not_deleted(&Failure::Network.into_error());
                Phase::Aborted
            }
            Phase::Discarding(call, _) => Phase::Deleting(call),
            mut phase => {
                if let Some(flight) = phase.call_mut().and_then(|call| call.in_flight()) {
                    self.outputs.push_back(Output::Cancel { op: flight.op });
                }
                if live { Phase::Deleting(Call::default()) } else { Phase::Aborted }
            }
        };
        self.finish_with(Err(UploadError::new(ErrorCode::Aborted, "The upload was aborted")));
    }

    /// Makes the session of a snapshot this upload's own, where it is of this file and target and nobody else drives it;
    /// returns whether there is one.
    pub(super) fn claim(&mut self, fingerprint: Fingerprint) -> Result<bool, UploadError> {
        self.fingerprint = Some(fingerprint);
        let Some(snapshot) = &self.snapshot else { return Ok(false) };
        if snapshot.fingerprint.file != fingerprint.file || snapshot.plan.size() != self.config.size {
            let message = "The file is not the one whose upload was begun: pick that one, or begin anew";
            return Err(UploadError::new(ErrorCode::FileChanged, message));
        }
        if snapshot.fingerprint.target != fingerprint.target {
            let takes = "takes a snapshot of an upload to the same server, app, consumer, service, folder and drive, \
                         with the same digests";
            return Err(UploadError::invalid_argument("snapshot", takes));
        }
        self.session = Some(Session { saved: true, ..Session::new(snapshot.session_id().to_owned()) });
        Ok(true)
    }

    pub(super) fn handle_outcome(&mut self, op: OpId, outcome: Outcome<'_>, now: Now) {
        if self.phase.sent_by(op) {
            self.on_phase_outcome(outcome, now);
        } else if let Some(part) = self.parts.as_ref().and_then(|parts| parts.sent_by(op)) {
            self.on_part_outcome(part, outcome, now);
        }
        self.settle(now);
    }

    pub(super) fn on_phase_outcome(&mut self, outcome: Outcome<'_>, now: Now) {
        match mem::replace(&mut self.phase, Phase::Failed) {
            Phase::Creating(call) => self.on_create(call, outcome, now),
            Phase::Getting(call) => self.on_get(call, outcome, now),
            Phase::Checking(call) => self.on_check(call, outcome, now),
            Phase::Finishing(finish) => self.on_finish(finish, outcome, now),
            Phase::Confirming(call, finish) => self.on_confirm(call, finish, outcome, now),
            Phase::Discarding(call, error) => self.on_discard(call, error, outcome, now),
            Phase::AbortingCreate(call) => self.on_create_after_abort(&call, outcome),
            Phase::Deleting(call) => self.on_delete(call, outcome, now),
            phase => self.phase = phase,
        }
    }

    pub(super) fn on_create(&mut self, mut call: Call, outcome: Outcome<'_>, now: Now) {
        match (self.judge(&mut call, Operation::Create, None, outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) => match created(response) {
                Ok(id) => {
                    self.session = Some(Session::new(id));
                    self.phase = Phase::Getting(Call::default());
                }
                Err(error) => self.fail(error),
            },
            (Step::Fail(error), _) => self.fail(error),
            (Step::Later | Step::Success, _) => self.phase = Phase::Creating(call),
        }
    }

    pub(super) fn on_get(&mut self, mut call: Call, outcome: Outcome<'_>, now: Now) {
        match (self.judge(&mut call, Operation::Get, None, outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) => match self.open(response, now) {
                Ok(phase) => self.phase = phase,
                Err(error) => self.phase = Phase::Discarding(Call::default(), error),
            },
            // What was to be resumed is gone: a fresh start.
            (Step::Fail(error), _) if self.snapshot.is_some() && matches!(error.status(), Some(404 | 410)) => {
                self.begin_again();
            }
            (Step::Fail(error), _) => self.fail_in_session(error),
            (Step::Later | Step::Success, _) => self.phase = Phase::Getting(call),
        }
    }

    /// The time of the session should be over, by its own `expires_at`: the server knows better than this clock.
    fn on_check(&mut self, mut call: Call, outcome: Outcome<'_>, now: Now) {
        match (self.judge(&mut call, Operation::Get, None, outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) => match response.envelope() {
                Ok(envelope) => {
                    self.note_expiry(&envelope, now);
                    self.phase = Phase::Transferring;
                }
                Err(error) => self.fail(error),
            },
            (Step::Fail(error), _) => self.fail_in_session(error),
            (Step::Later | Step::Success, _) => self.phase = Phase::Checking(call),
        }
    }

    /// Notes when the session's time should be over; nothing where that is past though the server just said otherwise.
    fn note_expiry(&mut self, envelope: &Map<String, Value>, now: Now) {
        let expires_at = envelope.get("data").and_then(|data| data.get("expires_at")).and_then(Value::as_str);
        let left = expires_at.and_then(parse_date).and_then(|date| date.checked_sub(now.unix));
        if let Some(session) = &mut self.session {
            session.expires = left.filter(|left| !left.is_zero()).map(|left| now.instant + left);
        }
    }

    /// Cuts the file as the session asks, and goes on from the snapshot where there is one.
    fn open(&mut self, response: &Response, now: Now) -> Result<Phase, UploadError> {
        let envelope = response.envelope()?;
        let field = |name: &str| envelope.get("data").and_then(|data| data.get(name));
        let snapshot = self.snapshot.take();
        if snapshot.is_some() && is_finished(&envelope) {
            return Ok(self.done_without_id());
        }
        let part_size =
            parse_part_size(field("part_size")).map_err(|message| UploadError::protocol(response, message))?;
        if part_size.min(self.config.size) > MAX_PART_SIZE {
            let message = format!("part_size is {part_size}, and a part may have {MAX_PART_SIZE} bytes");
            return Err(UploadError::protocol(response, message));
        }
        let plan = Plan::new(self.config.size, part_size).map_err(|error| {
            let message = format!("The file takes {} parts of {part_size} bytes; the API takes 10001", error.parts);
            UploadError::new(ErrorCode::FileTooLarge, message)
        })?;
        if snapshot.as_ref().is_some_and(|snapshot| snapshot.plan != plan) {
            return Err(UploadError::protocol(response, "The session's part_size is not what it was"));
        }
        let parallel = field("parallel_upload_supported").and_then(Value::as_bool).unwrap_or(false);
        let (mut parts, over_budget) = Parts::new(plan, parallel, &self.config);
        let resumed = snapshot.is_some();
        if let Some(snapshot) = snapshot {
            parts.resume(snapshot, field("uploaded_byte_range").and_then(Value::as_str).and_then(bytes_held));
        }
        if let Some(lost) = self.lost.take() {
            parts.restart(lost);
        }
        self.parts = Some(parts);
        self.note_expiry(&envelope, now);
        let expires_at = field("expires_at").and_then(Value::as_str).map(str::to_owned);
        let id = self.session_id().unwrap_or_default().to_owned();
        self.tell(Event::Session { id, part_size, parallel, resumed, expires_at });
        let held = self.parts.as_ref().map(Parts::acknowledged).unwrap_or_default();
        held.into_iter().for_each(|part| self.tell_part(part, PartState::Done));
        if over_budget == Some(OverBudget) {
            let message = format!("A part has {part_size} bytes, more than memoryBudget: sending slices of the file");
            self.tell(Event::Warning { code: "memory_budget", message });
        }
        self.save();
        Ok(Phase::Transferring)
    }

    /// Keeps what there is to go on with.
    fn save(&mut self) {
        if self.config.keeps_record
            && let Some(snapshot) = self.snapshot()
            && let Some(session) = &mut self.session
        {
            session.saved = true;
            self.outputs.push_back(Output::Save(snapshot));
        }
    }

    /// Leaves a session that is gone for a fresh one; what was hashed stays hashed.
    fn begin_again(&mut self) {
        self.cancel_parts();
        self.session_is_gone();
        self.snapshot = None;
        self.session = None;
        self.lost = self.parts.take().or(self.lost.take());
        self.meter = SpeedMeter::default();
        self.phase = Phase::Creating(Call::default());
    }

    pub(super) fn on_part_outcome(&mut self, part: u32, outcome: Outcome<'_>, now: Now) {
        let Some(parts) = &mut self.parts else { return };
        let digest = parts.digest_to_send(part);
        let Some(open) = parts.part_mut(part) else { return };
        let mut call = open.call;
        let since = call.in_flight().map_or(now.instant, |flight| flight.since);
        if self.direct {
            return self.on_direct(call, part, outcome, now);
        }
        let error = match (self.judge(&mut call, Operation::Upload, Some(part), outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) => match response.identified() {
                Ok(_) => {
                    if let Some(parts) = &mut self.parts {
                        parts.measure(part, &mut self.meter, now.instant);
                    }
                    return self.acknowledge(part, now);
                }
                Err(error) => error,
            },
            // The part is held already: an earlier attempt got through, and its answer was lost. That attempt need not
            // be the engine's own, as browsers send a PUT again by themselves when a kept-alive connection breaks.
            (Step::Fail(error), _) if error.status() == Some(409) => {
                return self.acknowledge(part, now);
            }
            (Step::Fail(error), _) if digest.is_some() && error.speaks_of_digest() => {
                if let Some(held) = self.parts.as_mut().and_then(|parts| parts.doubt(part)) {
                    self.release(part, held);
                    return self.tell_retry(Operation::Upload, Some(part), &call, Duration::ZERO, error);
                }
                error.with_code(ErrorCode::DigestMismatch)
            }
            (Step::Fail(error), _) => return self.fail_in_session(error.for_part(part)),
            (Step::Later | Step::Success, _) => return self.send_later(part, call, outcome, since, now),
        };
        self.fail(error.for_part(part));
    }

    /// Takes in what came of sending the whole file in one request.
    fn on_direct(&mut self, mut call: Call, part: u32, outcome: Outcome<'_>, now: Now) {
        let since = call.in_flight().map_or(now.instant, |flight| flight.since);
        match (self.judge(&mut call, Operation::Direct, Some(part), outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) => match response.identified() {
                Ok((_, mut envelope)) => {
                    self.acknowledge(part, now);
                    if call.unsure {
                        let message = "The file was sent more than once, as an answer was lost: it may be there twice";
                        self.tell(Event::Warning { code: "possible_duplicate", message: message.to_owned() });
                    }
                    let mut file = json!({"name": self.config.name, "size": self.config.size});
                    if let (Some(file), Some(Value::Object(data))) = (file.as_object_mut(), envelope.remove("data")) {
                        file.extend(data);
                    }
                    self.done(file);
                }
                Err(error) => self.fail(error),
            },
            // Too much for one request: there are sessions.
            (Step::Fail(error), _) if error.status() == Some(413) && self.config.size > 0 => {
                self.cancel_parts();
                self.direct = false;
                self.parts = None;
                self.phase = Phase::Preparing;
                self.outputs.push_back(Output::Prepare);
            }
            (Step::Fail(error), _) => self.fail(error),
            (Step::Later | Step::Success, _) => self.send_later(part, call, outcome, since, now),
        }
    }

    /// Has a part that got no further wait for its next attempt.
    fn send_later(&mut self, part: u32, call: Call, outcome: Outcome<'_>, since: Instant, now: Now) {
        let Some(parts) = &mut self.parts else { return };
        if let Some(open) = parts.part_mut(part) {
            open.call = call;
        }
        match outcome {
            Outcome::Answer(response) if response.status == 429 => parts.limiter.overloaded(since, now.instant),
            Outcome::Answer(_) => {}
            // Without a network nothing is to be learned from it.
            Outcome::Failure(_) if self.offline => return self.tell_part(part, PartState::Queued),
            Outcome::Failure(failure) => {
                let stalled = failure == Failure::Timeout;
                if stalled {
                    parts.limiter.overloaded(since, now.instant);
                }
                parts.unanswered(part, stalled);
            }
        }
        self.tell_part(part, PartState::Retrying);
    }

    pub(super) fn acknowledge(&mut self, part: u32, now: Now) {
        self.tell_part(part, PartState::Done);
        let held = self.parts.as_mut().is_some_and(|parts| parts.acknowledge(part, now.instant));
        self.release(part, held);
        if !self.direct {
            self.save();
        }
    }

    fn release(&mut self, part: u32, held: bool) {
        if held {
            self.outputs.push_back(Output::Release { part });
        }
    }

    pub(super) fn on_finish(&mut self, mut finish: Finish, outcome: Outcome<'_>, now: Now) {
        let digest = self.parts.as_ref().and_then(Parts::file_digest);
        match (self.judge(&mut finish.call, Operation::Finish, None, outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) if response.status == 202 => {
                self.on_accepted(finish, response, now);
            }
            (Step::Success, Outcome::Answer(response)) => match response.identified() {
                Ok((_, mut envelope)) => self.done(envelope.remove("data").unwrap_or_default()),
                Err(error) => self.fail(error),
            },
            // The file is made already, and the answer that said so was lost: browsers send a POST again by themselves
            // when a kept-alive connection breaks. GET tells.
            (Step::Fail(error), _) if error.status() == Some(409) => {
                finish.conflict = Some(error);
                self.phase = Phase::Confirming(Call::default(), finish);
            }
            (Step::Fail(error), _) if digest.is_some() && error.speaks_of_digest() => {
                self.fail(error.with_code(ErrorCode::DigestMismatch));
            }
            (Step::Fail(error), _) => self.fail_in_session(error),
            (Step::Later | Step::Success, _) => self.phase = Phase::Finishing(finish),
        }
    }

    /// The file is being made on the server: asks again, no sooner than the server says.
    pub(super) fn on_accepted(&mut self, mut finish: Finish, response: &Response, now: Now) {
        let since = *finish.accepted_since.get_or_insert(now.instant);
        let asked = response.retry_after.as_deref().and_then(|value| parse_retry_after(value, now.unix));
        let until = now.instant + asked.unwrap_or_default().max(ACCEPTED_INTERVAL);
        if until.since(since) > self.config.retry.max_elapsed_time {
            return self
                .fail(UploadError::new(ErrorCode::Timeout, "The server accepted the file but does not finish it"));
        }
        finish.call.state = CallState::Waiting { until, earliest: until };
        self.phase = Phase::Finishing(finish);
    }

    pub(super) fn on_confirm(&mut self, mut call: Call, finish: Finish, outcome: Outcome<'_>, now: Now) {
        match (self.judge(&mut call, Operation::Get, None, outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) => match response.envelope() {
                Ok(envelope) if is_finished(&envelope) => self.phase = self.done_without_id(),
                Ok(_) => match finish.conflict {
                    Some(error) => self.fail(error),
                    None => self.phase = Phase::Finishing(finish),
                },
                Err(error) => self.fail(error),
            },
            // The file may be there for all that: a fresh session would make it twice.
            (Step::Fail(error), _) => self.fail(expired(error)),
            (Step::Later | Step::Success, _) => self.phase = Phase::Confirming(call, finish),
        }
    }

    pub(super) fn on_discard(&mut self, mut call: Call, error: UploadError, outcome: Outcome<'_>, now: Now) {
        match self.judge_delete(&mut call, outcome, now) {
            Step::Later => self.phase = Phase::Discarding(call, error),
            Step::Success => {
                self.session_is_gone();
                self.fail(error);
            }
            Step::Fail(cause) => {
                self.warn_not_deleted(&cause);
                self.fail(error);
            }
        }
    }

    pub(super) fn on_create_after_abort(&mut self, call: &Call, outcome: Outcome<'_>) {
        match outcome {
            Outcome::Answer(response) if response.is_success() => match created(response) {
                Ok(id) => {
                    self.session = Some(Session::new(id));
                    self.phase = Phase::Deleting(Call::default());
                }
                Err(error) => self.end_abort(Some(&error)),
            },
            Outcome::Answer(response) if call.unsure || response.status >= 500 => {
                self.end_abort(Some(&UploadError::from_response(response)));
            }
            Outcome::Answer(_) => self.end_abort(None),
            Outcome::Failure(failure) => self.end_abort(Some(&failure.into_error())),
        }
    }

    pub(super) fn on_delete(&mut self, mut call: Call, outcome: Outcome<'_>, now: Now) {
        match self.judge_delete(&mut call, outcome, now) {
            Step::Later => self.phase = Phase::Deleting(call),
            Step::Success => self.end_abort(None),
            Step::Fail(error) => self.end_abort(Some(&error)),
        }
    }

    /// A session that the server does not know is as good as deleted.
    fn judge_delete(&mut self, call: &mut Call, outcome: Outcome<'_>, now: Now) -> Step {
        match self.judge(call, Operation::Delete, None, outcome, now) {
            Step::Fail(error) if matches!(error.status(), Some(404 | 410)) => Step::Success,
            step => step,
        }
    }

    pub(super) fn end_abort(&mut self, failure: Option<&UploadError>) {
        if let Some(error) = failure {
            self.warn_not_deleted(error);
        } else {
            self.session_is_gone();
        }
        self.phase = Phase::Aborted;
        self.outputs.push_back(Output::AbortEnded);
    }

    pub(super) fn warn_not_deleted(&mut self, error: &UploadError) {
        let message = format!("The session may still be on the server: {error}");
        self.tell(Event::Warning { code: "session_not_deleted", message });
    }

    /// There is nothing on the server any more, and nothing to go on with.
    pub(super) fn session_is_gone(&mut self) {
        if let Some(session) = &mut self.session {
            session.live = false;
        }
        self.forget();
    }

    pub(super) fn forget(&mut self) {
        if self.session.as_mut().is_some_and(|session| mem::take(&mut session.saved)) {
            self.outputs.push_back(Output::Forget);
        }
    }

    pub(super) fn done(&mut self, file: Value) {
        self.session_is_gone();
        self.phase = Phase::Done;
        self.finish_with(Ok(file));
    }

    /// The file is there, but the API tells its id only once.
    fn done_without_id(&mut self) -> Phase {
        let message = "The file is stored, but the answer that named it was lost: `id` is the session's";
        self.tell(Event::Warning { code: "file_id_unknown", message: message.to_owned() });
        let id = self.session_id().unwrap_or_default();
        self.done(json!({"id": id, "name": self.config.name, "size": self.config.size}));
        Phase::Done
    }

    /// Ends the upload with an error. The session stays on the server unless it is gone: the caller may abort.
    pub(super) fn fail(&mut self, error: UploadError) {
        if error.code == ErrorCode::SessionExpired {
            self.session_is_gone();
        }
        self.cancel_parts();
        self.phase = Phase::Failed;
        self.finish_with(Err(error));
    }

    /// Fails with the error of a request to the session; where that is gone, a fresh one may follow.
    fn fail_in_session(&mut self, error: UploadError) {
        let error = expired(error);
        if error.code != ErrorCode::SessionExpired || !self.config.restart || self.restarts == MAX_RESTARTS {
            return self.fail(error);
        }
        self.restarts += 1;
        let message = format!("The session is gone, and the upload begins again with a fresh one: {error}");
        self.tell(Event::Warning { code: "restarted", message });
        self.begin_again();
    }

    /// Ends whatever is going on, as nothing more can be sent.
    pub(super) fn give_up(&mut self, error: UploadError) {
        match mem::replace(&mut self.phase, Phase::Failed) {
            Phase::Deleting(_) => self.end_abort(Some(&error)),
            // It was not even sent.
            Phase::AbortingCreate(_) => self.end_abort(None),
            Phase::Discarding(_, reason) => {
                self.warn_not_deleted(&error);
                self.fail(reason);
            }
            _ => self.fail(error),
        }
    }

    pub(super) fn finish_with(&mut self, result: Result<Value, UploadError>) {
        if !mem::replace(&mut self.finished, true) {
            self.outputs.push_back(Output::Finished(result));
        }
    }

    /// Judges what came of a call, and notes in it what to wait for.
    fn judge(
        &mut self,
        call: &mut Call,
        operation: Operation,
        part: Option<u32>,
        outcome: Outcome<'_>,
        now: Now,
    ) -> Step {
        let sent_with = call.in_flight().map(|flight| flight.token);
        call.unsure |= match outcome {
            Outcome::Answer(response) => response.status >= 500,
            Outcome::Failure(_) => true,
        };
        let mut policy = self.config.retry;
        if operation == Operation::Delete {
            policy = policy.within(DELETE_LIMIT);
        } else if self.offline && matches!(outcome, Outcome::Failure(_)) {
            call.attempts.take_back();
            call.state = CallState::Ready;
            return Step::Later;
        }
        match call.attempts.judge(outcome, &policy, self.config.can_refresh_token, now, &mut self.rng) {
            Verdict::Success => Step::Success,
            Verdict::Fail(error) => Step::Fail(error),
            Verdict::Retry { at, delay, earliest, error } => {
                self.tell_retry(operation, part, call, delay, error);
                call.state = CallState::Waiting { until: at, earliest };
                Step::Later
            }
            Verdict::RefreshToken if sent_with != Some(self.token.generation) => {
                call.state = CallState::Ready;
                Step::Later
            }
            Verdict::RefreshToken => {
                call.state = CallState::AwaitingToken;
                if self.token.refreshing_until.is_none() {
                    let timeout = match operation {
                        Operation::Delete => self.config.timeout.min(DELETE_LIMIT),
                        _ => self.config.timeout,
                    };
                    self.token.refreshing_until = Some(now.instant + timeout);
                    self.outputs.push_back(Output::RefreshToken);
                }
                Step::Later
            }
        }
    }

    pub(super) fn awaits_token(&mut self) -> bool {
        let waits = |call: &Call| matches!(call.state, CallState::AwaitingToken);
        self.phase.call_mut().is_some_and(|call| waits(call)) || self.parts.iter().flat_map(Parts::calls).any(waits)
    }
}

/// What came of judging a call.
enum Step {
    Success,
    /// It is sent again, in time.
    Later,
    Fail(UploadError),
}

/// Reads the id of a session that was created, and checks that a request can name it.
fn created(response: &Response) -> Result<String, UploadError> {
    let (id, _) = response.identified()?;
    match Request::get(&id, false, None) {
        Ok(_) => Ok(id),
        Err(_) => Err(UploadError::protocol(response, "The session's id cannot stand in a path")),
    }
}

fn is_finished(envelope: &Map<String, Value>) -> bool {
    envelope.get("data").and_then(|data| data.get("success")).and_then(Value::as_bool).unwrap_or(false)
}

/// Reads `uploaded_byte_range`, "0-8388607": how many of the first bytes are held.
fn bytes_held(range: &str) -> Option<u64> {
    let (first, last) = range.split_once('-')?;
    (first.trim() == "0").then(|| last.trim().parse::<u64>().ok()?.checked_add(1)).flatten()
}

/// Names the error of a session that the server no longer knows.
fn expired(error: UploadError) -> UploadError {
    match error.status() {
        Some(404 | 410) => error.with_code(ErrorCode::SessionExpired),
        _ => error,
    }
}
