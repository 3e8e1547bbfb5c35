//! BlazeFace: two grids of cells, anchors at the cells' centers, everything as offsets in pixels.
//!
//! Stride 16 has two anchors a cell, stride 32 has six. A box is (center x, center y, width, height); six keypoints
//! follow: the eye on the image's left, the one on its right, nose, mouth, and the ears, of which the eyes are used.

use super::{Detection, sigmoid};
use crate::error::{Error, Result};
use crate::geometry::{Point, Rect};
use crate::models::session::Outputs;

const GRIDS: [(usize, usize, &str, &str); 2] = [(16, 2, "scores_16", "boxes_16"), (32, 6, "scores_32", "boxes_32")];
/// Values for a box: four for its place, two for each of six keypoints.
const STRIDE: usize = 16;

pub(super) fn decode(
    outputs: &Outputs<'_, '_>,
    (width, height): (usize, usize),
    min_score: f32,
    found: &mut Vec<Detection>,
) -> Result<()> {
    for (stride, anchors, scores, boxes) in GRIDS {
        decode_grid(outputs.named(scores)?, outputs.named(boxes)?, width / stride, height / stride, stride, anchors)?
            .filter(|d| d.score >= min_score)
            .for_each(|d| found.push(d));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "inputs have far fewer than 2^24 pixels a side")]
fn decode_grid<'a>(
    scores: &'a [f32],
    boxes: &'a [f32],
    columns: usize,
    rows: usize,
    stride: usize,
    anchors: usize,
) -> Result<impl Iterator<Item = Detection> + 'a> {
    let expected = columns * rows * anchors;
    if scores.len() != expected || boxes.len() != expected * STRIDE {
        return Err(Error::model(
            "blazeface",
            format!(
                "stride {stride}: expected {expected} anchors, got {} scores, {} values",
                scores.len(),
                boxes.len()
            ),
        ));
    }
    Ok(scores.iter().zip(boxes.as_chunks::<STRIDE>().0).enumerate().map(move |(i, (score, values))| {
        let cell = i / anchors;
        let x = ((cell % columns) as f32 + 0.5) * stride as f32;
        let y = ((cell / columns) as f32 + 0.5) * stride as f32;
        let point = |k: usize| Point::new(x + values[4 + 2 * k], y + values[5 + 2 * k]);
        Detection {
            bbox: Rect::from_center(Point::new(x + values[0], y + values[1]), values[2], values[3]),
            score: sigmoid(*score),
            landmarks: None,
            eyes: Some([point(0), point(1)]),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_sits_at_the_center_of_its_cell() {
        let mut scores = vec![-20.0; 3 * 2 * 2];
        let mut boxes = vec![0.0; scores.len() * STRIDE];
        // Second row, third column, second anchor.
        let at = (3 + 2) * 2 + 1;
        scores[at] = 20.0;
        boxes[at * STRIDE..at * STRIDE + 6].copy_from_slice(&[1.0, 2.0, 10.0, 20.0, -3.0, -4.0]);
        let found: Vec<_> = decode_grid(&scores, &boxes, 3, 2, 16, 2).unwrap().filter(|d| d.score > 0.5).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].bbox.center(), Point::new(41.0, 26.0));
        assert_eq!((found[0].bbox.width(), found[0].bbox.height()), (10.0, 20.0));
        assert_eq!(found[0].eyes.unwrap()[0], Point::new(37.0, 20.0));
    }

    #[test]
    fn outputs_of_another_size_are_an_error() {
        assert!(decode_grid(&[0.0; 5], &[0.0; 5 * STRIDE], 3, 2, 16, 2).is_err());
    }
}
