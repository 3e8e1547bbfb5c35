//! The site's days, and marks in a store.

use std::sync::Arc;

use faceattend_core::Error;
use faceattend_core::attendance::{AttendancePolicy as CorePolicy, Marker, Marking as CoreMarking};
use faceattend_core::store::{AttendanceFilter, Page};
use faceattend_core::types::{Similarity, StudentId};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::gil::{attached, detached};
use crate::orders;
use crate::per_process::PerProcess;
use crate::records::AttendanceRecord;
use crate::second_look::{self, SecondLooking};
use crate::store::Store;
use crate::time::{date, datetime, moment, moment_or_now};

/// The rules of the site: which day a moment belongs to, and how arriving then counts.
///
/// Parameters
/// ----------
/// time_zone : str, optional
///     The site's IANA name, such as ``"Asia/Kolkata"``. Default: the time zone of this machine.
/// day_boundary : str
///     When a day begins, ``"HH:MM"``, for sites that work into the night.
///
/// Raises
/// ------
/// InvalidInputError
///     For a name that is no time zone, or a text that is no time.
///
/// Examples
/// --------
/// >>> policy = faceattend.AttendancePolicy("Asia/Kolkata", day_boundary="04:00")
/// >>> day, starts_at, ends_at = policy.day()
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct AttendancePolicy {
    pub(crate) inner: CorePolicy,
}

#[pymethods]
impl AttendancePolicy {
    #[new]
    #[pyo3(signature = (time_zone=None, *, day_boundary="00:00"))]
    fn new(py: Python<'_>, time_zone: Option<&str>, day_boundary: &str) -> PyResult<Self> {
        attached(py, || {
            let boundary = day_boundary.parse().map_err(|_| Error::InvalidInput {
                what: "day boundary",
                reason: format!("{day_boundary:?} is no time such as 04:00"),
            })?;
            let policy = match time_zone {
                Some(name) => CorePolicy::in_time_zone(name)?,
                None => CorePolicy::in_system_time_zone(),
            };
            Ok(Self { inner: policy.with_day_boundary(boundary) })
        })
    }

    /// Returns the site's day that a moment belongs to, and the moments between which the day lies.
    ///
    /// Parameters
    /// ----------
    /// at : datetime or float, optional
    ///     The moment. Default: now.
    ///
    /// Returns
    /// -------
    /// tuple of (date, datetime, datetime)
    ///     The date, its first moment, and the first moment of the next day, both in UTC.
    #[pyo3(signature = (at=None))]
    fn day<'py>(
        &self,
        py: Python<'py>,
        at: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let at = moment_or_now(at)?;
        let day = attached(py, || self.inner.day(at))?;
        Ok((date(py, day.date)?, datetime(py, day.starts_at)?, datetime(py, day.ends_at)?))
    }

    /// Returns the part of the day that is marked once, at a moment: ``"day"`` where the whole day is.
    #[pyo3(signature = (at=None))]
    fn period(&self, at: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
        Ok(self.inner.period(moment_or_now(at)?).to_owned())
    }

    /// Returns how arriving at a moment counts: ``"Present"`` or ``"Late"``.
    #[pyo3(signature = (at=None))]
    fn status(&self, at: Option<&Bound<'_, PyAny>>) -> PyResult<&'static str> {
        Ok(self.inner.status(moment_or_now(at)?).as_str())
    }

    /// The IANA name of the time zone; ``None`` where the machine's has none.
    #[getter]
    fn time_zone(&self) -> Option<&str> {
        self.inner.time_zone().iana_name()
    }

    fn __repr__(&self) -> String {
        format!("<faceattend.AttendancePolicy {}>", self.time_zone().unwrap_or("of this machine"))
    }
}

/// What came of a mark. It is true where the row is new.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Marking(CoreMarking);

impl From<CoreMarking> for Marking {
    fn from(marking: CoreMarking) -> Self {
        Self(marking)
    }
}

#[pymethods]
impl Marking {
    /// Whether the row is new, rather than one that was there for this day.
    #[getter]
    fn is_new(&self) -> bool {
        matches!(self.0, CoreMarking::Marked(_))
    }

    /// The row that stands for this day.
    #[getter]
    fn record(&self) -> AttendanceRecord {
        AttendanceRecord::from(self.0.record().clone())
    }

    fn __bool__(&self) -> bool {
        self.is_new()
    }

    fn __repr__(&self) -> String {
        format!("Marking(is_new={}, student_id={})", self.is_new(), self.0.record().student)
    }
}

/// Marks students present, once in each of the site's days, and reads the marks. All cameras and threads share one.
///
/// Parameters
/// ----------
/// store : Store
///     Where the marks are kept. Its database prevents that anybody is marked twice.
/// policy : AttendancePolicy, optional
///     The site's days. Default: those of this machine's time zone.
///
/// Examples
/// --------
/// >>> book = faceattend.AttendanceBook(store)                        # doctest: +SKIP
/// >>> mark = book.mark(student.id, camera_location="Gate")           # doctest: +SKIP
/// >>> mark.is_new, mark.record.local_day                             # doctest: +SKIP
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct AttendanceBook {
    marker: PerProcess<Marker>,
    store: Py<Store>,
}

impl AttendanceBook {
    pub(crate) fn marker(&self) -> faceattend_core::Result<Arc<Marker>> {
        self.marker.get()
    }
}

#[pymethods]
impl AttendanceBook {
    #[new]
    #[pyo3(signature = (store, policy=None))]
    fn new(store: Bound<'_, Store>, policy: Option<&AttendancePolicy>) -> Self {
        let policy = policy.map(|policy| policy.inner.clone()).unwrap_or_default();
        let shared = store.get().shared();
        let make = move || Ok(Marker::new((*shared.get()?).clone(), policy.clone()));
        Self { marker: PerProcess::new(make), store: store.unbind() }
    }

    /// Marks a student present, or returns the row of the same day that already does.
    ///
    /// Parameters
    /// ----------
    /// student_id : int
    /// similarity : float
    ///     How similar the seen face was, in [0, 1].
    /// camera_location : str, optional
    ///     Where the student was seen.
    /// at : datetime or float, optional
    ///     When. Default: now.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     When there is no such student.
    #[pyo3(signature = (student_id, similarity=1.0, camera_location=None, at=None))]
    fn mark(
        &self,
        py: Python<'_>,
        student_id: i64,
        similarity: f32,
        camera_location: Option<&str>,
        at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Marking> {
        let at = moment_or_now(at)?;
        let similarity = Similarity::new(similarity);
        detached(py, || self.marker()?.mark(StudentId(student_id), similarity, camera_location, at)).map(Marking)
    }

    /// Puts a student who was seen and not believed to be alive on the second-look list, unless the student is marked
    /// in that day or on the list with this verdict. ``Store.decide_second_look`` decides.
    ///
    /// What the database answered is remembered for a minute.
    ///
    /// Parameters
    /// ----------
    /// student_id : int
    /// verdict : {"undecided", "spoof"}
    ///     Whether too little was seen, or signs of a photograph or a replay.
    /// reasons : list of str
    ///     Why, as codes of lowercase letters, digits and underscores, such as ``"few_views"``.
    /// similarity : float
    ///     How similar the seen face was, in [0, 1].
    /// camera_location : str, optional
    ///     Where the student was seen.
    /// at : datetime or float, optional
    ///     When. Default: now.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     When there is no such student.
    #[pyo3(signature = (student_id, verdict, reasons, *, similarity=1.0, camera_location=None, at=None))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn second_look(
        &self,
        py: Python<'_>,
        student_id: i64,
        verdict: &str,
        reasons: Vec<String>,
        similarity: f32,
        camera_location: Option<&str>,
        at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<SecondLooking> {
        let at = moment_or_now(at)?;
        let verdict = second_look::verdict(py, verdict)?;
        let (student, similarity) = (StudentId(student_id), Similarity::new(similarity));
        let look = || self.marker()?.second_look(student, similarity, camera_location, verdict, reasons, at);
        detached(py, look).map(SecondLooking)
    }

    /// Returns the marks, newest first, or in another order.
    ///
    /// Parameters
    /// ----------
    /// since, until : datetime or float, optional
    ///     The marks from ``since`` on and before ``until``.
    /// student_id : int, optional
    ///     The marks of one student only.
    /// sort : {"time", "name", "roll_number", "status", "similarity", "place"}, optional
    ///     What they are ordered by: 9 comes before 10 among roll numbers. Marks that are equal in it come newest
    ///     first.
    /// descending : bool, optional
    ///     Whether the largest comes first. Default: not with ``sort``.
    /// skip, limit : int
    ///     Which slice of the list.
    #[pyo3(signature = (*, since=None, until=None, student_id=None, sort=None, descending=None, skip=0, limit=1000))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn records(
        &self,
        py: Python<'_>,
        since: Option<&Bound<'_, PyAny>>,
        until: Option<&Bound<'_, PyAny>>,
        student_id: Option<i64>,
        sort: Option<&str>,
        descending: Option<bool>,
        skip: u32,
        limit: u32,
    ) -> PyResult<Vec<AttendanceRecord>> {
        let order = orders::of_marks(py, sort, descending)?;
        let filter = AttendanceFilter {
            from: since.map(moment).transpose()?,
            until: until.map(moment).transpose()?,
            student: student_id.map(StudentId),
            ..AttendanceFilter::default()
        };
        let store = self.store.get().shared();
        let listed = detached(py, || store.get()?.attendance_in_order(&filter, order, Page { skip, limit }))?;
        Ok(listed.items.into_iter().map(AttendanceRecord::from).collect())
    }

    /// Returns the mark with this id, or ``None``.
    fn record(&self, py: Python<'_>, attendance_id: i64) -> PyResult<Option<AttendanceRecord>> {
        let store = self.store.get().shared();
        let found = detached(py, || store.get()?.attendance_record(attendance_id))?;
        Ok(found.map(AttendanceRecord::from))
    }

    /// Deletes the mark with this id. The student can be marked again at once.
    ///
    /// Raises
    /// ------
    /// NotFoundError
    ///     When there is no such mark.
    fn delete(&self, py: Python<'_>, attendance_id: i64) -> PyResult<()> {
        let store = self.store.get().shared();
        detached(py, || {
            store.get()?.delete_attendance(attendance_id)?;
            self.marker()?.forget();
            Ok(())
        })
    }

    /// Forgets what the database answered within the last minute: for a program that deletes marks or students without
    /// this object, or has changed groups or timetables.
    fn forget(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || {
            self.marker()?.forget();
            self.marker()?.forget_rosters();
            Ok(())
        })
    }

    /// Returns counts of the marks between two moments: total, present, absent, late, unique_students.
    #[pyo3(signature = (*, since=None, until=None))]
    fn summary<'py>(
        &self,
        py: Python<'py>,
        since: Option<&Bound<'py, PyAny>>,
        until: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let filter = AttendanceFilter {
            from: since.map(moment).transpose()?,
            until: until.map(moment).transpose()?,
            ..AttendanceFilter::default()
        };
        let store = self.store.get().shared();
        let summary = detached(py, || store.get()?.attendance_summary(&filter))?;
        let dict = PyDict::new(py);
        dict.set_item("total", summary.total)?;
        dict.set_item("present", summary.present)?;
        dict.set_item("absent", summary.absent)?;
        dict.set_item("late", summary.late)?;
        dict.set_item("unique_students", summary.unique_students)?;
        Ok(dict)
    }

    fn __repr__(&self) -> &'static str {
        "<faceattend.AttendanceBook>"
    }
}
