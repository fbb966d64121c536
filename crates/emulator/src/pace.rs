//! Pacing: one link that all request bodies share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

/// How far a late sleeper may catch up: more than a timer's granularity, less than an eye sees.
const CATCH_UP: Duration = Duration::from_millis(20);
const LARGEST_SLICE: u64 = 64 * 1024;
const SLICES_A_SECOND: u64 = 50;

/// A link of so many bytes a second.
///
/// Whoever wants to pass bytes books the next free time on the link, a small slice at a time, so connections take
/// turns and none waits for another's whole part.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    /// Bytes a second; 0 is no limit.
    rate: AtomicU64,
    free_at: Mutex<Option<Instant>>,
}

impl Pacer {
    /// Makes a link of `rate` bytes a second; none is no limit.
    pub(crate) fn new(rate: Option<u64>) -> Self {
        let pacer = Self::default();
        pacer.set_rate(rate);
        pacer
    }

    /// Changes the rate, for bodies under way too; none lifts it.
    pub(crate) fn set_rate(&self, rate: Option<u64>) {
        self.rate.store(rate.unwrap_or(0), Ordering::Relaxed);
        *self.free_at.lock() = None;
    }

    /// Whether there is a limit now.
    pub(crate) fn is_limited(&self) -> bool {
        self.rate.load(Ordering::Relaxed) > 0
    }

    /// Waits until so many bytes have passed the link.
    pub(crate) async fn pass(&self, mut bytes: u64) {
        while bytes > 0 {
            // Read at every slice, so that a changed rate counts at once.
            let rate = self.rate.load(Ordering::Relaxed);
            if rate == 0 {
                return;
            }
            let slice = bytes.min((rate / SLICES_A_SECOND).clamp(1, LARGEST_SLICE));
            sleep_until(self.book(slice, rate)).await;
            bytes -= slice;
        }
    }

    /// Books the link for a slice, and tells when it has passed.
    fn book(&self, slice: u64, rate: u64) -> Instant {
        let now = Instant::now();
        let took = Duration::from_nanos(
            u64::try_from(u128::from(slice) * 1_000_000_000 / u128::from(rate)).unwrap_or(u64::MAX),
        );
        let mut free_at = self.free_at.lock();
        let earliest = now.checked_sub(CATCH_UP).unwrap_or(now);
        // A busy link starts where the last slice ends, an idle one hardly earlier than now.
        let start = free_at.map_or(now, |free_at| free_at.max(earliest));
        let end = start + took;
        *free_at = Some(end);
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test(start_paused = true)]
    async fn passes_at_the_rate() {
        let pacer = Pacer::new(Some(1_000_000));
        let start = Instant::now();
        pacer.pass(3_000_000).await;
        assert_eq!(start.elapsed().as_millis(), 3_000);
    }

    #[tokio::test(start_paused = true)]
    async fn shares_the_link_fairly() {
        let pacer = Arc::new(Pacer::new(Some(1_000_000)));
        let start = Instant::now();
        let pass = |bytes| {
            let pacer = Arc::clone(&pacer);
            async move {
                pacer.pass(bytes).await;
                start.elapsed().as_secs_f64()
            }
        };
        let (long, short) = tokio::join!(pass(2_000_000), pass(500_000));
        assert!((0.95..1.05).contains(&short), "half the link until its bytes are through: {short}");
        assert!((2.45..2.55).contains(&long), "all bytes at the rate of the link: {long}");
    }

    #[tokio::test(start_paused = true)]
    async fn lets_everything_pass_without_a_rate() {
        let pacer = Pacer::new(None);
        let start = Instant::now();
        pacer.pass(u64::MAX).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn takes_a_new_rate_at_once() {
        let pacer = Arc::new(Pacer::new(Some(1_000)));
        let start = Instant::now();
        let slow = {
            let pacer = Arc::clone(&pacer);
            tokio::spawn(async move { pacer.pass(1_000_000).await })
        };
        tokio::time::sleep(Duration::from_secs(1)).await;
        pacer.set_rate(None);
        assert!(slow.await.is_ok());
        assert!(start.elapsed() < Duration::from_millis(1_100), "{:?}", start.elapsed());
    }
}
