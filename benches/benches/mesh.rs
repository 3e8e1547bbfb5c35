//! The face mesh alone, on one and on eight faces.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use faceattend_benches::{frame, model, one_face_720p};
use faceattend_core::embedding::Normalization;
use faceattend_core::frame::ChannelOrder;
use faceattend_core::geometry::Affine;
use faceattend_core::internals::warp;

const SIDE: usize = 192;

fn mesh(c: &mut Criterion) {
    let picture = frame(&one_face_720p());
    let mut session = model("face-mesh.onnx");
    // The face of the picture with the room that the model wants around it.
    let map = Affine::scale_then_move(2.25, 430.0, 100.0);
    let normalize = Normalization::uniform(ChannelOrder::Rgb, 0.0, 255.0);
    let mut group = c.benchmark_group("mesh");
    for count in [1, 8] {
        let mut input = vec![0.0; count * 3 * SIDE * SIDE];
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| {
                for crop in input.chunks_exact_mut(3 * SIDE * SIDE) {
                    warp(&picture, &map, SIDE, &normalize, crop);
                }
                session.run([count, 3, SIDE, SIDE], &input, |outputs| Ok(outputs.named("points")?[0])).expect("a run")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, mesh);
criterion_main!(benches);
