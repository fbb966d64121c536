//! The control API under `/_emulator`: scripts faults, changes settings, tells what happened.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State as Extract};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tower_http::services::ServeFile;
use upload_session_engine::wire::header::DIGEST;

use crate::consumers::Change;
use crate::digest::to_header;
use crate::envelope::ApiError;
use crate::faults::FaultRule;
use crate::state::{FinishedFile, State};
use crate::stats::Report;

type Shared = Extract<Arc<State>>;

/// Query of most of the routes: one consumer, or all where it is absent.
#[derive(Debug, Deserialize)]
struct Of {
    consumer_id: Option<String>,
}

impl Of {
    fn consumer(&self) -> Option<&str> {
        self.consumer_id.as_deref()
    }
}

/// Routes the control API.
pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/_emulator/faults", get(list_faults).post(add_faults).delete(clear_faults))
        .route("/_emulator/settings", post(change_settings))
        .route("/_emulator/stats", get(stats))
        .route("/_emulator/reset", post(reset))
        .route("/_emulator/sessions", get(sessions))
        .route("/_emulator/files", get(files))
        .route("/_emulator/files/{id}", get(file))
        .route("/_emulator/files/{id}/info", get(file_info))
}

async fn list_faults(state: Shared, Query(of): Query<Of>) -> Response {
    Json(state.faults.list(of.consumer())).into_response()
}

async fn add_faults(state: Shared, body: Bytes) -> Result<Response, ApiError> {
    let rules: Vec<FaultRule> = parse(&body)?;
    state.faults.add(rules).map_err(ApiError::bad_request)?;
    Ok(Json(state.faults.list(None)).into_response())
}

async fn clear_faults(state: Shared, Query(of): Query<Of>) -> StatusCode {
    state.faults.clear(of.consumer());
    StatusCode::NO_CONTENT
}

async fn change_settings(state: Shared, body: Bytes) -> Result<Response, ApiError> {
    let change: Change = parse(&body)?;
    change.check().map_err(ApiError::bad_request)?;
    Ok(Json(state.consumers.change(&change)).into_response())
}

async fn stats(state: Shared, Query(of): Query<Of>) -> Response {
    let mut report = Report::of(&state.consumers.stats(of.consumer()));
    if of.consumer().is_none() {
        report.peak_parallel_uploads = state.consumers.all.uploads.peak();
    }
    report.sessions_open = state.open_sessions(of.consumer()).len();
    Json(report).into_response()
}

async fn reset(state: Shared, Query(of): Query<Of>) -> Result<StatusCode, ApiError> {
    state.reset(of.consumer()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sessions(state: Shared, Query(of): Query<Of>) -> Response {
    let listed: Vec<_> = state.open_sessions(of.consumer()).iter().map(|session| session.listed()).collect();
    Json(listed).into_response()
}

async fn files(state: Shared, Query(of): Query<Of>) -> Response {
    let files = state.list_files(of.consumer());
    Json(files.iter().map(|file| (**file).clone()).collect::<Vec<_>>()).into_response()
}

async fn file_info(state: Shared, Path(id): Path<String>) -> Result<Response, ApiError> {
    Ok(Json((*find(&state, &id)?).clone()).into_response())
}

async fn file(state: Shared, Path(id): Path<String>, request: Request) -> Result<Response, ApiError> {
    let file = find(&state, &id)?;
    if state.storage.discard {
        return Err(ApiError::gone("The emulator was started with --discard: the bytes were dropped"));
    }
    let mut service = ServeFile::new(state.storage.file_path(&id)).with_buf_chunk_size(256 * 1024);
    let mut response = service.try_call(request).await?.into_response();
    let name = utf8_percent_encode(&file.name, NON_ALPHANUMERIC);
    set(&mut response, CONTENT_TYPE, &file.mime_type);
    set(&mut response, CONTENT_DISPOSITION, &format!("attachment; filename*=UTF-8''{name}"));
    if let Some(sha1) = &file.sha1 {
        set(&mut response, HeaderName::from_static(DIGEST), &to_header(sha1));
    }
    Ok(response)
}

/// Sets a header whose value is made of ASCII only.
fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn find(state: &State, id: &str) -> Result<Arc<FinishedFile>, ApiError> {
    state.file(id).ok_or_else(|| ApiError::not_found(format!("Could not find file with id: '{id}'")))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::bad_request(error.to_string()))
}
