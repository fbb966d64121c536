//! Finish: the parts become a file.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::sessions::{JSON_LIMIT, answer, id};
use super::validate;
use crate::body::Failure;
use crate::digest::Sha1Sum;
use crate::envelope::{Answer, ApiError};
use crate::exchange::Exchange;
use crate::session::Session;
use crate::state::FinishedFile;
use crate::storage::hash_file;

/// Seconds to wait after an answer 202.
const RETRY_AFTER: u32 = 1;

/// Turns the parts into a file.
pub(super) async fn finish(exchange: &mut Exchange) -> Result<Answer, Failure> {
    let body = exchange.body.read_all(JSON_LIMIT).await?;
    let session = exchange.session().await?;
    let raw = exchange.raw()?;
    validate::finish(&exchange.headers, &body)?;
    let announced = exchange.announced_digest(session.terms.profile.digest_required)?;
    let _only_one = session.finishing.lock().await;
    let (size, known) = session.complete()?;
    let sha1 = match known {
        Some(sha1) => Some(sha1),
        None => hash(&session).await?,
    };
    if let Some(sha1) = &sha1 {
        exchange.check_digest(announced, sha1, "the file")?;
    }
    let times = exchange.state.consumers.effective(Some(&exchange.consumer)).finish_accepted_times;
    if session.accept_once_more(times.unwrap_or(0)) {
        let mut accepted = answer(&session, StatusCode::ACCEPTED, "finish", id(&session.terms.id), raw);
        accepted.retry_after = Some(RETRY_AFTER);
        return Ok(accepted);
    }
    let file = publish(exchange, &session, size, sha1)?;
    Ok(answer(&session, StatusCode::CREATED, "finish", unified_file(&file), raw))
}

/// Hashes the file that the parts make; none where bytes were dropped and parts came out of order.
async fn hash(session: &Arc<Session>) -> Result<Option<Sha1Sum>, ApiError> {
    let Some(file) = session.terms.file.clone() else {
        return Ok(None);
    };
    let hashed = tokio::task::spawn_blocking(move || hash_file(&file)).await;
    let sha1 = hashed.map_err(|error| ApiError::internal(format!("hashing failed: {error}")))??;
    session.set_whole(sha1);
    Ok(Some(sha1))
}

fn publish(
    exchange: &Exchange,
    session: &Arc<Session>,
    size: u64,
    sha1: Option<Sha1Sum>,
) -> Result<FinishedFile, ApiError> {
    let request = &session.terms.request;
    let file = FinishedFile::new(
        &session.terms.owner,
        session.terms.profile.id,
        &request.name,
        &request.parent_folder_id,
        request.drive_id.as_deref(),
        size,
        sha1,
    );
    session.finish(|| {
        exchange.state.storage.publish(&session.terms.id, &file.id)?;
        exchange.state.add_file(file.clone());
        Ok(())
    })?;
    Ok(file)
}

/// Describes a file as the API does.
fn unified_file(file: &FinishedFile) -> Value {
    json!({
        "id": file.id,
        "downstream_id": file.id,
        "name": file.name,
        "type": "file",
        "mime_type": file.mime_type,
        "size": file.size,
        "downloadable": true,
        "parent_folders": [{ "id": file.parent_folder_id }],
        "parent_folders_complete": false,
        "created_at": file.created_at,
        "updated_at": file.created_at,
    })
}
