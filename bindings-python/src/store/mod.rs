//! The database, opened at its first use in each process.

mod methods;

use std::sync::Arc;

use faceattend_core::enrolment::Registry;
use faceattend_core::store::Store as CoreStore;
use pyo3::prelude::*;

use crate::gil::detached;
use crate::per_process::PerProcess;

/// Students, templates and attendance in a database: the one that the reference server uses.
///
/// It is opened at its first use in each process. Tables, and the file of a SQLite database, are created when they are
/// not there. Every method is one transaction.
///
/// Parameters
/// ----------
/// path : path or str
///     The file of a SQLite database, or ``postgres://USER:PASSWORD@HOST/NAME``. Neither ``repr`` nor an error shows
///     the password.
///
/// Raises
/// ------
/// InvalidInputError
///     For the URL of another kind of database.
///
/// Examples
/// --------
/// >>> store = faceattend.Store("attendance.db")                      # doctest: +SKIP
/// >>> student = store.create_student("Grace Hopper", "R-1")          # doctest: +SKIP
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Store {
    inner: Arc<PerProcess<Arc<dyn CoreStore>>>,
    registry: Arc<PerProcess<Registry>>,
}

impl Store {
    pub(crate) fn shared(&self) -> Arc<PerProcess<Arc<dyn CoreStore>>> {
        Arc::clone(&self.inner)
    }

    fn of(inner: Arc<PerProcess<Arc<dyn CoreStore>>>) -> Self {
        let shared = Arc::clone(&inner);
        let make = move || Ok(Registry::new(Arc::clone(&*shared.get()?)));
        Self { inner, registry: Arc::new(PerProcess::new(make)) }
    }

    fn with<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&dyn CoreStore) -> faceattend_core::Result<T> + Send,
    ) -> PyResult<T> {
        detached(py, || call(&**self.inner.get()?))
    }
}
