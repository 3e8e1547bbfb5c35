//! A liveness session over pictures of one person: looking at the camera, then to each side.
//!
//! ```text
//! cargo run --release --package faceattend-examples --example liveness -- \
//!     examples/media/collins/center.jpg examples/media/collins/left.jpg examples/media/collins/right.jpg
//! ```
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use faceattend_core::liveness::Mirrored;
use faceattend_core::{
    AnalyzeOptions, Engine, Frame, LivenessOptions, LivenessSession, Observation, Position, SessionId, Timestamp,
};
use faceattend_examples::Outcome;

fn main() -> Outcome {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [center, left, right] = &paths[..] else {
        return Err("usage: liveness CENTER LEFT RIGHT".into());
    };
    let engine = Engine::new()?;
    // These pictures are as a camera sees the person; a page that mirrors its canvas would say `Mirrored::Yes`.
    let options = LivenessOptions::default().with_mirrored(Mirrored::No);
    let mut session = LivenessSession::new(SessionId::random(), None, options, Timestamp::now());

    for (requested, path) in [(Position::Center, center), (Position::Left, left), (Position::Right, right)] {
        let frame = Frame::open(path)?;
        let analysis = engine.analyze(&frame, &AnalyzeOptions::default())?;
        let seen = Observation::new(requested, &frame, &analysis, engine.embedder());
        let outcome = session.observe(&seen, Timestamp::now());
        let yaw = outcome.yaw.map_or_else(|| "no yaw".into(), |yaw| yaw.to_string());
        println!("{requested:?}: {yaw}, confidence {:.2}, live {}", outcome.confidence, outcome.is_live);
        for reason in &outcome.reasons {
            println!("    {} ({})", reason.advice(), reason.code());
        }
    }
    let verification = session.verify(Timestamp::now());
    println!("{:?}, liveness score {:.2}", verification.status, verification.liveness_score);
    if session.is_completed() {
        let templates = session.consume()?;
        println!("{} templates to enrol; the session can give them once", templates.len());
    }
    Ok(())
}
