//! The parts of one upload: which are read, sent, waiting and done.
//!
//! A part is opened in order, read (where anything wants its bytes), sent until it is acknowledged, and closed. Only
//! a few are open at a time; of all others no more is kept than whether they are acknowledged, and their digests.
//!
//! ```text
//!   (open) ─▶ Unread ─▶ Reading ─▶ Sending ─▶ (acknowledged)
//!                ▲                    │
//!                ├── digest doubted ──┤  once
//!                └── slice unanswered ┘  to be sent from memory
//! ```
//!
//! Where the platform does not tell of a file that changed, parts are surveyed as well: read without being open, once
//! ahead of their sending, and once more after it where they went as slices.
//!
//! Which is read next stands in `reading`, which is sent next in `sending`, what is kept for later in `record`.

mod reading;
mod record;
mod sending;

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::call::Call;
use crate::checksum::Checksum;
use crate::clock::Instant;
use crate::concurrency::Limiter;
use crate::config::{BodyMode, Config, DigestMode};
use crate::digest::{Digest, FileHasher, Wanted};
use crate::output::OpId;
use crate::part_set::PartSet;
use crate::plan::Plan;
use crate::progress::Ramp;

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
    /// Its bytes that are on their way, where the transport tells.
    sent: u64,
    /// How these were told, evened out.
    ramp: Option<Ramp>,
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
    /// Parts up to this size are sent from memory, where they are read anyway and it has room for two, in bytes.
    small_part: u64,
    /// The source can be read only once.
    stream: bool,
    /// End of the last part that was read.
    read_to: u64,
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
    acknowledged: PartSet,
    done: u32,
    confirmed: u64,
    /// The last estimate of what is sent.
    sent: u64,
    acknowledged_at: Option<Instant>,
    hashed: u64,
    /// What every part that was hashed came to.
    digests: Vec<Option<Digest>>,
    /// No part from this one on has a digest.
    digests_end: u32,
    /// Acknowledged, and read again all the same: to see that it is still the same file.
    witness: Option<u32>,
    hasher: FileHasher,
    /// The checksums of the file before each part that went into `hasher`, and after the last: all from the file's begin, or
    /// none.
    checksums: Vec<Checksum>,
    /// How many of the first parts went into `hasher`.
    file_hashed: u32,
    file_digest: Option<Digest>,
    /// A part's digest goes with it.
    sends_digests: bool,
    /// The file's digest goes with finish.
    sends_file_digest: bool,
    rereads_file: bool,
    /// The file is read to its end ahead of sending, and verified beside it: what every part holds when it is sent is
    /// compared with what it held before, from memory where it is sent from there, else by reading it once more.
    surveys: bool,
    /// The part that is read without being open.
    surveying: Option<(OpId, u32)>,
    /// The first part whose survey is told: those before it were surveyed for a session that is gone.
    surveyed_from: u32,
    /// Parts that were sent since the file's verification began, which may have read them before.
    unverified: Vec<u32>,
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
        let largest = plan.part_size().min(plan.size()).max(1);
        let affordable = usize::try_from(config.memory_budget / largest).unwrap_or(usize::MAX);
        let buffered = config.body != BodyMode::Blob;
        // What a survey reads ahead is not held: where all parts are small, they are sent from memory as if that was asked for.
        let is_small = config.rereads_file && plan.part_size() <= config.small_part;
        let keep = (buffered || is_small) && affordable > 0;
        let surveys = config.rereads_file && !config.is_stream();
        let sends_digests = config.digest != DigestMode::None;
        let wanted = Wanted { part: sends_digests || surveys, file: sends_file_digest || config.rereads_file };
        // What is passed on as it is read goes one after the other.
        let parallel = parallel && (keep || !config.is_stream());
        let parts = Self {
            plan,
            limiter: Limiter::new(if parallel { config.concurrency } else { 1 }),
            in_order: !parallel,
            wanted,
            keep,
            // One that is held must leave room for a part before it, whose slice may have to be read.
            small_part: if affordable > 1 { config.small_part } else { 0 },
            stream: config.is_stream(),
            read_to: 0,
            affordable,
            compares: false,
            measured: config.measures_progress,
            open: Vec::new(),
            next: 0,
            acknowledged: PartSet::default(),
            done: 0,
            confirmed: 0,
            sent: 0,
            acknowledged_at: None,
            hashed: 0,
            digests: vec![None; plan.parts() as usize],
            digests_end: 0,
            witness: None,
            hasher: FileHasher::default(),
            checksums: if config.rereads_file { vec![Checksum::default()] } else { Vec::new() },
            file_hashed: 0,
            file_digest: None,
            sends_digests,
            sends_file_digest,
            sends_before_end: true,
            rereads_file: config.rereads_file,
            surveys,
            surveying: None,
            surveyed_from: 0,
            unverified: Vec::new(),
            verification: Verification::Due,
        };
        (parts, (buffered && !keep).then_some(OverBudget))
    }

    /// Takes the file as one part that needs no digest.
    pub(crate) fn direct(config: &Config) -> Self {
        let (parts, _) = Self::new(Plan::whole(config.size.unwrap_or_default()), false, config);
        let keep = parts.keep || (config.rereads_file && parts.affordable > 0);
        Self {
            wanted: Wanted { part: false, file: config.rereads_file },
            keep,
            sends_before_end: false,
            surveys: false,
            ..parts
        }
    }

    fn is_acknowledged(&self, part: u32) -> bool {
        self.acknowledged.contains(part)
    }

    fn digest(&self, part: u32) -> Option<Digest> {
        self.digests.get(part as usize).copied().flatten()
    }

    /// Returns the digest that goes with a part.
    pub(crate) fn digest_to_send(&self, part: u32) -> Option<Digest> {
        self.digest(part).filter(|_| self.sends_digests)
    }

    fn set_digest(&mut self, part: u32, digest: Option<Digest>) {
        if let Some(slot) = self.digests.get_mut(part as usize) {
            *slot = digest;
            self.digests_end = self.digests_end.max(part + 1);
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

    /// Returns the bytes of the file; those read so far while its end is not known.
    pub(crate) fn total(&self) -> u64 {
        if self.plan.is_open() { self.read_to } else { self.plan.size() }
    }

    /// Returns how many parts there are; those read so far while the file's end is not known.
    pub(crate) fn count(&self) -> u32 {
        // Every part that was read is a full one.
        if self.plan.is_open() { (self.read_to / self.plan.part_size()) as u32 } else { self.plan.parts() }
    }

    /// Tells whether parts are passed on as they are read: none can be sent twice.
    pub(crate) const fn is_piped(&self) -> bool {
        cfg!(feature = "streams") && self.stream && !self.keep
    }

    /// Returns the digest that goes with finish.
    pub(crate) fn file_digest(&self) -> Option<Digest> {
        self.file_digest.filter(|_| self.sends_file_digest)
    }

    /// Tells whether every part is there, and of one and the same file.
    pub(crate) fn is_complete(&self) -> bool {
        self.all_done() && self.is_verified() && self.unverified.is_empty() && self.surveying.is_none()
    }

    fn is_verified(&self) -> bool {
        self.verification == Verification::Done
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

    /// Closes every open part; returns those whose bytes are held.
    pub(crate) fn close(&mut self) -> Vec<u32> {
        let open = core::mem::take(&mut self.open);
        self.surveying = None;
        if !self.is_verified() {
            self.verification = Verification::Due;
        }
        open.into_iter().filter(|part| part.held).map(|part| part.number).collect()
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
            ramp: None,
        }
    }
}
