//! Time as an argument: the engine never reads a clock.

use std::ops::Add;
use std::time::Duration;

/// A point on a monotonic clock whose zero means nothing, e.g. the browser's `performance.now()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    /// Makes an instant from the time since the clock's zero.
    pub const fn from_origin(since_origin: Duration) -> Self {
        Self(since_origin)
    }

    /// Returns the time that has passed since `earlier`, zero where that lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// What every input brings along: when it happened, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock, for delays and deadlines.
    pub instant: Instant,
    /// The wall clock as time since 1970-01-01T00:00:00Z, for dates that the server names.
    pub unix: Duration,
}
