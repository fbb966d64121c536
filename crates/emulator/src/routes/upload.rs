//! Upload: one part.

use std::sync::Arc;

use axum::http::StatusCode;

use super::sessions::{answer, id};
use crate::body::Failure;
use crate::digest::Sha1Sum;
use crate::envelope::{Answer, ApiError};
use crate::exchange::Exchange;
use crate::parts::Held;
use crate::session::Session;
use crate::storage::{Permit, Writer, Written};

/// Seconds to wait where too many uploads are in flight.
const RETRY_AFTER: u32 = 1;

/// Takes a part.
pub(super) async fn upload(exchange: &mut Exchange) -> Result<Answer, Failure> {
    let session = exchange.session().await?;
    let part_number = exchange.part_number()?;
    let raw = exchange.raw()?;
    let announced = exchange.announced_digest(session.terms.profile.digest_required)?;
    check_in_flight(exchange)?;
    // Two attempts at one part must not mix their bytes. The first ends when its client goes away, at the latest.
    let permit = session.part_lock(part_number).lock_owned().await;
    match session.open(|parts| parts.held(part_number))? {
        Some(held) => compare(exchange, &session, part_number, held, announced).await?,
        None => store(exchange, &session, part_number, announced, permit).await?,
    }
    Ok(answer(&session, StatusCode::OK, "update", id(&session.terms.id), raw))
}

fn check_in_flight(exchange: &Exchange) -> Result<(), ApiError> {
    if exchange.is_admitted() {
        return Ok(());
    }
    let settings = exchange.state.consumers.effective(Some(&exchange.consumer));
    let detail = format!("More than {} uploads in flight", settings.max_parallel_uploads.unwrap_or_default());
    Err(ApiError::too_many(detail, settings.retry_after.unwrap_or(RETRY_AFTER)))
}

/// Takes a part that is not held yet. Unless every byte of it comes, it is not held afterwards either.
async fn store(
    exchange: &mut Exchange,
    session: &Arc<Session>,
    part_number: u32,
    announced: Option<Sha1Sum>,
    permit: Permit,
) -> Result<(), Failure> {
    let length = session.open(|parts| parts.admit(part_number))??;
    if let Some(declared) = exchange.body.declared {
        length.check(part_number, declared)?;
    }
    let offset = u64::from(part_number) * session.terms.part_size;
    let writer = Writer::new(session.terms.file.clone(), offset)
        .with_whole(session.running_hasher(part_number))
        .with_permit(permit);
    let most = length.most();
    let too_long = ApiError::unprocessable(format!("Part {part_number} has more than {most} bytes"));
    let received = exchange.body.receive(writer, most, too_long).await?;
    length.check(part_number, received.bytes)?;
    let Written { sha1, whole, permit: _until_held } = received.written;
    exchange.check_digest(announced, &sha1, &format!("part {part_number}"))?;
    session.hold(part_number, Held { bytes: received.bytes, sha1 }, whole)?;
    exchange.consumer.stats.count_accepted_part();
    Ok(())
}

/// Takes a part that is held: with the same bytes it is fine, except where the connector takes it once.
async fn compare(
    exchange: &mut Exchange,
    session: &Arc<Session>,
    part_number: u32,
    held: Held,
    announced: Option<Sha1Sum>,
) -> Result<(), Failure> {
    if session.terms.profile.part_once {
        return Err(ApiError::conflict(format!("Part {part_number} was uploaded already")).into());
    }
    let different = || {
        let detail = format!("Part {part_number} was uploaded already, with other bytes");
        ApiError::unprocessable(detail)
    };
    let writer = Writer::new(None, 0);
    let received = exchange.body.receive(writer, held.bytes, different()).await?;
    let sha1 = received.written.sha1;
    exchange.check_digest(announced, &sha1, &format!("part {part_number}"))?;
    if sha1 != held.sha1 {
        return Err(different().into());
    }
    session.open(|_| ())?;
    Ok(())
}
