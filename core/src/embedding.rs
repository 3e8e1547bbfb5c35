//! Embeddings, how they compare, and the calibration that puts every model on one scale.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::alignment::Template;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::Landmarks5;
use crate::models::session::ModelSession;
use crate::preprocess::{Normalization, warp};
use crate::types::{Cosine, ModelId, Similarity};

/// A face as a unit vector, tagged with the model that made it.
#[derive(Clone, PartialEq)]
pub struct Embedding {
    model: ModelId,
    values: Box<[f32]>,
}

impl Embedding {
    /// The embedding of `raw`, scaled to unit length.
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

    /// The embedding stored as little-endian `f32` bytes, the format of the database's `face_embedding`.
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

    /// The values as little-endian `f32` bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    /// The unit-length direction between several embeddings of one person.
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

    /// The cosine to `other`.
    ///
    /// # Errors
    /// [`Error::ModelMismatch`] when they come from different models.
    pub fn cosine(&self, other: &Self) -> Result<Cosine> {
        self.check_comparable(other)?;
        let dot: f32 = self.values.iter().zip(&other.values).map(|(a, b)| a * b).sum();
        Ok(Cosine(dot.clamp(-1.0, 1.0)))
    }

    fn check_comparable(&self, other: &Self) -> Result<()> {
        if self.model == other.model && self.values.len() == other.values.len() {
            return Ok(());
        }
        let name = |e: &Self| format!("{} ({}-d)", e.model, e.values.len());
        Err(Error::ModelMismatch { expected: name(self), got: name(other) })
    }

    /// The model that made it.
    #[must_use]
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// The values: a unit vector.
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

/// A monotone map from one model's cosine to [`Similarity`], so that a threshold means the same false match rate
/// whichever model runs. Piecewise linear through its points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Calibration {
    points: Vec<[f32; 2]>,
    strangers: Option<[f32; 2]>,
}

/// How a manifest writes a calibration: the points alone, or with how near strangers come.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Points(Vec<[f32; 2]>),
    WithStrangers { points: Vec<[f32; 2]>, strangers: [f32; 2] },
}

impl Calibration {
    /// (cosine + 1) / 2: the scale of ArcFace-class models, on which the others are calibrated.
    #[must_use]
    pub fn arcface() -> Self {
        Self { points: vec![[-1.0, 0.0], [1.0, 1.0]], strangers: None }
    }

    /// A calibration through `points` of [cosine, similarity].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless both columns rise strictly, from [-1, 0] to [1, 1].
    pub fn new(points: Vec<[f32; 2]>) -> Result<Self> {
        let rising = points.windows(2).all(|w| w[0][0] < w[1][0] && w[0][1] < w[1][1]);
        if !rising || points.first() != Some(&[-1.0, 0.0]) || points.last() != Some(&[1.0, 1.0]) {
            return Err(Error::invalid_input("calibration", "the points must rise strictly from [-1, 0] to [1, 1]"));
        }
        Ok(Self { points, strangers: None })
    }

    /// Returns the calibration with the mean and the spread (standard deviation) of the cosine between two people,
    /// where they were measured.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless the mean lies in [-1, 1] and the spread is above 0 and at most 1.
    pub fn with_strangers(mut self, mean: f32, spread: f32) -> Result<Self> {
        if !((-1.0..=1.0).contains(&mean) && spread > 0.0 && spread <= 1.0) {
            return Err(Error::invalid_input(
                "strangers of a calibration",
                format!("mean {mean} must lie in [-1, 1] and spread {spread} in (0, 1]"),
            ));
        }
        self.strangers = Some([mean, spread]);
        Ok(self)
    }

    /// Returns the mean and the spread of the cosine between two people, where they were measured.
    #[must_use]
    pub fn strangers(&self) -> Option<[f32; 2]> {
        self.strangers
    }

    /// The similarity that `cosine` stands for.
    #[must_use]
    pub fn similarity(&self, cosine: Cosine) -> Similarity {
        Similarity::new(interpolate(&self.points, cosine.0, 0, 1))
    }

    /// The cosine that `similarity` stands for: the inverse of [`Self::similarity`].
    #[must_use]
    pub fn cosine(&self, similarity: Similarity) -> Cosine {
        Cosine(interpolate(&self.points, similarity.value(), 1, 0))
    }
}

fn interpolate(points: &[[f32; 2]], at: f32, from: usize, to: usize) -> f32 {
    if at.is_nan() {
        return f32::NAN;
    }
    // `new` and `arcface` guarantee two points; outside their range the end segments hold the clamped ends.
    let next = points.partition_point(|p| p[from] <= at).clamp(1, points.len() - 1);
    let (a, b) = (points[next - 1], points[next]);
    let t = ((at - a[from]) / (b[from] - a[from])).clamp(0.0, 1.0);
    a[to] + t * (b[to] - a[to])
}

impl Default for Calibration {
    fn default() -> Self {
        Self::arcface()
    }
}

impl TryFrom<Vec<[f32; 2]>> for Calibration {
    type Error = Error;

    fn try_from(points: Vec<[f32; 2]>) -> Result<Self> {
        Self::new(points)
    }
}

impl TryFrom<Written> for Calibration {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self> {
        match written {
            Written::Points(points) => Self::new(points),
            Written::WithStrangers { points, strangers: [mean, spread] } => {
                Self::new(points)?.with_strangers(mean, spread)
            }
        }
    }
}

impl From<Calibration> for Written {
    fn from(Calibration { points, strangers }: Calibration) -> Self {
        match strangers {
            None => Self::Points(points),
            Some(strangers) => Self::WithStrangers { points, strangers },
        }
    }
}

/// What an embedding model wants and what its embeddings are.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbedderSpec {
    /// The tag of its embeddings.
    pub model: ModelId,
    /// Where it wants the five points.
    pub template: Template,
    /// What it wants of a pixel.
    pub normalization: Normalization,
    /// From its cosine to similarity.
    pub calibration: Calibration,
    /// Whether the mirrored face is embedded too and both are averaged.
    pub flip: Flip,
}

/// Whether a face is embedded together with its mirror image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flip {
    /// The face alone.
    #[default]
    Off,
    /// The face and its mirror image, averaged: twice the cost for fewer errors.
    Average,
}

/// How many crops are taken in one run, so that a crowd does not grow the buffers without bound.
const BATCH: usize = 8;

/// A loaded embedding model with the buffers that its runs reuse.
pub(crate) struct EmbeddingModel {
    session: ModelSession,
    spec: EmbedderSpec,
    input: Vec<f32>,
    /// How many crops one run takes: 1 for a model of fixed batch.
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

    /// The number of values of its embeddings: as the model says, or else found by one run on a black picture.
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

    /// The embeddings of the faces at `landmarks`; `None` where the points give no alignment.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(name: &str) -> ModelId {
        ModelId::new(name)
    }

    #[test]
    fn the_documented_threshold_is_cosine_point_four() {
        let similarity = Calibration::arcface().similarity(Cosine(0.4));
        assert!((similarity.value() - 0.7).abs() < 1e-6);
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

    #[test]
    fn a_calibration_that_falls_or_stops_short_is_refused() {
        for bad in [
            vec![],
            vec![[-1.0, 0.0]],
            vec![[-1.0, 0.0], [0.5, 0.9], [0.6, 0.8], [1.0, 1.0]],
            vec![[-1.0, 0.0], [0.9, 1.0]],
            vec![[-1.0, 0.0], [f32::NAN, 0.5], [1.0, 1.0]],
        ] {
            assert!(Calibration::new(bad.clone()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_calibration_is_read_as_it_was_written() {
        let with = Calibration::arcface().with_strangers(0.1, 0.09).unwrap();
        for calibration in [Calibration::arcface(), with] {
            let text = serde_json::to_string(&calibration).unwrap();
            assert_eq!(serde_json::from_str::<Calibration>(&text).unwrap(), calibration, "{text}");
        }
        let bad = r#"{"points": [[-1, 0], [1, 1]], "strangers": [0.1, 0]}"#;
        assert!(serde_json::from_str::<Calibration>(bad).is_err());
    }

    proptest! {
        #[test]
        fn bytes_bring_the_values_back(raw in prop::collection::vec(-10.0f32..10.0, 1..600)) {
            prop_assume!(raw.iter().any(|v| v.abs() > 0.01));
            let embedding = Embedding::from_raw(model("m"), &raw).unwrap();
            let back = Embedding::from_bytes(model("m"), &embedding.to_bytes()).unwrap();
            prop_assert!(embedding.cosine(&back).unwrap().0 > 0.999_999);
        }

        #[test]
        fn a_calibration_rises_and_inverts(a in -1.0f32..1.0, b in -1.0f32..1.0) {
            let calibration = Calibration::new(vec![[-1.0, 0.0], [0.8, 0.5], [0.915, 0.7], [1.0, 1.0]]).unwrap();
            let of = |cosine| calibration.similarity(Cosine(cosine));
            prop_assert_eq!(a < b, of(a) < of(b));
            prop_assert!((calibration.cosine(of(a)).0 - a).abs() < 1e-4);
        }
    }
}
