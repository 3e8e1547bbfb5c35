//! Points, pose and quality: what a live preview needs. Their share is the difference between the two depths less the
//! mesh model's own time (see `mesh`); the pose from five points is measured alone as well.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use faceattend_benches::{engine, frame, one_face_720p};
use faceattend_core::engine::{AnalyzeOptions, Depth};
use faceattend_core::pose::{Pose, PoseFit};

fn quality(c: &mut Criterion) {
    let picture = frame(&one_face_720p());
    let engine = engine();
    let mut group = c.benchmark_group("quality and pose 720p");
    for (name, depth) in [("detection", Depth::Detection), ("mesh, pose and quality", Depth::Pose)] {
        let options = AnalyzeOptions::default().with_depth(depth);
        group.bench_function(name, |b| b.iter(|| engine.analyze(&picture, &options).expect("an analysis")));
    }
    let analysis = engine.analyze(&picture, &AnalyzeOptions::default()).expect("an analysis");
    let points = analysis.faces.first().and_then(|face| face.landmarks).expect("a face");
    group.bench_function("pose from five points", |b| {
        b.iter(|| Pose::from_landmarks(black_box(&points), PoseFit::MESH));
    });
    group.finish();
}

criterion_group!(benches, quality);
criterion_main!(benches);
