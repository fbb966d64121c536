//! The body of a request, read at the pace of the link, counted, and corrupted where a fault says so.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{HeaderMap, header::CONTENT_LENGTH};
use bytes::Bytes;
use http_body_util::BodyExt;

use crate::connection::Connection;
use crate::consumers::{Consumer, Consumers};
use crate::envelope::ApiError;
use crate::storage::{Writer, Written};

/// Bytes that go to the disk in one step.
const BATCH: usize = 1024 * 1024;
/// A body that nobody wants is read up to here, so that its sender gets to read the answer.
const DRAIN_LIMIT: u64 = 256 * 1024 * 1024;

/// Why a request has no ordinary answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error of the API.
    Api(ApiError),
    /// None at all: the connection is cut, or its client has gone.
    Cut,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Api(error.into())
    }
}

/// What came of a body.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: u64,
    pub(crate) written: Written,
}

/// A request's body.
#[derive(Debug)]
pub(crate) struct RequestBody {
    body: Body,
    /// Header `content-length`; none where the body comes in chunks.
    pub(crate) declared: Option<u64>,
    /// Bytes read so far.
    pub(crate) received: u64,
    corrupt: bool,
    consumers: Arc<Consumers>,
    consumer: Arc<Consumer>,
    connection: Connection,
}

impl RequestBody {
    pub(crate) fn new(
        body: Body,
        headers: &HeaderMap,
        consumers: Arc<Consumers>,
        consumer: Arc<Consumer>,
        connection: Connection,
    ) -> Self {
        let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Self { body, declared, received: 0, corrupt: false, consumers, consumer, connection }
    }

    /// Flips a bit of the first byte still to come.
    pub(crate) fn corrupt(&mut self) {
        self.corrupt = true;
    }

    /// Gives the next bytes once they have passed the link; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let link = self.consumers.link(&self.consumer);
        if link.is_limited() {
            self.connection.narrow();
        }
        loop {
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            let Ok(bytes) = frame.map_err(|_| Failure::Cut)?.into_data() else {
                continue;
            };
            let count = bytes.len() as u64;
            link.pass(count).await;
            self.received += count;
            self.consumer.stats.bytes_received.fetch_add(count, Ordering::Relaxed);
            return Ok(Some(self.corrupted(bytes)));
        }
    }

    fn corrupted(&mut self, bytes: Bytes) -> Bytes {
        if !self.corrupt || bytes.is_empty() {
            return bytes;
        }
        self.corrupt = false;
        let mut changed = Vec::from(bytes);
        if let Some(first) = changed.first_mut() {
            *first ^= 1;
        }
        changed.into()
    }

    /// Reads up to about half of the body.
    pub(crate) async fn read_half(&mut self) -> Result<(), Failure> {
        let half = self.declared.unwrap_or(0) / 2;
        while self.received < half {
            if self.next().await?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Reads what is left and drops it.
    pub(crate) async fn drain(&mut self) -> Result<(), Failure> {
        while self.received < DRAIN_LIMIT && self.next().await?.is_some() {}
        Ok(())
    }

    /// Reads a small body whole.
    ///
    /// # Errors
    /// 413 above `limit` bytes.
    pub(crate) async fn read_all(&mut self, limit: usize) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next().await? {
            if all.len() + bytes.len() > limit {
                return Err(ApiError::too_large(format!("The body has more than {limit} bytes")).into());
            }
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    /// Passes the body to a writer, the next bytes being read while the last are hashed and written.
    ///
    /// # Errors
    /// `too_long` where there are more than `limit` bytes; cut where the client goes away before the end.
    pub(crate) async fn receive(
        &mut self,
        writer: Writer,
        limit: u64,
        too_long: ApiError,
    ) -> Result<Received, Failure> {
        let mut total = 0;
        let mut job = tokio::spawn(async move { Ok(writer) });
        loop {
            let batch = self.next_batch().await?;
            if batch.is_empty() {
                break;
            }
            total += batch.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
            if total > limit {
                return Err(too_long.into());
            }
            let mut writer = finished(job).await?;
            job = tokio::task::spawn_blocking(move || writer.write(&batch).map(|()| writer));
        }
        Ok(Received { bytes: total, written: finished(job).await?.finish() })
    }

    async fn next_batch(&mut self) -> Result<Vec<Bytes>, Failure> {
        let (mut batch, mut length) = (Vec::new(), 0);
        while length < BATCH {
            let Some(bytes) = self.next().await? else {
                break;
            };
            length += bytes.len();
            if !bytes.is_empty() {
                batch.push(bytes);
            }
        }
        Ok(batch)
    }
}

async fn finished(job: tokio::task::JoinHandle<std::io::Result<Writer>>) -> Result<Writer, Failure> {
    let written = job.await.map_err(|error| ApiError::internal(format!("writing failed: {error}")))?;
    Ok(written?)
}
