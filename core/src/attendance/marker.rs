//! Marks attendance. Frames that cannot change a mark do not reach the store.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::answers::Answers;
use super::{AttendancePolicy, Correction, Marking};
use crate::backlog::{Backlog, Written};
use crate::error::{Error, Result};
use crate::store::{
    AttendanceRecord, Deferred, DeferredOutcome, NewAttendance, NewSecondLook, SecondLook, SecondLookVerdict,
    SecondLooking, Store,
};
use crate::types::{Similarity, StudentId};

/// Marks students present by the site's policy. One for all cameras and threads of a process.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use std::sync::Arc;
///
/// use faceattend_core::attendance::Marking;
/// use faceattend_core::store::Students as _;
/// use faceattend_core::{AttendancePolicy, Marker, Similarity, SqliteStore, Timestamp};
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("people.db");
/// let (store, now) = (Arc::new(SqliteStore::open(path)?), Timestamp::now());
/// let student = store.create_student("Grace Hopper", "R1", now)?.id;
/// let marker = Marker::new(store, AttendancePolicy::in_time_zone("UTC")?);
/// let mark = |at| marker.mark(student, Similarity::new(0.8), Some("Front door"), at);
/// assert!(matches!(mark(now)?, Marking::Marked(_)));
/// assert!(matches!(mark(now)?, Marking::AlreadyMarked(_)));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub struct Marker {
    store: Arc<dyn Store>,
    policy: AttendancePolicy,
    /// The rows that mark students.
    known: Answers<StudentId, AttendanceRecord>,
    /// The open entries of the second-look list.
    looks: Answers<(StudentId, SecondLookVerdict), SecondLook>,
    /// Whose faces a liveness session proved.
    proven: Answers<StudentId, bool>,
    /// Where sightings of cameras wait for the database.
    backlog: Option<Arc<Backlog>>,
}

/// How often somebody who stands there and leaves is checked out: as long as a marker remembers a row.
const DEPARTS_ONCE_IN: SignedDuration = SignedDuration::from_secs(60);

/// What a camera's sighting led to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Noted<T> {
    /// What the store said.
    Now(T),
    /// It waits for the database.
    Waits,
}

impl std::fmt::Debug for Marker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Marker({:?})", self.policy)
    }
}

impl Marker {
    /// Creates a marker for this store and policy.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, policy: AttendancePolicy) -> Self {
        Self {
            store,
            policy,
            known: Answers::default(),
            looks: Answers::default(),
            proven: Answers::default(),
            backlog: None,
        }
    }

    /// Returns the marker, whose cameras lose no sighting while the database is held or away: it waits in `backlog`,
    /// which must be of the same store. Whoever calls [`mark`](Self::mark) waits for an answer, and gets the error.
    #[must_use]
    pub fn with_backlog(mut self, backlog: Arc<Backlog>) -> Self {
        self.backlog = Some(backlog);
        self
    }

    /// Returns where sightings of cameras wait for the database.
    #[must_use]
    pub fn backlog(&self) -> Option<&Arc<Backlog>> {
        self.backlog.as_ref()
    }

    /// Returns the site's rules.
    #[must_use]
    pub fn policy(&self) -> &AttendancePolicy {
        &self.policy
    }

    /// Marks the student present at `now`, or says which row of the same day and period already does. The store
    /// decides; what it said is remembered for a minute at most.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student; those of the store.
    pub fn mark(
        &self,
        student: StudentId,
        similarity: Similarity,
        camera_location: Option<&str>,
        now: Timestamp,
    ) -> Result<Marking> {
        let period = self.policy.period(now);
        if let Some(record) = self.known.get(&student, period, now) {
            return Ok(Marking::AlreadyMarked(record));
        }
        let new = self.sighting(student, similarity, camera_location, now)?;
        let mut marking = self.store.mark_attendance(&new)?;
        if let (Marking::AlreadyMarked(record), true) = (&marking, self.policy.checks_out(now)) {
            marking = Marking::AlreadyMarked(self.store.check_out(record.id, now)?);
        }
        self.known.keep(student, marking.record().clone(), new.period, new.day.ends_at, now);
        Ok(marking)
    }

    /// As [`mark`](Self::mark), for a camera: where the database is held or away, the sighting waits for it.
    /// Returns whether a liveness session proved the face that is stored of a student. A store that does not answer
    /// proves nothing. What it said is remembered for a minute at most.
    pub(crate) fn is_proven(&self, student: StudentId, now: Timestamp) -> bool {
        const ALWAYS: &str = "";
        if let Some(known) = self.proven.get(&student, ALWAYS, now) {
            return known;
        }
        let Ok(Some(found)) = self.store.student(student) else { return false };
        if let Ok(day) = self.policy.day(now) {
            self.proven.keep(student, found.liveness_verified, ALWAYS.to_owned(), day.ends_at, now);
        }
        found.liveness_verified
    }

    pub(crate) fn note_sighting(
        &self,
        student: StudentId,
        similarity: Similarity,
        camera_location: Option<&str>,
        now: Timestamp,
    ) -> Result<Noted<Marking>> {
        let Some(backlog) = &self.backlog else {
            return self.mark(student, similarity, camera_location, now).map(Noted::Now);
        };
        let period = self.policy.period(now);
        if let Some(record) = self.known.get(&student, period, now) {
            return Ok(Noted::Now(Marking::AlreadyMarked(record)));
        }
        let (mark, checks_out) =
            (self.sighting(student, similarity, camera_location, now)?, self.policy.checks_out(now));
        if backlog.holds(&mark, checks_out) {
            return Ok(Noted::Waits);
        }
        let ends_at = mark.day.ends_at;
        match backlog.write(Deferred::Sighting { mark, checks_out }, now)? {
            Written::Now(DeferredOutcome::Marking(marking)) => {
                self.known.keep(student, marking.record().clone(), period.to_owned(), ends_at, now);
                Ok(Noted::Now(marking))
            }
            Written::Now(_) => Err(Error::NotFound { what: "student" }),
            Written::Waits => Ok(Noted::Waits),
        }
    }

    /// As [`second_look`](Self::second_look), for a camera: where the database is held or away, the sighting waits.
    pub(crate) fn note_second_look(
        &self,
        student: StudentId,
        similarity: Similarity,
        camera_location: Option<&str>,
        verdict: SecondLookVerdict,
        reasons: Vec<String>,
        now: Timestamp,
    ) -> Result<Noted<SecondLooking>> {
        let Some(backlog) = &self.backlog else {
            let looking = self.second_look(student, similarity, camera_location, verdict, reasons, now);
            return looking.map(Noted::Now);
        };
        let period = self.policy.period(now);
        if let Some(looking) = self.remembered_look(student, verdict, period, now) {
            return Ok(Noted::Now(looking));
        }
        let sighting = self.sighting(student, similarity, camera_location, now)?;
        if backlog.holds_second_look(&sighting, verdict) {
            return Ok(Noted::Waits);
        }
        let ends_at = sighting.day.ends_at;
        match backlog.write(Deferred::SecondLook(NewSecondLook { sighting, verdict, reasons }), now)? {
            Written::Now(DeferredOutcome::SecondLook(looking)) => {
                self.remember_look(student, verdict, &looking, (period, ends_at), now);
                Ok(Noted::Now(looking))
            }
            Written::Now(_) => Err(Error::NotFound { what: "student" }),
            Written::Waits => Ok(Noted::Waits),
        }
    }

    /// As [`mark`](Self::mark), for somebody who says that they are leaving: a student who is marked is checked out,
    /// whatever the time. A face that stands there is checked out once a minute.
    pub(crate) fn note_departure(
        &self,
        student: StudentId,
        similarity: Similarity,
        camera_location: Option<&str>,
        now: Timestamp,
    ) -> Result<Marking> {
        let marking = self.mark(student, similarity, camera_location, now)?;
        let Marking::AlreadyMarked(record) = &marking else { return Ok(marking) };
        let is_new = |left: Timestamp| now.duration_since(left).abs() < DEPARTS_ONCE_IN;
        if record.checked_out_at.is_some_and(is_new) {
            return Ok(marking);
        }
        let record = self.store.check_out(record.id, now)?;
        let (period, ends_at) = (self.policy.period(now).to_owned(), self.policy.day(now)?.ends_at);
        self.known.keep(student, record.clone(), period, ends_at, now);
        Ok(Marking::AlreadyMarked(record))
    }

    /// Returns whether a student who leaves at `now` does so before people are expected to leave.
    pub(crate) fn leaves_early(&self, _student: StudentId, now: Timestamp) -> bool {
        let name = self.policy.period(now);
        let period = self.policy.periods().iter().find(|period| period.name() == name);
        !self.policy.checks_out(now) && period.is_some_and(|period| period.check_out_from().is_some())
    }

    /// Returns the row by which a student is marked already, if it is remembered and this sighting would not change
    /// it: nobody has to look at such a face any closer.
    #[must_use]
    pub fn already_marked(&self, student: StudentId, now: Timestamp) -> Option<AttendanceRecord> {
        if self.policy.checks_out(now) {
            return None;
        }
        self.known.get(&student, self.policy.period(now), now)
    }

    /// Puts the student, seen at `now` and not believed to be alive, on the second-look list, or says why that need
    /// not be: the student is marked in this day and period, or is on the list with this verdict. The store decides;
    /// what it said is remembered for a minute at most, so that a face that stands there writes nothing more.
    ///
    /// `reasons` are codes such as `few_views`, the weightiest first.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a reason that is no code; those of the store.
    pub fn second_look(
        &self,
        student: StudentId,
        similarity: Similarity,
        camera_location: Option<&str>,
        verdict: SecondLookVerdict,
        reasons: Vec<String>,
        now: Timestamp,
    ) -> Result<SecondLooking> {
        let period = self.policy.period(now);
        if let Some(looking) = self.remembered_look(student, verdict, period, now) {
            return Ok(looking);
        }
        let sighting = self.sighting(student, similarity, camera_location, now)?;
        let ends_at = sighting.day.ends_at;
        let looking = self.store.add_second_look(&NewSecondLook { sighting, verdict, reasons })?;
        self.remember_look(student, verdict, &looking, (period, ends_at), now);
        Ok(looking)
    }

    /// Returns why a sighting need not be put on the list, if that is remembered.
    fn remembered_look(
        &self,
        student: StudentId,
        verdict: SecondLookVerdict,
        period: &str,
        now: Timestamp,
    ) -> Option<SecondLooking> {
        if let Some(record) = self.known.get(&student, period, now) {
            return Some(SecondLooking::AlreadyMarked(record));
        }
        self.looks.get(&(student, verdict), period, now).map(SecondLooking::AlreadyOpen)
    }

    fn remember_look(
        &self,
        student: StudentId,
        verdict: SecondLookVerdict,
        looking: &SecondLooking,
        (period, ends_at): (&str, Timestamp),
        now: Timestamp,
    ) {
        match looking {
            SecondLooking::Added(look) | SecondLooking::AlreadyOpen(look) => {
                self.looks.keep((student, verdict), look.clone(), period.to_owned(), ends_at, now);
            }
            SecondLooking::AlreadyMarked(record) => {
                self.known.keep(student, record.clone(), period.to_owned(), ends_at, now);
            }
        }
    }

    /// Returns the mark that this sighting makes by the site's policy.
    pub(crate) fn sighting(
        &self,
        student: StudentId,
        similarity: Similarity,
        camera_location: Option<&str>,
        now: Timestamp,
    ) -> Result<NewAttendance> {
        Ok(NewAttendance {
            student,
            at: now,
            day: self.policy.day(now)?,
            period: self.policy.period(now).to_owned(),
            status: self.policy.status(now),
            confidence_score: Some(shortest_f64(similarity.value())),
            camera_location: camera_location.map(str::to_owned),
        })
    }

    /// Corrects a row, with who did it and why, and returns it. The store keeps what it was before.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) without a name or a reason;
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown row; those of the store.
    pub fn correct(&self, attendance: i64, correction: &Correction, now: Timestamp) -> Result<AttendanceRecord> {
        correction.check()?;
        let record = self.store.correct_attendance(attendance, correction, now)?;
        self.known.remove(&record.student);
        Ok(record)
    }

    /// Forgets the store's answers about one student, after a row of theirs was changed.
    pub(crate) fn forget_student(&self, student: StudentId) {
        self.known.remove(&student);
        for verdict in [SecondLookVerdict::Undecided, SecondLookVerdict::Spoof] {
            self.looks.remove(&(student, verdict));
        }
    }

    /// Forgets the timetables. Call this after groups, memberships, timetables or the calendar were changed.
    pub fn forget_rosters(&self) {
        self.forget();
    }

    /// Forgets the store's answers, so that the next sighting asks the store. Call this after rows or students were
    /// deleted, and after an entry of the second-look list was decided.
    pub fn forget(&self) {
        self.known.clear();
        self.looks.clear();
        self.proven.clear();
    }
}

/// Returns the `f64` with the same shortest decimal: 0.91, not the 0.9100000262260437 that a cast gives, which is
/// what a page would show.
fn shortest_f64(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests {
    use jiff::ToSpan as _;

    use super::super::Period;
    use super::*;
    use crate::store::prelude::*;
    use crate::store::{AttendanceFilter, CorrectedStatus, Page, SecondLookAnswer, SecondLookDecision, SqliteStore};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn marker(zone: &str) -> (Marker, Arc<SqliteStore>, StudentId, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("a.db")).unwrap());
        let student = store.create_student("A", "R1", at("2026-03-01T00:00:00Z")).unwrap().id;
        let policy = AttendancePolicy::in_time_zone(zone).unwrap();
        (Marker::new(store.clone(), policy), store, student, folder)
    }

    fn newly_marked(marker: &Marker, student: StudentId, at: Timestamp) -> bool {
        matches!(marker.mark(student, Similarity::new(0.91), Some("Gate"), at).unwrap(), Marking::Marked(_))
    }

    #[test]
    fn a_student_is_marked_once_in_the_sites_own_day() {
        let (marker, store, student, _folder) = marker("Asia/Kolkata");
        // 18:29 and 18:31 UTC are on either side of that midnight.
        assert!(newly_marked(&marker, student, at("2026-03-02T03:00:00Z")));
        assert!(!newly_marked(&marker, student, at("2026-03-02T18:29:59Z")));
        assert!(newly_marked(&marker, student, at("2026-03-02T18:30:00Z")));
        let rows = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items;
        assert_eq!(
            rows.iter().map(|r| r.local_day.unwrap().to_string()).collect::<Vec<_>>(),
            ["2026-03-03", "2026-03-02"]
        );
        assert_eq!((rows[0].confidence_score, rows[0].camera_location.as_deref()), (Some(0.91), Some("Gate")));
    }

    #[test]
    fn the_second_before_midnight_is_forgotten_at_midnight() {
        let (marker, _store, student, _folder) = marker("UTC");
        assert!(newly_marked(&marker, student, at("2026-03-02T23:59:59Z")));
        assert!(newly_marked(&marker, student, at("2026-03-03T00:00:00Z")));
    }

    #[test]
    fn a_remembered_mark_asks_the_store_once_a_minute() {
        let (marker, store, student, _folder) = marker("UTC");
        let first = at("2026-03-02T08:00:00Z");
        assert!(newly_marked(&marker, student, first));
        let row = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items[0].id;
        store.delete_attendance(row).unwrap();
        // What was deleted behind its back shows whether it asked.
        assert!(!newly_marked(&marker, student, first + 59.seconds()), "it asked within the minute");
        assert!(newly_marked(&marker, student, first + 61.seconds()), "it did not ask after the minute");
        store
            .delete_attendance(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items[0].id)
            .unwrap();
        marker.forget();
        assert!(newly_marked(&marker, student, first + 62.seconds()));
    }

    #[test]
    fn two_markers_on_one_store_mark_once() {
        let (one, store, student, _folder) = marker("UTC");
        let other = Marker::new(store, AttendancePolicy::in_time_zone("UTC").unwrap());
        let now = at("2026-03-02T08:00:00Z");
        assert!(newly_marked(&one, student, now));
        assert!(!newly_marked(&other, student, now));
    }

    #[test]
    fn who_is_seen_late_in_a_period_is_checked_out_by_the_last_time() {
        let (_, store, student, _folder) = marker("UTC");
        let time = |hour| jiff::civil::Time::constant(hour, 0, 0, 0);
        let morning = Period::new("morning", time(7)).with_late_after(time(8)).with_check_out_from(time(11));
        let afternoon = Period::new("afternoon", time(13));
        let policy = AttendancePolicy::in_time_zone("UTC").unwrap().with_periods(vec![morning, afternoon]).unwrap();
        let marker = Marker::new(store.clone(), policy);
        let seen = |time: &str| {
            let marking = marker.mark(student, Similarity::new(0.9), None, at(&format!("2026-03-02T{time}Z"))).unwrap();
            (matches!(marking, Marking::Marked(_)), marking.record().clone())
        };
        let (new, first) = seen("08:30:00");
        assert!(new && first.status == "Late" && first.checked_out_at.is_none());
        assert_eq!(seen("10:59:00").1.checked_out_at, None);
        let (new, left) = seen("11:30:00");
        assert_eq!((new, left.id, left.checked_out_at), (false, first.id, Some(at("2026-03-02T11:30:00Z"))));
        assert_eq!(seen("12:30:00").1.checked_out_at, Some(at("2026-03-02T12:30:00Z")));
        assert!(seen("13:05:00").0, "the afternoon is marked by itself");
        assert_eq!(store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().total, 2);
    }

    #[test]
    fn a_clock_that_jumps_marks_nobody_twice_on_a_day() {
        let (first, store, student, _folder) = marker("Asia/Kolkata");
        let restarted = Marker::new(store.clone(), first.policy().clone());
        let noon = at("2026-03-02T06:30:00Z");
        // Hours by which the clock is wrong: set back over midnight, corrected, ahead by days, and back again.
        for (turn, wrong) in [0, -3, -13, 0, 1, 49, 0, -13, 49, 25, 0].into_iter().enumerate() {
            let marker = if turn % 2 == 0 { &first } else { &restarted };
            marker.mark(student, Similarity::new(0.9), None, noon + wrong.hours()).unwrap();
        }
        let rows = store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items;
        let mut days: Vec<_> = rows.iter().map(|row| row.local_day.unwrap().to_string()).collect();
        days.sort();
        assert_eq!(days, ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"], "each day once");
    }

    #[test]
    fn a_correction_says_who_and_why_and_is_not_undone_by_the_next_camera() {
        let (marker, store, student, _folder) = marker("UTC");
        let now = at("2026-03-02T08:00:00Z");
        let row = marker.mark(student, Similarity::new(0.9), None, now).unwrap().record().id;
        for (by, reason) in [("", "not here"), ("teacher", " ")] {
            assert!(marker.correct(row, &Correction::new(CorrectedStatus::Absent, by, reason), now).is_err());
        }
        let wrong = Correction::new(CorrectedStatus::Absent, "teacher", "it was the twin");
        assert_eq!(marker.correct(row, &wrong, now + 5.minutes()).unwrap().status, "Absent");
        assert!(!newly_marked(&marker, student, now + 10.minutes()));
        let [kept] = &store.corrections(row).unwrap()[..] else { panic!() };
        assert_eq!((kept.status_before.as_str(), kept.correction.by.as_str()), ("Present", "teacher"));
        assert_eq!((kept.correction.reason.as_str(), kept.at), ("it was the twin", now + 5.minutes()));
        assert!(marker.correct(row + 1, &wrong, now).is_err());
    }

    #[test]
    fn a_sighting_for_a_second_look_is_written_once_and_not_for_who_is_marked() {
        let (_, store, student, _folder) = marker("UTC");
        let time = |hour| jiff::civil::Time::constant(hour, 0, 0, 0);
        let morning = Period::new("morning", time(7)).with_late_after(time(8));
        let policy = AttendancePolicy::in_time_zone("UTC").unwrap().with_periods(vec![morning]).unwrap();
        let marker = Marker::new(store.clone(), policy);
        let first = at("2026-03-02T08:30:00Z");
        let seen = |verdict, now| {
            marker.second_look(student, Similarity::new(0.91), Some("Gate"), verdict, vec!["flat".into()], now).unwrap()
        };
        let undecided = SecondLookVerdict::Undecided;
        let SecondLooking::Added(look) = seen(undecided, first) else { panic!("it is new") };
        let sighting = &look.sighting;
        assert_eq!((sighting.at, sighting.period.as_str(), sighting.status.as_str()), (first, "morning", "Late"));
        assert_eq!((sighting.day.date.to_string().as_str(), sighting.confidence_score), ("2026-03-02", Some(0.91)));
        assert_eq!(look.reasons, ["flat"]);
        // An entry that somebody decides behind its back shows whether it asked.
        let refusal = SecondLookDecision::new(SecondLookAnswer::Refuse, "admin", first);
        store.decide_second_look(look.id, &refusal).unwrap();
        let is_new = |looking| matches!(looking, SecondLooking::Added(_));
        assert!(!is_new(seen(undecided, first + 59.seconds())), "it asked within the minute");
        assert!(is_new(seen(undecided, first + 61.seconds())), "it did not ask after the minute");
        assert!(is_new(seen(SecondLookVerdict::Spoof, first + 62.seconds())), "another verdict is another entry");
        store.decide_second_look(look.id + 1, &refusal).unwrap();
        marker.forget();
        assert!(is_new(seen(undecided, first + 63.seconds())));

        assert!(newly_marked(&marker, student, first + 64.seconds()));
        assert_eq!(store.open_second_looks().unwrap(), 0, "the mark settles what is open");
        assert!(matches!(seen(undecided, first + 65.seconds()), SecondLooking::AlreadyMarked(_)));
        marker.forget();
        assert!(matches!(seen(undecided, first + 66.seconds()), SecondLooking::AlreadyMarked(_)));
    }

    #[test]
    fn an_unknown_student_is_not_remembered() {
        let (marker, store, _student, _folder) = marker("UTC");
        let now = at("2026-03-02T08:00:00Z");
        assert!(marker.mark(StudentId(2), Similarity::new(0.9), None, now).is_err());
        let next = store.create_student("B", "R2", now).unwrap().id;
        assert!(newly_marked(&marker, next, now));
    }
}
