use std::fmt;

/// What went wrong, in words for the person at the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(pub(crate) String);

/// The result of what can fail here.
pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.0
    }
}

impl From<String> for Error {
    fn from(text: String) -> Self {
        Self(text)
    }
}
