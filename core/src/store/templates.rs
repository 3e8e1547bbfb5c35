//! The templates that students are recognized by.

use jiff::Timestamp;

use super::{KeptSeen, NewAuditEntry, SeenLimits, StoredTemplate, Student, TemplateMark};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::types::StudentId;

/// The templates of the students.
pub trait Templates: Send + Sync {
    /// The student's embedding as the JSON text of `embedding_vector`, as the existing API shows it.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn embedding_json(&self, id: StudentId) -> Result<Option<String>>;

    /// Gives an existing student these templates in place of those it had, with no session: for an operator's own
    /// import. Liveness counts as not verified.
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

    /// The mark after the newest template: what an enrolment writes from now on was written since.
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

    /// Takes back every view that a camera saw of the student, so that the registered templates stand alone again;
    /// returns how many there were.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown student.
    fn forget_seen_templates(&self, student: StudentId) -> Result<u64>;

    /// The templates of one student, the one in `face_embedding` first; none for an unknown student.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn templates_of(&self, student: StudentId) -> Result<Vec<StoredTemplate>>;
}
