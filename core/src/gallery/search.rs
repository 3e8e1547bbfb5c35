//! Exact search over every row, at the speed of memory.

use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};

use super::segments::{SEGMENT_ROWS, Segment};
use crate::types::StudentId;

/// Sums that a row is added up in, so that one multiplication need not wait for the one before. One row after the
/// other, because memory delivers one stream best: beyond the caches, on two busy cores, 0.75 to 1.0 of a plain sum's
/// speed, where four rows in one pass, sharing each load of the probe, got 0.2 to 0.6. `examples/gallery_speed`
/// measures it.
const SUMS: usize = 4;

/// Offers every row of `segments` to `best`.
pub(super) fn scan(segments: &[Arc<Segment>], probe: &[f32], best: &mut Best) {
    let arch = Arch::new();
    let mut cosines = [0.0; SEGMENT_ROWS];
    for segment in segments {
        let cosines = &mut cosines[..segment.owners.len()];
        arch.dispatch(Products { rows: &segment.rows, probe, into: cosines });
        for (student, cosine) in segment.owners.iter().zip(cosines) {
            best.offer(*student, *cosine);
        }
    }
}

/// Returns the pairs of rows with a cosine of at least `least`, the nearest first and at most `most` of them.
pub(super) fn pairs(
    segments: &[Arc<Segment>],
    dimension: usize,
    least: f32,
    most: usize,
) -> Vec<(StudentId, StudentId, f32)> {
    let arch = Arch::new();
    let mut cosines = [0.0; SEGMENT_ROWS];
    let mut found: Vec<(StudentId, StudentId, f32)> = Vec::new();
    for (n, of_probes) in segments.iter().enumerate() {
        for (row, (probe, owner)) in of_probes.rows.chunks_exact(dimension).zip(&of_probes.owners).enumerate() {
            for (m, segment) in segments.iter().enumerate().skip(n) {
                // Each pair once: what comes after the probe.
                let from = if m == n { row + 1 } else { 0 };
                let cosines = &mut cosines[..segment.owners.len() - from];
                arch.dispatch(Products { rows: &segment.rows[from * dimension..], probe, into: cosines });
                let near = segment.owners[from..].iter().zip(&*cosines).filter(|(_, cosine)| **cosine >= least);
                found.extend(near.map(|(other, cosine)| (*owner, *other, *cosine)));
            }
            if found.len() >= 2 * most.max(SEGMENT_ROWS) {
                nearest(&mut found, most);
            }
        }
    }
    nearest(&mut found, most);
    found
}

fn nearest(found: &mut Vec<(StudentId, StudentId, f32)>, most: usize) {
    found.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    found.truncate(most);
}

/// The dot product of each row with the probe.
struct Products<'a> {
    rows: &'a [f32],
    probe: &'a [f32],
    into: &'a mut [f32],
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (probe, probe_end) = S::as_simd_f32s(self.probe);
        let (probe_groups, probe_rest) = pulp::as_arrays::<SUMS, _>(probe);
        for (row, output) in self.rows.chunks_exact(self.probe.len()).zip(self.into) {
            let (row, row_end) = S::as_simd_f32s(row);
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
            *output = simd.reduce_sum_f32s(sum) + end;
        }
    }
}

/// The `k` best people so far; most similar first, equals by their key. Sorted rather than a heap: `k` is small, and
/// once the first rows have passed hardly any row gets in.
pub(super) struct Best {
    k: usize,
    people: Vec<(StudentId, f32)>,
}

impl Best {
    pub(super) fn new(k: usize) -> Self {
        Self { k, people: Vec::new() }
    }

    pub(super) fn people(&self) -> &[(StudentId, f32)] {
        &self.people
    }

    #[inline]
    fn offer(&mut self, student: StudentId, cosine: f32) {
        // A row below the last of a full list changes nothing.
        if self.people.len() >= self.k && self.people.last().is_none_or(|(_, worst)| cosine < *worst) {
            return;
        }
        self.admit(student, cosine);
    }

    #[cold]
    fn admit(&mut self, student: StudentId, cosine: f32) {
        let before = |(known, other): &(StudentId, f32)| *other > cosine || (*other == cosine && *known < student);
        let at = self.people.partition_point(before);
        self.people.insert(at, (student, cosine));
        self.people.truncate(self.k);
    }
}
