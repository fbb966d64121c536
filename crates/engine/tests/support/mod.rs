//! Both ends of an upload on a virtual clock: the engine, driven as the module drives it, and a server that
//! holds to the contract and to a script of faults. Every invariant of the engine is checked at every step.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod observe;
pub mod server;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use upload_session_engine::clock::Duration;

use serde_json::Value;
use upload_session_engine::clock::{Instant, Now, read_date};
use upload_session_engine::config::{BodyMode, Config};
use upload_session_engine::digest::{Digest, PartHasher, Wanted};
use upload_session_engine::error::{ErrorCode, UploadError};
use upload_session_engine::json;
use upload_session_engine::output::{Event, OpId, Output, PartBody, PartState, State};
use upload_session_engine::progress::Progress;
use upload_session_engine::request::{Operation, Request, Response};
use upload_session_engine::retry::{Failure, parse_retry_after};
use upload_session_engine::snapshot::{BadSnapshot, FileIdentity, Fingerprint, Snapshot, TargetIdentity};
use upload_session_engine::upload::Upload;

use server::{Answer, Server};

/// Steps after which an upload counts as hanging or spinning.
const STEP_LIMIT: usize = 60_000;

/// What a caller does in the middle of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Pause,
    Resume,
    Abort,
    /// The network goes: what is in flight comes to no answer, and the platform says so.
    Offline,
    Online,
    /// The page lets go of the upload.
    Close,
    /// No part can be read any more.
    BreakFile,
    /// All of the file reads otherwise from now on.
    ChangeFile,
    /// The byte at that offset reads otherwise from now on.
    Overwrite(u64),
}

/// One request as it was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub at: Duration,
    pub operation: Operation,
    pub part: Option<u32>,
    pub held: bool,
    pub request: Request,
}

/// One read as it was asked for.
#[derive(Debug, Clone)]
pub struct Read {
    pub part: u32,
    pub wanted: Wanted,
    pub keep: bool,
    /// Parts opened and not acknowledged by then, this one included.
    pub open: usize,
}

enum Due {
    Answer(OpId, Response),
    Failure(OpId, Failure),
    Unsendable(OpId, UploadError),
    Prepared(Result<Fingerprint, UploadError>),
    Claimed(Result<(), UploadError>),
    Read(OpId, u32, std::ops::Range<u64>, PartHasher),
    Token(Result<(), UploadError>),
    Sent(OpId, u64),
    Act(Action),
}

/// An upload and its server.
pub struct Sim {
    pub upload: Upload,
    pub server: Server,
    pub config: Config,
    pub now: Duration,
    /// How long every request takes; random where none.
    pub latency: Option<Duration>,
    pub sent: Vec<Sent>,
    pub reads: Vec<Read>,
    /// What was cancelled on the wire.
    pub cut: Vec<(Operation, Option<u32>)>,
    /// Most parts that were in flight at a time.
    pub peak: usize,
    pub events: Vec<(Duration, Event)>,
    pub timers: Vec<Duration>,
    pub result: Option<Result<json::Value, UploadError>>,
    pub abort_ended: bool,
    /// How often the file was verified.
    pub verifications: usize,
    /// The record that is kept.
    pub record: Option<Snapshot>,
    /// What a claim comes to; it succeeds where none.
    pub claim: Option<Result<(), UploadError>>,
    /// What the preparation comes to; the fingerprint of the file and its target where none.
    pub preparation: Option<Result<Fingerprint, UploadError>>,
    pub refreshes: usize,
    /// What the next refreshes come to; they succeed where nothing is left.
    pub tokens: VecDeque<Result<(), UploadError>>,
    /// No refresh ever comes to anything.
    pub tokens_hang: bool,
    /// Parts whose bytes are held in memory.
    pub held: BTreeSet<u32>,
    /// What they are.
    contents: HashMap<u32, Vec<u8>>,
    /// What the platform reads from the file by itself, at some time between the request and its answer.
    slices: HashMap<OpId, PartBody>,
    /// Most bytes that were held at a time.
    pub held_peak: u64,
    /// How many bytes of a stream were read: none can be read twice.
    pub stream_at: u64,
    pub file_broken: bool,
    pub file_changed: bool,
    /// What the file held and holds, the latest at its end; the server knows of the first.
    pub states: Vec<Vec<u8>>,
    /// Memory is short: the next parts to be held are not.
    pub memory_is_short: bool,
    rng: fastrand::Rng,
    due: BTreeMap<(Duration, u64), Due>,
    sequence: u64,
    timer: Option<Duration>,
    in_flight: BTreeMap<OpId, (Operation, Option<u32>)>,
    cancelled: BTreeSet<OpId>,
    /// The part whose digest comes out wrong the first time.
    pub miscomputed: Option<u32>,
    /// What is being read, and by which operation.
    pub reading: Option<(OpId, u32)>,
    verifying: Option<OpId>,
    not_before: HashMap<(Operation, Option<u32>), Duration>,
    failing_since: HashMap<(Operation, Option<u32>), Duration>,
    /// When a request is to be sent again.
    due_at: HashMap<(Operation, Option<u32>), Duration>,
    progress: Progress,
    /// Which session that was of.
    told_of: usize,
    aborted: bool,
    deletion_acknowledged: bool,
    paused: bool,
    closed: bool,
    pub offline: bool,
    /// Parts that the server holds for sure: they must not be sent.
    pub never_again: Vec<u32>,
    steps: usize,
}

impl Sim {
    pub fn new(config: Config, server: Server, seed: u64) -> Self {
        Self {
            upload: Upload::new(config.clone(), seed).unwrap(),
            server,
            config,
            now: Duration::from_secs(1),
            latency: None,
            sent: Vec::new(),
            reads: Vec::new(),
            cut: Vec::new(),
            peak: 0,
            events: Vec::new(),
            timers: Vec::new(),
            result: None,
            abort_ended: false,
            verifications: 0,
            record: None,
            claim: None,
            preparation: None,
            refreshes: 0,
            tokens: VecDeque::new(),
            tokens_hang: false,
            held: BTreeSet::new(),
            contents: HashMap::new(),
            slices: HashMap::new(),
            held_peak: 0,
            stream_at: 0,
            file_broken: false,
            file_changed: false,
            states: Vec::new(),
            memory_is_short: false,
            rng: fastrand::Rng::with_seed(seed),
            due: BTreeMap::new(),
            sequence: 0,
            timer: None,
            in_flight: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            miscomputed: None,
            reading: None,
            verifying: None,
            not_before: HashMap::new(),
            failing_since: HashMap::new(),
            due_at: HashMap::new(),
            progress: Progress::default(),
            told_of: 0,
            aborted: false,
            deletion_acknowledged: false,
            paused: false,
            closed: false,
            offline: false,
            never_again: Vec::new(),
            steps: 0,
        }
    }

    /// Forgets the upload as a crash does, and goes on from the record that was kept, in a page opened a minute later.
    pub fn crash(self) -> Self {
        let record = self.record.expect("a record");
        // As it comes back from a store.
        let record = Snapshot::from_json(&record.to_json()).unwrap();
        let upload = Upload::from_snapshot(self.config.clone(), 8, record.clone()).unwrap();
        let server = Server { script: VecDeque::new(), ..self.server };
        let now = self.now + Duration::from_secs(60);
        Self { upload, record: Some(record), now, latency: self.latency, ..Self::new(self.config, server, 8) }
    }

    pub fn at(&self) -> Now {
        Now { instant: Instant::from_origin(self.now), unix: Duration::from_secs(1_700_000_000) + self.now }
    }

    /// Has something done after `delay`.
    pub fn act_after(&mut self, delay: Duration, action: Action) {
        self.schedule(delay, Due::Act(action));
    }

    pub fn start(&mut self) {
        let now = self.at();
        self.upload.handle_start(now);
        self.drain();
    }

    /// Starts, and runs until nothing is left to happen.
    pub fn run(&mut self) {
        self.start();
        while self.step() {}
        assert!(self.in_flight.is_empty(), "left in flight: {:?}", self.in_flight);
        assert!(self.held.is_empty() || self.paused, "left in memory: {:?}", self.held);
    }

    /// Runs until the condition holds; fails where it never does.
    pub fn run_until(&mut self, condition: impl Fn(&Self) -> bool) {
        if self.upload.state() == State::Idle {
            self.start();
        }
        while !condition(self) {
            assert!(self.step(), "it never happened");
        }
    }

    /// Returns when the next thing is due.
    pub fn next_at(&self) -> Option<Duration> {
        let next = self.due.first_key_value().map(|(&(at, _), _)| at);
        next.into_iter().chain(self.timer).min()
    }

    /// Does the next thing that is due; false where there is none.
    pub fn step(&mut self) -> bool {
        self.steps += 1;
        assert!(self.steps < STEP_LIMIT, "hangs or spins: {:?}", self.sent.iter().rev().take(10).collect::<Vec<_>>());
        let next = self.due.first_key_value().map(|(&key, _)| key);
        if let Some(timer) = self.timer.filter(|&timer| next.is_none_or(|(at, _)| timer <= at)) {
            self.timer = None;
            self.now = self.now.max(timer);
            let now = self.at();
            self.upload.handle_timeout(now);
        } else if let Some(key) = next {
            self.now = self.now.max(key.0);
            let due = self.due.remove(&key).unwrap();
            self.happen(due);
        } else {
            return false;
        }
        self.drain();
        true
    }

    pub fn act(&mut self, action: Action) {
        let now = self.at();
        match action {
            Action::Pause => {
                self.paused |= matches!(self.upload.state(), State::Starting | State::Uploading | State::Finishing);
                self.upload.handle_pause(now);
            }
            Action::Resume => {
                self.paused = false;
                self.failing_since.clear();
                self.upload.handle_resume(now);
            }
            Action::Abort => {
                self.aborted |= !matches!(self.upload.state(), State::Done);
                self.paused = false;
                if self.result.is_some() {
                    // The caller's own wish, not a retry of a deletion that was given up.
                    self.not_before.clear();
                    self.failing_since.clear();
                }
                self.upload.handle_abort(now);
            }
            Action::Offline => {
                self.offline = true;
                self.upload.handle_online(false, now);
            }
            Action::Online => {
                self.offline = false;
                self.failing_since.clear();
                self.upload.handle_online(true, now);
            }
            Action::Close => {
                let kept = self.record.is_some();
                self.aborted |= !kept && !matches!(self.upload.state(), State::Done);
                self.closed |= kept;
                self.paused = false;
                self.upload.handle_close(now);
            }
            Action::BreakFile => self.file_broken = true,
            Action::ChangeFile => self.file_changed = true,
            Action::Overwrite(at) => {
                let mut state = self.content().to_vec();
                let number = self.states.len().max(1) as u8;
                state.get_mut(at as usize).into_iter().for_each(|byte| *byte = byte.wrapping_add(number));
                if self.states.is_empty() {
                    self.states.push(self.server.file.clone());
                }
                self.states.push(state);
            }
        }
        self.drain();
    }

    /// Returns what the file holds.
    fn content(&self) -> &[u8] {
        self.states.last().unwrap_or(&self.server.file)
    }

    fn schedule(&mut self, delay: Duration, due: Due) {
        self.sequence += 1;
        self.due.insert((self.now + delay, self.sequence), due);
    }

    fn happen(&mut self, due: Due) {
        let now = self.at();
        match due {
            // Without a network no answer gets here.
            Due::Answer(op, _) if self.offline => self.happen(Due::Failure(op, Failure::Network)),
            Due::Answer(op, response) => {
                if let Some(slice) = self.slices.remove(&op).filter(|_| response.is_success() && self.rng.bool()) {
                    let content = self.content()[slice.range.start as usize..slice.range.end as usize].to_vec();
                    self.server.held.insert(slice.number, content);
                }
                self.note_outcome(op, Some(&response));
                self.upload.handle_response(op, &response, now);
            }
            Due::Failure(op, failure) => {
                self.note_outcome(op, None);
                self.upload.handle_failure(op, failure, now);
            }
            Due::Unsendable(op, error) => {
                self.in_flight.remove(&op);
                self.upload.handle_unsendable(op, error, now);
            }
            Due::Claimed(claimed) => self.upload.handle_claimed(claimed, now),
            Due::Prepared(fingerprint) => self.upload.handle_prepared(fingerprint, now),
            Due::Read(op, part, range, mut hasher) => {
                if self.cancelled.contains(&op) {
                    // Too late, and nobody's: neither may do anything.
                    self.upload.handle_read(op, hasher, now);
                    let error = UploadError::new(ErrorCode::FileChanged, "gone").for_part(part);
                    return self.upload.handle_read_failed(op, error, now);
                }
                if part == u32::MAX {
                    self.verifying = None;
                } else {
                    self.reading = None;
                }
                if self.file_broken {
                    self.held.remove(&part);
                    let error = UploadError::new(ErrorCode::FileChanged, "gone").for_part(part);
                    return self.upload.handle_read_failed(op, error, now);
                }
                let end = range.end.min(self.server.size());
                if self.config.body == BodyMode::Stream && part != u32::MAX {
                    assert_eq!(range.start, self.stream_at, "a stream is not read from its beginning to its end");
                    self.stream_at = end;
                }
                if self.config.size.is_none() && (end < range.end || part == u32::MAX) {
                    self.upload.handle_end(op, end, now);
                    if end == range.start && part != u32::MAX {
                        self.held.remove(&part);
                        return;
                    }
                }
                let mut bytes = self.content()[range.start as usize..end as usize].to_vec();
                bytes.iter_mut().take(1).for_each(|byte| *byte ^= u8::from(self.file_changed));
                hasher.update(&bytes);
                if hasher.wanted().part && self.miscomputed.take_if(|miscomputed| *miscomputed == part).is_some() {
                    hasher.set_part(Digest([7; 20]));
                }
                if self.held.contains(&part) && !self.contents.contains_key(&part) && !self.memory_is_short {
                    self.contents.insert(part, bytes);
                }
                self.upload.handle_read(op, hasher, now);
            }
            Due::Token(outcome) => self.upload.handle_token(outcome, now),
            Due::Sent(op, bytes) => self.upload.handle_sent(op, bytes, now),
            Due::Act(action) => self.act(action),
        }
    }

    /// Remembers what the answer asks for, to check the retries against.
    fn note_outcome(&mut self, op: OpId, response: Option<&Response>) {
        let Some(what) = self.in_flight.remove(&op) else { return };
        let failed = response.is_none_or(|response| !response.is_success());
        if self.offline && response.is_none() && what.0 != Operation::Delete {
            // Nobody's fault: it neither counts nor has to wait.
        } else if failed {
            self.failing_since.entry(what).or_insert(self.now);
        } else {
            self.failing_since.remove(&what);
            self.deletion_acknowledged |= what.0 == Operation::Delete;
        }
        let unix = self.at().unix;
        if let Some(wait) = response.and_then(|r| parse_retry_after(r.retry_after.as_deref()?, unix, read_date)) {
            self.not_before.insert(what, self.now + wait);
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.upload.poll_output() {
            match output {
                Output::Prepare => {
                    let prepared = self.preparation.take().unwrap_or_else(|| Ok(fingerprint(&self.config)));
                    self.schedule(Duration::from_millis(3), Due::Prepared(prepared));
                }
                Output::Claim => {
                    let claimed = self.claim.take().unwrap_or(Ok(()));
                    self.schedule(Duration::from_millis(3), Due::Claimed(claimed));
                }
                Output::Save(snapshot) => {
                    assert!(!self.aborted && self.result.is_none(), "keeps a record after its end");
                    assert!(self.config.keeps_record, "keeps a record that nobody asked for");
                    self.record = Some(snapshot);
                }
                Output::Forget => {
                    assert!(self.record.take().is_some(), "drops what was not kept");
                }
                Output::Verify { op, hasher } => {
                    assert!(!self.aborted && self.result.is_none(), "reads after its end");
                    assert!(self.verifying.replace(op).is_none(), "verifies the file twice at a time");
                    assert_eq!(hasher.wants_any(), self.config.rereads_file);
                    self.verifications += 1;
                    let range = 0..self.server.size();
                    self.schedule(Duration::from_millis(10), Due::Read(op, u32::MAX, range, hasher));
                }
                Output::Read { op, part, range, hasher, keep } => {
                    assert!(!self.aborted && self.result.is_none(), "reads after its end");
                    assert!(self.reading.replace((op, part)).is_none(), "reads two parts at a time");
                    let done = |(_, event): &&(_, Event)| matches!(event, Event::Part { state: PartState::Done, .. });
                    let open = (part as usize + 1).saturating_sub(self.events.iter().filter(done).count());
                    self.reads.push(Read { part, wanted: hasher.wanted(), keep, open });
                    if keep {
                        self.contents.remove(&part);
                        if self.memory_is_short {
                            self.upload.handle_not_held(op);
                        }
                        assert!(self.held.insert(part), "reads what is held");
                        let bytes = self.held.len() as u64 * self.server.part_size.min(self.server.size());
                        self.held_peak = self.held_peak.max(bytes);
                        assert!(bytes <= self.config.memory_budget, "over the memory budget");
                    }
                    let delay = Duration::from_millis(self.rng.u64(0..5));
                    self.schedule(delay, Due::Read(op, part, range, hasher));
                }
                Output::Send { op, request, part } => self.send(op, request, part),
                Output::Cancel { op } => {
                    self.cut.extend(self.in_flight.remove(&op));
                    self.cancelled.insert(op);
                    self.verifying.take_if(|verifying| *verifying == op);
                    if let Some((_, part)) = self.reading.take_if(|(reading, _)| *reading == op) {
                        self.held.remove(&part);
                    }
                }
                Output::Release { part } => {
                    assert!(self.held.remove(&part), "lets go of what is not held");
                }
                Output::RefreshToken => {
                    self.refreshes += 1;
                    let outcome = self.tokens.pop_front().unwrap_or(Ok(()));
                    if !self.tokens_hang {
                        self.schedule(Duration::from_millis(30), Due::Token(outcome));
                    }
                }
                Output::WaitUntil(at) => {
                    let origin = Instant::from_origin(Duration::ZERO);
                    let at = at.since(origin);
                    assert!(at >= self.now, "waits for a time in the past");
                    self.timer = Some(at);
                    self.timers.push(at);
                }
                Output::Event(event) => self.on_event(event),
                Output::Finished(result) => {
                    assert!(self.result.is_none(), "ended twice");
                    self.result = Some(result);
                }
                Output::AbortEnded => {
                    assert!(self.aborted && !self.abort_ended);
                    self.abort_ended = true;
                }
            }
        }
    }

    fn send(&mut self, op: OpId, request: Request, part: Option<PartBody>) {
        let what = (request.operation, part.as_ref().map(|part| part.number));
        if what.0 == Operation::Create {
            // What a session before was told does not bind this one's requests.
            self.not_before.retain(|(operation, _), _| *operation == Operation::Create);
            self.failing_since.retain(|(operation, _), _| *operation == Operation::Create);
        }
        assert!(!self.aborted || what.0 == Operation::Delete, "{what:?} is sent after an abort");
        assert!(!matches!(self.result, Some(Ok(_))), "{what:?} is sent after the end");
        assert!(!self.deletion_acknowledged, "{what:?} is sent after the deletion was acknowledged");
        assert!(!self.paused, "{what:?} is sent during a pause");
        assert!(!self.closed, "{what:?} is sent after the page let go");
        let ends = self.aborted || what.0 == Operation::Delete;
        assert!(!self.offline || ends, "{what:?} is sent without a network");
        if let Some(&earliest) = self.not_before.get(&what) {
            assert!(self.now >= earliest, "{what:?} is sent {:?} before its Retry-After", (earliest - self.now));
        }
        // A time for which it only waited for room does not count.
        if let (Some(due), Some(since)) = (self.due_at.remove(&what), self.failing_since.get_mut(&what)) {
            *since += self.now - due;
        }
        if let Some(&since) = self.failing_since.get(&what) {
            assert!(
                (self.now - since) <= self.config.retry.max_elapsed_time,
                "{what:?} is sent after its retries' time"
            );
        }
        self.in_flight.insert(op, what);
        let carries = |what: &&(Operation, _)| matches!(what.0, Operation::Upload | Operation::Direct);
        let parts_in_flight = self.in_flight.values().filter(carries).count();
        assert!(parts_in_flight <= if self.server.parallel { self.config.concurrency } else { 1 });
        self.peak = self.peak.max(parts_in_flight);
        if let Some(part) = &part {
            assert!(!self.never_again.contains(&part.number), "{what:?} is sent again though it is held");
            assert!(!part.held || self.held.contains(&part.number), "sends what is not held");
        }
        let held = part.as_ref().is_some_and(|part| part.held);
        if let Some(part) = part.as_ref().filter(|_| !self.states.is_empty()) {
            let slice = &self.content()[part.range.start as usize..part.range.end as usize];
            let kept = self.contents.get(&part.number).filter(|_| held);
            self.server.arriving = Some(kept.map_or(slice, Vec::as_slice).to_vec());
            if !held {
                self.slices.insert(op, part.clone());
            }
        }
        let range = part.map(|part| part.range);
        let delay = self.latency.unwrap_or(Duration::from_millis(self.rng.u64(1..200)));
        if self.server.gone_at.is_some_and(|at| at <= self.now) {
            self.server.expire();
        }
        let length = range.as_ref().map_or(0, |range| range.end - range.start);
        let over = what.0 == Operation::Upload && self.server.max_in_flight.is_some_and(|most| parts_in_flight > most);
        let answer = if over {
            Answer::Response(server::error(429, None))
        } else if self.offline {
            Answer::Lost
        } else {
            self.server.handle(&request, range, &self.config)
        };
        if self.config.measures_progress && length > 0 && !matches!(answer, Answer::Never) {
            for quarter in 1..=4_u32 {
                self.schedule(delay * (f64::from(quarter) / 5.0), Due::Sent(op, length * u64::from(quarter) / 4));
            }
        }
        self.sent.push(Sent { at: self.now, operation: what.0, part: what.1, held, request });
        match answer {
            Answer::Response(response) => self.schedule(delay, Due::Answer(op, response)),
            Answer::Unsendable(error) => self.schedule(delay, Due::Unsendable(op, error)),
            Answer::Lost => self.schedule(delay, Due::Failure(op, Failure::Network)),
            // Nothing ever comes: the engine's own deadline has to end it.
            Answer::Never => {}
        }
    }

    fn on_event(&mut self, event: Event) {
        if let Event::Retry { operation, part, delay, .. } = &event {
            self.due_at.insert((*operation, *part), self.now + *delay);
        }
        if let Event::Progress(progress) = &event {
            let begins_again = std::mem::replace(&mut self.told_of, self.server.created) < self.server.created;
            assert!(progress.confirmed >= self.progress.confirmed || begins_again, "confirmed fell");
            assert!(progress.confirmed <= progress.sent && progress.sent <= progress.total);
            assert!(progress.parts_done >= self.progress.parts_done || begins_again);
            self.progress = *progress;
        }
        self.events.push((self.now, event));
    }
}

/// Returns a snapshot as JSON.
pub fn json_of(snapshot: &Snapshot) -> Value {
    Value::from(&snapshot.to_json())
}

/// Reads a snapshot from JSON.
pub fn snapshot_of(json: &Value) -> Result<Snapshot, BadSnapshot> {
    Snapshot::from_json(&json.clone().into())
}

/// Returns the fingerprint of an upload of this configuration.
pub fn fingerprint(config: &Config) -> Fingerprint {
    let file = FileIdentity { name: &config.name, size: config.size.unwrap(), last_modified: Some(1), media_type: "" };
    let target = TargetIdentity {
        server: "https://upload.example",
        app_id: None,
        consumer_id: None,
        service_id: config.service_id.as_deref(),
        parent_folder_id: &config.parent_folder_id,
        drive_id: config.drive_id.as_deref(),
        digest: config.digest,
    };
    Fingerprint { file: file.to_digest(Digest::of(b"samples")), target: target.to_digest() }
}
