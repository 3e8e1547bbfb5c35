//! YOLO-face in the shapes it is exported in.
//!
//! - v5 raw heads: three outputs (1, 3 anchors, rows, columns, 16), before any sigmoid;
//! - v5 joined: one output (1, boxes, 16), decoded, in input pixels;
//! - v8 and v9: one output (1, 5 + points, boxes): center, size, score, then five points of two or three values;
//! - v10, end to end: one output (1, boxes, 6 + points): corners, score, class, then points; already suppressed.

use super::{Detection, landmarks_at, sigmoid};
use crate::error::{Error, Result};
use crate::geometry::{Landmarks5, Point, Rect};
use crate::models::session::Outputs;

/// The anchors of YOLOv5-face by stride, width and height in input pixels (its `yolov5n-0.5.yaml`).
const V5_ANCHORS: [(usize, [[f32; 2]; 3]); 3] = [
    (8, [[4.0, 5.0], [8.0, 10.0], [13.0, 16.0]]),
    (16, [[23.0, 29.0], [43.0, 55.0], [73.0, 105.0]]),
    (32, [[146.0, 217.0], [231.0, 300.0], [335.0, 433.0]]),
];
/// Values for a v5 box: center, size, objectness, five points, class.
const V5_VALUES: usize = 16;

pub(super) fn decode_v5_heads(
    outputs: &Outputs<'_, '_>,
    (width, height): (usize, usize),
    min_score: f32,
    found: &mut Vec<Detection>,
) -> Result<()> {
    for (index, (stride, anchors)) in V5_ANCHORS.iter().enumerate() {
        let (_, values) = outputs.at(index)?;
        decode_v5_head(values, width / stride, height / stride, *stride, anchors, min_score, found)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "inputs have far fewer than 2^24 pixels a side")]
fn decode_v5_head(
    values: &[f32],
    columns: usize,
    rows: usize,
    stride: usize,
    anchors: &[[f32; 2]; 3],
    min_score: f32,
    found: &mut Vec<Detection>,
) -> Result<()> {
    let cells = columns * rows;
    if values.len() != 3 * cells * V5_VALUES {
        return Err(Error::model("yolov5-face", format!("stride {stride}: expected {cells} cells of 3 anchors")));
    }
    let unit = stride as f32;
    for (i, v) in values.as_chunks::<V5_VALUES>().0.iter().enumerate() {
        // A product of two sigmoids is below its factors: most boxes need but one.
        let objectness = sigmoid(v[4]);
        if objectness < min_score {
            continue;
        }
        let score = objectness * sigmoid(v[15]);
        if score < min_score {
            continue;
        }
        let [anchor_width, anchor_height] = anchors[i / cells];
        let (column, row) = ((i % cells % columns) as f32, (i % cells / columns) as f32);
        let center = Point::new((sigmoid(v[0]) * 2.0 - 0.5 + column) * unit, (sigmoid(v[1]) * 2.0 - 0.5 + row) * unit);
        let side = |value: f32, anchor: f32| (sigmoid(value) * 2.0).powi(2) * anchor;
        found.push(Detection {
            bbox: Rect::from_center(center, side(v[2], anchor_width), side(v[3], anchor_height)),
            score,
            landmarks: Some(landmarks_at(&v[5..15], 2, |x, y| {
                (x * anchor_width + column * unit, y * anchor_height + row * unit)
            })),
            eyes: None,
        });
    }
    Ok(())
}

pub(super) fn decode_v5_joined(outputs: &Outputs<'_, '_>, min_score: f32, found: &mut Vec<Detection>) -> Result<()> {
    let (_, values) = outputs.at(0)?;
    for v in values.as_chunks::<V5_VALUES>().0 {
        let score = v[4] * v[15];
        if score >= min_score {
            found.push(Detection {
                bbox: Rect::from_center(Point::new(v[0], v[1]), v[2], v[3]),
                score,
                landmarks: Some(landmarks_at(&v[5..15], 2, |x, y| (x, y))),
                eyes: None,
            });
        }
    }
    Ok(())
}

pub(super) fn decode_v8(outputs: &Outputs<'_, '_>, min_score: f32, found: &mut Vec<Detection>) -> Result<()> {
    let (shape, values) = outputs.at(0)?;
    let rows = usize::try_from(shape.get(1).copied().unwrap_or(0)).unwrap_or(0);
    decode_v8_values(values, rows, min_score, found)
}

/// Decodes `values` of (rows, boxes): row 0 holds every box's center x, and so on.
fn decode_v8_values(values: &[f32], rows: usize, min_score: f32, found: &mut Vec<Detection>) -> Result<()> {
    let per_point = point_values(rows.checked_sub(5))?;
    let boxes = values.len() / rows;
    let at = |row: usize, i: usize| values[row * boxes + i];
    for i in (0..boxes).filter(|i| at(4, *i) >= min_score) {
        found.push(Detection {
            bbox: Rect::from_center(Point::new(at(0, i), at(1, i)), at(2, i), at(3, i)),
            score: at(4, i),
            landmarks: per_point
                .map(|n| Landmarks5(std::array::from_fn(|p| Point::new(at(5 + p * n, i), at(6 + p * n, i))))),
            eyes: None,
        });
    }
    Ok(())
}

pub(super) fn decode_v10(outputs: &Outputs<'_, '_>, min_score: f32, found: &mut Vec<Detection>) -> Result<()> {
    let (shape, values) = outputs.at(0)?;
    let columns = usize::try_from(shape.get(2).copied().unwrap_or(0)).unwrap_or(0);
    decode_v10_values(values, columns, min_score, found)
}

fn decode_v10_values(values: &[f32], columns: usize, min_score: f32, found: &mut Vec<Detection>) -> Result<()> {
    let per_point = point_values(columns.checked_sub(6))?;
    for v in values.chunks_exact(columns).filter(|v| v[4] >= min_score) {
        found.push(Detection {
            bbox: Rect::new(v[0], v[1], v[2], v[3]),
            score: v[4],
            landmarks: per_point.map(|n| landmarks_at(&v[6..], n, |x, y| (x, y))),
            eyes: None,
        });
    }
    Ok(())
}

/// Returns how many values each of five points has among `extra` ones: two, three (with a visibility), or no points
/// at all.
fn point_values(extra: Option<usize>) -> Result<Option<usize>> {
    match extra {
        Some(0) => Ok(None),
        Some(10) => Ok(Some(2)),
        Some(15) => Ok(Some(3)),
        _ => Err(Error::model("yolo-face", "its output has neither no points nor five of two or three values")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_v5_head_is_decoded_by_its_anchor() {
        let cells = 4;
        let mut values = vec![-20.0f32; 3 * cells * V5_VALUES];
        // Second anchor, last cell of 2 x 2.
        let at = (cells + 3) * V5_VALUES;
        values[at..at + 4].fill(0.0);
        values[at + 4] = 20.0;
        values[at + 5..at + 15].fill(0.0);
        values[at + 5] = 0.5;
        values[at + 15] = 20.0;
        let mut found = Vec::new();
        decode_v5_head(&values, 2, 2, 8, &V5_ANCHORS[0].1, 0.5, &mut found).unwrap();
        assert_eq!(found.len(), 1);
        // sigmoid(0) = .5: half a cell right and down of the corner, one anchor wide and high.
        assert_eq!(found[0].bbox.center(), Point::new(12.0, 12.0));
        assert_eq!((found[0].bbox.width(), found[0].bbox.height()), (8.0, 10.0));
        assert_eq!(found[0].landmarks.unwrap().left_eye(), Point::new(12.0, 8.0));
    }

    #[test]
    fn v8_keeps_one_box_a_column() {
        // Two boxes, points of three values.
        let mut values = vec![0.0f32; 20 * 2];
        for (row, value) in [(0, 50.0), (1, 60.0), (2, 20.0), (3, 40.0), (4, 0.9), (5, 45.0), (6, 55.0), (8, 54.0)] {
            values[row * 2 + 1] = value;
        }
        let mut found = Vec::new();
        decode_v8_values(&values, 20, 0.5, &mut found).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].bbox, Rect::new(40.0, 40.0, 60.0, 80.0));
        let points = found[0].landmarks.unwrap();
        assert_eq!((points.left_eye(), points.right_eye().x), (Point::new(45.0, 55.0), 54.0));
    }

    #[test]
    fn v10_gives_corners_and_may_have_no_points() {
        let mut found = Vec::new();
        decode_v10_values(&[1.0, 2.0, 3.0, 4.0, 0.9, 0.0, 9.0, 9.0, 9.0, 9.0, 0.1, 0.0], 6, 0.5, &mut found).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].bbox, found[0].landmarks), (Rect::new(1.0, 2.0, 3.0, 4.0), None));
    }

    #[test]
    fn an_output_of_another_task_is_refused() {
        // A COCO detector: 84 rows.
        assert!(decode_v8_values(&[0.0; 84], 84, 0.5, &mut Vec::new()).is_err());
    }
}
