//! ONNX Runtime's library, for Pythons whose registry has no package with it.

use std::path::PathBuf;

use faceattend_core::Error;
use faceattend_runtime::Library;
use pyo3::prelude::*;

use crate::gil::detached;

/// Puts the pinned library into the user's cache, unless it is there, and returns where it is.
#[pyfunction]
pub(crate) fn fetch_runtime(py: Python<'_>, python: PathBuf) -> PyResult<PathBuf> {
    detached(py, || {
        let failed = |error: faceattend_runtime::Error| Error::Runtime { reason: error.to_string(), source: None };
        let library = Library::for_this_machine().map_err(failed)?;
        if !library.is_installed() {
            library.install(&python).map_err(failed)?;
        }
        Ok(library.path())
    })
}
