//! One request on its way: ready, in flight, waiting to be sent again, or waiting for a token.

use crate::clock::{Duration, Instant};
use crate::output::OpId;
use crate::retry::Attempts;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Call {
    pub(crate) attempts: Attempts,
    /// An attempt may have been done though its answer was lost, or said otherwise.
    pub(crate) unsure: bool,
    /// Since when it only waits for room.
    pub(crate) ready_since: Option<Instant>,
    pub(crate) state: CallState,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum CallState {
    /// To be sent as soon as there is room.
    #[default]
    Ready,
    InFlight(InFlight),
    Waiting {
        until: Instant,
        /// What the server asked for (`Retry-After`): not even good news makes it sooner.
        earliest: Instant,
    },
    AwaitingToken,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct InFlight {
    pub(crate) op: OpId,
    pub(crate) since: Instant,
    /// When the attempt counts as failed.
    pub(crate) deadline: Instant,
    /// Which token it was sent with, to tell whether a 401 speaks of the present one.
    pub(crate) token: u32,
}

impl Call {
    pub(crate) fn in_flight(&self) -> Option<InFlight> {
        match self.state {
            CallState::InFlight(flight) => Some(flight),
            _ => None,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state, CallState::Ready)
    }

    /// Begins an attempt.
    pub(crate) fn begin(&mut self, op: OpId, now: Instant, timeout: Duration, token: u32) {
        if let Some(since) = self.ready_since.take() {
            self.attempts.excuse(now.since(since));
        }
        let deadline = now + timeout;
        self.state = CallState::InFlight(InFlight { op, since: now, deadline, token });
        self.attempts.begin();
    }

    /// Takes back an attempt whose answer is not awaited any more.
    pub(crate) fn interrupt(&mut self) {
        self.unsure = true;
        self.state = CallState::Ready;
    }

    /// Makes a call ready whose wait is over.
    pub(crate) fn wake(&mut self, now: Instant) {
        if matches!(self.state, CallState::Waiting { until, .. } if until <= now) {
            self.ready_since = Some(now);
            self.state = CallState::Ready;
        }
    }

    /// Makes a call ready that waited for a token.
    pub(crate) fn token_came(&mut self) {
        if matches!(self.state, CallState::AwaitingToken) {
            self.state = CallState::Ready;
        }
    }

    /// Waits no longer than the server asked for, and forgets for how long it has been failing.
    pub(crate) fn hurry(&mut self) {
        self.attempts.forgive();
        if let CallState::Waiting { until, earliest } = &mut self.state {
            *until = *earliest;
        }
    }

    /// Gives the attempt in flight until `deadline`.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        if let CallState::InFlight(flight) = &mut self.state {
            flight.deadline = deadline;
        }
    }

    /// Returns when something is to happen by itself; a wait does not end while nothing may be sent.
    pub(crate) fn next_timeout(&self, held_back: bool) -> Option<Instant> {
        match self.state {
            CallState::Waiting { until, .. } => (!held_back).then_some(until),
            CallState::InFlight(flight) => Some(flight.deadline),
            CallState::Ready | CallState::AwaitingToken => None,
        }
    }
}
