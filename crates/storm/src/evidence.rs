//! What the emulator saw of an upload, as its control API tells it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Everything that the emulator knows of one consumer, read once nothing is in flight any more.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Most uploads that were in flight at the same time.
    pub peak: u64,
    /// Requests that have ended, by the time of their beginning.
    pub log: Vec<Entry>,
    /// Files that were finished.
    pub files: Vec<StoredFile>,
    /// Ids of the sessions that are still open.
    pub sessions: Vec<String>,
}

/// One request that has ended.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Entry {
    /// Milliseconds from the start of the emulator to the request's headers.
    #[serde(default)]
    pub at_ms: u64,
    /// The same for its end.
    #[serde(default)]
    pub end_ms: u64,
    /// The operation, e.g. `upload`.
    pub operation: String,
    /// The session that it names.
    pub session_id: Option<String>,
    /// The part that it carries.
    pub part_number: Option<u32>,
    /// Status of the answer; none where the connection was cut.
    pub status: Option<u16>,
    /// The header `digest`.
    pub digest: Option<String>,
    /// Whether it was that of the bytes.
    pub digest_ok: Option<bool>,
    /// The kind of fault that struck it.
    pub fault: Option<String>,
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StoredFile {
    /// Bytes.
    pub size: u64,
    /// SHA-1 in hex.
    pub sha1: Option<String>,
}

impl Evidence {
    /// Reads the answers to `GET /_emulator/stats`, `…/files` and `…/sessions`.
    ///
    /// # Errors
    /// Where the emulator speaks another language: what is wrong, in words.
    pub fn read(stats: Value, files: Value, sessions: Value) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Stats {
            peak_parallel_uploads: u64,
            log: Vec<Entry>,
        }
        #[derive(Deserialize)]
        struct Session {
            id: String,
        }
        let stats: Stats = serde_json::from_value(stats)?;
        let sessions: Vec<Session> = serde_json::from_value(sessions)?;
        Ok(Self {
            peak: stats.peak_parallel_uploads,
            log: stats.log,
            files: serde_json::from_value(files)?,
            sessions: sessions.into_iter().map(|session| session.id).collect(),
        })
    }

    /// Returns for how many milliseconds so many uploads that were answered 200 were in flight, by their number, from
    /// `since_ms` to the end of the last.
    pub fn parallelism(&self, since_ms: u64) -> BTreeMap<u64, u64> {
        let mut changes = BTreeMap::<u64, i64>::new();
        for entry in self.of("upload").filter(|entry| entry.status == Some(200) && entry.end_ms > since_ms) {
            *changes.entry(entry.at_ms.max(since_ms)).or_default() += 1;
            *changes.entry(entry.end_ms).or_default() -= 1;
        }
        let (mut times, mut now, mut at) = (BTreeMap::new(), 0, since_ms);
        for (change_ms, change) in changes {
            *times.entry(u64::try_from(now).unwrap_or_default()).or_default() += change_ms - at;
            (now, at) = (now + change, change_ms);
        }
        times
    }

    /// Counts the uploads that were answered 429.
    pub fn refused(&self) -> usize {
        self.of("upload").filter(|entry| entry.status == Some(429)).count()
    }

    /// Returns the requests of an operation.
    pub(crate) fn of(&self, operation: &str) -> impl Iterator<Item = &Entry> {
        self.log.iter().filter(move |entry| entry.operation == operation)
    }
}

impl Entry {
    /// Tells whether the answer was written by the script.
    pub(crate) fn is_scripted(&self) -> bool {
        self.fault.as_deref() == Some("status")
    }

    /// Tells whether a byte was corrupted that nobody could notice.
    pub(crate) fn is_silently_corrupt(&self) -> bool {
        self.fault.as_deref() == Some("corrupt_byte") && self.digest.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parallelism_is_how_long_so_many_were_in_flight() {
        let upload = |at_ms, end_ms, status| Entry {
            at_ms,
            end_ms,
            operation: "upload".to_owned(),
            status: Some(status),
            ..Entry::default()
        };
        let log = vec![upload(0, 100, 200), upload(50, 150, 200), upload(60, 70, 429), upload(160, 170, 200)];
        let evidence = Evidence { log, ..Evidence::default() };
        assert_eq!(evidence.parallelism(0), BTreeMap::from([(0, 10), (1, 110), (2, 50)]));
        assert_eq!(evidence.parallelism(90), BTreeMap::from([(0, 10), (1, 60), (2, 10)]));
    }
}
