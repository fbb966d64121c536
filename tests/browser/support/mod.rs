//! What the tests share: a consumer of the emulator, files, JS values, and an upload whose events are kept.

mod consumer;
mod files;
mod js;
mod patch;
mod recorder;
mod store;
mod upload;

pub(crate) use consumer::{Consumer, EMULATOR, Entry, Stats};
pub(crate) use files::{file, file_of, named_file};
pub(crate) use js::{Failure, call, eval, function, get, is_chromium, js, settle, text, until, with};
pub(crate) use patch::Patch;
pub(crate) use recorder::Recorder;
pub(crate) use store::MemoryStore;
pub(crate) use upload::{Running, on, stored};
