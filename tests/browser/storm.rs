//! The storm in a browser: uploads by seed against an emulator that misbehaves, each judged as its native twin is.
//!
//! `STORM_SEED` in the environment of the build names the seeds instead: one (`7`) or a range (`1000..2000`).

use std::cell::Cell;
use std::rc::Rc;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use upload_session_engine::config::BodyMode;
use upload_storm::{End, Outcome, Retry, Scenario, judge, seeds};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Consumer, Failure, Running, file_of, function, get, on, settle, text, with};

/// Seeds of the uploads; others than the native storm's.
const SEEDS: std::ops::Range<u64> = 10_000..10_040;
/// Uploads at the same time: most of their time they wait for a stall to end.
const AT_A_TIME: usize = 5;

#[wasm_bindgen_test]
async fn every_upload_ends_byte_exact_or_with_an_error_that_the_script_explains() {
    let seeds = seeds(option_env!("STORM_SEED"), SEEDS).unwrap();
    let ends: Vec<_> = stream::iter(seeds.clone()).map(weather).buffer_unordered(AT_A_TIME).collect().await;
    let failures: Vec<&str> = ends.iter().filter_map(|end| end.as_ref().err()).map(String::as_str).collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), ends.len(), failures.join("\n\n"));
    let done = ends.iter().flatten().filter(|outcome| outcome.end == End::Done).count();
    assert!(seeds != SEEDS || (SEEDS.count() / 3..SEEDS.count()).contains(&done), "{done} got through: no storm");
}

/// Carries out the scenario of a seed; returns what came of it, or what is wrong with that.
async fn weather(seed: u64) -> Result<Outcome, String> {
    // A page cannot crash or go offline by itself.
    let scenario = Scenario { crash_after: None, offline_after: None, ..Scenario::new(seed) };
    let consumer = Consumer::with(scenario.service, scenario.settings("")).await;
    consumer.script(scenario.script("")).await;
    let outcome = upload(&scenario, &consumer).await;
    let evidence = consumer.evidence().await;
    judge(&scenario, &outcome, &evidence).map(|()| outcome.clone()).map_err(|wrong| {
        let log: Vec<String> = evidence.log.iter().map(|entry| format!("  {entry:?}")).collect();
        let command = format!("STORM_SEED={seed} cargo xtask test browser");
        format!("seed {seed}: {}\n  {command}\n  {scenario:?}\n  {outcome:?}\n{}", wrong.join("; "), log.join("\n"))
    })
}

/// Uploads, and aborts what failed.
async fn upload(scenario: &Scenario, consumer: &Consumer) -> Outcome {
    let (file, options) = (file_of(&scenario.content()), options(scenario, consumer));
    let running = Rc::new(Running::start(&file, &options));
    abort_after(&running, scenario.abort_after);
    let end = match settle(running.promise.clone()).await {
        Ok(_) => End::Done,
        Err(failure) if failure.is_upload_error() => End::Failed(failure.code()),
        Err(_) => End::Hung,
    };
    let aborted = settle(running.session.abort()).await.is_ok();
    let retries = running.events("retry").into_iter().map(|event| Retry {
        operation: text(&event, "operation").unwrap(),
        part_number: get(&event, "partNumber").as_f64().map(|number| number as u32),
        code: text(&event, "error.code").unwrap(),
    });
    Outcome {
        end: if aborted { end } else { End::Hung },
        retries: retries.collect(),
        warnings: running.events("warning").iter().filter_map(|event| text(event, "code")).collect(),
        keeps_record: scenario.keeps_record && has_record(&file, &options).await,
    }
}

/// Tells whether there is a record that could be gone on with.
async fn has_record(file: &JsValue, options: &JsValue) -> bool {
    let resumed = crate::support::stored(file.clone(), options.clone()).await;
    resumed.map_err(Failure).unwrap().is_some()
}

fn abort_after(running: &Rc<Running>, events: Option<u32>) {
    let Some(events) = events else { return };
    let left = Rc::new(Cell::new(events));
    for name in ["state", "session", "part", "retry", "warning"] {
        let (weak, left) = (Rc::downgrade(running), Rc::clone(&left));
        on(&running.session, name, move |_| match (left.get(), weak.upgrade()) {
            (0, Some(running)) => drop(running.session.abort()),
            (events, _) => left.set(events.saturating_sub(1)),
        });
    }
}

fn options(scenario: &Scenario, consumer: &Consumer) -> JsValue {
    let options = consumer.options(json!({
        "name": "storm.bin",
        "digest": scenario.digest.as_str(),
        "concurrency": scenario.concurrency,
        "body": if scenario.body == BodyMode::Blob { "blob" } else { "buffer" },
        "direct": if scenario.direct { "auto" } else { "never" },
        "restart": scenario.restart,
        "transport": if scenario.measures_progress { "xhr" } else { "fetch" },
        "stallTimeout": 500,
        "store": if scenario.keeps_record { Value::Null } else { json!("none") },
    }));
    if scenario.can_refresh_token { with(options, "apiKey", function(|| Ok("test-api-key".into()))) } else { options }
}
