//! Consent, erasure, retention, and encryption at rest.

use jiff::Timestamp;

use super::{Consent, Erasure, MarksOfErased, Resealed, Retention, Retired, TemplateForms};
use crate::error::Result;
use crate::types::StudentId;

/// What the law asks of a database of faces.
pub trait Privacy: Send + Sync {
    /// The consent that the student gave.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn consent(&self, student: StudentId) -> Result<Option<Consent>>;

    /// Records the student's consent, or that it is withdrawn.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn set_consent(&self, student: StudentId, consent: Option<&Consent>, now: Timestamp) -> Result<()>;

    /// Erases what identifies the student: the face, the templates, the liveness sessions with the embeddings in them,
    /// and the marks as `marks` says.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn erase_student(&self, student: StudentId, marks: MarksOfErased, now: Timestamp) -> Result<Erasure>;

    /// Deletes what is older than `retention` keeps.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn retire(&self, retention: &Retention) -> Result<Retired>;

    /// How many values that hold a face are plain, and how many are sealed with which key.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn template_forms(&self) -> Result<TemplateForms>;

    /// Brings every value that holds a face into the form in which this store writes: sealed with its first key, or
    /// plain without keys to seal with ([`TemplateKeys::opening_only`]). Row by row in transactions of their own, so it
    /// may be stopped at any moment and begun again, and others may work meanwhile. `progress` is told how many rows
    /// were looked at.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when a value needs a key that is not there: what came before it is done.
    fn reseal_templates(&self, progress: &mut dyn FnMut(u64)) -> Result<Resealed>;
}
