//! The matrix of a gallery: a row for each person, in segments that snapshots share.

use std::collections::HashMap;
use std::sync::Arc;

use super::codes::{Scale, decode, encode};
use crate::embedding::Embedding;
use crate::types::StudentId;

/// Rows in a segment: as many as make copying one (1.5 MiB at 512 values) cheap beside the search that saw it, and a
/// million rows no more than a thousand segments.
pub(super) const SEGMENT_ROWS: usize = 1024;

/// A part of the matrix: rows of unit vectors without gaps, as codes, and whose each is.
#[derive(Clone, Default)]
pub(super) struct Segment {
    pub(super) upper: Vec<i8>,
    lower: Vec<i16>,
    pub(super) scales: Vec<Scale>,
    pub(super) owners: Vec<StudentId>,
}

impl Segment {
    /// Writes the values of row `at` into `row`, whose length is the dimension.
    pub(super) fn read(&self, at: usize, row: &mut [f32]) {
        let (from, to) = (at * row.len(), (at + 1) * row.len());
        decode(self.scales[at], &self.upper[from..to], &self.lower[from..to], row);
    }

    /// Makes room for `rows` of `dimension` values, and no more.
    pub(super) fn reserve(&mut self, rows: usize, dimension: usize) {
        self.upper.reserve_exact(rows * dimension);
        self.lower.reserve_exact(rows * dimension);
        self.scales.reserve_exact(rows);
        self.owners.reserve_exact(rows);
    }

    /// Adds a row.
    pub(super) fn push(&mut self, student: StudentId, row: &[f32]) {
        let scale = encode(row, &mut self.upper, &mut self.lower);
        self.scales.push(scale);
        self.owners.push(student);
    }

    /// Puts another row of the same person in the place of row `at`.
    fn set(&mut self, at: usize, row: &[f32]) {
        let (mut upper, mut lower) = (Vec::with_capacity(row.len()), Vec::with_capacity(row.len()));
        let scale = encode(row, &mut upper, &mut lower);
        self.put(at, &Coded { upper, lower, scale, owner: self.owners[at] });
    }

    fn put(&mut self, at: usize, row: &Coded) {
        let codes = at * row.upper.len()..(at + 1) * row.upper.len();
        self.upper[codes.clone()].copy_from_slice(&row.upper);
        self.lower[codes].copy_from_slice(&row.lower);
        self.scales[at] = row.scale;
        self.owners[at] = row.owner;
    }

    /// Takes the last row out.
    fn pop(&mut self, dimension: usize) -> Option<Coded> {
        let (owner, scale) = (self.owners.pop()?, self.scales.pop()?);
        let codes = self.owners.len() * dimension;
        Some(Coded { upper: self.upper.split_off(codes), lower: self.lower.split_off(codes), scale, owner })
    }
}

/// A row by itself.
struct Coded {
    upper: Vec<i8>,
    lower: Vec<i16>,
    scale: Scale,
    owner: StudentId,
}

pub(super) type Segments = Vec<Arc<Segment>>;

/// The matrix as the writer holds it, and where each person's row is. All segments but the last are full; row `n` is
/// row `n % SEGMENT_ROWS` of segment `n / SEGMENT_ROWS`.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) segments: Segments,
    pub(super) known: HashMap<StudentId, Known>,
}

/// A person's place in the matrix, and what it takes to add a view to their mean.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) row: usize,
    /// How many views the row is the mean of.
    pub(super) views: usize,
    /// The length of their sum: the row times it is the sum.
    pub(super) length: f64,
}

/// Returns the mean of `views`, and of those that a row of before is the mean of, with the length of their sum.
pub(super) fn mean(before: Option<(&[f32], f64)>, views: &[Embedding]) -> (Vec<f32>, f64) {
    let dimension = views.first().map_or(0, |view| view.values().len());
    let mut sum = vec![0.0; dimension];
    if let Some((row, length)) = before {
        for (total, value) in sum.iter_mut().zip(row) {
            *total = f64::from(*value) * length;
        }
    }
    for view in views {
        for (total, value) in sum.iter_mut().zip(view.values()) {
            *total += f64::from(*value);
        }
    }
    let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
    // Views that point away from each other have no mean: such a row resembles nobody until another view comes.
    let scale = if length > NO_LENGTH { 1.0 / length } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, reason = "a unit vector's parts fit an f32")]
    let row = sum.into_iter().map(|total| (total * scale) as f32).collect();
    (row, length)
}

impl Writer {
    pub(super) fn insert(&mut self, student: StudentId, views: &[Embedding]) {
        let Some(dimension) = views.first().map(|view| view.values().len()) else { return };
        let known = self.known.get(&student).copied();
        let mut row = vec![0.0; dimension];
        let before = known.map(|known| {
            self.segments[known.row / SEGMENT_ROWS].read(known.row % SEGMENT_ROWS, &mut row);
            (row.as_slice(), known.length)
        });
        let (row, length) = mean(before, views);
        let place = match known {
            Some(known) => {
                // Copies the segment only when a snapshot shares it.
                Arc::make_mut(&mut self.segments[known.row / SEGMENT_ROWS]).set(known.row % SEGMENT_ROWS, &row);
                known.row
            }
            None => self.push(student, &row),
        };
        let views = views.len() + known.map_or(0, |known| known.views);
        self.known.insert(student, Known { row: place, views, length });
    }

    /// Returns the cosine between two people's rows, of `dimension` values, if both are here.
    pub(super) fn cosine(&self, one: StudentId, two: StudentId, dimension: usize) -> Option<f32> {
        let row = |student| {
            let known = self.known.get(&student)?;
            let mut row = vec![0.0; dimension];
            self.segments.get(known.row / SEGMENT_ROWS)?.read(known.row % SEGMENT_ROWS, &mut row);
            Some(row)
        };
        let (one, two) = (row(one)?, row(two)?);
        #[expect(clippy::cast_possible_truncation, reason = "a cosine fits an f32")]
        let cosine = one.iter().zip(&two).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32;
        Some(cosine)
    }

    /// Adds a row at the end and says which it is.
    fn push(&mut self, student: StudentId, row: &[f32]) -> usize {
        if self.segments.last().is_none_or(|last| last.owners.len() == SEGMENT_ROWS) {
            self.segments.push(Arc::default());
        }
        let full = (self.segments.len() - 1) * SEGMENT_ROWS;
        let Some(last) = self.segments.last_mut().map(Arc::make_mut) else { return full };
        last.push(student, row);
        full + last.owners.len() - 1
    }

    /// Fills the hole with the last row of all.
    pub(super) fn remove(&mut self, student: StudentId, dimension: usize) -> bool {
        let Some(Known { row: hole, .. }) = self.known.remove(&student) else { return false };
        let Some(last) = self.segments.last_mut().map(Arc::make_mut) else { return true };
        let Some(row) = last.pop(dimension) else { return true };
        let left = last.owners.len();
        let from = (self.segments.len() - 1) * SEGMENT_ROWS + left;
        if left == 0 {
            self.segments.pop();
        }
        if from != hole {
            Arc::make_mut(&mut self.segments[hole / SEGMENT_ROWS]).put(hole % SEGMENT_ROWS, &row);
            if let Some(moved) = self.known.get_mut(&row.owner) {
                moved.row = hole;
            }
        }
        true
    }
}

/// Below it a sum of unit vectors is what rounding leaves of none.
const NO_LENGTH: f64 = 1e-6;
