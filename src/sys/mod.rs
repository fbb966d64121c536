//! What the platform gives: the only modules that name its types.

pub(crate) mod abort;
pub(crate) mod blob;
pub(crate) mod bytes;
pub(crate) mod fetch;
pub(crate) mod stream;
pub(crate) mod timer;
