//! The rules of the proxy, each against whole exchanges: what comes in, what is asked, what goes out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod config;
mod content;
mod files;
mod grants;
mod harness;
mod origins;
mod properties;
mod queries;
mod routes;
mod sessions;
mod turns;
