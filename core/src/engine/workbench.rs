//! One thread's workbench: a session of each model, and the buffers that an analysis reuses.

use super::analysis::{Analysis, AnalyzeOptions, Depth, Face, Selection};
use crate::antispoof::{PassiveModel, PassivePad};
use crate::detection::{DetectOptions, Detection, Detector};
use crate::embedding::EmbeddingModel;
use crate::error::Result;
use crate::frame::Frame;
use crate::geometry::{Landmarks5, Point, Rect};
use crate::landmarks::MeshModel;
use crate::pose::{Pose, PoseFit};
use crate::preprocess::Pixels;
use crate::quality::QualityJudge;

pub(super) struct Workbench {
    pub(super) detector: Detector,
    pub(super) mesh: Option<MeshModel>,
    pub(super) embedder: EmbeddingModel,
    /// The networks, or why there are none.
    pub(super) antispoof: std::result::Result<PassiveModel, &'static str>,
    pub(super) judge: QualityJudge,
    pub(super) detect: DetectOptions,
    /// For the detector's own points, and for those of the mesh.
    pub(super) fits: [PoseFit; 2],
    pub(super) scratch: Scratch,
}

#[derive(Default)]
pub(super) struct Scratch {
    boxes: Vec<(Rect, Option<[Point; 2]>)>,
    meshes: Vec<Option<crate::landmarks::Mesh>>,
    landmarks: Vec<Landmarks5>,
    embeddings: Vec<Option<crate::embedding::Embedding>>,
}

impl Workbench {
    pub(super) fn analyze(&mut self, picture: &mut dyn Pixels, options: &AnalyzeOptions) -> Result<Analysis> {
        let [width, height] = picture.size();
        #[expect(clippy::cast_precision_loss, reason = "frames have far fewer than 2^24 pixels a side")]
        let whole = Rect::new(0.0, 0.0, width as f32, height as f32);
        let region = match options.region {
            None => whole,
            Some(region) => {
                let inside = region.intersection(&whole);
                let pixels = Rect::new(inside.x1.floor(), inside.y1.floor(), inside.x2.ceil(), inside.y2.ceil());
                // Nothing can be found in a region that misses the frame.
                if pixels.area() < 1.0 {
                    return Ok(Analysis::default());
                }
                pixels
            }
        };
        let detect = match options.input_size {
            Some(input_size) => self.detect.with_input_size(input_size),
            None => self.detect,
        };
        detect.check()?;
        let (found, input_size) = self.detector.detect(picture, &region, &detect)?;
        let mut order: Vec<&Detection> = found.iter().collect();
        order.sort_by(|a, b| b.bbox.area().total_cmp(&a.bbox.area()));
        let mut faces: Vec<Face> =
            order.iter().map(|d| Face { eyes: d.eyes, ..Face::detected(d.bbox, d.score, d.landmarks) }).collect();
        let mut selected: Vec<usize> = select(&faces, options.selection, &region);
        if options.depth > Depth::Detection {
            self.take(picture.part(1.0)?.frame, &mut faces, &mut selected, options.depth)?;
        }
        // The selected come first; both parts stay largest first.
        selected.sort_unstable();
        for (to, &from) in selected.iter().enumerate() {
            faces[to..=from].rotate_right(1);
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 4096")]
        let input_size = input_size as u32;
        for face in &mut faces {
            face.clip(width, height);
        }
        Ok(Analysis { faces, input_size })
    }

    /// Takes faces of this frame further than they were.
    pub(super) fn deepen(&mut self, frame: &Frame<'_>, faces: &mut Vec<Face>, depth: Depth) -> Result<()> {
        let mut selected: Vec<usize> = (0..faces.len()).collect();
        self.take(frame, faces, &mut selected, depth)
    }

    /// Takes the selected faces as far as `depth`; what they have is kept. The indices follow when faces turn out to
    /// be none.
    fn take(
        &mut self,
        frame: &Frame<'_>,
        faces: &mut Vec<Face>,
        selected: &mut Vec<usize>,
        depth: Depth,
    ) -> Result<()> {
        if depth >= Depth::Pose {
            self.locate(frame, faces, selected)?;
            // Where the mesh sees no face, the detector was mistaken.
            if self.mesh.is_some() {
                let mistaken: Vec<usize> = selected.iter().copied().filter(|i| faces[*i].landmarks.is_none()).collect();
                selected.retain(|i| !mistaken.contains(i));
                remove(faces, selected, &mistaken);
            }
            self.judge(frame, faces, selected);
        }
        if depth >= Depth::Embedding {
            self.embed(frame, faces, selected)?;
        }
        if depth >= Depth::Antispoof {
            for &i in selected.iter() {
                faces[i].antispoof = match &mut self.antispoof {
                    Ok(model) => model.run(frame, &faces[i].whole)?,
                    Err(reason) => PassivePad::Unavailable { reason },
                };
            }
        }
        Ok(())
    }

    /// Returns the five points of each selected face, from the mesh where the detector gave none.
    fn locate(&mut self, frame: &Frame<'_>, faces: &mut [Face], selected: &[usize]) -> Result<()> {
        let Some(mesh) = &mut self.mesh else { return Ok(()) };
        let scratch = &mut self.scratch;
        scratch.boxes.clear();
        scratch.meshes.clear();
        let wanting = || selected.iter().filter(|i| faces[**i].landmarks.is_none());
        scratch.boxes.extend(wanting().map(|i| (faces[*i].whole, faces[*i].eyes)));
        mesh.run(frame, &scratch.boxes, &mut scratch.meshes)?;
        let wanting: Vec<usize> = wanting().copied().collect();
        for (i, mesh) in wanting.into_iter().zip(scratch.meshes.drain(..)) {
            faces[i].landmarks = mesh.as_ref().map(crate::landmarks::Mesh::five);
            faces[i].mesh = mesh;
        }
        Ok(())
    }

    fn judge(&mut self, frame: &Frame<'_>, faces: &mut [Face], selected: &[usize]) {
        for &i in selected {
            let face = &mut faces[i];
            let (Some(landmarks), None) = (face.landmarks, &face.quality) else { continue };
            let [own, mesh] = self.fits;
            let fit = if face.mesh.is_some() { mesh } else { own };
            face.pose = Pose::from_landmarks(&landmarks, fit);
            face.quality = self.judge.judge(frame, &face.whole, &landmarks, face.pose.as_ref());
        }
    }

    fn embed(&mut self, frame: &Frame<'_>, faces: &mut [Face], selected: &[usize]) -> Result<()> {
        let scratch = &mut self.scratch;
        scratch.landmarks.clear();
        scratch.embeddings.clear();
        let wanting = |i: &usize| faces[*i].landmarks.is_some() && faces[*i].embedding.is_none();
        let with_points: Vec<usize> = selected.iter().copied().filter(wanting).collect();
        scratch.landmarks.extend(with_points.iter().filter_map(|i| faces[*i].landmarks));
        self.embedder.run(frame, &scratch.landmarks, &mut scratch.embeddings)?;
        for (i, embedding) in with_points.into_iter().zip(scratch.embeddings.drain(..)) {
            faces[i].embedding = embedding;
        }
        Ok(())
    }
}

/// Returns the indices of the faces to take further.
fn select(faces: &[Face], selection: Selection, region: &Rect) -> Vec<usize> {
    let best = |score: &dyn Fn(&Face) -> f32| {
        (0..faces.len()).max_by(|a, b| score(&faces[*a]).total_cmp(&score(&faces[*b]))).into_iter().collect()
    };
    match selection {
        Selection::All => (0..faces.len()).collect(),
        Selection::Largest => best(&|face| face.bbox.area()),
        // Area against twice the squared distance: InsightFace's rule for the same choice.
        Selection::MostCentral => best(&|face| {
            let distance = face.bbox.center().distance(region.center());
            face.bbox.area() - 2.0 * distance * distance
        }),
    }
}

/// Removes the faces at `gone` and moves the indices in `selected` along.
fn remove(faces: &mut Vec<Face>, selected: &mut [usize], gone: &[usize]) {
    for index in selected {
        *index -= gone.iter().filter(|g| **g < *index).count();
    }
    let mut at = 0;
    faces.retain(|_| {
        at += 1;
        !gone.contains(&(at - 1))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, side: f32) -> Face {
        Face::detected(Rect::new(x, 0.0, x + side, side), 0.9, None)
    }

    #[test]
    fn the_policies_choose_differently() {
        let region = Rect::new(0.0, 0.0, 100.0, 40.0);
        let faces = [face(0.0, 30.0), face(45.0, 20.0), face(90.0, 10.0)];
        assert_eq!(select(&faces, Selection::All, &region), [0, 1, 2]);
        assert_eq!(select(&faces, Selection::Largest, &region), [0]);
        assert_eq!(select(&faces, Selection::MostCentral, &region), [1]);
        assert!(select(&[], Selection::Largest, &region).is_empty());
    }

    #[test]
    fn removing_a_face_moves_the_others_along() {
        let mut faces = vec![face(0.0, 30.0), face(1.0, 20.0), face(2.0, 10.0)];
        let mut selected = vec![0, 2];
        remove(&mut faces, &mut selected, &[1]);
        assert_eq!((faces.len(), selected), (2, vec![0, 1]));
    }
}
