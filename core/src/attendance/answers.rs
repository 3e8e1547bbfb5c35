//! What the store said a short time ago.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// The time for which an answer of the store is trusted. A row that an operator deletes can be marked again after it,
/// and a person who stands before a camera for an hour costs sixty queries instead of tens of thousands.
const BELIEVED_FOR: SignedDuration = SignedDuration::from_secs(60);

/// The store's last answers, each for one period of a day.
pub(super) struct Answers<K, V>(Mutex<HashMap<K, Answer<V>>>);

struct Answer<V> {
    value: V,
    period: String,
    ends_at: Timestamp,
    asked_at: Timestamp,
}

impl<K, V> Default for Answers<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Answers<K, V> {
    /// Returns the answer for this period, if it is one of the last minute.
    pub(super) fn get(&self, key: &K, period: &str, now: Timestamp) -> Option<V> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = all.get(key)?;
        (answer.period == period && answer.holds_at(now)).then(|| answer.value.clone())
    }

    /// Keeps what the store said at `now` about a period of the day that ends at `ends_at`.
    pub(super) fn keep(&self, key: K, value: V, period: String, ends_at: Timestamp, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, answer| answer.holds_at(now));
        all.insert(key, Answer { value, period, ends_at, asked_at: now });
    }

    /// Forgets the answer about `key`.
    pub(super) fn remove(&self, key: &K) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Forgets every answer.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl<V> Answer<V> {
    fn holds_at(&self, now: Timestamp) -> bool {
        // A clock that was set back makes an answer from the future, which is no answer either.
        now < self.ends_at && self.asked_at <= now && now.duration_since(self.asked_at) < BELIEVED_FOR
    }
}
