//! JSON of the wire (snake_case) as JavaScript sees it (camelCase).

use js_sys::{Object, Reflect};
use upload_session_engine::error::UploadError;
use upload_session_engine::json::{Object as Map, Value};
use upload_session_engine::request::Response;
use wasm_bindgen::JsValue;

/// Fields whose content is a connector's or a customer's own: their keys stay as they are.
const OPAQUE: [&str; 3] = ["_raw", "custom_mappings", "pass_through"];

/// Makes the JS value of any JSON, by the rules of `JSON.parse`: a number past 2^53 loses digits, and `__proto__` is
/// a key like any other.
pub(crate) fn to_js(value: &Value) -> JsValue {
    // What the engine writes is JSON.
    js_sys::JSON::parse(&value.to_json()).unwrap_or(JsValue::UNDEFINED)
}

/// Makes a JS object; fields that are undefined are left out.
pub(crate) fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_undefined()) {
        // Setting a field of a fresh object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}

/// Makes the `Envelope` of an answer: camelCase, with the request id.
///
/// # Errors
/// `protocol` where the answer is none that the API allows.
pub(crate) fn envelope(response: &Response, needs_id: bool) -> Result<JsValue, UploadError> {
    let mut envelope = if needs_id { response.identified()?.1 } else { response.envelope()? };
    let raw = envelope.remove("_raw");
    let mut envelope = camel_case_fields(envelope);
    if let Some(raw) = raw {
        envelope.insert("raw".to_owned(), raw);
    }
    if let Some(id) = &response.request_id {
        envelope.insert("requestId".to_owned(), Value::String(id.clone()));
    }
    Ok(to_js(&Value::Object(envelope)))
}

/// Renames the keys of every object within.
pub(crate) fn camel_case(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(camel_case_fields(fields)),
        Value::Array(items) => Value::Array(items.into_iter().map(camel_case).collect()),
        other => other,
    }
}

fn camel_case_fields(fields: Map) -> Map {
    let rename = |(key, value): (String, Value)| {
        let value = if OPAQUE.contains(&key.as_str()) { value } else { camel_case(value) };
        (camel_case_key(&key), value)
    };
    fields.into_iter().map(rename).collect()
}

fn camel_case_key(key: &str) -> String {
    let mut words = key.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut characters = word.chars();
        camel.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(characters.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_renamed_at_every_depth_but_within_opaque_fields() {
        let wire = json!({
            "id": "1",
            "mime_type": "a/b",
            "parent_folders": [{"downstream_id": 1}],
            "custom_mappings": {"my_key": {"other_key": 1}},
        });
        let js = json!({
            "id": "1",
            "mimeType": "a/b",
            "parentFolders": [{"downstreamId": 1}],
            "customMappings": {"my_key": {"other_key": 1}},
        });
        assert_eq!(camel_case(wire.into()), js);
    }
}
