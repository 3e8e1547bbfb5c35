//! Every stage against reference outputs recorded from Python (onnxruntime, NumPy, OpenCV) on 29 real photographs.
//!
//! The references lie beside the project, not in it: without `../shared/media/golden.json` these tests skip and say
//! so.
//!
//! Tolerances. Boxes and points differ because the reference pads its input to a square and resizes with OpenCV's
//! 11-bit fixed point, ours to a multiple of 32 and in floating point: the least overlap seen is .980, the largest
//! distance of a point .011 of the face's width. An embedding sees that through the alignment: the least cosine seen
//! is .9988. MiniFASNet sees 80 x 80 pixels and is the most sensitive: .035 at most.

#![allow(clippy::print_stderr, reason = "a skipped test says why")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use std::path::{Path, PathBuf};

use faceattend_core::alignment::Template;
use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::detection::{DetectOptions, InputSize};
use faceattend_core::embedding::Normalization;
use faceattend_core::embedding::{Calibration, EmbedderSpec, Flip};
use faceattend_core::engine::{AnalyzeOptions, Antispoof, Depth, Engine, EngineBuilder, Face};
use faceattend_core::frame::{ChannelOrder, Frame};
use faceattend_core::geometry::{Landmarks5, Point, Rect};
use faceattend_core::pose::{Pose, PoseFit};
use faceattend_core::types::ModelId;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    file: String,
    detect: std::collections::BTreeMap<String, Vec<Reference>>,
    primary: Option<Primary>,
}

#[derive(Deserialize)]
struct Reference {
    score: f32,
    #[serde(rename = "box")]
    bbox: [f32; 4],
    kps: [[f32; 2]; 5],
}

#[derive(Deserialize)]
struct Primary {
    #[serde(rename = "box")]
    bbox: [f32; 4],
    kps: [[f32; 2]; 5],
    umeyama_2x3: [[f32; 3]; 2],
    emb_paddle_l2: Vec<f32>,
    emb_foamliu_l2: Vec<f32>,
    nose_offset: f32,
    yaw_affine_ratio_deg: f32,
    minifas_v2_softmax: [f32; 3],
    minifas_v1se_softmax: [f32; 3],
}

fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if folder.join("media/golden.json").is_file() {
        return Some(folder);
    }
    eprintln!("skipped: the reference outputs in ../shared/media are not here");
    None
}

fn golden(shared: &Path) -> Vec<(Golden, Frame<'static>)> {
    let text = std::fs::read_to_string(shared.join("media/golden.json")).unwrap();
    let entries: Vec<Golden> = serde_json::from_str(&text).unwrap();
    assert!(entries.len() >= 29, "the references have shrunk");
    let frame = |entry: &Golden| {
        decode(&std::fs::read(shared.join("media").join(&entry.file)).unwrap(), &DecodeLimits::default()).unwrap()
    };
    entries
        .into_iter()
        .map(|entry| {
            let f = frame(&entry);
            (entry, f)
        })
        .collect()
}

fn rect([x1, y1, x2, y2]: [f32; 4]) -> Rect {
    Rect::new(x1, y1, x2, y2)
}

fn points(kps: [[f32; 2]; 5]) -> Landmarks5 {
    Landmarks5(kps.map(|[x, y]| Point::new(x, y)))
}

fn nearest<'a>(faces: &'a [Face], to: &Rect) -> Option<&'a Face> {
    faces.iter().max_by(|a, b| a.bbox.iou(to).total_cmp(&b.bbox.iou(to)))
}

/// An engine with the detector and ArcFace-class embedder at these paths.
fn builder(shared: &Path, detector: &str, embedder: &str, normalization: Normalization) -> EngineBuilder {
    let spec = EmbedderSpec {
        model: ModelId::new("reference"),
        template: Template::arcface112(),
        normalization,
        calibration: Calibration::arcface(),
        flip: Flip::Off,
    };
    Engine::builder()
        .with_detector_file(shared.join("models/detect").join(detector), None)
        .with_embedder_file(shared.join("models/embed").join(embedder), Some(spec))
}

fn paddle(shared: &Path, detector: &str) -> EngineBuilder {
    let normalization = Normalization::uniform(ChannelOrder::Bgr, 127.5, 127.5);
    builder(shared, detector, "arcface_mobilefacenet_paddle_128.onnx", normalization)
}

/// How far two runs of one detector may be apart, on pictures that were decoded and resized by different programs.
const SCORES_DIFFER_BY: f32 = 0.02;

#[test]
fn detectors_find_the_faces_that_the_reference_finds() {
    let Some(shared) = shared() else { return };
    let golden = golden(&shared);
    for (file, key) in [
        ("scrfd_2.5g_bnkps.onnx", "scrfd_2.5g@640"),
        ("det_500m.onnx", "det_500m@640"),
        ("face_detection_yunet_2026may.onnx", "yunet@640"),
        ("yolov5n-0.5-face.onnx", "yolov5n-0.5@640"),
    ] {
        let fixed = DetectOptions::default().with_input_size(InputSize::Fixed(640));
        let engine = paddle(&shared, file).with_detect_options(fixed).build().unwrap();
        let mut compared = 0;
        for (entry, frame) in &golden {
            let options = AnalyzeOptions::default().with_depth(Depth::Detection);
            let faces = engine.analyze(frame, &options).unwrap().faces;
            // What is as near to the lowest score, 0.5, as scores may differ is found by one and not by the other.
            let sure = faces.iter().filter(|face| face.score >= 0.5 + SCORES_DIFFER_BY).count();
            let scores: Vec<f32> = faces.iter().map(|face| face.score).collect();
            assert!((sure..=faces.len()).contains(&entry.detect[key].len()), "{key} on {}: {scores:?}", entry.file);
            for reference in &entry.detect[key] {
                // The reference leaves boxes at the border as the model draws them.
                let bbox = rect(reference.bbox).clipped(frame.width(), frame.height());
                let face = nearest(&faces, &bbox).unwrap();
                // Two pixels of a box of 125, and three of its points: what another resizer and another JPEG decoder
                // make of one face in YOLO5Face.
                assert!(face.bbox.iou(&bbox) > 0.97, "{key} on {}: {:?} for {bbox:?}", entry.file, face.bbox);
                assert!((face.score - reference.score).abs() < SCORES_DIFFER_BY, "{key} on {}", entry.file);
                for (ours, theirs) in face.landmarks.unwrap().0.into_iter().zip(points(reference.kps).0) {
                    let apart = ours.distance(theirs) / rect(reference.bbox).width();
                    assert!(apart < 0.025, "{key} on {}: a point is {apart} of the face's width away", entry.file);
                }
                compared += 1;
            }
        }
        assert!(compared >= 36, "{key}: {compared}");
    }
}

/// Looking small first must not change who is found. At 320 a point is half as fine, hence the wider bounds.
#[test]
fn the_automatic_size_finds_the_same_faces() {
    let Some(shared) = shared() else { return };
    let engine = paddle(&shared, "scrfd_2.5g_bnkps.onnx").build().unwrap();
    for (entry, frame) in &golden(&shared) {
        let faces = engine.analyze(frame, &AnalyzeOptions::default().with_depth(Depth::Detection)).unwrap().faces;
        let reference = &entry.detect["scrfd_2.5g@640"];
        assert_eq!(faces.len(), reference.len(), "{}", entry.file);
        for reference in reference {
            let bbox = rect(reference.bbox).clipped(frame.width(), frame.height());
            assert!(nearest(&faces, &bbox).unwrap().bbox.iou(&bbox) > 0.8, "{}", entry.file);
        }
    }
}

/// Of the very files, of which the detector's input needs a part.
#[test]
fn pictures_that_are_decoded_in_part_show_the_same_faces() {
    let Some(shared) = shared() else { return };
    let options = AnalyzeOptions::default().with_depth(Depth::Detection);
    let engines = [paddle(&shared, "scrfd_2.5g_bnkps.onnx"), Engine::builder().with_antispoof(Antispoof::Off)]
        .map(|builder| builder.build().unwrap());
    for (entry, frame) in &golden(&shared) {
        let bytes = std::fs::read(shared.join("media").join(&entry.file)).unwrap();
        for engine in &engines {
            let whole = engine.analyze(frame, &options).unwrap().faces;
            let part = engine.analyze_encoded(&bytes, &DecodeLimits::default(), &options).unwrap().faces;
            assert_eq!(part.len(), whole.len(), "{}", entry.file);
            for face in &whole {
                let same = nearest(&part, &face.bbox).unwrap();
                assert!(same.bbox.iou(&face.bbox) > 0.96, "{}: {:?} {:?}", entry.file, same.bbox, face.bbox);
                assert!((same.score - face.score).abs() < 0.03, "{}: {} {}", entry.file, same.score, face.score);
            }
        }
    }
}

#[test]
fn alignment_and_pose_are_the_references() {
    let Some(shared) = shared() else { return };
    let fit = PoseFit::SCRFD.with_yaw([0.959, -0.016]);
    for (entry, _) in &golden(&shared) {
        let Some(primary) = &entry.primary else { continue };
        let landmarks = points(primary.kps);
        let ours = Template::arcface112().align(&landmarks).unwrap().rows;
        for (a, b) in ours.iter().flatten().zip(primary.umeyama_2x3.iter().flatten()) {
            // The references' points are rounded to a hundredth of a pixel.
            assert!((a - b).abs() < 0.02 + 1e-3 * b.abs(), "{}: {ours:?}", entry.file);
        }
        let pose = Pose::from_landmarks(&landmarks, fit).unwrap();
        assert!((pose.nose_offset - primary.nose_offset).abs() < 2e-3, "{}", entry.file);
        assert!((pose.yaw.0 - primary.yaw_affine_ratio_deg).abs() < 0.15, "{}", entry.file);
    }
}

#[test]
fn embeddings_are_the_references() {
    let Some(shared) = shared() else { return };
    let golden = golden(&shared);
    let foamliu = Normalization::per_channel(ChannelOrder::Rgb, [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]);
    let fixed = DetectOptions::default().with_input_size(InputSize::Fixed(640));
    let detector = "scrfd_2.5g_bnkps.onnx";
    let engines = [paddle(&shared, detector), builder(&shared, detector, "mobilefacenet_foamliu_128.onnx", foamliu)]
        .map(|builder| builder.with_detect_options(fixed).build().unwrap());
    let mut compared = 0;
    for (entry, frame) in &golden {
        let Some(primary) = &entry.primary else { continue };
        for (engine, reference) in engines.iter().zip([&primary.emb_paddle_l2, &primary.emb_foamliu_l2]) {
            let options = AnalyzeOptions::default().with_depth(Depth::Embedding);
            let faces = engine.analyze(frame, &options).unwrap().faces;
            let face = nearest(&faces, &rect(primary.bbox)).unwrap();
            let ours = face.embedding.as_ref().unwrap();
            let cosine: f32 = ours.values().iter().zip(reference).map(|(a, b)| a * b).sum();
            assert!(cosine > 0.997, "{}: {cosine}", entry.file);
            compared += 1;
        }
    }
    assert!(compared >= 40, "{compared}");
}

#[test]
fn antispoof_scores_are_the_references() {
    let Some(shared) = shared() else { return };
    let pad = shared.join("models/pad");
    let networks = Antispoof::Files(vec![
        (pad.join("2.7_80x80_MiniFASNetV2.onnx"), 27),
        (pad.join("4_0_0_80x80_MiniFASNetV1SE.onnx"), 40),
    ]);
    let fixed = DetectOptions::default().with_input_size(InputSize::Fixed(640));
    let engine =
        paddle(&shared, "scrfd_2.5g_bnkps.onnx").with_detect_options(fixed).with_antispoof(networks).build().unwrap();
    for (entry, frame) in &golden(&shared) {
        let Some(primary) = &entry.primary else { continue };
        let faces = engine.analyze(frame, &AnalyzeOptions::default()).unwrap().faces;
        let real = nearest(&faces, &rect(primary.bbox)).unwrap().antispoof.real().unwrap();
        let reference = (primary.minifas_v2_softmax[1] + primary.minifas_v1se_softmax[1]) / 2.0;
        assert!((real - reference).abs() < 0.05, "{}: {real} for {reference}", entry.file);
    }
}
