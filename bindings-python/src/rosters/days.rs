//! Who was expected when, and how each attended.

#![expect(clippy::too_many_arguments, reason = "Python names them")]

use std::collections::HashMap;

use faceattend_core::attendance::AttendancePolicy as CorePolicy;
use faceattend_core::roster::{Arrivals, DayStatus, Entry, RosterDays as CoreDays, StatusCounts as CoreCounts};
use faceattend_core::store::{RosterOf, RosterRows, RosterStudent, Store as CoreStore};
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Result};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::entry::{DayPlan, RosterEntry, StatusCounts, status};
use super::{given, shown};
use crate::attendance::AttendancePolicy;
use crate::gil::{attached, detached};
use crate::time::{Day, When, date, datetime};

/// The first and the last day of a span, both included.
pub(super) type Span = (Date, Date);

/// Who was expected on the days of a span, and how each attended: present, late, gone early, excused, absent.
///
/// ``Rosters.days`` reads it from a store; ``RosterDays.from_rows`` makes it of rows that a program keeps itself. It is
/// derived when it is made, and does not change.
///
/// A student is expected where the timetable of a group of the student, else the site's, has this day of the week and
/// the calendar no holiday, unless the student is withdrawn, or was made on a later day and is in no group. Where no
/// timetable holds, days from Monday to Friday are marked once.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct RosterDays {
    inner: CoreDays,
    policy: CorePolicy,
    /// The days that the rows are of; `None` where the program that gave them did not say.
    span: Option<Span>,
    /// Whose members alone are meant.
    group: Option<i64>,
    /// Where each student lies in the list.
    places: HashMap<StudentId, usize>,
}

/// Which entries are asked for.
struct Asked<'a> {
    days: Span,
    group: Option<i64>,
    period: Option<&'a str>,
}

/// Puts the end of a span where there is none, and refuses one that is upside down.
pub(super) fn span_of(first_day: Date, last_day: Option<Date>) -> Result<Span> {
    let last_day = last_day.unwrap_or(first_day);
    if last_day < first_day {
        let reason = format!("{last_day} comes before {first_day}: choose a last day that is not before the first");
        return Err(Error::InvalidInput { what: "days", reason });
    }
    Ok((first_day, last_day))
}

impl RosterDays {
    /// Reads what a store has of a span.
    pub(super) fn read(
        store: &dyn CoreStore,
        policy: CorePolicy,
        of: RosterOf,
        span: Span,
        now: Timestamp,
    ) -> Result<Self> {
        let inner = CoreDays::read(store, &policy, of, span, now)?;
        let group = match of {
            RosterOf::Group(id) if inner.groups().iter().all(|group| group.id != id) => {
                return Err(Error::NotFound { what: "group" });
            }
            RosterOf::Group(id) => Some(id),
            RosterOf::Student(_) if inner.students().is_empty() => return Err(Error::NotFound { what: "student" }),
            _ => None,
        };
        Ok(Self::of(inner, policy, Some(span), group))
    }

    fn of(inner: CoreDays, policy: CorePolicy, span: Option<Span>, group: Option<i64>) -> Self {
        let places = inner.students().iter().enumerate().map(|(place, student)| (student.id, place)).collect();
        Self { inner, policy, span, group, places }
    }

    fn student(&self, id: StudentId) -> Option<&RosterStudent> {
        self.inner.students().get(*self.places.get(&id)?)
    }

    /// Refuses a day whose rows are not here: everybody would be absent on it.
    fn within(&self, day: Date) -> Result<Date> {
        match self.span {
            Some((first, last)) if day < first || last < day => {
                let reason = format!("{day} does not lie in the days from {first} to {last} that were read");
                Err(Error::InvalidInput { what: "day", reason })
            }
            _ => Ok(day),
        }
    }

    fn asked<'a>(&self, day: Option<Date>, group: Option<i64>, period: Option<&'a str>) -> Result<Asked<'a>> {
        let days = match (day, self.span) {
            (Some(day), _) => (self.within(day)?, day),
            (None, Some(span)) => span,
            (None, None) => {
                let reason = "nobody said which days the rows are of: pass a day, or make it with first_day".into();
                return Err(Error::InvalidInput { what: "day", reason });
            }
        };
        Ok(Asked { days, group: group.or(self.group), period })
    }

    /// Calls `take` with each entry that is asked for, by day, student and period.
    fn each<'a>(&'a self, asked: &Asked<'_>, mut take: impl FnMut(Entry<'a>)) {
        let (first, last) = asked.days;
        for day in first.series(1.day()).take_while(|day| *day <= last) {
            for student in self.inner.students() {
                let counts = |id| self.inner.groups_of(student.id, day).any(|own| own == id);
                if asked.group.is_none_or(counts) {
                    let own = |entry: &Entry<'_>| asked.period.is_none_or(|name| entry.period.name() == name);
                    self.inner.entries(student, day).filter(own).for_each(&mut take);
                }
            }
        }
    }
}

#[pymethods]
impl RosterDays {
    /// Makes it of rows that a program keeps itself, such as the models of a framework.
    ///
    /// Each row is a mapping. What is left out of a row, or ``None``, is as if nobody had said it.
    ///
    /// Parameters
    /// ----------
    /// policy : AttendancePolicy, optional
    ///     The site's days. Default: those of this machine's time zone.
    /// students : iterable of mapping
    ///     ``id``, ``name``, ``roll_number``, ``created_at``. They stay in this order.
    /// first_day, last_day : date or str, optional
    ///     The days that the rows are of; ``last_day`` is ``first_day`` where it is left out. With them, other days are
    ///     refused.
    /// groups : iterable of mapping
    ///     ``id``, ``name``, ``kind``.
    /// memberships : iterable of mapping
    ///     ``student_id``, ``group``, ``from_day``, and ``until_day``, the first day on which it is over.
    /// withdrawals : iterable of mapping
    ///     ``student_id``, ``from_day``, and ``until_day``, the day on which the student is expected again. Without
    ///     ``from_day`` it is the time before the student's first day.
    /// timetables : iterable of mapping
    ///     ``id``, ``group`` (``None`` for the site), ``valid_from``, ``weekdays`` (``"mon tue"``, or a list of such
    ///     words or of numbers from 0 for Monday), and ``periods``: a list of mappings with ``name``, ``begins``,
    ///     ``late_after`` and ``check_out_from``, or of texts such as ``"morning=07:30/08:15"``.
    /// calendar : iterable of mapping
    ///     ``id``, ``group`` (``None`` for the site), ``kind`` (``"holiday"`` or ``"extra_day"``), ``name``,
    ///     ``first_day`` and ``last_day``.
    /// excuses : iterable of mapping
    ///     ``id``, ``student_id``, ``first_day``, ``last_day``, ``period``, ``reason``.
    /// marks : iterable of mapping
    ///     ``id``, ``student_id``, ``at``, ``status``, ``day``, ``period``, ``checked_out_at``, ``is_corrected``.
    ///     Without a day, the time says which one it is of.
    /// now : datetime or float, optional
    ///     The moment up to which people may still come. Default: now.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     For a row without a key that it needs, or with a value that is none; it says which row.
    ///
    /// Examples
    /// --------
    /// >>> from datetime import date
    /// >>> days = faceattend.RosterDays.from_rows(
    /// ...     policy=faceattend.AttendancePolicy("UTC"),
    /// ...     students=[{"id": 1, "name": "Asha", "roll_number": "R1", "created_at": 0.0}],
    /// ...     first_day=date(2026, 3, 2),
    /// ... )
    /// >>> days.entry(1, date(2026, 3, 2)).status
    /// 'Absent'
    #[staticmethod]
    #[pyo3(signature = (
        *, policy=None, students, first_day=None, last_day=None, groups=None, memberships=None, withdrawals=None,
        timetables=None, calendar=None, excuses=None, marks=None, now=None
    ))]
    fn from_rows(
        py: Python<'_>,
        policy: Option<&AttendancePolicy>,
        students: &Bound<'_, PyAny>,
        first_day: Option<Day>,
        last_day: Option<Day>,
        groups: Option<&Bound<'_, PyAny>>,
        memberships: Option<&Bound<'_, PyAny>>,
        withdrawals: Option<&Bound<'_, PyAny>>,
        timetables: Option<&Bound<'_, PyAny>>,
        calendar: Option<&Bound<'_, PyAny>>,
        excuses: Option<&Bound<'_, PyAny>>,
        marks: Option<&Bound<'_, PyAny>>,
        now: Option<When>,
    ) -> PyResult<Self> {
        let policy = policy.map(|policy| policy.inner.clone()).unwrap_or_default();
        let (now, first_day, last_day) = (When::or_now(now), first_day.map(Day::date), last_day.map(Day::date));
        let span = attached(py, || match (first_day, last_day) {
            (Some(first_day), last_day) => span_of(first_day, last_day).map(Some),
            (None, None) => Ok(None),
            (None, Some(_)) => {
                Err(Error::InvalidInput { what: "days", reason: "there is a last day and no first one".into() })
            }
        })?;
        let rows = RosterRows {
            students: given::each("students", students, given::student)?,
            groups: given::rows("groups", groups, given::group)?,
            memberships: given::rows("memberships", memberships, given::membership)?,
            withdrawals: given::rows("withdrawals", withdrawals, given::withdrawal)?,
            timetables: given::rows("timetables", timetables, given::timetable)?,
            calendar: given::rows("calendar", calendar, given::calendar_entry)?,
            excuses: given::rows("excuses", excuses, given::excuse)?,
            marks: given::rows("marks", marks, given::mark)?,
        };
        let inner = detached(py, || Ok(CoreDays::new(rows, &policy, now)))?;
        Ok(Self::of(inner, policy, span, None))
    }

    /// The students, ordered by name, or as they were given: ``id``, ``name``, ``roll_number``, ``created_at``.
    #[getter]
    fn students<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.inner.students().iter().map(|student| shown::student(py, student)).collect()
    }

    /// Every group, as ``Rosters.group`` returns it.
    #[getter]
    fn groups<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.inner.groups().iter().map(|group| shown::group(py, group)).collect()
    }

    /// When the last mark, check-out or excuse came, in UTC; ``None`` without one.
    #[getter]
    fn changed_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.inner.changed_at().filter(|at| *at != given::UNSAID).map(|at| datetime(py, at)).transpose()
    }

    /// The first and the last day, both included; ``None`` where they were not given.
    #[getter]
    fn span<'py>(&self, py: Python<'py>) -> PyResult<Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
        self.span.map(|(first, last)| Ok((date(py, first)?, date(py, last)?))).transpose()
    }

    /// Returns how a student attended one period of a day, the first one without a name; ``None`` where the student was
    /// not expected in it.
    #[pyo3(signature = (student_id, day, period=None))]
    fn entry(&self, py: Python<'_>, student_id: i64, day: Day, period: Option<&str>) -> PyResult<Option<RosterEntry>> {
        attached(py, || {
            let day = self.within(day.0)?;
            let student = self.student(StudentId(student_id));
            let entry = student.and_then(|student| self.inner.entry(student, day, period));
            Ok(entry.as_ref().map(RosterEntry::of))
        })
    }

    /// Returns how everybody attended who was expected: an entry for each student and period, by day.
    ///
    /// Parameters
    /// ----------
    /// day : date or str, optional
    ///     One day alone.
    /// status : str, optional
    ///     One status alone, such as ``"Absent"``.
    /// group : int, optional
    ///     The members of one group alone.
    /// period : str, optional
    ///     One period alone.
    #[pyo3(signature = (day=None, status=None, *, group=None, period=None))]
    fn entries(
        &self,
        py: Python<'_>,
        day: Option<Day>,
        status: Option<&str>,
        group: Option<i64>,
        period: Option<&str>,
    ) -> PyResult<Vec<RosterEntry>> {
        let (day, status) = (day.map(Day::date), status.map(|name| self::status(py, name)).transpose()?);
        detached(py, || {
            let mut entries = Vec::new();
            self.each(&self.asked(day, group, period)?, |entry| {
                if status.is_none_or(|status| status == entry.status) {
                    entries.push(RosterEntry::of(&entry));
                }
            });
            Ok(entries)
        })
    }

    /// Returns how many of those who were expected came, and how. Parameters are those of ``entries``.
    #[pyo3(signature = (day=None, group=None, *, period=None))]
    fn counts(
        &self,
        py: Python<'_>,
        day: Option<Day>,
        group: Option<i64>,
        period: Option<&str>,
    ) -> PyResult<StatusCounts> {
        let day = day.map(Day::date);
        detached(py, || {
            let mut counts = CoreCounts::default();
            self.each(&self.asked(day, group, period)?, |entry| counts.add(entry.status));
            Ok(StatusCounts(counts))
        })
    }

    /// Returns what a day is: for the site, or for a group or a student.
    #[pyo3(signature = (day, group=None, *, student_id=None))]
    fn plan(&self, py: Python<'_>, day: Day, group: Option<i64>, student_id: Option<i64>) -> PyResult<DayPlan> {
        attached(py, || {
            let day = self.within(day.0)?;
            let plan = match student_id {
                Some(id) => self.inner.plan_of(StudentId(id), day),
                None => self.inner.plan_of_group(group, day),
            };
            Ok(DayPlan::of(&plan))
        })
    }

    /// Returns the ids of the groups that a student is in on a day.
    fn groups_of(&self, py: Python<'_>, student_id: i64, day: Day) -> PyResult<Vec<i64>> {
        attached(py, || Ok(self.inner.groups_of(StudentId(student_id), self.within(day.0)?).collect()))
    }

    /// Returns whether a student is there at all on a day: made by then or a member of a group, and not withdrawn.
    fn is_there(&self, py: Python<'_>, student_id: i64, day: Day) -> PyResult<bool> {
        attached(py, || Ok(self.inner.is_there(StudentId(student_id), self.within(day.0)?)))
    }

    /// Returns when people came, by the site's clocks: how many in which ``minutes``, from the first arrival to the
    /// last one, in time and late. The first period of each day is counted.
    #[pyo3(signature = (day=None, group=None))]
    fn arrivals<'py>(&self, py: Python<'py>, day: Option<Day>, group: Option<i64>) -> PyResult<Bound<'py, PyDict>> {
        let day = day.map(Day::date);
        let bins = detached(py, || {
            let mut arrivals = Arrivals::default();
            let mut before = None;
            self.each(&self.asked(day, group, None)?, |entry| {
                let is_first = before.replace((entry.student.id, entry.day)) != Some((entry.student.id, entry.day));
                if let Some(mark) = entry.mark.filter(|_| is_first && entry.status.came()) {
                    arrivals.add(&self.policy, mark.at, entry.status == DayStatus::Late);
                }
            });
            Ok(arrivals.bins())
        })?;
        shown::arrivals(py, bins)
    }

    fn __repr__(&self) -> String {
        let days = self.span.map(|(first, last)| format!(" from {first} to {last}")).unwrap_or_default();
        format!("<faceattend.RosterDays{days}>")
    }
}
