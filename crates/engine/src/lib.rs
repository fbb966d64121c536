//! The sans-IO core of upload-session.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod call;
pub mod clock;
pub mod config;
pub mod digest;
pub mod error;
pub mod output;
mod part;
pub mod plan;
pub mod progress;
pub mod request;
pub mod retry;
pub mod upload;
pub mod wire;
