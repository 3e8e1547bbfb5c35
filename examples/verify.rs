//! Says whether two pictures show the same person, and how sure that is.
//!
//! ```text
//! cargo run --release --package faceattend-examples --example verify -- \
//!     examples/media/obama/center.jpg examples/media/obama/left.jpg
//! ```
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use faceattend_core::{Engine, Frame, Threshold};
use faceattend_examples::Outcome;

fn main() -> Outcome {
    let mut args = std::env::args().skip(1);
    let (Some(first), Some(second)) = (args.next(), args.next()) else {
        return Err("usage: verify PICTURE PICTURE".into());
    };
    let engine = Engine::new()?;
    let mut embeddings = Vec::new();
    for path in [&first, &second] {
        let picture = engine.embed(&Frame::open(path)?)?;
        embeddings.push(picture.into_embedding().ok_or("no face could be made out")?);
    }
    let cosine = embeddings[0].cosine(&embeddings[1])?;
    let similarity = engine.embedder().similarity(&embeddings[0], &embeddings[1])?;
    let verdict = if Threshold::DOCUMENTED.admits(similarity) { "the same person" } else { "different people" };
    println!(
        "{verdict}: similarity {:.3} (threshold {}, cosine {:.3} of {})",
        similarity.value(),
        Threshold::DOCUMENTED.value(),
        cosine.0,
        embeddings[0].model()
    );
    Ok(())
}
