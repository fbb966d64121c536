//! What was asked of the emulator, by whom, when, and how it ended.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::Serialize;

use crate::faults::Operation;

/// Entries kept of one consumer; the oldest go first.
const LOG_LENGTH: usize = 100_000;

/// One request, as the log shows it. It never holds credentials.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LogEntry {
    /// Milliseconds from the start of the emulator to the request's headers.
    pub(crate) at_ms: u64,
    /// The same for the end of the request: its answer is on the way, or its connection gone.
    pub(crate) end_ms: u64,
    pub(crate) operation: Operation,
    pub(crate) consumer_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) part_number: Option<u32>,
    /// Null where no answer was given.
    pub(crate) status: Option<u16>,
    /// Bytes of the body that were read.
    pub(crate) bytes: u64,
    /// Header `digest` as it was sent.
    pub(crate) digest: Option<String>,
    /// Whether it was that of the bytes; null where it was not sent or not checked.
    pub(crate) digest_ok: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<&'static str>,
}

/// How many of something are in flight now, and at most so far.
#[derive(Debug, Default)]
pub(crate) struct Gauge(Mutex<(u64, u64)>);

impl Gauge {
    fn enter(&self) {
        let mut gauge = self.0.lock();
        gauge.0 += 1;
        gauge.1 = gauge.1.max(gauge.0);
    }

    fn leave(&self) {
        self.0.lock().0 -= 1;
    }

    fn now(&self) -> u64 {
        self.0.lock().0
    }

    /// Enters unless there are so many already.
    fn enter_below(&self, most: Option<u64>) -> bool {
        let mut gauge = self.0.lock();
        let free = most.is_none_or(|most| gauge.0 < most);
        gauge.0 += u64::from(free);
        free
    }

    pub(crate) fn peak(&self) -> u64 {
        self.0.lock().1
    }

    /// Forgets the peak.
    pub(crate) fn reset(&self) {
        let mut gauge = self.0.lock();
        gauge.1 = gauge.0;
    }
}

/// Counts an upload as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    of: [Arc<Stats>; 2],
    /// Whether there was room for it when it came.
    pub(crate) admitted: bool,
}

impl InFlight {
    /// Enters the upload into the statistics of its consumer, who may have so many, and of all.
    pub(crate) fn enter(consumer: Arc<Stats>, all: Arc<Stats>, most: Option<u64>) -> Self {
        let admitted = consumer.admitted.enter_below(most);
        let of = [consumer, all];
        of.iter().for_each(|stats| stats.uploads.enter());
        Self { of, admitted }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.of.iter().for_each(|stats| stats.uploads.leave());
        if self.admitted {
            self.of[0].admitted.leave();
        }
    }
}

/// The statistics of one consumer; an extra one, without a log, holds the peak of all.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) uploads: Gauge,
    /// Those of the uploads that `max_parallel_uploads` lets in.
    admitted: Gauge,
    pub(crate) bytes_received: AtomicU64,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    requests: BTreeMap<Operation, u64>,
    attempts: HashMap<(String, u32), u64>,
    retries: u64,
    parts_accepted: u64,
    log: VecDeque<LogEntry>,
}

impl Stats {
    /// Counts a request that has begun.
    pub(crate) fn count(&self, operation: Operation) {
        *self.book.lock().requests.entry(operation).or_default() += 1;
    }

    /// Counts an attempt at a part, and tells how many there are now.
    pub(crate) fn count_attempt(&self, session_id: &str, part_number: u32) -> u64 {
        let mut book = self.book.lock();
        let attempts = book.attempts.entry((session_id.to_owned(), part_number)).or_default();
        *attempts += 1;
        let attempts = *attempts;
        book.retries += u64::from(attempts > 1);
        attempts
    }

    /// Tells how many attempts at a part there were.
    pub(crate) fn attempts(&self, session_id: &str, part_number: u32) -> u64 {
        self.book.lock().attempts.get(&(session_id.to_owned(), part_number)).copied().unwrap_or(0)
    }

    /// Counts a part that is held from now on.
    pub(crate) fn count_accepted_part(&self) {
        self.book.lock().parts_accepted += 1;
    }

    /// Notes a request that has ended.
    pub(crate) fn note(&self, entry: LogEntry) {
        let mut book = self.book.lock();
        if book.log.len() == LOG_LENGTH {
            book.log.pop_front();
        }
        book.log.push_back(entry);
    }
}

/// What `GET /_emulator/stats` answers.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    requests: Requests,
    retries: u64,
    bytes_received: u64,
    uploads_in_flight: u64,
    pub(crate) peak_parallel_uploads: u64,
    pub(crate) sessions_open: usize,
    parts_accepted: u64,
    parts: Vec<PartReport>,
    log: Vec<LogEntry>,
}

/// What became of one part of one session, by the log.
#[derive(Debug, Serialize)]
struct PartReport {
    session_id: String,
    part_number: u32,
    /// Requests that have ended.
    attempts: u64,
    /// Answers 200, scripted ones aside.
    acknowledged: u64,
    /// Bytes of all attempts that were read.
    bytes: u64,
}

#[derive(Debug, Default, Serialize)]
struct Requests {
    create: u64,
    get: u64,
    upload: u64,
    finish: u64,
    delete: u64,
    direct: u64,
}

impl Report {
    /// Sums these statistics up, with their logs in order of time.
    pub(crate) fn of(all: &[Arc<Stats>]) -> Self {
        let mut report = Self::default();
        all.iter().for_each(|stats| report.add(stats));
        report.log.sort_by_key(|entry| entry.at_ms);
        report.parts = parts_of(&report.log);
        report
    }

    fn add(&mut self, stats: &Stats) {
        self.bytes_received += stats.bytes_received.load(Ordering::Relaxed);
        self.uploads_in_flight += stats.uploads.now();
        self.peak_parallel_uploads = self.peak_parallel_uploads.max(stats.uploads.peak());
        let book = stats.book.lock();
        let requests = |operation| book.requests.get(&operation).copied().unwrap_or(0);
        self.requests.create += requests(Operation::Create);
        self.requests.get += requests(Operation::Get);
        self.requests.upload += requests(Operation::Upload);
        self.requests.finish += requests(Operation::Finish);
        self.requests.delete += requests(Operation::Delete);
        self.requests.direct += requests(Operation::Direct);
        self.retries += book.retries;
        self.parts_accepted += book.parts_accepted;
        self.log.extend(book.log.iter().cloned());
    }
}

fn parts_of(log: &[LogEntry]) -> Vec<PartReport> {
    let mut parts = BTreeMap::<(&str, u32), PartReport>::new();
    for entry in log.iter().filter(|entry| entry.operation == Operation::Upload) {
        let (Some(session_id), Some(part_number)) = (entry.session_id.as_deref(), entry.part_number) else {
            continue;
        };
        let part = parts.entry((session_id, part_number)).or_insert_with(|| PartReport {
            session_id: session_id.to_owned(),
            part_number,
            attempts: 0,
            acknowledged: 0,
            bytes: 0,
        });
        part.attempts += 1;
        part.acknowledged += u64::from(entry.status == Some(200) && entry.fault != Some("status"));
        part.bytes += entry.bytes;
    }
    parts.into_values().collect()
}
