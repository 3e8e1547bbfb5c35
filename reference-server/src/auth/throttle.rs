//! Guessing passwords, slowed down: too many failures for one name from one address, and the next tries wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// So many failures are a person who forgot a password; OWASP's Authentication Cheat Sheet leaves the number to the
/// site.
const FAILURES: usize = 20;
/// Within this time; with [`FAILURES`] it leaves 240 guesses an hour, against a space of billions.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// How many pairs of name and address are remembered: beyond it the oldest go, so that inventing names costs no memory.
const REMEMBERED: usize = 10_000;

type Key = (String, Option<IpAddr>);

/// The failures of late. Of this server alone: each of several allows as many.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<Key, Vec<Timestamp>>>);

impl Throttle {
    /// In how many seconds the next try is let through; `None` for at once.
    pub(crate) fn wait(&self, name: &str, from: Option<IpAddr>, now: Timestamp) -> Option<u64> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = failures.get(&(name.to_owned(), from))?.iter().filter(|at| now.duration_since(**at) < WINDOW);
        let recent: Vec<_> = recent.collect();
        if recent.len() < FAILURES {
            return None;
        }
        let over = WINDOW - now.duration_since(*recent[recent.len() - FAILURES]);
        Some(u64::try_from(over.as_secs()).unwrap_or(0) + 1)
    }

    /// Notes a failure.
    pub(crate) fn failed(&self, name: &str, from: Option<IpAddr>, now: Timestamp) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED {
            failures.retain(|_, times| times.last().is_some_and(|at| now.duration_since(*at) < WINDOW));
        }
        if failures.len() >= REMEMBERED {
            failures.clear();
        }
        let times = failures.entry((name.to_owned(), from)).or_default();
        times.retain(|at| now.duration_since(*at) < WINDOW);
        times.push(now);
    }

    /// Forgets the failures of somebody who got it right.
    pub(crate) fn succeeded(&self, name: &str, from: Option<IpAddr>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(name.to_owned(), from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twenty_first_try_waits_and_other_addresses_do_not() {
        let (throttle, now) = (Throttle::default(), Timestamp::now());
        let (here, there) = (Some(IpAddr::from([10, 0, 0, 1])), Some(IpAddr::from([10, 0, 0, 2])));
        for _ in 0..FAILURES {
            assert_eq!(throttle.wait("admin", here, now), None);
            throttle.failed("admin", here, now);
        }
        assert_eq!(throttle.wait("admin", here, now), Some(301));
        assert_eq!(throttle.wait("admin", there, now), None, "another address is no hostage");
        assert_eq!(throttle.wait("bob", here, now), None);
        assert_eq!(throttle.wait("admin", here, now + WINDOW), None);
        throttle.succeeded("admin", here);
        assert_eq!(throttle.wait("admin", here, now), None);
    }
}
