//! The default pack on head turns of known yaw (`examples/media`), and, where the clips are at hand, on real ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]
#![expect(clippy::print_stderr, reason = "figures for the documents, and why something is skipped")]

use std::fs;
use std::path::Path;

use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::embedding::Embedding;
use faceattend_core::engine::{AnalyzeOptions, Depth, Engine, Face, FaceEngine as _, Selection};
use faceattend_core::frame::Frame;
use serde::Deserialize;

const MEDIA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/media");

#[derive(Deserialize)]
struct Index {
    stills: Vec<Still>,
}

#[derive(Deserialize)]
struct Still {
    file: String,
    person: String,
    yaw_degrees: f32,
}

/// The largest face of `frame`, with pose and embedding.
fn face(engine: &Engine, frame: &Frame<'_>) -> Option<Face> {
    let options = AnalyzeOptions::default().with_depth(Depth::Embedding).with_selection(Selection::Largest);
    engine.analyze(frame, &options).unwrap().faces.into_iter().next()
}

fn cosine(a: &Embedding, b: &Embedding) -> f32 {
    a.values().iter().zip(b.values()).map(|(a, b)| a * b).sum()
}

#[test]
fn rendered_turns_are_found_at_every_angle_and_read_near_their_yaw() {
    let engine = Engine::builder().build().unwrap();
    let index: Index = serde_json::from_slice(&fs::read(Path::new(MEDIA).join("index.json")).unwrap()).unwrap();
    let mut ahead: Option<(String, Embedding)> = None;
    let mut errors = Vec::new();
    let mut missed = Vec::new();
    for Still { file, person, yaw_degrees } in &index.stills {
        let bytes = fs::read(Path::new(MEDIA).join(file)).unwrap();
        let frame = decode(&bytes, &DecodeLimits::default()).unwrap();
        let Some(face) = face(&engine, &frame) else {
            missed.push(file.as_str());
            continue;
        };
        let (yaw, embedding) = (face.pose.unwrap().yaw.0, face.embedding.unwrap());
        // `center.jpg` is everybody's first.
        if ahead.as_ref().is_none_or(|(of, _)| of != person) {
            ahead = Some((person.clone(), embedding.clone()));
        }
        let to_ahead = cosine(&embedding, &ahead.as_ref().unwrap().1);
        eprintln!("{file:24} yaw {yaw_degrees:+5.0} read {yaw:+6.1}  cosine to center {to_ahead:.3}");
        // The mesh's depth is an estimate, and a reading's own error is about 4 degrees: 10 tells a wrong sign or scale
        // from both. Ahead there is no depth to be wrong about.
        let tolerance = if *yaw_degrees == 0.0 { 5.0 } else { 10.0 };
        assert!((yaw - yaw_degrees).abs() <= tolerance, "{file}: read {yaw}");
        errors.push((yaw - yaw_degrees).abs());
    }
    assert!(missed.is_empty(), "no face in {missed:?}");
    let mean = errors.iter().sum::<f32>() / errors.len() as f32;
    eprintln!("mean error {mean:.2} degrees over {} stills", errors.len());
    assert!(mean < 4.0, "{mean}");
}
