//! How many parts are sent side by side: more while that is faster, fewer once the server or the link has too many.

use crate::clock::{Duration, Instant};

/// How many parts are in flight at first.
const START: usize = 2;
/// By how much faster one part more must have made the upload to be worth another.
const GAIN: f64 = 1.05;
/// How long a number that was too many is not tried again; doubled each time that it is again.
const COOLING: Duration = Duration::from_secs(30);

/// How long one part more is not tried again that was not faster; doubled each time that it is not, up to [`COOLING`].
const SETTLING: Duration = Duration::from_secs(4);

/// Adapts the number of parts in flight: starts at 2, grows by one as long as that makes the upload faster, halves
/// where the server (429) or the link (timeouts) cannot keep up, and then comes back to just below what was too many.
#[derive(Debug, Clone)]
pub(crate) struct Limiter {
    limit: usize,
    ceiling: usize,
    /// The number that was too many, until when it is not tried, and how long the next time.
    too_many: Option<TooMany>,
    /// Since when the parts of the present round are measured, and what they carried.
    round: Option<Round>,
    /// Speed of the last full round, and with how many in flight.
    measured: Option<(usize, f64)>,
    /// One more was tried and was not faster: until when it is not tried again.
    enough_until: Option<Instant>,
    /// How long that will be the next time.
    settling: Duration,
    /// The last round was not faster than one with fewer parts: another one like it decides.
    in_doubt: bool,
    /// What was sent before this does not count against the limit again.
    cut_at: Option<Instant>,
    /// What was sent before this was sent beside more others, and is not measured.
    fewer_since: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct TooMany {
    number: usize,
    until: Instant,
    cooling: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Round {
    since: Instant,
    bytes: u64,
    parts: usize,
}

impl Limiter {
    /// Makes one that never goes above `ceiling` (at least 1).
    pub(crate) fn new(ceiling: usize) -> Self {
        Self {
            limit: START.min(ceiling),
            ceiling,
            too_many: None,
            round: None,
            measured: None,
            enough_until: None,
            settling: SETTLING,
            in_doubt: false,
            cut_at: None,
            fewer_since: None,
        }
    }

    /// Returns how many parts may be in flight.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Takes in that a part of `bytes` was acknowledged that was sent at `since`.
    pub(crate) fn acknowledged(&mut self, bytes: u64, since: Instant, now: Instant) {
        if self.fewer_since.is_some_and(|at| since < at) {
            return;
        }
        let Some(round) = &mut self.round else {
            // The first of a round only starts its clock: what it carried was sent before.
            self.round = Some(Round { since: now, bytes: 0, parts: 1 });
            return;
        };
        round.bytes += bytes;
        round.parts += 1;
        if round.parts <= self.limit {
            return;
        }
        let seconds = now.since(round.since).as_secs_f64().max(0.001);
        let speed = round.bytes as f64 / seconds;
        self.round = None;
        self.judge(speed, now);
    }

    /// Takes in that what was sent at `since` was refused as too much (429), or timed out.
    pub(crate) fn overloaded(&mut self, since: Instant, now: Instant) {
        // One overload hits everything in flight, and counts once.
        if self.cut_at.is_some_and(|at| since <= at) {
            return;
        }
        let cooling = match self.too_many {
            Some(known) if known.number == self.limit => known.cooling * 2.0,
            _ => COOLING,
        };
        if self.limit > 1 {
            self.too_many = Some(TooMany { number: self.limit, until: now + cooling, cooling });
        }
        self.cut_at = Some(now);
        self.fewer_since = Some(now);
        self.limit = (self.limit / 2).max(1);
        self.measured = None;
        self.in_doubt = false;
        self.round = None;
        self.enough_until = None;
    }

    /// Takes in that the parts in flight were stopped: the time until the next says nothing of the link.
    pub(crate) fn interrupted(&mut self) {
        self.round = None;
    }

    fn judge(&mut self, speed: f64, now: Instant) {
        let before = self.measured.replace((self.limit, speed));
        // One more was tried, and brought nothing: one less does as well.
        if let Some((fewer, slower)) = before
            && fewer < self.limit
            && speed < slower * GAIN
        {
            self.measured = before;
            self.in_doubt = !self.in_doubt;
            if !self.in_doubt {
                self.limit = fewer;
                self.fewer_since = Some(now);
                self.enough_until = Some(now + self.settling);
                self.settling = (self.settling * 2.0).min(COOLING);
            }
            return;
        }
        if before.is_some_and(|(fewer, _)| fewer < self.limit) {
            self.settling = SETTLING;
        }
        self.in_doubt = false;
        let barred = self.too_many.is_some_and(|known| self.limit + 1 >= known.number && now < known.until);
        let enough = self.enough_until.is_some_and(|until| now < until);
        if self.limit < self.ceiling && !barred && !enough {
            self.limit += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_origin(Duration::from_millis(millis))
    }

    /// Runs a link whose speed depends on how many parts are in flight for so many acknowledgements.
    fn run(limiter: &mut Limiter, clock: &mut u64, acknowledgements: usize, speed: impl Fn(usize) -> u64) {
        for _ in 0..acknowledgements {
            *clock += 1_000_000 / speed(limiter.limit());
            limiter.acknowledged(1000, at(*clock), at(*clock));
        }
    }

    #[test]
    fn grows_while_throughput_grows_and_never_above_its_ceiling() {
        let mut limiter = Limiter::new(4);
        assert_eq!(limiter.limit(), 2);
        run(&mut limiter, &mut 0, 100, |limit| limit as u64 * 1000);
        assert_eq!(limiter.limit(), 4);
    }

    #[test]
    fn stays_where_one_more_brings_nothing() {
        let mut limiter = Limiter::new(6);
        run(&mut limiter, &mut 0, 100, |_| 10_000);
        assert_eq!(limiter.limit(), 2);
        let mut limiter = Limiter::new(6);
        run(&mut limiter, &mut 0, 100, |limit| limit.min(3) as u64 * 10_000);
        assert_eq!(limiter.limit(), 3);
    }

    #[test]
    fn one_slow_round_does_not_decide() {
        let mut limiter = Limiter::new(4);
        let mut clock = 0;
        run(&mut limiter, &mut clock, 4, |limit| limit as u64 * 1000);
        assert_eq!(limiter.limit(), 3);
        // The machine has something else to do for the four acknowledgements of a round.
        run(&mut limiter, &mut clock, 4, |_| 100);
        assert_eq!(limiter.limit(), 3);
        run(&mut limiter, &mut clock, 20, |limit| limit as u64 * 1000);
        assert_eq!(limiter.limit(), 4);
    }

    #[test]
    fn tries_one_more_again_after_a_while() {
        let mut limiter = Limiter::new(6);
        let mut clock = 0;
        run(&mut limiter, &mut clock, 100, |_| 10_000);
        assert_eq!(limiter.limit(), 2);
        run(&mut limiter, &mut clock, 1000, |limit| limit as u64 * 10_000);
        assert_eq!(limiter.limit(), 6);
    }

    #[test]
    fn halves_once_for_one_overload_and_comes_back_to_just_below_it() {
        let mut limiter = Limiter::new(6);
        let mut clock = 0;
        run(&mut limiter, &mut clock, 30, |limit| limit as u64 * 1000);
        assert_eq!(limiter.limit(), 6);
        for _ in 0..3 {
            limiter.overloaded(at(clock - 1), at(clock));
        }
        assert_eq!(limiter.limit(), 3);
        run(&mut limiter, &mut clock, 60, |limit| limit as u64 * 5000);
        assert_eq!(limiter.limit(), 5);
    }

    #[test]
    fn what_was_sent_beside_more_others_is_not_measured() {
        let mut limiter = Limiter::new(6);
        let mut clock = 0;
        run(&mut limiter, &mut clock, 4, |limit| limit as u64 * 1000);
        assert_eq!(limiter.limit(), 3);
        let sent = clock;
        clock += 1000;
        limiter.overloaded(at(sent), at(clock));
        assert_eq!(limiter.limit(), 1);
        // The others in flight are acknowledged as good as together: no part alone is as fast as that.
        for _ in 0..2 {
            clock += 1;
            limiter.acknowledged(1000, at(sent), at(clock));
        }
        run(&mut limiter, &mut clock, 30, |limit| limit as u64 * 1000);
        assert_eq!(limiter.limit(), 2);
    }

    #[test]
    fn what_was_too_many_is_tried_ever_more_rarely() {
        let mut limiter = Limiter::new(6);
        let (mut clock, mut overloads) = (0, Vec::new());
        for _ in 0..4000 {
            run(&mut limiter, &mut clock, 1, |limit| limit as u64 * 5000);
            if limiter.limit() > 3 {
                limiter.overloaded(at(clock), at(clock));
                overloads.push(clock);
            }
        }
        let gaps: Vec<_> = overloads.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.len() >= 2 && gaps.iter().all(|&gap| gap >= 30_000), "{gaps:?}");
        assert!(gaps.is_sorted(), "{gaps:?}");
    }

    #[test]
    fn never_falls_below_one_and_one_stays_one() {
        let mut limiter = Limiter::new(1);
        limiter.overloaded(at(0), at(1));
        run(&mut limiter, &mut 1, 10, |_| 1000);
        assert_eq!(limiter.limit(), 1);
    }

    #[test]
    fn pause_does_not_count_as_time_of_the_link() {
        let mut limiter = Limiter::new(3);
        let mut clock = 0;
        run(&mut limiter, &mut clock, 4, |limit| limit as u64 * 1000);
        limiter.interrupted();
        clock += 100_000;
        run(&mut limiter, &mut clock, 20, |limit| limit as u64 * 1000);
        assert_eq!(limiter.limit(), 3);
    }
}
