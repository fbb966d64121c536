//! Tests of the module in a browser, against a running emulator: real files, real requests, real faults.
//!
//! They use the classes as JavaScript does: options are JS objects, answers are promises. The emulator's address
//! is compiled in. Every test is a consumer of its own, so none sees another's faults, settings or statistics.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

mod api;
mod arguments;
mod bodies;
mod control;
mod digests;
mod direct;
mod errors;
mod events;
mod faults;
mod hostile;
mod link;
mod locks;
mod memory;
mod odd_sizes;
mod reading;
mod resume;
mod store;
mod storm;
mod tokens;
mod xhr;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
