//! Whether both sides found the same: a comparison of different answers is worth nothing.

use crate::peer::{Answer, Face};

/// How alike the faces that both sides found must be.
#[derive(Clone, Copy)]
pub(crate) struct Tolerance {
    /// How far an edge of a box may be from the other side's, as a part of the box.
    edge: f32,
    /// The least cosine between the embeddings of one face.
    cosine: f32,
}

/// A face that is large in the detector's input. SFace multiplies bytes, so that a level of a pixel moves its
/// embedding: of 80 pictures with one face the least cosine to the reference was 0.977, the mean 0.997. This one is at
/// 0.998.
pub(crate) const LARGE: Tolerance = Tolerance { edge: 0.02, cosine: 0.995 };
/// A face of some thirty pixels in the detector's input: there the sides' filters for shrinking the picture (area
/// here, a triangle there) move a box by a pixel. Measured at worst: 0.030 and 0.9897 with the default pack, 0.9947
/// with a SCRFD and an ArcFace-class model, whose points come from the detector itself. (Strangers are around cosine
/// 0.1.)
pub(crate) const SMALL: Tolerance = Tolerance { edge: 0.05, cosine: 0.98 };
/// How far the cosines of a match may be apart: the order of additions differs.
const COSINE_TOLERANCE: f32 = 1e-4;

/// Whether both found `count` faces, in the same places and with the same embeddings.
pub(crate) fn on_faces(ours: &Answer, theirs: &Answer, count: usize, tolerance: Tolerance) -> Result<(), String> {
    if ours.faces.len() != count || theirs.faces.len() != count {
        return Err(format!("expected {count} faces, got {} and {}", ours.faces.len(), theirs.faces.len()));
    }
    for face in &ours.faces {
        let nearest = |other: &&Face| distance(&face.bounds, &other.bounds);
        let other =
            theirs.faces.iter().min_by(|a, b| nearest(a).total_cmp(&nearest(b))).ok_or("no face to compare with")?;
        let [x1, y1, x2, y2] = face.bounds;
        let apart = nearest(&other) / (x2 - x1).max(y2 - y1);
        if apart > tolerance.edge {
            return Err(format!("boxes {:?} and {:?} are {apart:.3} of their size apart", face.bounds, other.bounds));
        }
        if let (Some(a), Some(b)) = (&face.embedding, &other.embedding) {
            let cosine: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            if a.len() != b.len() || cosine < tolerance.cosine {
                return Err(format!("the embeddings' cosine is {cosine:.5}, expected {} at least", tolerance.cosine));
            }
        } else if face.embedding.is_some() != other.embedding.is_some() {
            return Err("only one side has an embedding".to_owned());
        }
    }
    Ok(())
}

fn distance(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Whether both found the same people.
pub(crate) fn on_matches(ours: &Answer, theirs: &Answer) -> Result<(), String> {
    let same = ours.matches.len() == theirs.matches.len()
        && ours.matches.iter().zip(&theirs.matches).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < COSINE_TOLERANCE);
    if same { Ok(()) } else { Err(format!("{:?} are not {:?}", ours.matches, theirs.matches)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(x: f32, embedding: [f32; 2]) -> Answer {
        let face = Face { bounds: [x, 0.0, x + 100.0, 100.0], embedding: Some(embedding.to_vec()) };
        Answer { faces: vec![face], ..Answer::default() }
    }

    #[test]
    fn other_boxes_and_other_people_do_not_agree() {
        let ours = answer(10.0, [1.0, 0.0]);
        assert!(on_faces(&ours, &answer(11.0, [1.0, 0.0]), 1, LARGE).is_ok());
        assert!(on_faces(&ours, &answer(13.0, [1.0, 0.0]), 1, LARGE).is_err());
        assert!(on_faces(&ours, &answer(10.0, [0.99, 0.1]), 1, LARGE).is_err());
        assert!(on_faces(&ours, &ours, 2, LARGE).is_err());
    }
}
