//! Embeddings, their comparison, and the models that make them.

mod model;

use std::fmt;

pub use crate::calibration::Calibration;
pub use crate::preprocess::Normalization;
pub(crate) use model::EmbeddingModel;
pub use model::{EmbedderSpec, Flip};

use crate::error::{Error, Result};
use crate::types::{Cosine, ModelId};

/// A face as a unit vector, tagged with the model that made it.
///
/// ```
/// use faceattend_core::{Embedding, ModelId};
///
/// let model = ModelId::new("example");
/// let embedding = Embedding::from_raw(model.clone(), &[3.0, 4.0])?;
/// assert_eq!(embedding.values(), [0.6, 0.8]);
/// // A log shows the model and the dimension, and no value.
/// assert_eq!(format!("{embedding:?}"), "Embedding(example, 2-d)");
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Embedding {
    model: ModelId,
    values: Box<[f32]>,
}

impl Embedding {
    /// Creates an embedding from `raw`, scaled to unit length.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when `raw` is empty, holds a value that is not finite, or has no length.
    pub fn from_raw(model: ModelId, raw: &[f32]) -> Result<Self> {
        let norm = raw.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
        if raw.is_empty() || !norm.is_finite() || norm < 1e-12 {
            return Err(Error::invalid_input(
                "embedding",
                format!("{} values of length {norm} have no direction", raw.len()),
            ));
        }
        #[expect(clippy::cast_possible_truncation, reason = "a unit vector's parts fit an f32")]
        let values = raw.iter().map(|v| (f64::from(*v) / norm) as f32).collect();
        Ok(Self { model, values })
    }

    /// Reads an embedding stored as little-endian `f32` bytes, the format of the database's `face_embedding`.
    ///
    /// ```
    /// use faceattend_core::{Embedding, ModelId};
    ///
    /// let model = ModelId::new("example");
    /// let embedding = Embedding::from_raw(model.clone(), &[3.0, 4.0])?;
    /// assert_eq!(Embedding::from_bytes(model, &embedding.to_bytes())?, embedding);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when the length is no multiple of four or the values are no direction.
    pub fn from_bytes(model: ModelId, bytes: &[u8]) -> Result<Self> {
        let (chunks, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(Error::invalid_input("embedding", format!("{} bytes are no whole number of f32", bytes.len())));
        }
        Self::from_raw(model, &chunks.iter().map(|c| f32::from_le_bytes(*c)).collect::<Vec<_>>())
    }

    /// Returns the values as little-endian `f32` bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    /// Returns the unit-length direction between several embeddings of one person.
    ///
    /// ```
    /// use faceattend_core::{Embedding, ModelId};
    ///
    /// let model = ModelId::new("example");
    /// let view = |values: &[f32]| Embedding::from_raw(model.clone(), values);
    /// let views = [view(&[1.0, 0.0])?, view(&[0.0, 1.0])?];
    /// let mean = Embedding::mean(&views)?;
    /// assert!((mean.cosine(&views[0])?.0 - mean.cosine(&views[1])?.0).abs() < 1e-6);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for none, [`Error::ModelMismatch`] when they come from different models.
    pub fn mean(embeddings: &[Self]) -> Result<Self> {
        let Some(first) = embeddings.first() else {
            return Err(Error::invalid_input("embeddings", "the mean of none is undefined"));
        };
        let mut sum = vec![0.0; first.values.len()];
        for embedding in embeddings {
            first.check_comparable(embedding)?;
            for (total, value) in sum.iter_mut().zip(&embedding.values) {
                *total += value;
            }
        }
        Self::from_raw(first.model.clone(), &sum)
    }

    /// Returns the cosine to `other`.
    ///
    /// ```
    /// use faceattend_core::{Embedding, ErrorKind, ModelId};
    ///
    /// let a = Embedding::from_raw(ModelId::new("a"), &[1.0, 0.0])?;
    /// assert_eq!(a.cosine(&a)?.0, 1.0);
    /// // Embeddings of two models have nothing in common.
    /// let b = Embedding::from_raw(ModelId::new("b"), &[1.0, 0.0])?;
    /// assert_eq!(a.cosine(&b).unwrap_err().kind(), ErrorKind::ModelMismatch);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ModelMismatch`] when they come from different models.
    pub fn cosine(&self, other: &Self) -> Result<Cosine> {
        self.check_comparable(other)?;
        // In `f32` the rounding errors of some hundred products add up to more than the parts of a unit vector have.
        let dot: f64 = self.values.iter().zip(&other.values).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        #[expect(clippy::cast_possible_truncation, reason = "a cosine fits an f32")]
        Ok(Cosine(dot.clamp(-1.0, 1.0) as f32))
    }

    fn check_comparable(&self, other: &Self) -> Result<()> {
        if self.model == other.model && self.values.len() == other.values.len() {
            return Ok(());
        }
        let name = |e: &Self| format!("{} ({}-d)", e.model, e.values.len());
        Err(Error::ModelMismatch { expected: name(self), got: name(other) })
    }

    /// Returns the id of the model that made it.
    #[must_use]
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// Returns the values: a unit vector.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Says model and dimension, never values: an embedding must not reach a log.
impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedding({}, {}-d)", self.model, self.values.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(name: &str) -> ModelId {
        ModelId::new(name)
    }

    #[test]
    fn embeddings_of_different_models_do_not_compare() {
        let a = Embedding::from_raw(model("a"), &[1.0, 0.0]).unwrap();
        let b = Embedding::from_raw(model("b"), &[1.0, 0.0]).unwrap();
        assert!(matches!(a.cosine(&b), Err(Error::ModelMismatch { .. })));
        let longer = Embedding::from_raw(model("a"), &[1.0, 0.0, 0.0]).unwrap();
        assert!(a.cosine(&longer).is_err());
    }

    #[test]
    fn no_direction_is_no_embedding() {
        for bad in [&[][..], &[0.0, 0.0], &[f32::NAN, 1.0], &[f32::INFINITY, 1.0]] {
            assert!(Embedding::from_raw(model("a"), bad).is_err(), "{bad:?}");
        }
        assert!(Embedding::from_bytes(model("a"), &[1, 2, 3]).is_err());
    }

    #[test]
    fn debug_shows_no_value() {
        let text = format!("{:?}", Embedding::from_raw(model("m"), &[0.6, 0.8]).unwrap());
        assert_eq!(text, "Embedding(m, 2-d)");
    }

    proptest! {
        #[test]
        fn bytes_bring_the_values_back(raw in prop::collection::vec(-10.0f32..10.0, 1..600)) {
            prop_assume!(raw.iter().any(|v| v.abs() > 0.01));
            let embedding = Embedding::from_raw(model("m"), &raw).unwrap();
            let back = Embedding::from_bytes(model("m"), &embedding.to_bytes()).unwrap();
            prop_assert!(embedding.cosine(&back).unwrap().0 > 0.999_999);
        }
    }
}
