//! Alignment and embedding of one and of eight faces, and the model alone.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use faceattend_benches::{engine, frame, model, one_face_720p};
use faceattend_core::alignment::Template;
use faceattend_core::embedding::Normalization;
use faceattend_core::engine::AnalyzeOptions;
use faceattend_core::frame::ChannelOrder;
use faceattend_core::internals::warp;

fn embedding(c: &mut Criterion) {
    let picture = frame(&one_face_720p());
    let analysis = engine().analyze(&picture, &AnalyzeOptions::default()).expect("an analysis");
    let points = analysis.faces.first().and_then(|face| face.landmarks).expect("a face");
    let template = Template::arcface112();
    let normalize = Normalization::uniform(ChannelOrder::Rgb, 0.0, 1.0);
    let mut session = model("sface.onnx");
    let plane = 3 * template.size * template.size;

    let mut group = c.benchmark_group("embedding");
    for count in [1, 8] {
        group.throughput(Throughput::Elements(count as u64));
        let mut input = vec![0.0; count * plane];
        group.bench_function(BenchmarkId::new("alignment", count), |b| {
            b.iter(|| {
                for crop in input.chunks_exact_mut(plane) {
                    let map = template.align(&points).and_then(|map| map.inverse()).expect("an alignment");
                    warp(&picture, &map, template.size, &normalize, crop);
                }
            });
        });
        group.bench_function(BenchmarkId::new("model alone", count), |b| {
            b.iter(|| {
                // The default embedder takes one face a run.
                let shape = [1, 3, template.size, template.size];
                for crop in input.chunks_exact(plane) {
                    session.run(shape, crop, |outputs| Ok(outputs.at(0)?.1[0])).expect("a run");
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, embedding);
criterion_main!(benches);
