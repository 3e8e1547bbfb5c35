//! Whom a camera could not tell apart lately, for its status.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use faceattend_core::gallery::Gallery;
use faceattend_core::tracking::Ambiguity;
use faceattend_core::types::StudentId;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire_time::naive_utc;

/// How long a pair is told after it was seen last: an operator who looks during the morning sees who was not marked.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(4);
/// The most pairs that are kept; the oldest goes first.
const MOST: usize = 20;

/// Two students whom a camera's view of a face fits alike, by their ids, the smaller first.
pub(crate) type Pair = [StudentId; 2];

/// Returns the pair of an ambiguous face.
pub(super) fn pair_of(face: &Ambiguity) -> Pair {
    let [a, b] = [face.best.student, face.second.student];
    if a < b { [a, b] } else { [b, a] }
}

/// Two students whom a camera could not tell apart, as the API shows them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AmbiguousPair {
    /// Their ids, the older record first.
    students: [i64; 2],
    /// Whose name the face was given all the same: the older record of two with the same pictures. Null where nobody
    /// was named, and nobody marked.
    #[schema(required)]
    named: Option<i64>,
    last_seen: String,
}

struct Seen {
    named: Option<StudentId>,
    last: Timestamp,
}

/// The pairs of one camera.
pub(super) struct AmbiguousPairs {
    gallery: Arc<Gallery>,
    pairs: Mutex<BTreeMap<Pair, Seen>>,
}

impl AmbiguousPairs {
    pub(super) fn new(gallery: Arc<Gallery>) -> Self {
        Self { gallery, pairs: Mutex::default() }
    }

    /// Takes in what a picture showed; returns the pairs that were not known before.
    pub(super) fn see(&self, faces: &[Ambiguity], now: Timestamp) -> Vec<Pair> {
        if faces.is_empty() {
            return Vec::new();
        }
        let mut pairs = self.lock();
        let mut fresh = Vec::new();
        for face in faces {
            let pair = pair_of(face);
            if pairs.insert(pair, Seen { named: face.named, last: now }).is_none() {
                fresh.push(pair);
            }
        }
        while pairs.len() > MOST {
            let Some(oldest) = pairs.iter().min_by_key(|(_, seen)| seen.last).map(|(pair, _)| *pair) else { break };
            pairs.remove(&oldest);
        }
        fresh
    }

    /// Returns the pairs of people who are still enrolled, as the API shows them.
    pub(super) fn items(&self, now: Timestamp) -> Vec<AmbiguousPair> {
        let mut pairs = self.lock();
        pairs.retain(|pair, seen| {
            now.duration_since(seen.last) < TOLD_FOR && pair.iter().all(|student| self.gallery.contains(*student))
        });
        let item = |(pair, seen): (&Pair, &Seen)| AmbiguousPair {
            students: pair.map(|student| student.0),
            named: seen.named.map(|student| student.0),
            last_seen: naive_utc(seen.last),
        };
        pairs.iter().map(item).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Pair, Seen>> {
        // Each change leaves the map whole.
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
