//! The templates that students are recognized by.

use jiff::Timestamp;

use super::{KeptSeen, NewAuditEntry, SeenLimits, StoredTemplate, Student, TemplateMark};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::types::StudentId;

/// The templates of the students.
pub trait Templates: Send + Sync {
    /// Returns the student's embedding as the JSON text of `embedding_vector`, as the existing API shows it.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn embedding_json(&self, id: StudentId) -> Result<Option<String>>;

    /// Replaces the templates of a student without a liveness session, for an import by the operator. Liveness counts
    /// as not verified.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn replace_templates(&self, student: StudentId, templates: &[Embedding], now: Timestamp) -> Result<Student>;

    /// Hands every stored template to `each`, those of one student one after the other, without holding them all in
    /// memory. A damaged one is left out, with a warning that names the student. `each` must not call the store.
    ///
    /// # Errors
    /// The first error that `each` returns; [`Error::Store`](crate::Error::Store).
    fn for_each_template(&self, each: &mut dyn FnMut(StoredTemplate) -> Result<()>) -> Result<()>;

    /// Returns how many templates [`for_each_template`](Self::for_each_template) would hand over now, damaged ones with
    /// them.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn template_count(&self) -> Result<u64>;

    /// Returns the mark of the newest template. Templates that are written later were written since this mark.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn newest_template(&self) -> Result<TemplateMark>;

    /// Keeps a view of a student that a camera saw beside the registered templates, if `limits` allow it, and writes
    /// `entry` into the audit log with it. The registered templates stay as they are; when there are as many seen ones
    /// as may be, the oldest of those goes.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student.
    fn keep_seen_template(
        &self,
        student: StudentId,
        view: &Embedding,
        limits: &SeenLimits,
        entry: &NewAuditEntry,
    ) -> Result<KeptSeen>;

    /// Deletes every view of the student that a camera saw, and returns how many there were. The registered templates
    /// stay.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student.
    fn forget_seen_templates(&self, student: StudentId) -> Result<u64>;

    /// Returns the templates of a student, the one in `face_embedding` first; none for an unknown student.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn templates_of(&self, student: StudentId) -> Result<Vec<StoredTemplate>>;
}
