//! Checks the JSON that callers send, naming the field that is wrong.

use axum::http::{HeaderMap, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use upload_session_engine::wire::{CreateFile, CreateUploadSession, header};

use crate::envelope::ApiError;

/// Reads the body of create.
///
/// # Errors
/// 400 that names what is wrong.
pub(super) fn create_session(headers: &HeaderMap, body: &[u8]) -> Result<CreateUploadSession, ApiError> {
    check_content_type(headers)?;
    let value = parse(body, "The body")?;
    let fields = object(&value, "The body", &["name", "parent_folder_id", "size", "drive_id", "pass_through"])?;
    check_target(fields)?;
    match fields.get("size") {
        None => return Err(ApiError::bad_request("Missing property size")),
        Some(Value::Null) => {}
        Some(size) if size.is_u64() => {}
        Some(_) => {
            return Err(ApiError::bad_request("size must be an integer of at least 0, or null"));
        }
    }
    typed(value)
}

/// Reads the metadata of a direct upload.
///
/// # Errors
/// 400 that names what is wrong.
pub(super) fn create_file(headers: &HeaderMap) -> Result<CreateFile, ApiError> {
    let name = header::METADATA;
    let header = headers.get(name).ok_or_else(|| ApiError::bad_header(format!("Missing Header: {name}")))?;
    let text = header
        .to_str()
        .map_err(|_| ApiError::bad_header(format!("{name} must be ASCII: write other characters as \\uXXXX")))?;
    let value = parse(text.as_bytes(), name)?;
    let known = ["name", "parent_folder_id", "drive_id", "description", "pass_through"];
    let fields = object(&value, name, &known)?;
    check_target(fields)?;
    if fields.get("description").is_some_and(|description| !description.is_string()) {
        return Err(ApiError::bad_request("description must be a string"));
    }
    typed(value)
}

/// Checks the body of finish: nothing, or an empty object.
///
/// # Errors
/// 400 for anything else.
pub(super) fn finish(headers: &HeaderMap, body: &[u8]) -> Result<(), ApiError> {
    if body.is_empty() {
        return Ok(());
    }
    check_content_type(headers)?;
    object(&parse(body, "The body")?, "The body", &[]).map(drop)
}

fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::bad_header("content-type must be application/json"))
}

fn parse(json: &[u8], what: &str) -> Result<Value, ApiError> {
    serde_json::from_slice(json).map_err(|error| ApiError::bad_request(format!("{what} is not JSON: {error}")))
}

fn object<'a>(value: &'a Value, what: &str, known: &[&str]) -> Result<&'a Map<String, Value>, ApiError> {
    let Value::Object(fields) = value else {
        return Err(ApiError::bad_request(format!("{what} must be a JSON object")));
    };
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(ApiError::bad_request(format!("Unknown property {key}"))),
        None => Ok(fields),
    }
}

fn check_target(fields: &Map<String, Value>) -> Result<(), ApiError> {
    for key in ["name", "parent_folder_id"] {
        match fields.get(key) {
            None => return Err(ApiError::bad_request(format!("Missing property {key}"))),
            Some(Value::String(text)) if !text.is_empty() => {}
            Some(_) => {
                return Err(ApiError::bad_request(format!("{key} must be a string that is not empty")));
            }
        }
    }
    if fields.get("drive_id").is_some_and(|drive_id| !drive_id.is_string()) {
        return Err(ApiError::bad_request("drive_id must be a string"));
    }
    fields.get("pass_through").map_or(Ok(()), check_pass_through)
}

fn check_pass_through(value: &Value) -> Result<(), ApiError> {
    let fits = |entry: &Value| entry.get("service_id").is_some_and(Value::is_string);
    if value.as_array().is_some_and(|entries| entries.iter().all(fits)) {
        return Ok(());
    }
    Err(ApiError::bad_request("pass_through must be an array of objects, each with a string service_id"))
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(|error| ApiError::bad_request(error.to_string()))
}
