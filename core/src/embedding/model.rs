//! Embedding models: their specification and their runs.

use serde::{Deserialize, Serialize};

use super::Embedding;
use crate::alignment::Template;
use crate::calibration::Calibration;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::Landmarks5;
use crate::models::session::ModelSession;
use crate::preprocess::{Normalization, warp};
use crate::types::ModelId;

/// The specification of an embedding model: its input and its embeddings.
///
/// ```
/// use faceattend_core::alignment::Template;
/// use faceattend_core::embedding::{Calibration, EmbedderSpec, Flip, Normalization};
/// use faceattend_core::{ChannelOrder, Engine, ModelId};
///
/// let spec = EmbedderSpec {
///     model: ModelId::new("my-arcface"),
///     template: Template::arcface112(),
///     normalization: Normalization::uniform(ChannelOrder::Rgb, 127.5, 127.5),
///     calibration: Calibration::arcface(),
///     flip: Flip::Off,
/// };
/// let builder = Engine::builder().with_embedder_file("my-arcface.onnx", Some(spec));
/// # drop(builder);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EmbedderSpec {
    /// The tag of its embeddings.
    pub model: ModelId,
    /// The places of the five points in its input.
    pub template: Template,
    /// The normalization of pixels that it expects.
    pub normalization: Normalization,
    /// The map from its cosine to similarity.
    pub calibration: Calibration,
    /// Whether the mirrored face is embedded too and both are averaged.
    pub flip: Flip,
}

/// Whether a face is embedded together with its mirror image.
///
/// ```
/// use faceattend_core::Engine;
/// use faceattend_core::embedding::Flip;
///
/// let engine = Engine::builder().with_flip(Flip::Average).build()?;
/// # drop(engine);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flip {
    /// The face alone.
    #[default]
    Off,
    /// The face and its mirror image, averaged: twice the cost for fewer errors.
    Average,
}

/// The largest number of crops in one run, which bounds the buffers.
const BATCH: usize = 8;

/// A loaded embedding model with the buffers that its runs reuse.
pub(crate) struct EmbeddingModel {
    session: ModelSession,
    spec: EmbedderSpec,
    input: Vec<f32>,
    /// The number of crops in one run: 1 for a model of fixed batch.
    batch: usize,
}

impl EmbeddingModel {
    pub(crate) fn new(session: ModelSession, spec: EmbedderSpec) -> Result<Self> {
        let shape = &session.input().shape;
        let side = i64::try_from(spec.template.size).unwrap_or(i64::MAX);
        if shape[2..].iter().any(|s| *s > 0 && *s != side) {
            return Err(Error::model(
                session.name(),
                format!("expected an input of {side}x{side} for its template, got {}x{}", shape[3], shape[2]),
            ));
        }
        if session.outputs().is_empty() {
            return Err(Error::model(session.name(), "has no output"));
        }
        let batch = if shape[0] > 0 { 1 } else { BATCH };
        Ok(Self { session, spec, input: Vec::new(), batch })
    }

    pub(crate) fn spec(&self) -> &EmbedderSpec {
        &self.spec
    }

    /// Returns the number of values of its embeddings: as the model says, or else found by one run on a black
    /// picture.
    pub(crate) fn dimension(&mut self) -> Result<usize> {
        if let [_, dimension] = self.session.outputs()[0].shape[..]
            && let Ok(dimension @ 1..) = usize::try_from(dimension)
        {
            return Ok(dimension);
        }
        let size = self.spec.template.size;
        let black = vec![0.0; 3 * size * size];
        self.session.run([1, 3, size, size], &black, |outputs| Ok(outputs.at(0)?.1.len()))
    }

    /// Embeds the faces at `landmarks`; `None` where the points give no alignment.
    pub(crate) fn run(
        &mut self,
        frame: &Frame<'_>,
        landmarks: &[Landmarks5],
        embeddings: &mut Vec<Option<Embedding>>,
    ) -> Result<()> {
        let size = self.spec.template.size;
        let plane = 3 * size * size;
        let views = if self.spec.flip == Flip::Average { 2 } else { 1 };
        for batch in landmarks.chunks(self.batch) {
            self.input.resize(batch.len() * views * plane, 0.0);
            let mut aligned = [false; BATCH];
            for ((points, crops), aligned) in
                batch.iter().zip(self.input.chunks_exact_mut(views * plane)).zip(&mut aligned)
            {
                let map = self.spec.template.align(points).and_then(|map| map.inverse());
                *aligned = map.is_some();
                let Some(map) = map else { continue };
                let (crop, mirrored) = crops.split_at_mut(plane);
                warp(frame, &map, size, &self.spec.normalization, crop);
                for (row, source) in mirrored.chunks_exact_mut(size).zip(crop.chunks_exact(size)) {
                    row.copy_from_slice(source);
                    row.reverse();
                }
            }
            let model = &self.spec.model;
            let runs = if self.batch == 1 { views } else { 1 };
            let per_run = batch.len() * views / runs;
            let mut sums: Vec<Vec<f32>> = vec![Vec::new(); batch.len()];
            for (run, input) in self.input.chunks_exact(per_run * plane).enumerate() {
                self.session.run([per_run, 3, size, size], input, |outputs| {
                    let (_, values) = outputs.at(0)?;
                    let dimension = values.len() / per_run;
                    for (i, raw) in values.chunks_exact(dimension.max(1)).enumerate() {
                        add_unit(&mut sums[(run * per_run + i) / views], raw);
                    }
                    Ok(())
                })?;
            }
            for (raw, aligned) in sums.iter().zip(aligned) {
                // A network that answers with no direction has seen no face.
                embeddings.push(if aligned { Embedding::from_raw(model.clone(), raw).ok() } else { None });
            }
        }
        Ok(())
    }
}

/// Adds `raw`, scaled to unit length, to `sum`.
fn add_unit(sum: &mut Vec<f32>, raw: &[f32]) {
    let norm = raw.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    sum.resize(raw.len(), 0.0);
    for (total, value) in sum.iter_mut().zip(raw) {
        *total += value / norm;
    }
}
