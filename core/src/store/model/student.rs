//! A student.

use jiff::Timestamp;

use crate::types::{ModelId, StudentId};

/// A student, without the face.
#[derive(Debug, Clone, PartialEq)]
pub struct Student {
    /// The key of the row. It is never given to another student.
    pub id: StudentId,
    /// The name.
    pub name: String,
    /// The roll number, unique.
    pub roll_number: String,
    /// Whether a liveness session proved the stored face.
    pub liveness_verified: bool,
    /// The time of that session.
    pub liveness_verification_date: Option<Timestamp>,
    /// The liveness score of that session, in [0, 1]; 0 without one.
    pub liveness_confidence_score: f64,
    /// The model of the stored templates; `None` without a face and for one that the existing service made.
    pub model: Option<ModelId>,
    /// Whether a face is stored, of whichever model.
    pub has_face: bool,
    /// When the row was made, in whole seconds; 1970 when the database does not say.
    pub created_at: Timestamp,
    /// When it was last changed, in whole seconds; `None` until then.
    pub updated_at: Option<Timestamp>,
}

impl Student {
    /// Returns whether a face is stored that an engine with this embedding model cannot match: the student is
    /// recognized again only after enrolling again. A face of the existing service, which names no model, is one of
    /// them.
    #[must_use]
    pub fn must_enrol_again(&self, model: &ModelId) -> bool {
        self.has_face && self.model.as_ref() != Some(model)
    }
}

/// A change to a student; `None` keeps the value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StudentChange {
    /// The new name.
    pub name: Option<String>,
    /// The new roll number.
    pub roll_number: Option<String>,
}
