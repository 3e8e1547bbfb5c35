//! Marks attendance. Frames that cannot change a mark do not reach the store.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::answers::Answers;
use super::own_timetables::OwnTimetables;
use super::{AttendancePolicy, Correction, DayWindow, Marking, Status};
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
    /// The timetables of the students.
    timetables: OwnTimetables,
    /// Whose faces a liveness session proved.
    proven: Answers<StudentId, bool>,
    /// Where sightings of cameras wait for the database.
    backlog: Option<Arc<Backlog>>,
}

/// The place of a sighting in the student's own timetable.
struct Place {
    day: DayWindow,
    period: String,
    status: Status,
    checks_out: bool,
    /// Whether the period has a time from which on people are expected to leave.
    has_check_out: bool,
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
            timetables: OwnTimetables::default(),
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

    /// Returns where a moment lies in the student's own timetable: that of the first group that has one, else the
    /// site's. What was read of them is believed for a minute at most.
    fn place(&self, student: StudentId, now: Timestamp) -> Result<Place> {
        let day = self.policy.day(now)?;
        // While others wait for the database, nobody asks it.
        let may_ask = self.backlog.as_ref().is_none_or(|backlog| backlog.is_empty());
        let of_day = self.timetables.on(&*self.store, &self.policy, day.date, now, may_ask);
        let timetable = of_day.of(student);
        let period = timetable.period(&self.policy, now);
        let own = timetable.periods().iter().find(|own| own.name() == period);
        Ok(Place {
            day,
            has_check_out: own.is_some_and(|own| own.check_out_from().is_some()),
            period: period.to_owned(),
            status: timetable.status(&self.policy, now),
            checks_out: timetable.checks_out(&self.policy, now),
        })
    }

    /// Returns whether a marked student who is seen at that time is leaving, by the student's own timetable.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) at the ends of the calendar.
    pub fn checks_out(&self, student: StudentId, at: Timestamp) -> Result<bool> {
        Ok(self.place(student, at)?.checks_out)
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
        let place = self.place(student, now)?;
        if let Some(record) = self.known.get(&student, &place.period, now) {
            return Ok(Marking::AlreadyMarked(record));
        }
        let checks_out = place.checks_out;
        let new = placed(place, student, similarity, camera_location, now);
        let mut marking = self.store.mark_attendance(&new)?;
        if let (Marking::AlreadyMarked(record), true) = (&marking, checks_out) {
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
        let place = self.place(student, now)?;
        if let Some(record) = self.known.get(&student, &place.period, now) {
            return Ok(Noted::Now(Marking::AlreadyMarked(record)));
        }
        let (period, checks_out) = (place.period.clone(), place.checks_out);
        let mark = placed(place, student, similarity, camera_location, now);
        if backlog.holds(&mark, checks_out) {
            return Ok(Noted::Waits);
        }
        let ends_at = mark.day.ends_at;
        match backlog.write(Deferred::Sighting { mark, checks_out }, now)? {
            Written::Now(DeferredOutcome::Marking(marking)) => {
                self.known.keep(student, marking.record().clone(), period, ends_at, now);
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
        let place = self.place(student, now)?;
        if let Some(looking) = self.remembered_look(student, verdict, &place.period, now) {
            return Ok(Noted::Now(looking));
        }
        let period = place.period.clone();
        let sighting = placed(place, student, similarity, camera_location, now);
        if backlog.holds_second_look(&sighting, verdict) {
            return Ok(Noted::Waits);
        }
        let ends_at = sighting.day.ends_at;
        match backlog.write(Deferred::SecondLook(NewSecondLook { sighting, verdict, reasons }), now)? {
            Written::Now(DeferredOutcome::SecondLook(looking)) => {
                self.remember_look(student, verdict, &looking, (&period, ends_at), now);
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
        let Place { period, day, .. } = self.place(student, now)?;
        self.known.keep(student, record.clone(), period, day.ends_at, now);
        Ok(Marking::AlreadyMarked(record))
    }

    /// Returns whether a student who leaves at `now` does so before people are expected to leave.
    pub(crate) fn leaves_early(&self, student: StudentId, now: Timestamp) -> bool {
        self.place(student, now).is_ok_and(|place| place.has_check_out && !place.checks_out)
    }

    /// Returns the row by which a student is marked already, if it is remembered and this sighting would not change
    /// it: nobody has to look at such a face any closer.
    #[must_use]
    pub fn already_marked(&self, student: StudentId, now: Timestamp) -> Option<AttendanceRecord> {
        let place = self.place(student, now).ok().filter(|place| !place.checks_out)?;
        self.known.get(&student, &place.period, now)
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
        let place = self.place(student, now)?;
        if let Some(looking) = self.remembered_look(student, verdict, &place.period, now) {
            return Ok(looking);
        }
        let period = place.period.clone();
        let sighting = placed(place, student, similarity, camera_location, now);
        let ends_at = sighting.day.ends_at;
        let looking = self.store.add_second_look(&NewSecondLook { sighting, verdict, reasons })?;
        self.remember_look(student, verdict, &looking, (&period, ends_at), now);
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

    /// Returns the mark that this sighting makes by the student's own timetable, for whoever writes it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) at the ends of the calendar.
    pub fn sighting(
        &self,
        student: StudentId,
        similarity: Similarity,
        camera_location: Option<&str>,
        now: Timestamp,
    ) -> Result<NewAttendance> {
        Ok(placed(self.place(student, now)?, student, similarity, camera_location, now))
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
        self.timetables.forget();
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

/// Returns the mark of a sighting at its place.
fn placed(
    place: Place,
    student: StudentId,
    similarity: Similarity,
    camera_location: Option<&str>,
    now: Timestamp,
) -> NewAttendance {
    NewAttendance {
        student,
        at: now,
        day: place.day,
        period: place.period,
        status: place.status,
        confidence_score: Some(shortest_f64(similarity.value())),
        camera_location: camera_location.map(str::to_owned),
    }
}

/// Returns the `f64` with the same shortest decimal: 0.91, not the 0.9100000262260437 that a cast gives, which is
/// what a page would show.
fn shortest_f64(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
