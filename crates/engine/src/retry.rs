//! When a request is sent again: exponential backoff with full jitter, and the server's `Retry-After`.

use crate::clock::{Duration, Instant, Now, ReadDate};
use crate::error::{ErrorCode, UploadError};
use crate::request::Response;

/// Whether and how long a request is retried; the shape and the defaults of Apideck's own SDKs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// False is the strategy "none": every failure is final.
    pub enabled: bool,
    /// Upper bound of the first delay.
    pub initial_interval: Duration,
    /// Upper bound of every delay, the server's own `Retry-After` aside.
    pub max_interval: Duration,
    /// By what the upper bound grows with each attempt.
    pub exponent: f64,
    /// No attempt begins later than this after the request's first failure.
    pub max_elapsed_time: Duration,
    /// Whether failures without an answer are retried too.
    pub retry_connection_errors: bool,
}

impl RetryPolicy {
    /// 500 ms, growing by 1.5 up to a minute, for 15 minutes.
    pub const DEFAULT: Self = Self {
        enabled: true,
        initial_interval: Duration::from_millis(500),
        max_interval: Duration::from_secs(60),
        exponent: 1.5,
        max_elapsed_time: Duration::from_secs(900),
        retry_connection_errors: true,
    };

    /// Returns the same policy, giving up after `limit` at the latest.
    pub fn within(self, limit: Duration) -> Self {
        Self { max_elapsed_time: self.max_elapsed_time.min(limit), ..self }
    }

    /// Returns the upper bound of the delay before attempt `attempt + 1` (`attempt` starts at 1).
    pub fn delay_bound(&self, attempt: u32) -> Duration {
        let mut bound = self.initial_interval;
        for _ in 1..attempt {
            if bound >= self.max_interval || self.exponent <= 1.0 {
                break;
            }
            bound = bound * self.exponent;
        }
        bound.min(self.max_interval)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Tells whether an answer with this status says "later".
pub const fn is_retryable_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// How a request came to no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The connection failed, in whatever words the browser puts it.
    Network,
    /// The attempt took longer than it may.
    Timeout,
}

impl Failure {
    /// Returns the error that a caller sees once retries are spent.
    pub fn into_error(self) -> UploadError {
        match self {
            Self::Network => UploadError::new(ErrorCode::Network, "The server could not be reached"),
            Self::Timeout => UploadError::new(ErrorCode::Timeout, "The server did not answer in time"),
        }
    }
}

/// What came of one attempt.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// An answer, of whatever status.
    Answer(&'a Response),
    /// None.
    Failure(Failure),
}

/// What to do after an attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It succeeded (2xx).
    Success,
    /// The token was refused: get a fresh one, then send once more.
    RefreshToken,
    /// Send again at `at`, which is `delay` from now.
    Retry {
        /// When.
        at: Instant,
        /// How far off that is.
        delay: Duration,
        /// No sooner than this, whatever happens.
        earliest: Instant,
        /// Why.
        error: UploadError,
    },
    /// It failed for good.
    Fail(UploadError),
}

/// The attempts of one request.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Attempts {
    count: u32,
    failing_since: Option<Instant>,
    token_refreshed: bool,
}

impl Attempts {
    /// Counts an attempt; returns its number, from 1.
    pub fn begin(&mut self) -> u32 {
        self.count = self.count.saturating_add(1);
        self.count
    }

    /// Returns how many attempts there were.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Takes back the attempt that was begun last: that it failed was nobody's fault.
    pub fn take_back(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    /// Has the elapsed time count from now on, not from the first failure; returns since when it counts.
    pub fn count_from(&mut self, now: Instant) -> Instant {
        *self.failing_since.get_or_insert(now)
    }

    /// Forgets for how long the request has been failing: a pause is not the server's fault.
    pub fn forgive(&mut self) {
        self.failing_since = None;
    }

    /// Leaves out a time for which the request could not have been sent: others were in its way.
    pub fn excuse(&mut self, time: Duration) {
        self.failing_since = self.failing_since.map(|since| since + time);
    }

    /// Judges what came of the attempt. `can_refresh` tells whether a fresh token can be had.
    pub fn judge(
        &mut self,
        outcome: Outcome<'_>,
        policy: &RetryPolicy,
        can_refresh: bool,
        now: Now,
        read_date: ReadDate,
        rng: &mut fastrand::Rng,
    ) -> Verdict {
        match outcome {
            Outcome::Answer(response) if response.is_success() => {
                self.token_refreshed = false;
                self.failing_since = None;
                Verdict::Success
            }
            Outcome::Answer(response) if response.status == 401 && can_refresh && !self.token_refreshed => {
                self.token_refreshed = true;
                Verdict::RefreshToken
            }
            Outcome::Answer(response) => {
                self.token_refreshed &= response.status == 401;
                let error = UploadError::from_response(response);
                if !is_retryable_status(response.status) {
                    return Verdict::Fail(error);
                }
                let at_least = response.retry_after.as_deref();
                let at_least = at_least.and_then(|value| parse_retry_after(value, now.unix, read_date));
                self.retry(error, at_least.unwrap_or_default(), policy, now, rng)
            }
            Outcome::Failure(failure) if policy.retry_connection_errors => {
                self.retry(failure.into_error(), Duration::ZERO, policy, now, rng)
            }
            Outcome::Failure(failure) => Verdict::Fail(failure.into_error()),
        }
    }

    /// Says when to send again, no earlier than `at_least` from now; fails where the policy is spent by then.
    fn retry(
        &mut self,
        error: UploadError,
        at_least: Duration,
        policy: &RetryPolicy,
        now: Now,
        rng: &mut fastrand::Rng,
    ) -> Verdict {
        let failing_since = *self.failing_since.get_or_insert(now.instant);
        let delay = (policy.delay_bound(self.count) * rng.f64()).max(at_least);
        let at = now.instant + delay;
        if !policy.enabled || at.since(failing_since) > policy.max_elapsed_time {
            return Verdict::Fail(error);
        }
        Verdict::Retry { at, delay, earliest: now.instant + at_least, error }
    }
}

/// Reads `Retry-After` (RFC 9110, 10.2.3): seconds, or an HTTP date, of which the time until then is returned.
/// A date in the past is no wait at all; what is neither is ignored.
pub fn parse_retry_after(value: &str, unix_now: Duration, read_date: ReadDate) -> Option<Duration> {
    let value = value.trim_ascii();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than a number can hold is as good as forever.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    Some(read_date(value)? - unix_now)
}

#[cfg(test)]
mod tests {
    use std::borrow::ToOwned;
    use std::vec::Vec;

    use super::*;
    use crate::clock::read_date;

    const UNIX: Duration = Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT

    fn at(millis: u64) -> Now {
        Now { instant: Instant::from_origin(Duration::from_millis(millis)), unix: UNIX }
    }

    fn answer(status: u16, retry_after: Option<&str>) -> Response {
        Response { status, retry_after: retry_after.map(str::to_owned), ..Response::default() }
    }

    fn judge(attempts: &mut Attempts, outcome: Outcome<'_>, policy: &RetryPolicy, now: Now) -> Verdict {
        attempts.judge(outcome, policy, true, now, read_date, &mut fastrand::Rng::with_seed(7))
    }

    #[test]
    fn bound_grows_exponentially_up_to_its_maximum() {
        let policy = RetryPolicy { exponent: 2.0, ..RetryPolicy::DEFAULT };
        let bounds = [1, 2, 3, 8, 100, u32::MAX].map(|attempt| policy.delay_bound(attempt).as_millis());
        assert_eq!(bounds, [500, 1000, 2000, 60_000, 60_000, 60_000]);
    }

    #[test]
    fn jitter_is_full() {
        let mut rng = fastrand::Rng::with_seed(1);
        let delays: Vec<_> = (0..200)
            .map(|_| {
                let mut attempts = Attempts::default();
                attempts.begin();
                let outcome = Outcome::Failure(Failure::Network);
                match attempts.judge(outcome, &RetryPolicy::DEFAULT, false, at(0), read_date, &mut rng) {
                    Verdict::Retry { delay, .. } => delay.as_millis(),
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        assert!(delays.iter().all(|&delay| delay <= 500));
        assert!(delays.iter().any(|&delay| delay < 50) && delays.iter().any(|&delay| delay > 450));
    }

    #[test]
    fn only_the_statuses_that_say_later_are_retried() {
        for status in [408, 429, 500, 502, 503, 504] {
            let verdict =
                judge(&mut Attempts::default(), Outcome::Answer(&answer(status, None)), &RetryPolicy::DEFAULT, at(0));
            assert!(matches!(verdict, Verdict::Retry { .. }), "{status}");
        }
        for status in [304, 400, 402, 403, 404, 409, 410, 418, 422, 501] {
            let verdict =
                judge(&mut Attempts::default(), Outcome::Answer(&answer(status, None)), &RetryPolicy::DEFAULT, at(0));
            assert!(matches!(verdict, Verdict::Fail(_)), "{status}");
        }
    }

    #[test]
    fn retry_after_is_never_shortened() {
        for (value, millis) in [("120", 120_000), ("Sun, 06 Nov 1994 08:50:37 GMT", 60_000)] {
            let response = answer(429, Some(value));
            match judge(&mut Attempts::default(), Outcome::Answer(&response), &RetryPolicy::DEFAULT, at(5)) {
                Verdict::Retry { at: when, delay, .. } => {
                    assert_eq!(delay.as_millis(), millis, "{value}");
                    assert_eq!(when, at(5).instant + delay);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn retry_after_that_is_past_or_senseless_asks_for_nothing() {
        assert_eq!(parse_retry_after("Sat, 05 Nov 1994 08:49:37 GMT", UNIX, read_date), Some(Duration::ZERO));
        assert_eq!(parse_retry_after(" 3 ", UNIX, read_date), Some(Duration::from_secs(3)));
        assert_eq!(parse_retry_after("", UNIX, read_date), None);
        assert_eq!(parse_retry_after("soon", UNIX, read_date), None);
        assert_eq!(parse_retry_after("-5", UNIX, read_date), None);
    }

    #[test]
    fn retry_after_is_not_cut_to_what_a_number_holds() {
        for value in ["4294967296", "99999999999999999999999999"] {
            assert!(parse_retry_after(value, UNIX, read_date) >= Some(Duration::from_secs(1 << 32)), "{value}");
            let verdict = judge(
                &mut Attempts::default(),
                Outcome::Answer(&answer(503, Some(value))),
                &RetryPolicy::DEFAULT,
                at(0),
            );
            assert!(matches!(verdict, Verdict::Fail(_)), "{value}");
        }
    }

    #[test]
    fn success_forgets_the_failures_before_it() {
        let policy = RetryPolicy { max_elapsed_time: Duration::from_secs(10), ..RetryPolicy::DEFAULT };
        let mut attempts = Attempts::default();
        let refused = answer(401, None);
        judge(&mut attempts, Outcome::Answer(&answer(503, None)), &policy, at(0));
        assert_eq!(judge(&mut attempts, Outcome::Answer(&refused), &policy, at(1)), Verdict::RefreshToken);
        assert_eq!(judge(&mut attempts, Outcome::Answer(&answer(202, None)), &policy, at(2)), Verdict::Success);
        assert_eq!(judge(&mut attempts, Outcome::Answer(&refused), &policy, at(60_000)), Verdict::RefreshToken);
        let verdict = judge(&mut attempts, Outcome::Answer(&answer(503, None)), &policy, at(60_001));
        assert!(matches!(verdict, Verdict::Retry { .. }));
    }

    #[test]
    fn retry_after_past_the_elapsed_time_fails_at_once() {
        let response = answer(503, Some("901"));
        let verdict = judge(&mut Attempts::default(), Outcome::Answer(&response), &RetryPolicy::DEFAULT, at(0));
        assert!(matches!(verdict, Verdict::Fail(error) if error.code == ErrorCode::ServerError && error.retryable));
    }

    #[test]
    fn elapsed_time_counts_from_the_first_failure() {
        let policy = RetryPolicy { max_elapsed_time: Duration::from_secs(10), ..RetryPolicy::DEFAULT };
        let mut attempts = Attempts::default();
        let outcome = Outcome::Failure(Failure::Timeout);
        attempts.begin();
        assert!(matches!(judge(&mut attempts, outcome, &policy, at(60_000)), Verdict::Retry { .. }));
        attempts.begin();
        assert!(matches!(judge(&mut attempts, outcome, &policy, at(69_000)), Verdict::Retry { .. }));
        let mut forgiven = attempts;
        assert!(matches!(judge(&mut attempts, outcome, &policy, at(70_001)),
            Verdict::Fail(error) if error.code == ErrorCode::Timeout));
        forgiven.forgive();
        assert!(matches!(judge(&mut forgiven, outcome, &policy, at(70_001)), Verdict::Retry { .. }));
    }

    #[test]
    fn strategy_none_and_unwanted_connection_retries_fail_at_once() {
        let none = RetryPolicy { enabled: false, ..RetryPolicy::DEFAULT };
        let verdict = judge(&mut Attempts::default(), Outcome::Answer(&answer(503, None)), &none, at(0));
        assert!(matches!(verdict, Verdict::Fail(_)));
        let answers_only = RetryPolicy { retry_connection_errors: false, ..RetryPolicy::DEFAULT };
        let verdict = judge(&mut Attempts::default(), Outcome::Failure(Failure::Network), &answers_only, at(0));
        assert!(matches!(verdict, Verdict::Fail(error) if error.code == ErrorCode::Network));
    }

    #[test]
    fn refused_token_is_refreshed_once_and_again_only_after_another_answer() {
        let mut attempts = Attempts::default();
        let refused = answer(401, None);
        let policy = RetryPolicy::DEFAULT;
        assert_eq!(judge(&mut attempts, Outcome::Answer(&refused), &policy, at(0)), Verdict::RefreshToken);
        let mut second = attempts;
        assert!(matches!(judge(&mut second, Outcome::Answer(&refused), &policy, at(0)),
            Verdict::Fail(error) if error.code == ErrorCode::Unauthorized));
        judge(&mut attempts, Outcome::Answer(&answer(503, None)), &policy, at(0));
        assert_eq!(judge(&mut attempts, Outcome::Answer(&refused), &policy, at(0)), Verdict::RefreshToken);
        let fixed = Attempts::default().judge(
            Outcome::Answer(&refused),
            &policy,
            false,
            at(0),
            read_date,
            &mut fastrand::Rng::with_seed(1),
        );
        assert!(matches!(fixed, Verdict::Fail(_)));
    }
}
