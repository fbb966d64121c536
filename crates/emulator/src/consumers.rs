//! The consumers: settings, link and statistics, each consumer's its own.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::sync::Notify;
use upload_session_engine::wire::MAX_PART_SIZE;

use crate::config::Config;
use crate::pace::Pacer;
use crate::profile::Profile;
use crate::stats::Stats;

/// What overrides the profiles, for one consumer or for all. None leaves it to the next in line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Settings {
    pub(crate) part_size: Option<u64>,
    pub(crate) parallel: Option<bool>,
    /// How many times finish answers 202 before it answers 201.
    pub(crate) finish_accepted_times: Option<u32>,
    pub(crate) rate: Option<u64>,
    /// Fewest bytes of a new session.
    pub(crate) session_minimum: Option<u64>,
    /// Uploads in flight from which on the next is answered 429.
    pub(crate) max_parallel_uploads: Option<u64>,
    /// Seconds of `Retry-After` in these answers; 0 leaves it out.
    pub(crate) retry_after: Option<u32>,
    /// For how long a request is on its way before it is looked at.
    pub(crate) latency_ms: Option<u32>,
    /// Whether connections are cut without an answer.
    pub(crate) unreachable: Option<bool>,
    pub(crate) expires_at: Option<ExpiresAt>,
}

/// What `expires_at` tells; the session lives as long as ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExpiresAt {
    /// The truth, e.g. `2022-09-30T07:43:32.000Z`.
    True,
    /// The truth without the zone: `2022-09-30T07:43:32.000`.
    WithoutZone,
    /// An hour ago.
    Past,
}

/// Body of `POST /_emulator/settings`: what is absent stays, what is null is reset.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    #[serde(default)]
    pub(crate) consumer_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    part_size: Option<Option<u64>>,
    #[serde(default, deserialize_with = "present")]
    parallel: Option<Option<bool>>,
    #[serde(default, deserialize_with = "present")]
    finish_accepted_times: Option<Option<u32>>,
    #[serde(default, deserialize_with = "present")]
    rate: Option<Option<u64>>,
    #[serde(default, deserialize_with = "present")]
    max_parallel_uploads: Option<Option<u64>>,
    #[serde(default, deserialize_with = "present")]
    session_minimum: Option<Option<u64>>,
    #[serde(default, deserialize_with = "present")]
    retry_after: Option<Option<u32>>,
    #[serde(default, deserialize_with = "present")]
    latency_ms: Option<Option<u32>>,
    #[serde(default, deserialize_with = "present")]
    unreachable: Option<Option<bool>>,
    #[serde(default, deserialize_with = "present")]
    expires_at: Option<Option<ExpiresAt>>,
}

/// Tells null from absent.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Change {
    /// Checks the values.
    ///
    /// # Errors
    /// A sentence that names the setting and what it takes.
    pub(crate) fn check(&self) -> Result<(), String> {
        if let Some(Some(part_size)) = self.part_size
            && !(1..=MAX_PART_SIZE).contains(&part_size)
        {
            return Err(format!("part_size must be 1 to {MAX_PART_SIZE}, or null"));
        }
        if self.rate == Some(Some(0)) {
            return Err("rate must be at least 1 byte a second, or null".to_owned());
        }
        Ok(())
    }
}

impl Settings {
    fn of_command_line(config: &Config) -> Self {
        Self { part_size: config.part_size, parallel: config.parallel, rate: config.rate, ..Self::default() }
    }

    fn apply(&mut self, change: &Change) {
        fn set<T: Copy>(value: &mut Option<T>, change: Option<Option<T>>) {
            if let Some(change) = change {
                *value = change;
            }
        }
        set(&mut self.part_size, change.part_size);
        set(&mut self.parallel, change.parallel);
        set(&mut self.finish_accepted_times, change.finish_accepted_times);
        set(&mut self.rate, change.rate);
        set(&mut self.max_parallel_uploads, change.max_parallel_uploads);
        set(&mut self.session_minimum, change.session_minimum);
        set(&mut self.retry_after, change.retry_after);
        set(&mut self.latency_ms, change.latency_ms);
        set(&mut self.unreachable, change.unreachable);
        set(&mut self.expires_at, change.expires_at);
    }

    fn or(&self, next: &Self) -> Self {
        Self {
            part_size: self.part_size.or(next.part_size),
            parallel: self.parallel.or(next.parallel),
            finish_accepted_times: self.finish_accepted_times.or(next.finish_accepted_times),
            rate: self.rate.or(next.rate),
            max_parallel_uploads: self.max_parallel_uploads.or(next.max_parallel_uploads),
            session_minimum: self.session_minimum.or(next.session_minimum),
            retry_after: self.retry_after.or(next.retry_after),
            latency_ms: self.latency_ms.or(next.latency_ms),
            unreachable: self.unreachable.or(next.unreachable),
            expires_at: self.expires_at.or(next.expires_at),
        }
    }

    /// Gives the part size of a new session.
    pub(crate) fn part_size(&self, profile: &Profile) -> u64 {
        self.part_size.unwrap_or(profile.part_size)
    }

    /// Tells whether a new session takes parts in parallel.
    pub(crate) fn parallel(&self, profile: &Profile) -> bool {
        self.parallel.unwrap_or(profile.parallel)
    }
}

/// One consumer.
#[derive(Debug, Default)]
pub(crate) struct Consumer {
    pub(crate) id: String,
    settings: Mutex<Settings>,
    pacer: Pacer,
    pub(crate) stats: Arc<Stats>,
}

/// All consumers, and what counts for all of them.
#[derive(Debug)]
pub(crate) struct Consumers {
    command_line: Settings,
    settings: Mutex<Settings>,
    pacer: Pacer,
    /// Only its gauge is used: the peak over all consumers.
    pub(crate) all: Arc<Stats>,
    /// Tells requests under way that settings have changed.
    changed: Notify,
    by_id: Mutex<HashMap<String, Arc<Consumer>>>,
}

impl Consumers {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            command_line: Settings::of_command_line(config),
            settings: Mutex::default(),
            pacer: Pacer::new(config.rate),
            all: Arc::default(),
            changed: Notify::new(),
            by_id: Mutex::default(),
        }
    }

    /// Gives a consumer, who exists from the first time on that somebody asks for them.
    pub(crate) fn get(&self, id: &str) -> Arc<Consumer> {
        let mut by_id = self.by_id.lock();
        if let Some(consumer) = by_id.get(id) {
            return Arc::clone(consumer);
        }
        let consumer = Arc::new(Consumer { id: id.to_owned(), ..Consumer::default() });
        by_id.insert(id.to_owned(), Arc::clone(&consumer));
        consumer
    }

    /// Gives the statistics of one consumer, or of all.
    pub(crate) fn stats(&self, id: Option<&str>) -> Vec<Arc<Stats>> {
        let by_id = self.by_id.lock();
        let wanted = by_id.values().filter(|consumer| id.is_none_or(|id| id == consumer.id));
        wanted.map(|consumer| Arc::clone(&consumer.stats)).collect()
    }

    /// Gives the settings that count for a consumer, or for one that has none of its own.
    pub(crate) fn effective(&self, consumer: Option<&Consumer>) -> Settings {
        let own = consumer.map(|consumer| consumer.settings.lock().clone()).unwrap_or_default();
        own.or(&self.settings.lock()).or(&self.command_line)
    }

    /// Changes the settings of one consumer or of all.
    pub(crate) fn change(&self, change: &Change) -> Settings {
        let consumer = change.consumer_id.as_deref().map(|id| self.get(id));
        match &consumer {
            Some(consumer) => {
                let mut settings = consumer.settings.lock();
                settings.apply(change);
                consumer.pacer.set_rate(settings.rate);
            }
            None => {
                let mut settings = self.settings.lock();
                settings.apply(change);
                self.pacer.set_rate(settings.rate.or(self.command_line.rate));
            }
        }
        self.changed.notify_waiters();
        self.effective(consumer.as_deref())
    }

    /// Waits until a consumer cannot be reached.
    pub(crate) async fn cut_off(&self, consumer: &Consumer) {
        loop {
            let changed = self.changed.notified();
            if self.effective(Some(consumer)).unreachable == Some(true) {
                return;
            }
            changed.await;
        }
    }

    /// Gives the link that a consumer's bytes pass: their own where one is set, else everybody's.
    pub(crate) fn link<'a>(&'a self, consumer: &'a Consumer) -> &'a Pacer {
        if consumer.pacer.is_limited() { &consumer.pacer } else { &self.pacer }
    }

    /// Forgets settings and statistics of one consumer or of all.
    pub(crate) fn reset(&self, id: Option<&str>) {
        let mut by_id = self.by_id.lock();
        by_id.retain(|_, consumer| {
            let goes = id.is_none_or(|id| id == consumer.id);
            if goes {
                // Requests under way hold on to it.
                consumer.pacer.set_rate(None);
            }
            !goes
        });
        drop(by_id);
        if id.is_none() {
            *self.settings.lock() = Settings::default();
            self.pacer.set_rate(self.command_line.rate);
            self.all.uploads.reset();
        }
    }
}
