//! A JS object becomes a typed configuration, once, with every field checked.

#[cfg(feature = "page")]
mod file;
#[cfg(feature = "page")]
mod request;
#[cfg(feature = "stream")]
mod stream;

use upload_session_engine::config::{Config, DigestMode};
use upload_session_engine::json::Value;
use upload_session_engine::retry::RetryPolicy;
use upload_session_engine::wire::DEFAULT_SERVER;
use wasm_bindgen::prelude::*;

use crate::fields::{Fields, MAX_SAFE_INTEGER};
use crate::sys::listener::Signal;
use crate::sys::network::Connection;
use crate::sys::timer::{self, duration};

#[cfg(feature = "page")]
pub(crate) use self::file::{FileSettings, file_settings};
#[cfg(feature = "page")]
pub(crate) use self::request::{ApiSettings, RequestSettings, api_settings, request_settings};
#[cfg(feature = "stream")]
pub(crate) use self::stream::{StreamSettings, stream_settings};

/// Fields of every upload, whatever its source.
macro_rules! known {
    (connection) => {
        "serverUrl apiKey authType appId consumerId serviceId headers credentials retries"
    };
    (upload) => {
        concat!(
            known!(connection),
            " parentFolderId name driveId passThrough digest concurrency memoryBudget stallTimeout signal"
        )
    };
}
use known;

/// Longest interval that may be asked for: far beyond any use, and safe to reckon with.
const MAX_INTERVAL: f64 = 1e12;

/// What an upload is told, whatever its source.
pub(crate) struct UploadSettings {
    pub(crate) connection: Connection,
    pub(crate) config: Config,
    pub(crate) signal: Option<Signal>,
}

/// Reads the size of what is to be uploaded, which has to be told, if only as null.
pub(crate) fn size(fields: &Fields) -> Option<u64> {
    let size = fields.get("size");
    if size.is_undefined() {
        fields.refuse("size", "is missing, and takes a number of bytes or null");
    }
    if size.is_null() { None } else { fields.whole("size", 0.0, MAX_SAFE_INTEGER).map(|size| size as u64) }
}

/// Reads what every upload may be told.
fn config(fields: &Fields, connection: &Connection, defaults: Config) -> Config {
    const DIGESTS: [DigestMode; 3] = [DigestMode::PartsAndFile, DigestMode::Parts, DigestMode::None];
    let digest = fields.choice("digest", "parts-and-file parts none");
    let or = |value: Option<f64>, default: u64| value.map_or(default, |value| value as u64);
    Config {
        read_date: timer::read_date,
        drive_id: fields.string("driveId"),
        pass_through: pass_through(fields),
        digest: digest.and_then(|digest| DIGESTS.get(digest as usize).copied()).unwrap_or(defaults.digest),
        concurrency: or(fields.whole("concurrency", 1.0, 6.0), defaults.concurrency as u64) as usize,
        memory_budget: or(fields.whole("memoryBudget", 1.0, MAX_SAFE_INTEGER), defaults.memory_budget),
        retry: retry_policy(fields).unwrap_or_default(),
        service_id: fields.string("serviceId"),
        stall_timeout: fields.number("stallTimeout", 1.0, MAX_INTERVAL).map_or(defaults.stall_timeout, duration),
        can_refresh_token: connection.can_refresh(),
        ..defaults
    }
}

fn connection(fields: &Fields) -> Connection {
    Connection::new(fields, DEFAULT_SERVER, cfg!(feature = "stream"))
}

fn signal(fields: &Fields) -> Option<Signal> {
    let value = fields.get("signal");
    if value.is_undefined() {
        return None;
    }
    let signal = value.dyn_into().ok();
    if signal.is_none() {
        fields.refuse("signal", "takes an AbortSignal");
    }
    signal
}

fn retry_policy(fields: &Fields) -> Option<RetryPolicy> {
    let retries = fields.nested("retries", "strategy backoff retryConnectionErrors")?;
    let strategy = retries.choice("strategy", "backoff none");
    if strategy.is_none() {
        retries.refuse("strategy", "is missing, and takes \"backoff\" or \"none\"");
    }
    let mut policy = RetryPolicy { enabled: strategy == Some(0), ..RetryPolicy::DEFAULT };
    if let Some(retry) = retries.boolean("retryConnectionErrors") {
        policy.retry_connection_errors = retry;
    }
    if let Some(backoff) = retries.nested("backoff", "initialInterval maxInterval exponent maxElapsedTime") {
        for (key, interval) in [
            ("initialInterval", &mut policy.initial_interval),
            ("maxInterval", &mut policy.max_interval),
            ("maxElapsedTime", &mut policy.max_elapsed_time),
        ] {
            if let Some(millis) = backoff.number(key, 0.0, MAX_INTERVAL) {
                *interval = duration(millis);
            }
        }
        policy.exponent = backoff.number("exponent", 1.0, 100.0).unwrap_or(policy.exponent);
    }
    Some(policy)
}

/// Reads `passThrough`.
pub(crate) fn pass_through(fields: &Fields) -> Option<Value> {
    let read = Value::parse(&fields.pass_through("passThrough")?);
    if read.is_none() {
        fields.refuse("passThrough", "takes a list of PassThrough (it is nested too deep)");
    }
    read
}
