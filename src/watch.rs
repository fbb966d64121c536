//! Watches over a file while it is sent, so that what arrives is the file that was picked.
//!
//! Chromium refuses to read a file that was written to since it was picked: there a look costs the reading of one
//! byte. Other browsers serve whatever is under the file's name by now, and nothing that they tell of a `File` (size, date)
//! is ever looked up again. There the file is read a second time before it is finished, and a few samples of it now and
//! then meanwhile, so that a file that was replaced is not found out only after hours of sending.

use std::cell::Cell;
use std::ops::Range;
use upload_session_engine::clock::Duration;

use upload_session_engine::clock::Instant;
use upload_session_engine::digest::{Digest, PartHasher};
use web_sys::Blob;

use crate::error::ReadError;
use crate::sys::abort::Flag;
use crate::sys::{blob, timer};

/// Shortest time between two looks at the samples.
const INTERVAL: Duration = Duration::from_secs(1);

/// What is known of one file's content.
pub(crate) struct Watch {
    /// The browser reads a changed file without a word.
    is_needed: bool,
    /// What the samples held at the first look.
    samples: Cell<Option<Digest>>,
    /// When they are due for another look; none before the first.
    due: Cell<Option<Instant>>,
}

impl Watch {
    pub(crate) fn new(is_needed: bool) -> Self {
        Self { is_needed, samples: Cell::default(), due: Cell::default() }
    }

    /// Looks at the file's samples, where that is due, before a part of it is read.
    ///
    /// # Errors
    /// `file_changed` where they differ from the first look's, or cannot be read.
    pub(crate) async fn look(&self, file: &Blob) -> Result<(), ReadError> {
        let now = timer::now().instant;
        if !self.is_needed || self.due.get().is_some_and(|due| now < due) {
            return Ok(());
        }
        self.due.set(Some(now + INTERVAL));
        let found = blob::samples(file).await?;
        match self.samples.replace(Some(found)) {
            Some(known) if found != known => Err(ReadError::other_content()),
            _ => Ok(()),
        }
    }

    /// Makes sure that a part is still there before the browser sends it from disk: Firefox never ends a request whose
    /// content it cannot read.
    ///
    /// # Errors
    /// `file_changed` where it is gone.
    pub(crate) async fn before_slice(&self, file: &Blob, range: Range<u64>) -> Result<(), ReadError> {
        if self.is_needed { blob::probe(file, range).await } else { Ok(()) }
    }
}

/// Makes sure that a file is what it was, once all of it is sent: reads all of it into the hasher, for the digest to be
/// compared; or, where the hasher wants nothing as the browser itself knows, no more than a byte.
///
/// # Errors
/// `file_changed` where it is longer or shorter by now, is gone, or cannot be read any more.
pub(crate) async fn verify(file: &Blob, hasher: &mut PartHasher, stop: &Flag) -> Result<(), ReadError> {
    if hasher.wanted().any() {
        blob::read_whole(file, hasher, stop).await
    } else {
        blob::probe(file, 0..blob::size(file)).await
    }
}
