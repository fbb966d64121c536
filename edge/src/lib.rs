//! The policy of the upload proxy, sans I/O: what of a caller's request may go to the API, in which form, and what of
//! its answer may come back (DESIGN, 8: route → authorize → check → forward).
//!
//! A [`Policy`](policy::Policy) is made once of the proxy's options; each request that comes in is an
//! [`Exchange`](exchange::Exchange), which says in [`Step`](step::Step)s what to do and is told what came of it. It
//! opens no connection, holds no file content and reads no clock: whoever drives it does, natively in tests, and
//! from JavaScript through the module's exports.
//!
//! ```text
//!                  ┌─ route, origin ─▶ answer
//!  receive ────────┤
//!                  └─▶ authorize ─granted─┬─▶ answer                 no grant, or a check failed
//!                                         ├─▶ read ─read─▶ send      create: its body is JSON, and is rebuilt
//!                                         └─▶ send ─answered─▶ answer
//!
//!  any of these ──failed──▶ answer
//! ```
//!
//! An answer is final. An event that does not fit the step that is being carried out leads to a 500, never to a request.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
#[cfg(target_arch = "wasm32")]
mod boundary;
mod config;
pub mod exchange;
pub mod failure;
mod fields;
mod file;
mod grant;
mod headers;
#[cfg(target_arch = "wasm32")]
pub mod ingest;
mod origin;
pub mod policy;
mod query;
mod redact;
mod refusal;
mod route;
pub mod step;
pub mod token;
pub mod url;
