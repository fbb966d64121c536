//! Keeps the emulator from web sites that the same browser has open: it holds a visitor's files on a known port.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::envelope::ApiError;

/// Begins the paths of the API itself, which pages of any origin may call, as they may call the real one.
const API: &str = "/file-storage/";

/// Passes on what comes from this machine.
///
/// Refuses with 421 whatever was sent to another host's name: a site that lets its own name point here would be of
/// the same origin for the browser, and free to read everything. Outside the API it refuses with 403, preflights
/// included, what a page of another machine sends; what pages send without an origin, they cannot read.
pub(crate) async fn run(request: Request, next: Next) -> Response {
    match check(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    if !headers.get(HOST).is_some_and(is_loopback_host) {
        return Err(ApiError::foreign_host("Host must be 127.0.0.1, localhost or [::1], with any port"));
    }
    let is_foreign = headers.get(ORIGIN).is_some_and(|origin| !is_loopback_origin(origin));
    if is_foreign && !uri.path().starts_with(API) {
        return Err(ApiError::foreign_origin(
            "Pages of other machines may use the routes of the API, and nothing else",
        ));
    }
    Ok(())
}

fn is_loopback_host(value: &HeaderValue) -> bool {
    Authority::try_from(value.as_bytes()).is_ok_and(|authority| is_loopback(authority.host()))
}

/// Tells whether it is a page of this machine; `null`, that of a sandbox or a file, is not.
fn is_loopback_origin(value: &HeaderValue) -> bool {
    let Ok(origin) = Uri::try_from(value.as_bytes()) else {
        return false;
    };
    matches!(origin.scheme_str(), Some("http" | "https")) && origin.host().is_some_and(is_loopback)
}

fn is_loopback(host: &str) -> bool {
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host.eq_ignore_ascii_case(name))
}
