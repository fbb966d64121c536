//! Secrets that the API says back, e.g. in an error about the key itself, do not leave.

use std::fmt;

use serde_json::{Map, Value};

use crate::config::Config;

/// What stands where a secret stood.
const REDACTED: &str = "[redacted]";

/// Finds the secrets of a proxy in texts.
pub(crate) struct Redactor<'a> {
    /// The longest first: one may be a part of another.
    secrets: Vec<&'a str>,
}

impl<'a> Redactor<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        let mut secrets: Vec<&str> = config.session_secrets.iter().map(String::as_str).collect();
        secrets.push(&config.api_key);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    pub(crate) fn text(&self, text: String) -> String {
        self.secrets.iter().fold(
            text,
            |text, secret| {
                if text.contains(secret) { text.replace(secret, REDACTED) } else { text }
            },
        )
    }

    /// Goes through all texts and names, after the parser took their escapes off.
    pub(crate) fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(values) => values.into_iter().map(|value| self.value(value)).collect(),
            Value::Object(object) => Value::Object(self.object(object)),
            other => other,
        }
    }

    pub(crate) fn object(&self, object: Map<String, Value>) -> Map<String, Value> {
        object.into_iter().map(|(name, value)| (self.text(name), self.value(value))).collect()
    }
}

impl fmt::Debug for Redactor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}
