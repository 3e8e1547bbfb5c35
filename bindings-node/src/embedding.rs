//! Embeddings, as plain objects that survive `structuredClone` and `postMessage`.

use faceattend_core::Result;
use faceattend_core::embedding::Embedding as CoreEmbedding;
use faceattend_core::types::ModelId;
use napi::bindgen_prelude::Float32Array;
use napi_derive::napi;

/// A face as a vector. Keep it as the personal datum that it is: no logs, no caches.
#[napi(object)]
pub struct Embedding {
    /// The model that made it. Embeddings of different models cannot be compared.
    pub model: String,
    /// A unit vector: 128 values with the default models, 512 with ArcFace-class ones.
    pub values: Float32Array,
}

impl From<&CoreEmbedding> for Embedding {
    fn from(embedding: &CoreEmbedding) -> Self {
        Self { model: embedding.model().to_string(), values: Float32Array::new(embedding.values().to_vec()) }
    }
}

/// The core's embedding of `embedding`; values of any length other than 0 are brought to unit length.
pub(crate) fn take(embedding: &Embedding) -> Result<CoreEmbedding> {
    CoreEmbedding::from_raw(ModelId::new(embedding.model.as_str()), &embedding.values)
}

pub(crate) fn take_all(embeddings: &[Embedding]) -> Result<Vec<CoreEmbedding>> {
    embeddings.iter().map(take).collect()
}
