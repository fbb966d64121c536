//! Watches over a file while it is sent, so that what arrives is the file that was picked.
//!
//! Chromium refuses to read a file that was written to since it was picked: there a look costs the reading of one
//! byte. Other browsers serve whatever is under the file's name by now, and nothing that they tell of a `File` (size, date)
//! is ever looked up again. There the file is read once more before it is finished, and a few samples of it now and
//! then meanwhile, so that a file that was replaced is not found out only after hours of sending.

use core::cell::Cell;
use upload_session_engine::clock::Duration;

use upload_session_engine::clock::Instant;
use upload_session_engine::digest::Digest;

use crate::error::ReadError;
use crate::sys::timer;

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

    /// Tells whether the file has to be looked at more closely than the browser does.
    pub(crate) fn is_needed(&self) -> bool {
        self.is_needed
    }

    /// Tells whether another look at the samples is due, before a part is read; once for each.
    pub(crate) fn is_due(&self) -> bool {
        let now = timer::now().instant;
        let is_due = self.is_needed && self.due.get().is_none_or(|due| now >= due);
        if is_due {
            self.due.set(Some(now + INTERVAL));
        }
        is_due
    }

    /// Takes in what the samples hold now.
    ///
    /// # Errors
    /// `file_changed` where they differ from the first look's.
    pub(crate) fn look(&self, found: Digest) -> Result<(), ReadError> {
        match self.samples.replace(Some(found)) {
            Some(known) if found != known => Err(ReadError::other_content()),
            _ => Ok(()),
        }
    }
}
