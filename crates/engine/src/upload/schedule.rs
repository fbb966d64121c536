//! What is started next, and when something happens by itself.

use alloc::vec::Vec;
use core::mem;

use super::Upload;
use super::phase::{Finish, Phase, Session};
use super::tell::ESTIMATE_INTERVAL;
use super::transitions::DELETE_LIMIT;
use crate::call::Call;
use crate::clock::{Duration, Instant, Now};
use crate::error::UploadError;
use crate::output::{OpId, Output, PartBody, PartState};
use crate::part::Parts;
use crate::request::{Request, digest_header};

impl Upload {
    pub(super) fn advance(&mut self, now: Now) {
        let expired = |session: &Session| session.expires.is_some_and(|expires| expires <= now.instant);
        if matches!(self.phase, Phase::Transferring)
            && let Some(session) = self.session.as_mut().filter(|session| expired(session))
        {
            session.expires = None;
            self.phase = Phase::Checking(Call::default());
        }
        if matches!(self.phase, Phase::Transferring) {
            self.advance_parts(now);
        }
        if matches!(self.phase, Phase::Transferring) && self.parts.as_ref().is_some_and(Parts::is_complete) {
            self.phase = Phase::Finishing(Finish::default());
        }
        self.advance_phase(now);
    }

    pub(super) fn advance_phase(&mut self, now: Now) {
        let ready = self.phase.call_mut().is_some_and(|call| {
            call.wake(now.instant);
            call.is_ready()
        });
        if !ready {
            return;
        }
        if let Phase::Finishing(finish) = &mut self.phase
            && mem::take(&mut finish.call.unsure)
        {
            self.phase = Phase::Confirming(Call::default(), mem::take(finish));
        }
        match self.phase_request() {
            Ok(request) => {
                let op = self.next_op();
                let (timeout, token) = (self.attempt_timeout(now), self.token.generation);
                if let Some(call) = self.phase.call_mut() {
                    call.begin(op, now.instant, timeout, token);
                }
                self.outputs.push_back(Output::Send { op, request, part: None });
            }
            Err(error) => self.fail(error),
        }
    }

    /// Returns how long the phase's next attempt may take.
    fn attempt_timeout(&mut self, now: Now) -> Duration {
        let timeout = self.config.request_timeout();
        match &mut self.phase {
            Phase::Discarding(call, _) | Phase::Deleting(call) => {
                let since = call.attempts.count_from(now.instant);
                timeout.min(DELETE_LIMIT - now.instant.since(since))
            }
            _ => timeout,
        }
    }

    pub(super) fn phase_request(&self) -> Result<Request, UploadError> {
        let id = self.session_id().unwrap_or_default();
        match &self.phase {
            Phase::Getting(_) | Phase::Checking(_) | Phase::Confirming(..) => Request::get(id, false, None),
            Phase::Finishing(_) => {
                let digest = self.parts.as_ref().and_then(Parts::file_digest);
                Request::finish(id, digest_header(digest), false)
            }
            Phase::Discarding(..) | Phase::Deleting(_) => Request::delete(id, false),
            _ => Ok(Request::create(&self.config.create_body(), false)),
        }
    }

    pub(super) fn advance_parts(&mut self, now: Now) {
        let Some(parts) = &mut self.parts else { return };
        parts.calls_mut().for_each(|(_, call)| call.wake(now.instant));
        for part in parts.open_next() {
            self.tell_part(part, PartState::Queued);
        }
        self.begin_read();
        // What was refused to one part would be refused to the next.
        if self.token.refreshing_until.is_some() {
            return;
        }
        while let Some(part) = self.parts.as_ref().and_then(Parts::sendable) {
            if let Err(error) = self.send_part(part, now) {
                return self.fail(error);
            }
        }
    }

    pub(super) fn begin_read(&mut self) {
        let op = OpId(self.last_op + 1);
        let Some(parts) = &mut self.parts else { return };
        if let Some((part, hasher, keep)) = parts.begin_read(op) {
            let range = parts.range(part);
            self.last_op = op.0;
            if parts.part_mut(part).is_some() || (parts.rereads_slices() && hasher.wanted().file) {
                self.tell_part(part, PartState::Hashing);
            }
            self.outputs.push_back(Output::Read { op, part, range, hasher, keep });
        } else if let Some(hasher) = parts.begin_verification(op) {
            self.last_op = op.0;
            self.outputs.push_back(Output::Verify { op, hasher });
        }
    }

    pub(super) fn send_part(&mut self, part: u32, now: Now) -> Result<(), UploadError> {
        let op = self.next_op();
        let (token, load) = (self.token.generation, self.meter.load(now.instant));
        let Some((body, digest)) = self.parts.as_mut().and_then(|parts| parts.begin_send(part, load)) else {
            return Ok(());
        };
        let request = if self.direct {
            Request::direct(&self.config.metadata(), false)
        } else {
            let id = self.session_id().unwrap_or_default();
            Request::upload(id, part, digest_header(digest), false)?
        };
        if let Some(parts) = &mut self.parts {
            let limit = parts.time_limit(part, &self.meter, &self.config);
            if let Some(open) = parts.part_mut(part) {
                open.call.begin(op, now.instant, limit, token);
            }
        }
        if self.parts.as_ref().is_some_and(Parts::notes_what_is_sent) {
            self.save();
        }
        self.tell_part(part, PartState::Sending);
        self.outputs.push_back(Output::Send { op, request, part: Some(PartBody { number: part, ..body }) });
        Ok(())
    }

    /// Stops the parts on the wire; they are ready to be sent again.
    pub(super) fn cancel_sends(&mut self) {
        let mut stopped = Vec::new();
        for (part, call) in self.parts.iter_mut().flat_map(Parts::calls_mut) {
            if let Some(flight) = call.in_flight() {
                call.interrupt();
                stopped.push((part, flight.op));
            }
        }
        if let Some(parts) = &mut self.parts {
            parts.limiter.interrupted();
        }
        for (part, op) in stopped {
            self.outputs.push_back(Output::Cancel { op });
            self.tell_part(part, PartState::Queued);
        }
    }

    /// Stops all that is done for parts, and lets go of what is held for them.
    pub(super) fn cancel_parts(&mut self) {
        let Some(parts) = &mut self.parts else { return };
        for op in parts.reading() {
            self.outputs.push_back(Output::Cancel { op });
        }
        for (_, call) in parts.calls_mut() {
            if let Some(flight) = call.in_flight() {
                self.outputs.push_back(Output::Cancel { op: flight.op });
            }
        }
        for part in parts.close() {
            self.outputs.push_back(Output::Release { part });
        }
    }

    /// Stops the phase's own request, if one is in flight.
    pub(super) fn cancel_phase(&mut self) {
        if let Some(flight) = self.phase.call_mut().and_then(|call| call.in_flight()) {
            self.outputs.push_back(Output::Cancel { op: flight.op });
        }
    }

    pub(super) fn next_op(&mut self) -> OpId {
        self.last_op += 1;
        OpId(self.last_op)
    }

    pub(super) fn next_timeout(&mut self) -> Option<Instant> {
        let held_back = self.is_held_back();
        let next = self.phase.call_mut().and_then(|call| call.next_timeout(held_back));
        let next = next.into_iter().chain(self.told.progress_due).chain(self.token.refreshing_until).min();
        let Some(parts) = &self.parts else { return next };
        let held_back = held_back || !matches!(self.phase, Phase::Transferring);
        let calls = parts.calls().filter_map(|call| call.next_timeout(held_back)).chain(next);
        if held_back {
            return calls.min();
        }
        let expires = self.session.as_ref().and_then(|session| session.expires);
        // What is in flight is estimated, and the speed fades where nothing is acknowledged.
        let changes = parts.in_flight() > 0 || self.told.progress.bytes_per_second > 0.0;
        let estimate_at = self.told.progress_at.filter(|_| changes).map(|at| at + ESTIMATE_INTERVAL);
        calls.chain(estimate_at).chain(expires).min()
    }
}
