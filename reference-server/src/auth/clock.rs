//! The time by which tokens and logins end, and by which the frames of a liveness session arrive.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The clock and the stopwatch of when this process first asked.
static BEGAN: LazyLock<(Timestamp, Instant)> = LazyLock::new(|| (Timestamp::now(), Instant::now()));

/// Returns the time, which never goes back while the process runs: by a clock that somebody sets back, or that is
/// corrected, a token would live longer.
pub(crate) fn now() -> Timestamp {
    let (clock, stopwatch) = &*BEGAN;
    forward(Timestamp::now(), *clock, stopwatch.elapsed())
}

fn forward(clock: Timestamp, began: Timestamp, elapsed: Duration) -> Timestamp {
    began.checked_add(elapsed).map_or(clock, |least| clock.max(least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_clock_forward_and_not_back() {
        let began: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let (ten, hour) = (Duration::from_secs(10), Duration::from_secs(3600));
        assert_eq!(forward(began + hour, began, ten), began + hour);
        assert_eq!(forward(began - hour, began, ten), began + ten);
    }
}
