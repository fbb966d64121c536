//! One file's upload: every transition of the whole, from create to finish.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::call::{Call, CallState};
use crate::clock::{Instant, Now};
use crate::config::Config;
use crate::error::{ErrorCode, UploadError};
use crate::output::{Digests, Event, OpId, Output, PartBody, PartState, State};
use crate::part::{OverBudget, Parts};
use crate::plan::{Plan, parse_part_size};
use crate::progress::{Progress, SpeedMeter};
use crate::request::{Operation, Request, Response, digest_header};
use crate::retry::{Failure, Outcome, Verdict, parse_retry_after};

/// Progress is told at most this often: once a frame.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(16);
/// How often the estimate of what is in flight is told while nothing else happens.
const ESTIMATE_INTERVAL: Duration = Duration::from_millis(100);
/// For how long a session's deletion is tried: a caller waits for it.
const DELETE_LIMIT: Duration = Duration::from_secs(30);
/// Least time between two questions after a finish that was accepted (202) but is not done.
const ACCEPTED_INTERVAL: Duration = Duration::from_secs(1);

/// The state machine of one upload; see the [crate's docs](crate) for how to drive it.
#[derive(Debug)]
pub struct Upload {
    config: Config,
    rng: fastrand::Rng,
    phase: Phase,
    paused: bool,
    session: Option<Session>,
    parts: Option<Parts>,
    meter: SpeedMeter,
    token: Token,
    last_op: u64,
    finished: bool,
    told: Told,
    outputs: VecDeque<Output>,
}

/// Where the upload stands; each phase holds the request it lives by.
#[derive(Debug)]
enum Phase {
    Idle,
    Creating(Call),
    Getting(Call),
    Transferring,
    Finishing(Finish),
    /// Asks whether a finish whose answer was lost was done all the same.
    Confirming(Call, Finish),
    /// Deletes a session that cannot be used, and fails then.
    Discarding(Call, UploadError),
    /// Aborted while create was in flight: its answer is awaited, as only it names the session to delete.
    AbortingCreate(Call),
    Deleting(Call),
    Done,
    Failed,
    Aborted,
}

#[derive(Debug, Clone, Copy, Default)]
struct Finish {
    call: Call,
    /// An attempt may have been done though its answer said otherwise or was lost.
    unsure: bool,
    /// Since when the server has been saying that it is at it (202).
    accepted_since: Option<Instant>,
}

#[derive(Debug)]
struct Session {
    id: String,
    /// There is something on the server that a caller may want deleted.
    live: bool,
}

#[derive(Debug, Default)]
struct Token {
    generation: u32,
    refreshing: bool,
}

/// What the listeners and the timer know already.
#[derive(Debug)]
struct Told {
    state: State,
    progress: Progress,
    progress_at: Option<Instant>,
    timeout: Option<Instant>,
}

impl Upload {
    /// Makes an upload that has not started; `seed` decides the jitter of its retries.
    ///
    /// # Errors
    /// `invalid_argument` where [`Config::check`] says so.
    pub fn new(config: Config, seed: u64) -> Result<Self, UploadError> {
        config.check()?;
        let progress = Progress { total: config.size, ..Progress::default() };
        Ok(Self {
            config,
            rng: fastrand::Rng::with_seed(seed),
            phase: Phase::Idle,
            paused: false,
            session: None,
            parts: None,
            meter: SpeedMeter::default(),
            token: Token::default(),
            last_op: 0,
            finished: false,
            told: Told { state: State::Idle, progress, progress_at: None, timeout: None },
            outputs: VecDeque::new(),
        })
    }

    /// Returns where the upload stands.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Idle => State::Idle,
            Phase::Done => State::Done,
            Phase::Failed => State::Failed,
            Phase::Aborted | Phase::AbortingCreate(_) | Phase::Deleting(_) => State::Aborted,
            _ if self.paused => State::Paused,
            Phase::Creating(_) | Phase::Getting(_) | Phase::Discarding(..) => State::Starting,
            Phase::Transferring => State::Uploading,
            Phase::Finishing(_) | Phase::Confirming(..) => State::Finishing,
        }
    }

    /// Returns the session's id, once it is known.
    pub fn session_id(&self) -> Option<&str> {
        self.session.as_ref().map(|session| session.id.as_str())
    }

    /// Tells whether an abort is still at work.
    pub fn is_aborting(&self) -> bool {
        matches!(self.phase, Phase::AbortingCreate(_) | Phase::Deleting(_))
    }

    /// Returns how far the upload is, by what was last told to its listeners.
    pub fn progress(&self) -> Progress {
        self.told.progress
    }

    /// Returns the next thing to do. Call it after every input until it returns none.
    pub fn poll_output(&mut self) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        let timeout = self.next_timeout();
        if timeout == self.told.timeout {
            return None;
        }
        self.told.timeout = timeout;
        timeout.map(Output::WaitUntil)
    }

    /// Begins; a second time does nothing.
    pub fn handle_start(&mut self, now: Now) {
        if matches!(self.phase, Phase::Idle) {
            self.phase = Phase::Creating(Call::default());
        }
        self.settle(now);
    }

    /// Takes in the answer of a request, of whatever status.
    pub fn handle_response(&mut self, op: OpId, response: &Response, now: Now) {
        self.handle_outcome(op, Outcome::Answer(response), now);
    }

    /// Takes in that a request came to no answer.
    pub fn handle_failure(&mut self, op: OpId, failure: Failure, now: Now) {
        self.handle_outcome(op, Outcome::Failure(failure), now);
    }

    /// Takes in that a request could not even be made, e.g. because there is no token to send it with.
    pub fn handle_unsendable(&mut self, op: OpId, error: UploadError, now: Now) {
        if self.phase.sent_by(op) || self.parts.as_ref().is_some_and(|parts| parts.sent_by(op).is_some()) {
            self.give_up(error);
        }
        self.settle(now);
    }

    /// Takes in that a part was read, with the digests that were wanted of it.
    pub fn handle_read(&mut self, op: OpId, digests: Digests, now: Now) {
        match self.parts.as_mut().and_then(|parts| parts.end_read(op, digests)) {
            Some(Ok(part)) => self.tell_part(part, PartState::Queued),
            Some(Err(error)) => self.fail(error),
            None => {}
        }
        self.settle(now);
    }

    /// Takes in that a part could not be read.
    pub fn handle_read_failed(&mut self, op: OpId, error: UploadError, now: Now) {
        if self.parts.as_ref().is_some_and(|parts| parts.reading() == Some(op)) {
            self.fail(error);
        }
        self.settle(now);
    }

    /// Takes in what came of [`Output::RefreshToken`].
    pub fn handle_token(&mut self, outcome: Result<(), UploadError>, now: Now) {
        self.token.refreshing = false;
        match outcome {
            Ok(()) => {
                self.token.generation = self.token.generation.wrapping_add(1);
                if let Some(call) = self.phase.call_mut() {
                    call.token_came();
                }
                self.parts.iter_mut().flat_map(Parts::calls_mut).for_each(|(_, call)| call.token_came());
            }
            Err(error) if self.awaits_token() => self.give_up(error),
            Err(_) => {}
        }
        self.settle(now);
    }

    /// Takes in that the time of the last [`Output::WaitUntil`] has come.
    pub fn handle_timeout(&mut self, now: Now) {
        self.told.timeout = None;
        let late = self.phase.call_mut().and_then(|call| call.in_flight());
        if let Some(flight) = late.filter(|flight| flight.deadline.is_some_and(|deadline| deadline <= now.instant)) {
            self.outputs.push_back(Output::Cancel { op: flight.op });
            self.handle_outcome(flight.op, Outcome::Failure(Failure::Timeout), now);
        }
        self.settle(now);
    }

    /// Stops sending parts at once; a create or finish in flight is let end, as its answer cannot be had again.
    pub fn handle_pause(&mut self, now: Now) {
        if matches!(self.state(), State::Starting | State::Uploading | State::Finishing) {
            self.paused = true;
            self.cancel_sends();
        }
        self.settle(now);
    }

    /// Goes on after a pause. What waited for its `Retry-After` still does.
    pub fn handle_resume(&mut self, now: Now) {
        if mem::take(&mut self.paused) {
            if let Some(call) = self.phase.call_mut() {
                call.attempts.forgive();
            }
            self.parts.iter_mut().flat_map(Parts::calls_mut).for_each(|(_, call)| call.attempts.forgive());
        }
        self.settle(now);
    }

    /// Cancels what is in flight and deletes the session; also after a failure, which leaves it on the server.
    /// Nothing happens once the upload is done or aborted.
    pub fn handle_abort(&mut self, now: Now) {
        if !matches!(self.phase, Phase::Done) && self.state() != State::Aborted {
            self.abort();
        }
        self.settle(now);
    }

    fn abort(&mut self) {
        self.cancel_parts();
        self.paused = false;
        let live = self.session.as_ref().is_some_and(|session| session.live);
        self.phase = match mem::replace(&mut self.phase, Phase::Aborted) {
            Phase::Creating(call) if call.in_flight().is_some() => Phase::AbortingCreate(call),
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

    fn handle_outcome(&mut self, op: OpId, outcome: Outcome<'_>, now: Now) {
        if self.phase.sent_by(op) {
            self.on_phase_outcome(outcome, now);
        } else if let Some(part) = self.parts.as_ref().and_then(|parts| parts.sent_by(op)) {
            self.on_part_outcome(part, outcome, now);
        }
        self.settle(now);
    }

    fn on_phase_outcome(&mut self, outcome: Outcome<'_>, now: Now) {
        match mem::replace(&mut self.phase, Phase::Failed) {
            Phase::Creating(call) => self.on_create(call, outcome, now),
            Phase::Getting(call) => self.on_get(call, outcome, now),
            Phase::Finishing(finish) => self.on_finish(finish, outcome, now),
            Phase::Confirming(call, finish) => self.on_confirm(call, finish, outcome, now),
            Phase::Discarding(call, error) => self.on_discard(call, error, outcome, now),
            Phase::AbortingCreate(_) => self.on_create_after_abort(outcome),
            Phase::Deleting(call) => self.on_delete(call, outcome, now),
            phase => self.phase = phase,
        }
    }

    fn on_create(&mut self, mut call: Call, outcome: Outcome<'_>, now: Now) {
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

    fn on_get(&mut self, mut call: Call, outcome: Outcome<'_>, now: Now) {
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
    fn open(&mut self, response: &Response) -> Result<(), UploadError> {
        let envelope = response.envelope()?;
        let field = |name: &str| envelope.get("data").and_then(|data| data.get(name));
        let part_size =
            parse_part_size(field("part_size")).map_err(|message| UploadError::protocol(response, message))?;
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

    fn on_part_outcome(&mut self, part: u32, outcome: Outcome<'_>, now: Now) {
        let Some(mut call) = self.parts.as_mut().and_then(|parts| parts.part_mut(part)).map(|part| part.call) else {
            return;
        };
        let error = match (self.judge(&mut call, Operation::Upload, Some(part), outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) => match response.identified() {
                Ok(_) => {
                    if let Some(parts) = &self.parts {
                        parts.measure(part, &mut self.meter, now.instant);
                    }
                    return self.acknowledge(part);
                }
                Err(error) => error,
            },
            // The answer of an earlier attempt was lost: the part is held already.
            (Step::Fail(error), _) if error.status() == Some(409) && call.attempts.count() > 1 => {
                return self.acknowledge(part);
            }
            (Step::Fail(error), _) if error.speaks_of_digest() => {
                if self.parts.as_mut().is_some_and(|parts| parts.doubt(part)) {
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

    fn acknowledge(&mut self, part: u32) {
        self.tell_part(part, PartState::Done);
        if self.parts.as_mut().is_some_and(|parts| parts.acknowledge(part)) {
            self.outputs.push_back(Output::Release { part });
        }
    }

    fn on_finish(&mut self, mut finish: Finish, outcome: Outcome<'_>, now: Now) {
        let may_be_done = match outcome {
            Outcome::Answer(response) => response.status >= 500,
            Outcome::Failure(_) => true,
        };
        match (self.judge(&mut finish.call, Operation::Finish, None, outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) if response.status == 202 => {
                self.on_accepted(finish, response, now);
            }
            (Step::Success, Outcome::Answer(response)) => match response.identified() {
                Ok((_, mut envelope)) => self.done(envelope.remove("data").unwrap_or_default()),
                Err(error) => self.fail(error),
            },
            (Step::Fail(error), _) if error.speaks_of_digest() => self.fail(error.with_code(ErrorCode::DigestMismatch)),
            (Step::Fail(error), _) => self.fail(expired(error)),
            (Step::Later | Step::Success, _) => {
                finish.unsure |= may_be_done;
                self.phase = Phase::Finishing(finish);
            }
        }
    }

    /// The file is being made on the server: asks again, no sooner than the server says.
    fn on_accepted(&mut self, mut finish: Finish, response: &Response, now: Now) {
        let since = *finish.accepted_since.get_or_insert(now.instant);
        if now.instant.since(since) > self.config.retry.max_elapsed_time {
            return self
                .fail(UploadError::new(ErrorCode::Timeout, "The server accepted the file but does not finish it"));
        }
        let asked = response.retry_after.as_deref().and_then(|value| parse_retry_after(value, now.unix));
        let delay = asked.unwrap_or_default().max(ACCEPTED_INTERVAL);
        finish.call.state = CallState::Waiting { until: now.instant + delay };
        self.phase = Phase::Finishing(finish);
    }

    fn on_confirm(&mut self, mut call: Call, finish: Finish, outcome: Outcome<'_>, now: Now) {
        match (self.judge(&mut call, Operation::Get, None, outcome, now), outcome) {
            (Step::Success, Outcome::Answer(response)) => match response.envelope() {
                Ok(envelope) if is_finished(&envelope) => {
                    let id = self.session_id().unwrap_or_default();
                    self.done(json!({"id": id, "name": self.config.name, "size": self.config.size}));
                }
                Ok(_) => self.phase = Phase::Finishing(finish),
                Err(error) => self.fail(error),
            },
            (Step::Fail(error), _) => self.fail(expired(error)),
            (Step::Later | Step::Success, _) => self.phase = Phase::Confirming(call, finish),
        }
    }

    fn on_discard(&mut self, mut call: Call, error: UploadError, outcome: Outcome<'_>, now: Now) {
        match self.judge(&mut call, Operation::Delete, None, outcome, now) {
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

    fn on_create_after_abort(&mut self, outcome: Outcome<'_>) {
        match outcome {
            Outcome::Answer(response) if response.is_success() => match created(response) {
                Ok(id) => {
                    self.session = Some(Session { id, live: true });
                    self.phase = Phase::Deleting(Call::default());
                }
                Err(error) => self.end_abort(Some(&error)),
            },
            Outcome::Answer(_) => self.end_abort(None),
            Outcome::Failure(failure) => self.end_abort(Some(&failure.into_error())),
        }
    }

    fn on_delete(&mut self, mut call: Call, outcome: Outcome<'_>, now: Now) {
        match self.judge(&mut call, Operation::Delete, None, outcome, now) {
            Step::Later => self.phase = Phase::Deleting(call),
            Step::Success => self.end_abort(None),
            Step::Fail(error) if matches!(error.status(), Some(404 | 410)) => self.end_abort(None),
            Step::Fail(error) => self.end_abort(Some(&error)),
        }
    }

    fn end_abort(&mut self, failure: Option<&UploadError>) {
        match failure {
            Some(error) => self.warn_not_deleted(error),
            None => self.session_is_gone(),
        }
        self.phase = Phase::Aborted;
        self.outputs.push_back(Output::AbortEnded);
    }

    fn warn_not_deleted(&mut self, error: &UploadError) {
        let message = format!("The session may still be on the server: {error}");
        self.tell(Event::Warning { code: "session_not_deleted", message });
    }

    fn session_is_gone(&mut self) {
        if let Some(session) = &mut self.session {
            session.live = false;
        }
    }

    fn done(&mut self, file: Value) {
        self.session_is_gone();
        self.phase = Phase::Done;
        self.finish_with(Ok(file));
    }

    /// Ends the upload with an error. The session stays on the server unless it is gone: the caller may abort.
    fn fail(&mut self, error: UploadError) {
        if error.code == ErrorCode::SessionExpired {
            self.session_is_gone();
        }
        self.cancel_parts();
        self.phase = Phase::Failed;
        self.finish_with(Err(error));
    }

    /// Ends whatever is going on, as nothing more can be sent.
    fn give_up(&mut self, error: UploadError) {
        match mem::replace(&mut self.phase, Phase::Failed) {
            Phase::Deleting(_) | Phase::AbortingCreate(_) => self.end_abort(Some(&error)),
            Phase::Discarding(_, reason) => {
                self.warn_not_deleted(&error);
                self.fail(reason);
            }
            _ => self.fail(error),
        }
    }

    fn finish_with(&mut self, result: Result<Value, UploadError>) {
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
                if !mem::replace(&mut self.token.refreshing, true) {
                    self.outputs.push_back(Output::RefreshToken);
                }
                Step::Later
            }
        }
    }

    fn awaits_token(&mut self) -> bool {
        let waits = |call: &Call| matches!(call.state, CallState::AwaitingToken);
        self.phase.call_mut().is_some_and(|call| waits(call)) || self.parts.iter().flat_map(Parts::calls).any(waits)
    }

    /// Starts what can be started, and tells what changed: the end of every input.
    fn settle(&mut self, now: Now) {
        if !self.paused {
            self.advance(now);
        }
        let state = self.state();
        if mem::replace(&mut self.told.state, state) != state {
            self.tell(Event::State(state));
        }
        self.tell_progress(now.instant);
    }

    fn advance(&mut self, now: Now) {
        if matches!(self.phase, Phase::Transferring) {
            self.advance_parts(now);
        }
        if matches!(self.phase, Phase::Transferring) && self.parts.as_ref().is_some_and(Parts::all_done) {
            self.phase = Phase::Finishing(Finish::default());
        }
        self.advance_phase(now);
    }

    fn advance_phase(&mut self, now: Now) {
        let ready = self.phase.call_mut().is_some_and(|call| {
            call.wake(now.instant);
            call.is_ready()
        });
        if !ready {
            return;
        }
        if let Phase::Finishing(finish) = &mut self.phase
            && mem::take(&mut finish.unsure)
        {
            self.phase = Phase::Confirming(Call::default(), *finish);
        }
        match self.phase_request() {
            Ok(request) => {
                let op = self.next_op();
                let (timeout, token) = (self.config.timeout, self.token.generation);
                if let Some(call) = self.phase.call_mut() {
                    call.begin(op, now.instant, Some(timeout), token);
                }
                self.outputs.push_back(Output::Send { op, request, part: None });
            }
            Err(error) => self.fail(error),
        }
    }

    fn phase_request(&self) -> Result<Request, UploadError> {
        let id = self.session_id().unwrap_or_default();
        match &self.phase {
            Phase::Getting(_) | Phase::Confirming(..) => Request::get(id, false, None),
            Phase::Finishing(_) => {
                let digest = self.parts.as_ref().and_then(Parts::file_digest);
                Request::finish(id, digest_header(digest), false)
            }
            Phase::Discarding(..) | Phase::Deleting(_) => Request::delete(id, false),
            _ => Ok(Request::create(&self.config.create_body(), false)),
        }
    }

    fn advance_parts(&mut self, now: Now) {
        let Some(parts) = &mut self.parts else { return };
        parts.calls_mut().for_each(|(_, call)| call.wake(now.instant));
        for part in parts.open_next() {
            self.tell_part(part, PartState::Queued);
        }
        self.begin_read();
        while let Some(part) = self.parts.as_ref().and_then(Parts::sendable) {
            if let Err(error) = self.send_part(part, now) {
                return self.fail(error);
            }
        }
    }

    fn begin_read(&mut self) {
        let op = OpId(self.last_op + 1);
        let Some(parts) = &mut self.parts else { return };
        if let Some((part, digest, keep)) = parts.begin_read(op) {
            let range = parts.range(part);
            self.last_op = op.0;
            self.tell_part(part, PartState::Hashing);
            self.outputs.push_back(Output::Read { op, part, range, digest, keep });
        }
    }

    fn send_part(&mut self, part: u32, now: Now) -> Result<(), UploadError> {
        let op = self.next_op();
        let token = self.token.generation;
        let Some((body, digest)) = self.parts.as_mut().and_then(|parts| parts.begin_send(part)) else {
            return Ok(());
        };
        let id = self.session_id().unwrap_or_default();
        let request = Request::upload(id, part, digest_header(digest), false)?;
        if let Some(open) = self.parts.as_mut().and_then(|parts| parts.part_mut(part)) {
            open.call.begin(op, now.instant, None, token);
        }
        self.tell_part(part, PartState::Sending);
        self.outputs.push_back(Output::Send { op, request, part: Some(PartBody { number: part, ..body }) });
        Ok(())
    }

    /// Stops the parts on the wire; they are ready to be sent again.
    fn cancel_sends(&mut self) {
        let mut stopped = Vec::new();
        for (part, call) in self.parts.iter_mut().flat_map(Parts::calls_mut) {
            if let Some(flight) = call.in_flight() {
                call.state = CallState::Ready;
                stopped.push((part, flight.op));
            }
        }
        for (part, op) in stopped {
            self.outputs.push_back(Output::Cancel { op });
            self.tell_part(part, PartState::Queued);
        }
    }

    /// Stops all that is done for parts, and lets go of what is held for them.
    fn cancel_parts(&mut self) {
        let Some(parts) = &mut self.parts else { return };
        let mut ops: Vec<_> = parts.reading().into_iter().collect();
        for (_, call) in parts.calls_mut() {
            ops.extend(call.in_flight().map(|flight| flight.op));
        }
        self.outputs.extend(ops.into_iter().map(|op| Output::Cancel { op }));
        self.outputs.extend(parts.close().into_iter().map(|part| Output::Release { part }));
    }

    fn next_op(&mut self) -> OpId {
        self.last_op += 1;
        OpId(self.last_op)
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn tell_part(&mut self, part: u32, state: PartState) {
        let Some(parts) = &mut self.parts else { return };
        let range = parts.range(part);
        let attempt = parts.part_mut(part).map_or(0, |part| part.call.attempts.count());
        self.tell(Event::Part { part, range, state, attempt });
    }

    fn tell_retry(
        &mut self,
        operation: Operation,
        part: Option<u32>,
        call: &Call,
        delay: Duration,
        error: UploadError,
    ) {
        let error = match part {
            Some(part) => error.for_part(part),
            None => error,
        };
        self.tell(Event::Retry { operation, part, attempt: call.attempts.count(), delay, error });
    }

    fn tell_progress(&mut self, now: Instant) {
        let ended = self.finished;
        let due = self.told.progress_at.is_none_or(|at| now.since(at) >= PROGRESS_INTERVAL);
        if !due && !ended {
            return;
        }
        self.told.progress_at = Some(now);
        let progress = self.measure_progress(now);
        if progress != self.told.progress {
            self.told.progress = progress;
            self.tell(Event::Progress(progress));
        }
    }

    fn measure_progress(&mut self, now: Instant) -> Progress {
        let Some(parts) = &mut self.parts else { return self.told.progress };
        let sent = parts.estimate_sent(&self.meter, now);
        Progress {
            total: self.config.size,
            confirmed: parts.confirmed(),
            sent,
            hashed: parts.hashed(),
            bytes_per_second: self.meter.bytes_per_second(),
            seconds_remaining: self.meter.seconds_for(self.config.size - sent),
            parts_total: parts.plan().parts(),
            parts_done: parts.done(),
            parts_in_flight: parts.in_flight() as u32,
        }
    }

    fn next_timeout(&mut self) -> Option<Instant> {
        let progress_at = self.told.progress_at;
        // Waits end during a pause too, but nothing is sent before it ends.
        let phase = self.phase.call_mut().filter(|call| !self.paused || call.in_flight().is_some());
        let mut next = phase.and_then(|call| call.next_timeout());
        if let (Phase::Transferring, false, Some(parts)) = (&self.phase, self.paused, &self.parts) {
            let estimate = progress_at.filter(|_| parts.in_flight() > 0).map(|at| at + ESTIMATE_INTERVAL);
            next = parts.calls().filter_map(Call::next_timeout).chain(estimate).chain(next).min();
        }
        next
    }
}

impl Phase {
    fn call_mut(&mut self) -> Option<&mut Call> {
        match self {
            Self::Creating(call)
            | Self::Getting(call)
            | Self::Confirming(call, _)
            | Self::Discarding(call, _)
            | Self::AbortingCreate(call)
            | Self::Deleting(call) => Some(call),
            Self::Finishing(finish) => Some(&mut finish.call),
            Self::Idle | Self::Transferring | Self::Done | Self::Failed | Self::Aborted => None,
        }
    }
}

impl Phase {
    /// Tells whether this operation is the phase's own request.
    fn sent_by(&mut self, op: OpId) -> bool {
        self.call_mut().and_then(|call| call.in_flight()).is_some_and(|flight| flight.op == op)
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
