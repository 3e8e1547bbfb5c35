//! Exact search over every row, at the speed of memory: bounds by the upper bytes, products for those who may get in.

use std::num::NonZero;
use std::sync::{Arc, OnceLock};
use std::thread;

use pulp::{Arch, Simd, WithSimd};

use super::codes::Probe;
use super::segments::{SEGMENT_ROWS, Segment};
use crate::types::StudentId;

/// Sums that a row is added up in, so that one multiplication need not wait for the one before.
const SUMS: usize = 4;
/// Segments that are worth a thread: scanning them takes 50 times as long as starting one.
const SEGMENTS_OF_THREAD: usize = 64;
/// The most threads of a search: they share the machine's memory, and its cores with other work.
pub(super) const MOST_THREADS: usize = 8;

/// Returns the `k` people of `segments` most similar to `probe`, most similar first, equals by their key; on `threads`
/// at most, where so many segments are worth them.
pub(super) fn scan(segments: &[Arc<Segment>], probe: &[f32], k: usize, threads: usize) -> Vec<(StudentId, f32)> {
    let probe = Probe::new(probe);
    let threads = (segments.len() / SEGMENTS_OF_THREAD).clamp(1, threads.clamp(1, MOST_THREADS));
    let mut best = Best::new(k);
    let mut parts = segments.chunks(segments.len().div_ceil(threads).max(1));
    let own = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        let others: Vec<_> = parts
            .map(|part| {
                let probe = &probe;
                scope.spawn(move || {
                    let mut best = Best::new(k);
                    scan_part(part, probe, &mut best);
                    best
                })
            })
            .collect();
        scan_part(own, &probe, &mut best);
        for found in others.into_iter().map(thread::ScopedJoinHandle::join) {
            match found {
                Ok(found) => found.people.into_iter().for_each(|(student, cosine)| best.offer(student, cosine)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    best.people
}

/// Returns how many cores there are; asking the system takes longer than a small search.
pub(super) fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, NonZero::get))
}

fn scan_part(segments: &[Arc<Segment>], probe: &Probe<'_>, best: &mut Best) {
    let mut rows = Rows::new(probe.values.len());
    for segment in segments {
        rows.visit(segment, 0, probe, best.least(), |at, cosine| {
            best.offer(segment.owners[at], cosine);
            best.least()
        });
    }
}

/// Returns the pairs of rows with a cosine of at least `least`, the nearest first and at most `most` of them.
pub(super) fn pairs(
    segments: &[Arc<Segment>],
    dimension: usize,
    least: f32,
    most: usize,
) -> Vec<(StudentId, StudentId, f32)> {
    let mut rows = Rows::new(dimension);
    let mut found: Vec<(StudentId, StudentId, f32)> = Vec::new();
    let mut values = vec![0.0; dimension];
    for (n, of_probes) in segments.iter().enumerate() {
        for (row, owner) in of_probes.owners.iter().enumerate() {
            of_probes.read(row, &mut values);
            let probe = Probe::new(&values);
            for (m, segment) in segments.iter().enumerate().skip(n) {
                // Each pair once: what comes after the probe.
                let from = if m == n { row + 1 } else { 0 };
                rows.visit(segment, from, &probe, least, |at, cosine| {
                    if cosine >= least {
                        found.push((*owner, segment.owners[at], cosine));
                    }
                    least
                });
            }
            if found.len() >= 2 * most.max(SEGMENT_ROWS) {
                nearest(&mut found, most);
            }
        }
    }
    nearest(&mut found, most);
    found
}

/// What it takes to look through the rows of segments.
struct Rows {
    arch: Arch,
    sums: [i32; SEGMENT_ROWS],
    row: Vec<f32>,
}

impl Rows {
    fn new(dimension: usize) -> Self {
        Self { arch: Arch::new(), sums: [0; SEGMENT_ROWS], row: vec![0.0; dimension] }
    }

    /// Calls `found` with each row of `segment` from `from` on whose product with `probe` may be `least` or more, and
    /// with the product; the answer is the `least` from then on.
    fn visit(
        &mut self,
        segment: &Segment,
        from: usize,
        probe: &Probe<'_>,
        mut least: f32,
        mut found: impl FnMut(usize, f32) -> f32,
    ) {
        let sums = &mut self.sums[..segment.owners.len() - from];
        self.arch.dispatch(probe.sums(&segment.upper[from * self.row.len()..], sums));
        for (at, (sum, scale)) in (from..).zip(sums.iter().zip(&segment.scales[from..])) {
            if probe.most(*scale, *sum) >= least {
                segment.read(at, &mut self.row);
                least = found(at, self.arch.dispatch(Product { row: &self.row, probe: probe.values }));
            }
        }
    }
}

fn nearest(found: &mut Vec<(StudentId, StudentId, f32)>, most: usize) {
    found.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    found.truncate(most);
}

/// Returns the dot product of a row and a probe, added up in the same order wherever it is asked for.
#[cfg(test)]
pub(super) fn product(row: &[f32], probe: &[f32]) -> f32 {
    Arch::new().dispatch(Product { row, probe })
}

/// The dot product of a row and the probe.
struct Product<'a> {
    row: &'a [f32],
    probe: &'a [f32],
}

impl WithSimd for Product<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (probe, probe_end) = S::as_simd_f32s(self.probe);
        let (probe_groups, probe_rest) = pulp::as_arrays::<SUMS, _>(probe);
        let (row, row_end) = S::as_simd_f32s(self.row);
        let (row_groups, row_rest) = pulp::as_arrays::<SUMS, _>(row);
        let mut sums = [simd.splat_f32s(0.0); SUMS];
        for (probe, row) in probe_groups.iter().zip(row_groups) {
            for ((sum, probe), row) in sums.iter_mut().zip(probe).zip(row) {
                *sum = simd.mul_add_e_f32s(*probe, *row, *sum);
            }
        }
        for (probe, row) in probe_rest.iter().zip(row_rest) {
            sums[0] = simd.mul_add_e_f32s(*probe, *row, sums[0]);
        }
        let sum = simd.add_f32s(simd.add_f32s(sums[0], sums[1]), simd.add_f32s(sums[2], sums[3]));
        let end: f32 = probe_end.iter().zip(row_end).map(|(a, b)| a * b).sum();
        simd.reduce_sum_f32s(sum) + end
    }
}

/// The `k` best people so far; most similar first, equals by their key. Sorted rather than a heap: `k` is small, and
/// once the first rows have passed hardly any row gets in.
struct Best {
    k: usize,
    people: Vec<(StudentId, f32)>,
}

impl Best {
    fn new(k: usize) -> Self {
        Self { k, people: Vec::new() }
    }

    /// Returns the least cosine that changes anything: below the last of a full list, none does.
    fn least(&self) -> f32 {
        match self.people.last() {
            Some((_, worst)) if self.people.len() >= self.k => *worst,
            _ if self.k == 0 => f32::INFINITY,
            _ => f32::NEG_INFINITY,
        }
    }

    fn offer(&mut self, student: StudentId, cosine: f32) {
        let before = |(known, other): &(StudentId, f32)| *other > cosine || (*other == cosine && *known < student);
        let at = self.people.partition_point(before);
        self.people.insert(at, (student, cosine));
        self.people.truncate(self.k);
    }
}
