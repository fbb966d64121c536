//! How far an upload is, how fast it goes, and how long it will take.

use std::time::Duration;

use crate::clock::Instant;

/// Half of the weight of the smoothed speed lies within this time.
const HALF_LIFE: Duration = Duration::from_secs(2);

/// How far an upload is. `confirmed <= sent <= total`, always.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Progress {
    /// Bytes of the whole file.
    pub total: u64,
    /// Bytes whose parts the server has acknowledged; never falls.
    pub confirmed: u64,
    /// `confirmed` plus the estimate of what is in flight.
    pub sent: u64,
    /// Bytes hashed so far.
    pub hashed: u64,
    /// Smoothed bytes per second; 0 until known.
    pub bytes_per_second: f64,
    /// Seconds until the rest is sent at that speed; none until known.
    pub seconds_remaining: Option<f64>,
    /// Parts of the file, 0 until the part size is known.
    pub parts_total: u32,
    /// Parts acknowledged.
    pub parts_done: u32,
    /// Parts being sent.
    pub parts_in_flight: u32,
}

/// The smoothed speed of the whole upload: an exponential moving average with a half-life of 2 s.
///
/// Parts that run side by side tend to end together, so that the time between two acknowledgements says
/// nothing. Each part is measured over its own time on the wire instead, times how many ran beside it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SpeedMeter {
    bytes_per_second: Option<f64>,
    last_sample: Option<Instant>,
}

impl SpeedMeter {
    /// Takes in a part of `bytes` that was on the wire from `since` to `now`, one of `in_flight`.
    pub(crate) fn acknowledged(&mut self, bytes: u64, since: Instant, in_flight: usize, now: Instant) {
        let seconds = now.since(since).as_secs_f64().max(0.001);
        let sample = bytes as f64 / seconds * in_flight.max(1) as f64;
        let smoothed = match (self.bytes_per_second, self.last_sample) {
            (Some(speed), Some(last)) => {
                let share = Duration::from_secs_f64(seconds / in_flight.max(1) as f64);
                let age = now.since(last).max(share).as_secs_f64();
                let weight = 1.0 - 0.5f64.powf(age / HALF_LIFE.as_secs_f64());
                speed + weight * (sample - speed)
            }
            _ => sample,
        };
        self.bytes_per_second = Some(smoothed);
        self.last_sample = Some(now);
    }

    /// Returns the speed, 0 until known.
    pub(crate) fn bytes_per_second(&self) -> f64 {
        self.bytes_per_second.unwrap_or(0.0)
    }

    /// Estimates how many bytes of a part in flight are sent: never more than the part has.
    pub(crate) fn estimate(&self, bytes: u64, since: Instant, in_flight: usize, now: Instant) -> u64 {
        let own_speed = self.bytes_per_second() / in_flight.max(1) as f64;
        ((now.since(since).as_secs_f64() * own_speed) as u64).min(bytes)
    }

    /// Returns the seconds that `bytes` will take; none until the speed is known.
    pub(crate) fn seconds_for(&self, bytes: u64) -> Option<f64> {
        let speed = self.bytes_per_second.filter(|&speed| speed > 0.0)?;
        Some(bytes as f64 / speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_origin(Duration::from_millis(millis))
    }

    #[test]
    fn parts_that_end_together_measure_the_whole_link() {
        let mut meter = SpeedMeter::default();
        for round in 0..5 {
            for in_flight in [4, 4, 4, 4] {
                meter.acknowledged(8_000_000, at(round * 8000), in_flight, at((round + 1) * 8000));
            }
        }
        assert_eq!(meter.bytes_per_second(), 4_000_000.0);
    }

    #[test]
    fn speed_follows_the_link_within_its_half_life() {
        let mut meter = SpeedMeter::default();
        meter.acknowledged(1_000_000, at(0), 1, at(1000));
        meter.acknowledged(4_000_000, at(1000), 1, at(3000));
        assert_eq!(meter.bytes_per_second(), 1_500_000.0);
    }

    #[test]
    fn nothing_is_known_before_the_first_acknowledgement() {
        let meter = SpeedMeter::default();
        assert_eq!(meter.bytes_per_second(), 0.0);
        assert_eq!(meter.seconds_for(1), None);
        assert_eq!(meter.estimate(100, at(0), 1, at(5000)), 0);
    }

    #[test]
    fn estimate_never_runs_past_the_part() {
        let mut meter = SpeedMeter::default();
        meter.acknowledged(1000, at(0), 2, at(1000));
        assert_eq!(meter.estimate(1000, at(1000), 2, at(1500)), 500);
        assert_eq!(meter.estimate(1000, at(1000), 2, at(9000)), 1000);
        assert_eq!(meter.seconds_for(4000), Some(2.0));
    }
}
