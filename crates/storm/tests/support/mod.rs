//! The engine over real HTTP, against an emulator of this process.

#![allow(dead_code, unused_imports, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod driver;
mod lab;

pub(crate) use driver::Target;
pub(crate) use lab::Lab;
