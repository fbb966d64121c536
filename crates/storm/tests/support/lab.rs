//! The emulator, and one upload after the other carried out against it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use reqwest::Client;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use upload_emulator::{app, serve};
use upload_session_engine::clock;
use upload_session_engine::config::Config;
use upload_session_engine::retry::RetryPolicy;
use upload_storm::{End, Evidence, Outcome, Scenario, judge};

use super::driver::{Driver, Target, Turns};

/// Longest time that an upload may take, its abort included.
const LIMIT: Duration = Duration::from_secs(40);
/// Attempts follow one another this fast, for so long at most.
const RETRY: RetryPolicy = RetryPolicy {
    initial_interval: clock::Duration::from_millis(5),
    max_interval: clock::Duration::from_millis(50),
    max_elapsed_time: clock::Duration::from_secs(25),
    ..RetryPolicy::DEFAULT
};

/// An emulator on a port of its own.
pub(crate) struct Lab {
    /// Of uploads.
    http: Client,
    /// Of the control API, on connections that no fault cuts.
    control: Client,
    server: String,
}

impl Lab {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(listener, app(&upload_emulator::Config::default()).unwrap()));
        Self { http: Client::new(), control: Client::new(), server }
    }

    /// Carries out the scenario of a seed.
    ///
    /// # Errors
    /// What is wrong with its end, and all that helps to find out why.
    pub(crate) async fn run(&self, seed: u64) -> Result<Outcome, String> {
        let ended = AssertUnwindSafe(self.carry_out(seed)).catch_unwind().await;
        ended.unwrap_or_else(|_| Err(format!("seed {seed}: it panicked, see above\n{}", command(seed))))
    }

    async fn carry_out(&self, seed: u64) -> Result<Outcome, String> {
        let scenario = Scenario::new(seed);
        let consumer_id = format!("storm-{seed}");
        self.post("settings", &scenario.settings(&consumer_id)).await;
        self.post("faults", &scenario.script(&consumer_id)).await;
        let target = self.target(&consumer_id, scenario.service);
        let content = scenario.content().into();
        let turns = Turns { abort: scenario.abort_after, crash: scenario.crash_after, offline: scenario.offline_after };
        let mut driver = Driver::new(config(&scenario), seed, content, target, turns);
        let _ = timeout(LIMIT, driver.run()).await;
        let outcome = std::mem::take(&mut driver.outcome);
        drop(driver);
        let evidence = self.evidence(&consumer_id).await;
        match judge(&scenario, &outcome, &evidence) {
            Ok(()) => Ok(outcome),
            Err(wrong) => Err(report(&scenario, &wrong, &outcome, &evidence)),
        }
    }

    /// Sends a file that nothing happens to; returns what the emulator saw, and how long it took.
    pub(crate) async fn time(&self, config: Config, target: Target, content: Bytes) -> (Evidence, Duration) {
        let consumer_id = target.consumer_id.clone();
        let begin = Instant::now();
        let mut driver = Driver::new(config, 1, content, target, Turns::default());
        driver.run().await;
        assert_eq!(driver.outcome.end, End::Done);
        (self.evidence(&consumer_id).await, begin.elapsed())
    }

    /// Makes a consumer whose storage is that connector.
    pub(crate) fn target(&self, consumer_id: &str, service_id: &str) -> Target {
        Target {
            http: self.http.clone(),
            control: self.control.clone(),
            server: self.server.clone(),
            consumer_id: consumer_id.to_owned(),
            service_id: service_id.to_owned(),
        }
    }

    /// Asks what the emulator saw, once all requests have ended.
    async fn evidence(&self, consumer_id: &str) -> Evidence {
        let get = async |what: &str| {
            let url = format!("{}/_emulator/{what}?consumer_id={consumer_id}", self.server);
            self.control.get(url).send().await.unwrap().json::<Value>().await.unwrap()
        };
        let patience = Instant::now() + LIMIT;
        loop {
            let stats = get("stats").await;
            let begun: u64 = stats["requests"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
            if begun == stats["log"].as_array().unwrap().len() as u64 || Instant::now() > patience {
                return Evidence::read(stats, get("files").await, get("sessions").await).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn post(&self, what: &str, body: &Value) {
        let answer = self.control.post(format!("{}/_emulator/{what}", self.server)).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{what}: {}", answer.text().await.unwrap());
    }
}

fn config(scenario: &Scenario) -> Config {
    Config {
        digest: scenario.digest,
        service_id: Some(scenario.service.to_owned()),
        concurrency: scenario.concurrency,
        body: scenario.body,
        retry: RETRY,
        timeout: clock::Duration::from_secs(1),
        stall_timeout: clock::Duration::from_millis(300),
        rereads_file: scenario.rereads_file,
        measures_progress: scenario.measures_progress,
        direct: scenario.direct,
        restart: scenario.restart,
        keeps_record: scenario.keeps_record,
        can_refresh_token: scenario.can_refresh_token,
        read_date: clock::read_date,
        ..Config::new("storm.bin", "root", scenario.size)
    }
}

/// Returns what runs a seed again.
fn command(seed: u64) -> String {
    format!("  STORM_SEED={seed} cargo test -p upload-storm --test storm")
}

fn report(scenario: &Scenario, wrong: &[String], outcome: &Outcome, evidence: &Evidence) -> String {
    let mut lines = vec![
        format!("seed {}: {}", scenario.seed, wrong.join("; ")),
        command(scenario.seed),
        format!("  {scenario:?}"),
        format!("  {outcome:?}"),
        format!("  {} in flight at most, files {:?}, sessions {:?}", evidence.peak, evidence.files, evidence.sessions),
    ];
    lines.extend(evidence.log.iter().map(|entry| format!("  {entry:?}")));
    lines.join("\n")
}
