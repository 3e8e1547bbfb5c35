//! The matrix of a gallery: a row for each person, in segments that snapshots share.

use std::collections::HashMap;
use std::sync::Arc;

use crate::embedding::Embedding;
use crate::types::StudentId;

/// Rows in a segment: as many as make copying one (2 MiB at 512 values) cheap beside the search that saw it, and a
/// million rows no more than a thousand segments.
pub(super) const SEGMENT_ROWS: usize = 1024;

/// A part of the matrix: rows of unit vectors without gaps, and whose each is.
#[derive(Clone, Default)]
pub(super) struct Segment {
    pub(super) rows: Vec<f32>,
    pub(super) owners: Vec<StudentId>,
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
    row: usize,
    /// How many views the row is the mean of.
    pub(super) views: usize,
    /// The length of their sum: the row times it is the sum.
    length: f64,
}

impl Writer {
    pub(super) fn insert(&mut self, student: StudentId, views: &[Embedding]) {
        let Some(dimension) = views.first().map(|view| view.values().len()) else { return };
        let known = self.known.get(&student).copied();
        let mut sum = vec![0.0; dimension];
        if let Some(known) = known {
            let rows = &self.segments[known.row / SEGMENT_ROWS].rows;
            let at = known.row % SEGMENT_ROWS * dimension;
            for (total, value) in sum.iter_mut().zip(&rows[at..at + dimension]) {
                *total = f64::from(*value) * known.length;
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
        let mean = sum.into_iter().map(|value| (value * scale) as f32);
        let row = match known {
            Some(known) => {
                // Copies the segment only when a snapshot shares it.
                let segment = Arc::make_mut(&mut self.segments[known.row / SEGMENT_ROWS]);
                let at = known.row % SEGMENT_ROWS * dimension;
                segment.rows.splice(at..at + dimension, mean);
                known.row
            }
            None => self.push(student, mean),
        };
        let views = views.len() + known.map_or(0, |known| known.views);
        self.known.insert(student, Known { row, views, length });
    }

    /// Returns the cosine between two people's rows, if both are here.
    pub(super) fn cosine(&self, one: StudentId, two: StudentId) -> Option<f32> {
        let row = |student| {
            let known = self.known.get(&student)?;
            let segment = self.segments.get(known.row / SEGMENT_ROWS)?;
            let dimension = segment.rows.len() / segment.owners.len().max(1);
            let at = known.row % SEGMENT_ROWS * dimension;
            segment.rows.get(at..at + dimension)
        };
        let (one, two) = (row(one)?, row(two)?);
        #[expect(clippy::cast_possible_truncation, reason = "a cosine fits an f32")]
        let cosine = one.iter().zip(two).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32;
        Some(cosine)
    }

    /// Adds a row at the end and says which it is.
    fn push(&mut self, student: StudentId, row: impl Iterator<Item = f32>) -> usize {
        if self.segments.last().is_none_or(|last| last.owners.len() == SEGMENT_ROWS) {
            self.segments.push(Arc::default());
        }
        let full = (self.segments.len() - 1) * SEGMENT_ROWS;
        let Some(last) = self.segments.last_mut().map(Arc::make_mut) else { return full };
        last.rows.extend(row);
        last.owners.push(student);
        full + last.owners.len() - 1
    }

    /// Fills the hole with the last row of all.
    pub(super) fn remove(&mut self, student: StudentId, dimension: usize) -> bool {
        let Some(Known { row: hole, .. }) = self.known.remove(&student) else { return false };
        let Some(last) = self.segments.last_mut().map(Arc::make_mut) else { return true };
        let (Some(owner), Some(start)) = (last.owners.pop(), last.rows.len().checked_sub(dimension)) else {
            return true;
        };
        let row = last.rows.split_off(start);
        let from = (self.segments.len() - 1) * SEGMENT_ROWS + start / dimension;
        if start == 0 {
            self.segments.pop();
        }
        if from != hole {
            let segment = Arc::make_mut(&mut self.segments[hole / SEGMENT_ROWS]);
            let at = hole % SEGMENT_ROWS;
            segment.rows[at * dimension..(at + 1) * dimension].copy_from_slice(&row);
            segment.owners[at] = owner;
            if let Some(moved) = self.known.get_mut(&owner) {
                moved.row = hole;
            }
        }
        true
    }
}

/// Below it a sum of unit vectors is what rounding leaves of none.
const NO_LENGTH: f64 = 1e-6;
