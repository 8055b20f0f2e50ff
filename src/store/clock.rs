use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time source of an [`ExecutionLog`](super::ExecutionLog).
pub trait Clock: Send + Sync + fmt::Debug {
    /// Seconds since 1970-01-01 00:00 UTC, negative before.
    fn unix_seconds(&self) -> i64;

    /// Monotonic time since a fixed moment in the life of the clock.
    fn elapsed(&self) -> Duration;
}

/// The operating system's clocks; the monotonic one from a start.
#[derive(Debug)]
pub(super) struct SystemClock(pub(super) Instant);

impl Clock for SystemClock {
    fn unix_seconds(&self) -> i64 {
        unix_seconds()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// As [`Clock::unix_seconds`], by the operating system's clock.
pub(super) fn unix_seconds() -> i64 {
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => seconds(since),
        Err(before) => -seconds(before.duration()),
    }
}
