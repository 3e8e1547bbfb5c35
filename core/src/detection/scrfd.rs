//! SCRFD, any of its sizes: distances from a cell's corner to the four edges, and offsets to five points, in strides.
//!
//! Exports with three grids (strides 8, 16, 32) have two anchors a cell, those with five (up to 128) have one. For
//! each kind of output (1, 4 or 10 values an anchor) the finest grid comes first; keypoints may be missing.

use super::{Detection, landmarks_at};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::models::session::Outputs;

/// One grid's outputs.
pub(super) struct Grid<'a> {
    pub(super) scores: &'a [f32],
    pub(super) boxes: &'a [f32],
    pub(super) points: Option<&'a [f32]>,
}

pub(super) fn decode(
    outputs: &Outputs<'_, '_>,
    count: usize,
    (width, height): (usize, usize),
    min_score: f32,
    found: &mut Vec<Detection>,
) -> Result<()> {
    let grids = match count {
        6 | 9 => 3,
        10 | 15 => 5,
        _ => return Err(Error::model("scrfd", format!("expected 6, 9, 10 or 15 outputs, got {count}"))),
    };
    let anchors = if grids == 3 { 2 } else { 1 };
    for level in 0..grids {
        let grid = Grid {
            scores: outputs.at(level)?.1,
            boxes: outputs.at(grids + level)?.1,
            points: if count == 3 * grids { Some(outputs.at(2 * grids + level)?.1) } else { None },
        };
        decode_grid(&grid, (width, height), 8 << level, anchors, min_score, found)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "inputs have far fewer than 2^24 pixels a side")]
pub(super) fn decode_grid(
    grid: &Grid<'_>,
    (width, height): (usize, usize),
    stride: usize,
    anchors: usize,
    min_score: f32,
    found: &mut Vec<Detection>,
) -> Result<()> {
    let (columns, rows) = (width.div_ceil(stride), height.div_ceil(stride));
    let expected = columns * rows * anchors;
    let points_fit = grid.points.is_none_or(|points| points.len() == expected * 10);
    if grid.scores.len() != expected || grid.boxes.len() != expected * 4 || !points_fit {
        return Err(Error::model(
            "scrfd",
            format!("stride {stride}: expected {expected} anchors for {width}x{height}, got {}", grid.scores.len()),
        ));
    }
    for (i, score) in grid.scores.iter().enumerate().filter(|(_, score)| **score >= min_score) {
        let cell = i / anchors;
        let unit = stride as f32;
        let (x, y) = ((cell % columns) as f32 * unit, (cell / columns) as f32 * unit);
        let edges = &grid.boxes[i * 4..i * 4 + 4];
        found.push(Detection {
            bbox: Rect::new(x - edges[0] * unit, y - edges[1] * unit, x + edges[2] * unit, y + edges[3] * unit),
            score: *score,
            landmarks: grid
                .points
                .map(|points| landmarks_at(&points[i * 10..i * 10 + 10], 2, |px, py| (x + px * unit, y + py * unit))),
            eyes: None,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_in_strides_from_the_corner_of_the_cell() {
        let mut scores = vec![0.0; 4 * 4 * 2];
        let mut boxes = vec![0.0; scores.len() * 4];
        let mut points = vec![0.0; scores.len() * 10];
        let at = (2 * 4 + 1) * 2;
        scores[at] = 0.9;
        boxes[at * 4..at * 4 + 4].copy_from_slice(&[1.0, 0.5, 2.0, 3.0]);
        points[at * 10..at * 10 + 2].copy_from_slice(&[0.25, -0.5]);
        let grid = Grid { scores: &scores, boxes: &boxes, points: Some(&points) };
        let mut found = Vec::new();
        decode_grid(&grid, (32, 32), 8, 2, 0.5, &mut found).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].bbox, Rect::new(0.0, 12.0, 24.0, 40.0));
        let eye = found[0].landmarks.unwrap().left_eye();
        assert_eq!((eye.x, eye.y), (10.0, 12.0));
    }

    #[test]
    fn an_export_without_points_still_gives_boxes() {
        let grid = Grid { scores: &[0.9, 0.0], boxes: &[1.0; 8], points: None };
        let mut found = Vec::new();
        decode_grid(&grid, (8, 8), 8, 2, 0.5, &mut found).unwrap();
        assert_eq!(found[0].landmarks, None);
    }
}
