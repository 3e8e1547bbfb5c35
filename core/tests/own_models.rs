//! Models of one's own, as the server's settings and both bindings choose them: by path, with the order of their
//! channels.
//!
//! Those that need a model from beside the project skip without `../shared/models` and say so.

#![allow(clippy::print_stderr, reason = "a skipped test says why")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use std::path::{Path, PathBuf};

use faceattend_core::ErrorKind;
use faceattend_core::alignment::Template;
use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::embedding::Normalization;
use faceattend_core::embedding::{Calibration, EmbedderSpec, Embedding, Flip};
use faceattend_core::engine::{AnalyzeOptions, Antispoof, Depth, Engine, EngineBuilder, Selection};
use faceattend_core::frame::ChannelOrder;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn builder() -> EngineBuilder {
    Engine::builder().with_antispoof(Antispoof::Off)
}

/// ArcFace MobileFaceNet in Paddle's conversion, which wants blue first. No pack knows it.
fn paddle() -> Option<PathBuf> {
    let file = Path::new(ROOT).join("../shared/models/embed/arcface_mobilefacenet_paddle_128.onnx");
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: {} is not here", file.display());
    None
}

fn embedding(engine: &Engine, picture: &str) -> Embedding {
    let bytes = std::fs::read(Path::new(ROOT).join("examples/media").join(picture)).unwrap();
    let options = AnalyzeOptions::default().with_depth(Depth::Embedding).with_selection(Selection::Largest);
    let frame = decode(&bytes, &DecodeLimits::default()).unwrap();
    engine.analyze(&frame, &options).unwrap().faces.remove(0).embedding.unwrap()
}

/// The lowest similarity of two views of one person less the highest of two people.
fn gap(engine: &Engine) -> f32 {
    let views: Vec<(usize, Embedding)> = ["collins", "hopper", "obama"]
        .iter()
        .enumerate()
        .flat_map(|(i, person)| ["center", "left", "right"].map(|view| (i, format!("{person}/{view}.jpg"))))
        .map(|(i, picture)| (i, embedding(engine, &picture)))
        .collect();
    let (mut same, mut other) = (f32::MAX, f32::MIN);
    for (at, (i, a)) in views.iter().enumerate() {
        for (j, b) in &views[..at] {
            let cosine = a.cosine(b).unwrap().0;
            if i == j {
                same = same.min(cosine);
            } else {
                other = other.max(cosine);
            }
        }
    }
    same - other
}

#[test]
fn an_embedder_that_wants_blue_first_gets_it_and_tells_people_apart_better() {
    let Some(file) = paddle() else { return };
    let rgb = builder().with_embedder_file(&file, None).build().unwrap();
    let bgr = builder().with_embedder_file(&file, None).with_embedder_channels(ChannelOrder::Bgr).build().unwrap();
    let spec = EmbedderSpec {
        model: bgr.embedder().model.clone(),
        template: Template::arcface112(),
        normalization: Normalization::uniform(ChannelOrder::Bgr, 127.5, 127.5),
        calibration: Calibration::arcface(),
        flip: Flip::Off,
    };
    let written_out = builder().with_embedder_file(&file, Some(spec)).build().unwrap();
    let picture = "hopper/center.jpg";
    assert_eq!(embedding(&bgr, picture), embedding(&written_out, picture));
    assert_ne!(embedding(&bgr, picture).values(), embedding(&rgb, picture).values());
    let (worse, better) = (gap(&rgb), gap(&bgr));
    assert!(better > worse, "rgb {worse}, bgr {better}");
}

#[test]
fn embeddings_of_two_orders_are_never_compared() {
    let Some(file) = paddle() else { return };
    let of = |order| builder().with_embedder_file(&file, None).with_embedder_channels(order).build().unwrap();
    let unsaid = builder().with_embedder_file(&file, None).build().unwrap();
    let (rgb, bgr) = (of(ChannelOrder::Rgb), of(ChannelOrder::Bgr));
    assert_eq!(unsaid.embedder().model, rgb.embedder().model);
    assert!(bgr.embedder().model.as_str().ends_with("-bgr"), "{}", bgr.embedder().model);
    let picture = "hopper/center.jpg";
    let error = embedding(&rgb, picture).cosine(&embedding(&bgr, picture)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelMismatch);
}

#[test]
fn channels_that_cannot_be_meant_are_refused_with_what_to_do() {
    let error = builder().with_embedder_channels(ChannelOrder::Bgr).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("name the embedder's file too"), "{error}");

    // A file that a pack knows, wherever it lies.
    let known = Path::new(ROOT).join("models/default");
    let known = std::fs::read_dir(known).unwrap().map(|entry| entry.unwrap().path());
    let manifest = faceattend_core::models::manifest::Manifest::embedded().unwrap();
    let embedder = manifest.pack("default").unwrap().file(faceattend_core::models::manifest::Role::Embedder).unwrap();
    let known = known.into_iter().find(|path| path.ends_with(&embedder.name)).unwrap();
    let with = |order| builder().with_embedder_file(&known, None).with_embedder_channels(order).build();
    let error = with(ChannelOrder::Bgr).unwrap_err().to_string();
    assert!(error.contains("the pack default") && error.contains("give rgb"), "{error}");
    let engine = with(ChannelOrder::Rgb).unwrap();
    assert_eq!(Some(&engine.embedder().model), embedder.model_id.as_ref());
}

#[test]
fn a_pack_without_a_detector_says_what_to_do() {
    let error = builder().with_pack("minifasnet").build().unwrap_err().to_string();
    assert!(error.contains("no detector") && error.contains("choose another pack"), "{error}");
}
