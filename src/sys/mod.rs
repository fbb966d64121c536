//! What the platform gives: the only modules that name its types.

pub(crate) mod abort;
#[cfg(feature = "page")]
pub(crate) mod blob;
pub(crate) mod bytes;
pub(crate) mod event;
pub(crate) mod fetch;
pub(crate) mod global;
#[cfg(feature = "page")]
pub(crate) mod lock;
pub(crate) mod online;
#[cfg(feature = "page")]
pub(crate) mod storage;
pub(crate) mod stream;
pub(crate) mod timer;
#[cfg(feature = "page")]
pub(crate) mod xhr;
