//! Direct: a small file in one request.

use axum::http::StatusCode;
use serde_json::json;
use upload_session_engine::wire::MAX_PART_SIZE;

use super::sessions::id;
use super::validate;
use crate::body::Failure;
use crate::envelope::{Answer, ApiError};
use crate::exchange::Exchange;
use crate::profile::Profile;
use crate::state::{FinishedFile, new_id};
use crate::storage::Writer;

/// Takes a file.
pub(super) async fn direct(exchange: &mut Exchange) -> Result<Answer, Failure> {
    let caller = exchange.caller()?;
    let raw = exchange.raw()?;
    let announced = exchange.announced_digest(false)?;
    let metadata = validate::create_file(&exchange.headers)?;
    let profile = caller.connector.unwrap_or(Profile::default_connector());
    if exchange.body.declared.is_some_and(|declared| declared > profile.direct_limit) {
        return Err(too_long(profile).into());
    }
    let temporary = new_id();
    let _removing = exchange.state.storage.removing_parts(&temporary);
    let writer = Writer::new(exchange.state.storage.create(&temporary)?, 0);
    let received = exchange.body.receive(writer, profile.direct_limit, too_long(profile)).await?;
    let sha1 = received.written.sha1;
    exchange.check_digest(announced, &sha1, "the file")?;
    let file = FinishedFile::new(
        &caller.owner,
        profile.id,
        &metadata.name,
        &metadata.parent_folder_id,
        metadata.drive_id.as_deref(),
        received.bytes,
        Some(sha1),
    );
    exchange.state.storage.publish(&temporary, &file.id)?;
    let file = exchange.state.add_file(file);
    Ok(Answer {
        status: StatusCode::CREATED,
        service: profile.id,
        resource: "files",
        operation: "add",
        data: id(&file.id),
        raw: raw.then(|| json!({ "id": file.id, "name": file.name, "size": file.size })),
        retry_after: None,
    })
}

fn too_long(profile: &Profile) -> ApiError {
    let limit = profile.direct_limit;
    let detail = format!("A direct upload to {} has at most {limit} bytes", profile.id);
    if limit == MAX_PART_SIZE { ApiError::too_large(detail) } else { ApiError::unprocessable(detail) }
}
