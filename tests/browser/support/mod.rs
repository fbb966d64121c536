//! What the tests share: a consumer of the emulator, files, JS values, and an upload whose events are kept.

mod consumer;
mod files;
mod js;
mod upload;

pub(crate) use consumer::{Consumer, Entry, Stats};
pub(crate) use files::{assert_same, file, named_file, sha1};
pub(crate) use js::{Failure, function, get, js, settle, text, until, with};
pub(crate) use upload::{Running, on};
