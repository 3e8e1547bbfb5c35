//! YuNet: one anchor a cell, the box's center as an offset in strides, its size as an exponent.
//!
//! The score is the geometric mean of a class and an objectness score, each clamped to [0, 1].

use super::{Detection, landmarks_at};
use crate::error::{Error, Result};
use crate::geometry::{Point, Rect};
use crate::models::session::Outputs;

const STRIDES: [usize; 3] = [8, 16, 32];

/// One grid's outputs.
struct Grid<'a> {
    classes: &'a [f32],
    objects: &'a [f32],
    boxes: &'a [f32],
    points: &'a [f32],
}

pub(super) fn decode(
    outputs: &Outputs<'_, '_>,
    size: (usize, usize),
    min_score: f32,
    found: &mut Vec<Detection>,
) -> Result<()> {
    for stride in STRIDES {
        let grid = Grid {
            classes: outputs.named(&format!("cls_{stride}"))?,
            objects: outputs.named(&format!("obj_{stride}"))?,
            boxes: outputs.named(&format!("bbox_{stride}"))?,
            points: outputs.named(&format!("kps_{stride}"))?,
        };
        decode_grid(&grid, size, stride, min_score, found)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "inputs have far fewer than 2^24 pixels a side")]
fn decode_grid(
    grid: &Grid<'_>,
    (width, height): (usize, usize),
    stride: usize,
    min_score: f32,
    found: &mut Vec<Detection>,
) -> Result<()> {
    let (columns, rows) = (width / stride, height / stride);
    let expected = columns * rows;
    let lengths = [grid.classes.len(), grid.objects.len(), grid.boxes.len() / 4, grid.points.len() / 10];
    if lengths != [expected; 4] {
        return Err(Error::model(
            "yunet",
            format!("stride {stride}: expected {expected} cells for {width}x{height}, got {lengths:?}"),
        ));
    }
    let unit = stride as f32;
    for cell in 0..expected {
        let score = (grid.classes[cell].clamp(0.0, 1.0) * grid.objects[cell].clamp(0.0, 1.0)).sqrt();
        if score < min_score {
            continue;
        }
        let (column, row) = ((cell % columns) as f32, (cell / columns) as f32);
        let values = &grid.boxes[cell * 4..cell * 4 + 4];
        let center = Point::new((column + values[0]) * unit, (row + values[1]) * unit);
        found.push(Detection {
            bbox: Rect::from_center(center, values[2].exp() * unit, values[3].exp() * unit),
            score,
            landmarks: Some(landmarks_at(&grid.points[cell * 10..cell * 10 + 10], 2, |x, y| {
                ((x + column) * unit, (y + row) * unit)
            })),
            eyes: None,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_an_offset_and_an_exponent_in_strides() {
        let mut classes = vec![0.0; 8];
        classes[5] = 0.81;
        let objects = vec![1.5; 8];
        let mut boxes = vec![0.0; 32];
        boxes[20..24].copy_from_slice(&[0.5, 0.25, 2.0f32.ln(), 0.0]);
        let points = vec![0.5; 80];
        let grid = Grid { classes: &classes, objects: &objects, boxes: &boxes, points: &points };
        let mut found = Vec::new();
        decode_grid(&grid, (32, 16), 8, 0.6, &mut found).unwrap();
        assert_eq!(found.len(), 1);
        // Cell 5 of four columns: column 1, row 1. Objectness above one counts as one.
        assert!((found[0].score - 0.9).abs() < 1e-6);
        assert_eq!(found[0].bbox.center(), Point::new(12.0, 10.0));
        assert!((found[0].bbox.width() - 16.0).abs() < 1e-5 && (found[0].bbox.height() - 8.0).abs() < 1e-5);
        assert_eq!(found[0].landmarks.unwrap().nose(), Point::new(12.0, 12.0));
    }
}
