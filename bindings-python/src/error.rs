//! The core's errors as Python's exceptions, which `faceattend.errors` defines.

use faceattend_core::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// The exception's class for a kind. Exhaustive, so that a new kind does not compile until it has a class.
fn class_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidImage => "InvalidImageError",
        ErrorKind::InvalidInput => "InvalidInputError",
        ErrorKind::Model => "ModelError",
        ErrorKind::Runtime => "RuntimeLibraryError",
        ErrorKind::ModelMismatch => "ModelMismatchError",
        ErrorKind::NotFound => "NotFoundError",
        ErrorKind::Conflict => "ConflictError",
        ErrorKind::State => "StateError",
        ErrorKind::Camera => "CameraError",
        ErrorKind::Store => "StoreError",
        ErrorKind::Io => "FileError",
        ErrorKind::Download => "DownloadError",
        ErrorKind::Internal => "InternalError",
    }
}

/// The exception for `error`, its message with those of its causes.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let mut message = error.to_string();
    // The store's causes can hold values and SQL; its own message says what was being done.
    if error.kind() != ErrorKind::Store {
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            message = format!("{message}: {inner}");
            cause = inner.source();
        }
    }
    raise(py, class_name(error.kind()), message)
}

fn raise(py: Python<'_>, class: &str, message: String) -> PyErr {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("faceattend.errors").map(Bound::unbind));
    let class = module.and_then(|module| Ok(module.bind(py).getattr(class)?.cast_into::<PyType>()?));
    match class {
        Ok(class) => PyErr::from_type(class, (message,)),
        Err(error) => error,
    }
}

/// An [`Error::InvalidInput`] as an exception.
pub(crate) fn invalid_input(py: Python<'_>, what: &'static str, reason: impl Into<String>) -> PyErr {
    exception(py, &Error::InvalidInput { what, reason: reason.into() })
}

/// What one of two words stands for.
pub(crate) fn one_of<T>(py: Python<'_>, what: &'static str, word: &str, known: [(&str, T); 2]) -> PyResult<T> {
    let [(one, first), (other, second)] = known;
    match word {
        _ if word == one => Ok(first),
        _ if word == other => Ok(second),
        _ => Err(invalid_input(py, what, format!("{word:?} is neither {one:?} nor {other:?}"))),
    }
}
