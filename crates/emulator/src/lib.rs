//! Apideck's upload sessions API on your own machine.
//!
//! The emulator is strict where the API is (headers, part sizes and order, digests, expiry, envelopes, errors,
//! CORS), and it misbehaves on demand: faults are scripted over `POST /_emulator/faults`. Its README describes the
//! flags, the profiles and the control API.
//!
//! [`app`] is the whole of it as a router, [`serve`] puts it on a listener; the binary only parses flags.
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod body;
mod config;
mod connection;
mod consumers;
mod control;
mod cors;
mod digest;
mod envelope;
mod exchange;
mod faults;
mod guard;
mod pace;
mod parts;
mod profile;
mod routes;
mod session;
mod state;
mod statics;
mod stats;
mod storage;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Uri};
use axum::middleware::{from_fn, map_response};
use axum::response::Response;
use upload_session_engine::wire::header::REQUEST_ID;

pub use config::{Config, Mount};
pub use connection::serve;

use envelope::ApiError;
use state::State;

/// Makes an emulator.
///
/// The router must be served by [`serve`]: its faults reach down to the TCP connection of a request.
///
/// # Errors
/// Those of the file system, where the directories for parts and files cannot be made.
pub fn app(config: &Config) -> io::Result<Router> {
    let state = Arc::new(State::new(config)?);
    let router = Router::new()
        .merge(routes::router())
        .merge(control::router())
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .with_state(state);
    let router = statics::mount(router, &config.mounts);
    // The last layer comes first: what the guard refuses gets no CORS headers.
    Ok(router.layer(cors::layer()).layer(from_fn(guard::run)).layer(map_response(add_request_id)))
}

async fn no_route(uri: Uri) -> ApiError {
    ApiError::not_found(format!("No such route: {}", uri.path()))
}

async fn add_request_id(mut response: Response) -> Response {
    if let Ok(id) = HeaderValue::from_str(&state::new_id()) {
        // A scripted answer may bring its own.
        response.headers_mut().entry(HeaderName::from_static(REQUEST_ID)).or_insert(id);
    }
    response
}
