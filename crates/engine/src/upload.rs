//! One file's upload, from create to finish: what it holds, and what it is told.
//!
//! Its phases stand in `phase`, what an answer leads to in `transitions` (of a part in `parts`), what is known of the
//! session in `session`, how it ends in `end`, what is started next in `schedule`, what listeners are told in `tell`.

mod end;
mod parts;
mod phase;
mod schedule;
mod session;
mod tell;
mod transitions;

use alloc::collections::VecDeque;
use core::mem;

use self::phase::{Phase, Session, Token, Told};
use crate::call::Call;
use crate::clock::Now;
use crate::config::Config;
use crate::digest::PartHasher;
use crate::error::{ErrorCode, UploadError};
use crate::output::{Event, OpId, Output, PartState, State};
use crate::part::Parts;
use crate::progress::{Progress, SpeedMeter};
use crate::request::Response;
use crate::retry::{Failure, Outcome};
use crate::snapshot::{Fingerprint, Snapshot};

/// The state machine of one upload; see the [crate's docs](crate) for how to drive it.
#[derive(Debug)]
pub struct Upload {
    config: Config,
    rng: fastrand::Rng,
    phase: Phase,
    paused: bool,
    offline: bool,
    /// The file goes in one request, without a session.
    direct: bool,
    fingerprint: Option<Fingerprint>,
    /// What to go on from.
    snapshot: Option<Snapshot>,
    session: Option<Session>,
    parts: Option<Parts>,
    /// The parts of a session that is gone: what was hashed of them still counts.
    lost: Option<Parts>,
    restarts: u32,
    meter: SpeedMeter,
    token: Token,
    last_op: u64,
    finished: bool,
    told: Told,
    outputs: VecDeque<Output>,
}

impl Upload {
    /// Makes an upload that has not started; `seed` decides the jitter of its retries.
    ///
    /// # Errors
    /// `invalid_argument` where [`Config::check`] says so.
    pub fn new(config: Config, seed: u64) -> Result<Self, UploadError> {
        config.check()?;
        let direct = config.is_direct();
        let progress = Progress { total: config.size.unwrap_or_default(), ..Progress::default() };
        Ok(Self {
            config,
            rng: fastrand::Rng::with_seed(seed),
            phase: Phase::Idle,
            paused: false,
            offline: false,
            direct,
            fingerprint: None,
            snapshot: None,
            session: None,
            parts: None,
            lost: None,
            restarts: 0,
            meter: SpeedMeter::default(),
            token: Token::default(),
            last_op: 0,
            finished: false,
            told: Told {
                state: State::Idle,
                progress,
                any_progress: false,
                last_progress: false,
                progress_at: None,
                progress_due: None,
                timeout: None,
            },
            outputs: VecDeque::new(),
        })
    }

    /// Makes an upload that goes on from a snapshot, once it is started. Whether that is of this very file and target is
    /// found out then. [`handle_abort`](Self::handle_abort) drops the session and the record, where they are this upload's.
    ///
    /// # Errors
    /// `invalid_argument` where [`Config::check`] says so.
    pub fn from_snapshot(config: Config, seed: u64, snapshot: Snapshot) -> Result<Self, UploadError> {
        Ok(Self { direct: false, snapshot: Some(snapshot), ..Self::new(config, seed)? })
    }

    /// Returns where the upload stands.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Idle => State::Idle,
            Phase::Done => State::Done,
            Phase::Failed => State::Failed,
            Phase::Aborted | Phase::Claiming | Phase::AbortingCreate(_) | Phase::Deleting(_) => State::Aborted,
            _ if self.paused => State::Paused,
            Phase::Preparing | Phase::Discarding(..) => State::Starting,
            _ if self.offline => State::Waiting,
            Phase::Creating(_) | Phase::Getting(_) => State::Starting,
            Phase::Transferring if self.parts.as_ref().is_some_and(Parts::all_done) => State::Finishing,
            Phase::Transferring | Phase::Checking(_) => State::Uploading,
            Phase::Finishing(_) | Phase::Confirming(..) => State::Finishing,
        }
    }

    /// Returns the session's id, once it is known.
    pub fn session_id(&self) -> Option<&str> {
        let known = self.session.as_ref().map(|session| session.id.as_str());
        known.or_else(|| self.snapshot.as_ref().map(Snapshot::session_id))
    }

    /// Returns what there is to go on with after a reload or a crash; none before the session's part size is known, and
    /// once there is nothing to go on with.
    pub fn snapshot(&self) -> Option<Snapshot> {
        match (&self.session, &self.parts) {
            _ if self.config.is_stream() => None,
            (Some(session), Some(parts)) if session.live => Some(parts.snapshot(&session.id, self.fingerprint?)),
            (Some(session), _) if !session.live => None,
            _ => self.snapshot.clone(),
        }
    }

    /// Tells whether an abort is still at work.
    pub fn is_aborting(&self) -> bool {
        matches!(self.phase, Phase::Claiming | Phase::AbortingCreate(_) | Phase::Deleting(_))
    }

    /// Returns how far the upload is, as of the last input.
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
            if self.direct {
                self.parts = Some(Parts::direct(&self.config));
                self.phase = Phase::Transferring;
            } else {
                self.begin_session();
            }
        }
        self.settle(now);
    }

    /// Takes in what came of [`Output::Prepare`]: which upload this is, or why it cannot be driven.
    pub fn handle_prepared(&mut self, fingerprint: Result<Fingerprint, UploadError>, now: Now) {
        if matches!(self.phase, Phase::Preparing | Phase::Claiming) {
            let claimed = fingerprint.and_then(|fingerprint| self.claim(fingerprint));
            match (&self.phase, claimed) {
                (Phase::Claiming, Ok(_)) => self.delete(),
                (Phase::Claiming, Err(error)) => self.end_abort(Some(&error)),
                (_, Ok(true)) => self.phase = Phase::Getting(Call::default()),
                (_, Ok(false)) => self.phase = Phase::Creating(Call::default()),
                (_, Err(error)) => self.fail(error),
            }
        }
        self.settle(now);
    }

    /// Takes in what came of [`Output::Claim`]: nobody else drives the session, or who does.
    pub fn handle_claimed(&mut self, claimed: Result<(), UploadError>, now: Now) {
        if matches!(self.phase, Phase::Claiming) {
            match claimed {
                Ok(()) => self.delete(),
                Err(error) => self.end_abort(Some(&error)),
            }
        }
        self.settle(now);
    }

    /// Takes in a record of the same session that is kept by now: another visit may have got further.
    pub fn handle_record(&mut self, record: Snapshot) {
        if let Some(snapshot) = &mut self.snapshot
            && snapshot.session_id == record.session_id
            && snapshot.extent() < record.extent()
        {
            *snapshot = record;
        }
    }

    /// Takes in whether there is a network. Without one nothing is sent, and what fails does not count.
    pub fn handle_online(&mut self, online: bool, now: Now) {
        if mem::replace(&mut self.offline, !online) && online {
            self.forgive(Call::hurry);
        }
        if !online && let Some(parts) = &mut self.parts {
            parts.limiter.interrupted();
        }
        self.settle(now);
    }

    /// Takes in how many bytes of a request's content are on their way so far, where the transport tells
    /// ([`measures_progress`](Config::measures_progress)).
    pub fn handle_sent(&mut self, op: OpId, bytes: u64, now: Now) {
        if let Some(parts) = &mut self.parts
            && let Some(part) = parts.sent_by(op)
        {
            parts.note_sent(part, bytes, &self.config, now.instant);
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

    /// Takes in that the source ended at `size` bytes, as the read of that operation found out, where the
    /// [size](Config::size) was not known. Where the part has bytes, [`handle_read`](Self::handle_read) follows; where
    /// it has none it is no part, and nothing follows.
    #[cfg(feature = "streams")]
    pub fn handle_end(&mut self, op: OpId, size: u64, now: Now) {
        if let Some(parts) = &mut self.parts {
            parts.end_at(op, size);
        }
        self.settle(now);
    }

    /// Takes in that a part was read; `hasher` is the one that came with [`Output::Read`], fed with its bytes.
    pub fn handle_read(&mut self, op: OpId, hasher: PartHasher, now: Now) {
        match self.parts.as_mut().and_then(|parts| parts.end_read(op, hasher)) {
            Some(Ok(Some(part))) => self.tell_part(part, PartState::Queued),
            Some(Err(error)) => self.fail(error),
            Some(Ok(None)) | None => {}
        }
        self.settle(now);
    }

    /// Takes in, before [`handle_read`](Self::handle_read), that the bytes of a part are not held though they were to be:
    /// slices of the file are sent in their place, and a file that was to go in one request, and has to be verified, goes by
    /// session.
    pub fn handle_not_held(&mut self, op: OpId) {
        if !self.parts.as_ref().is_some_and(|parts| parts.is_read_by(op)) {
            return;
        }
        if self.direct && self.config.rereads_file && self.can_go_by_session() {
            // The platform would read the slice after the file was verified, and what that leads to cannot be taken back.
            self.go_by_session();
        } else if let Some(op) = self.parts.as_mut().and_then(Parts::send_slices) {
            self.outputs.push_back(Output::Cancel { op });
        }
    }

    /// Takes in that a part could not be read.
    pub fn handle_read_failed(&mut self, op: OpId, error: UploadError, now: Now) {
        if self.parts.as_ref().is_some_and(|parts| parts.is_read_by(op)) {
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
        let late = late.filter(|flight| flight.deadline <= now.instant).map(|flight| flight.op);
        let overdue = self.parts.as_mut().map(|parts| parts.overdue(&self.meter, &self.config, now.instant));
        for op in late.into_iter().chain(overdue.into_iter().flatten()) {
            self.outputs.push_back(Output::Cancel { op });
            self.handle_outcome(op, Outcome::Failure(Failure::Timeout), now);
        }
        self.settle(now);
    }

    /// Stops sending parts at once; a create or finish in flight is let end, as its answer cannot be had again.
    pub fn handle_pause(&mut self, now: Now) {
        if matches!(self.state(), State::Starting | State::Uploading | State::Waiting | State::Finishing) {
            self.paused = true;
            self.cancel_sends();
        }
        self.settle(now);
    }

    /// Goes on after a pause. What waited for its `Retry-After` still does.
    pub fn handle_resume(&mut self, now: Now) {
        if mem::take(&mut self.paused) {
            self.forgive(|call| call.attempts.forgive());
        }
        self.settle(now);
    }

    /// Stops, as the page lets go of the upload. Where a record is kept, or the session of a snapshot was not looked at yet,
    /// it stays for who resumes it; else it is aborted.
    pub fn handle_close(&mut self, now: Now) {
        if !self.finished {
            let is_kept = self.config.keeps_record && self.session.as_ref().is_some_and(|session| session.saved);
            let is_unclaimed = self.snapshot.is_some() && self.session.is_none();
            if !is_kept && !is_unclaimed {
                return self.handle_abort(now);
            }
            self.fail(UploadError::new(ErrorCode::Aborted, "The upload was closed; it can be resumed"));
            self.phase = Phase::Aborted;
        }
        self.settle(now);
    }

    /// Has every request forget for how long it has been failing, as that was nobody's fault.
    fn forgive(&mut self, forgive: impl Fn(&mut Call)) {
        if let Some(call) = self.phase.call_mut() {
            forgive(call);
        }
        if let Phase::Finishing(finish) | Phase::Confirming(_, finish) = &mut self.phase {
            forgive(&mut finish.call);
            finish.accepted_since = None;
        }
        self.parts.iter_mut().flat_map(Parts::calls_mut).for_each(|(_, call)| forgive(call));
    }

    /// Tells whether nothing new may be sent for the file.
    fn is_held_back(&self) -> bool {
        let ending = matches!(self.phase, Phase::Discarding(..) | Phase::AbortingCreate(_) | Phase::Deleting(_));
        self.paused || (self.offline && !ending)
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
        if !self.is_held_back() {
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
