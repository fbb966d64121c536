//! Which part is sent next, for how long, and what comes of it.

use alloc::vec::Vec;

use super::{Part, Parts, Stage, Verification};
use crate::call::CallState;
use crate::clock::{Duration, Instant};
use crate::config::Config;
use crate::digest::Digest;
use crate::output::{OpId, PartBody};
use crate::progress::{Ramp, SpeedMeter};

/// How many times longer than measured a part may take before it counts as stalled.
const SLOWDOWN: f64 = 3.0;
/// Bytes per second that a part is expected to make at least while nothing is measured.
const SLOWEST: f64 = 65_536.0;
/// How often the time for a part is doubled.
const MAX_DOUBLINGS: u32 = 6;

impl Parts {
    /// Returns the part to be sent next, if one is ready and there is room.
    pub(crate) fn sendable(&self) -> Option<u32> {
        let verified = self.sends_before_end || self.is_verified();
        if self.in_flight() >= self.limiter.limit() || !verified {
            return None;
        }
        let ready = |part: &Part| !part.acknowledged && part.stage == Stage::Sending && part.call.is_ready();
        if self.in_order {
            return self.open.iter().find(|part| !part.acknowledged).filter(|part| ready(part)).map(|part| part.number);
        }
        self.number_where(ready)
    }

    /// Returns the body of a part that is about to be sent, and its digest.
    pub(crate) fn begin_send(&mut self, number: u32, load: f64) -> Option<(PartBody, Option<Digest>)> {
        let range = self.plan.range(number);
        let digest = self.digest_to_send(number);
        self.digests_end = self.digests_end.max(number + 1);
        let part = self.part_mut(number)?;
        part.load = load;
        part.sent = 0;
        part.ramp = None;
        Some((PartBody { number, range, held: part.held }, digest))
    }

    /// Tells whether a record is to be kept before a part is sent: a sequential session does not take it twice, and whether the
    /// file still is what was sent is told by the digest of the file alone, once the answer is lost with the page.
    pub(crate) const fn notes_what_is_sent(&self) -> bool {
        self.in_order && self.rereads_file
    }

    /// Returns how long an attempt to send a part may take: with a transport that tells of progress, until the first.
    /// Others are given what the part should take, several times over, and twice that after each stall.
    pub(crate) fn time_limit(&self, number: u32, meter: &SpeedMeter, config: &Config) -> Duration {
        let bytes = self.plan.length(number) as f64;
        if self.measured {
            return if bytes > 0.0 { config.stall_timeout } else { config.answer_timeout() };
        }
        let in_flight = self.in_flight().max(1) as f64;
        let expected = match meter.last_speed() {
            Some(speed) => SLOWDOWN * bytes * in_flight / speed.max(1.0),
            None => bytes / SLOWEST,
        };
        let stalls = self.open.iter().find(|part| part.number == number).map_or(0, |part| part.stalls);
        let limit = config.stall_timeout + Duration::from_millis_f64(expected * 1000.0);
        limit * f64::from(1 << stalls.min(MAX_DOUBLINGS))
    }

    /// Returns the parts whose attempt has run out of time. One that was given too little, by the speed of those that
    /// got through meanwhile, gets more.
    pub(crate) fn overdue(&mut self, meter: &SpeedMeter, config: &Config, now: Instant) -> Vec<OpId> {
        let mut overdue = Vec::new();
        for index in 0..self.open.len() {
            let number = self.open[index].number;
            let Some(flight) = self.open[index].call.in_flight() else { continue };
            if flight.deadline > now {
                continue;
            }
            let later = (!self.measured).then(|| flight.since + self.time_limit(number, meter, config));
            match later.filter(|&later| later > now) {
                Some(later) => self.open[index].call.set_deadline(later),
                None => overdue.push(flight.op),
            }
        }
        overdue
    }

    /// Holds attempts that were given time before any speed was known to what they would be given now.
    pub(crate) fn tighten(&mut self, meter: &SpeedMeter, config: &Config, now: Instant) {
        if self.measured {
            return;
        }
        for index in 0..self.open.len() {
            let Some(flight) = self.open[index].call.in_flight() else { continue };
            let deadline = flight.since + self.time_limit(self.open[index].number, meter, config);
            if deadline < flight.deadline {
                self.open[index].call.set_deadline(deadline.max(now));
            }
        }
    }

    /// Takes in how many bytes of a part are on their way: progress gives the attempt more time.
    pub(crate) fn note_sent(&mut self, number: u32, bytes: u64, config: &Config, now: Instant) {
        let length = self.plan.length(number);
        let Some(part) = self.part_mut(number) else { return };
        let Some(flight) = part.call.in_flight() else { return };
        if bytes.min(length) <= part.sent {
            return;
        }
        part.sent = bytes.min(length);
        part.ramp = Some(Ramp::up(part.ramp, part.sent, flight.since, now));
        let patience = if part.sent == length { config.answer_timeout() } else { config.stall_timeout };
        part.call.set_deadline(now + patience);
    }

    /// Takes a part as acknowledged; returns whether its bytes were held.
    pub(crate) fn acknowledge(&mut self, number: u32, now: Instant) -> bool {
        let Some(index) = self.open.iter().position(|part| part.number == number) else { return false };
        let length = self.plan.length(number);
        self.acknowledged.insert(number..number + 1);
        self.done += 1;
        self.confirmed += length;
        self.acknowledged_at = Some(now);
        let since = self.open.get(index).and_then(|part| part.call.in_flight()).map_or(now, |flight| flight.since);
        self.limiter.acknowledged(length, since, now);
        if self.rereads_slices() && self.verification != Verification::Due {
            self.unverified.push(number);
        }
        self.open.remove(index).held
    }

    /// Measures a part that was just answered. A short last one says more of the server's latency than of the link.
    pub(crate) fn measure(&mut self, number: u32, meter: &mut SpeedMeter, now: Instant) {
        let length = self.plan.length(number);
        if length < self.plan.part_size() && number > 0 {
            return;
        }
        let Some(part) = self.part_mut(number) else { return };
        if let Some(flight) = part.call.in_flight() {
            meter.acknowledged(length, flight.since, part.load, now);
        }
    }

    /// Has a part hashed and sent once more because the server complained of its digest; returns whether its bytes
    /// were held and are not any more. None where that was done before.
    pub(crate) fn doubt(&mut self, number: u32) -> Option<bool> {
        let stream = cfg!(feature = "streams") && self.stream;
        let part = self.part_mut(number).filter(|part| !part.doubted)?;
        part.doubted = true;
        part.call.state = CallState::Ready;
        if stream {
            // It was hashed from memory, and is there still.
            return Some(false);
        }
        part.stage = Stage::Unread;
        Some(core::mem::take(&mut part.held))
    }

    /// Takes in that an attempt to send a part came to no answer. A slice of the file is read from now on and sent from
    /// memory: that tells a file that changed from a link that broke, and gets through where slices do not.
    pub(crate) fn unanswered(&mut self, number: u32, stalled: bool) {
        let affordable = self.affordable > 0;
        let Some(part) = self.part_mut(number) else { return };
        part.stalls += u32::from(stalled);
        if !part.held {
            part.from_memory = affordable;
            part.stage = Stage::Unread;
        }
    }

    /// Returns the bytes that are on their way or there, `confirmed` included: estimated where they are not told, as what
    /// the link should have taken since the last acknowledgement. That is never more than a part, and so never more than
    /// a part beyond the truth, however many are in flight and whatever has become of the link.
    pub(crate) fn estimate_sent(&mut self, meter: &SpeedMeter, now: Instant) -> u64 {
        let in_flight = self.open.iter().filter_map(|part| Some((part, part.call.in_flight()?)));
        let mut bytes = 0;
        let mut told = 0;
        let mut since = None;
        for (part, flight) in in_flight {
            bytes += self.plan.length(part.number);
            told += part.ramp.map_or(0, |ramp| ramp.at(now));
            since = Some(since.map_or(flight.since, |since| flight.since.min(since)));
        }
        if self.measured {
            return self.confirmed + told;
        }
        let since = since.max(self.acknowledged_at).unwrap_or(now);
        let estimate = meter.estimate(self.plan.part_size(), since, now).min(bytes);
        // What was said before stands, unless it was said of what is not in flight any more.
        self.sent = self.sent.max(self.confirmed + estimate).min(self.confirmed + bytes);
        self.sent
    }
}
