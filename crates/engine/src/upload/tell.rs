//! What the listeners are told.

use core::mem;

use super::Upload;
use crate::call::Call;
use crate::clock::{Duration, Instant};
use crate::error::UploadError;
use crate::output::{Event, Output, PartState};
use crate::progress::Progress;
use crate::request::Operation;

/// Progress is told at most this often: once a frame.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(16);
/// How often the estimate of what is in flight is told while nothing else happens.
pub(super) const ESTIMATE_INTERVAL: Duration = Duration::from_millis(100);

impl Upload {
    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn tell_part(&mut self, part: u32, state: PartState) {
        let Some(parts) = &mut self.parts else { return };
        let range = parts.range(part);
        let attempt = parts.part_mut(part).map_or(0, |part| part.call.attempts.count());
        self.tell(Event::Part { part, range, state, attempt });
    }

    pub(super) fn tell_retry(
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

    /// Tells how far the upload is, now or at the next frame.
    pub(super) fn tell_progress(&mut self, now: Instant) {
        // What is told at the end stays.
        if self.told.last_progress {
            return;
        }
        self.told.last_progress = self.finished;
        let progress = self.measure_progress(now);
        // An upload of nothing ends as it began, and is told of all the same.
        let is_news = mem::replace(&mut self.told.progress, progress) != progress
            || (self.told.progress_due.is_some() && self.parts.is_some())
            || (self.finished && !self.told.any_progress);
        let due = self.told.progress_at.map(|at| at + PROGRESS_INTERVAL).filter(|&due| due > now && !self.finished);
        self.told.progress_due = due.filter(|_| is_news);
        if due.is_some() {
            return;
        }
        self.told.progress_at = Some(now);
        if is_news {
            self.told.any_progress = true;
            self.tell(Event::Progress(progress));
        }
    }

    pub(super) fn measure_progress(&mut self, now: Instant) -> Progress {
        let Some(parts) = &mut self.parts else { return self.told.progress };
        // Once all parts are there nothing is overdue any more.
        let now = if parts.all_done() { self.meter.last_sample().unwrap_or(now) } else { now };
        let sent = parts.estimate_sent(&self.meter, now);
        let total = parts.total();
        let seconds = self.meter.seconds_for(total - sent, now);
        Progress {
            total,
            confirmed: parts.confirmed(),
            sent,
            hashed: parts.hashed(),
            bytes_per_second: self.meter.bytes_per_second(now),
            seconds_remaining: seconds.filter(|_| !parts.plan().is_open()),
            parts_total: parts.count(),
            parts_done: parts.done(),
            parts_in_flight: parts.in_flight() as u32,
        }
    }
}
