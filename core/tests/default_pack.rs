//! The default pack against the networks it was converted from.
//!
//! `models/convert/recorded` holds what the original weights say under a runtime of their own (TensorFlow.js for
//! MediaPipe's, the ONNX project's reference evaluator for SFace), on a picture of pseudo-random pixels and on a real
//! face. Tolerances are shares of an output's largest value, or of 1 for outputs that stay below it. The two
//! MediaPipe networks hold weights that are float16 already, so only the order of additions differs: 1.3e-6 was
//! measured. SFace multiplies in 8 bits, and its embedding is a direction: the cosine counts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use std::collections::BTreeMap;
use std::path::Path;

use faceattend_core::internals::ModelSession;
use faceattend_core::models::{ModelSource, RuntimeOptions};
use serde::Deserialize;

const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models");

#[derive(Deserialize)]
struct Index {
    recordings: Vec<Recording>,
}

#[derive(Deserialize)]
struct Recording {
    model: String,
    input: Input,
    outputs: BTreeMap<String, Place>,
}

#[derive(Deserialize)]
struct Input {
    source: String,
    #[serde(default)]
    seed: u32,
    #[serde(default)]
    top: usize,
    #[serde(default)]
    left: usize,
    height: usize,
    width: usize,
}

/// Where an output lies in `outputs.bin`, counted in values.
#[derive(Deserialize)]
struct Place {
    offset: usize,
    shape: Vec<usize>,
}

impl Input {
    /// RGB pixels, row by row.
    fn pixels(&self) -> Vec<u8> {
        if self.source == "noise" {
            // The generator of `record.mjs`: a linear congruential one, of which the upper byte is used.
            let mut state = self.seed;
            let next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            return std::iter::repeat_with(next).take(3 * self.height * self.width).collect();
        }
        let image = image::open(Path::new(MODELS).join("convert/recorded").join(&self.source)).unwrap().to_rgb8();
        let rows = self.top..self.top + self.height;
        rows.flat_map(|y| (self.left..self.left + self.width).map(move |x| (x, y)))
            .flat_map(|(x, y)| image.get_pixel(u32::try_from(x).unwrap(), u32::try_from(y).unwrap()).0)
            .collect()
    }

    /// Channel by channel, each value through `prepare`.
    fn tensor(&self, prepare: impl Fn(f32) -> f32) -> Vec<f32> {
        let pixels = self.pixels();
        (0..3).flat_map(|c| pixels.iter().skip(c).step_by(3)).map(|&value| prepare(f32::from(value))).collect()
    }
}

fn recordings() -> (Vec<Recording>, Vec<f32>) {
    let folder = Path::new(MODELS).join("convert/recorded");
    let index: Index = serde_json::from_str(&std::fs::read_to_string(folder.join("index.json")).unwrap()).unwrap();
    let bytes = std::fs::read(folder.join("outputs.bin")).unwrap();
    let values = bytes.as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect();
    (index.recordings, values)
}

/// Every recording of `model` agrees to within `tolerance`.
fn agrees(model: &str, prepare: impl Fn(f32) -> f32, tolerance: f32) {
    let source = ModelSource::File(Path::new(MODELS).join("default").join(format!("{model}.onnx")));
    let mut session = ModelSession::load(&source, &RuntimeOptions::default()).unwrap();
    let (recordings, values) = recordings();
    let mut compared = 0;
    for recording in recordings.iter().filter(|recording| recording.model == model) {
        let Input { height, width, .. } = recording.input;
        let data = recording.input.tensor(&prepare);
        session
            .run([1, 3, height, width], &data, |outputs| {
                for (name, place) in &recording.outputs {
                    let expected = &values[place.offset..][..place.shape.iter().product()];
                    let found = outputs.named(name)?;
                    assert_eq!(found.len(), expected.len(), "{model} {name} at {width}x{height}");
                    let largest = expected.iter().fold(1.0_f32, |most, value| most.max(value.abs()));
                    let error = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    assert!(error <= tolerance * largest, "{model} {name} at {width}x{height}: off by {error}");
                    compared += 1;
                }
                Ok(())
            })
            .unwrap();
    }
    assert!(compared >= 2, "nothing was compared");
}

#[test]
fn blazeface_says_what_the_original_says_at_two_sizes() {
    agrees("blazeface", |value| value / 127.5 - 1.0, 1e-5);
}

#[test]
fn the_face_mesh_says_what_the_original_says() {
    agrees("face-mesh", |value| value / 255.0, 1e-5);
}

/// 0.9984 was measured on the face and 0.9949 on the pseudo-random pixels, which are far from what the network was
/// made for.
#[test]
fn sface_points_where_the_original_points() {
    let source = ModelSource::File(Path::new(MODELS).join("default/sface.onnx"));
    let mut session = ModelSession::load(&source, &RuntimeOptions::default()).unwrap();
    let (recordings, values) = recordings();
    let mut compared = 0;
    for recording in recordings.iter().filter(|recording| recording.model == "sface") {
        let expected = &values[recording.outputs["embedding"].offset..][..128];
        let input = recording.input.tensor(|value| value);
        let found = session.run([1, 3, 112, 112], &input, |outputs| Ok(outputs.named("embedding")?.to_vec())).unwrap();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let cosine = dot(&found, expected) / (dot(&found, &found) * dot(expected, expected)).sqrt();
        let least = if recording.input.source == "noise" { 0.994 } else { 0.998 };
        assert!(cosine >= least, "{}: cosine {cosine}", recording.input.source);
        compared += 1;
    }
    assert_eq!(compared, 2);
}
