//! What people at a kiosk do themselves: "Not me", and marks for which a supervisor vouches.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Greeting, GreetingKind};
use crate::attendance::{Marker, Marking};
use crate::error::{Error, Result};
use crate::recognition::Direction;
use crate::store::{NewAttendance, NewSecondLook, SecondLookVerdict, SecondLooking, Store};
use crate::types::{Similarity, StudentId};

/// How long after a greeting it can be taken back: a greeting is read in seconds, and whoever comes next has no say.
pub const TAKE_BACK_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// The reason of a second look where somebody said that they are not the student.
pub const NOT_ME: &str = "not_me";

/// Writes what people at a kiosk do themselves.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use std::sync::Arc;
///
/// use faceattend_core::kiosk::{Desk, Greeting, TakenBack};
/// use faceattend_core::store::prelude::*;
/// use faceattend_core::{AttendancePolicy, Marker, Similarity, SqliteStore, Timestamp};
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("people.db");
/// let (store, now) = (Arc::new(SqliteStore::open(path)?), Timestamp::now());
/// let student = store.create_student("Grace Hopper", "R1", now)?.id;
/// let marker = Arc::new(Marker::new(store.clone(), AttendancePolicy::in_time_zone("UTC")?));
/// let desk = Desk::new(marker.clone(), store.clone());
/// let marking = marker.mark(student, Similarity::new(0.8), Some("Gate"), now)?;
/// let taken = desk.not_me(&Greeting::of(&marking, now), now, now)?;
/// assert!(matches!(taken, TakenBack::Mark(_)));
/// assert_eq!(store.open_second_looks()?, 1);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub struct Desk {
    marker: Arc<Marker>,
    store: Arc<dyn Store>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

/// What "Not me" has undone.
///
/// ```
/// use faceattend_core::kiosk::TakenBack;
///
/// fn told(taken: &TakenBack) -> &'static str {
///     if *taken == TakenBack::Nothing { "the mark of before stands" } else { "taken back" }
/// }
/// assert_eq!(told(&TakenBack::CheckOut), "taken back");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum TakenBack {
    /// The mark is deleted, and the sighting is on the second-look list.
    Mark(Box<SecondLooking>),
    /// The student is not checked out any more.
    CheckOut,
    /// Nothing: the student had been marked before, by another sighting.
    Nothing,
}

impl Desk {
    /// Creates a desk that marks by this marker, in its store.
    #[must_use]
    pub fn new(marker: Arc<Marker>, store: Arc<dyn Store>) -> Self {
        Self { marker, store }
    }

    /// Returns the greeting for a mark at `now`, by the site's timetable.
    #[must_use]
    pub fn greet(&self, marking: &Marking, now: Timestamp) -> Greeting {
        let mut greeting = Greeting::of(marking, now);
        if greeting.kind == GreetingKind::Goodbye && self.marker.leaves_early(greeting.student, greeting.at) {
            greeting.kind = GreetingKind::LeftEarly;
        }
        greeting
    }

    /// Takes back what a greeting told: somebody says that they are not that student. A mark is deleted and put on the
    /// second-look list, so that a person decides.
    ///
    /// # Errors
    /// [`Error::State`] when the greeting is older than [`TAKE_BACK_WITHIN`]; [`Error::NotFound`] when the mark is gone
    /// already; those of the store.
    pub fn not_me(&self, greeting: &Greeting, greeted_at: Timestamp, now: Timestamp) -> Result<TakenBack> {
        if now.duration_since(greeted_at).abs() > TAKE_BACK_WITHIN {
            return Err(Error::State { what: "greeting", reason: "it is too old to be taken back".into() });
        }
        let taken = match greeting.kind {
            GreetingKind::Already | GreetingKind::Ask => TakenBack::Nothing,
            GreetingKind::Goodbye | GreetingKind::LeftEarly => {
                self.store.take_back_check_out(greeting.attendance, greeting.at)?;
                TakenBack::CheckOut
            }
            GreetingKind::Present | GreetingKind::Late => {
                let record = self.store.attendance_record(greeting.attendance)?;
                let record = record.ok_or(Error::NotFound { what: "attendance record" })?;
                let place = record.camera_location.as_deref();
                let seen = self.marker.sighting(record.student, Similarity::new(0.0), place, record.timestamp)?;
                let sighting = NewAttendance { confidence_score: record.confidence_score, ..seen };
                let (verdict, reasons) = (SecondLookVerdict::Undecided, vec![NOT_ME.to_owned()]);
                let look = NewSecondLook { sighting, verdict, reasons };
                TakenBack::Mark(Box::new(self.store.take_back_mark(record.id, &look)?))
            }
        };
        self.marker.forget_student(greeting.student);
        Ok(taken)
    }

    /// Marks a student at `now` for whom somebody vouches, without a face. `by` and `reason` stay with the mark. A
    /// student who is marked already is checked out where they leave, or where the timetable expects it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown student; [`Error::InvalidInput`] for a text beyond its
    /// [limit](crate::store::limits); those of the store.
    pub fn vouch(
        &self,
        student: StudentId,
        place: Option<&str>,
        (by, reason): (&str, &str),
        direction: Direction,
        now: Timestamp,
    ) -> Result<Marking> {
        let seen = self.marker.sighting(student, Similarity::new(0.0), place, now)?;
        let new = NewAttendance { confidence_score: None, ..seen };
        let mut marking = self.store.mark_vouched(&new, by, reason)?;
        let leaves = direction == Direction::Leaving || self.marker.checks_out(student, now)?;
        if let (Marking::AlreadyMarked(record), true) = (&marking, leaves) {
            marking = Marking::AlreadyMarked(self.store.check_out(record.id, now)?);
        }
        self.marker.forget_student(student);
        Ok(marking)
    }
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests {
    use jiff::ToSpan as _;
    use jiff::civil::Time;

    use super::*;
    use crate::attendance::{AttendancePolicy, Period};
    use crate::store::{Page, SecondLookFilter, SqliteStore, prelude::*};

    struct Gate {
        desk: Desk,
        marker: Arc<Marker>,
        store: Arc<SqliteStore>,
        student: StudentId,
        _folder: tempfile::TempDir,
    }

    fn gate() -> Gate {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("a.db")).unwrap());
        let student = store.create_student("Asha Rao", "R1", at("07:00")).unwrap().id;
        let time = |hour| Time::constant(hour, 0, 0, 0);
        let day = Period::new("day", time(7)).with_late_after(time(9)).with_check_out_from(time(14));
        let policy = AttendancePolicy::in_time_zone("UTC").unwrap().with_periods(vec![day]).unwrap();
        let marker = Arc::new(Marker::new(store.clone(), policy));
        Gate { desk: Desk::new(Arc::clone(&marker), store.clone()), marker, store, student, _folder: folder }
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-03-02T{time}:00Z").parse().unwrap()
    }

    impl Gate {
        fn greeted(&self, now: Timestamp) -> Greeting {
            let marking = self.marker.mark(self.student, Similarity::new(0.91), Some("Gate"), now).unwrap();
            Greeting::of(&marking, now)
        }

        fn listed(&self) -> Vec<(Vec<String>, Option<f64>)> {
            let open = self.store.second_looks(&SecondLookFilter::open(), Page::ALL).unwrap().items;
            open.into_iter().map(|look| (look.reasons, look.sighting.confidence_score)).collect()
        }

        fn rows(&self) -> usize {
            self.store.attendance(&crate::store::AttendanceFilter::default(), Page::ALL).unwrap().items.len()
        }
    }

    #[test]
    fn not_me_takes_the_mark_back_and_a_person_decides() {
        let gate = gate();
        let now = at("08:00");
        let greeting = gate.greeted(now);
        assert_eq!((greeting.kind, gate.rows()), (GreetingKind::Present, 1));
        let late = gate.desk.not_me(&greeting, now, now + 31.seconds()).unwrap_err();
        assert!(matches!(late, Error::State { .. }), "{late}");
        assert_eq!(gate.rows(), 1, "a greeting that is over stands");
        let taken = gate.desk.not_me(&greeting, now, now + 5.seconds()).unwrap();
        assert!(matches!(&taken, TakenBack::Mark(look) if matches!(**look, SecondLooking::Added(_))), "{taken:?}");
        assert_eq!((gate.rows(), gate.listed()), (0, vec![(vec![NOT_ME.to_owned()], Some(0.91))]));
        // Asha herself comes later, and is marked by the next sighting: nothing is remembered of the other one.
        assert_eq!(gate.greeted(now + 10.seconds()).kind, GreetingKind::Present);
        assert_eq!((gate.rows(), gate.listed()), (1, vec![]));
        assert!(gate.desk.not_me(&greeting, now, now + 11.seconds()).is_err(), "that mark is gone already");
        assert_eq!(gate.rows(), 1);
    }

    #[test]
    fn not_me_leaves_a_mark_that_stood_before() {
        let gate = gate();
        gate.greeted(at("08:00"));
        let again = gate.greeted(at("10:00"));
        assert_eq!(again.kind, GreetingKind::Already);
        assert_eq!(gate.desk.not_me(&again, at("10:00"), at("10:00")).unwrap(), TakenBack::Nothing);
        assert_eq!((gate.rows(), gate.listed()), (1, vec![]));
    }

    #[test]
    fn not_me_takes_a_check_out_back() {
        let gate = gate();
        gate.greeted(at("08:00"));
        let leaving = gate.greeted(at("14:30"));
        assert_eq!(leaving.kind, GreetingKind::Goodbye);
        assert_eq!(gate.desk.not_me(&leaving, at("14:30"), at("14:30")).unwrap(), TakenBack::CheckOut);
        let row = gate.store.attendance_record(leaving.attendance).unwrap().unwrap();
        assert_eq!((row.checked_out_at, row.status.as_str()), (None, "Present"));
    }

    #[test]
    fn who_leaves_before_the_time_has_left_early() {
        let gate = gate();
        let early = |greeting: &Greeting| greeting.kind == GreetingKind::LeftEarly;
        let leave = |now| {
            let marking = gate.marker.note_departure(gate.student, Similarity::new(0.9), Some("Gate"), now).unwrap();
            gate.desk.greet(&marking, now)
        };
        assert_eq!(leave(at("08:00")).kind, GreetingKind::Present, "who was not marked is marked first");
        let greeting = leave(at("11:00"));
        assert!(early(&greeting) && greeting.at == at("11:00"), "{greeting:?}");
        assert_eq!(leave(at("11:00") + 30.seconds()).at, at("11:00"), "once a minute");
        let row = gate.store.attendance_record(greeting.attendance).unwrap().unwrap();
        assert_eq!((row.status.as_str(), row.checked_out_at), ("Present", Some(at("11:00"))), "derived, not written");
        assert_eq!(gate.desk.not_me(&greeting, at("11:00"), at("11:00")).unwrap(), TakenBack::CheckOut);
        let by = ("PIN at kiosk Gate", "no face");
        let vouched = gate.desk.vouch(gate.student, None, by, Direction::Leaving, at("12:00")).unwrap();
        assert!(early(&gate.desk.greet(&vouched, at("12:00"))));
        assert_eq!(leave(at("14:30")).kind, GreetingKind::Goodbye, "in time");
    }

    #[test]
    fn a_mark_that_a_supervisor_vouches_for_says_so() {
        let gate = gate();
        let by = ("PIN at kiosk Gate", "marked by roll number and PIN, without a face");
        let Marking::Marked(row) =
            gate.desk.vouch(gate.student, Some("Gate"), by, Direction::Arriving, at("09:30")).unwrap()
        else {
            panic!("it is new")
        };
        assert_eq!((row.status.as_str(), row.confidence_score), ("Late", None));
        let [kept] = &gate.store.corrections(row.id).unwrap()[..] else { panic!("nobody says who vouched") };
        assert_eq!((kept.correction.by.as_str(), kept.correction.reason.as_str()), by);
        assert_eq!((kept.status_before.as_str(), kept.correction.status.as_str()), ("Late", "Late"));
        let again = gate.desk.vouch(gate.student, Some("Gate"), by, Direction::Arriving, at("10:00")).unwrap();
        assert!(matches!(again, Marking::AlreadyMarked(_)));
        assert_eq!(gate.store.corrections(row.id).unwrap().len(), 1, "nothing was changed");
        let leaving = gate.desk.vouch(gate.student, Some("Gate"), by, Direction::Arriving, at("14:30")).unwrap();
        assert_eq!(leaving.record().checked_out_at, Some(at("14:30")));
        assert!(gate.desk.vouch(StudentId(99), None, by, Direction::Arriving, at("10:00")).is_err());
    }
}
