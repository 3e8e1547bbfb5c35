//! Groups of students, when they are expected, and how each attended.

mod days;
mod entry;
mod given;
mod shown;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<entry::RosterEntry>()?;
    module.add_class::<entry::StatusCounts>()?;
    module.add_class::<entry::DayPlan>()?;
    module.add_class::<days::RosterDays>()
}
