//! Static files, for the demo page.

use axum::Router;
use axum::handler::HandlerWithoutStateExt;
use axum::http::{HeaderValue, header::CACHE_CONTROL};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeader;

use crate::config::Mount;
use crate::no_route;

/// Serves each directory at its path, and an error envelope everywhere else.
pub(crate) fn mount(mut router: Router, mounts: &[Mount]) -> Router {
    router = router.fallback(no_route);
    for mount in mounts {
        let files = ServeDir::new(&mount.dir).fallback(no_route.into_service());
        let files = SetResponseHeader::overriding(files, CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        router = match mount.path.as_str() {
            "/" => router.fallback_service(files),
            path => router.nest_service(path, files),
        };
    }
    router
}
