//! Plays the scripted faults around the operations.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::perform;
use crate::body::Failure;
use crate::envelope::scripted_error;
use crate::exchange::Exchange;
use crate::faults::{Fault, ResetWhen, StallWhen};

/// Runs an operation, with the fault that strikes it.
pub(super) async fn run(mut exchange: Exchange) -> Response {
    let (consumers, consumer) = (Arc::clone(&exchange.state.consumers), Arc::clone(&exchange.consumer));
    let outcome = tokio::select! {
        biased;
        () = consumers.cut_off(&consumer) => Err(Failure::Cut),
        outcome = play(&mut exchange) => outcome,
    };
    match outcome {
        Ok(response) => {
            exchange.status = Some(response.status().as_u16());
            response
        }
        Err(_) => {
            exchange.connection.cut();
            // Nobody reads it: hyper finds the connection broken when it starts to send.
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn play(exchange: &mut Exchange) -> Result<Response, Failure> {
    exchange.travel().await?;
    match exchange.take_fault() {
        None => perform(exchange).await,
        Some(Fault::Status { status, headers, body, before_body }) => {
            if !before_body {
                exchange.body.drain().await?;
            }
            Ok(scripted(status, headers, body))
        }
        Some(Fault::Reset { when }) => {
            match when {
                ResetWhen::Before => {}
                ResetWhen::Midway => exchange.body.read_half().await?,
                ResetWhen::After => exchange.body.drain().await?,
            }
            Err(Failure::Cut)
        }
        Some(Fault::Stall { when: StallWhen::Before, seconds }) => {
            exchange.stall(seconds).await?;
            perform(exchange).await
        }
        Some(Fault::Stall { when: StallWhen::After, seconds }) => {
            let response = perform(exchange).await?;
            exchange.stall(seconds).await?;
            Ok(response)
        }
        Some(Fault::LostAnswer {}) => {
            perform(exchange).await?;
            Err(Failure::Cut)
        }
        Some(Fault::CorruptByte {}) => {
            exchange.body.corrupt();
            perform(exchange).await
        }
        Some(Fault::Expire {}) => {
            exchange.expire_session();
            perform(exchange).await
        }
    }
}

fn scripted(status: u16, headers: BTreeMap<String, String>, body: Option<Value>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (content_type, body) = match body {
        None => ("application/json", json(&scripted_error(status))),
        Some(Value::String(text)) if text.trim_start().starts_with('<') => ("text/html; charset=utf-8", text),
        Some(Value::String(text)) => ("text/plain; charset=utf-8", text),
        Some(value) => ("application/json", json(&value)),
    };
    let mut all = HeaderMap::new();
    all.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Checked when the fault was scripted.
    all.extend(
        headers
            .iter()
            .filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))),
    );
    (status, all, Body::from(body)).into_response()
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
