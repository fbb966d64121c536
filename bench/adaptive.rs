//! Adaptive concurrency against a server that answers 429 above N uploads in flight, beside a plain client that keeps
//! exactly N in flight: `cargo bench --profile native -p upload-storm --bench adaptive`.
//!
//! Every request takes 80 ms before it is looked at, so that parts side by side are what makes it fast. Both clients run
//! at the same time, each with a link and a limit of its own: what else the machine does slows down both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../crates/storm/tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use upload_session_engine::config::{Config, DigestMode};
use upload_session_engine::request::Request;
use upload_session_engine::wire::CreateUploadSession;
use upload_storm::Evidence;

use support::{Lab, Target};

const PART_SIZE: usize = 128 * 1024;
const PARTS: usize = 400;
const LATENCY_MS: u32 = 80;
const BYTES_PER_SECOND: u64 = 32 * 1024 * 1024;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let lab = Lab::open().await;
    let content = Bytes::from(vec![7; PART_SIZE * PARTS]);
    println!("| N | fixed, s | adaptive, s | lost | in flight for most of the second half | answered 429 |");
    println!("|---|---|---|---|---|---|");
    for allowed in [2, 3, 4] {
        let fixed = consumer(&lab, &format!("fixed-{allowed}"), allowed).await;
        let adaptive = consumer(&lab, &format!("adaptive-{allowed}"), allowed).await;
        let (fixed, (evidence, adaptive)) =
            tokio::join!(keep_in_flight(allowed, &fixed, &content), lab.time(config(), adaptive, content.clone()));
        let (fixed, adaptive) = (fixed.as_secs_f64(), adaptive.as_secs_f64());
        let (lost, settled) = (100.0 * (1.0 - fixed / adaptive), settled(&evidence));
        println!("| {allowed} | {fixed:.1} | {adaptive:.1} | {lost:.1} % | {settled} | {} |", evidence.refused());
        assert!(settled.abs_diff(allowed as u64) <= 1, "N = {allowed}: settled at {settled}");
        assert!(lost < 10.0, "N = {allowed}: lost {lost:.1} %");
    }
}

async fn consumer(lab: &Lab, id: &str, allowed: usize) -> Target {
    let settings = json!({"consumer_id": id, "part_size": PART_SIZE, "latency_ms": LATENCY_MS,
        "rate": BYTES_PER_SECOND, "max_parallel_uploads": allowed});
    lab.post("settings", &settings).await;
    lab.target(id, "dropbox")
}

fn config() -> Config {
    let size = (PART_SIZE * PARTS) as u64;
    let plain = Config::new("adaptive.bin", "root", size);
    Config { concurrency: Config::MAX_CONCURRENCY, digest: DigestMode::None, direct: false, ..plain }
}

/// Sends the same file with so many parts in flight, from the first to the last.
async fn keep_in_flight(parts: usize, target: &Target, content: &Bytes) -> Duration {
    let begin = Instant::now();
    let body = CreateUploadSession {
        name: "fixed.bin".to_owned(),
        parent_folder_id: "root".to_owned(),
        size: Some(content.len() as u64),
        drive_id: None,
        pass_through: None,
    };
    let created = target.call(Request::create(&body, false), None).await;
    let created: Value = serde_json::from_str(&created.body).unwrap();
    let id = created["data"]["id"].as_str().unwrap();
    target.call(Request::get(id, false, None).unwrap(), None).await;
    let sent = stream::iter((0..PARTS).map(|part| {
        let request = Request::upload(id, part as u32, None, false).unwrap();
        let body = content.slice(part * PART_SIZE..(part + 1) * PART_SIZE);
        let target = target.clone();
        tokio::spawn(async move { target.call(request, Some(body)).await })
    }));
    let answers: Vec<_> = sent.buffer_unordered(parts).collect().await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().status == 200));
    assert_eq!(target.call(Request::finish(id, None, false).unwrap(), None).await.status, 201);
    begin.elapsed()
}

/// Returns how many parts were in flight for the longest time in the second half of the upload.
fn settled(evidence: &Evidence) -> u64 {
    let first = evidence.log.iter().map(|entry| entry.at_ms).min().unwrap();
    let last = evidence.log.iter().map(|entry| entry.end_ms).max().unwrap();
    let times = evidence.parallelism(first.midpoint(last));
    times.into_iter().max_by_key(|(_, time)| *time).unwrap().0
}
