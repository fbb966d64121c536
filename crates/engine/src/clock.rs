//! Time as an argument: the engine never reads a clock.

use core::cmp::Ordering;
use core::ops::{Add, AddAssign, Mul, Sub};

/// A span of time in milliseconds, as browsers count it: never negative, never NaN. Half the code of core's seconds and
/// nanoseconds, of which nothing here needs the exactness.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Duration(f64);

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0.0);
    /// Forever.
    pub const MAX: Self = Self(f64::INFINITY);

    /// Makes a span of so many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis as f64)
    }

    /// Makes a span of so many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds as f64 * 1000.0)
    }

    /// Makes a span of milliseconds as JavaScript has them; none at all of what is negative or no number.
    pub const fn from_millis_f64(millis: f64) -> Self {
        Self(millis.max(0.0))
    }

    /// Returns the milliseconds.
    pub const fn as_millis_f64(self) -> f64 {
        self.0
    }

    /// Returns the whole milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0 as u64
    }

    /// Returns the seconds.
    pub const fn as_secs_f64(self) -> f64 {
        self.0 / 1000.0
    }

    /// Tells whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0.0
    }

    /// Returns the shorter of two.
    #[must_use]
    pub const fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// Returns the longer of two.
    #[must_use]
    pub const fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
}

impl Eq for Duration {}

impl Ord for Duration {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Duration {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    fn lt(&self, other: &Self) -> bool {
        self.0 < other.0
    }

    fn le(&self, other: &Self) -> bool {
        self.0 <= other.0
    }

    fn gt(&self, other: &Self) -> bool {
        self.0 > other.0
    }

    fn ge(&self, other: &Self) -> bool {
        self.0 >= other.0
    }
}

impl Add for Duration {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

/// Nothing is left where `other` is longer.
impl Sub for Duration {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self((self.0 - other.0).max(0.0))
    }
}

impl Mul<f64> for Duration {
    type Output = Self;

    fn mul(self, factor: f64) -> Self {
        Self((self.0 * factor).max(0.0))
    }
}

impl From<Duration> for core::time::Duration {
    fn from(duration: Duration) -> Self {
        Self::try_from_secs_f64(duration.as_secs_f64()).unwrap_or(Self::MAX)
    }
}

impl From<core::time::Duration> for Duration {
    fn from(duration: core::time::Duration) -> Self {
        Self(duration.as_secs_f64() * 1000.0)
    }
}

/// A point on a monotonic clock whose zero means nothing, e.g. the browser's `performance.now()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    /// Makes an instant from the time since the clock's zero.
    pub const fn from_origin(since_origin: Duration) -> Self {
        Self(since_origin)
    }

    /// Returns the time that has passed since `earlier`, zero where that lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        self.0 - earlier.0
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration)
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

/// How the platform reads a date, of RFC 3339 (`expires_at`) or of HTTP (`Retry-After`; RFC 9110, 5.6.7): as time since
/// 1970; none where it is none, or lies before 1970. In a browser that is `Date.parse`; a reader of one's own would take more
/// of the wasm than the retries that need it.
pub type ReadDate = fn(&str) -> Option<Duration>;

/// Reads a date and time as the API sends it (RFC 3339): one without a zone counts as UTC.
pub(crate) fn parse_date(text: &str, read: ReadDate) -> Option<Duration> {
    let text = text.trim_ascii();
    let (day, time) = (text.get(..10)?, text.get(11..)?);
    let has_zone = time.bytes().any(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'));
    read(&[day, "T", time, if has_zone { "" } else { "Z" }].concat())
}

/// Reads dates natively: `ReadDate` for tests and programs that are no page.
#[cfg(feature = "dates")]
pub fn read_date(text: &str) -> Option<Duration> {
    let date =
        text.parse::<jiff::Timestamp>().or_else(|_| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text));
    u64::try_from(date.ok()?.as_millisecond()).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_utc_unless_they_name_a_zone() {
        let noon = Some(Duration::from_secs(1_700_049_600));
        for text in [
            "2023-11-15T12:00:00Z",
            "2023-11-15T12:00:00",
            "2023-11-15 12:00:00",
            "2023-11-15T12:00:00+00:00",
            "2023-11-15T14:00:00+02:00",
            "2023-11-15T06:30:00-0530",
        ] {
            assert_eq!(parse_date(text, read_date), noon, "{text}");
        }
        assert_eq!(
            parse_date("2023-11-15T12:00:00.250Z", read_date),
            noon.map(|noon| noon + Duration::from_millis(250))
        );
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "soon", "2023-11-15", "2023-11-15T12:00:00+2", "2023-13-15T12:00:00Z", "é023-11-15T12:00:00-é"]
        {
            assert_eq!(parse_date(text, read_date), None, "{text}");
        }
    }
}
