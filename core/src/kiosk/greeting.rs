//! What a kiosk says to whom it has marked.

use jiff::{SignedDuration, Timestamp};

use crate::store::{AttendanceRecord, Marking};
use crate::types::StudentId;

/// How long what was just written is still news: as long as a marker remembers it.
const NEWS_FOR: SignedDuration = SignedDuration::from_secs(60);

/// What a greeting says.
///
/// ```
/// use faceattend_core::kiosk::GreetingKind;
///
/// assert_eq!(GreetingKind::Goodbye.as_str(), "goodbye");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GreetingKind {
    /// Welcome: marked in time.
    Present,
    /// Welcome: marked as late.
    Late,
    /// Marked before, in this day and period.
    Already,
    /// Seen leaving.
    Goodbye,
    /// Left before people are expected to leave.
    LeftEarly,
    /// Somebody has decided otherwise about this mark: go and ask.
    Ask,
}

impl GreetingKind {
    /// Returns the word on the wire, in snake case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Late => "late",
            Self::Already => "already",
            Self::Goodbye => "goodbye",
            Self::LeftEarly => "left_early",
            Self::Ask => "ask",
        }
    }
}

/// What a kiosk says to whom it has marked. It is made of a row that the database holds: nothing is promised that is
/// not written.
///
/// ```
/// use faceattend_core::Timestamp;
/// use faceattend_core::attendance::Marking;
/// use faceattend_core::kiosk::{Greeting, GreetingKind};
///
/// fn welcome(marking: &Marking, now: Timestamp) -> Option<String> {
///     let greeting = Greeting::of(marking, now);
///     (greeting.kind == GreetingKind::Present).then(|| format!("Good morning, {}", greeting.name))
/// }
/// # let _ = welcome;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Greeting {
    /// What it says.
    pub kind: GreetingKind,
    /// The key of the row.
    pub attendance: i64,
    /// Who is greeted.
    pub student: StudentId,
    /// The student's name.
    pub name: String,
    /// When the student was marked, or seen leaving.
    pub at: Timestamp,
}

impl Greeting {
    /// Returns the greeting for a mark at `now`. A row that was written within the last minute is news although it is
    /// there already: its answer may have been lost on the way.
    #[must_use]
    pub fn of(marking: &Marking, now: Timestamp) -> Self {
        let record = marking.record();
        let is_news = |at: Timestamp| now.duration_since(at).abs() <= NEWS_FOR;
        let left = record.checked_out_at.filter(|at| is_news(*at));
        let (kind, at) = match (record.status.as_str(), left) {
            ("Absent", _) => (GreetingKind::Ask, record.timestamp),
            (_, Some(left)) => (GreetingKind::Goodbye, left),
            (status, None) if is_news(record.timestamp) => (arrival(status), record.timestamp),
            _ => (GreetingKind::Already, record.timestamp),
        };
        let AttendanceRecord { id, student, student_name, .. } = record;
        Self { kind, attendance: *id, student: *student, name: student_name.clone(), at }
    }
}

fn arrival(status: &str) -> GreetingKind {
    if status == "Late" { GreetingKind::Late } else { GreetingKind::Present }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    fn record(status: &str) -> AttendanceRecord {
        let at: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        AttendanceRecord {
            id: 7,
            student: StudentId(3),
            student_name: "Asha Rao".into(),
            student_roll_number: "R1".into(),
            timestamp: at,
            status: status.into(),
            confidence_score: Some(0.9),
            camera_location: Some("Gate".into()),
            local_day: None,
            created_at: at,
            checked_out_at: None,
        }
    }

    #[test]
    fn news_are_told_and_later_it_was_already_so() {
        let greeted = |record: &AttendanceRecord, after: i64| {
            let greeting = Greeting::of(&Marking::AlreadyMarked(record.clone()), record.timestamp + after.seconds());
            (greeting.kind, greeting.at)
        };
        let on_time = record("Present");
        let at = on_time.timestamp;
        assert_eq!(Greeting::of(&Marking::Marked(on_time.clone()), at).kind, GreetingKind::Present);
        assert_eq!(Greeting::of(&Marking::Marked(record("Late")), at).kind, GreetingKind::Late);
        assert_eq!(greeted(&on_time, 60), (GreetingKind::Present, at), "its answer may have been lost");
        assert_eq!(greeted(&on_time, 61), (GreetingKind::Already, at));
        let left_at = at + 6.hours();
        let left = AttendanceRecord { checked_out_at: Some(left_at), ..on_time };
        assert_eq!(greeted(&left, 6 * 3600), (GreetingKind::Goodbye, left_at));
        assert_eq!(greeted(&left, 7 * 3600), (GreetingKind::Already, at));
        assert_eq!(greeted(&record("Absent"), 0).0, GreetingKind::Ask, "somebody has corrected the mark");
    }
}
