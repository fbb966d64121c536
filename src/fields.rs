//! Reads a JS object field by field, so that every refusal names the field and what it takes.

use std::ops::RangeInclusive;

use js_sys::{Function, Reflect};
use upload_session_engine::error::UploadError;
use wasm_bindgen::prelude::*;

/// The largest whole number that JavaScript tells from its neighbours.
pub(crate) const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// An object handed in by a caller, whose keys are all known.
pub(crate) struct Fields {
    object: JsValue,
    /// Path of the object within the arguments, with a dot at its end; empty at the top.
    path: String,
}

impl Fields {
    /// # Errors
    /// `invalid_argument` where it is no object, or has a field that is not among `known`.
    pub(crate) fn new(value: &JsValue, name: &str, known: &[&[&str]]) -> Result<Self, UploadError> {
        Self::at(value, name, String::new(), known)
    }

    fn at(value: &JsValue, name: &str, path: String, known: &[&[&str]]) -> Result<Self, UploadError> {
        let keys = plain_keys(value).ok_or_else(|| UploadError::invalid_argument(name, "takes a plain object"))?;
        for key in keys {
            if !known.iter().any(|keys| keys.contains(&key.as_str())) {
                return Err(UploadError::invalid_argument(&(path + &key), &["is not known among the ", name].concat()));
            }
        }
        Ok(Self { object: value.clone(), path })
    }

    /// Returns the object in a field, if there is one.
    ///
    /// # Errors
    /// As [`Fields::new`].
    pub(crate) fn nested(&self, key: &str, known: &[&str]) -> Result<Option<Self>, UploadError> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        let path = self.named(key);
        Self::at(&value, &path, format!("{path}."), &[known]).map(Some)
    }

    /// Returns a field's value; none where it is absent or undefined.
    ///
    /// # Errors
    /// `invalid_argument` where its getter throws.
    pub(crate) fn get(&self, key: &str) -> Result<Option<JsValue>, UploadError> {
        match Reflect::get(&self.object, &key.into()) {
            Ok(value) => Ok((!value.is_undefined()).then_some(value)),
            Err(_) => Err(self.refuse(key, "cannot be read")),
        }
    }

    /// Returns the error of a field, naming it and what it takes.
    pub(crate) fn refuse(&self, key: &str, takes: &str) -> UploadError {
        UploadError::invalid_argument(&self.named(key), takes)
    }

    pub(crate) fn string(&self, key: &str) -> Result<Option<String>, UploadError> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        value.as_string().map(Some).ok_or_else(|| self.refuse(key, "takes a string"))
    }

    pub(crate) fn required_string(&self, key: &str) -> Result<String, UploadError> {
        self.string(key)?.ok_or_else(|| self.refuse(key, "is missing, and takes a string"))
    }

    pub(crate) fn boolean(&self, key: &str) -> Result<Option<bool>, UploadError> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| self.refuse(key, "takes true or false"))
    }

    pub(crate) fn number(&self, key: &str, range: RangeInclusive<f64>) -> Result<Option<f64>, UploadError> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        let takes = || self.refuse(key, &format!("takes a number from {} to {}", range.start(), range.end()));
        value.as_f64().filter(|number| range.contains(number)).map(Some).ok_or_else(takes)
    }

    pub(crate) fn whole(&self, key: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, UploadError> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        let takes = || self.refuse(key, &format!("takes a whole number from {} to {}", range.start(), range.end()));
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && *number >= 0.0);
        number.map(|number| number as u64).filter(|number| range.contains(number)).map(Some).ok_or_else(takes)
    }

    pub(crate) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<Option<T>, UploadError> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        let text = value.as_string();
        let chosen = choices.iter().find(|(name, _)| text.as_deref() == Some(name));
        chosen.map(|(_, choice)| Some(*choice)).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            self.refuse(key, &format!("takes {}", names.join(" or ")))
        })
    }

    /// Returns the entries of an object of strings.
    pub(crate) fn strings(&self, key: &str) -> Result<Vec<(String, String)>, UploadError> {
        let Some(value) = self.get(key)? else { return Ok(Vec::new()) };
        let takes = || self.refuse(key, "takes a plain object whose values are strings");
        let entry = |name: String| {
            let text = Reflect::get(&value, &name.as_str().into()).ok().and_then(|text| text.as_string());
            Ok((name, text.ok_or_else(takes)?))
        };
        plain_keys(&value).ok_or_else(takes)?.into_iter().map(entry).collect()
    }

    pub(crate) fn function(&self, key: &str) -> Result<Option<Function>, UploadError> {
        Ok(self.get(key)?.and_then(|value| value.dyn_into().ok()))
    }

    fn named(&self, key: &str) -> String {
        format!("{}{key}", self.path)
    }
}

/// Returns the keys of a plain object: a literal, or one without a prototype, of whatever realm. What else may be
/// handed in by mistake (`Headers`, a `Map`, a list) keeps its content elsewhere than in fields.
fn plain_keys(value: &JsValue) -> Option<Vec<String>> {
    if !value.is_object() {
        return None;
    }
    let prototype = |of: &JsValue| Reflect::get_prototype_of(of).ok().map(JsValue::from);
    let own = prototype(value)?;
    if !own.is_null() && !prototype(&own)?.is_null() {
        return None;
    }
    Some(Reflect::own_keys(value).ok()?.iter().filter_map(|key| key.as_string()).collect())
}

/// Refuses what cannot be a header's value: the characters of a field-content are visible ASCII, space and tab
/// (RFC 9110, 5.5); all else could end the header and begin another.
///
/// # Errors
/// `invalid_argument`, naming the field. The value itself is not shown: it may be a secret.
pub(crate) fn check_header_value(field: &str, value: &str) -> Result<(), UploadError> {
    if value.is_empty() || !value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        return Err(UploadError::invalid_argument(field, "takes visible ASCII characters, as it is sent as a header"));
    }
    Ok(())
}

/// Refuses what cannot be a header's name: a token (RFC 9110, 5.6.2).
///
/// # Errors
/// `invalid_argument`, naming the field.
pub(crate) fn check_header_name(field: &str, name: &str) -> Result<(), UploadError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(UploadError::invalid_argument(field, "takes header names that are tokens (RFC 9110, 5.6.2)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_cannot_begin_another_header() {
        assert!(check_header_value("appId", "a b\t~").is_ok());
        for value in ["", "a\r\nb: c", "a\n", "\0", "é", "\u{7f}"] {
            let error = check_header_value("appId", value).unwrap_err();
            assert!(error.message.contains("`appId`"));
        }
    }

    #[test]
    fn header_names_are_tokens() {
        assert!(check_header_name("headers", "x-My_Header.1").is_ok());
        for name in ["", "a b", "a:", "a\n", "é", "a\"b", "(a)"] {
            assert!(check_header_name("headers", name).is_err(), "{name:?}");
        }
    }
}
