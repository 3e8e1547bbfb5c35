//! Counts the requests of each client that are not answered yet.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::auth::throttle::of_one_client;

/// The requests that are being answered, by client. It holds an entry for each open request at most.
pub(crate) struct InFlight {
    most: usize,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl InFlight {
    /// Returns a count that lets each client have `most` requests at the same time; 0 is no limit.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, counts: Arc::default() }
    }

    /// Counts a request of `client`; `None` where it would be one too many.
    pub(crate) fn enter(&self, client: IpAddr) -> Option<Turn> {
        let client = of_one_client(client);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(client).or_default();
        if self.most > 0 && *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Turn(Arc::new(Counted { client, counts: Arc::clone(&self.counts) })))
    }
}

/// A request that counts until every clone is dropped.
#[derive(Clone)]
pub(crate) struct Turn(#[expect(dead_code, reason = "it counts while it exists")] Arc<Counted>);

struct Counted {
    client: IpAddr,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_so_many_at_a_time_and_nothing_is_kept_of_those_who_left() {
        let in_flight = InFlight::new(2);
        let [one, other] = [IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])];
        let first = in_flight.enter(one).unwrap();
        let kept = first.clone();
        let second = in_flight.enter(one).unwrap();
        assert!(in_flight.enter(one).is_none());
        let others = in_flight.enter(other).unwrap();
        drop(first);
        assert!(in_flight.enter(one).is_none(), "a clone still counts");
        drop(kept);
        drop(in_flight.enter(one).unwrap());
        drop((second, others));
        assert!(in_flight.counts.lock().unwrap().is_empty());
        let unlimited = InFlight::new(0);
        let all: Vec<_> = (0..1000).map(|_| unlimited.enter(one)).collect();
        assert!(all.iter().all(Option::is_some));
    }
}
