//! Who has to enrol again because another model than the engine's made the stored face, in words for a terminal.

use faceattend_core::store::{Listed, Student};
use faceattend_core::types::ModelId;

/// How many there are, and what it means for them.
pub(super) fn summary(students: &Listed<Student>, model: &ModelId) -> String {
    let (have, their) = if students.total == 1 {
        ("1 person has".to_owned(), "the stored face is")
    } else {
        (format!("{} people have", students.total), "their stored faces are")
    };
    format!("{have} to enrol again and will not be recognized until then: {their} not of {model}")
}

/// A line for each of them.
pub(super) fn lines(students: &Listed<Student>) -> impl Iterator<Item = String> {
    students.items.iter().map(|student| {
        let of = match &student.model {
            Some(model) => format!("face of {model}"),
            None => "face of the earlier service, which names no model".to_owned(),
        };
        format!("{} ({}): {of}", student.name, student.roll_number)
    })
}
