//! Records that may wait for the database, and go in once.

use jiff::Timestamp;

use super::{Deferred, DeferredOutcome, JournalId};
use crate::error::Result;

/// Writes the records of a journal, each exactly once. The records are numbered from 1. The database keeps the number
/// up to which each journal is written, in the transaction that writes the record: a program that dies, or loses its
/// connection, between the write and the answer can send the same record again.
/// [`Backlog`](crate::backlog::Backlog) keeps such a journal.
pub trait DeferredWrites: Send + Sync {
    /// Lets the database know a journal, of which nothing is written yet. One that it knows stays as it is.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn begin_journal(&self, journal: JournalId, now: Timestamp) -> Result<()>;

    /// Returns the number of the last record of the journal that is written, 0 for none; `None` for a journal of
    /// another database, whose records mean other students.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn journal_position(&self, journal: JournalId) -> Result<Option<u64>>;

    /// Writes records in the order of their numbers, all of them in one transaction or, after any error, none; returns
    /// what became of each. A record whose number is not beyond the journal's position is not written again, and one
    /// whose student is gone is left out.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a text beyond its [limit](super::limits);
    /// [`Error::Store`](crate::Error::Store).
    fn write_deferred(
        &self,
        journal: JournalId,
        records: &[(u64, Deferred)],
        now: Timestamp,
    ) -> Result<Vec<DeferredOutcome>>;
}
