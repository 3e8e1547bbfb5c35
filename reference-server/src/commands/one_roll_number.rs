//! What `serve` and `doctor` say of students whose roll numbers are one, written differently.

use faceattend_core::store::Student;

/// What to do about them.
pub(crate) const ADVICE: &str = "give all but one of them another number, on the page Students";

/// How many roll numbers belong to several students.
pub(crate) fn summary(groups: &[Vec<Student>]) -> String {
    format!(
        "{} roll numbers belong to several students, who were added before such numbers counted as one. {ADVICE}:",
        groups.len()
    )
}

/// The students of each number, a line each.
pub(crate) fn lines(groups: &[Vec<Student>]) -> impl Iterator<Item = String> + '_ {
    groups.iter().map(|group| {
        let who = |student: &Student| format!("{} {:?} (student {})", student.name, student.roll_number, student.id);
        group.iter().map(who).collect::<Vec<_>>().join(", ")
    })
}
