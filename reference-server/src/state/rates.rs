//! How often one client may ask, beyond which it is told to wait.
//!
//! Buckets of tokens: one for each client's address and one for each login, filled at a rate and emptied by requests.
//! The defaults stop floods, not people. A whole school may come from one address: forty stations that register at
//! once, each with the existing page's five pictures a second, ask 200 times a second, and the engine of a small
//! machine does not analyze as many; what waits for the engine has a limit of its own (503).

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::settings::RateLimits;

/// How many seconds' worth may come at once: a class that opens the pages in the same moment asks some five hundred
/// times.
const BURST_SECONDS: f64 = 4.0;
/// A login costs as much as so many requests: its hash takes tens of milliseconds of a processor on purpose.
pub(crate) const LOGIN_COST: f64 = 10.0;
/// How many clients are remembered: beyond it those go who have not asked of late, so that inventing addresses costs no
/// memory.
const REMEMBERED: usize = 20_000;
/// A bucket for each client.
struct Buckets<K> {
    /// Tokens a second.
    rate: f64,
    /// What is left in those that are not full, and when that was so.
    levels: Mutex<HashMap<K, (f64, Instant)>>,
}

impl<K: Eq + Hash> Buckets<K> {
    fn new(rate: u32) -> Self {
        Self { rate: f64::from(rate.max(1)), levels: Mutex::default() }
    }

    fn depth(&self) -> f64 {
        (self.rate * BURST_SECONDS).max(LOGIN_COST)
    }

    fn level(&self, (left, then): (f64, Instant), now: Instant) -> f64 {
        (left + self.rate * now.saturating_duration_since(then).as_secs_f64()).min(self.depth())
    }

    /// Takes `cost` from the client's bucket, or says in how many seconds there is enough in it.
    fn take(&self, client: K, cost: f64, now: Instant) -> Result<(), u64> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= REMEMBERED && !levels.contains_key(&client) {
            levels.retain(|_, level| self.level(*level, now) < self.depth());
            if levels.len() >= REMEMBERED {
                levels.clear();
            }
        }
        let level = levels.get(&client).map_or_else(|| self.depth(), |level| self.level(*level, now));
        if level >= cost {
            levels.insert(client, (level - cost, now));
            return Ok(());
        }
        levels.insert(client, (level, now));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds at most")]
        let seconds = ((cost - level) / self.rate).ceil() as u64;
        Err(seconds.max(1))
    }
}

/// The buckets of the server. Of this one alone: each of several allows as much.
pub(crate) struct Rates {
    addresses: Option<Buckets<IpAddr>>,
    logins: Option<Buckets<String>>,
    this_machine: bool,
}

impl Rates {
    pub(crate) fn new(limits: &RateLimits) -> Self {
        Self {
            addresses: limits.per_address.map(Buckets::new),
            logins: limits.per_login.map(Buckets::new),
            this_machine: limits.this_machine,
        }
    }

    pub(crate) fn take(&self, from: Option<IpAddr>, login: Option<String>, cost: f64, now: Instant) -> Result<(), u64> {
        if !self.this_machine && from.is_some_and(|address| address.is_loopback()) {
            return Ok(());
        }
        if let (Some(buckets), Some(address)) = (&self.addresses, from) {
            buckets.take(of_one_client(address), cost, now)?;
        }
        if let (Some(buckets), Some(login)) = (&self.logins, login) {
            buckets.take(login, cost, now)?;
        }
        Ok(())
    }
}

/// A provider gives a customer 64 bits of IPv6 addresses and more: they count as one.
pub(crate) fn of_one_client(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_the_rate_holds() {
        let (buckets, start) = (Buckets::new(10), Instant::now());
        for _ in 0..40 {
            assert_eq!(buckets.take("a", 1.0, start), Ok(()));
        }
        assert_eq!(buckets.take("a", 1.0, start), Err(1));
        assert_eq!(buckets.take("b", 1.0, start), Ok(()), "another client is no hostage");
        let later = start + Duration::from_secs(1);
        for _ in 0..10 {
            assert_eq!(buckets.take("a", 1.0, later), Ok(()));
        }
        assert_eq!(buckets.take("a", 1.0, later), Err(1));
        assert_eq!(buckets.take("a", 20.0, later), Err(2), "what costs more waits longer");
        let much_later = later + Duration::from_secs(3600);
        for _ in 0..40 {
            assert_eq!(buckets.take("a", 1.0, much_later), Ok(()));
        }
        assert!(buckets.take("a", 1.0, much_later).is_err(), "a bucket has a depth");
    }

    #[test]
    fn a_school_behind_one_address_is_no_flood() {
        let rates = Rates::new(&RateLimits::default());
        let (school, start) = (Some(IpAddr::from([203, 0, 113, 9])), Instant::now());
        // A class of forty logs in and loads twelve files each, in one moment.
        for station in 0..40 {
            assert!(rates.take(school, None, LOGIN_COST, start).is_ok(), "login {station}");
            for _ in 0..12 {
                assert!(rates.take(school, None, 1.0, start).is_ok(), "a file of {station}");
            }
        }
        // Then each sends five pictures a second for ten minutes.
        for tick in 1..=3000_u64 {
            let now = start + Duration::from_millis(200 * tick);
            for station in 0..40 {
                assert!(rates.take(school, Some(format!("login {station}")), 1.0, now).is_ok(), "{station} at {tick}");
            }
        }
    }

    #[test]
    fn the_machine_itself_is_limited_only_where_that_is_said() {
        let ask = |this_machine| {
            let rates = Rates::new(&RateLimits { per_address: Some(1), per_login: Some(1), this_machine });
            let now = Instant::now();
            (0..100).all(|_| rates.take(Some(IpAddr::from([127, 0, 0, 1])), Some("x".into()), 1.0, now).is_ok())
        };
        assert!(ask(false) && !ask(true));
    }

    #[test]
    fn addresses_of_one_customer_share_a_bucket_and_inventing_them_costs_no_memory() {
        let rates = Rates::new(&RateLimits { per_address: Some(1), per_login: None, this_machine: true });
        let now = Instant::now();
        let one = |host: u128| IpAddr::from(Ipv6Addr::from_bits((0x2001_0db8 << 96) | host));
        assert!((0..50).any(|host| rates.take(Some(one(host)), None, 1.0, now).is_err()));
        for network in 0..50_000_u128 {
            let _ = rates.take(Some(one(network << 64)), None, 1.0, now);
        }
        assert!(rates.addresses.unwrap().levels.lock().unwrap().len() <= REMEMBERED);
    }
}
