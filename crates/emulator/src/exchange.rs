//! One request of the API: who asks, what for, which fault strikes it, and how it ended.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, Request};
use axum::http::{HeaderMap, Uri, header::AUTHORIZATION};
use tokio::time::{Instant, sleep_until};
use upload_session_engine::wire::{MAX_PART_NUMBER, header};

use crate::body::{Failure, RequestBody};
use crate::connection::Connection;
use crate::consumers::Consumer;
use crate::digest::{self, Sha1Sum};
use crate::envelope::ApiError;
use crate::faults::{Fault, Operation};
use crate::profile::Profile;
use crate::session::{Owner, Session};
use crate::state::State;
use crate::stats::{InFlight, LogEntry};

/// A request on its way through the emulator. Dropping it writes it into the log.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) state: Arc<State>,
    pub(crate) operation: Operation,
    pub(crate) consumer: Arc<Consumer>,
    pub(crate) connection: Connection,
    pub(crate) headers: HeaderMap,
    pub(crate) body: RequestBody,
    query: Result<HashMap<String, String>, ApiError>,
    session_id: Option<String>,
    fault: Option<&'static str>,
    digest_ok: Option<bool>,
    /// Which attempt at its part this is, from 1 on.
    attempt: u64,
    /// Status of the answer, once there is one.
    pub(crate) status: Option<u16>,
    at_ms: u64,
    in_flight: Option<InFlight>,
}

/// Who asks, and for which connector.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) owner: Owner,
    pub(crate) connector: Option<&'static Profile>,
}

impl Exchange {
    /// Begins with the headers of a request; nothing is checked yet.
    pub(crate) fn begin(
        state: Arc<State>,
        connection: Connection,
        operation: Operation,
        session_id: Option<String>,
        request: Request,
    ) -> Self {
        let at_ms = state.now_ms();
        let (head, body) = request.into_parts();
        let consumer_id = text(&head.headers, header::CONSUMER_ID).unwrap_or_default();
        let consumer = state.consumers.get(consumer_id);
        consumer.stats.count(operation);
        let in_flight = (operation == Operation::Upload).then(|| {
            let most = state.consumers.effective(Some(&consumer)).max_parallel_uploads;
            InFlight::enter(Arc::clone(&consumer.stats), Arc::clone(&state.consumers.all), most)
        });
        let body = RequestBody::new(
            body,
            &head.headers,
            Arc::clone(&state.consumers),
            Arc::clone(&consumer),
            connection.clone(),
        );
        let mut exchange = Self {
            state,
            operation,
            consumer,
            connection,
            headers: head.headers,
            body,
            query: query(&head.uri),
            session_id,
            fault: None,
            digest_ok: None,
            attempt: 0,
            status: None,
            at_ms,
            in_flight,
        };
        if let (Some(id), Ok(part_number)) = (&exchange.session_id, exchange.part_number()) {
            exchange.attempt = exchange.consumer.stats.count_attempt(id, part_number);
            exchange.state.moved_on.notify_waiters();
        }
        exchange
    }

    /// Takes the fault that strikes this request, if any.
    pub(crate) fn take_fault(&mut self) -> Option<Fault> {
        let part_number = self.part_number().ok();
        let fault = self.state.faults.take(self.operation, part_number, &self.consumer.id)?;
        self.fault = Some(fault.kind());
        Some(fault)
    }

    /// Tells whether the consumer had fewer uploads in flight than allowed when this one came.
    pub(crate) fn is_admitted(&self) -> bool {
        self.in_flight.as_ref().is_none_or(|in_flight| in_flight.admitted)
    }

    /// Tells who asks.
    ///
    /// # Errors
    /// 401 without a bearer token, 400 without app or consumer id, 404 for an unknown connector.
    pub(crate) fn caller(&self) -> Result<Caller, ApiError> {
        let bearer = self.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
        match bearer {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {}
            _ => {
                return Err(ApiError::unauthorized("Missing authentication: Authorization: Bearer <API key>"));
            }
        }
        let required = |name| {
            text(&self.headers, name)
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
                .ok_or_else(|| ApiError::bad_header(format!("Missing Header: {name}")))
        };
        let owner = Owner { app_id: required(header::APP_ID)?, consumer_id: required(header::CONSUMER_ID)? };
        let connector = match text(&self.headers, header::SERVICE_ID) {
            None => None,
            Some(id) => Some(Profile::find(id).ok_or_else(|| ApiError::unknown_connector(id))?),
        };
        Ok(Caller { owner, connector })
    }

    /// Gives the session that the request names.
    ///
    /// # Errors
    /// Those of [`caller`](Self::caller); 404 where the caller has no such session, or no longer.
    pub(crate) async fn session(&mut self) -> Result<Arc<Session>, ApiError> {
        let caller = self.caller()?;
        let id = self.session_id.as_deref().unwrap_or_default();
        self.state.session(id, &caller).await
    }

    /// Lets the session that the request names expire, whoever asks.
    pub(crate) fn expire_session(&self) {
        let id = self.session_id.as_deref().unwrap_or_default();
        if let Some(session) = self.state.sessions.lock().get(id) {
            session.expire();
        }
    }

    /// Gives `part_number`.
    ///
    /// # Errors
    /// 400 where it is missing or no integer from 0 to 10,000.
    pub(crate) fn part_number(&self) -> Result<u32, ApiError> {
        let wanted = || {
            let detail = format!("part_number must be an integer from 0 to {MAX_PART_NUMBER}");
            ApiError::bad_request(detail)
        };
        let value = self.parameter("part_number")?.ok_or_else(wanted)?;
        let number = value.parse().map_err(|_| wanted())?;
        if number > MAX_PART_NUMBER { Err(wanted()) } else { Ok(number) }
    }

    /// Tells whether `raw=true` was asked.
    ///
    /// # Errors
    /// 400 where it is neither `true` nor `false`.
    pub(crate) fn raw(&self) -> Result<bool, ApiError> {
        match self.parameter("raw")? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ApiError::bad_request("raw must be true or false")),
        }
    }

    /// Gives the names in `fields`; none where all are wanted.
    pub(crate) fn fields(&self) -> Result<Option<Vec<&str>>, ApiError> {
        let fields = self.parameter("fields")?.filter(|fields| !fields.is_empty());
        Ok(fields.map(|fields| fields.split(',').map(str::trim).collect()))
    }

    fn parameter(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let query = self.query.as_ref().map_err(Clone::clone)?;
        Ok(query.get(name).map(String::as_str))
    }

    /// Gives the SHA-1 that the sender announces.
    ///
    /// # Errors
    /// 400 where it is malformed, or missing where the connector requires it.
    pub(crate) fn announced_digest(&self, required: bool) -> Result<Option<Sha1Sum>, ApiError> {
        let announced = digest::from_headers(&self.headers)?;
        if required && announced.is_none() {
            return Err(ApiError::bad_header("Missing Header: digest, required by this connector"));
        }
        Ok(announced)
    }

    /// Holds the announced SHA-1 against the one of the bytes, and logs the outcome.
    ///
    /// # Errors
    /// 422 where they differ.
    pub(crate) fn check_digest(
        &mut self,
        announced: Option<Sha1Sum>,
        computed: &Sha1Sum,
        of: &str,
    ) -> Result<(), ApiError> {
        let Some(announced) = announced else {
            return Ok(());
        };
        self.digest_ok = Some(announced == *computed);
        if announced == *computed {
            return Ok(());
        }
        let (sent, found) = (digest::to_header(&announced), digest::to_header(computed));
        Err(ApiError::unprocessable(format!("The digest of {of} does not match: sent {sent}, computed {found}")))
    }

    /// Waits until the request has come over the link, or the client has gone.
    pub(crate) async fn travel(&mut self) -> Result<(), Failure> {
        let Some(latency) = self.state.consumers.effective(Some(&self.consumer)).latency_ms else {
            return Ok(());
        };
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(latency.into())) => Ok(()),
            () = self.connection.closed() => Err(Failure::Cut),
        }
    }

    /// Waits so long, or until the client has given this request up.
    pub(crate) async fn stall(&mut self, seconds: Option<f64>) -> Result<(), Failure> {
        let end =
            seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).map(|stall| Instant::now() + stall);
        let had_session = self.has_session();
        loop {
            let moved_on = self.state.moved_on.notified();
            if self.is_superseded() || had_session && !self.has_session() {
                return Err(Failure::Cut);
            }
            let time = async {
                match end {
                    Some(end) => sleep_until(end).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = time => return Ok(()),
                () = self.connection.closed() => return Err(Failure::Cut),
                () = moved_on => {}
            }
        }
    }

    /// Tells whether the same part has been tried again. The end of a client that has gone waits behind the bytes
    /// that a stall does not read, so this may be the first that is heard of it.
    fn is_superseded(&self) -> bool {
        match (&self.session_id, self.part_number()) {
            (Some(id), Ok(part_number)) => self.consumer.stats.attempts(id, part_number) > self.attempt,
            _ => false,
        }
    }

    fn has_session(&self) -> bool {
        self.session_id.as_ref().is_some_and(|id| self.state.sessions.lock().contains_key(id))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let entry = LogEntry {
            at_ms: self.at_ms,
            end_ms: self.state.now_ms(),
            operation: self.operation,
            consumer_id: self.consumer.id.clone(),
            session_id: self.session_id.take(),
            part_number: self.part_number().ok(),
            status: self.status,
            bytes: self.body.received,
            digest: text(&self.headers, header::DIGEST).map(str::to_owned),
            digest_ok: self.digest_ok,
            fault: self.fault,
        };
        tracing::info!(
            operation = ?entry.operation,
            session = entry.session_id,
            part = entry.part_number,
            status = entry.status,
            bytes = entry.bytes,
            milliseconds = entry.end_ms - entry.at_ms,
            fault = entry.fault,
        );
        self.consumer.stats.note(entry);
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn query(uri: &Uri) -> Result<HashMap<String, String>, ApiError> {
    match Query::try_from_uri(uri) {
        Ok(Query(query)) => Ok(query),
        Err(rejection) => Err(ApiError::bad_request(rejection.body_text())),
    }
}
