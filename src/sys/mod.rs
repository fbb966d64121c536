//! What the platform gives: the only modules that name its types. What takes several steps of it is in `platform.js` and
//! `network.js`, each function of which is bound here once.

#[cfg(feature = "page")]
pub(crate) mod blob;
pub(crate) mod bytes;
#[cfg(feature = "stream")]
pub(crate) mod chunks;
pub(crate) mod listener;
#[cfg(feature = "page")]
pub(crate) mod lock;
pub(crate) mod network;
pub(crate) mod promise;
#[cfg(feature = "page")]
pub(crate) mod storage;
pub(crate) mod timer;
