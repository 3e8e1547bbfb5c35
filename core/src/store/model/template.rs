//! The templates of a student, and what an enrolment brings.

use std::fmt;

use jiff::Timestamp;

use super::super::codec::{NotOpened, SealContext, TemplateKeys};
use super::TemplateOrigin;
use crate::embedding::Embedding;
use crate::error::Result;
use crate::types::{ModelId, StudentId};

/// The face that a completed liveness session proved.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrolment {
    /// The templates, at least one and all of one model. The first goes into `face_embedding` and `embedding_vector`.
    pub templates: Vec<Embedding>,
    /// The score of the session, in [0, 1].
    pub liveness_score: f64,
}

/// A template of a student, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTemplate {
    /// The student.
    pub student: StudentId,
    /// The embedding.
    pub embedding: StoredEmbedding,
    /// The origin.
    pub origin: TemplateOrigin,
    /// When it was written; `None` for the existing service's, which says no time.
    pub added_at: Option<Timestamp>,
}

/// An embedding with or without the model that made it.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredEmbedding {
    /// An embedding of this library, with the model that made it.
    Tagged(Embedding),
    /// An embedding of the existing service. Its model is unknown until the operator names it.
    Legacy(LegacyVector),
}

impl StoredEmbedding {
    /// Reads the embedding of a row whose columns may be sealed: as [`Self::read`], where what was changed, or is
    /// plain although it should not be, counts as damaged. A value that needs another key is an error: to leave it out
    /// would leave out everybody.
    pub(in crate::store) fn unseal(
        keys: &TemplateKeys,
        model: Option<&ModelId>,
        bytes: Option<(SealContext, &[u8])>,
        json: Option<(SealContext, &str)>,
    ) -> Result<Option<Self>> {
        fn or_damaged<T>(opened: Result<T, NotOpened>, place: &SealContext) -> Result<Option<T>> {
            if let Err(refused @ (NotOpened::Damaged | NotOpened::Plain)) = &opened {
                tracing::error!("{}", refused.at(place));
            }
            NotOpened::unless_damaged(opened, place)
        }
        let bytes = bytes.map(|(place, stored)| or_damaged(keys.open_bytes(&place, stored), &place)).transpose()?;
        let json = json.map(|(place, stored)| or_damaged(keys.open_text(&place, stored), &place)).transpose()?;
        Ok(Self::read(model, bytes.flatten().as_deref(), json.flatten().as_deref()))
    }

    /// Reads the embedding of a row: from `bytes` (little-endian `f32`), from `json` (an array of numbers) when there
    /// are no usable bytes, `None` when neither is a direction.
    pub(in crate::store) fn read(model: Option<&ModelId>, bytes: Option<&[u8]>, json: Option<&str>) -> Option<Self> {
        let from_bytes = bytes.map(<[u8]>::as_chunks::<4>).filter(|(_, rest)| rest.is_empty());
        let candidates = [
            from_bytes.map(|(chunks, _)| chunks.iter().map(|c| f32::from_le_bytes(*c)).collect::<Vec<_>>()),
            json.and_then(|text| serde_json::from_str(text).ok()),
        ];
        candidates.into_iter().flatten().find_map(|values| {
            let embedding = Embedding::from_raw(model.cloned().unwrap_or_else(|| ModelId::new("")), &values).ok()?;
            Some(if model.is_some() { Self::Tagged(embedding) } else { Self::Legacy(LegacyVector(values)) })
        })
    }
}

/// Returns the embedding as the existing service's columns hold it: a JSON array of numbers.
#[must_use]
pub fn embedding_text(embedding: &Embedding) -> String {
    serde_json::json!(embedding.values()).to_string()
}

/// An embedding that does not say which model made it, and is matched against nothing until the operator does.
#[derive(Clone, PartialEq)]
pub struct LegacyVector(Vec<f32>);

impl LegacyVector {
    /// Returns the number of values, a first check against a model.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.0.len()
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(in crate::store) fn values(&self) -> &[f32] {
        &self.0
    }

    /// Returns the embedding, on the operator's word that `model` made it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) when the values are no direction.
    pub fn with_model(&self, model: ModelId) -> Result<Embedding> {
        Embedding::from_raw(model, &self.0)
    }
}

/// Shows the dimension, never the values.
impl fmt::Debug for LegacyVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LegacyVector({}-d)", self.0.len())
    }
}
