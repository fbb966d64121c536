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
use std::time::Duration;

use crate::call::{Call, CallState};
use crate::clock::Instant;
use crate::concurrency::Limiter;
use crate::config::{BodyMode, Config, DigestMode};
use crate::digest::{Digest, FileHasher, PartHasher, Wanted};
use crate::error::{ErrorCode, UploadError};
use crate::output::{OpId, PartBody};
use crate::plan::Plan;
use crate::progress::SpeedMeter;
use crate::snapshot::{Fingerprint, Snapshot};

/// How many parts are read ahead of those in flight, so that the link never waits for the hasher.
const READ_AHEAD: usize = 2;
/// How many times longer than measured a part may take before it counts as stalled.
const SLOWDOWN: f64 = 3.0;
/// Bytes per second that a part is expected to make at least while nothing is measured.
const SLOWEST: f64 = 65_536.0;
/// How often the time for a part is doubled.
const MAX_DOUBLINGS: u32 = 6;

/// One open part.
#[derive(Debug)]
pub(crate) struct Part {
    number: u32,
    pub(crate) stage: Stage,
    pub(crate) call: Call,
    /// The server holds it already: it is only read, for what is to be known of it.
    acknowledged: bool,
    /// It is sent from memory, whatever the others are.
    from_memory: bool,
    /// Its bytes are held in memory.
    held: bool,
    /// The server complained of its digest, and it is hashed and sent once more.
    doubted: bool,
    /// Attempts that were given up as they made no progress.
    stalls: u32,
    /// What [`SpeedMeter::load`] told when it was sent.
    load: f64,
    /// Its bytes that are sent: as the transport tells, or an estimate. Never falls within an attempt.
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
    pub(crate) limiter: Limiter,
    in_order: bool,
    wanted: Wanted,
    /// Every part is sent from memory.
    keep: bool,
    /// How many parts may be held in memory at a time.
    affordable: usize,
    /// What is known of a part from an earlier visit is compared with its bytes before it is sent.
    compares: bool,
    /// The transport tells how many bytes are on their way.
    measured: bool,
    /// A handful, by number.
    open: Vec<Part>,
    /// First part that was never opened.
    next: u32,
    acknowledged: Vec<bool>,
    done: u32,
    confirmed: u64,
    hashed: u64,
    /// What every part that was hashed came to.
    digests: Vec<Option<Digest>>,
    /// Acknowledged, and read again all the same: to see that it is still the same file.
    witness: Option<u32>,
    hasher: FileHasher,
    /// How many of the first parts went into `hasher`.
    file_hashed: u32,
    file_digest: Option<Digest>,
    /// The file's digest goes with finish.
    sends_file_digest: bool,
    rereads_file: bool,
    /// Parts may be sent before the file is verified: what they lead to can still be stopped.
    sends_before_end: bool,
    verification: Verification,
}

/// Whether the file is known to be the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verification {
    Due,
    Running(OpId),
    Done,
}

/// The part is larger than the memory that may be used: it is sent as a slice of the file instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OverBudget;

impl Parts {
    pub(crate) fn new(plan: Plan, parallel: bool, config: &Config) -> (Self, Option<OverBudget>) {
        let sends_file_digest = config.digest == DigestMode::PartsAndFile;
        let wanted = Wanted { part: config.digest != DigestMode::None, file: sends_file_digest || config.rereads_file };
        let largest = plan.part_size().min(config.size).max(1);
        let affordable = usize::try_from(config.memory_budget / largest).unwrap_or(usize::MAX);
        let buffered = config.body == BodyMode::Buffer;
        let keep = buffered && affordable > 0;
        let parts = Self {
            plan,
            limiter: Limiter::new(if parallel { config.concurrency } else { 1 }),
            in_order: !parallel,
            wanted,
            keep,
            affordable,
            compares: false,
            measured: config.measures_progress,
            open: Vec::new(),
            next: 0,
            acknowledged: vec![false; plan.parts() as usize],
            done: 0,
            confirmed: 0,
            hashed: 0,
            digests: vec![None; plan.parts() as usize],
            witness: None,
            hasher: FileHasher::default(),
            file_hashed: 0,
            file_digest: None,
            sends_file_digest,
            sends_before_end: true,
            rereads_file: config.rereads_file,
            verification: Verification::Due,
        };
        (parts, (buffered && !keep).then_some(OverBudget))
    }

    /// Takes the file as one part that needs no digest.
    pub(crate) fn direct(config: &Config) -> Self {
        let (parts, _) = Self::new(Plan::whole(config.size), false, config);
        let keep = parts.keep || (config.rereads_file && parts.affordable > 0);
        Self { wanted: Wanted { part: false, file: config.rereads_file }, keep, sends_before_end: false, ..parts }
    }

    /// Goes on from a snapshot of the same plan. `held` is how many bytes a sequential session says to hold.
    pub(crate) fn resume(&mut self, snapshot: Snapshot, held: Option<u64>) {
        self.acknowledged = snapshot.acknowledged;
        if self.in_order {
            let parts = 0..self.plan.parts();
            self.acknowledged = parts.map(|part| held.is_some_and(|held| self.plan.range(part).end <= held)).collect();
        }
        for (part, digest) in snapshot.digests {
            self.set_digest(part, Some(digest));
        }
        let known = |part: &u32| self.digests.get(*part as usize).is_some_and(Option::is_some);
        let unsent = (0..self.plan.parts()).any(|part| !self.is_acknowledged(part) && known(&part));
        self.witness = (0..self.plan.parts()).find(|part| !unsent && self.is_acknowledged(*part) && known(part));
        if self.wanted.file {
            self.hasher = snapshot.hasher;
            self.file_hashed = snapshot.file_hashed;
            self.end_of_file();
        }
        self.compares = true;
        self.done = self.acknowledged.iter().filter(|done| **done).count() as u32;
        self.confirmed = self.bytes_where(|parts, part| parts.is_acknowledged(part));
        self.hashed = self.bytes_where(|parts, part| match parts.wanted {
            Wanted { file: true, .. } => part < parts.file_hashed,
            Wanted { part: true, .. } => parts.is_acknowledged(part) || parts.digest(part).is_some(),
            _ => false,
        });
    }

    /// Begins again with another session, and keeps what was hashed.
    pub(crate) fn restart(&mut self, before: Self) {
        self.keep_file_digest(&before);
        if self.plan != before.plan {
            return;
        }
        self.digests = before.digests;
        self.hasher = before.hasher;
        self.file_hashed = before.file_hashed;
        self.hashed = before.hashed;
    }

    fn keep_file_digest(&mut self, before: &Self) {
        if before.file_digest.is_some() {
            self.file_digest = before.file_digest;
            self.file_hashed = self.plan.parts();
        }
    }

    /// Returns what there is to go on with after a reload.
    pub(crate) fn snapshot(&self, session_id: &str, fingerprint: Fingerprint) -> Snapshot {
        let hashed = |part: &u32| self.digest(*part).is_some();
        let unsent = (0..self.plan.parts()).filter(|&part| !self.is_acknowledged(part)).filter(hashed);
        let mut known: Vec<_> = unsent.collect();
        if known.is_empty() {
            known.extend((0..self.plan.parts()).rev().find(hashed));
        }
        let digests = known.into_iter().filter_map(|part| Some((part, self.digest(part)?))).collect();
        Snapshot {
            session_id: session_id.to_owned(),
            fingerprint,
            plan: self.plan,
            acknowledged: self.acknowledged.clone(),
            file_hashed: self.file_hashed,
            hasher: self.hasher.clone(),
            digests,
        }
    }

    /// Returns the parts that the server holds.
    pub(crate) fn acknowledged(&self) -> Vec<u32> {
        (0..self.plan.parts()).filter(|&part| self.is_acknowledged(part)).collect()
    }

    fn is_acknowledged(&self, part: u32) -> bool {
        self.acknowledged.get(part as usize).copied().unwrap_or(false)
    }

    fn digest(&self, part: u32) -> Option<Digest> {
        self.digests.get(part as usize).copied().flatten()
    }

    /// Returns the digest that goes with a part.
    pub(crate) fn digest_to_send(&self, part: u32) -> Option<Digest> {
        self.digest(part).filter(|_| self.wanted.part)
    }

    fn set_digest(&mut self, part: u32, digest: Option<Digest>) {
        if let Some(slot) = self.digests.get_mut(part as usize) {
            *slot = digest;
        }
    }

    fn bytes_where(&self, matches: impl Fn(&Self, u32) -> bool) -> u64 {
        let bytes = |part| self.plan.range(part).end - self.plan.range(part).start;
        (0..self.plan.parts()).filter(|&part| matches(self, part)).map(bytes).sum()
    }

    fn end_of_file(&mut self) {
        if self.wanted.file && self.file_hashed == self.plan.parts() && self.file_digest.is_none() {
            self.file_digest = Some(self.hasher.digest());
        }
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

    /// Returns the digest that goes with finish.
    pub(crate) fn file_digest(&self) -> Option<Digest> {
        self.file_digest.filter(|_| self.sends_file_digest)
    }

    /// Tells whether every part is there, and of one and the same file.
    pub(crate) fn is_complete(&self) -> bool {
        self.all_done() && self.verification == Verification::Done
    }

    pub(crate) fn all_done(&self) -> bool {
        self.done == self.plan.parts() && self.next == self.plan.parts() && self.open.is_empty()
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
        if let Verification::Running(op) = self.verification {
            return Some(op);
        }
        self.open.iter().find_map(|part| match part.stage {
            Stage::Reading(op) => Some(op),
            _ => None,
        })
    }

    /// Closes every open part; returns those whose bytes are held.
    pub(crate) fn close(&mut self) -> Vec<u32> {
        let open = std::mem::take(&mut self.open);
        if self.verification != Verification::Done {
            self.verification = Verification::Due;
        }
        open.into_iter().filter(|part| part.held).map(|part| part.number).collect()
    }

    /// Opens the next parts as far as the window goes; returns those that are ready to be sent as they are.
    pub(crate) fn open_next(&mut self) -> Vec<u32> {
        let ahead = self.limiter.limit() + READ_AHEAD;
        let window = if self.keep { ahead.min(self.affordable) } else { ahead };
        let mut ready = Vec::new();
        while self.open.len() < window && self.next < self.plan.parts() {
            let number = self.next;
            self.next += 1;
            let to_hash = self.wanted.file && number >= self.file_hashed;
            let acknowledged = self.is_acknowledged(number);
            if acknowledged && !to_hash && self.witness != Some(number) {
                continue;
            }
            let to_digest = self.wanted.part && (self.compares || self.digest(number).is_none());
            let stage = if self.keep || to_hash || to_digest { Stage::Unread } else { Stage::Sending };
            if stage == Stage::Sending {
                ready.push(number);
            }
            self.open.push(Part::new(number, stage, acknowledged));
        }
        ready
    }

    /// Begins to read the lowest part that needs it, unless one is being read or there is no room for it; returns it,
    /// what its bytes are fed to, and whether they are kept.
    pub(crate) fn begin_read(&mut self, op: OpId) -> Option<(u32, PartHasher, bool)> {
        if self.reading().is_some() {
            return None;
        }
        let held = self.open.iter().filter(|part| part.held).count();
        let part = self.open.iter_mut().find(|part| part.stage == Stage::Unread)?;
        let keep = (self.keep || part.from_memory) && !part.acknowledged;
        if keep && held >= self.affordable {
            return None;
        }
        part.stage = Stage::Reading(op);
        let number = part.number;
        let wanted = Wanted {
            part: self.wanted.part && (!part.acknowledged || self.witness == Some(number)),
            // What is read again went into the file's digest the first time.
            file: self.wanted.file && number == self.file_hashed,
        };
        Some((number, self.hasher.part(wanted), keep))
    }

    /// Begins to make sure that the file is still the one that was read, once all of it was and nothing of it has to be
    /// read again to be sent; returns what its bytes are fed to.
    pub(crate) fn begin_verification(&mut self, op: OpId) -> Option<PartHasher> {
        let read = self.next == self.plan.parts() && self.open.iter().all(|part| part.stage == Stage::Sending);
        let sent = self.all_done() || !self.sends_before_end || (self.keep && self.rereads_file);
        if self.verification != Verification::Due || !read || !sent {
            return None;
        }
        self.verification = Verification::Running(op);
        Some(if self.rereads_file { PartHasher::plain() } else { PartHasher::idle() })
    }

    fn end_verification(&mut self, hasher: PartHasher) -> Result<(), UploadError> {
        self.verification = Verification::Done;
        match hasher.finish() {
            Some(digest) if Some(digest) != self.file_digest => {
                Err(UploadError::new(ErrorCode::FileChanged, "The file changed while it was being sent"))
            }
            _ => Ok(()),
        }
    }

    /// Ends a read; returns the part, where it is now ready to be sent. None where the read is stale.
    pub(crate) fn end_read(&mut self, op: OpId, hasher: PartHasher) -> Option<Result<Option<u32>, UploadError>> {
        if self.verification == Verification::Running(op) {
            return Some(self.end_verification(hasher).map(|()| None));
        }
        let keep = self.keep;
        let part = self.open.iter_mut().find(|part| part.stage == Stage::Reading(op))?;
        let number = part.number;
        part.stage = Stage::Sending;
        part.held = (keep || part.from_memory) && !part.acknowledged;
        let acknowledged = part.acknowledged;
        let (wanted, known) = (hasher.wanted(), self.digest(number));
        let digest = self.hasher.commit(hasher);
        if known.is_some() && digest.is_some() && known != digest {
            let error =
                UploadError::new(ErrorCode::FileChanged, "The file changed: a part of it reads differently now");
            return Some(Err(error.for_part(number)));
        }
        if wanted.file || (wanted.part && known.is_none() && !self.wanted.file) {
            let range = self.plan.range(number);
            self.hashed += range.end - range.start;
        }
        self.set_digest(number, digest.or(known));
        if wanted.file {
            self.file_hashed = number + 1;
            self.end_of_file();
        }
        if acknowledged {
            self.open.retain(|part| part.number != number);
        }
        Some(Ok((!acknowledged).then_some(number)))
    }

    /// Returns the part to be sent next, if one is ready and there is room.
    pub(crate) fn sendable(&self) -> Option<u32> {
        let verified = self.sends_before_end || self.verification == Verification::Done;
        if self.in_flight() >= self.limiter.limit() || !verified {
            return None;
        }
        let ready = |part: &Part| !part.acknowledged && part.stage == Stage::Sending && part.call.is_ready();
        if self.in_order {
            return self.open.iter().find(|part| !part.acknowledged).filter(|part| ready(part)).map(|part| part.number);
        }
        self.number_where(ready)
    }

    /// Returns the body of a part that is about to be sent, and its digest.
    pub(crate) fn begin_send(&mut self, number: u32, load: f64) -> Option<(PartBody, Option<Digest>)> {
        let range = self.plan.range(number);
        let digest = self.digest_to_send(number);
        let part = self.part_mut(number)?;
        part.load = load;
        part.sent = 0;
        Some((PartBody { number, range, held: part.held }, digest))
    }

    /// Returns how long an attempt to send a part may take: with a transport that tells of progress, until the first.
    /// Others are given what the part should take, several times over, and twice that after each stall.
    pub(crate) fn time_limit(&self, number: u32, meter: &SpeedMeter, config: &Config) -> Duration {
        let range = self.plan.range(number);
        let bytes = (range.end - range.start) as f64;
        if self.measured {
            return if bytes > 0.0 { config.stall_timeout } else { config.answer_timeout() };
        }
        let in_flight = self.in_flight().max(1) as f64;
        let expected = match meter.last_speed() {
            Some(speed) => SLOWDOWN * bytes * in_flight / speed.max(1.0),
            None => bytes / SLOWEST,
        };
        let stalls = self.open.iter().find(|part| part.number == number).map_or(0, |part| part.stalls);
        let limit = config.stall_timeout.as_secs_f64() + expected;
        Duration::try_from_secs_f64(limit * f64::from(1 << stalls.min(MAX_DOUBLINGS))).unwrap_or(Duration::MAX)
    }

    /// Returns the parts whose attempt has run out of time. One that was given too little, by the speed of those that
    /// got through meanwhile, gets more.
    pub(crate) fn overdue(&mut self, meter: &SpeedMeter, config: &Config, now: Instant) -> Vec<OpId> {
        let mut overdue = Vec::new();
        for index in 0..self.open.len() {
            let number = self.open[index].number;
            let Some(flight) = self.open[index].call.in_flight() else { continue };
            if flight.deadline > now {
                continue;
            }
            let later = (!self.measured).then(|| flight.since + self.time_limit(number, meter, config));
            match later.filter(|&later| later > now) {
                Some(later) => self.open[index].call.extend(later),
                None => overdue.push(flight.op),
            }
        }
        overdue
    }

    /// Takes in how many bytes of a part are on their way; returns whether that was progress.
    pub(crate) fn note_sent(&mut self, number: u32, bytes: u64, config: &Config, now: Instant) {
        let range = self.plan.range(number);
        let length = range.end - range.start;
        let Some(part) = self.part_mut(number) else { return };
        let progressed = bytes.min(length) > part.sent;
        part.sent = part.sent.max(bytes.min(length));
        if part.sent == length {
            if progressed {
                part.call.extend(now + config.answer_timeout());
            }
        } else if progressed {
            part.call.extend(now + config.stall_timeout);
        }
    }

    /// Takes a part as acknowledged; returns whether its bytes were held.
    pub(crate) fn acknowledge(&mut self, number: u32, now: Instant) -> bool {
        let Some(index) = self.open.iter().position(|part| part.number == number) else { return false };
        let range = self.plan.range(number);
        if let Some(acknowledged) = self.acknowledged.get_mut(number as usize) {
            *acknowledged = true;
        }
        self.done += 1;
        self.confirmed += range.end - range.start;
        self.limiter.acknowledged(range.end - range.start, now);
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

    /// Takes in that an attempt to send a part came to no answer. A slice of the file is read from now on and sent from
    /// memory: that tells a file that changed from a link that broke, and gets through where slices do not.
    pub(crate) fn unanswered(&mut self, number: u32, stalled: bool) {
        let affordable = self.affordable > 0;
        let Some(part) = self.part_mut(number) else { return };
        part.stalls += u32::from(stalled);
        if !part.held {
            part.from_memory = affordable;
            part.stage = Stage::Unread;
        }
    }

    /// Returns the bytes that are on their way or there, `confirmed` included: estimated where they are not told.
    pub(crate) fn estimate_sent(&mut self, meter: &SpeedMeter, now: Instant) -> u64 {
        let in_flight = self.in_flight();
        let mut sent = self.confirmed;
        for part in &mut self.open {
            if let Some(flight) = part.call.in_flight() {
                let range = self.plan.range(part.number);
                if !self.measured {
                    let estimate = meter.estimate(range.end - range.start, flight.since, in_flight, now);
                    part.sent = part.sent.max(estimate);
                }
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
    fn new(number: u32, stage: Stage, acknowledged: bool) -> Self {
        Self {
            number,
            stage,
            call: Call::default(),
            acknowledged,
            from_memory: false,
            held: false,
            doubted: false,
            stalls: 0,
            load: 0.0,
            sent: 0,
        }
    }
}
