//! A 720p frame and a group picture through the default pack, and a frame with its decoding.

use criterion::{Criterion, criterion_group, criterion_main};
use faceattend_benches::{engine, frame, one_face_720p, six_faces};
use faceattend_core::decode::DecodeLimits;
use faceattend_core::engine::{AnalyzeOptions, Depth};

fn end_to_end(c: &mut Criterion) {
    let (jpeg, six) = (one_face_720p(), frame(&six_faces()));
    let one = frame(&jpeg);
    let engine = engine();
    let options = AnalyzeOptions::default();
    let mut group = c.benchmark_group("end to end");
    group.bench_function("one face 720p", |b| b.iter(|| engine.analyze(&one, &options).expect("an analysis")));
    group.bench_function("one face 720p from jpeg", |b| {
        b.iter(|| engine.analyze(&frame(&jpeg), &options).expect("an analysis"));
    });
    let boxes = options.with_depth(Depth::Detection);
    group.bench_function("one face 720p from jpeg to boxes", |b| {
        b.iter(|| engine.analyze_encoded(&jpeg, &DecodeLimits::default(), &boxes).expect("an analysis"));
    });
    group.bench_function("six faces", |b| b.iter(|| engine.analyze(&six, &options).expect("an analysis")));
    group.finish();
}

criterion_group!(benches, end_to_end);
criterion_main!(benches);
