//! The error type of the library, and the closed set of kinds that adapters translate.

use std::path::PathBuf;

/// A foreign cause, kept for `source()` and never part of a public signature's type.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// The result of every fallible call of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this library. Expected outcomes (no face, several faces, wrong pose, no match) are values, not errors.
///
/// ```
/// use faceattend_core::{Error, Frame};
///
/// match Frame::open("nowhere.jpg") {
///     Err(Error::Io { action, path, .. }) => assert_eq!((action, path.to_str()), ("read", Some("nowhere.jpg"))),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes cannot be decoded as an image, or break a limit on images.
    #[error("invalid image: {reason}")]
    InvalidImage {
        /// What is wrong with it.
        reason: String,
    },
    /// An argument or option is out of its range.
    #[error("invalid {what}: {reason}")]
    InvalidInput {
        /// Which argument.
        what: &'static str,
        /// What is wrong with it, with the value and the range.
        reason: String,
    },
    /// A model file is missing, damaged, or not what its role needs.
    #[error("model {model}: {reason}")]
    Model {
        /// The model's name or file.
        model: String,
        /// What was expected, what was found, and what to run.
        reason: String,
    },
    /// The ONNX Runtime library was not found, is too old, or lacks the execution provider asked for.
    #[error("ONNX Runtime: {reason}")]
    Runtime {
        /// What is missing, where it was looked for, and what to do.
        reason: String,
        /// The runtime's own error, if it got that far.
        #[source]
        source: Option<Cause>,
    },
    /// A model failed while it ran.
    #[error("inference with {model} failed")]
    Inference {
        /// The model's name.
        model: String,
        /// The runtime's own error.
        #[source]
        source: Cause,
    },
    /// Two embeddings of different models were compared.
    #[error("embeddings of different models cannot be compared: expected {expected}, got {got}")]
    ModelMismatch {
        /// The model that the gallery or the first embedding belongs to.
        expected: String,
        /// The model of the other one.
        got: String,
    },
    /// The requested thing does not exist.
    #[error("{what} not found")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// The change clashes with what is stored: a duplicate roll number, a result already used.
    #[error("{what} already exists")]
    Conflict {
        /// The thing that exists already.
        what: &'static str,
    },
    /// The request does not fit the state it meets: a session that has expired or is not complete.
    #[error("{what}: {reason}")]
    State {
        /// What refused.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// A camera could not be opened or read.
    #[error("camera {camera}: {reason}")]
    Camera {
        /// The camera, with credentials redacted.
        camera: String,
        /// What happened.
        reason: String,
    },
    /// The store failed.
    #[error("store: {reason}")]
    Store {
        /// What was being done, without SQL and without values.
        reason: String,
        /// The database's own error.
        #[source]
        source: Option<Cause>,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was being done: `read`, `write`, `create`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A download failed; nothing was changed.
    #[error("download: {reason}")]
    Download {
        /// What failed and what to do next.
        reason: String,
        /// The network's own error.
        #[source]
        source: Option<Cause>,
    },
    /// Something this library promised did not hold. A bug: please report it.
    #[error("internal error: {reason}")]
    Internal {
        /// What did not hold.
        reason: String,
    },
}

/// The kinds of [`Error`], one for each way an adapter answers. Exhaustive on purpose: a new kind must fail to compile
/// in the HTTP, Python and Node adapters until they say what it means there.
///
/// ```
/// use faceattend_core::{ErrorKind, Frame};
///
/// let error = Frame::decode(b"no picture").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidImage);
/// assert_eq!(error.kind().code(), "invalid_image");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The caller's image is at fault.
    InvalidImage,
    /// The caller's argument is at fault.
    InvalidInput,
    /// A model file is at fault.
    Model,
    /// The inference runtime is at fault.
    Runtime,
    /// Embeddings of two models met.
    ModelMismatch,
    /// The requested thing does not exist.
    NotFound,
    /// The thing exists already.
    Conflict,
    /// Not in this state.
    State,
    /// A camera is at fault.
    Camera,
    /// The store is at fault.
    Store,
    /// A file is at fault.
    Io,
    /// A download is at fault.
    Download,
    /// This library is at fault.
    Internal,
}

impl ErrorKind {
    /// Returns a stable code in snake case, for logs, Python attributes and JavaScript `code`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidImage => "invalid_image",
            Self::InvalidInput => "invalid_input",
            Self::Model => "model",
            Self::Runtime => "runtime",
            Self::ModelMismatch => "model_mismatch",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::State => "state",
            Self::Camera => "camera",
            Self::Store => "store",
            Self::Io => "io",
            Self::Download => "download",
            Self::Internal => "internal",
        }
    }
}

impl Error {
    /// Returns the kind of this error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidImage { .. } => ErrorKind::InvalidImage,
            Self::InvalidInput { .. } => ErrorKind::InvalidInput,
            Self::Model { .. } => ErrorKind::Model,
            Self::Runtime { .. } => ErrorKind::Runtime,
            Self::Inference { .. } | Self::Internal { .. } => ErrorKind::Internal,
            Self::ModelMismatch { .. } => ErrorKind::ModelMismatch,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::State { .. } => ErrorKind::State,
            Self::Camera { .. } => ErrorKind::Camera,
            Self::Store { .. } => ErrorKind::Store,
            Self::Io { .. } => ErrorKind::Io,
            Self::Download { .. } => ErrorKind::Download,
        }
    }

    pub(crate) fn invalid_input(what: &'static str, reason: impl Into<String>) -> Self {
        Self::InvalidInput { what, reason: reason.into() }
    }

    pub(crate) fn invalid_image(reason: impl Into<String>) -> Self {
        Self::InvalidImage { reason: reason.into() }
    }

    pub(crate) fn model(model: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Model { model: model.into(), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_what_and_keeps_its_cause() {
        let error = Error::Io {
            action: "read",
            path: PathBuf::from("models/x.onnx"),
            source: std::io::Error::from(std::io::ErrorKind::NotFound),
        };
        assert_eq!(error.to_string(), "cannot read models/x.onnx");
        assert!(std::error::Error::source(&error).is_some());
        assert_eq!(error.kind().code(), "io");
    }

    #[test]
    fn a_broken_model_at_run_time_is_ours_to_answer_for() {
        let error = Error::Inference { model: "m".into(), source: "bad".into() };
        assert_eq!(error.kind(), ErrorKind::Internal);
    }
}
