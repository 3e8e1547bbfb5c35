//! An engine that reads a marker instead of a face: the two 16x16 blocks at the top left tell pose and identity, so
//! every figure that follows is known exactly. For tests only.

use faceattend_core::Result;
use faceattend_core::embedding::{Calibration, Embedding};
use faceattend_core::engine::{Analysis, AnalyzeOptions, Depth, Embedder, Face, FaceEngine};
use faceattend_core::frame::Frame;
use faceattend_core::geometry::Rect;
use faceattend_core::pose::Pose;
use faceattend_core::types::{Degrees, ModelId};

const DIMENSION: usize = 512;
/// The constants by which SCRFD-2.5G's nose offset gives the yaw (DESIGN.md).
const YAW_SLOPE: f32 = 0.935;
const YAW_BIAS: f32 = -0.017;

/// What a color stands for: the yaws of its faces, and whether they have an embedding.
const COLORS: [([f32; 3], &[f32], bool); 10] = [
    ([0.0, 0.0, 0.0], &[], false),
    ([0.0, 255.0, 0.0], &[0.0], true),
    ([255.0, 0.0, 0.0], &[-20.0], true),
    ([0.0, 0.0, 255.0], &[20.0], true),
    ([255.0, 255.0, 0.0], &[8.0], true),
    ([255.0, 128.0, 0.0], &[3.0], true),
    ([255.0, 255.0, 255.0], &[0.0, 0.0], true),
    ([255.0, 0.0, 255.0], &[0.0], false),
    ([0.0, 255.0, 255.0], &[0.0], true),
    ([0.0, 128.0, 255.0], &[0.0], true),
];
/// Where the faces of the last two colors look, in degrees upwards; all others look level.
const PITCHES: [(usize, f32); 2] = [(8, 14.0), (9, -14.0)];

pub struct MarkerEngine {
    embedder: Embedder,
}

impl MarkerEngine {
    pub fn new() -> Self {
        let model = ModelId::new("marker");
        Self { embedder: Embedder::new(model, DIMENSION, Calibration::arcface()) }
    }

    fn face(
        &self,
        at: usize,
        frame: &Frame<'_>,
        [yaw, pitch]: [f32; 2],
        identity: Option<u32>,
        depth: Depth,
    ) -> Result<Face> {
        #[expect(clippy::cast_precision_loss, reason = "a test's small numbers")]
        let (width, height) = (frame.width() as f32 / (at + 1) as f32, frame.height() as f32);
        let mut face = Face::detected(Rect::new(0.0, 0.0, width, height), 0.9, None);
        if depth >= Depth::Pose {
            let nose_offset = (yaw.to_radians().tan() - YAW_BIAS) / YAW_SLOPE;
            let mut pose = Pose::default();
            (pose.yaw, pose.pitch, pose.nose_offset) = (Degrees(yaw), Degrees(pitch), nose_offset);
            face.pose = Some(pose);
        }
        if let (true, Some(identity)) = (depth >= Depth::Embedding, identity) {
            face.embedding = Some(Embedding::from_raw(self.embedder.model.clone(), &vector(identity, yaw, pitch))?);
        }
        Ok(face)
    }
}

impl FaceEngine for MarkerEngine {
    fn analyze(&self, frame: &Frame<'_>, options: &AnalyzeOptions) -> Result<Analysis> {
        if frame.width() < 32 || frame.height() < 16 {
            return Ok(Analysis::default());
        }
        let color = mean(frame, 0);
        let distance = |other: &[f32; 3]| color.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        let nearest = COLORS.iter().enumerate().min_by(|(_, a), (_, b)| distance(&a.0).total_cmp(&distance(&b.0)));
        let Some((color, (_, yaws, embeds))) = nearest else { return Ok(Analysis::default()) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of bytes")]
        let identity = embeds.then_some((mean(frame, 16)[1] / 16.0).round() as u32);
        let pitch = PITCHES.iter().find(|(of, _)| *of == color).map_or(0.0, |(_, pitch)| *pitch);
        let faces = yaws
            .iter()
            .enumerate()
            .map(|(at, yaw)| self.face(at, frame, [*yaw, pitch], identity, options.depth))
            .collect::<Result<_>>()?;
        Ok(Analysis::of(faces))
    }

    fn embedder(&self) -> &Embedder {
        &self.embedder
    }
}

/// The mean color of the inner 8x8 of the block that begins at `x`.
fn mean(frame: &Frame<'_>, x: u32) -> [f32; 3] {
    let mut sum = [0.0; 3];
    for (dx, dy) in (4..12).flat_map(|dx| (4..12).map(move |dy| (dx, dy))) {
        let pixel = frame.rgb(x + dx, dy).unwrap_or_default();
        for (total, value) in sum.iter_mut().zip(pixel) {
            *total += f32::from(value) / 64.0;
        }
    }
    sum
}

/// Center e0; left .8 e0 + .6 e1; right .8 e0 - .2 e1 + .5657 e2, over three directions that belong to the identity.
fn vector(identity: u32, yaw: f32, pitch: f32) -> Vec<f32> {
    let [e0, e1, e2] = directions(identity);
    let [a, b, c] = match yaw {
        y if y < -15.0 => [0.8, 0.6, 0.0],
        y if y > 15.0 => [0.8, -0.2, 0.32_f32.sqrt()],
        _ if pitch > 0.0 => [0.9, 0.0, 0.19_f32.sqrt()],
        _ if pitch < 0.0 => [0.9, 0.0, -0.19_f32.sqrt()],
        _ => [1.0, 0.0, 0.0],
    };
    (0..DIMENSION).map(|i| a * e0[i] + b * e1[i] + c * e2[i]).collect()
}

fn directions(identity: u32) -> [Vec<f32>; 3] {
    let mut seed = 1000 + u64::from(identity);
    let mut found: Vec<Vec<f32>> = Vec::new();
    while found.len() < 3 {
        let mut fresh: Vec<f32> = (0..DIMENSION).map(|_| noise(&mut seed)).collect();
        for earlier in &found {
            let along: f32 = fresh.iter().zip(earlier).map(|(a, b)| a * b).sum();
            for (value, other) in fresh.iter_mut().zip(earlier) {
                *value -= along * other;
            }
        }
        let length = fresh.iter().map(|v| v * v).sum::<f32>().sqrt();
        found.push(fresh.into_iter().map(|v| v / length).collect());
    }
    let mut found = found.into_iter();
    std::array::from_fn(|_| found.next().unwrap_or_default())
}

/// SplitMix64 (Steele, Lea and Flood 2014), to [-1, 1).
fn noise(state: &mut u64) -> f32 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    #[expect(clippy::cast_precision_loss, reason = "24 bits fit an f32")]
    let unit = ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 24) as f32;
    unit * 2.0 - 1.0
}
