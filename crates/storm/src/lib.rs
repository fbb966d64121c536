//! Random uploads against random faults, and the judge of what comes of them.
//!
//! A seed makes a [`Scenario`]: a file, the connector and options it is uploaded with, and the faults that the
//! emulator plays meanwhile. Whoever carries it out, natively or in a browser, says what the uploader told of it
//! ([`Outcome`]) and what the emulator saw ([`Evidence`]); [`judge`] says in a sentence what is wrong with that, if
//! anything. Nothing here opens a connection or reads a clock, so the same scenarios run everywhere.
#![forbid(unsafe_code)]

mod evidence;
mod faults;
mod judge;
mod scenario;

pub use evidence::{Entry, Evidence, StoredFile};
pub use judge::{End, Outcome, Retry, judge};
pub use scenario::{Scenario, seeds};
