//! Answers of the API, made fit for the caller.

use std::time::Duration;

use serde_json::{Map, Value};
use upload_session_engine::request::{Operation, Response};

use crate::config::Config;
use crate::redact::Redactor;
use crate::refusal::Refusal;
use crate::token::{Owner, Session};

/// What a request that was sent on was about.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) operation: Operation,
    pub(crate) owner: Owner,
    /// The session's id as the caller has it; none for create and direct.
    pub(crate) token: Option<String>,
    /// Bytes that create declared.
    pub(crate) size: Option<u64>,
}

/// Returns the body that goes to the caller, under the API's own status.
///
/// # Errors
/// The answer is not one that the API may give, or an error without an envelope; the caller gets ours.
pub(crate) fn body(config: &Config, sent: &Sent, answer: &Response, now: Duration) -> Result<Option<String>, Refusal> {
    let is_error = matches!(answer.status, 400..=599);
    if !answer.is_success() && !is_error {
        return Err(Refusal::bad_gateway(format!("The API answered {}", answer.status)));
    }
    // Null body statuses (WHATWG Fetch, 2.2.3): no runtime makes a response of them that has a body.
    let text = if matches!(answer.status, 204 | 205) { "" } else { answer.body.trim() };
    let mut envelope = match serde_json::from_str(text) {
        Ok(Value::Object(envelope)) => envelope,
        _ if is_error => return Err(Refusal::wordless(answer.status)),
        // Box commits with 202 and nothing else.
        _ if text.is_empty() && sent.operation != Operation::Create => return Ok(None),
        _ => return Err(Refusal::bad_gateway("The API answered without a JSON object")),
    };
    // The connector's own words may hold addresses and tokens that work without this proxy.
    envelope.remove("_raw");
    let mut envelope = Redactor::new(config).object(envelope);
    let token = match sent.operation {
        Operation::Create if !is_error => Some(signed(config, sent, &envelope, now)?),
        _ => sent.token.clone().filter(|_| names_session(sent.operation, answer.status)),
    };
    if let (Some(token), Some(id)) = (token, envelope.get_mut("data").and_then(|data| data.get_mut("id"))) {
        *id = Value::String(token);
    }
    Ok(serde_json::to_string(&envelope).ok())
}

/// Tells whether `data.id` of the answer is the session's.
const fn names_session(operation: Operation, status: u16) -> bool {
    // Finish names the file, once there is one.
    matches!(
        (operation, status),
        (Operation::Get | Operation::Upload | Operation::Delete, _) | (Operation::Finish, 202)
    )
}

/// Signs the id of a session that was created.
fn signed(config: &Config, sent: &Sent, envelope: &Map<String, Value>, now: Duration) -> Result<String, Refusal> {
    match envelope.get("data").and_then(|data| data.get("id")).and_then(Value::as_str) {
        // The dots would be resolved away in a path, and requests reach another route.
        None | Some("" | "." | "..") => Err(Refusal::bad_gateway("The API created a session without a usable id")),
        Some(id) => Ok(config.keys.sign(&Session { id: id.to_owned(), size: sent.size }, &sent.owner, now)),
    }
}
