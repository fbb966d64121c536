//! The storm: uploads by seed through the engine, over real HTTP, against an emulator that misbehaves.
//!
//! `STORM_SEED` names the seeds instead: one (`7`) or a range (`1000..2000`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::{StreamExt, stream};
use upload_storm::{End, seeds};

use support::Lab;

/// Uploads at the same time: most of their time they wait for one another's turn, or for a stall to end.
const AT_A_TIME: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_upload_ends_byte_exact_or_with_an_error_that_the_script_explains() {
    let lab = Lab::open().await;
    let seeds = seeds(std::env::var("STORM_SEED").ok().as_deref(), 0..500).unwrap();
    let ends: Vec<_> = stream::iter(seeds).map(|seed| lab.run(seed)).buffer_unordered(AT_A_TIME).collect().await;
    let failures: Vec<&str> = ends.iter().filter_map(|end| end.as_ref().err()).map(String::as_str).collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), ends.len(), failures.join("\n\n"));
    let count = |matches: fn(&End) -> bool| ends.iter().flatten().filter(|outcome| matches(&outcome.end)).count();
    let (done, failed) = (count(|end| *end == End::Done), count(|end| matches!(end, End::Failed(_))));
    println!("{done} uploads got through, {failed} ended with an error or were aborted");
    // A storm that sinks all of them, or none, tells nothing.
    assert!(ends.len() < 100 || done > ends.len() / 3 && failed > ends.len() / 10);
}
