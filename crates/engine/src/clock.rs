//! Time as an argument: the engine never reads a clock.

use core::ops::Add;
use core::time::Duration;

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

/// How the platform reads a date, of RFC 3339 (`expires_at`) or of HTTP (`Retry-After`; RFC 9110, 5.6.7): as time since
/// 1970; none where it is none, or lies before 1970. In a browser that is `Date.parse`; a reader of one's own would take more
/// of the wasm than the retries that need it.
pub type ReadDate = fn(&str) -> Option<Duration>;

/// Reads a date and time as the API sends it (RFC 3339): one without a zone counts as UTC.
pub(crate) fn parse_date(text: &str, read: ReadDate) -> Option<Duration> {
    let text = text.trim();
    let (day, time) = (text.get(..10)?, text.get(11..)?);
    let has_zone = time.bytes().any(|byte| b"Zz+-".contains(&byte));
    read(&[day, "T", time, if has_zone { "" } else { "Z" }].concat())
}

/// Reads dates natively: `ReadDate` for tests and programs that are no page.
#[cfg(feature = "dates")]
pub fn read_date(text: &str) -> Option<Duration> {
    let date =
        text.parse::<jiff::Timestamp>().or_else(|_| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text));
    Duration::try_from(date.ok()?.duration_since(jiff::Timestamp::UNIX_EPOCH)).ok()
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
