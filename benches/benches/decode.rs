//! From bytes to a frame.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use faceattend_benches::{frame, one_face_720p};
use faceattend_core::decode::DecodeLimits;
use faceattend_core::internals::decode_part;

fn decode(c: &mut Criterion) {
    let jpeg = one_face_720p();
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Bytes(jpeg.len() as u64));
    group.bench_function("jpeg 720p", |b| b.iter(|| frame(&jpeg)));
    for factor in [2.0, 4.0, 8.0] {
        group.bench_function(BenchmarkId::new("jpeg 720p, one pixel of", factor), |b| {
            b.iter(|| decode_part(&jpeg, &DecodeLimits::default(), factor).expect("a picture"));
        });
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
