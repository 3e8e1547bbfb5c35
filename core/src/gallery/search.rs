//! Exact search: every row, at the speed at which memory delivers them.

use pulp::{Arch, Simd, WithSimd};

use super::{SEGMENT_ROWS, Segment};
use crate::types::StudentId;
use std::sync::Arc;

/// Rows that are multiplied in one pass: they share each load of the probe, and their sums do not wait for each other.
const ROWS_AT_ONCE: usize = 4;

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
        let dimension = self.probe.len();
        let (probe, probe_rest) = S::as_simd_f32s(self.probe);
        let mut groups = self.rows.chunks_exact(ROWS_AT_ONCE * dimension);
        let mut outputs = self.into.chunks_exact_mut(ROWS_AT_ONCE);
        for (group, output) in groups.by_ref().zip(outputs.by_ref()) {
            let (a, rest) = group.split_at(dimension);
            let (b, rest) = rest.split_at(dimension);
            let (c, d) = rest.split_at(dimension);
            let (a, a_rest) = S::as_simd_f32s(a);
            let (b, b_rest) = S::as_simd_f32s(b);
            let (c, c_rest) = S::as_simd_f32s(c);
            let (d, d_rest) = S::as_simd_f32s(d);
            let mut sums = [simd.splat_f32s(0.0); ROWS_AT_ONCE];
            for ((((p, a), b), c), d) in probe.iter().zip(a).zip(b).zip(c).zip(d) {
                sums[0] = simd.mul_add_e_f32s(*p, *a, sums[0]);
                sums[1] = simd.mul_add_e_f32s(*p, *b, sums[1]);
                sums[2] = simd.mul_add_e_f32s(*p, *c, sums[2]);
                sums[3] = simd.mul_add_e_f32s(*p, *d, sums[3]);
            }
            for ((output, sum), rest) in output.iter_mut().zip(sums).zip([a_rest, b_rest, c_rest, d_rest]) {
                *output = simd.reduce_sum_f32s(sum) + scalar_product(probe_rest, rest);
            }
        }
        for (row, output) in groups.remainder().chunks_exact(dimension).zip(outputs.into_remainder()) {
            let (row, row_rest) = S::as_simd_f32s(row);
            let mut sum = simd.splat_f32s(0.0);
            for (p, r) in probe.iter().zip(row) {
                sum = simd.mul_add_e_f32s(*p, *r, sum);
            }
            *output = simd.reduce_sum_f32s(sum) + scalar_product(probe_rest, row_rest);
        }
    }
}

#[inline(always)]
fn scalar_product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The `k` best people so far, each with their best template; most similar first, equals by their key. Sorted rather than
/// a heap: `k` is small, and once the first rows have passed hardly any row gets in.
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
        // Whoever is in the list already is at least as good as its last: a row below that changes nothing.
        if self.people.len() >= self.k && self.people.last().is_none_or(|(_, worst)| cosine < *worst) {
            return;
        }
        self.admit(student, cosine);
    }

    #[cold]
    fn admit(&mut self, student: StudentId, cosine: f32) {
        if let Some(at) = self.people.iter().position(|(known, _)| *known == student) {
            if self.people[at].1 >= cosine {
                return;
            }
            self.people.remove(at);
        }
        let before = |(known, other): &(StudentId, f32)| *other > cosine || (*other == cosine && *known < student);
        let at = self.people.partition_point(before);
        self.people.insert(at, (student, cosine));
        self.people.truncate(self.k);
    }
}
