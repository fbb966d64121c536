//! Scenarios: what is uploaded, how, and what goes wrong.

use std::ops::Range;

use fastrand::Rng;
use serde_json::{Value, json};
use upload_session_engine::config::{BodyMode, DigestMode};
use upload_session_engine::digest::Digest;

use crate::faults::{self, pick};

const SERVICES: [&str; 5] = ["box", "google-drive", "onedrive", "sharepoint", "dropbox"];
const PART_SIZES: [u64; 6] = [1, 1_000, 16_384, 65_536, 200_000, 1_000_000];
/// Most parts, so that an upload ends soon.
const MOST_PARTS: u64 = 16;

/// One upload and its misfortunes. The same seed is the same scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What all else comes from.
    pub seed: u64,
    /// Value of `x-apideck-service-id`.
    pub service: &'static str,
    /// Bytes of the file.
    pub size: u64,
    /// Bytes of every part but the last.
    pub part_size: u64,
    /// Whether the session takes parts side by side.
    pub parallel: bool,
    /// Option `concurrency`.
    pub concurrency: usize,
    /// Option `body`.
    pub body: BodyMode,
    /// Option `digest`.
    pub digest: DigestMode,
    /// Option `direct` is "auto".
    pub direct: bool,
    /// Option `restart`.
    pub restart: bool,
    /// Whether a fresh token can be had after a 401.
    pub can_refresh_token: bool,
    /// Whether the transport tells how many bytes are on their way.
    pub measures_progress: bool,
    /// The platform reads a file that changed as if nothing had happened.
    pub rereads_file: bool,
    /// A record is kept to go on with.
    pub keeps_record: bool,
    /// The upload is aborted after so many events, those of progress aside.
    pub abort_after: Option<u32>,
    /// All but the record is lost after so many events.
    pub crash_after: Option<u32>,
    /// The link is cut for a moment after so many events.
    pub offline_after: Option<u32>,
    /// How often finish is answered 202, with a second to wait.
    pub finish_accepted_times: u32,
    /// Uploads in flight from which on the next is answered 429.
    pub max_parallel_uploads: Option<u64>,
    /// What goes wrong, as `POST /_emulator/faults` takes it.
    pub faults: Vec<Value>,
}

impl Scenario {
    /// Makes the scenario of a seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let service = pick(&mut rng, SERVICES);
        let part_size = pick(&mut rng, PART_SIZES);
        let size = size(&mut rng, part_size);
        let digest = match rng.u8(..4) {
            // Box takes nothing without both.
            _ if service == "box" => DigestMode::PartsAndFile,
            0 => DigestMode::Parts,
            1 => DigestMode::None,
            _ => DigestMode::PartsAndFile,
        };
        let mut scenario = Self {
            seed,
            service,
            size,
            part_size,
            parallel: matches!(service, "box" | "dropbox") || rng.u8(..4) == 0,
            concurrency: rng.usize(1..=6),
            body: if rng.bool() { BodyMode::Blob } else { BodyMode::Buffer },
            digest,
            direct: rng.u8(..6) == 0,
            restart: rng.bool(),
            can_refresh_token: rng.bool(),
            measures_progress: rng.bool(),
            rereads_file: rng.bool(),
            keeps_record: rng.bool(),
            abort_after: (rng.u8(..6) == 0).then(|| rng.u32(..30)),
            crash_after: (rng.u8(..3) == 0).then(|| rng.u32(..30)),
            offline_after: (rng.u8(..10) == 0).then(|| rng.u32(..30)),
            finish_accepted_times: u32::from(rng.u8(..16) == 0),
            max_parallel_uploads: (rng.u8(..8) == 0).then(|| rng.u64(1..=4)),
            faults: Vec::new(),
        };
        scenario.keeps_record |= scenario.crash_after.is_some();
        let count = if rng.u8(..8) == 0 { 0 } else { rng.u32(1..=6) };
        let parts = u32::try_from(scenario.parts()).unwrap_or(u32::MAX);
        scenario.faults = (0..count).map(|_| faults::random(&mut rng, scenario.is_direct(), parts)).collect();
        scenario
    }

    /// Returns how many parts the file has.
    pub fn parts(&self) -> u64 {
        self.size.div_ceil(self.part_size)
    }

    /// Tells whether the file goes in one request.
    pub fn is_direct(&self) -> bool {
        // No file here is larger than any connector takes in one.
        self.size == 0 || self.direct
    }

    /// Returns the bytes of the file.
    pub fn content(&self) -> Vec<u8> {
        let mut content = vec![0; usize::try_from(self.size).unwrap_or_default()];
        Rng::with_seed(!self.seed).fill(&mut content);
        content
    }

    /// Returns what `POST /_emulator/settings` is told for this consumer.
    pub fn settings(&self, consumer_id: &str) -> Value {
        json!({
            "consumer_id": consumer_id,
            "part_size": self.part_size,
            "parallel": self.parallel,
            "session_minimum": 0,
            "finish_accepted_times": self.finish_accepted_times,
            "max_parallel_uploads": self.max_parallel_uploads,
            "retry_after": 0,
        })
    }

    /// Returns what `POST /_emulator/faults` is told for this consumer.
    pub fn script(&self, consumer_id: &str) -> Value {
        let rules = self.faults.iter().cloned().map(|mut rule| {
            rule["consumer_id"] = json!(consumer_id);
            rule
        });
        rules.collect()
    }
}

/// Reads which seeds are to be run instead of the usual ones: one (`7`) or a range (`1000..2000`).
///
/// # Errors
/// What it takes, where it is neither.
pub fn seeds(text: Option<&str>, usual: Range<u64>) -> Result<Range<u64>, String> {
    let Some(text) = text else { return Ok(usual) };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let range = match text.split_once("..") {
        Some((first, end)) => number(first).zip(number(end)),
        None => number(text).and_then(|seed| Some((seed, seed.checked_add(1)?))),
    };
    let range = range.map(|(first, end)| first..end).filter(|range| !range.is_empty());
    range.ok_or_else(|| format!("STORM_SEED is {text}, and takes a number, or a range like 1000..2000"))
}

/// Files of no byte and of one, and those that end at a part's end or beside it, are where mistakes are.
fn size(rng: &mut Rng, part_size: u64) -> u64 {
    let parts = rng.u64(1..=MOST_PARTS);
    match rng.u8(..12) {
        0 => 0,
        1 => 1,
        2 | 3 => part_size * parts - 1,
        4 | 5 => part_size * parts,
        6 | 7 => part_size * (parts - 1) + 1,
        _ => rng.u64(1..=part_size * parts),
    }
    .min(3_000_000)
}

/// Returns the SHA-1 of bytes in hex, as the emulator writes it.
pub(crate) fn sha1_hex(bytes: &[u8]) -> String {
    Digest::of(bytes).0.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_scenario() {
        for seed in 0..100 {
            assert_eq!(Scenario::new(seed), Scenario::new(seed));
            assert_ne!(Scenario::new(seed), Scenario { seed, ..Scenario::new(seed + 1) });
        }
    }

    #[test]
    fn every_operation_and_every_kind_of_fault_occurs() {
        let faults: Vec<Value> = (0..500).flat_map(|seed| Scenario::new(seed).faults).collect();
        let some = |path: &str, value: &str| faults.iter().any(|rule| rule.pointer(path) == Some(&json!(value)));
        for operation in ["create", "get", "upload", "finish", "delete", "direct"] {
            assert!(some("/operation", operation), "{operation}");
        }
        for kind in ["status", "reset", "stall", "lost_answer", "corrupt_byte", "expire"] {
            assert!(some("/fault/kind", kind), "{kind}");
        }
        for when in ["before_body", "mid_body", "after_body"] {
            assert!(some("/fault/when", when), "{when}");
        }
    }

    #[test]
    fn seeds_are_one_or_a_range() {
        assert_eq!(seeds(None, 0..5), Ok(0..5));
        assert_eq!(seeds(Some("7"), 0..5), Ok(7..8));
        assert_eq!(seeds(Some("10..20"), 0..5), Ok(10..20));
        for wrong in ["", "a", "1..", "5..5", "18446744073709551615"] {
            assert!(seeds(Some(wrong), 0..5).is_err(), "{wrong}");
        }
    }

    #[test]
    fn odd_sizes_occur() {
        let all: Vec<Scenario> = (0..500).map(Scenario::new).collect();
        assert!(all.iter().any(|one| one.size == 0));
        assert!(all.iter().any(|one| one.size == 1 && one.part_size > 1));
        for rest in [0, 1] {
            let fits = |one: &Scenario| one.part_size > 1 && one.parts() > 1 && one.size % one.part_size == rest;
            assert!(all.iter().any(fits), "{rest} behind whole parts");
        }
        let one_short = |one: &Scenario| one.part_size > 1 && (one.size + 1).is_multiple_of(one.part_size);
        assert!(all.iter().any(one_short));
        assert!(all.iter().all(|one| one.parts() <= MOST_PARTS));
    }
}
