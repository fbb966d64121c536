//! The options of a proxy, checked once, at its start.

use std::fmt;

use upload_session_engine::wire::{DEFAULT_SERVER, MAX_PART_SIZE};

use crate::fields::{FieldError, Fields};
use crate::headers::is_header_safe;
use crate::token::Keyring;
use crate::url::{ParseUrl, Url};

/// An option that a proxy cannot start with; names the option, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(FieldError);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The upload proxy cannot start: {}", self.0)
    }
}

impl std::error::Error for ConfigError {}

impl From<FieldError> for ConfigError {
    fn from(error: FieldError) -> Self {
        Self(error)
    }
}

/// What a proxy works with. No `Debug`: it holds every secret there is.
pub(crate) struct Config {
    /// Origin and path, without a slash at its end.
    pub(crate) upstream: String,
    pub(crate) app_id: String,
    pub(crate) api_key: String,
    /// As they were given, to be recognised in answers.
    pub(crate) session_secrets: Vec<String>,
    /// The same, keyed.
    pub(crate) keys: Keyring,
    pub(crate) allowed_origins: Vec<String>,
    /// Without a slash at its end: empty for `/`.
    pub(crate) base_path: String,
    /// Bytes.
    pub(crate) max_part_size: u64,
}

impl Config {
    /// Reads the options; see [`Policy::new`](crate::policy::Policy::new).
    pub(crate) fn from_json(json: &str, parse: ParseUrl) -> Result<Self, ConfigError> {
        let mut fields = Fields::strict(json)?;
        // What is no text is none of 32 bytes.
        let session_secrets = fields.texts("sessionSecret").ok().flatten().unwrap_or_default();
        let config = Self {
            upstream: upstream(&mut fields, parse)?,
            app_id: header_value(&mut fields, "appId")?,
            api_key: header_value(&mut fields, "apiKey")?,
            keys: keys(&session_secrets)?,
            session_secrets,
            allowed_origins: allowed_origins(&mut fields, parse)?,
            base_path: base_path(&mut fields, parse)?,
            max_part_size: max_part_size(&mut fields)?,
        };
        fields.end()?;
        Ok(config)
    }
}

fn header_value(fields: &mut Fields, field: &str) -> Result<String, FieldError> {
    let value = fields.required_text(field)?;
    if is_header_safe(&value) {
        Ok(value)
    } else {
        Err(FieldError::new(field, "must be plain ASCII without spaces around it"))
    }
}

fn keys(secrets: &[String]) -> Result<Keyring, FieldError> {
    Keyring::new(secrets)
        .ok_or_else(|| FieldError::new("sessionSecret", "must be a text of 32 bytes or more, or a list of such"))
}

fn upstream(fields: &mut Fields, parse: ParseUrl) -> Result<String, FieldError> {
    let text = fields.text("upstream")?.unwrap_or_else(|| DEFAULT_SERVER.to_owned());
    // The accessors cannot tell an empty query or fragment from none.
    let plain = |url: &Url| url.is_http() && !url.has_credentials && !text.contains(['?', '#']);
    let url = parse(&text).filter(plain).ok_or_else(|| {
        FieldError::new("upstream", "must be an http or https URL without credentials, query and fragment")
    })?;
    Ok(url.origin + url.pathname.trim_end_matches('/'))
}

fn allowed_origins(fields: &mut Fields, parse: ParseUrl) -> Result<Vec<String>, FieldError> {
    let origins = fields.texts("allowedOrigins")?.unwrap_or_default();
    let exact = |origin: &String| {
        // A URL's host may hold a star; a wildcard it is not.
        !origin.contains('*') && parse(origin).is_some_and(|url| url.is_http() && url.origin == *origin)
    };
    if origins.iter().all(exact) {
        Ok(origins)
    } else {
        Err(FieldError::new(
            "allowedOrigins",
            "must be exact origins, such as https://app.example.com, each without a path",
        ))
    }
}

fn base_path(fields: &mut Fields, parse: ParseUrl) -> Result<String, FieldError> {
    let path = fields.text("basePath")?.unwrap_or_else(|| "/".to_owned());
    // One that the parser would spell in another way never matches a request.
    if parse(&format!("http://localhost{path}")).is_some_and(|url| url.pathname == path) {
        Ok(path.trim_end_matches('/').to_owned())
    } else {
        Err(FieldError::new("basePath", "must be a path as it stands in a URL, with a slash in front"))
    }
}

fn max_part_size(fields: &mut Fields) -> Result<u64, FieldError> {
    match fields.bytes("maxPartSize")?.unwrap_or(MAX_PART_SIZE) {
        size @ 1..=MAX_PART_SIZE => Ok(size),
        _ => Err(FieldError::new("maxPartSize", "must be 1 to 104857600 bytes")),
    }
}
