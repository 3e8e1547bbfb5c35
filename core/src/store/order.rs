//! The orders of lists, in SQL. What is asked for chooses among these words and is none of them.

use super::rules::STUDENT_HAS_FACE;
use super::{AttendanceBy, Order, StudentsBy};

const NAME: &str = "s.search_key";
const ROLL_NUMBER: [&str; 2] = ["length(s.roll_key)", "s.roll_key"];

/// Returns what stands behind `ORDER BY`. `collation` makes the database compare texts byte by byte.
pub(super) fn of_students(order: Order<StudentsBy>, collation: &str) -> String {
    let keys = match order.by {
        StudentsBy::Id => vec![],
        StudentsBy::Name => vec![format!("{NAME}{collation}")],
        StudentsBy::RollNumber => roll_number(collation),
        StudentsBy::Face => vec![STUDENT_HAS_FACE.to_owned()],
    };
    let end = if order.by == StudentsBy::Id { direction(order.descending) } else { "ASC" };
    directed(&keys, order.descending) + "s.id " + end
}

/// Returns the same for attendance.
pub(super) fn of_attendance(order: Order<AttendanceBy>, collation: &str) -> String {
    let keys = match order.by {
        AttendanceBy::Time => return format!("a.timestamp {0}, a.id {0}", direction(order.descending)),
        AttendanceBy::Name => vec![format!("{NAME}{collation}")],
        AttendanceBy::RollNumber => roll_number(collation),
        AttendanceBy::Status => vec![format!("a.status{collation}")],
        AttendanceBy::Similarity => vec!["COALESCE(a.confidence_score, -1)".to_owned()],
        AttendanceBy::Place => vec![format!("COALESCE(a.camera_location, ''){collation}")],
    };
    directed(&keys, order.descending) + "a.timestamp DESC, a.id DESC"
}

/// Whether the keys of students have to be complete for this order.
pub(super) fn needs_keys(order: Order<AttendanceBy>) -> bool {
    matches!(order.by, AttendanceBy::Name | AttendanceBy::RollNumber)
}

fn roll_number(collation: &str) -> Vec<String> {
    let [length, key] = ROLL_NUMBER;
    vec![length.to_owned(), format!("{key}{collation}")]
}

fn directed(keys: &[String], descending: bool) -> String {
    keys.iter().map(|key| format!("{key} {}, ", direction(descending))).collect()
}

fn direction(descending: bool) -> &'static str {
    if descending { "DESC" } else { "ASC" }
}
