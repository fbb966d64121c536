//! What is kept of the parts, and going on from it.

use super::Parts;
use crate::digest::Wanted;
use crate::snapshot::{Fingerprint, Snapshot};
use alloc::borrow::ToOwned;
use alloc::vec::Vec;

impl Parts {
    /// Goes on from a snapshot of the same plan. `held` is how many bytes a sequential session says to hold.
    pub(crate) fn resume(&mut self, snapshot: Snapshot, held: Option<u64>) {
        let recorded = snapshot.acknowledged;
        if self.in_order {
            let is_held = |part: &u32| held.is_some_and(|held| self.plan.range(*part).end <= held);
            self.acknowledged.insert(0..(0..self.plan.parts()).take_while(is_held).count() as u32);
        } else {
            self.acknowledged = recorded.clone();
        }
        for (part, digest) in snapshot.digests {
            self.set_digest(part, Some(digest));
        }
        let known = |part: &u32| self.digest(*part).is_some();
        let unsent = (0..self.plan.parts()).any(|part| !self.is_acknowledged(part) && known(&part));
        // One whose answer the earlier visit did not live to see is there with what it was sent with: looked at in any case.
        let is_witness =
            |part: &u32| known(part) && self.is_acknowledged(*part) && !(unsent && recorded.contains(*part));
        self.witness = (0..self.plan.parts()).rev().find(|part| self.wanted.part && is_witness(part));
        if self.wanted.file {
            self.hasher = snapshot.hasher;
            self.checksums = Vec::new();
            self.file_hashed = snapshot.file_hashed;
            self.end_of_file();
        }
        self.compares = true;
        // Nothing is known of the parts that an earlier visit sent but what the file's digest was by then.
        self.surveys = false;
        self.done = self.acknowledged.len();
        self.confirmed = self.bytes_where(|parts, part| parts.is_acknowledged(part));
        self.hashed = self.bytes_where(|parts, part| match parts.wanted {
            Wanted { file: true, .. } => part < parts.file_hashed,
            Wanted { part: true, .. } => parts.is_acknowledged(part) || parts.digest(part).is_some(),
            _ => false,
        });
    }

    /// Begins again with another session, and keeps what was hashed.
    pub(crate) fn restart(&mut self, before: Self) {
        let is_cut_alike = self.plan == before.plan;
        if is_cut_alike {
            self.surveys &= before.surveys;
            self.digests = before.digests;
            self.digests_end = before.digests_end;
            self.checksums = before.checksums;
            self.surveyed_from = before.file_hashed;
        } else if before.file_digest.is_some() {
            // The parts are others, and the file is the same.
            self.surveys = false;
            self.checksums = Vec::new();
        } else {
            return;
        }
        self.hasher = before.hasher;
        self.file_hashed = if is_cut_alike { before.file_hashed } else { self.plan.parts() };
        self.file_digest = before.file_digest;
        self.hashed = before.hashed;
    }

    /// Returns what there is to go on with after a reload.
    pub(crate) fn snapshot(&self, session_id: &str, fingerprint: Fingerprint) -> Snapshot {
        let mut digests = Vec::new();
        // Of all parts only those that are open, or were hashed by an earlier visit, are looked at: this runs for each
        // that is acknowledged.
        for part in self.acknowledged.missing_below(self.digests_end) {
            digests.extend(self.digest(part).map(|digest| (part, digest)));
        }
        if digests.is_empty() {
            let last = (0..self.digests_end).rev().find_map(|part| Some((part, self.digest(part)?)));
            digests.extend(last);
        }
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
        self.acknowledged.iter().collect()
    }

    fn bytes_where(&self, matches: impl Fn(&Self, u32) -> bool) -> u64 {
        (0..self.plan.parts()).filter(|&part| matches(self, part)).map(|part| self.plan.length(part)).sum()
    }
}
