//! The engine's time for an event, over whole uploads of 10 to 10,001 parts: `cargo bench --profile native -p
//! upload-session-engine --bench events`. An event is one `handle_` call and the outputs that it leads to; nothing is read,
//! hashed or sent. Where the times of an element differ between the groups, something in the engine grows with the parts.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a benchmark")]

use std::collections::VecDeque;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use upload_session_engine::clock::{Duration, Instant, Now};
use upload_session_engine::config::{BodyMode, Config};
use upload_session_engine::digest::{Digest, PartHasher};
use upload_session_engine::output::{OpId, Output, State};
use upload_session_engine::request::{Operation, Response};
use upload_session_engine::snapshot::Fingerprint;
use upload_session_engine::upload::Upload;
use upload_session_engine::wire::MAX_PARTS;

const PART_SIZE: u64 = 8 * 1024 * 1024;

/// What is to be told next.
enum Input {
    Prepared,
    Read(OpId, PartHasher),
    Response(OpId, Response),
}

/// An upload, and a world that says yes to everything, a millisecond apart.
struct World {
    upload: Upload,
    inputs: VecDeque<Input>,
    now: Duration,
}

impl World {
    fn new(parts: u64, body: BodyMode, rereads_file: bool) -> Self {
        let plain = Config::new("measured.bin", "root", parts * PART_SIZE);
        let config = Config { direct: false, body, rereads_file, keeps_record: true, ..plain };
        let upload = Upload::new(config, 42).expect("a valid configuration");
        Self { upload, inputs: VecDeque::new(), now: Duration::ZERO }
    }

    fn tick(&mut self) -> Now {
        self.now += Duration::from_millis(1);
        Now { instant: Instant::from_origin(self.now), unix: self.now }
    }

    /// Uploads; returns how many events that took.
    fn run(mut self) -> u64 {
        let now = self.tick();
        self.upload.handle_start(now);
        self.drain();
        let mut events = 1;
        while let Some(input) = self.inputs.pop_front() {
            let now = self.tick();
            match input {
                Input::Prepared => {
                    let digest = Digest([0; 20]);
                    self.upload.handle_prepared(Ok(Fingerprint { file: digest, target: digest }), now);
                }
                Input::Read(op, hasher) => self.upload.handle_read(op, hasher, now),
                Input::Response(op, response) => self.upload.handle_response(op, &response, now),
            }
            self.drain();
            events += 1;
        }
        assert_eq!(self.upload.state(), State::Done, "the upload did not end");
        events
    }

    fn drain(&mut self) {
        while let Some(output) = self.upload.poll_output() {
            match black_box(output) {
                Output::Prepare => self.inputs.push_back(Input::Prepared),
                Output::Read { op, hasher, .. } | Output::Verify { op, hasher } => {
                    self.inputs.push_back(Input::Read(op, hasher));
                }
                Output::Send { op, request, .. } => {
                    self.inputs.push_back(Input::Response(op, answer(request.operation)));
                }
                // Nothing fails or lasts here: no timer is needed.
                _ => {}
            }
        }
    }
}

fn answer(operation: Operation) -> Response {
    let (status, body) = match operation {
        Operation::Create => (201, r#"{"data":{"id":"s"}}"#.to_owned()),
        Operation::Get => {
            let data = format!(r#"{{"id":"s","part_size":{PART_SIZE},"parallel_upload_supported":true}}"#);
            (200, format!(r#"{{"data":{data}}}"#))
        }
        Operation::Finish => (201, r#"{"data":{"id":"f"}}"#.to_owned()),
        _ => (200, r#"{"data":{"id":"s"}}"#.to_owned()),
    };
    Response { status, body, ..Response::default() }
}

fn events(criterion: &mut Criterion) {
    let groups =
        [("blob", BodyMode::Blob, false), ("blob-reread", BodyMode::Blob, true), ("buffer", BodyMode::Buffer, false)];
    for (name, body, rereads_file) in groups {
        let mut group = criterion.benchmark_group(name);
        for parts in [10, 100, 1_000, MAX_PARTS] {
            group.throughput(Throughput::Elements(World::new(parts, body, rereads_file).run()));
            group.bench_with_input(BenchmarkId::from_parameter(parts), &parts, |bencher, &parts| {
                bencher.iter(|| World::new(parts, body, rereads_file).run());
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = events
}
criterion_main!(benches);
