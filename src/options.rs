//! A JS object becomes a typed configuration, once, with every field checked.

#[cfg(feature = "page")]
mod file;
#[cfg(feature = "page")]
mod request;
#[cfg(feature = "stream")]
mod stream;

use upload_session_engine::clock::Duration;

use js_sys::JSON;
use upload_session_engine::config::{Config, DigestMode};
use upload_session_engine::error::UploadError;
use upload_session_engine::json::{Object, Value};
use upload_session_engine::retry::RetryPolicy;
use upload_session_engine::wire::{DEFAULT_SERVER, header};

use crate::connection::{Connection, TokenFunction, TokenSource, Transport, refuse_authorization};
use crate::fields::{Fields, MAX_SAFE_INTEGER, check_header_name, check_header_value};
use crate::sys::abort::Signal;
use crate::sys::fetch::{Credentials, resolve_server};

#[cfg(feature = "page")]
pub(crate) use self::file::{FileSettings, file_settings};
#[cfg(feature = "page")]
pub(crate) use self::request::{CALLER, RequestSettings, connection, request_settings};
#[cfg(feature = "stream")]
pub(crate) use self::stream::{StreamSettings, stream_settings};

const CONNECTION: &[&str] =
    &["serverUrl", "apiKey", "authType", "appId", "consumerId", "serviceId", "headers", "credentials", "retries"];
const UPLOAD: &[&str] = &[
    "parentFolderId",
    "name",
    "driveId",
    "passThrough",
    "digest",
    "concurrency",
    "memoryBudget",
    "stallTimeout",
    "signal",
];
/// Headers that are the module's own to set.
const RESERVED_HEADERS: &[&str] = &["content-length", "content-type", header::DIGEST, header::METADATA];
/// Longest interval that may be asked for: far beyond any use, and safe to reckon with.
const MAX_INTERVAL: f64 = 1e12;

/// What an upload is told, whatever its source.
pub(crate) struct UploadSettings {
    pub(crate) connection: Connection,
    pub(crate) config: Config,
    pub(crate) signal: Option<Signal>,
}

/// Reads the size of what is to be uploaded, which has to be told, if only as null.
///
/// # Errors
/// `invalid_argument`, naming the field.
pub(crate) fn size(fields: &Fields) -> Result<Option<u64>, UploadError> {
    match fields.get("size")? {
        None => Err(fields.refuse("size", "is missing, and takes a number of bytes or null")),
        Some(size) if size.is_null() => Ok(None),
        Some(_) => fields.whole("size", 0..=MAX_SAFE_INTEGER),
    }
}

/// Reads what every upload may be told.
fn config(fields: &Fields, connection: &Connection, defaults: Config) -> Result<Config, UploadError> {
    Ok(Config {
        read_date: crate::sys::timer::read_date,
        drive_id: fields.string("driveId")?,
        pass_through: pass_through(fields)?,
        digest: fields.choice("digest", DIGESTS)?.unwrap_or(defaults.digest),
        concurrency: usize_or(fields.whole("concurrency", 1..=6)?, defaults.concurrency),
        memory_budget: fields.whole("memoryBudget", 1..=MAX_SAFE_INTEGER)?.unwrap_or(defaults.memory_budget),
        retry: connection.retry,
        service_id: fields.string("serviceId")?,
        stall_timeout: fields.number("stallTimeout", 1.0..=MAX_INTERVAL)?.map_or(defaults.stall_timeout, millis),
        can_refresh_token: connection.token.can_refresh(),
        ..defaults
    })
}

const DIGESTS: &[(&str, DigestMode)] =
    &[("parts-and-file", DigestMode::PartsAndFile), ("parts", DigestMode::Parts), ("none", DigestMode::None)];
fn usize_or(value: Option<u64>, default: usize) -> usize {
    value.and_then(|value| usize::try_from(value).ok()).unwrap_or(default)
}

fn connection_from(fields: &Fields) -> Result<Connection, UploadError> {
    let token = match (fields.function("apiKey")?, fields.get("apiKey")?.map(|value| value.as_string())) {
        (Some(function), _) => TokenSource::Function(TokenFunction::new(function)),
        (None, None) => TokenSource::None,
        (None, Some(Some(token))) => {
            check_header_value("apiKey", &token)?;
            TokenSource::Fixed(token)
        }
        (None, Some(None)) => return Err(fields.refuse("apiKey", "takes a string or a function that returns one")),
    };
    let mut headers = extra_headers(fields)?;
    if !matches!(token, TokenSource::None) {
        refuse_authorization(&headers)?;
    }
    headers.extend(identity(fields)?);
    if fields.choice("authType", &[("apiKey", false), ("jwt", true)])? == Some(true) {
        headers.push((header::AUTH_TYPE.to_owned(), "JWT".to_owned()));
    }
    let credentials = fields.choice(
        "credentials",
        &[("omit", Credentials::Omit), ("same-origin", Credentials::SameOrigin), ("include", Credentials::Include)],
    )?;
    Ok(Connection {
        server: server(fields)?.unwrap_or_else(|| DEFAULT_SERVER.to_owned()),
        token,
        headers,
        credentials,
        transport: Transport::Fetch,
        retry: retry_policy(fields)?.unwrap_or_default(),
    })
}

fn signal(fields: &Fields) -> Result<Option<Signal>, UploadError> {
    let Some(value) = fields.get("signal")? else { return Ok(None) };
    Signal::from_js(&value).map(Some).ok_or_else(|| fields.refuse("signal", "takes an AbortSignal"))
}

fn server(fields: &Fields) -> Result<Option<String>, UploadError> {
    let Some(address) = fields.string("serverUrl")? else { return Ok(None) };
    let takes = "takes an http(s) address, or a path that begins with /, without credentials, query and fragment";
    resolve_server(&address).map(Some).ok_or_else(|| fields.refuse("serverUrl", takes))
}

fn identity(fields: &Fields) -> Result<Vec<(String, String)>, UploadError> {
    let mut headers = Vec::new();
    for (key, name) in
        [("appId", header::APP_ID), ("consumerId", header::CONSUMER_ID), ("serviceId", header::SERVICE_ID)]
    {
        if let Some(value) = fields.string(key)? {
            check_header_value(key, &value)?;
            headers.push((name.to_owned(), value));
        }
    }
    Ok(headers)
}

fn extra_headers(fields: &Fields) -> Result<Vec<(String, String)>, UploadError> {
    let mut headers = fields.strings("headers")?;
    for (name, value) in &mut headers {
        check_header_name("headers", name)?;
        name.make_ascii_lowercase();
        let field = format!("headers.{name}");
        check_header_value(&field, value)?;
        if RESERVED_HEADERS.contains(&name.as_str()) {
            return Err(UploadError::invalid_argument(&field, "is set by the upload itself"));
        }
    }
    Ok(headers)
}

fn retry_policy(fields: &Fields) -> Result<Option<RetryPolicy>, UploadError> {
    let known = ["strategy", "backoff", "retryConnectionErrors"];
    let Some(retries) = fields.nested("retries", &known)? else { return Ok(None) };
    let defaults = RetryPolicy::DEFAULT;
    let strategy = retries.choice("strategy", &[("backoff", true), ("none", false)])?;
    let mut policy = RetryPolicy {
        enabled: strategy.ok_or_else(|| retries.refuse("strategy", "is missing, and takes \"backoff\" or \"none\""))?,
        retry_connection_errors: retries.boolean("retryConnectionErrors")?.unwrap_or(defaults.retry_connection_errors),
        ..defaults
    };
    let known = ["initialInterval", "maxInterval", "exponent", "maxElapsedTime"];
    if let Some(backoff) = retries.nested("backoff", &known)? {
        let interval = |key, default| Ok(backoff.number(key, 0.0..=MAX_INTERVAL)?.map_or(default, millis));
        policy.initial_interval = interval("initialInterval", defaults.initial_interval)?;
        policy.max_interval = interval("maxInterval", defaults.max_interval)?;
        policy.max_elapsed_time = interval("maxElapsedTime", defaults.max_elapsed_time)?;
        policy.exponent = backoff.number("exponent", 1.0..=100.0)?.unwrap_or(defaults.exponent);
    }
    Ok(Some(policy))
}

fn millis(millis: f64) -> Duration {
    Duration::from_millis_f64(millis)
}

/// Reads `passThrough`.
///
/// # Errors
/// `invalid_argument`, naming the field.
pub(crate) fn pass_through(fields: &Fields) -> Result<Option<Value>, UploadError> {
    let Some(value) = fields.get("passThrough")? else { return Ok(None) };
    let refuse = |why: &str| fields.refuse("passThrough", &["takes a list of PassThrough (", why, ")"].concat());
    // JSON.stringify refuses cycles and whatever else is no JSON, and the engine what is nested too deep: reading the
    // objects themselves would run into both.
    let json = JSON::stringify(&value).ok().and_then(|json| json.as_string());
    let json = json.and_then(|json| Value::parse(&json)).ok_or_else(|| refuse("it is no JSON"))?;
    let Value::Array(items) = json else { return Err(refuse("it is no list")) };
    let items: Result<_, _> = items.into_iter().map(connector_fields).collect();
    items.map(|items| Some(Value::Array(items))).map_err(|why| refuse(&why))
}

/// Reads one connector's additions to create: camelCase in JavaScript, snake_case on the wire.
fn connector_fields(item: Value) -> Result<Value, String> {
    let Value::Object(mut item) = item else { return Err("an item is no object".to_owned()) };
    let is_path = |path: &Value| {
        let path = path.as_object().filter(|path| path.get("value").is_some());
        path.is_some_and(|path| path.len() == 2 && path.get("path").is_some_and(|path| path.as_str().is_some()))
    };
    let fields = [
        ("serviceId", "service_id", item.remove("serviceId")),
        ("operationId", "operation_id", item.remove("operationId")),
        ("extendObject", "extend_object", item.remove("extendObject")),
        ("extendPaths", "extend_paths", item.remove("extendPaths")),
    ];
    if let Some((name, _)) = item.into_iter().next() {
        return Err(["`", &name, "` is not known"].concat());
    }
    for (name, _, value) in &fields {
        let fits = match (*name, value) {
            ("serviceId" | "operationId", Some(value)) => value.as_str().is_some(),
            ("extendObject", Some(value)) => value.as_object().is_some(),
            (_, Some(value)) => value.as_array().is_some_and(|paths| paths.iter().all(is_path)),
            (name, None) => name != "serviceId",
        };
        if !fits {
            return Err(["`", name, "` is missing or of a wrong type"].concat());
        }
    }
    let object = fields.into_iter().fold(Object::default(), |object, (_, name, value)| object.with_some(name, value));
    Ok(Value::Object(object))
}
