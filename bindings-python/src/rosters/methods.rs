//! The methods of `Rosters`.

#![expect(clippy::too_many_arguments, reason = "Python names them")]

use faceattend_core::roster_file::{GuardianColumn, ListFormat, ReadOptions, people};
use faceattend_core::store::{
    CalendarKind, ExcuseFilter, GroupChange, GroupKind, MembershipFilter, NewCalendarEntry, NewExcuse, NewGroup,
    NewTimetable, RemovedGroup, RosterChange, RosterOf, RosterRun, RosterScope, StudentRef, Weekdays,
};
use faceattend_core::types::StudentId;
use jiff::Timestamp;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::days::{self, RosterDays};
use super::lists::Import;
use super::{Rosters, changes, given, shown};
use crate::attendance::AttendancePolicy;
use crate::error::{invalid_input, one_of};
use crate::gil::attached;
use crate::store::Store;
use crate::time::{Day, When};

type Any<'a, 'py> = &'a Bound<'py, PyAny>;
type Shown<'py> = PyResult<Bound<'py, PyDict>>;
type AllShown<'py> = PyResult<Vec<Bound<'py, PyDict>>>;

fn id(student_id: i64) -> StudentRef {
    StudentRef::Id(StudentId(student_id))
}

#[pymethods]
impl Rosters {
    #[new]
    #[pyo3(signature = (store, policy=None))]
    fn new(store: &Store, policy: Option<&AttendancePolicy>) -> Self {
        Self { store: store.shared(), policy: policy.map(|policy| policy.inner.clone()).unwrap_or_default() }
    }

    /// Returns who was expected from ``first_day`` to ``last_day``, and how each attended, as the database is now.
    ///
    /// Parameters
    /// ----------
    /// first_day, last_day : date or str
    ///     The days, both included. Without ``last_day`` it is one day.
    /// group : int, optional
    ///     The members of one group alone.
    /// student_id : int, optional
    ///     One student alone.
    /// now : datetime or float, optional
    ///     The moment up to which people may still come. Default: now.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     When there is no such group or student.
    #[pyo3(signature = (first_day, last_day=None, *, group=None, student_id=None, now=None))]
    fn days(
        &self,
        py: Python<'_>,
        first_day: Day,
        last_day: Option<Day>,
        group: Option<i64>,
        student_id: Option<i64>,
        now: Option<When>,
    ) -> PyResult<RosterDays> {
        let of = match (group, student_id) {
            (None, None) => RosterOf::Everybody,
            (Some(group), None) => RosterOf::Group(group),
            (None, Some(id)) => RosterOf::Student(StudentId(id)),
            (Some(_), Some(_)) => return Err(invalid_input(py, "days", "choose a group or a student, not both")),
        };
        let (first_day, last_day, now) = (first_day.0, last_day.map(Day::date), When::or_now(now));
        self.with(py, |store| {
            RosterDays::read(store, self.policy.clone(), of, days::span_of(first_day, last_day)?, now)
        })
    }

    /// Returns every group by name, with the number of its members on a day, which is today where it is left out.
    /// Archived ones are among them.
    #[pyo3(signature = (on=None))]
    fn groups<'py>(&self, py: Python<'py>, on: Option<Day>) -> AllShown<'py> {
        let on = self.day_or(py, on, Timestamp::now())?;
        let groups = self.with(py, |store| store.groups(on))?;
        groups.iter().map(|size| shown::group_size(py, size)).collect()
    }

    /// Returns the group with this id, or ``None``.
    fn group<'py>(&self, py: Python<'py>, group_id: i64) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.with(py, |store| store.group(group_id))?.map(|group| shown::group(py, &group)).transpose()
    }

    /// Makes a group, and returns it. ``kind`` is ``"class"``, ``"section"``, ``"department"``, ``"shift"`` or
    /// ``"other"``.
    ///
    /// Raises
    /// ------
    /// ConflictError
    ///     For a name that another group has, archived or not.
    #[pyo3(signature = (name, kind="class", *, by="python", at=None))]
    fn create_group<'py>(&self, py: Python<'py>, name: &str, kind: &str, by: &str, at: Option<When>) -> Shown<'py> {
        let kind: GroupKind = attached(py, || kind.parse())?;
        let new = NewGroup { name: name.to_owned(), kind, by: by.to_owned(), at: When::or_now(at) };
        shown::group(py, &self.with(py, |store| store.create_group(&new))?)
    }

    /// Renames a group, or says what it is, and returns it as it is now.
    #[pyo3(signature = (group_id, *, name=None, kind=None))]
    fn change_group<'py>(
        &self,
        py: Python<'py>,
        group_id: i64,
        name: Option<String>,
        kind: Option<&str>,
    ) -> Shown<'py> {
        let kind = kind.map(|kind| attached(py, || kind.parse())).transpose()?;
        let change = GroupChange { name, kind };
        shown::group(py, &self.with(py, |store| store.change_group(group_id, &change))?)
    }

    /// Removes a group that never had a member, with its timetables: ``"removed"``. Another one is ``"archived"``: its
    /// memberships end, it takes no new ones, and its history stays.
    #[pyo3(signature = (group_id, *, at=None))]
    fn remove_group(&self, py: Python<'_>, group_id: i64, at: Option<When>) -> PyResult<&'static str> {
        let at = When::or_now(at);
        let today = self.day_or(py, None, at)?;
        Ok(match self.with(py, |store| store.remove_group(group_id, today, at))? {
            RemovedGroup::Removed => "removed",
            RemovedGroup::Archived => "archived",
        })
    }

    /// Takes a group out of the archive, and returns it. Its members do not come back.
    fn restore_group<'py>(&self, py: Python<'py>, group_id: i64) -> Shown<'py> {
        shown::group(py, &self.with(py, |store| store.restore_group(group_id))?)
    }

    /// Returns memberships: of one group, of one student, or those that hold on one day.
    #[pyo3(signature = (*, group=None, student_id=None, on=None))]
    fn memberships<'py>(
        &self,
        py: Python<'py>,
        group: Option<i64>,
        student_id: Option<i64>,
        on: Option<Day>,
    ) -> AllShown<'py> {
        let filter = MembershipFilter { group, student: student_id.map(StudentId), on: on.map(Day::date) };
        let found = self.with(py, |store| store.memberships(&filter))?;
        found.iter().map(|membership| shown::membership(py, membership)).collect()
    }

    /// Returns the times in which students are not expected, of one student or of all.
    #[pyo3(signature = (student_id=None))]
    fn withdrawals<'py>(&self, py: Python<'py>, student_id: Option<i64>) -> AllShown<'py> {
        let found = self.with(py, |store| store.withdrawals(student_id.map(StudentId)))?;
        found.iter().map(|withdrawal| shown::withdrawal(py, withdrawal)).collect()
    }

    /// Makes changes in one transaction, all of them or none. A later one finds what an earlier one made.
    ///
    /// Parameters
    /// ----------
    /// changes : iterable of mapping
    ///     Each says in ``change`` what it is: ``"student"`` (``roll_number``, ``name``), ``"group"`` (``name``,
    ///     ``kind``), ``"join"`` (``student``, ``group``, ``from_day``, ``until_day``), ``"leave"`` (``student``,
    ///     ``group``, ``until_day``), ``"redate"`` (``membership``, ``from_day``, ``until_day``), ``"withdraw"`` and
    ///     ``"readmit"`` (``student``, ``from_day``), ``"first_day"`` (``student``, ``day``). A student is an id or a
    ///     roll number, a group an id or a name. ``until_day`` is the first day on which it is over.
    /// preview : bool
    ///     Whether they are tried and taken back.
    ///
    /// Returns
    /// -------
    /// dict
    ///     ``outcome`` is ``"done"`` with what each ``changed``, or ``"refused"``: nothing has changed, and
    ///     ``refused`` has the ``place`` and the ``error`` of each that cannot be made.
    #[pyo3(signature = (changes, *, preview=false, by="python", at=None))]
    fn change_roster<'py>(
        &self,
        py: Python<'py>,
        changes: Any<'_, 'py>,
        preview: bool,
        by: &str,
        at: Option<When>,
    ) -> Shown<'py> {
        let at = When::or_now(at);
        let changes = changes::read(changes, self.day_or(py, None, at)?)?;
        let run = if preview { RosterRun::Preview } else { RosterRun::Apply };
        changes::shown(py, self.with(py, |store| store.change_roster(&changes, run, by, at))?)
    }

    /// Makes a student a member of a group (its id or name) from a day on, and returns what that did: ``"created"``,
    /// ``"changed"`` or ``"unchanged"``. ``until_day`` is the first day on which it is over.
    #[pyo3(signature = (student_id, group, from_day=None, until_day=None, *, by="python", at=None))]
    fn join(
        &self,
        py: Python<'_>,
        student_id: i64,
        group: Any<'_, '_>,
        from_day: Option<Day>,
        until_day: Option<Day>,
        by: &str,
        at: Option<When>,
    ) -> PyResult<&'static str> {
        let at = When::or_now(at);
        let (group, from_day) = (changes::group(group)?, self.day_or(py, from_day, at)?);
        let until_day = until_day.map(Day::date);
        self.change(py, RosterChange::Join { student: id(student_id), group, from_day, until_day }, by, at)
    }

    /// Ends a membership: ``until_day`` is the first day on which it is over. One that would not have begun is deleted.
    #[pyo3(signature = (student_id, group, until_day=None, *, by="python", at=None))]
    fn leave(
        &self,
        py: Python<'_>,
        student_id: i64,
        group: Any<'_, '_>,
        until_day: Option<Day>,
        by: &str,
        at: Option<When>,
    ) -> PyResult<&'static str> {
        let at = When::or_now(at);
        let (group, until_day) = (changes::group(group)?, self.day_or(py, until_day, at)?);
        self.change(py, RosterChange::Leave { student: id(student_id), group, until_day }, by, at)
    }

    /// Notes that a student has left: all memberships end, and nobody expects the student from ``from_day`` on.
    #[pyo3(signature = (student_id, from_day=None, *, by="python", at=None))]
    fn withdraw(
        &self,
        py: Python<'_>,
        student_id: i64,
        from_day: Option<Day>,
        by: &str,
        at: Option<When>,
    ) -> PyResult<&'static str> {
        let at = When::or_now(at);
        let from_day = self.day_or(py, from_day, at)?;
        self.change(py, RosterChange::Withdraw { student: id(student_id), from_day }, by, at)
    }

    /// Notes that a student who was withdrawn is expected again from ``from_day`` on. Memberships do not come back.
    #[pyo3(signature = (student_id, from_day=None, *, by="python", at=None))]
    fn readmit(
        &self,
        py: Python<'_>,
        student_id: i64,
        from_day: Option<Day>,
        by: &str,
        at: Option<When>,
    ) -> PyResult<&'static str> {
        let at = When::or_now(at);
        let from_day = self.day_or(py, from_day, at)?;
        self.change(py, RosterChange::Readmit { student: id(student_id), from_day }, by, at)
    }

    /// Returns every version of every timetable, the site's first, in the order in which they hold.
    fn timetables<'py>(&self, py: Python<'py>) -> AllShown<'py> {
        let found = self.with(py, |store| store.timetables())?;
        found.iter().map(|version| shown::timetable(py, version)).collect()
    }

    /// Keeps a version of a timetable, and returns it. One that begins on the same day is replaced.
    ///
    /// Parameters
    /// ----------
    /// weekdays : str or iterable of str or int
    ///     The days on which people are expected: ``"mon tue"``, or a list of such words or of numbers from 0 for
    ///     Monday. Default: Monday to Friday.
    /// periods : iterable of mapping or str
    ///     ``name``, ``begins``, ``late_after`` and ``check_out_from``, in times of the site's clocks, or texts such as
    ///     ``"morning=07:30/08:15"``. Without any, each day is marked once.
    /// group : int, optional
    ///     For whom it is. Default: the site.
    /// valid_from : date or str, optional
    ///     The first day on which it holds. Default: the day of ``at``.
    ///
    /// Raises
    /// ------
    /// StateError
    ///     When it would change past days, which keep the timetable that they had; only the first one of a group or the
    ///     site may begin before the day of ``at``.
    #[pyo3(signature = (*, weekdays=None, periods=None, group=None, valid_from=None, by="python", at=None))]
    fn set_timetable<'py>(
        &self,
        py: Python<'py>,
        weekdays: Option<Any<'_, 'py>>,
        periods: Option<Any<'_, 'py>>,
        group: Option<i64>,
        valid_from: Option<Day>,
        by: &str,
        at: Option<When>,
    ) -> Shown<'py> {
        let at = When::or_now(at);
        let (today, valid_from) = (self.day_or(py, None, at)?, self.day_or(py, valid_from, at)?);
        let weekdays = weekdays.map_or(Ok(Weekdays::MONDAY_TO_FRIDAY), given::weekdays)?;
        let periods = periods.map_or_else(|| Ok(Vec::new()), given::periods)?;
        let (scope, boundary) = (RosterScope::of(group), self.policy.day_boundary());
        let version = self.with(py, |store| {
            store.set_timetable(&NewTimetable::new(scope, valid_from, weekdays, periods, boundary, by, at)?, today)
        })?;
        shown::timetable(py, &version)
    }

    /// Removes a version that does not hold yet, and returns what it was.
    #[pyo3(signature = (timetable_id, *, at=None))]
    fn remove_timetable<'py>(&self, py: Python<'py>, timetable_id: i64, at: Option<When>) -> Shown<'py> {
        let today = self.day_or(py, None, When::or_now(at))?;
        shown::timetable(py, &self.with(py, |store| store.remove_timetable(timetable_id, today))?)
    }

    /// Returns the entries of the calendar that touch these days, ordered by day.
    #[pyo3(signature = (first_day, last_day=None))]
    fn calendar<'py>(&self, py: Python<'py>, first_day: Day, last_day: Option<Day>) -> AllShown<'py> {
        let (first, last) = (first_day.0, last_day.map(Day::date));
        let found = self.with(py, |store| store.calendar(first, last.unwrap_or(first)))?;
        found.iter().map(|entry| shown::calendar_entry(py, entry)).collect()
    }

    /// Keeps an entry of the calendar, and returns it: a ``"holiday"``, or an ``"extra_day"`` on which people are
    /// expected. Of two entries for one day that contradict each other, the later one holds.
    #[pyo3(signature = (name, first_day, last_day=None, *, kind="holiday", group=None, by="python", at=None))]
    fn add_calendar_entry<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        first_day: Day,
        last_day: Option<Day>,
        kind: &str,
        group: Option<i64>,
        by: &str,
        at: Option<When>,
    ) -> Shown<'py> {
        let kind: CalendarKind = attached(py, || kind.parse())?;
        let (first_day, scope) = (first_day.0, RosterScope::of(group));
        let last_day = last_day.map_or(first_day, Day::date);
        let (name, by, at) = (name.into(), by.into(), When::or_now(at));
        let new = NewCalendarEntry { scope, kind, first_day, last_day, name, by, at };
        shown::calendar_entry(py, &self.with(py, |store| store.add_calendar_entry(&new))?)
    }

    /// Removes an entry of the calendar, and returns what it was.
    fn remove_calendar_entry<'py>(&self, py: Python<'py>, entry_id: i64) -> Shown<'py> {
        shown::calendar_entry(py, &self.with(py, |store| store.remove_calendar_entry(entry_id))?)
    }

    /// Returns excuses by day: of one student, and those that touch the days from ``from_day`` to ``to_day``. Withdrawn
    /// ones are among them.
    #[pyo3(signature = (*, student_id=None, from_day=None, to_day=None))]
    fn excuses<'py>(
        &self,
        py: Python<'py>,
        student_id: Option<i64>,
        from_day: Option<Day>,
        to_day: Option<Day>,
    ) -> AllShown<'py> {
        let (from, to) = (from_day.map(Day::date), to_day.map(Day::date));
        let filter = ExcuseFilter { student: student_id.map(StudentId), from, to };
        let found = self.with(py, |store| store.excuses(&filter))?;
        found.iter().map(|excuse| shown::excuse(py, excuse)).collect()
    }

    /// Returns the excuse with this id, or ``None``.
    fn excuse<'py>(&self, py: Python<'py>, excuse_id: i64) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.with(py, |store| store.excuse(excuse_id))?.map(|excuse| shown::excuse(py, &excuse)).transpose()
    }

    /// Notes why a student is absent, for the whole of each day or for one period, and returns the excuse.
    #[pyo3(signature = (student_id, first_day, last_day=None, *, reason, period=None, by="python", at=None))]
    fn add_excuse<'py>(
        &self,
        py: Python<'py>,
        student_id: i64,
        first_day: Day,
        last_day: Option<Day>,
        reason: &str,
        period: Option<String>,
        by: &str,
        at: Option<When>,
    ) -> Shown<'py> {
        let first_day = first_day.0;
        let last_day = last_day.map_or(first_day, Day::date);
        let (student, reason, by, at) = (StudentId(student_id), reason.to_owned(), by.to_owned(), When::or_now(at));
        let new = NewExcuse { student, first_day, last_day, period, reason, by, at };
        shown::excuse(py, &self.with(py, |store| store.add_excuse(&new))?)
    }

    /// Withdraws an excuse, and returns it: it stays, and excuses nothing any more.
    #[pyo3(signature = (excuse_id, *, by="python", at=None))]
    fn withdraw_excuse<'py>(&self, py: Python<'py>, excuse_id: i64, by: &str, at: Option<When>) -> Shown<'py> {
        let at = When::or_now(at);
        shown::excuse(py, &self.with(py, |store| store.withdraw_excuse(excuse_id, by, at))?)
    }

    /// Returns what the import of a list would change; nothing has changed.
    ///
    /// Parameters
    /// ----------
    /// data : bytes or path or str
    ///     The contents of a CSV file or an Excel workbook, or its path. Columns are found by their headings, in any
    ///     order.
    /// sheet : str, optional
    ///     The sheet of a workbook. Default: its first one that is not hidden.
    /// encoding : str, optional
    ///     The encoding of a CSV file, such as ``"windows-1251"``. Default: told by the file.
    /// withdraw_missing : bool
    ///     Whether students whom the list does not name are withdrawn. Nobody is erased.
    /// language : str
    ///     The language of letters to guardians who are new.
    /// day : date or str, optional
    ///     The day on which memberships begin and end, unless the list says another. Default: today.
    ///
    /// Returns
    /// -------
    /// dict
    ///     ``new``, ``changed`` and ``unchanged`` students, ``new_groups``, those who are ``unlisted``, and the
    ///     ``problems`` by line. ``fingerprint`` holds an import to this plan.
    #[pyo3(signature = (data, *, sheet=None, encoding=None, withdraw_missing=false, language="en", day=None))]
    fn plan_import<'py>(
        &self,
        py: Python<'py>,
        data: Any<'_, 'py>,
        sheet: Option<String>,
        encoding: Option<String>,
        withdraw_missing: bool,
        language: &str,
        day: Option<Day>,
    ) -> Shown<'py> {
        let day = self.day_or(py, day, Timestamp::now())?;
        let import = Import::new(data, ReadOptions { sheet, encoding }, withdraw_missing, day, language)?;
        self.with(py, |store| import.plan(store))?.plan(py)
    }

    /// Imports a list in one transaction: all of it, or nothing when anything is wrong. The roll number tells who is
    /// who, so the same list again changes nothing.
    ///
    /// Parameters
    /// ----------
    /// data, sheet, encoding, withdraw_missing, language, day
    ///     As in ``plan_import``.
    /// fingerprint : str, optional
    ///     That of a plan: nothing is imported when the database has changed so that another plan would come out.
    ///
    /// Returns
    /// -------
    /// dict
    ///     ``outcome`` is ``"done"``, ``"outdated"`` or ``"refused"``; of the last two nothing has changed. ``plan`` is
    ///     what was done, or the plan as it is now with its problems.
    #[pyo3(signature = (
        data, *, sheet=None, encoding=None, withdraw_missing=false, language="en", day=None, fingerprint=None,
        by="python", at=None
    ))]
    fn import_roster<'py>(
        &self,
        py: Python<'py>,
        data: Any<'_, 'py>,
        sheet: Option<String>,
        encoding: Option<String>,
        withdraw_missing: bool,
        language: &str,
        day: Option<Day>,
        fingerprint: Option<&str>,
        by: &str,
        at: Option<When>,
    ) -> Shown<'py> {
        let at = When::or_now(at);
        let day = self.day_or(py, day, at)?;
        let import = Import::new(data, ReadOptions { sheet, encoding }, withdraw_missing, day, language)?;
        self.with(py, |store| import.run(store, fingerprint, by, at))?.shown(py)
    }

    /// Returns the list of everybody who is expected on a day or later, which is today where it is left out, as a file
    /// that an import on that day takes back without a change: ``"csv"`` in UTF-8, or ``"xlsx"``.
    ///
    /// With ``byte_order_mark`` CSV begins with the mark by which Excel knows that it is UTF-8, and with ``guardians``
    /// their addresses are in it.
    #[pyo3(signature = (day=None, format="csv", *, byte_order_mark=false, guardians=false))]
    fn export<'py>(
        &self,
        py: Python<'py>,
        day: Option<Day>,
        format: &str,
        byte_order_mark: bool,
        guardians: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let format = one_of(py, "format", format, [("csv", ListFormat::Csv), ("xlsx", ListFormat::Xlsx)])?;
        let day = self.day_or(py, day, Timestamp::now())?;
        let guardians = if guardians { GuardianColumn::Written } else { GuardianColumn::Empty };
        let list = self.with(py, |store| format.write(&people(store, day, guardians)?, byte_order_mark))?;
        Ok(PyBytes::new(py, &list))
    }

    fn __repr__(&self) -> &'static str {
        "<faceattend.Rosters>"
    }
}
