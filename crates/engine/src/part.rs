//! The parts of one upload: which are read, sent, waiting and done.
//!
//! A part is opened in order, read (where anything wants its bytes), sent until it is acknowledged, and
//! forgotten. Only the few open parts are kept, so that time and memory do not depend on how many there are.
//!
//! ```text
//!   (open) ─▶ Unread ─▶ Reading ─▶ Sending ─▶ (acknowledged)
//!                ▲                    │
//!                └── digest doubted ──┘  once
//! ```

use std::ops::Range;

use crate::call::{Call, CallState};
use crate::clock::Instant;
use crate::config::{BodyMode, Config, DigestMode};
use crate::digest::{Digest, Wanted};
use crate::error::{ErrorCode, UploadError};
use crate::output::{Digests, OpId, PartBody};
use crate::plan::Plan;
use crate::progress::SpeedMeter;

/// How many parts are read ahead of those in flight, so that the link never waits for the hasher.
const READ_AHEAD: usize = 2;

/// One open part.
#[derive(Debug)]
pub(crate) struct Part {
    number: u32,
    pub(crate) stage: Stage,
    pub(crate) call: Call,
    pub(crate) digest: Option<Digest>,
    /// Its bytes are held in memory.
    held: bool,
    /// The server complained of its digest, and it is hashed and sent once more.
    doubted: bool,
    /// What [`SpeedMeter::load`] told when it was sent.
    load: f64,
    /// Estimate of its bytes that are sent; never falls within an attempt.
    sent: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Unread,
    Reading(OpId),
    Sending,
}

/// All parts of one upload.
#[derive(Debug)]
pub(crate) struct Parts {
    plan: Plan,
    /// Most parts in flight.
    limit: usize,
    /// Most parts open: in flight, read ahead, or waiting to be sent again.
    window: usize,
    in_order: bool,
    wanted: Wanted,
    keep: bool,
    /// A handful, by number.
    open: Vec<Part>,
    /// First part that was never opened.
    next: u32,
    done: u32,
    confirmed: u64,
    hashed: u64,
    file_digest: Option<Digest>,
}

/// The part is larger than the memory that may be used: it is sent as a slice of the file instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OverBudget;

impl Parts {
    pub(crate) fn new(plan: Plan, parallel: bool, config: &Config) -> (Self, Option<OverBudget>) {
        let wanted = match config.digest {
            DigestMode::PartsAndFile => Wanted { part: true, file: true },
            DigestMode::Parts => Wanted { part: true, file: false },
            DigestMode::None => Wanted { part: false, file: false },
        };
        let limit = if parallel { config.concurrency } else { 1 };
        let largest = plan.part_size().min(config.size).max(1);
        let affordable = usize::try_from(config.memory_budget / largest).unwrap_or(usize::MAX);
        let buffered = config.body == BodyMode::Buffer;
        let keep = buffered && affordable > 0;
        let ahead = limit + READ_AHEAD;
        let parts = Self {
            plan,
            limit,
            window: if keep { ahead.min(affordable) } else { ahead },
            in_order: !parallel,
            wanted,
            keep,
            open: Vec::new(),
            next: 0,
            done: 0,
            confirmed: 0,
            hashed: 0,
            // An empty file has no part whose reading would tell.
            file_digest: (wanted.file && plan.parts() == 0).then(|| Digest::of(&[])),
        };
        (parts, (buffered && !keep).then_some(OverBudget))
    }

    pub(crate) const fn plan(&self) -> Plan {
        self.plan
    }

    pub(crate) const fn done(&self) -> u32 {
        self.done
    }

    pub(crate) const fn confirmed(&self) -> u64 {
        self.confirmed
    }

    pub(crate) const fn hashed(&self) -> u64 {
        self.hashed
    }

    pub(crate) const fn file_digest(&self) -> Option<Digest> {
        self.file_digest
    }

    pub(crate) fn all_done(&self) -> bool {
        self.done == self.plan.parts()
    }

    pub(crate) fn range(&self, part: u32) -> Range<u64> {
        self.plan.range(part)
    }

    pub(crate) fn part_mut(&mut self, part: u32) -> Option<&mut Part> {
        self.open.iter_mut().find(|open| open.number == part)
    }

    pub(crate) fn calls(&self) -> impl Iterator<Item = &Call> {
        self.open.iter().map(|part| &part.call)
    }

    pub(crate) fn calls_mut(&mut self) -> impl Iterator<Item = (u32, &mut Call)> {
        self.open.iter_mut().map(|part| (part.number, &mut part.call))
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.calls().filter(|call| call.in_flight().is_some()).count()
    }

    /// Returns the open part that this operation sends.
    pub(crate) fn sent_by(&self, op: OpId) -> Option<u32> {
        self.number_where(|part| part.call.in_flight().is_some_and(|flight| flight.op == op))
    }

    /// Returns the operation that reads, if any.
    pub(crate) fn reading(&self) -> Option<OpId> {
        self.open.iter().find_map(|part| match part.stage {
            Stage::Reading(op) => Some(op),
            _ => None,
        })
    }

    /// Closes every open part; returns those whose bytes are held.
    pub(crate) fn close(&mut self) -> Vec<u32> {
        let open = std::mem::take(&mut self.open);
        open.into_iter().filter(|part| part.held).map(|part| part.number).collect()
    }

    /// Opens the next parts as far as the window goes; returns those that are ready to be sent as they are.
    pub(crate) fn open_next(&mut self) -> Range<u32> {
        let first = self.next;
        let nothing_to_read = !self.wanted.any() && !self.keep;
        while self.open.len() < self.window && self.next < self.plan.parts() {
            let stage = if nothing_to_read { Stage::Sending } else { Stage::Unread };
            self.open.push(Part::new(self.next, stage));
            self.next += 1;
        }
        if nothing_to_read { first..self.next } else { 0..0 }
    }

    /// Begins to read the lowest part that needs it, unless one is being read; returns it and what is wanted of it.
    pub(crate) fn begin_read(&mut self, op: OpId) -> Option<(u32, Wanted, bool)> {
        if self.reading().is_some() {
            return None;
        }
        let part = self.open.iter_mut().find(|part| part.stage == Stage::Unread)?;
        part.stage = Stage::Reading(op);
        // A part hashed again went into the file's digest the first time.
        let wanted = Wanted { file: self.wanted.file && !part.doubted, ..self.wanted };
        Some((part.number, wanted, self.keep))
    }

    /// Ends a read; returns the part, now ready to be sent. None where the read is stale.
    pub(crate) fn end_read(&mut self, op: OpId, digests: Digests) -> Option<Result<u32, UploadError>> {
        let part = self.open.iter_mut().find(|part| part.stage == Stage::Reading(op))?;
        let number = part.number;
        let range = self.plan.range(number);
        part.held = self.keep;
        part.stage = Stage::Sending;
        if part.doubted {
            if part.digest != digests.part {
                let error = UploadError::new(ErrorCode::FileChanged, "The file changed while it was being sent");
                return Some(Err(error.for_part(number)));
            }
            return Some(Ok(number));
        }
        part.digest = digests.part;
        if self.wanted.any() {
            self.hashed += range.end - range.start;
        }
        if self.wanted.file && number + 1 == self.plan.parts() {
            self.file_digest = digests.file;
        }
        Some(Ok(number))
    }

    /// Returns the part to be sent next, if one is ready and there is room.
    pub(crate) fn sendable(&self) -> Option<u32> {
        if self.in_flight() >= self.limit {
            return None;
        }
        let ready = |part: &Part| part.stage == Stage::Sending && part.call.is_ready();
        if self.in_order {
            return self.open.first().filter(|part| ready(part)).map(|part| part.number);
        }
        self.number_where(ready)
    }

    /// Returns the body of a part that is about to be sent, and its digest.
    pub(crate) fn begin_send(&mut self, number: u32, load: f64) -> Option<(PartBody, Option<Digest>)> {
        let range = self.plan.range(number);
        let part = self.part_mut(number)?;
        part.load = load;
        part.sent = 0;
        Some((PartBody { number, range, held: part.held }, part.digest))
    }

    /// Takes a part as acknowledged; returns whether its bytes were held.
    pub(crate) fn acknowledge(&mut self, number: u32) -> bool {
        let Some(index) = self.open.iter().position(|part| part.number == number) else { return false };
        let range = self.plan.range(number);
        self.done += 1;
        self.confirmed += range.end - range.start;
        self.open.remove(index).held
    }

    /// Measures a part that was just answered.
    pub(crate) fn measure(&mut self, number: u32, meter: &mut SpeedMeter, now: Instant) {
        let range = self.plan.range(number);
        let Some(part) = self.part_mut(number) else { return };
        if let Some(flight) = part.call.in_flight() {
            meter.acknowledged(range.end - range.start, flight.since, part.load, now);
        }
    }

    /// Has a part hashed and sent once more because the server complained of its digest; returns whether its bytes
    /// were held. None where that was done before.
    pub(crate) fn doubt(&mut self, number: u32) -> Option<bool> {
        let part = self.part_mut(number).filter(|part| !part.doubted)?;
        part.doubted = true;
        part.stage = Stage::Unread;
        part.call.state = CallState::Ready;
        Some(std::mem::take(&mut part.held))
    }

    /// Estimates the bytes that are on their way or there, `confirmed` included.
    pub(crate) fn estimate_sent(&mut self, meter: &SpeedMeter, now: Instant) -> u64 {
        let in_flight = self.in_flight();
        let mut sent = self.confirmed;
        for part in &mut self.open {
            if let Some(flight) = part.call.in_flight() {
                let range = self.plan.range(part.number);
                let estimate = meter.estimate(range.end - range.start, flight.since, in_flight, now);
                part.sent = part.sent.max(estimate);
                sent += part.sent;
            }
        }
        sent
    }

    fn number_where(&self, matches: impl Fn(&Part) -> bool) -> Option<u32> {
        self.open.iter().find(|part| matches(part)).map(|part| part.number)
    }
}

impl Part {
    fn new(number: u32, stage: Stage) -> Self {
        Self { number, stage, call: Call::default(), digest: None, held: false, doubted: false, load: 0.0, sent: 0 }
    }
}
