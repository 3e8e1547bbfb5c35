//! What a liveness session costs on top of the analysis of a frame.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use faceattend_benches::{engine, frame, one_face_720p};
use faceattend_core::engine::AnalyzeOptions;
use faceattend_core::liveness::{LivenessOptions, LivenessSession, Observation, Position, frame_hash};
use faceattend_core::types::SessionId;
use jiff::Timestamp;

fn liveness(c: &mut Criterion) {
    let picture = frame(&one_face_720p());
    let engine = engine();
    let analysis = engine.analyze(&picture, &AnalyzeOptions::default()).expect("an analysis");
    let now = Timestamp::UNIX_EPOCH;
    let mut group = c.benchmark_group("liveness");
    group.bench_function("frame hash 720p", |b| b.iter(|| frame_hash(&picture)));
    let observation = Observation {
        requested: Position::Center,
        analysis: &analysis,
        embedder: engine.embedder(),
        frame_hash: frame_hash(&picture),
        captured_at: None,
    };
    let fresh = || LivenessSession::new(SessionId::random(), None, LivenessOptions::default(), now);
    group.bench_function("observe", |b| {
        b.iter_batched_ref(fresh, |session| session.observe(&observation, now), BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group!(benches, liveness);
criterion_main!(benches);
