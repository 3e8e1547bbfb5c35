//! From bytes to a frame.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use faceattend_benches::{frame, one_face_720p};

fn decode(c: &mut Criterion) {
    let jpeg = one_face_720p();
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Bytes(jpeg.len() as u64));
    group.bench_function("jpeg 720p", |b| b.iter(|| frame(&jpeg)));
}

criterion_group!(benches, decode);
criterion_main!(benches);
