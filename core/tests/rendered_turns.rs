//! The default pack on head turns of known yaw (`examples/media`), and, where recordings of real turns are at hand, on
//! those: do the two behave alike?

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

#[path = "common/opencv.rs"]
mod opencv;

use std::fs;
use std::path::Path;

use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::embedding::Embedding;
use faceattend_core::engine::{AnalyzeOptions, Depth, Engine, Face, Selection};
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
        // The mesh's depth is an estimate, and a reading's own error is about 4 degrees: 10 tells a wrong sign or
        // scale from both. Ahead there is no depth to be wrong about.
        let tolerance = if *yaw_degrees == 0.0 { 5.0 } else { 10.0 };
        assert!((yaw - yaw_degrees).abs() <= tolerance, "{file}: read {yaw}");
        errors.push((yaw - yaw_degrees).abs());
    }
    assert!(missed.is_empty(), "no face in {missed:?}");
    let mean = errors.iter().sum::<f32>() / errors.len() as f32;
    eprintln!("mean error {mean:.2} degrees over {} stills", errors.len());
    assert!(mean < 4.0, "{mean}");
}

/// A reading: the yaw, and the cosine to the same person's picture ahead.
type Reading = (f32, f32);

/// The mean cosine of the readings whose yaw is within 5 degrees of `yaw` on either side, and how many there are.
fn cosine_near(readings: &[Reading], yaw: f32) -> Option<(f32, usize)> {
    let near: Vec<f32> =
        readings.iter().filter(|(read, _)| (read.abs() - yaw).abs() <= 5.0).map(|(_, cosine)| *cosine).collect();
    (!near.is_empty()).then(|| (near.iter().sum::<f32>() / near.len() as f32, near.len()))
}

/// Every third frame of a recording, against the one that looks ahead best.
fn readings_of_clip(engine: &Engine, clip: &Path) -> Vec<Reading> {
    use faceattend_core::camera::{CameraSource, OpenOptions, open};

    let source = CameraSource::parse(clip.to_str().unwrap()).unwrap();
    let mut source = open(&source, &OpenOptions::default()).unwrap();
    let mut faces = Vec::new();
    for i in 0.. {
        let Some(frame) = source.next_frame().unwrap() else { break };
        if i % 3 == 0
            && let Some(face) = face(engine, &frame)
        {
            faces.push((face.pose.unwrap().yaw.0, face.embedding.unwrap()));
        }
    }
    let ahead = faces.iter().min_by(|a, b| a.0.abs().total_cmp(&b.0.abs())).unwrap().1.clone();
    faces.into_iter().map(|(yaw, embedding)| (yaw, cosine(&embedding, &ahead))).collect()
}

#[test]
fn rendered_and_real_turns_change_the_embedding_alike() {
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/media/video/dev");
    if !real.is_dir() {
        eprintln!("skipped: the recordings of real head turns are not here");
        return;
    }
    if !opencv::opencv_is_there() {
        return;
    }
    let engine = Engine::builder().build().unwrap();
    let rendered = ["collins", "obama", "hopper"].map(|person| Path::new(MEDIA).join(person).join("turn.avi"));
    let real = fs::read_dir(real).unwrap().map(|entry| entry.unwrap().path());
    let real: Vec<_> = real.filter(|clip| clip.to_string_lossy().contains("_real.")).collect();
    let [rendered, real] = [("rendered", &rendered[..]), ("real", &real[..])].map(|(kind, clips)| {
        let mut all = Vec::new();
        for clip in clips {
            let readings = readings_of_clip(&engine, clip);
            let (low, high) = readings.iter().fold((0f32, 0f32), |(l, h), (yaw, _)| (l.min(*yaw), h.max(*yaw)));
            eprintln!("{kind}: {} faces, yaw {low:+.0} to {high:+.0}", readings.len());
            // Some people in the recordings only sit there.
            if low > -15.0 || high < 15.0 {
                assert_eq!(kind, "real", "{}: does not turn to both sides", clip.display());
                continue;
            }
            for yaw in [0.0, 10.0, 20.0, 25.0, 30.0] {
                if let Some((cosine, count)) = cosine_near(&readings, yaw) {
                    eprintln!("    at {yaw:2} +-5: cosine {cosine:.3} ({count})");
                }
            }
            all.extend(readings);
        }
        cosine_near(&all, 25.0).unwrap().0
    });
    eprintln!("cosine at 25 degrees: rendered {rendered:.3}, real {real:.3}");
    // Measured: 0.868 and 0.489. One texture under one light changes less than a living face does, so what recognizes
    // rendered turns may still fail on real ones; the other way round, the renders would be of no use as tests.
    assert!(rendered >= real - 0.02, "a rendered head changes more than a real one");
}
