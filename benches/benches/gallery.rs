//! 1:N search. The throughput is what reading every value as `f32` would come to; a search reads a quarter of it. The
//! limit is memory: compare it with a plain read, which `cargo xtask bench` measures. And how long it takes to add one
//! person to a gallery of so many.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use faceattend_benches::Crowd;
use faceattend_core::gallery::Gallery;
use faceattend_core::types::StudentId;

fn gallery(c: &mut Criterion) {
    for dimension in [128, 512] {
        let crowd = Crowd::new(dimension);
        let probe = crowd.probe();
        let mut group = c.benchmark_group(format!("gallery, {dimension} values"));
        for people in [1_000, 10_000, 100_000] {
            let gallery = Gallery::new(crowd.embedder());
            gallery.load(crowd.people(people)).expect("people");
            group.throughput(Throughput::Bytes((people * dimension * size_of::<f32>()) as u64));
            group.bench_function(BenchmarkId::from_parameter(people), |b| {
                b.iter(|| gallery.search(&probe, 5).expect("a search"));
            });
        }
        group.finish();
    }
}

fn enrolment(c: &mut Criterion) {
    for dimension in [128, 512] {
        let crowd = Crowd::new(dimension);
        let (new, views) = (StudentId(i64::MAX), [crowd.probe()]);
        let mut group = c.benchmark_group(format!("gallery, one more person, {dimension} values"));
        for people in [100, 1_000, 1_000_000] {
            let gallery = Gallery::new(crowd.embedder());
            gallery.load(crowd.people(people)).expect("people");
            group.bench_function(BenchmarkId::from_parameter(people), |b| {
                b.iter_batched(
                    || gallery.remove(new),
                    |_| gallery.insert(new, &views).expect("room"),
                    BatchSize::PerIteration,
                );
            });
        }
        group.finish();
    }
}

criterion_group!(benches, gallery, enrolment);
criterion_main!(benches);
