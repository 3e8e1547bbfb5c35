//! Detection on a 720p frame at each size of the default pack's detector, and its model alone.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use faceattend_benches::{builder, frame, model, one_face_720p};
use faceattend_core::detection::{DetectOptions, InputSize};
use faceattend_core::engine::{AnalyzeOptions, Depth};

fn detection(c: &mut Criterion) {
    let picture = frame(&one_face_720p());
    let options = AnalyzeOptions::default().with_depth(Depth::Detection);
    let mut group = c.benchmark_group("detection 720p");
    for size in [256, 512, 1024] {
        let detect = DetectOptions::default().with_input_size(InputSize::Fixed(size));
        let engine = builder().with_detect_options(detect).build().expect("an engine");
        group.bench_function(BenchmarkId::new("whole", size), |b| {
            b.iter(|| engine.analyze(&picture, &options).expect("an analysis"));
        });
        let mut session = model("blazeface.onnx");
        // 16:9 with a margin, in multiples of 32.
        let shape = [1, 3, (size * 9 / 16).next_multiple_of(32), size];
        let input: Vec<f32> = (0..shape.iter().product()).map(|i: usize| (i % 255) as f32 / 127.5 - 1.0).collect();
        group.bench_function(BenchmarkId::new("model alone", size), |b| {
            b.iter(|| session.run(shape, &input, |outputs| Ok(outputs.at(0)?.1[0])).expect("a run"));
        });
    }
    group.finish();
}

criterion_group!(benches, detection);
criterion_main!(benches);
