//! Create, get and delete.

use std::sync::Arc;

use axum::http::StatusCode;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};
use upload_session_engine::wire::{UnifiedId, UploadSessionInfo};

use super::validate;
use crate::body::Failure;
use crate::consumers::ExpiresAt;
use crate::envelope::{Answer, ApiError};
use crate::exchange::Exchange;
use crate::profile::Profile;
use crate::session::Session;
use crate::state::date_time;

/// A JSON body is never longer than this.
pub(super) const JSON_LIMIT: usize = 1024 * 1024;

/// Makes a session.
pub(super) async fn create(exchange: &mut Exchange) -> Result<Answer, Failure> {
    let body = exchange.body.read_all(JSON_LIMIT).await?;
    let caller = exchange.caller()?;
    let raw = exchange.raw()?;
    let request = validate::create_session(&exchange.headers, &body)?;
    let profile = caller.connector.unwrap_or(Profile::default_connector());
    let settings = exchange.state.consumers.effective(Some(&exchange.consumer));
    let minimum = settings.session_minimum.unwrap_or(profile.session_minimum);
    if request.size.is_some_and(|size| size < minimum) {
        let detail = format!("size must be at least {minimum} for an upload session of {}", profile.id);
        return Err(ApiError::bad_request(detail).into());
    }
    let session = exchange.state.add_session(caller.owner, profile, &exchange.consumer, request)?;
    Ok(answer(&session, StatusCode::CREATED, "add", id(&session.terms.id), raw))
}

/// Tells about a session.
pub(super) async fn get(exchange: &mut Exchange) -> Result<Answer, Failure> {
    let session = exchange.session().await?;
    let raw = exchange.raw()?;
    let mut data = json(&UploadSessionInfo { expires_at: Some(expires_at(exchange, &session)), ..info(&session) });
    if let (Some(fields), Value::Object(all)) = (exchange.fields()?, &mut data) {
        all.retain(|name, _| fields.contains(&name.as_str()));
    }
    Ok(answer(&session, StatusCode::OK, "one", data, raw))
}

/// Ends a session and removes its parts.
pub(super) async fn delete(exchange: &mut Exchange) -> Result<Answer, Failure> {
    let session = exchange.session().await?;
    let raw = exchange.raw()?;
    session.remove()?;
    exchange.state.forget_session(&session).await?;
    Ok(answer(&session, StatusCode::OK, "delete", id(&session.terms.id), raw))
}

/// Answers about a session.
pub(super) fn answer(
    session: &Arc<Session>,
    status: StatusCode,
    operation: &'static str,
    data: Value,
    raw: bool,
) -> Answer {
    Answer {
        status,
        service: session.terms.profile.id,
        resource: "UploadSessions",
        operation,
        data,
        raw: raw.then(|| json(&info(session))),
        retry_after: None,
    }
}

/// Gives the `data` of an answer that holds an id only.
pub(super) fn id(id: &str) -> Value {
    json!(UnifiedId { id: id.to_owned() })
}

fn info(session: &Session) -> UploadSessionInfo {
    let snapshot = session.snapshot();
    let part_size = session.terms.part_size;
    UploadSessionInfo {
        id: Some(session.terms.id.clone()),
        success: Some(snapshot.finished),
        part_size: Some(if session.terms.profile.fractional_part_size {
            json!(part_size as f64)
        } else {
            json!(part_size)
        }),
        parallel_upload_supported: Some(session.terms.parallel),
        uploaded_byte_range: snapshot.contiguous.checked_sub(1).map(|last| format!("0-{last}")),
        expires_at: Some(date_time(snapshot.expires_at)),
    }
}

/// Writes when a session ends, as the consumer's settings want it told.
fn expires_at(exchange: &Exchange, session: &Session) -> String {
    let truth = session.snapshot().expires_at;
    match exchange.state.consumers.effective(Some(&exchange.consumer)).expires_at {
        None | Some(ExpiresAt::True) => date_time(truth),
        Some(ExpiresAt::WithoutZone) => date_time(truth).trim_end_matches('Z').to_owned(),
        Some(ExpiresAt::Past) => date_time(Timestamp::now().saturating_sub(1.hour()).unwrap_or(Timestamp::MIN)),
    }
}

fn json(info: &UploadSessionInfo) -> Value {
    serde_json::to_value(info).unwrap_or_else(|_| Value::Object(Map::new()))
}
