//! How every call reaches the core: with the interpreter released, and with panics turned into exceptions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use faceattend_core::{Error, Result};
use pyo3::prelude::*;

use crate::error::exception;

/// Calls the core with the interpreter released.
///
/// # Errors
/// The core's, as an exception; a panic is an `InternalError`.
pub(crate) fn detached<T: Send>(py: Python<'_>, call: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    py.detach(|| caught(call)).map_err(|error| exception(py, &error))
}

/// Calls the core for something that takes less time than releasing the interpreter and taking it back.
///
/// # Errors
/// As [`detached`].
pub(crate) fn attached<T>(py: Python<'_>, call: impl FnOnce() -> Result<T>) -> PyResult<T> {
    caught(call).map_err(|error| exception(py, &error))
}

fn caught<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    // Everything of the core that is shared recovers from a panic by itself (its locks ignore poison).
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(Error::Internal { reason: "the library panicked; please report it".into() }))
}
