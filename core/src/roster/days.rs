//! Statuses of a span of days, looked up by student and day.

use std::ops::Range;

// A year of a school asks a million times where a student's rows lie: the usual hash takes longer.
use foldhash::HashMap;
use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::plan::Plans;
use super::{DayKind, DayPlan, DayStatus};
use crate::attendance::{AttendancePolicy, Period};
use crate::error::Result;
use crate::store::{
    CorrectedStatus, Excuse, Group, Membership, RosterMark, RosterOf, RosterQuery, RosterRows, RosterStudent, Store,
    Withdrawal,
};
use crate::types::StudentId;

/// What is stored of a span of days, from which statuses are derived.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::roster::{DayKind, DayStatus, RosterDays};
/// use faceattend_core::store::{RosterOf, SqliteStore, prelude::*};
/// use faceattend_core::{AttendancePolicy, Timestamp};
/// use jiff::civil::date;
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("people.db");
/// let store = SqliteStore::open(path)?;
/// let at = |text: &str| text.parse::<Timestamp>().expect("a time");
/// store.create_student("Asha", "R1", at("2026-03-01T12:00:00Z"))?;
/// let policy = AttendancePolicy::in_time_zone("UTC")?;
/// let (monday, sunday) = (date(2026, 3, 2), date(2026, 3, 8));
/// let now = at("2026-03-02T09:00:00Z");
/// let days = RosterDays::read(&store, &policy, RosterOf::Everybody, (monday, sunday), now)?;
/// let asha = &days.students()[0];
/// assert_eq!(days.entry(asha, monday, None).map(|entry| entry.status), Some(DayStatus::Absent));
/// assert_eq!(days.plan_of(asha.id, sunday).kind, DayKind::Free);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct RosterDays {
    policy: AttendancePolicy,
    now: Timestamp,
    students: Vec<RosterStudent>,
    groups: Vec<Group>,
    people: HashMap<StudentId, Own>,
    memberships: Vec<Membership>,
    withdrawals: Vec<Withdrawal>,
    excuses: Vec<Excuse>,
    marks: Vec<RosterMark>,
    plans: Plans,
}

/// Where the rows of a student lie, each list ordered by student, and the first day without a membership.
#[derive(Debug, Default)]
struct Own {
    memberships: Range<usize>,
    withdrawals: Range<usize>,
    excuses: Range<usize>,
    marks: Range<usize>,
    made_on: Option<Date>,
}

/// How a student attended a period of a day.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The student.
    pub student: &'a RosterStudent,
    /// The day.
    pub day: Date,
    /// The period.
    pub period: &'a Period,
    /// How the student attended.
    pub status: DayStatus,
    /// The attendance row that says so.
    pub mark: Option<&'a RosterMark>,
    /// The excuse of one who was not there.
    pub excuse: Option<&'a Excuse>,
}

impl RosterDays {
    /// Reads what is stored of the days from `first_day` to `last_day`, both included, as of `now`.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store); [`Error::InvalidInput`](crate::Error::InvalidInput) at the ends of the
    /// calendar.
    pub fn read(
        store: &dyn Store,
        policy: &AttendancePolicy,
        of: RosterOf,
        (first_day, last_day): (Date, Date),
        now: Timestamp,
    ) -> Result<Self> {
        let starts_at = policy.window(first_day)?.starts_at;
        let ends_at = policy.window(last_day)?.ends_at;
        let rows = store.roster_rows(&RosterQuery { of, first_day, last_day, starts_at, ends_at })?;
        Ok(Self::new(rows, policy, now))
    }

    /// Orders the rows, so that they can be looked up.
    #[must_use]
    pub fn new(rows: RosterRows, policy: &AttendancePolicy, now: Timestamp) -> Self {
        let RosterRows { students, groups, mut memberships, mut withdrawals, timetables, calendar, .. } = rows;
        let RosterRows { mut excuses, mut marks, .. } = rows;
        for mark in &mut marks {
            // A row of the existing service: its time says which day it is of.
            if mark.day.is_none() {
                mark.day = policy.day(mark.at).ok().map(|window| window.date);
                mark.period = None;
            }
        }
        memberships.sort_by_key(|membership| (membership.student, membership.group));
        withdrawals.sort_by_key(|withdrawal| withdrawal.student);
        excuses.sort_by_key(|excuse| (excuse.student, excuse.id));
        if !marks.is_sorted_by_key(|mark| (mark.student, mark.day)) {
            marks = by_student(marks);
        }
        let plans = Plans::new(timetables, calendar, policy);
        let mut people: HashMap<StudentId, Own> = students
            .iter()
            .map(|student| {
                let made_on = policy.day(student.created_at).ok().map(|window| window.date);
                (student.id, Own { made_on, ..Own::default() })
            })
            .collect();
        ranges(
            &memberships,
            |row| row.student,
            |id, range| {
                if let Some(own) = people.get_mut(&id) {
                    own.memberships = range;
                }
            },
        );
        ranges(
            &withdrawals,
            |row| row.student,
            |id, range| {
                if let Some(own) = people.get_mut(&id) {
                    own.withdrawals = range;
                }
            },
        );
        ranges(
            &excuses,
            |row| row.student,
            |id, range| {
                if let Some(own) = people.get_mut(&id) {
                    own.excuses = range;
                }
            },
        );
        ranges(
            &marks,
            |row| row.student,
            |id, range| {
                if let Some(own) = people.get_mut(&id) {
                    own.marks = range;
                }
            },
        );
        let policy = policy.clone();
        Self { policy, now, students, groups, people, memberships, withdrawals, excuses, marks, plans }
    }

    /// Returns the students, ordered by name.
    #[must_use]
    pub fn students(&self) -> &[RosterStudent] {
        &self.students
    }

    /// Returns every group, ordered by name.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Returns when the last mark, check-out or excuse came.
    #[must_use]
    pub fn changed_at(&self) -> Option<Timestamp> {
        let marked = self.marks.iter().map(|mark| mark.checked_out_at.map_or(mark.at, |out| out.max(mark.at))).max();
        let excused = self.excuses.iter().map(|excuse| excuse.created_at).max();
        marked.max(excused)
    }

    /// Returns the groups that a student is in on a day, by their ids.
    pub fn groups_of(&self, student: StudentId, day: Date) -> impl Iterator<Item = i64> + Clone {
        self.groups_in(self.people.get(&student), day)
    }

    fn groups_in(&self, own: Option<&Own>, day: Date) -> impl Iterator<Item = i64> + Clone + use<'_> {
        let range = own.map(|own| own.memberships.clone()).unwrap_or_default();
        self.memberships[range].iter().filter(move |membership| membership.holds_on(day)).map(|own| own.group)
    }

    /// Returns whether a student is there at all on a day: a member of a group, or made before, and not withdrawn.
    #[must_use]
    pub fn is_there(&self, student: StudentId, day: Date) -> bool {
        self.people.get(&student).is_some_and(|own| self.has(own, day))
    }

    fn has(&self, own: &Own, day: Date) -> bool {
        let withdrawn = self.withdrawals[own.withdrawals.clone()].iter().any(|withdrawal| withdrawal.holds_on(day));
        !withdrawn && (own.made_on.is_some_and(|made| made <= day) || self.groups_in(Some(own), day).next().is_some())
    }

    /// Returns what a day is for a group, or for the site.
    #[must_use]
    pub fn plan_of_group(&self, group: Option<i64>, day: Date) -> DayPlan<'_> {
        self.plans.of(group.into_iter(), day)
    }

    /// Returns what a day is for a student.
    #[must_use]
    pub fn plan_of(&self, student: StudentId, day: Date) -> DayPlan<'_> {
        self.plans.of(self.groups_of(student, day), day)
    }

    /// Returns the period that is now, on the day that is now: the last one that has begun. On every other day, and
    /// before the first one, it is the first one.
    #[must_use]
    pub fn period_now<'a>(&self, plan: &DayPlan<'a>, day: Date) -> Option<&'a Period> {
        let today = self.policy.day(self.now).is_ok_and(|window| window.date == day);
        let begun = |period: &&Period| self.moment(day, period.begins()).is_some_and(|at| at <= self.now);
        plan.periods.iter().rev().find(|period| today && begun(period)).or(plan.periods.first())
    }

    /// Returns how a student attended one period of a day, the first one without a name; `None` where the student was
    /// not expected in it.
    #[must_use]
    pub fn entry<'a>(&'a self, student: &'a RosterStudent, day: Date, period: Option<&str>) -> Option<Entry<'a>> {
        let mut entries = self.entries(student, day);
        match period {
            Some(name) => entries.find(|entry| entry.period.name() == name),
            None => entries.next(),
        }
    }

    /// Returns how a student attended the periods of a day; nothing where the student was not expected.
    pub fn entries<'a>(&'a self, student: &'a RosterStudent, day: Date) -> impl Iterator<Item = Entry<'a>> {
        let own = self.people.get(&student.id);
        let plan = self.plans.of(self.groups_in(own, day), day);
        let expected = plan.kind == DayKind::School && own.is_some_and(|own| self.has(own, day));
        let periods = if expected { plan.periods } else { &[] };
        let own = own.filter(|_| expected);
        let marks = own.map_or(&[][..], |own| {
            let marks = &self.marks[own.marks.clone()];
            let from = marks.partition_point(|mark| mark.day < Some(day));
            let count = marks[from..].iter().take_while(|mark| mark.day == Some(day)).count();
            &marks[from..from + count]
        });
        let excuses = own.map_or(&[][..], |own| &self.excuses[own.excuses.clone()]);
        periods.iter().map(move |period| {
            // Who was seen was there, whatever another row says; the first row of those counts.
            let own = marks.iter().filter(|mark| self.is_of(mark, period, periods));
            let mark = own.min_by_key(|mark| (*mark.status == *ABSENT, mark.at, mark.id));
            let excuse = excuses.iter().find(|excuse| excuse.covers(day, period.name()));
            let status = match mark {
                Some(mark) => self.status_of(mark, period, excuse.is_some()),
                None if excuse.is_some() => DayStatus::Excused,
                None if self.may_still_come(day, period) => DayStatus::Pending,
                None => DayStatus::Absent,
            };
            let excuse = excuse.filter(|_| status == DayStatus::Excused);
            Entry { student, day, period, status, mark, excuse }
        })
    }

    /// Returns whether a mark is of this one of the periods. One of another timetable is of the period in which its
    /// time lies. A row of the existing service stands for every period of its day, as it does when somebody is marked.
    fn is_of(&self, mark: &RosterMark, period: &Period, periods: &[Period]) -> bool {
        let Some(name) = mark.period.as_deref() else { return true };
        if name == period.name() {
            return true;
        }
        if periods.iter().any(|period| period.name() == name) {
            return false;
        }
        let Some(day) = mark.day else { return false };
        let begun = periods.iter().rev().find(|period| self.moment(day, period.begins()) <= Some(mark.at));
        begun.or(periods.first()) == Some(period)
    }

    fn status_of(&self, mark: &RosterMark, period: &Period, excused: bool) -> DayStatus {
        match &*mark.status {
            ABSENT if excused => DayStatus::Excused,
            ABSENT => DayStatus::Absent,
            "Left early" | "LeftEarly" => DayStatus::LeftEarly,
            _ if !mark.is_corrected && self.left_early(mark, period) => DayStatus::LeftEarly,
            "Late" => DayStatus::Late,
            _ => DayStatus::Present,
        }
    }

    fn left_early(&self, mark: &RosterMark, period: &Period) -> bool {
        let (Some(out), Some(from), Some(day)) = (mark.checked_out_at, period.check_out_from(), mark.day) else {
            return false;
        };
        self.moment(day, from).is_some_and(|from| out < from)
    }

    /// Returns whether it is not yet the time at which a student is late, or at which the period begins.
    fn may_still_come(&self, day: Date, period: &Period) -> bool {
        let time = period.late_after().unwrap_or(period.begins());
        self.moment(day, time).is_some_and(|limit| self.now < limit)
    }

    fn moment(&self, day: Date, time: Time) -> Option<Timestamp> {
        self.policy.moment(day, time).ok()
    }
}

/// Orders marks by student and day: those of many days come day by day.
fn by_student(marks: Vec<RosterMark>) -> Vec<RosterMark> {
    let mut places: HashMap<StudentId, usize> = HashMap::default();
    let mut own: Vec<(StudentId, Vec<RosterMark>)> = Vec::new();
    for mark in marks {
        let place = *places.entry(mark.student).or_insert_with(|| {
            own.push((mark.student, Vec::new()));
            own.len() - 1
        });
        own[place].1.push(mark);
    }
    own.sort_unstable_by_key(|(student, _)| *student);
    for (_, marks) in &mut own {
        marks.sort_by_key(|mark| mark.day);
    }
    own.into_iter().flat_map(|(_, marks)| marks).collect()
}

/// The status of a row that says that the student was not there.
const ABSENT: &str = CorrectedStatus::Absent.as_str();

/// Tells where the rows of each student lie in a list that is ordered by student.
fn ranges<T>(rows: &[T], student: impl Fn(&T) -> StudentId, mut tell: impl FnMut(StudentId, Range<usize>)) {
    let mut from = 0;
    for part in rows.chunk_by(|one, other| student(one) == student(other)) {
        tell(student(&part[0]), from..from + part.len());
        from += part.len();
    }
}
