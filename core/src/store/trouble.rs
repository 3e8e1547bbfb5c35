//! Why a database did not do its work, where waiting or an operator helps.

use std::fmt;

use crate::error::{Cause, Error};

/// Why a database did not do its work, where waiting or an operator helps. Nothing was changed, except by a write whose
/// connection was [lost](Self::Lost): nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreTrouble {
    /// Another program holds the database, or too many calls wait for it.
    Busy,
    /// The database does not answer.
    Away,
    /// The connection to the database was lost while it worked: a write may have happened.
    Lost,
    /// The disk of the database is full.
    Full,
    /// The database can be read and not written.
    ReadOnly,
    /// The disk of the database reports errors.
    Disk,
}

impl StoreTrouble {
    /// Returns what is wrong and what to do, as the end of a sentence.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Busy => "another program holds the database; try again",
            Self::Away => "the database does not answer; try again",
            Self::Lost => "the connection to the database was lost; try again",
            Self::Full => "the disk of the database is full; make room on it",
            Self::ReadOnly => "the database cannot be written; check the permissions of its file and its disk",
            Self::Disk => "the disk of the database reports errors or a limit; check it",
        }
    }

    /// Returns the trouble behind an error of a store; `None` where it is another error or its cause is not known.
    ///
    /// ```
    /// use faceattend_core::store::StoreTrouble;
    ///
    /// let other = faceattend_core::Error::NotFound { what: "student" };
    /// assert_eq!(StoreTrouble::of(&other), None);
    /// ```
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        let Error::Store { source: Some(source), .. } = error else { return None };
        source.downcast_ref::<Troubled>().map(|troubled| troubled.trouble)
    }

    /// Returns the error of a call that was to do `doing`.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(super) fn while_doing(self, doing: &str, cause: Cause) -> Error {
        let reason = format!("cannot {doing}: {}", self.advice());
        Error::Store { reason, source: Some(Box::new(Troubled { trouble: self, cause })) }
    }
}

/// The database's own error, with what is known of it.
#[derive(Debug)]
struct Troubled {
    trouble: StoreTrouble,
    cause: Cause,
}

impl fmt::Display for Troubled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl std::error::Error for Troubled {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.source()
    }
}
