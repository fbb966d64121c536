//! Which part is read next, and what comes of it.

use super::{Part, Parts, Stage, Verification};
use crate::checksum::Checksum;
use crate::digest::{PartHasher, Wanted};
use crate::error::{ErrorCode, UploadError};
use crate::output::OpId;
use alloc::vec::Vec;

/// How many parts are read ahead of those in flight, so that the link never waits for the hasher.
const READ_AHEAD: usize = 2;

impl Parts {
    pub(super) fn end_of_file(&mut self) {
        if self.wanted.file && self.file_hashed == self.plan.parts() && self.file_digest.is_none() {
            self.file_digest = Some(self.hasher.digest());
        }
    }

    /// Ends a file of unknown size where the part that is being read found its end: a part that has no byte is none.
    #[cfg(feature = "streams")]
    pub(crate) fn end_at(&mut self, op: OpId, size: u64) {
        if !self.plan.is_open() || !self.is_read_by(op) {
            return;
        }
        self.plan.end_at(size.max(self.read_to));
        let parts = self.plan.parts();
        self.open.retain(|part| part.number < parts);
        self.next = self.next.min(parts);
        self.acknowledged.truncate(parts);
        self.digests.truncate(parts as usize);
        self.digests_end = self.digests_end.min(parts);
        self.end_of_file();
    }

    /// Returns the operations that read: one at a time, and one that verifies.
    pub(crate) fn reading(&self) -> impl Iterator<Item = OpId> {
        let verifying = match self.verification {
            Verification::Running(op) => Some(op),
            _ => None,
        };
        self.part_read().into_iter().chain(verifying)
    }

    pub(crate) fn is_read_by(&self, op: OpId) -> bool {
        self.reading().any(|reading| reading == op)
    }

    /// Returns the operation that reads a part, if any.
    fn part_read(&self) -> Option<OpId> {
        let reading = self.open.iter().find_map(|part| match part.stage {
            Stage::Reading(op) => Some(op),
            _ => None,
        });
        reading.or(self.surveying.map(|(op, _)| op))
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
            // Of what was surveyed that was told by then.
            if stage == Stage::Sending && (number < self.surveyed_from || !self.rereads_slices()) {
                ready.push(number);
            }
            let from_memory = stage == Stage::Unread && self.plan.length(number) <= self.small_part;
            self.open.push(Part { from_memory, ..Part::new(number, stage, acknowledged) });
        }
        ready
    }

    /// Begins to read the lowest part that needs it, unless one is being read or there is no room for it; returns it,
    /// what its bytes are fed to, and whether they are kept. Where none needs it, one is surveyed.
    pub(crate) fn begin_read(&mut self, op: OpId) -> Option<(u32, PartHasher, bool)> {
        if self.part_read().is_some() {
            return None;
        }
        let held = self.open.iter().filter(|part| part.held).count();
        let Some(part) = self.open.iter_mut().find(|part| part.stage == Stage::Unread) else {
            let (number, hasher) = self.next_survey()?;
            self.surveying = Some((op, number));
            return Some((number, hasher, false));
        };
        let keep = (self.keep || part.from_memory) && !part.acknowledged;
        if keep && held >= self.affordable {
            return None;
        }
        part.stage = Stage::Reading(op);
        let (number, acknowledged, doubted) = (part.number, part.acknowledged, part.doubted);
        let wants_digest = self.wanted.part && (!acknowledged || self.witness == Some(number));
        if doubted {
            // Its digest may be what was wrong.
            let checksum = self.checksum_before(number);
            return Some((number, self.hasher.part(Wanted { part: true, file: false }, checksum), keep));
        }
        Some((number, self.hasher_of(number, wants_digest), keep))
    }

    /// Returns what a part's bytes are fed to: a part that was read before is compared with what it was, where that is known.
    // Not inlined: a hasher is large.
    #[inline(never)]
    fn hasher_of(&self, number: u32, part: bool) -> PartHasher {
        match (self.checksum_before(number), self.checksum_before(number + 1)) {
            (Some(before), Some(_)) => PartHasher::comparing(before),
            // What is read again went into the file's digest the first time.
            (before, _) => {
                self.hasher.part(Wanted { part, file: self.wanted.file && number == self.file_hashed }, before)
            }
        }
    }

    fn checksum_before(&self, number: u32) -> Option<Checksum> {
        self.checksums.get(number as usize).copied()
    }

    /// Tells whether a part that was read once more is what it was, by its checksum.
    fn is_as_before(&self, number: u32, found: Checksum) -> bool {
        self.checksum_before(number + 1) == Some(found)
    }

    /// Takes the part that is surveyed next, if any, and what its bytes are fed to: the file is hashed to its end ahead of
    /// its sending, and then what was sent as a slice is read once more.
    fn next_survey(&mut self) -> Option<(u32, PartHasher)> {
        if !self.surveys {
            return None;
        }
        let next = if self.file_hashed < self.plan.parts() { self.file_hashed } else { self.unverified.pop()? };
        Some((next, self.hasher_of(next, true)))
    }

    /// Ends a survey of a part; returns the part, where it can now be sent.
    fn end_survey(&mut self, number: u32, hasher: PartHasher) -> Result<Option<u32>, UploadError> {
        let checksum = hasher.checksum();
        if !hasher.wanted().file {
            let is_same = checksum.is_some_and(|found| self.is_as_before(number, found));
            return if is_same { Ok(None) } else { Err(reads_differently(number)) };
        }
        let digest = self.hasher.commit(hasher);
        // Not by `set_digest`: a snapshot would be the larger for it, until the part is sent.
        if let Some(slot) = self.digests.get_mut(number as usize) {
            *slot = digest;
        }
        self.end_hashing(number, checksum);
        if self.keep {
            return Ok(None);
        }
        // It may have been opened meanwhile, to be read.
        if let Some(part) = self.part_mut(number) {
            part.stage = Stage::Sending;
        }
        Ok(Some(number))
    }

    /// Takes in that a part went into the file's digest.
    fn end_hashing(&mut self, number: u32, checksum: Option<Checksum>) {
        if let Some(checksum) = checksum {
            self.checksums.push(checksum);
        }
        self.hashed += self.plan.length(number);
        self.file_hashed = number + 1;
        self.end_of_file();
    }

    /// Begins to make sure that the file is still the one that was read: once all of it is sent, or all but sent; returns
    /// what its bytes are fed to.
    ///
    /// Where every part was read once by now, and is sent with what it held then, it may begin before: what is read twice
    /// with the same result was so at the time in between. Half of the file is left for that, as what changes later is
    /// only found where it is not read again. What is sent from then on is read once more by itself, if it is a slice.
    pub(crate) fn begin_verification(&mut self, op: OpId) -> Option<PartHasher> {
        let read = self.next == self.plan.parts() && self.open.iter().all(|part| part.stage == Stage::Sending);
        let sent = self.all_done() || !self.sends_before_end;
        let surveyed = self.surveys && self.file_digest.is_some() && self.confirmed >= self.plan.size() / 2;
        if self.verification != Verification::Due || !(read && sent || surveyed) {
            return None;
        }
        self.verification = Verification::Running(op);
        let known = self.checksums.first().filter(|_| self.checksum_before(self.plan.parts()).is_some());
        Some(match known {
            _ if !self.rereads_file => PartHasher::idle(),
            Some(&nothing) => PartHasher::comparing(nothing),
            // An earlier visit read some of it.
            None => PartHasher::plain(),
        })
    }

    /// Ends the file's verification.
    fn end_verification(&mut self, hasher: PartHasher) -> Result<(), UploadError> {
        self.verification = Verification::Done;
        let is_same = match hasher.checksum() {
            Some(found) => self.checksums.last() == Some(&found),
            None => hasher.finish().is_none_or(|found| self.file_digest == Some(found)),
        };
        if is_same {
            Ok(())
        } else {
            Err(UploadError::new(ErrorCode::FileChanged, "The file changed while it was being sent"))
        }
    }

    /// Takes in that a part is sent as a slice, as memory is short: the file is verified after that, and not before.
    /// Returns the operation that verifies it too early.
    pub(crate) fn send_slices(&mut self) -> Option<OpId> {
        if self.rereads_slices() || !core::mem::take(&mut self.surveys) {
            return None;
        }
        match core::mem::replace(&mut self.verification, Verification::Due) {
            Verification::Running(op) => Some(op),
            _ => None,
        }
    }

    /// Tells whether parts are sent as slices of a file that is surveyed, and are read once more after it.
    pub(crate) const fn rereads_slices(&self) -> bool {
        self.surveys && !self.keep
    }

    /// Ends a read; returns the part, where it is now ready to be sent. None where the read is stale.
    pub(crate) fn end_read(&mut self, op: OpId, hasher: PartHasher) -> Option<Result<Option<u32>, UploadError>> {
        if self.verification == Verification::Running(op) {
            return Some(self.end_verification(hasher).map(|()| None));
        }
        if let Some((_, number)) = self.surveying.take_if(|(surveying, _)| *surveying == op) {
            return Some(self.end_survey(number, hasher));
        }
        let keep = self.keep;
        let part = self.open.iter_mut().find(|part| part.stage == Stage::Reading(op))?;
        let number = part.number;
        part.stage = Stage::Sending;
        part.held = (keep || part.from_memory) && !part.acknowledged;
        let acknowledged = part.acknowledged;
        self.read_to = self.read_to.max(self.plan.range(number).end);
        let (wanted, known, checksum) = (hasher.wanted(), self.digest(number), hasher.checksum());
        let digest = self.hasher.commit(hasher);
        let is_same = match checksum.filter(|_| !wanted.file) {
            Some(found) => self.is_as_before(number, found),
            None => known.is_none() || digest.is_none() || known == digest,
        };
        if !is_same {
            return Some(Err(reads_differently(number)));
        }
        self.set_digest(number, digest.or(known));
        if wanted.file {
            self.end_hashing(number, checksum);
        } else if wanted.part && known.is_none() && !self.wanted.file {
            self.hashed += self.plan.length(number);
        }
        if acknowledged {
            self.open.retain(|part| part.number != number);
        }
        Some(Ok((!acknowledged).then_some(number)))
    }
}

fn reads_differently(part: u32) -> UploadError {
    UploadError::new(ErrorCode::FileChanged, "The file changed: a part of it reads differently now").for_part(part)
}
