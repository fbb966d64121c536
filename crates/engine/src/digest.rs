//! SHA-1 digests of parts and of the whole file, in one pass, and their RFC 3230 spelling.

use alloc::string::String;
use core::fmt;

use sha1::digest::common::hazmat::{SerializableState, SerializedState};
use sha1::{Digest as _, Sha1};

use crate::base64;
use crate::checksum::Checksum;

/// A SHA-1 digest. Displays as the value of the `digest` header: `sha=<base64>` (RFC 3230, 4.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 20]);

impl Digest {
    /// Hashes bytes that are all at hand.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha1::digest(bytes).into())
    }
}

impl Digest {
    /// Returns the digest as base64.
    pub fn to_base64(self) -> String {
        base64::encode(&self.0)
    }

    /// Returns the value of the `digest` header: `sha=<base64>` (RFC 3230, 4.3.2).
    pub fn to_header(self) -> String {
        ["sha=", &self.to_base64()].concat()
    }

    /// Reads a digest from base64; none where it is no SHA-1.
    pub fn from_base64(text: &str) -> Option<Self> {
        base64::decode(text)?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_header())
    }
}

/// The digest of a file on its way: its parts go in in order, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileHasher {
    file: Sha1,
}

impl FileHasher {
    /// Begins a part; what it feeds counts for the file only once the part is [committed](Self::commit). A
    /// checksum goes on with it, where there is one.
    pub(crate) fn part(&self, wanted: Wanted, checksum: Option<Checksum>) -> PartHasher {
        let file = wanted.file.then(|| self.file.clone());
        PartHasher { part: wanted.part.then(PartDigest::new), file, checksum }
    }

    /// Ends a part: returns its digest, and goes on behind it with the file's.
    pub(crate) fn commit(&mut self, hasher: PartHasher) -> Option<Digest> {
        if let Some(file) = &hasher.file {
            self.file.clone_from(file);
        }
        hasher.finish()
    }

    /// Returns the digest of all parts so far.
    pub(crate) fn digest(&self) -> Digest {
        Digest(self.file.clone().finalize().into())
    }

    /// Writes down how far it is, as base64: some 90 bytes, the last 63 bytes of the file at most among them.
    pub(crate) fn save(&self) -> String {
        base64::encode(&self.file.serialize())
    }

    /// Goes on from where another one was [saved](Self::save); none where that is damaged.
    pub(crate) fn restore(saved: &str) -> Option<Self> {
        let state = SerializedState::<Sha1>::try_from(base64::decode(saved)?.as_slice()).ok()?;
        Sha1::deserialize(&state).ok().map(|file| Self { file })
    }
}

/// Which digests a part's bytes go into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The part's own.
    pub part: bool,
    /// The whole file's.
    pub file: bool,
}

/// The hashers of one part on its way; dropping it forgets the part. Every byte goes through the part's hasher, unless the
/// platform has one, and the file's while it is hot in cache, so that the file is read once.
#[derive(Debug, Clone)]
pub struct PartHasher {
    part: Option<PartDigest>,
    file: Option<Sha1>,
    checksum: Option<Checksum>,
}

#[derive(Debug, Clone)]
enum PartDigest {
    Hashing(Sha1),
    /// The platform computed it.
    Known(Digest),
}

impl PartDigest {
    fn new() -> Self {
        Self::Hashing(Sha1::new())
    }
}

impl PartHasher {
    /// Makes one for bytes that are no part of an upload.
    pub fn plain() -> Self {
        Self { part: Some(PartDigest::new()), ..Self::idle() }
    }

    /// Makes one that goes on with a checksum, for what was read before.
    pub(crate) fn comparing(checksum: Checksum) -> Self {
        Self { checksum: Some(checksum), ..Self::idle() }
    }

    /// Makes one that wants no bytes.
    pub(crate) fn idle() -> Self {
        Self { part: None, file: None, checksum: None }
    }

    /// Returns which digests its bytes go into.
    pub const fn wanted(&self) -> Wanted {
        Wanted { part: self.part.is_some(), file: self.file.is_some() }
    }

    /// Tells whether it wants the bytes at all.
    pub const fn wants_any(&self) -> bool {
        self.wants(Wanted { part: true, file: true })
    }

    /// Tells whether it wants bytes that go into these digests alone.
    pub const fn wants(&self, digests: Wanted) -> bool {
        digests.part && self.part.is_some() || digests.file && (self.file.is_some() || self.checksum.is_some())
    }

    /// Returns the checksum that its bytes went into.
    pub(crate) const fn checksum(&self) -> Option<Checksum> {
        self.checksum
    }

    /// Feeds bytes to every digest that is wanted.
    pub fn update(&mut self, bytes: &[u8]) {
        self.update_only(bytes, Wanted { part: true, file: true });
    }

    /// Feeds bytes to one digest or both, where they are wanted: a platform that has all of a part's bytes may compute its
    /// digest faster. What the bytes are compared by goes with the file's.
    pub fn update_only(&mut self, bytes: &[u8], digests: Wanted) {
        if let Some(PartDigest::Hashing(part)) = self.part.as_mut().filter(|_| digests.part) {
            part.update(bytes);
        }
        if let Some(file) = self.file.as_mut().filter(|_| digests.file) {
            file.update(bytes);
        }
        if let Some(checksum) = self.checksum.as_mut().filter(|_| digests.file) {
            checksum.update(bytes);
        }
    }

    /// Takes in the part's digest as the platform computed it.
    pub fn set_part(&mut self, digest: Digest) {
        self.part = Some(PartDigest::Known(digest));
    }

    /// Returns the part's digest, where it was wanted.
    pub fn finish(self) -> Option<Digest> {
        self.part.map(|part| match part {
            PartDigest::Hashing(part) => Digest(part.finalize().into()),
            PartDigest::Known(digest) => digest,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    const BOTH: Wanted = Wanted { part: true, file: true };

    #[test]
    fn header_value_is_the_rfc_3230_form() {
        // RFC 3174's own test vector.
        assert_eq!(Digest::of(b"abc").to_string(), "sha=qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
        assert_eq!(Digest::of(b"").to_string(), "sha=2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
    }

    #[test]
    fn parts_and_file_are_hashed_in_one_pass() {
        let data: Vec<u8> = (0..1000u32).map(|n| n as u8).collect();
        let mut file = FileHasher::default();
        for part in data.chunks(333) {
            let mut hasher = file.part(BOTH, None);
            part.chunks(64).for_each(|chunk| hasher.update(chunk));
            assert_eq!(file.commit(hasher), Some(Digest::of(part)));
        }
        assert_eq!(file.digest(), Digest::of(&data));
    }

    #[test]
    fn part_may_be_hashed_by_the_platform_or_apart_from_the_file() {
        for known in [None, Some(Digest([7; 20]))] {
            let mut file = FileHasher::default();
            let mut hasher = file.part(BOTH, None);
            hasher.update_only(b"abc", Wanted { part: false, file: true });
            match known {
                Some(digest) => hasher.set_part(digest),
                None => hasher.update_only(b"abc", Wanted { part: true, file: false }),
            }
            assert_eq!(hasher.wanted(), BOTH);
            assert_eq!(file.commit(hasher), known.or(Some(Digest::of(b"abc"))));
            assert_eq!(file.digest(), Digest::of(b"abc"));
        }
    }

    #[test]
    fn part_that_is_dropped_leaves_no_trace_in_the_file() {
        let mut file = FileHasher::default();
        file.part(BOTH, None).update(b"half of it");
        let mut whole = file.part(BOTH, None);
        whole.update(b"abc");
        file.commit(whole);
        assert_eq!(file.digest(), Digest::of(b"abc"));
    }

    #[test]
    fn part_hashed_again_does_not_count_twice_for_the_file() {
        let mut file = FileHasher::default();
        let mut first = file.part(BOTH, None);
        first.update(b"abc");
        file.commit(first);
        let mut again = file.part(Wanted { part: true, file: false }, None);
        again.update(b"abc");
        assert_eq!(file.commit(again), Some(Digest::of(b"abc")));
        assert_eq!(file.digest(), Digest::of(b"abc"));
    }

    #[test]
    fn saved_hasher_goes_on_where_it_was() {
        let data: Vec<u8> = (0..1000u32).map(|n| n as u8).collect();
        for split in [0, 1, 63, 64, 65, 999] {
            let mut file = FileHasher::default();
            let mut first = file.part(BOTH, None);
            first.update(&data[..split]);
            file.commit(first);
            let mut restored = FileHasher::restore(&file.save()).unwrap();
            let mut rest = restored.part(BOTH, None);
            rest.update(&data[split..]);
            restored.commit(rest);
            assert_eq!(restored.digest(), Digest::of(&data), "{split}");
        }
    }

    #[test]
    fn damaged_states_and_digests_are_refused() {
        for damaged in ["", "!", "AAAA", &"A".repeat(400)] {
            assert!(FileHasher::restore(damaged).is_none(), "{damaged}");
            assert!(Digest::from_base64(damaged).is_none(), "{damaged}");
        }
        assert_eq!(Digest::from_base64(&Digest::of(b"abc").to_base64()), Some(Digest::of(b"abc")));
    }
}
