//! The Rust side of the comparison: what the core does with the same pictures, without Node.
//!
//! `native_speed PICTURE... ` with `ROUNDS`, `DEPTH` and `ONNXRUNTIME` in the environment; prints JSON. See
//! compare.mjs.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::time::Instant;

use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::engine::{AnalyzeOptions, Antispoof, Depth, Engine};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let setting = |name: &str| std::env::var(name).ok();
    let rounds: usize = setting("ROUNDS").unwrap_or_else(|| "10".into()).parse()?;
    let pixels_only = setting("INPUT").as_deref() == Some("pixels");
    let mut builder = Engine::builder().with_antispoof(Antispoof::Off);
    if let Some(library) = setting("ONNXRUNTIME") {
        builder = builder.with_onnxruntime(library);
    }
    let engine = builder.build()?;
    let options = AnalyzeOptions::default().with_depth(Depth::Embedding);
    let mut pictures = Vec::new();
    for path in std::env::args().skip(1) {
        pictures.push(std::fs::read(path)?);
    }
    let limits = DecodeLimits::default();
    let frames = pictures.iter().map(|bytes| decode(bytes, &limits)).collect::<Result<Vec<_>, _>>()?;
    let mut times = Vec::new();
    // The first round warms up.
    for round in 0..=rounds {
        for (bytes, frame) in pictures.iter().zip(&frames) {
            let began = Instant::now();
            let found = if pixels_only {
                engine.analyze(&frame.view(), &options)?
            } else {
                engine.analyze(&decode(bytes, &limits)?, &options)?
            };
            if round > 0 {
                times.push(began.elapsed().as_secs_f64() * 1000.0);
            }
            drop(found);
        }
    }
    println!("{}", serde_json::json!({ "times": times }));
    Ok(())
}
