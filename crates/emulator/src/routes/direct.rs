//! Direct: a small file in one request.

use axum::http::StatusCode;
use serde_json::json;
use upload_session_engine::wire::MAX_PART_SIZE;

use super::sessions::id;
use super::validate;
use crate::body::{Failure, Received};
use crate::digest::Sha1Sum;
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
    let (temporary, received) = receive(exchange, profile, announced).await?;
    let file = FinishedFile::new(
        &caller.owner,
        profile.id,
        &metadata.name,
        &metadata.parent_folder_id,
        metadata.drive_id.as_deref(),
        received.bytes,
        Some(received.sha1),
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

async fn receive(
    exchange: &mut Exchange,
    profile: &Profile,
    announced: Option<Sha1Sum>,
) -> Result<(String, Received), Failure> {
    let temporary = new_id();
    let writer = Writer::new(exchange.state.storage.create(&temporary)?, 0, None);
    let received = exchange.body.receive(writer, profile.direct_limit, too_long(profile)).await;
    let checked = received.and_then(|received| {
        exchange.check_digest(announced, &received.sha1, "the file")?;
        Ok(received)
    });
    match checked {
        Ok(received) => Ok((temporary, received)),
        Err(failure) => {
            exchange.state.storage.remove_parts(&temporary).await?;
            Err(failure)
        }
    }
}

fn too_long(profile: &Profile) -> ApiError {
    let limit = profile.direct_limit;
    let detail = format!("A direct upload to {} has at most {limit} bytes", profile.id);
    if limit == MAX_PART_SIZE { ApiError::too_large(detail) } else { ApiError::unprocessable(detail) }
}
