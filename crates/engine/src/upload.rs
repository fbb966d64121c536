//! One file's upload, from create to finish: what it holds, and what it is told.
//!
//! What an answer leads to stands in `transitions`, what is started next in `schedule`, what listeners are told in
//! `tell`.

mod schedule;
mod tell;
mod transitions;

use std::collections::VecDeque;
use std::mem;

use crate::call::Call;
use crate::clock::{Instant, Now};
use crate::config::Config;
use crate::error::{ErrorCode, UploadError};
use crate::output::{Digests, Event, OpId, Output, PartState, State};
use crate::part::Parts;
use crate::progress::{Progress, SpeedMeter};
use crate::request::Response;
use crate::retry::{Failure, Outcome};

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

#[derive(Debug, Default)]
struct Finish {
    call: Call,
    /// The server refused it as if it were done already (409): the error, unless it is.
    conflict: Option<UploadError>,
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
    /// When a refresh that is under way counts as failed.
    refreshing_until: Option<Instant>,
}

/// What the listeners and the timer know already.
#[derive(Debug)]
struct Told {
    state: State,
    progress: Progress,
    any_progress: bool,
    /// When progress was last told, or found to be the same.
    progress_at: Option<Instant>,
    /// When what is news since then is told.
    progress_due: Option<Instant>,
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
            told: Told {
                state: State::Idle,
                progress,
                any_progress: false,
                progress_at: None,
                progress_due: None,
                timeout: None,
            },
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
        self.token.refreshing_until = None;
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
        if self.token.refreshing_until.is_some_and(|until| until <= now.instant) {
            let error = UploadError::new(ErrorCode::Timeout, "The function of `apiKey` did not return in time");
            self.handle_token(Err(error), now);
        }
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
            if let Phase::Finishing(finish) | Phase::Confirming(_, finish) = &mut self.phase {
                finish.call.attempts.forgive();
                finish.accepted_since = None;
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

    /// Starts what can be started, and tells what changed: the end of every input.
    fn settle(&mut self, now: Now) {
        if !self.paused {
            self.advance(now);
        }
        self.meter.count(self.parts.as_ref().map_or(0, Parts::in_flight), now.instant);
        let state = self.state();
        if mem::replace(&mut self.told.state, state) != state {
            self.tell(Event::State(state));
        }
        self.tell_progress(now.instant);
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

    /// Tells whether this operation is the phase's own request.
    fn sent_by(&mut self, op: OpId) -> bool {
        self.call_mut().and_then(|call| call.in_flight()).is_some_and(|flight| flight.op == op)
    }
}
