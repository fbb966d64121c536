//! How far an upload is, how fast it goes, and how long it will take.

use crate::clock::{Duration, Instant};

/// Half of the weight of the smoothed speed lies within this time.
const HALF_LIFE: Duration = Duration::from_secs(2);
/// The share of the speed that counts as none.
const FADED: f64 = 0.01;
/// How much later than expected an acknowledgement may come before the speed fades.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far an upload is. `confirmed <= sent <= total`, always.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Progress {
    /// Bytes of the whole file; those read so far while its size is not known, so that it grows.
    pub total: u64,
    /// Bytes whose parts the server has acknowledged; never falls, but to 0 with a fresh session (`restart`).
    pub confirmed: u64,
    /// `confirmed` plus what is in flight, measured or estimated; the estimate is never more than a part.
    pub sent: u64,
    /// Bytes hashed so far.
    pub hashed: u64,
    /// Smoothed bytes per second; 0 until known.
    pub bytes_per_second: f64,
    /// Seconds until the rest is sent at that speed; none until that and the size are known.
    pub seconds_remaining: Option<f64>,
    /// Parts of the file, 0 until the part size is known; those read so far while its own is not.
    pub parts_total: u32,
    /// Parts acknowledged.
    pub parts_done: u32,
    /// Parts being sent.
    pub parts_in_flight: u32,
}

/// The smoothed speed of the whole upload: an exponential moving average with a half-life of 2 s.
///
/// Parts that run side by side tend to end together, so that the time between two acknowledgements says
/// nothing. Each part is measured over its own time on the wire instead, times how many ran beside it meanwhile.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SpeedMeter {
    bytes_per_second: Option<f64>,
    last_sample: Option<Instant>,
    /// Seconds until the next acknowledgement, if all goes on as it did.
    interval: f64,
    /// Parts in flight since `counted_at`.
    in_flight: usize,
    counted_at: Option<Instant>,
    /// Sum of the seconds that every part was in flight, up to `counted_at`.
    flight_seconds: f64,
}

impl SpeedMeter {
    /// Notes how many parts are in flight from now on.
    pub(crate) fn count(&mut self, in_flight: usize, now: Instant) {
        self.flight_seconds = self.load(now);
        self.counted_at = Some(now);
        self.in_flight = in_flight;
    }

    /// Returns the seconds that all parts together have been in flight: its growth over a time, by that time, is how
    /// many were side by side on average.
    pub(crate) fn load(&self, now: Instant) -> f64 {
        let since = self.counted_at.map_or(0.0, |at| now.since(at).as_secs_f64());
        self.flight_seconds + self.in_flight as f64 * since
    }

    /// Takes in a part of `bytes` that was on the wire from `since` to `now`; `load` is what it was at `since`.
    pub(crate) fn acknowledged(&mut self, bytes: u64, since: Instant, load: f64, now: Instant) {
        let seconds = now.since(since).as_secs_f64().max(0.001);
        let side_by_side = ((self.load(now) - load) / seconds).max(1.0);
        let sample = bytes as f64 / seconds * side_by_side;
        let smoothed = match (self.bytes_per_second, self.last_sample) {
            (Some(speed), Some(last)) => {
                let age = now.since(last).as_secs_f64().max(seconds / side_by_side);
                let weight = 1.0 - half_lives(age);
                speed + weight * (sample - speed)
            }
            _ => sample,
        };
        self.bytes_per_second = Some(smoothed);
        self.last_sample = Some(now);
        self.interval = seconds / side_by_side;
    }

    /// Returns the speed, 0 until known. It halves every 2 s once an acknowledgement is long overdue: a link that is
    /// down has no speed.
    pub(crate) fn bytes_per_second(&self, now: Instant) -> f64 {
        let (Some(speed), Some(last)) = (self.bytes_per_second, self.last_sample) else { return 0.0 };
        let overdue = now.since(last).as_secs_f64() - 2.0 * self.interval - PATIENCE.as_secs_f64();
        let faded = speed * half_lives(overdue.max(0.0));
        if faded >= speed * FADED { faded } else { 0.0 }
    }

    /// Returns the speed that was measured last, however long ago.
    pub(crate) fn last_speed(&self) -> Option<f64> {
        self.bytes_per_second
    }

    /// Returns when the last part was acknowledged.
    pub(crate) fn last_sample(&self) -> Option<Instant> {
        self.last_sample
    }

    /// Estimates how many bytes the link has taken since then: no more than `most`.
    pub(crate) fn estimate(&self, most: u64, since: Instant, now: Instant) -> u64 {
        ((now.since(since).as_secs_f64() * self.bytes_per_second(now)) as u64).min(most)
    }

    /// Returns the seconds that `bytes` will take; none while there is no speed.
    pub(crate) fn seconds_for(&self, bytes: u64, now: Instant) -> Option<f64> {
        let speed = self.bytes_per_second(now);
        (speed > 0.0).then(|| bytes as f64 / speed)
    }
}

/// Evens out what is told in steps, as browsers hand over a body in pieces of up to a megabyte: each step is passed on
/// in as long as it took to come. So it never falls, and never runs ahead of what was told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ramp {
    from: u64,
    to: u64,
    since: Instant,
    seconds: f64,
}

impl Ramp {
    /// Goes on from the step before, if there was one since `begun`, to what was told now.
    pub(crate) fn up(before: Option<Self>, to: u64, begun: Instant, now: Instant) -> Self {
        let last = before.map_or(begun, |ramp| ramp.since);
        Self { from: before.map_or(0, |ramp| ramp.at(now)), to, since: now, seconds: now.since(last).as_secs_f64() }
    }

    /// Returns how many bytes there are by now.
    pub(crate) fn at(&self, now: Instant) -> u64 {
        let share = now.since(self.since).as_secs_f64() / self.seconds.max(0.001);
        self.from + (self.to.saturating_sub(self.from) as f64 * share.min(1.0)) as u64
    }
}

/// Returns what is left of one after so many seconds, of which every [`HALF_LIFE`] halves it. Between two halvings a
/// parabola, a thousandth off at most, does for smoothing.
fn half_lives(seconds: f64) -> f64 {
    let mut rest = seconds / HALF_LIFE.as_secs_f64();
    let mut left = 1.0;
    while rest >= 1.0 && left > f64::EPSILON {
        left *= 0.5;
        rest -= 1.0;
    }
    left * (1.0 - rest.min(1.0) * (0.6716 - 0.1716 * rest.min(1.0)))
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
            meter.count(4, at(round * 8000));
            let load = meter.load(at(round * 8000));
            for _ in 0..4 {
                meter.acknowledged(8_000_000, at(round * 8000), load, at((round + 1) * 8000));
            }
        }
        assert_eq!(meter.bytes_per_second(at(40_000)), 4_000_000.0);
    }

    #[test]
    fn part_that_ran_alone_for_a_while_counts_only_for_what_ran_beside_it() {
        let mut meter = SpeedMeter::default();
        meter.count(1, at(0));
        meter.count(4, at(500));
        meter.acknowledged(1_000_000, at(0), 0.0, at(1000));
        assert_eq!(meter.bytes_per_second(at(1000)), 2_500_000.0);
    }

    #[test]
    fn speed_follows_the_link_within_its_half_life() {
        let mut meter = SpeedMeter::default();
        meter.count(1, at(0));
        meter.acknowledged(1_000_000, at(0), 0.0, at(1000));
        meter.acknowledged(4_000_000, at(1000), meter.load(at(1000)), at(3000));
        assert_eq!(meter.bytes_per_second(at(3000)), 1_500_000.0);
    }

    #[test]
    fn speed_fades_once_an_acknowledgement_is_long_overdue() {
        let mut meter = SpeedMeter::default();
        meter.count(1, at(0));
        meter.acknowledged(1_000_000, at(0), 0.0, at(1000));
        // The next one is due after a second; twice that and another second are waited.
        assert_eq!(meter.bytes_per_second(at(4000)), 1_000_000.0);
        assert_eq!(meter.bytes_per_second(at(6000)), 500_000.0);
        assert_eq!(meter.bytes_per_second(at(60_000)), 0.0);
        assert_eq!(meter.seconds_for(1, at(60_000)), None);
    }

    #[test]
    fn nothing_is_known_before_the_first_acknowledgement() {
        let meter = SpeedMeter::default();
        assert_eq!(meter.bytes_per_second(at(0)), 0.0);
        assert_eq!(meter.seconds_for(1, at(0)), None);
        assert_eq!(meter.estimate(100, at(0), at(5000)), 0);
    }

    #[test]
    fn estimate_never_runs_past_the_part() {
        let mut meter = SpeedMeter::default();
        meter.count(2, at(0));
        meter.acknowledged(1000, at(0), 0.0, at(1000));
        assert_eq!(meter.estimate(1000, at(1000), at(1500)), 1000);
        assert_eq!(meter.estimate(1000, at(1000), at(1250)), 500);
        assert_eq!(meter.seconds_for(4000, at(1000)), Some(2.0));
    }

    #[test]
    fn steps_are_evened_out_and_never_run_ahead() {
        let ramp = Ramp::up(None, 1000, at(0), at(1000));
        assert_eq!([1000, 1500, 2000, 9000].map(|millis| ramp.at(at(millis))), [0, 500, 1000, 1000]);
        // The next one comes early: it goes on from where this one is.
        let ramp = Ramp::up(Some(ramp), 2000, at(0), at(1500));
        assert_eq!([1500, 1750, 2000, 9000].map(|millis| ramp.at(at(millis))), [500, 1250, 2000, 2000]);
    }
}
