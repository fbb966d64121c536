//! Every transition of the upload: what an answer, a failure or an abort leads to.

use core::mem;

use super::Upload;
use super::phase::{Finish, Phase, Session};
use super::session::{created, is_finished};
use crate::call::{Call, CallState};
use crate::clock::{Duration, Now};
use crate::error::{ErrorCode, UploadError};
use crate::json::Value;
use crate::output::{OpId, Output};
use crate::part::Parts;
use crate::request::{Operation, Response};
use crate::retry::{Outcome, Verdict, parse_retry_after};

/// For how long a session's deletion is tried, from its first attempt on: a caller waits for it.
pub(super) const DELETE_LIMIT: Duration = Duration::from_secs(30);
/// Least time between two questions after a finish that was accepted (202) but is not done.
const ACCEPTED_INTERVAL: Duration = Duration::from_secs(1);

impl Upload {
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
            (Step::Success, Outcome::Answer(response)) => {
                let resumes = self.snapshot.is_some();
                match self.open(response, now) {
                    Ok(phase) => self.phase = phase,
                    // It holds parts already, and one odd answer is no reason to throw them away.
                    Err(error) if resumes => self.fail(error),
                    Err(error) => self.phase = Phase::Discarding(Call::default(), error),
                }
            }
            // What was to be resumed is gone: a fresh start.
            (Step::Fail(error), _) if self.snapshot.is_some() && matches!(error.status(), Some(404 | 410)) => {
                self.begin_again();
            }
            (Step::Fail(error), _) => self.fail_in_session(error),
            (Step::Later | Step::Success, _) => self.phase = Phase::Getting(call),
        }
    }

    /// The time of the session should be over, by its own `expires_at`: the server knows better than this clock.
    pub(super) fn on_check(&mut self, mut call: Call, outcome: Outcome<'_>, now: Now) {
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

    pub(super) fn on_finish(&mut self, mut finish: Finish, outcome: Outcome<'_>, now: Now) {
        let digest = self.parts.as_ref().and_then(Parts::file_digest);
        match (self.judge(&mut finish.call, Operation::Finish, None, outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) if response.status == 202 => {
                self.on_accepted(finish, response, now);
            }
            (Step::Success, Outcome::Answer(response)) => match response.identified() {
                Ok((_, mut envelope)) => self.done(envelope.remove("data").unwrap_or(Value::Null)),
                Err(error) => self.fail(error),
            },
            // The file may be made already, and the answer that said so be lost: browsers send a POST again by themselves
            // when a kept-alive connection breaks. GET tells.
            (Step::Fail(error), _) if matches!(error.status(), Some(404 | 409 | 410)) => {
                finish.refusal = Some(error);
                self.phase = Phase::Confirming(Call::default(), finish);
            }
            (Step::Fail(error), _) if digest.is_some() && error.speaks_of_digest() => {
                self.fail(error.with_code(ErrorCode::DigestMismatch));
            }
            (Step::Fail(error), _) => self.fail(error),
            (Step::Later | Step::Success, _) => self.phase = Phase::Finishing(finish),
        }
    }

    /// The file is being made on the server: asks again, no sooner than the server says.
    pub(super) fn on_accepted(&mut self, mut finish: Finish, response: &Response, now: Now) {
        let since = *finish.accepted_since.get_or_insert(now.instant);
        let asked =
            response.retry_after.as_deref().and_then(|value| parse_retry_after(value, now.unix, self.config.read_date));
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
                Ok(_) => match finish.refusal {
                    Some(error) => self.fail_in_session(error),
                    None => self.phase = Phase::Finishing(finish),
                },
                Err(error) => self.fail(error),
            },
            (Step::Fail(error), _) if finish.refusal.as_ref().is_some_and(|refusal| refusal.status() != Some(409)) => {
                self.fail_in_session(error);
            }
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
                self.fail_now(error);
            }
            Step::Fail(cause) => {
                self.warn_not_deleted(&cause);
                self.fail_now(error);
            }
        }
    }

    /// Judges what came of a call, and notes in it what to wait for.
    pub(super) fn judge(
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
        // What was passed on as it was read cannot be had again.
        let is_spent = operation == Operation::Upload && self.parts.as_ref().is_some_and(Parts::is_piped);
        let can_refresh_token = self.config.can_refresh_token && !is_spent;
        policy.enabled &= !is_spent;
        if operation == Operation::Delete {
            policy = policy.within(DELETE_LIMIT);
        } else if self.offline && !is_spent && matches!(outcome, Outcome::Failure(_)) {
            call.attempts.take_back();
            call.state = CallState::Ready;
            return Step::Later;
        }
        match call.attempts.judge(outcome, &policy, can_refresh_token, now, self.config.read_date, &mut self.rng) {
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
pub(super) enum Step {
    Success,
    /// It is sent again, in time.
    Later,
    Fail(UploadError),
}

/// Names the error of a session that the server no longer knows.
pub(super) fn expired(error: UploadError) -> UploadError {
    match error.status() {
        Some(404 | 410) => error.with_code(ErrorCode::SessionExpired),
        _ => error,
    }
}
