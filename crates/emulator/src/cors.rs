//! Cross-origin requests: allowed from every page, as the real API's are; [`guard`](crate::guard) has turned away before
//! what a page of another machine asks of anything else.

use std::time::Duration;

use axum::http::{HeaderName, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
use upload_session_engine::wire::header;

/// How long a browser may remember a preflight.
const MAX_AGE: Duration = Duration::from_secs(600);

/// Answers preflights, and lets pages read what the API's answers carry.
pub(crate) fn layer() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        // For `credentials: "include"`, which the module offers. It opens nothing: the emulator neither sets nor reads
        // a cookie.
        .allow_credentials(true)
        .expose_headers([
            HeaderName::from_static(header::REQUEST_ID),
            HeaderName::from_static(header::RETRY_AFTER),
            HeaderName::from_static(header::DIGEST),
        ])
        .max_age(MAX_AGE)
}
