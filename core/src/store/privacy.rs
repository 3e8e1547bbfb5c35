//! Consent, erasure, retention, and encryption at rest.

use jiff::Timestamp;

use super::{Consent, Erasure, MarksOfErased, Resealed, Retention, Retired, TemplateForms};
use crate::error::Result;
use crate::types::StudentId;

/// What the law asks of a database of faces.
pub trait Privacy: Send + Sync {
    /// Returns the consent that the student gave.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn consent(&self, student: StudentId) -> Result<Option<Consent>>;

    /// Records the consent of the student, or its withdrawal.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::InvalidInput`](crate::Error::InvalidInput) for a text
    /// beyond its [limit](super::limits).
    fn set_consent(&self, student: StudentId, consent: Option<&Consent>, now: Timestamp) -> Result<()>;

    /// Erases what identifies the student: the face, the templates, the liveness sessions with the embeddings in them,
    /// and the marks as `marks` says.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn erase_student(&self, student: StudentId, marks: MarksOfErased, now: Timestamp) -> Result<Erasure>;

    /// Deletes the rows that are older than `retention` allows.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn retire(&self, retention: &Retention) -> Result<Retired>;

    /// Returns how many values that hold a face are plain, and how many are sealed with each key.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn template_forms(&self) -> Result<TemplateForms>;

    /// Rewrites every value that holds a face in the form in which this store writes: sealed with its first key, or
    /// plain when no key seals ([`TemplateKeys::opening_only`](super::TemplateKeys::opening_only)). A few rows share a
    /// transaction, so the work may stop at any moment and begin again, and others may use the store meanwhile.
    /// `progress` receives the number of rows so far.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when a value needs a key that is not there: what came before it is done.
    fn reseal_templates(&self, progress: &mut dyn FnMut(u64)) -> Result<Resealed>;
}
