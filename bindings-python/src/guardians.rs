//! Guardians of students: addresses for letters.

use faceattend_core::store::Guardian;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::rosters::given::{each, text};

/// The language of a guardian of whom nobody said it.
const LANGUAGE: &str = "en";

/// Reads guardians: each a mapping with `email` and `language`, or the address alone.
pub(crate) fn read(guardians: &Bound<'_, PyAny>) -> PyResult<Vec<Guardian>> {
    each("guardians", guardians, |row| {
        if let Some(email) = row.text() {
            return Ok(Guardian { email, language: LANGUAGE.into() });
        }
        let language = row.optional("language", text)?.unwrap_or_else(|| LANGUAGE.into());
        Ok(Guardian { email: row.wanted("email", text)?, language })
    })
}

pub(crate) fn shown<'py>(py: Python<'py>, guardian: &Guardian) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("email", &guardian.email)?;
    dict.set_item("language", &guardian.language)?;
    Ok(dict)
}
