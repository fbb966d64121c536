//! The JS boundary of upload-session: classes, options and errors as JavaScript sees them, and the driver that
//! carries out what the [engine](upload_session_engine) decides. No policy lives here.
//!
//! The public surface is described in the npm package's `index.d.ts`.
// What only a page uses is linted with the page's module.
#![cfg_attr(not(feature = "page"), allow(dead_code))]
#![no_std]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

#[cfg(all(target_arch = "wasm32", not(feature = "std")))]
mod runtime;

#[cfg(feature = "page")]
mod api;
mod driver;
mod error;
mod events;
mod fields;
#[cfg(feature = "page")]
mod file;
#[cfg(feature = "stream")]
mod ingest;
mod json;
mod options;
#[cfg(feature = "page")]
mod record;
#[cfg(feature = "page")]
mod session;
mod slots;
#[cfg(feature = "stream")]
mod stream;
mod sys;
#[cfg(feature = "page")]
pub use api::{UploadSessionsApi, sha1_digest};
#[cfg(feature = "stream")]
pub use ingest::ingest;
#[cfg(feature = "page")]
pub use session::UploadSession;
