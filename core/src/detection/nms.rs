//! Non-maximum suppression: keeps the best of the boxes on one face.

use super::Detection;

/// Keeps, best score first, each detection that overlaps no better one by more than `max_iou`.
pub(super) fn suppress(detections: &mut Vec<Detection>, max_iou: f32) {
    detections.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept = 0;
    for i in 0..detections.len() {
        if detections[..kept].iter().all(|better| better.bbox.iou(&detections[i].bbox) <= max_iou) {
            detections.swap(kept, i);
            kept += 1;
        }
    }
    detections.truncate(kept);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::Rect;

    fn at(x: f32, y: f32, side: f32, score: f32) -> Detection {
        Detection { bbox: Rect::new(x, y, x + side, y + side), score, landmarks: None, eyes: None }
    }

    #[test]
    fn the_best_of_overlapping_boxes_stays_and_a_distant_one_too() {
        let mut found = vec![at(0.0, 0.0, 10.0, 0.6), at(1.0, 0.0, 10.0, 0.9), at(50.0, 0.0, 10.0, 0.5)];
        suppress(&mut found, 0.4);
        assert_eq!(found.iter().map(|d| d.score).collect::<Vec<_>>(), [0.9, 0.5]);
    }

    proptest! {
        #[test]
        fn twice_is_as_once(boxes in prop::collection::vec((0f32..100.0, 0f32..100.0, 1f32..40.0, 0f32..1.0), 0..40)) {
            let mut once: Vec<_> = boxes.into_iter().map(|(x, y, side, score)| at(x, y, side, score)).collect();
            suppress(&mut once, 0.4);
            let mut twice = once.clone();
            suppress(&mut twice, 0.4);
            prop_assert_eq!(&once, &twice);
            for (i, a) in once.iter().enumerate() {
                prop_assert!(once[..i].iter().all(|b| a.bbox.iou(&b.bbox) <= 0.4));
            }
        }
    }
}
