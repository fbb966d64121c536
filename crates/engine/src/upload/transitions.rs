//! Every transition of the upload: what an answer, a failure or an abort leads to.

use std::mem;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Finish, Phase, Session, Upload};
use crate::call::{Call, CallState};
use crate::clock::Now;
use crate::error::{ErrorCode, UploadError};
use crate::output::{Event, OpId, Output, PartState};
use crate::part::{OverBudget, Parts};
use crate::plan::{Plan, parse_part_size};
use crate::request::{Operation, Request, Response};
use crate::retry::{Failure, Outcome, Verdict, parse_retry_after};
use crate::wire::MAX_PART_SIZE;

/// For how long a session's deletion is tried, from its first attempt on: a caller waits for it.
pub(super) const DELETE_LIMIT: Duration = Duration::from_secs(30);
/// Least time between two questions after a finish that was accepted (202) but is not done.
const ACCEPTED_INTERVAL: Duration = Duration::from_secs(1);

impl Upload {
    pub(super) fn abort(&mut self) {
        self.cancel_parts();
        self.paused = false;
        let live = self.session.as_ref().is_some_and(|session| session.live);
        self.phase = match mem::replace(&mut self.phase, Phase::Aborted) {
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
                    self.session = Some(Session { id, live: true });
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
            (Step::Success, Outcome::Answer(response)) => match self.open(response) {
                Ok(()) => self.phase = Phase::Transferring,
                Err(error) => self.phase = Phase::Discarding(Call::default(), error),
            },
            (Step::Fail(error), _) => self.fail(expired(error)),
            (Step::Later | Step::Success, _) => self.phase = Phase::Getting(call),
        }
    }

    /// Cuts the file as the session asks.
    pub(super) fn open(&mut self, response: &Response) -> Result<(), UploadError> {
        let envelope = response.envelope()?;
        let field = |name: &str| envelope.get("data").and_then(|data| data.get(name));
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
        let parallel = field("parallel_upload_supported").and_then(Value::as_bool).unwrap_or(false);
        let expires_at = field("expires_at").and_then(Value::as_str).map(str::to_owned);
        let id = self.session_id().unwrap_or_default().to_owned();
        self.tell(Event::Session { id, part_size, parallel, expires_at });
        let (parts, over_budget) = Parts::new(plan, parallel, &self.config);
        if over_budget == Some(OverBudget) {
            let message = format!("A part has {part_size} bytes, more than memoryBudget: sending slices of the file");
            self.tell(Event::Warning { code: "memory_budget", message });
        }
        self.parts = Some(parts);
        Ok(())
    }

    pub(super) fn on_part_outcome(&mut self, part: u32, outcome: Outcome<'_>, now: Now) {
        let Some(open) = self.parts.as_mut().and_then(|parts| parts.part_mut(part)) else { return };
        let (mut call, digest) = (open.call, open.digest);
        let error = match (self.judge(&mut call, Operation::Upload, Some(part), outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) => match response.identified() {
                Ok(_) => {
                    if let Some(parts) = &mut self.parts {
                        parts.measure(part, &mut self.meter, now.instant);
                    }
                    return self.acknowledge(part);
                }
                Err(error) => error,
            },
            // The part is held already: an earlier attempt got through, and its answer was lost. That attempt need not
            // be the engine's own, as browsers send a PUT again by themselves when a kept-alive connection breaks.
            (Step::Fail(error), _) if error.status() == Some(409) => {
                return self.acknowledge(part);
            }
            (Step::Fail(error), _) if digest.is_some() && error.speaks_of_digest() => {
                if let Some(held) = self.parts.as_mut().and_then(|parts| parts.doubt(part)) {
                    self.release(part, held);
                    return self.tell_retry(Operation::Upload, Some(part), &call, Duration::ZERO, error);
                }
                error.with_code(ErrorCode::DigestMismatch)
            }
            (Step::Fail(error), _) => expired(error),
            (Step::Later | Step::Success, _) => {
                if let Some(open) = self.parts.as_mut().and_then(|parts| parts.part_mut(part)) {
                    open.call = call;
                }
                return self.tell_part(part, PartState::Retrying);
            }
        };
        self.fail(error.for_part(part));
    }

    pub(super) fn acknowledge(&mut self, part: u32) {
        self.tell_part(part, PartState::Done);
        let held = self.parts.as_mut().is_some_and(|parts| parts.acknowledge(part));
        self.release(part, held);
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
            (Step::Fail(error), _) => self.fail(expired(error)),
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
        finish.call.state = CallState::Waiting { until };
        self.phase = Phase::Finishing(finish);
    }

    pub(super) fn on_confirm(&mut self, mut call: Call, finish: Finish, outcome: Outcome<'_>, now: Now) {
        match (self.judge(&mut call, Operation::Get, None, outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) => match response.envelope() {
                Ok(envelope) if is_finished(&envelope) => {
                    let message = "The file is stored, but the answer that named it was lost: `id` is the session's";
                    self.tell(Event::Warning { code: "file_id_unknown", message: message.to_owned() });
                    let id = self.session_id().unwrap_or_default();
                    self.done(json!({"id": id, "name": self.config.name, "size": self.config.size}));
                }
                Ok(_) => match finish.conflict {
                    Some(error) => self.fail(error),
                    None => self.phase = Phase::Finishing(finish),
                },
                Err(error) => self.fail(error),
            },
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
                    self.session = Some(Session { id, live: true });
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
        match failure {
            Some(error) => self.warn_not_deleted(error),
            None => self.session_is_gone(),
        }
        self.phase = Phase::Aborted;
        self.outputs.push_back(Output::AbortEnded);
    }

    pub(super) fn warn_not_deleted(&mut self, error: &UploadError) {
        let message = format!("The session may still be on the server: {error}");
        self.tell(Event::Warning { code: "session_not_deleted", message });
    }

    pub(super) fn session_is_gone(&mut self) {
        if let Some(session) = &mut self.session {
            session.live = false;
        }
    }

    pub(super) fn done(&mut self, file: Value) {
        self.session_is_gone();
        self.phase = Phase::Done;
        self.finish_with(Ok(file));
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
        }
        match call.attempts.judge(outcome, &policy, self.config.can_refresh_token, now, &mut self.rng) {
            Verdict::Success => Step::Success,
            Verdict::Fail(error) => Step::Fail(error),
            Verdict::Retry { at, delay, error } => {
                self.tell_retry(operation, part, call, delay, error);
                call.state = CallState::Waiting { until: at };
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

/// Names the error of a session that the server no longer knows.
fn expired(error: UploadError) -> UploadError {
    match error.status() {
        Some(404 | 410) => error.with_code(ErrorCode::SessionExpired),
        _ => error,
    }
}
