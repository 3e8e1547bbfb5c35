//! Measures the gallery's exact search against a plain sum over as many `f32` in one thread:
//!
//! ```text
//! cargo run --release -p faceattend-core --example gallery_speed [-- ROWS...]
//! ```
#![expect(clippy::print_stdout, reason = "a report is what it is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use faceattend_core::embedding::{Calibration, Embedding};
use faceattend_core::engine::Embedder;
use faceattend_core::gallery::Gallery;
use faceattend_core::types::{ModelId, StudentId};

fn main() -> faceattend_core::Result<()> {
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![1_000, 10_000, 100_000, 1_000_000] } else { asked };
    println!("  dim       rows   search ms   ns/row   plain sum ms   of the sum   insert us");
    for dimension in [512, 128] {
        for rows in &sizes {
            measure(dimension, *rows)?;
        }
    }
    Ok(())
}

fn measure(dimension: usize, rows: usize) -> faceattend_core::Result<()> {
    let model = ModelId::new("random");
    let gallery = Gallery::new(Embedder::new(model.clone(), dimension, Calibration::arcface()));
    let mut noise = Noise(7);
    let mut random = || {
        let raw: Vec<f32> = (0..dimension).map(|_| noise.next()).collect();
        Embedding::from_raw(model.clone(), &raw)
    };
    let probe = random()?;
    gallery.load((0..rows).map_while(|id| Some((StudentId(i64::try_from(id).ok()?), vec![random().ok()?]))))?;

    let search = fastest(|| drop(black_box(gallery.search(&probe, 5))));
    let insert = {
        let new = random()?;
        let started = Instant::now();
        for id in -20..0 {
            gallery.insert(StudentId(id), std::slice::from_ref(&new))?;
        }
        started.elapsed() / 20
    };
    drop(gallery);

    let words = vec![1u32; rows * dimension];
    let sum = fastest(|| {
        black_box(black_box(&words).iter().fold(0u32, |sum, word| sum.wrapping_add(*word)));
    });
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let count = rows as f64;
    println!(
        "{dimension:5} {rows:10}   {:9.3} {:8.1} {:14.3} {:12.3} {:11.1}",
        search.as_secs_f64() * 1e3,
        search.as_secs_f64() * 1e9 / count,
        sum.as_secs_f64() * 1e3,
        search.as_secs_f64() / sum.as_secs_f64(),
        insert.as_secs_f64() * 1e6,
    );
    Ok(())
}

/// The fastest of the runs that fit into a second, seven at least: what the machine can do when nobody else is on it.
fn fastest(mut run: impl FnMut()) -> Duration {
    let started = Instant::now();
    let mut best = Duration::MAX;
    let mut runs = 0;
    while runs < 7 || started.elapsed() < Duration::from_secs(1) {
        let began = Instant::now();
        run();
        best = best.min(began.elapsed());
        runs += 1;
    }
    best
}

/// Xorshift: any numbers will do.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        #[expect(clippy::cast_precision_loss, reason = "any number will do")]
        let value = (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
        value
    }
}
