//! The orders of lists, as Python spells them: in the core's own words.

use faceattend_core::store::{AttendanceBy, Order, StudentsBy};
use pyo3::prelude::*;

use crate::error::invalid_input;

const STUDENTS: &[(&str, StudentsBy)] = &[
    ("id", StudentsBy::Id),
    ("name", StudentsBy::Name),
    ("roll_number", StudentsBy::RollNumber),
    ("face", StudentsBy::Face),
];

const ATTENDANCE: &[(&str, AttendanceBy)] = &[
    ("time", AttendanceBy::Time),
    ("name", AttendanceBy::Name),
    ("roll_number", AttendanceBy::RollNumber),
    ("status", AttendanceBy::Status),
    ("similarity", AttendanceBy::Similarity),
    ("place", AttendanceBy::Place),
];

fn by<By: Copy>(py: Python<'_>, known: &[(&str, By)], sort: &str) -> PyResult<By> {
    known.iter().find(|(word, _)| *word == sort).map(|(_, by)| *by).ok_or_else(|| {
        let known = known.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        invalid_input(py, "sort", format!("{sort:?} is none of {known}"))
    })
}

/// The order of students: by id where nobody asks for another.
pub(crate) fn of_students(py: Python<'_>, sort: &str, descending: bool) -> PyResult<Order<StudentsBy>> {
    Ok(Order { by: by(py, STUDENTS, sort)?, descending })
}

/// The order of marks: newest first where nobody asks for another.
pub(crate) fn of_marks(py: Python<'_>, sort: Option<&str>, descending: Option<bool>) -> PyResult<Order<AttendanceBy>> {
    let Some(sort) = sort else {
        return Ok(Order { descending: descending.unwrap_or(true), ..Order::NEWEST_FIRST });
    };
    Ok(Order { by: by(py, ATTENDANCE, sort)?, descending: descending.unwrap_or(false) })
}
