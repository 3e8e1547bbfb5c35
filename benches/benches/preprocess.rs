//! From a frame to the inputs of the models.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use faceattend_benches::{frame, one_face_720p};
use faceattend_core::embedding::Normalization;
use faceattend_core::frame::ChannelOrder;
use faceattend_core::geometry::{Affine, Rect};
use faceattend_core::internals::{Anchor, InputShape, Layout, Letterbox, Letterboxer, warp};

fn preprocess(c: &mut Criterion) {
    let picture = frame(&one_face_720p());
    let normalize = Normalization::uniform(ChannelOrder::Rgb, 127.5, 127.5);

    let mut group = c.benchmark_group("letterbox 720p");
    let whole = Rect::new(0.0, 0.0, 1280.0, 720.0);
    let layout = Layout { anchor: Anchor::Center, margin: 0.25, fill: 0, multiple: 32, shape: InputShape::Tight };
    let mut letterboxer = Letterboxer::default();
    for size in [256, 512, 1024] {
        let placement = Letterbox::new(&whole, size, &layout);
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| letterboxer.fill(&picture, &placement, &layout, &normalize).map(<[f32]>::len));
        });
    }
    group.finish();

    let mut group = c.benchmark_group("warp");
    // A face of about 300 pixels, leaning a little.
    let map = |size: f32| {
        let (sin, cos) = 0.1f32.sin_cos();
        let scale = 300.0 / size;
        Affine { rows: [[scale * cos, -scale * sin, 500.0], [scale * sin, scale * cos, 170.0]] }
    };
    for (what, size) in [("arcface", 112), ("mesh", 192)] {
        let mut crop = vec![0.0; 3 * size * size];
        let map = map(size as f32);
        group.bench_function(BenchmarkId::new(what, size), |b| {
            b.iter(|| warp(&picture, &map, size, &normalize, &mut crop));
        });
    }
    group.finish();
}

criterion_group!(benches, preprocess);
criterion_main!(benches);
