//! What a merge asks of the store, and what came of it.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Erasure, StoredTemplate, Student};
use crate::error::Result;
use crate::types::StudentId;

/// Whose face a student has after a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MergedFace {
    /// That of the record that stays; that of the other one where it has none.
    #[default]
    Kept,
    /// That of the record that goes, where it has one. Views that cameras added to it are not taken along.
    Other,
}

impl MergedFace {
    /// Returns the choice that `name` spells: `kept` or `other`.
    ///
    /// ```
    /// use faceattend_core::store::MergedFace;
    ///
    /// assert_eq!(MergedFace::parse("other"), Some(MergedFace::Other));
    /// assert_eq!(MergedFace::parse("both"), None);
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "kept" => Some(Self::Kept),
            "other" => Some(Self::Other),
            _ => None,
        }
    }

    /// Returns whether the face of the other record is taken, given which of the two has one.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(in crate::store) fn takes_other(self, kept_has_face: bool, other_has_face: bool) -> bool {
        other_has_face && (self == Self::Other || !kept_has_face)
    }
}

/// Two records of one person, and how they become one: see
/// [`Students::merge_students`](crate::store::Students::merge_students).
pub struct StudentMerge<'a> {
    /// The record that stays, with its name and roll number.
    pub kept: StudentId,
    /// The record that is erased.
    pub other: StudentId,
    /// Whose face stays.
    pub face: MergedFace,
    /// The site's day of a mark that the existing service wrote, which does not say one. `None` where there is none:
    /// such a mark is joined with no other.
    pub day_of: &'a dyn Fn(Timestamp) -> Option<Date>,
    /// Whether the two may be merged, given all templates of both. Must not call the store.
    pub admits: &'a mut dyn FnMut(Vec<StoredTemplate>) -> Result<bool>,
}

impl std::fmt::Debug for StudentMerge<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StudentMerge({} <- {}, {:?})", self.kept, self.other, self.face)
    }
}

/// The receipt of a merge.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Merged {
    /// The student who stayed, as the row is now.
    pub student: Student,
    /// What was erased: the other student as it was, with its templates and sessions. `marks_deleted` counts the later
    /// one of two marks of one period, `second_looks` the entries of which the student who stayed had the same.
    pub erasure: Erasure,
    /// How many attendance rows are the student's now.
    pub marks_moved: u64,
    /// How many corrections were moved from a row that was deleted to the one that stayed.
    pub corrections_moved: u64,
    /// How many entries of the second-look list are the student's now.
    pub second_looks_moved: u64,
    /// Whether the face is that of the record that was erased.
    pub took_face: bool,
    /// Whether the consent is.
    pub took_consent: bool,
}
