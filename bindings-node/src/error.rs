//! How an error travels: its stable code in front of its message, until the JavaScript side makes a `FaceAttendError`
//! of it.

use std::error::Error as _;

use faceattend_core::{Error, ErrorKind};

/// What stands between code and message: a control character that no message contains.
const SEPARATOR: char = '\u{1f}';

/// Every code there is. Its names become the type `FaceAttendErrorCode`.
#[napi_derive::napi(string_enum = "snake_case")]
pub enum FaceAttendErrorCode {
    /// The image cannot be decoded, or breaks a limit on images.
    InvalidImage,
    /// An argument or option is of the wrong type or out of its range.
    InvalidInput,
    /// A model file is missing, damaged, or not what its role needs.
    Model,
    /// The ONNX Runtime library was not found, is too old, or lacks what was asked for.
    Runtime,
    /// Embeddings of two models met.
    ModelMismatch,
    /// What was asked for is not there.
    NotFound,
    /// It is there already: a roll number, or a result that has been used.
    Conflict,
    /// The call does not fit the state it meets.
    State,
    /// A camera could not be opened or read.
    Camera,
    /// The database failed.
    Store,
    /// A file could not be read or written.
    Io,
    /// A download failed; nothing was changed.
    Download,
    /// A bug of this package: please report it.
    Internal,
}

impl From<ErrorKind> for FaceAttendErrorCode {
    /// Exhaustive on purpose: a new kind of the core has to be named here.
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidImage => Self::InvalidImage,
            ErrorKind::InvalidInput => Self::InvalidInput,
            ErrorKind::Model => Self::Model,
            ErrorKind::Runtime => Self::Runtime,
            ErrorKind::ModelMismatch => Self::ModelMismatch,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::State => Self::State,
            ErrorKind::Camera => Self::Camera,
            ErrorKind::Store => Self::Store,
            ErrorKind::Io => Self::Io,
            ErrorKind::Download => Self::Download,
            ErrorKind::Internal => Self::Internal,
        }
    }
}

/// The core's error as Node's, causes and all.
pub(crate) fn to_js(error: &Error) -> napi::Error {
    // The message of the type is the core's code, so that both adapters keep one spelling.
    let code = error.kind().code();
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        message = format!("{message}: {next}");
        cause = next.source();
    }
    napi::Error::from_reason(format!("{code}{SEPARATOR}{message}"))
}

/// An argument that is not what it should be.
pub(crate) fn invalid(what: &'static str, reason: impl Into<String>) -> Error {
    Error::InvalidInput { what, reason: reason.into() }
}

/// For `map_err` at the end of a synchronous method.
pub(crate) trait OrThrow<T> {
    /// The value, or the exception.
    fn or_throw(self) -> napi::Result<T>;
}

impl<T> OrThrow<T> for faceattend_core::Result<T> {
    fn or_throw(self) -> napi::Result<T> {
        self.map_err(|error| to_js(&error))
    }
}
