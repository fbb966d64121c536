//! The fields of a JSON object that others wrote, taken out one by one, each with its type checked.

use std::fmt;

use serde_json::{Map, Value};

/// What is wrong with a field; never holds its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldError(String);

impl FieldError {
    pub(crate) fn new(field: &str, problem: &str) -> Self {
        Self(format!("{field} {problem}"))
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The fields that are still to be taken.
pub(crate) struct Fields {
    object: Map<String, Value>,
    null_is_absent: bool,
}

impl Fields {
    /// Reads an object in which null is a value like others, and hence of a wrong type everywhere.
    pub(crate) fn strict(json: &str) -> Result<Self, FieldError> {
        Self::parse(json, false)
    }

    /// Reads an object in which null stands for a field that is not there.
    pub(crate) fn nullable(json: &str) -> Result<Self, FieldError> {
        Self::parse(json, true)
    }

    fn parse(json: &str, null_is_absent: bool) -> Result<Self, FieldError> {
        match serde_json::from_str(json) {
            Ok(Value::Object(object)) => Ok(Self { object, null_is_absent }),
            _ => Err(FieldError("It must be a JSON object, in valid Unicode".to_owned())),
        }
    }

    /// Takes a field as it is.
    pub(crate) fn value(&mut self, field: &str) -> Option<Value> {
        self.object.remove(field).filter(|value| !(self.null_is_absent && value.is_null()))
    }

    /// Takes a text that is not empty and has no control characters.
    pub(crate) fn text(&mut self, field: &str) -> Result<Option<String>, FieldError> {
        self.value(field).map(|value| text(field, value)).transpose()
    }

    /// Takes a text that must be there.
    pub(crate) fn required_text(&mut self, field: &str) -> Result<String, FieldError> {
        self.text(field)?.ok_or_else(|| FieldError::new(field, "is required"))
    }

    /// Takes a list of texts.
    pub(crate) fn texts(&mut self, field: &str) -> Result<Option<Vec<String>>, FieldError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Array(values)) => {
                values.into_iter().map(|value| text(field, value)).collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(FieldError::new(field, "must be a list of texts")),
        }
    }

    /// Takes a whole number of bytes, 0 to 2^53; JSON may spell it as `8388608.0`.
    pub(crate) fn bytes(&mut self, field: &str) -> Result<Option<u64>, FieldError> {
        self.value(field).map(|value| bytes(&value)).map_or(Ok(None), |bytes| match bytes {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(FieldError::new(field, "must be a whole number of bytes")),
        })
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// A field is left that nobody knows.
    pub(crate) fn end(self) -> Result<(), FieldError> {
        match self.object.keys().next() {
            None => Ok(()),
            Some(field) if is_name(field) => Err(FieldError::new(field, "is not known")),
            Some(_) => Err(FieldError("It has a field that is not known".to_owned())),
        }
    }
}

/// Tells whether a field's name is plain enough to be said again.
fn is_name(field: &str) -> bool {
    field.len() <= 64 && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Reads a whole number that is spelled in the one way there is: digits, and no zeros in front.
pub(crate) fn canonical(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

fn text(field: &str, value: Value) -> Result<String, FieldError> {
    match value {
        Value::String(text) if !text.is_empty() && !text.chars().any(char::is_control) => Ok(text),
        _ => Err(FieldError::new(field, "must be a text, not empty, without control characters")),
    }
}

fn bytes(value: &Value) -> Option<u64> {
    /// What a JavaScript number holds exactly.
    const MAX: u64 = 1 << 53;

    let whole = value.as_f64().filter(|number| *number >= 0.0 && *number <= MAX as f64 && number.fract() == 0.0)?;
    Some(whole as u64)
}
