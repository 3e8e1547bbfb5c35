//! Two records of one person, and when they are surely that.

use std::sync::{Arc, Mutex, PoisonError};

use super::actor::Actor;
use super::duplicates::{Faces, already_enrolled};
use crate::error::{Error, Result};
use crate::gallery::{Gallery, LookAlike};
use crate::store::{Merged, MergedFace, StoredTemplate};
use crate::types::StudentId;

/// Which of two records of one person stays, and whose face it has from then on.
///
/// ```
/// use faceattend_core::StudentId;
/// use faceattend_core::enrolment::Merge;
/// use faceattend_core::store::MergedFace;
///
/// let merge = Merge::into(StudentId(3), StudentId(7)).with_face(MergedFace::Other);
/// assert_eq!((merge.kept(), merge.other()), (StudentId(3), StudentId(7)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    kept: StudentId,
    other: StudentId,
    face: MergedFace,
}

impl Merge {
    /// Returns the merge in which the record `kept` stays, with its own face, and `other` is erased.
    #[must_use]
    pub const fn into(kept: StudentId, other: StudentId) -> Self {
        Self { kept, other, face: MergedFace::Kept }
    }

    /// Returns the same merge with the choice of the face.
    #[must_use]
    pub const fn with_face(mut self, face: MergedFace) -> Self {
        self.face = face;
        self
    }

    /// Returns the record that stays.
    #[must_use]
    pub const fn kept(self) -> StudentId {
        self.kept
    }

    /// Returns the record that is erased.
    #[must_use]
    pub const fn other(self) -> StudentId {
        self.other
    }

    /// Returns whose face stays.
    #[must_use]
    pub const fn face(self) -> MergedFace {
        self.face
    }
}

/// What came of a merge.
#[derive(Debug, Clone, PartialEq)]
pub enum MergeOutcome {
    /// The two are one student.
    Merged(Box<Merged>),
    /// The two faces are not alike, or cannot be compared, and the actor may not merge such records.
    Unlike,
}

impl MergeOutcome {
    /// Returns what was merged, and the other outcome as the error that it means to a caller who expected it.
    ///
    /// # Errors
    /// [`Error::Conflict`] for records whose faces are unlike.
    pub fn into_merged(self) -> Result<Merged> {
        match self {
            Self::Merged(merged) => Ok(*merged),
            Self::Unlike => Err(Error::Conflict { what: "unlike face of these students" }),
        }
    }
}

/// Returns whether `actor` may merge the two students who have these templates: whoever may replace a face by an unlike
/// one may, and everybody where the faces are as alike as two faces that count as one person's.
pub(super) fn may_merge(faces: &Faces, merge: Merge, stored: Vec<StoredTemplate>, actor: Actor<'_>) -> Result<bool> {
    if actor.replaces_unlike_faces() {
        return Ok(true);
    }
    let people = faces.people_of(stored)?;
    Ok(people.alike(merge.kept, merge.other).is_some_and(|(similarity, _)| already_enrolled().admits(similarity)))
}

/// The pairs of people who look alike, as they were found last.
#[derive(Default)]
pub(super) struct FoundAlike(Mutex<(Option<u64>, Arc<[LookAlike]>)>);

/// The most people of whom everybody is compared with everybody: 50 million cosines.
const COMPARED: usize = 10_000;
/// The most pairs that are told. A model that takes everybody for everybody else would make millions.
const TOLD: usize = 1_000;

impl FoundAlike {
    /// Returns the pairs of people in `gallery` whose faces count as one person's; `None` in one that is too large for
    /// everybody to be compared with everybody. They are looked for once after each change of the gallery.
    pub(super) fn of(&self, gallery: &Gallery) -> Option<Arc<[LookAlike]>> {
        if gallery.people() > COMPARED {
            return None;
        }
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Read before: what changes meanwhile is looked at again the next time.
        let revision = Some(gallery.revision());
        if found.0 != revision {
            *found = (revision, gallery.look_alikes(already_enrolled(), TOLD).into());
        }
        Some(Arc::clone(&found.1))
    }
}
