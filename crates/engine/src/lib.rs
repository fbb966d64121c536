//! The sans-IO core of upload-session.
#![forbid(unsafe_code)]

pub mod wire;
