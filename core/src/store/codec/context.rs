//! What a sealed value is bound to: its column, its owner, and the model that made it.

use std::fmt;

/// A column whose values are sealed: one that holds a face, the password of a camera, or the secret of a
/// channel of notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as the column that it stands for")]
pub enum FaceColumn {
    StudentFaceEmbedding,
    StudentEmbeddingVector,
    TemplateEmbedding,
    SessionState,
    SessionCenterEmbedding,
    SessionLeftEmbedding,
    SessionRightEmbedding,
    SessionFinalEmbedding,
    SessionCenterFrame,
    SessionLeftFrame,
    SessionRightFrame,
    CameraSecret,
    AlertChannelSecret,
}

impl FaceColumn {
    /// Returns table and column. A sealed value is bound to this text, so it never changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::StudentFaceEmbedding => "students.face_embedding",
            Self::StudentEmbeddingVector => "students.embedding_vector",
            Self::TemplateEmbedding => "student_templates.embedding",
            Self::SessionState => "liveness_detection_sessions.state",
            Self::SessionCenterEmbedding => "liveness_detection_sessions.center_embedding",
            Self::SessionLeftEmbedding => "liveness_detection_sessions.left_embedding",
            Self::SessionRightEmbedding => "liveness_detection_sessions.right_embedding",
            Self::SessionFinalEmbedding => "liveness_detection_sessions.final_embedding",
            Self::SessionCenterFrame => "liveness_detection_sessions.center_frame_data",
            Self::SessionLeftFrame => "liveness_detection_sessions.left_frame_data",
            Self::SessionRightFrame => "liveness_detection_sessions.right_frame_data",
            Self::CameraSecret => "cameras.secret",
            Self::AlertChannelSecret => "alert_channels.secret",
        }
    }
}

/// The columns of a liveness session that hold a face.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) const OF_SESSION: [(FaceColumn, &str); 8] = [
    (FaceColumn::SessionState, "state"),
    (FaceColumn::SessionCenterEmbedding, "center_embedding"),
    (FaceColumn::SessionLeftEmbedding, "left_embedding"),
    (FaceColumn::SessionRightEmbedding, "right_embedding"),
    (FaceColumn::SessionFinalEmbedding, "final_embedding"),
    (FaceColumn::SessionCenterFrame, "center_frame_data"),
    (FaceColumn::SessionLeftFrame, "left_frame_data"),
    (FaceColumn::SessionRightFrame, "right_frame_data"),
];

/// The number of rows that one transaction rewrites, few enough that a waiting server does not notice.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) const AT_ONCE: u32 = 20;

/// What a sealed value is bound to: its column, its owner (the key of a student's row, or the id of a liveness
/// session), and the model that its row names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealContext {
    column: FaceColumn,
    owner: String,
    model: Option<String>,
}

impl SealContext {
    /// Returns the context of the value of `column` that belongs to `owner`.
    #[must_use]
    pub fn new(column: FaceColumn, owner: impl fmt::Display) -> Self {
        Self { column, owner: owner.to_string(), model: None }
    }

    /// Returns the same context in a row that names `model`.
    #[must_use]
    pub fn of_model(mut self, model: Option<impl Into<String>>) -> Self {
        self.model = model.map(Into::into);
        self
    }

    /// Returns the associated data: a value opens only where it was sealed. The model comes last, whatever its name
    /// holds.
    #[cfg_attr(not(feature = "encryption"), expect(dead_code, reason = "nothing is bound without a cipher"))]
    pub(super) fn bound_to(&self) -> Vec<u8> {
        let model = self.model.as_deref().map_or_else(String::new, |model| format!("\n{model}"));
        format!("faceattend sealed 1\n{}\n{}{model}", self.column.name(), self.owner).into_bytes()
    }
}

impl fmt::Display for SealContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.column.name(), self.owner)
    }
}
