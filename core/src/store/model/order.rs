//! In which order a list comes, and which students are on it.

use crate::types::ModelId;

/// The order of a list: by what, and from which end. Rows that are equal in it keep the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order<By> {
    /// What is compared.
    pub by: By,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// What students are ordered by. Both databases compare texts byte by byte, so that they give the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StudentsBy {
    /// The id: whoever was added first comes first.
    #[default]
    Id,
    /// The name, whatever its letter case and its accents.
    Name,
    /// The roll number: a shorter one first, so that 9 comes before 10.
    RollNumber,
    /// Whether a face is stored: those without one first.
    Face,
}

/// What rows of attendance are ordered by. Rows that are equal come newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AttendanceBy {
    /// The time of the mark.
    #[default]
    Time,
    /// The student's name, as [`StudentsBy::Name`].
    Name,
    /// The student's roll number, as [`StudentsBy::RollNumber`].
    RollNumber,
    /// The status, by its word.
    Status,
    /// How sure the match was; rows without a match first.
    Similarity,
    /// The place of the camera, by its word.
    Place,
}

impl Order<AttendanceBy> {
    /// The order of attendance where nobody asks for another: newest first.
    pub const NEWEST_FIRST: Self = Self { by: AttendanceBy::Time, descending: true };
}

/// A filter of students with the order of the list; the default lets everybody pass, ordered by id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StudentFilter {
    /// Only students whose name or roll number contains this, as [`Students::students`](crate::store::Students) says.
    pub search: Option<String>,
    /// Only students who have to enrol again to be recognized by this model.
    pub must_enrol_again_for: Option<ModelId>,
    /// Only students without a face.
    pub without_face: bool,
    /// The order.
    pub order: Order<StudentsBy>,
}
