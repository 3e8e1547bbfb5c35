//! People whom cameras saw and nobody knows, an opt-in: for an operator to enrol or to dismiss.
//!
//! Such a face is biometric data of somebody who may never have agreed to anything. So
//!
//! - nothing is kept unless the operator asks for it;
//! - the faces are in memory alone: no disk, no database and no back-up has them, and they end with the process;
//! - of each person there are an embedding, times and a place. There is no picture;
//! - whoever was not seen again for [`UnknownOptions::kept_for`] is forgotten, dismissed or not;
//! - whoever is nearly somebody's likeness is not listed: that is a matter of the second look and of better templates.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::embedding::Embedding;
use crate::engine::Embedder;
use crate::error::Result;
use crate::gallery::Gallery;
use crate::types::{Similarity, Threshold};

/// How long unknown faces are kept, and how many.
///
/// ```
/// use faceattend_core::recognition::UnknownOptions;
/// use jiff::SignedDuration;
///
/// let day = UnknownOptions::kept_for(SignedDuration::from_hours(24));
/// assert_eq!(day.most, 200);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct UnknownOptions {
    /// How long after they were last seen.
    pub kept_for: SignedDuration,
    /// How many people; the one who was seen last the longest time ago gives way. Default 200: as many as somebody
    /// looks through, in 3 MiB.
    pub most: usize,
    /// From which similarity two faces are one person. Default [`Threshold::DOCUMENTED`], by which people are named.
    pub same: Threshold,
}

impl UnknownOptions {
    /// Returns the defaults with faces that are kept for so long.
    #[must_use]
    pub fn kept_for(kept_for: SignedDuration) -> Self {
        Self { kept_for, most: 200, same: Threshold::DOCUMENTED }
    }
}

/// The number of an unknown person in one process. It is not given twice.
///
/// ```
/// use faceattend_core::recognition::UnknownId;
///
/// assert!(UnknownId(1) > UnknownId(0), "who came later has the larger number");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownId(pub u64);

/// A person whom cameras saw and nobody knows, without the face.
///
/// ```
/// use faceattend_core::recognition::UnknownFace;
///
/// fn told(face: &UnknownFace) -> String {
///     format!("{} times, last at {}", face.visits, face.place.as_deref().unwrap_or("no place"))
/// }
/// # let _ = told;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct UnknownFace {
    /// Its number.
    pub id: UnknownId,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// How often it came into view.
    pub visits: u32,
    /// Where it was last seen.
    pub place: Option<String>,
}

/// Views that are kept of one person: the mean of more changes nothing that an operator would notice.
const VIEWS: usize = 8;

struct Known {
    face: UnknownFace,
    views: Vec<Embedding>,
    mean: Embedding,
    /// An operator wants to hear no more of it: it stays, so that the same person is not listed anew.
    dismissed: bool,
    /// The state of the gallery that did not know it.
    compared: Option<u64>,
}

/// The unknown faces of all cameras of a process. `Send + Sync`.
///
/// ```
/// use faceattend_core::embedding::Calibration;
/// use faceattend_core::engine::Embedder;
/// use faceattend_core::recognition::{UnknownFaces, UnknownOptions};
/// use faceattend_core::{Embedding, ModelId, Timestamp};
/// use jiff::SignedDuration;
///
/// let embedder = Embedder::new(ModelId::new("example"), 2, Calibration::arcface());
/// let faces = UnknownFaces::new(embedder, UnknownOptions::kept_for(SignedDuration::from_hours(24)));
/// let now = Timestamp::UNIX_EPOCH;
/// let view = Embedding::from_raw(ModelId::new("example"), &[1.0, 0.0])?;
/// let first = faces.see(&view, Some("Gate"), now)?;
/// assert_eq!(faces.see(&view, Some("Hall"), now)?, first, "the same face is the same person");
/// assert!(faces.dismiss(first));
/// assert!(faces.list(None, now)?.is_empty());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
pub struct UnknownFaces {
    embedder: Embedder,
    options: UnknownOptions,
    known: Mutex<(u64, BTreeMap<UnknownId, Known>)>,
}

impl std::fmt::Debug for UnknownFaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UnknownFaces({:?}, {} people)", self.options, self.lock().1.len())
    }
}

impl UnknownFaces {
    /// Creates an empty list of faces of this embedder.
    #[must_use]
    pub fn new(embedder: Embedder, options: UnknownOptions) -> Self {
        Self { embedder, options, known: Mutex::default() }
    }

    /// Takes in that somebody unknown came into view, by the mean of the views; returns who it is.
    ///
    /// # Errors
    /// [`Error::ModelMismatch`](crate::Error::ModelMismatch) for a face of another model.
    pub fn see(&self, face: &Embedding, place: Option<&str>, at: Timestamp) -> Result<UnknownId> {
        let mut held = self.forgetting(at);
        let (given, people) = &mut *held;
        let mut nearest: Option<(Similarity, UnknownId)> = None;
        for (id, known) in people.iter() {
            let similarity = self.embedder.calibration.similarity(known.mean.cosine(face)?);
            if self.options.same.admits(similarity) && nearest.is_none_or(|(best, _)| similarity > best) {
                nearest = Some((similarity, *id));
            }
        }
        if let Some(known) = nearest.and_then(|(_, id)| people.get_mut(&id)) {
            if known.views.len() < VIEWS {
                known.views.push(face.clone());
                known.mean = Embedding::mean(&known.views)?;
                known.compared = None;
            }
            known.face.visits += 1;
            known.face.last_seen = known.face.last_seen.max(at);
            known.face.place = place.map(str::to_owned);
            return Ok(known.face.id);
        }
        if people.len() >= self.options.most {
            let longest_ago = people.values().min_by_key(|known| known.face.last_seen).map(|known| known.face.id);
            longest_ago.and_then(|id| people.remove(&id));
        }
        let id = UnknownId(*given);
        *given += 1;
        let face_of = UnknownFace { id, first_seen: at, last_seen: at, visits: 1, place: place.map(str::to_owned) };
        let (views, mean) = (vec![face.clone()], face.clone());
        people.insert(id, Known { face: face_of, views, mean, dismissed: false, compared: None });
        Ok(id)
    }

    /// Takes in that somebody is still in view.
    pub(super) fn still_there(&self, id: UnknownId, at: Timestamp) {
        if let Some(known) = self.lock().1.get_mut(&id) {
            known.face.last_seen = known.face.last_seen.max(at);
        }
    }

    /// Takes back a visit of somebody who was recognized after all.
    pub(super) fn was_known(&self, id: UnknownId) {
        let mut held = self.lock();
        if let Some(known) = held.1.get_mut(&id) {
            known.face.visits = known.face.visits.saturating_sub(1);
            if known.face.visits == 0 {
                held.1.remove(&id);
            }
        }
    }

    /// Returns the people who are to be looked at, last seen first. Whoever `gallery` knows by now, by the threshold of
    /// its people, was enrolled meanwhile and is forgotten.
    ///
    /// # Errors
    /// [`Error::ModelMismatch`](crate::Error::ModelMismatch) for a gallery of another model.
    pub fn list(&self, gallery: Option<&Gallery>, now: Timestamp) -> Result<Vec<UnknownFace>> {
        let mut held = self.forgetting(now);
        if let Some(gallery) = gallery {
            let (mut enrolled, now) = (Vec::new(), Some(gallery.revision()));
            for (id, known) in held.1.iter_mut().filter(|(_, known)| known.compared != now) {
                known.compared = now;
                if gallery.search(&known.mean, 1)?.iter().any(|best| self.options.same.admits(best.similarity)) {
                    enrolled.push(*id);
                }
            }
            held.1.retain(|id, _| !enrolled.contains(id));
        }
        let mut listed: Vec<_> =
            held.1.values().filter(|known| !known.dismissed).map(|known| known.face.clone()).collect();
        listed.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then(b.id.cmp(&a.id)));
        Ok(listed)
    }

    /// Returns a person of the list and the mean of the views, to enrol it.
    #[must_use]
    pub fn face(&self, id: UnknownId, now: Timestamp) -> Option<(UnknownFace, Embedding)> {
        let held = self.forgetting(now);
        let known = held.1.get(&id).filter(|known| !known.dismissed)?;
        Some((known.face.clone(), known.mean.clone()))
    }

    /// Takes a person off the list, who is not listed again until forgotten. Says whether it was there.
    pub fn dismiss(&self, id: UnknownId) -> bool {
        let mut held = self.lock();
        held.1.get_mut(&id).is_some_and(|known| !std::mem::replace(&mut known.dismissed, true))
    }

    /// Forgets a person: call it once the person is enrolled. Says whether it was there.
    pub fn forget(&self, id: UnknownId) -> bool {
        self.lock().1.remove(&id).is_some()
    }

    fn forgetting(&self, now: Timestamp) -> MutexGuard<'_, (u64, BTreeMap<UnknownId, Known>)> {
        let mut held = self.lock();
        held.1.retain(|_, known| now.duration_since(known.face.last_seen) < self.options.kept_for);
        held
    }

    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<UnknownId, Known>)> {
        // Every change is one insertion, removal or assignment: a panic leaves nothing half done.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::Calibration;
    use crate::types::{ModelId, StudentId};

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    fn view(raw: [f32; 3]) -> Embedding {
        Embedding::from_raw(ModelId::new("m"), &raw).unwrap()
    }

    fn embedder() -> Embedder {
        Embedder { model: ModelId::new("m"), dimension: 3, calibration: Calibration::arcface() }
    }

    fn faces(most: usize) -> UnknownFaces {
        let options = UnknownOptions { most, ..UnknownOptions::kept_for(SignedDuration::from_hours(24)) };
        UnknownFaces::new(embedder(), options)
    }

    fn ids(faces: &UnknownFaces, now: Timestamp) -> Vec<u64> {
        faces.list(None, now).unwrap().iter().map(|face| face.id.0).collect()
    }

    #[test]
    fn visits_of_one_person_are_one_entry_and_those_of_another_are_not() {
        let faces = faces(10);
        let first = faces.see(&view([1.0, 0.1, 0.0]), Some("Gate"), at(0)).unwrap();
        assert_eq!(faces.see(&view([1.0, 0.0, 0.1]), Some("Hall"), at(2)).unwrap(), first);
        let other = faces.see(&view([0.0, 1.0, 0.0]), None, at(1)).unwrap();
        assert_ne!(other, first);
        let listed = faces.list(None, at(3)).unwrap();
        let told: Vec<_> = listed.iter().map(|face| (face.id, face.visits, face.place.as_deref())).collect();
        assert_eq!(told, [(first, 2, Some("Hall")), (other, 1, None)]);
        assert_eq!((listed[0].first_seen, listed[0].last_seen), (at(0), at(2)));
    }

    #[test]
    fn who_was_not_seen_for_the_time_of_the_operator_is_forgotten() {
        let faces = faces(10);
        let first = faces.see(&view([1.0, 0.0, 0.0]), None, at(0)).unwrap();
        faces.see(&view([0.0, 1.0, 0.0]), None, at(20)).unwrap();
        faces.dismiss(first);
        assert_eq!(ids(&faces, at(23)), [1]);
        assert_eq!(faces.see(&view([1.0, 0.0, 0.0]), None, at(23)).unwrap(), first, "dismissed, and still known");
        assert_eq!(ids(&faces, at(43)), [1], "the one who was dismissed is not listed anew");
        assert_eq!(ids(&faces, at(44)), [0_u64; 0]);
        let again = faces.see(&view([1.0, 0.0, 0.0]), None, at(48)).unwrap();
        assert!(again != first && ids(&faces, at(48)) == [again.0]);
        assert!(faces.face(again, at(48)).is_some() && faces.face(again, at(72)).is_none());
    }

    #[test]
    fn the_list_has_its_end_and_who_was_seen_longest_ago_gives_way() {
        let faces = faces(2);
        for (hour, raw) in [(0, [1.0, 0.0, 0.0]), (1, [0.0, 1.0, 0.0]), (2, [0.0, 0.0, 1.0])] {
            faces.see(&view(raw), None, at(hour)).unwrap();
        }
        assert_eq!(ids(&faces, at(2)), [2, 1]);
    }

    #[test]
    fn who_was_recognized_after_all_or_is_enrolled_by_now_is_not_listed() {
        let faces = faces(10);
        let first = faces.see(&view([1.0, 0.0, 0.0]), None, at(0)).unwrap();
        faces.was_known(first);
        assert_eq!(ids(&faces, at(0)), [0_u64; 0]);
        let gallery = Gallery::new(embedder());
        faces.see(&view([0.0, 1.0, 0.0]), None, at(0)).unwrap();
        assert_eq!(faces.list(Some(&gallery), at(0)).unwrap().len(), 1);
        gallery.insert(StudentId(1), &[view([0.1, 1.0, 0.0])]).unwrap();
        assert!(faces.list(Some(&gallery), at(0)).unwrap().is_empty());
        assert!(ids(&faces, at(0)).is_empty(), "and is forgotten");
    }
}
