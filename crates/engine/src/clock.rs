//! Time as an argument: the engine never reads a clock.

use std::ops::Add;
use std::time::{Duration, UNIX_EPOCH};

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

/// Reads a date and time (RFC 3339) as time since 1970; one without a zone counts as UTC. None where it is none, or
/// lies before 1970.
pub(crate) fn parse_date(text: &str) -> Option<Duration> {
    let text = text.trim();
    let zone = text.get(10..).and_then(|time| time.rfind(['+', '-'])).map(|index| index + 10);
    let (local, offset) = match zone.and_then(|index| text.split_at_checked(index)) {
        Some((local, zone)) => (local, parse_offset(zone)?),
        None => (text, 0),
    };
    let local = humantime::parse_rfc3339_weak(local).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let offset_by = Duration::from_secs(offset.unsigned_abs());
    if offset < 0 { local.checked_add(offset_by) } else { local.checked_sub(offset_by) }
}

/// Reads `+02:00` or `+0200` as seconds.
fn parse_offset(zone: &str) -> Option<i64> {
    let digits: String = zone.get(1..)?.chars().filter(|&character| character != ':').collect();
    let number = digits.parse::<i64>().ok().filter(|_| digits.len() == 4)?;
    let seconds = (number / 100 * 60 + number % 100) * 60;
    Some(if zone.starts_with('-') { -seconds } else { seconds })
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
            assert_eq!(parse_date(text), noon, "{text}");
        }
        assert_eq!(parse_date("2023-11-15T12:00:00.250Z"), noon.map(|noon| noon + Duration::from_millis(250)));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "soon", "2023-11-15", "2023-11-15T12:00:00+2", "2023-13-15T12:00:00Z", "é023-11-15T12:00:00-é"]
        {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
