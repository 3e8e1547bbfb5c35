//! The figures that every language must give: `fixtures/parity.json`, read by this test, by pytest and by node:test.
//!
//! The default pack on pictures that the project carries. `FACEATTEND_WRITE_PARITY=1 cargo test -p faceattend-core
//! --test parity_fixture` writes the file again; the difference is then read by a person, because the other tests
//! believe it.
//!
//! The tolerances are written into the file, for all three. Another processor or another release of ONNX Runtime adds
//! in another order, which moves the last digits; a wrong channel order, alignment or template moves the first ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use std::path::{Path, PathBuf};

use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::embedding::Embedding;
use faceattend_core::engine::{AnalyzeOptions, Antispoof, Engine, Face};
use faceattend_core::liveness::{LivenessOptions, LivenessSession, Mirrored, Observation, Position, frame_hash};
use faceattend_core::types::SessionId;
use serde::{Deserialize, Serialize};

const MEDIA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/media");

const PICTURES: [&str; 12] = [
    "collins/center.jpg",
    "collins/left.jpg",
    "collins/right.jpg",
    "collins/yaw-15.jpg",
    "hopper/center.jpg",
    "hopper/left.jpg",
    "hopper/right.jpg",
    "hopper/yaw+15.jpg",
    "obama/center.jpg",
    "obama/left.jpg",
    "obama/right.jpg",
    "obama/yaw+05.jpg",
];

/// A session of one person, of somebody who looks the wrong way at first, and of a second person who slips in.
const LIVENESS: [&[(&str, Position)]; 3] = [
    &[
        ("collins/center.jpg", Position::Center),
        ("collins/left.jpg", Position::Left),
        ("collins/right.jpg", Position::Right),
    ],
    &[
        ("hopper/right.jpg", Position::Center),
        ("hopper/center.jpg", Position::Center),
        ("hopper/right.jpg", Position::Left),
        ("hopper/left.jpg", Position::Left),
        ("hopper/right.jpg", Position::Right),
    ],
    &[("obama/center.jpg", Position::Center), ("collins/left.jpg", Position::Left)],
];

#[derive(Debug, Serialize, Deserialize)]
struct Fixture {
    about: String,
    tolerances: Tolerances,
    model: String,
    dimension: usize,
    pictures: Vec<Picture>,
    /// Every picture's first face against every later picture's.
    pairs: Vec<Pair>,
    /// Sessions with `mirrored: false`.
    liveness: Vec<Vec<Step>>,
}

/// How far a figure may be off, in its own unit.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Tolerances {
    pixels: f32,
    score: f32,
    degrees: f32,
    embedding: f32,
    similarity: f32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Picture {
    file: String,
    width: u32,
    height: u32,
    faces: Vec<Figures>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Figures {
    /// x1, y1, x2, y2 in pixels.
    r#box: [f32; 4],
    score: f32,
    landmarks: [[f32; 2]; 5],
    yaw: f32,
    pitch: f32,
    roll: f32,
    nose_offset: f32,
    /// Of the quality.
    reasons: Vec<String>,
    /// The first eight values of the embedding.
    embedding_head: [f32; 8],
}

#[derive(Debug, Serialize, Deserialize)]
struct Pair {
    a: String,
    b: String,
    cosine: f32,
    similarity: f32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Step {
    file: String,
    position: Position,
    detected_pose: Option<Position>,
    is_live: bool,
    /// The code of the first reason.
    refused_for: Option<String>,
    session_completed: bool,
}

fn fixture_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parity.json")
}

/// Five decimals: finer than every tolerance, and a file that a person can read.
fn rounded(value: f32) -> f32 {
    format!("{value:.5}").parse().unwrap()
}

fn figures(face: &Face) -> Figures {
    let pose = face.pose.unwrap();
    let bbox = face.bbox;
    Figures {
        r#box: [bbox.x1, bbox.y1, bbox.x2, bbox.y2].map(rounded),
        score: rounded(face.score),
        landmarks: face.landmarks.unwrap().0.map(|point| [rounded(point.x), rounded(point.y)]),
        yaw: rounded(pose.yaw.0),
        pitch: rounded(pose.pitch.0),
        roll: rounded(pose.roll.0),
        nose_offset: rounded(pose.nose_offset),
        reasons: face.quality.as_ref().unwrap().reasons.iter().map(|reason| reason.code().to_owned()).collect(),
        embedding_head: std::array::from_fn(|i| rounded(face.embedding.as_ref().unwrap().values()[i])),
    }
}

fn measured(tolerances: Tolerances) -> Fixture {
    let engine = Engine::builder().with_antispoof(Antispoof::Off).build().unwrap();
    let frame =
        |file: &str| decode(&std::fs::read(Path::new(MEDIA).join(file)).unwrap(), &DecodeLimits::default()).unwrap();
    let mut pictures = Vec::new();
    let mut embeddings: Vec<(&str, Embedding)> = Vec::new();
    for file in PICTURES {
        let frame = frame(file);
        let faces = engine.analyze(&frame, &AnalyzeOptions::default()).unwrap().faces;
        embeddings.push((file, faces[0].embedding.clone().unwrap()));
        let faces = faces.iter().map(figures).collect();
        pictures.push(Picture { file: file.into(), width: frame.width(), height: frame.height(), faces });
    }
    let mut pairs = Vec::new();
    for (i, (a, one)) in embeddings.iter().enumerate() {
        for (b, other) in &embeddings[i + 1..] {
            let cosine = one.cosine(other).unwrap();
            let similarity = engine.embedder().calibration.similarity(cosine);
            pairs.push(Pair {
                a: (*a).into(),
                b: (*b).into(),
                cosine: rounded(cosine.0),
                similarity: rounded(similarity.value()),
            });
        }
    }
    let liveness = LIVENESS
        .into_iter()
        .map(|steps| {
            let now = "2026-03-02T08:00:00Z".parse().unwrap();
            let options = LivenessOptions::default().with_mirrored(Mirrored::No);
            let mut session = LivenessSession::new(SessionId::random(), None, options, now);
            steps
                .iter()
                .map(|(file, position)| {
                    let frame = frame(file);
                    let analysis = engine.analyze(&frame, &AnalyzeOptions::default()).unwrap();
                    let observation = Observation {
                        requested: *position,
                        analysis: &analysis,
                        embedder: engine.embedder(),
                        frame_hash: frame_hash(&frame),
                        captured_at: None,
                    };
                    let outcome = session.observe(&observation, now);
                    Step {
                        file: (*file).into(),
                        position: *position,
                        detected_pose: outcome.detected_pose,
                        is_live: outcome.is_live,
                        refused_for: outcome.reasons.first().filter(|_| !outcome.is_live).map(|r| r.code().to_owned()),
                        session_completed: outcome.session_completed,
                    }
                })
                .collect()
        })
        .collect();
    Fixture {
        about:
            "What the default pack gives on examples/media. Written by core/tests/parity_fixture.rs, and read by the \
                tests of every language: do not edit."
                .into(),
        tolerances,
        model: engine.embedder().model.to_string(),
        dimension: engine.embedder().dimension,
        pictures,
        pairs,
        liveness,
    }
}

#[test]
fn the_figures_are_those_that_every_language_must_give() {
    let tolerances = Tolerances { pixels: 0.1, score: 1e-3, degrees: 0.1, embedding: 1e-3, similarity: 2e-3 };
    let ours = measured(tolerances);
    let path = fixture_path();
    if std::env::var_os("FACEATTEND_WRITE_PARITY").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&ours).unwrap() + "\n").unwrap();
    }
    let known: Fixture = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!((&ours.model, ours.dimension), (&known.model, known.dimension));

    assert_eq!(ours.pictures.len(), known.pictures.len());
    for (ours, known) in ours.pictures.iter().zip(&known.pictures) {
        let file = &known.file;
        assert_eq!((&ours.file, ours.width, ours.height), (file, known.width, known.height));
        assert_eq!(ours.faces.len(), known.faces.len(), "{file}");
        for (ours, known) in ours.faces.iter().zip(&known.faces) {
            let near = |what: &str, a: f32, b: f32, by: f32| {
                assert!((a - b).abs() <= by, "{file}: {what} is {a}, and {b} in the fixture");
            };
            for (a, b) in ours.r#box.iter().zip(known.r#box) {
                near("a side of the box", *a, b, tolerances.pixels);
            }
            for (a, b) in ours.landmarks.as_flattened().iter().zip(known.landmarks.as_flattened()) {
                near("a point", *a, *b, tolerances.pixels);
            }
            for (a, b) in ours.embedding_head.iter().zip(known.embedding_head) {
                near("a value of the embedding", *a, b, tolerances.embedding);
            }
            near("the score", ours.score, known.score, tolerances.score);
            near("the yaw", ours.yaw, known.yaw, tolerances.degrees);
            near("the pitch", ours.pitch, known.pitch, tolerances.degrees);
            near("the roll", ours.roll, known.roll, tolerances.degrees);
            near("the nose's offset", ours.nose_offset, known.nose_offset, tolerances.embedding);
            assert_eq!(ours.reasons, known.reasons, "{file}");
        }
    }
    assert_eq!(ours.pairs.len(), known.pairs.len());
    for (ours, known) in ours.pairs.iter().zip(&known.pairs) {
        assert_eq!((&ours.a, &ours.b), (&known.a, &known.b));
        assert!((ours.cosine - known.cosine).abs() <= tolerances.similarity, "{ours:?} {known:?}");
        assert!((ours.similarity - known.similarity).abs() <= tolerances.similarity, "{ours:?} {known:?}");
    }
    assert_eq!(ours.liveness, known.liveness);
}
