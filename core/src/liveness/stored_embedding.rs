//! The form of an embedding in a stored session: its model, and its little-endian `f32` bytes in base64.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::embedding::Embedding;
use crate::types::ModelId;

#[derive(Serialize, Deserialize)]
struct Stored {
    model: ModelId,
    f32le: String,
}

pub(super) fn serialize<S: Serializer>(embedding: &Embedding, serializer: S) -> Result<S::Ok, S::Error> {
    let f32le = BASE64_STANDARD.encode(embedding.to_bytes());
    Stored { model: embedding.model().clone(), f32le }.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Embedding, D::Error> {
    let stored = Stored::deserialize(deserializer)?;
    let bytes = BASE64_STANDARD.decode(stored.f32le).map_err(de::Error::custom)?;
    Embedding::from_bytes(stored.model, &bytes).map_err(de::Error::custom)
}
