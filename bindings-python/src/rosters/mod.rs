//! Groups of students, when they are expected, and how each attended.

mod changes;
mod days;
mod entry;
pub(crate) mod given;
mod lists;
mod methods;
mod shown;

use std::sync::Arc;

use faceattend_core::Result;
use faceattend_core::attendance::AttendancePolicy as CorePolicy;
use faceattend_core::store::{RosterChange, RosterRun, Store as CoreStore};
use jiff::Timestamp;
use jiff::civil::Date;
use pyo3::prelude::*;

use crate::gil::{attached, detached};
use crate::per_process::PerProcess;
use crate::time::Day;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Rosters>()?;
    module.add_class::<entry::RosterEntry>()?;
    module.add_class::<entry::StatusCounts>()?;
    module.add_class::<entry::DayPlan>()?;
    module.add_class::<days::RosterDays>()
}

/// Who belongs to which group when, when people are expected, and why somebody was absent.
///
/// Absence is written nowhere: ``days`` derives it. Days are the site's own, as ``date``. Where ``at`` may be given, it
/// is the moment of the change, and its day is the first one where no other is said.
///
/// Parameters
/// ----------
/// store : Store
///     Where they are kept.
/// policy : AttendancePolicy, optional
///     The site's days, the same as those of its ``AttendanceBook``. Default: those of this machine's time zone.
///
/// Examples
/// --------
/// >>> rosters = faceattend.Rosters(store)                            # doctest: +SKIP
/// >>> rosters.days("2026-03-02").counts().absent                     # doctest: +SKIP
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Rosters {
    store: Arc<PerProcess<Arc<dyn CoreStore>>>,
    policy: CorePolicy,
}

impl Rosters {
    fn with<T: Send>(&self, py: Python<'_>, call: impl FnOnce(&dyn CoreStore) -> Result<T> + Send) -> PyResult<T> {
        detached(py, || call(&**self.store.get()?))
    }

    /// The day that was given, or that of a moment.
    fn day_or(&self, py: Python<'_>, given: Option<Day>, at: Timestamp) -> PyResult<Date> {
        match given {
            Some(Day(day)) => Ok(day),
            None => attached(py, || self.policy.day(at).map(|day| day.date)),
        }
    }

    fn change(&self, py: Python<'_>, change: RosterChange, by: &str, at: Timestamp) -> PyResult<&'static str> {
        self.with(py, |store| changes::single(store.change_roster(&[change], RosterRun::Apply, by, at)?))
    }
}
