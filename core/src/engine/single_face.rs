//! The one face of a picture, or the reason why there is none to take.

use super::analysis::{AnalyzeOptions, Depth, Face, FaceEngine};
use crate::embedding::Embedding;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::quality::QualityReason;

/// How many times larger than any other the face of the person must be: the default of
/// [`LivenessOptions::dominance`](crate::liveness::LivenessOptions::dominance). A passer-by in the background does no
/// harm; two people side by side do.
pub(crate) const DOMINANCE: f32 = 2.0;

/// What a picture of one person shows: the answer of [`Engine::embed`](crate::Engine::embed).
///
/// A photograph to enrol somebody by must show one clear face. A photograph to search for may be worse, so every
/// answer that saw a face gives the largest one.
///
/// ```
/// use faceattend_core::{Engine, Frame, SingleFace};
///
/// let engine = Engine::new()?;
/// match engine.embed(&Frame::open("../examples/media/hopper/center.jpg")?)? {
///     SingleFace::Clear { embedding, .. } => println!("enrol by {embedding:?}"),
///     other => println!("take another picture: {}", other.advice()),
/// }
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SingleFace {
    /// One face, good enough to recognize the person by. It fills at least twice the area of any other face.
    Clear {
        /// The face.
        face: Box<Face>,
        /// Its embedding.
        embedding: Embedding,
    },
    /// One face that is not good enough to recognize the person by.
    Unclear {
        /// The face. It has an embedding unless there was nothing to align it by.
        face: Box<Face>,
    },
    /// Several faces, none of which is twice as large as the others.
    Several {
        /// How many faces compete, the largest one included.
        count: usize,
        /// The largest one.
        largest: Box<Face>,
    },
    /// No face.
    None,
}

impl SingleFace {
    /// Finds the one face of `frame`, or of `region` of it, with any engine.
    ///
    /// # Errors
    /// Those of [`FaceEngine::analyze`]. A picture without a face is [`SingleFace::None`].
    pub fn find(engine: &dyn FaceEngine, frame: &Frame<'_>, region: Option<Rect>) -> Result<Self> {
        let detection = AnalyzeOptions { region, ..AnalyzeOptions::default() }.with_depth(Depth::Detection);
        let mut rest = engine.analyze(frame, &detection)?.faces;
        rest.sort_by(|a, b| b.bbox.area().total_cmp(&a.bbox.area()));
        let mut found: Vec<Face> = Vec::new();
        for face in rest {
            // Everything that follows is smaller still.
            if found.first().is_some_and(|largest| face.bbox.area() * DOMINANCE <= largest.bbox.area()) {
                break;
            }
            // A closer look removes what is no face.
            let mut closer = vec![face];
            engine.deepen(frame, &mut closer, Depth::Pose)?;
            found.append(&mut closer);
        }
        let count = found.len();
        found.truncate(1);
        engine.deepen(frame, &mut found, Depth::Embedding)?;
        let Some(largest) = found.pop() else { return Ok(Self::None) };
        let flawed = largest.quality.as_ref().is_some_and(|quality| !quality.reasons.is_empty());
        let face = Box::new(largest);
        Ok(match face.embedding.clone() {
            _ if count > 1 => Self::Several { count, largest: face },
            Some(embedding) if !flawed => Self::Clear { face, embedding },
            _ => Self::Unclear { face },
        })
    }

    /// Returns the largest face, whatever speaks against it.
    #[must_use]
    pub fn largest(&self) -> Option<&Face> {
        match self {
            Self::Clear { face, .. } | Self::Unclear { face } | Self::Several { largest: face, .. } => Some(face),
            Self::None => None,
        }
    }

    /// Returns the embedding of the largest face, whatever speaks against it: enough to search for somebody.
    #[must_use]
    pub fn into_embedding(self) -> Option<Embedding> {
        match self {
            Self::Clear { embedding, .. } => Some(embedding),
            Self::Unclear { face } | Self::Several { largest: face, .. } => face.embedding,
            Self::None => None,
        }
    }

    /// Returns the embedding to enrol somebody by.
    ///
    /// ```
    /// use faceattend_core::{ChannelOrder, Engine, Frame};
    ///
    /// let nobody = Frame::new(vec![90; 3 * 64 * 64], 64, 64, ChannelOrder::Rgb)?;
    /// let refusal = Engine::new()?.embed(&nobody)?.into_template().unwrap_err();
    /// assert_eq!(refusal.to_string(), "invalid picture: no face is in the picture");
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] with [`advice`](Self::advice) unless the picture shows one [`Clear`](Self::Clear) face.
    pub fn into_template(self) -> Result<Embedding> {
        match self {
            Self::Clear { embedding, .. } => Ok(embedding),
            other => Err(Error::invalid_input("picture", other.advice())),
        }
    }

    /// Returns the flaws of the view: those of [`Unclear`](Self::Unclear) faces, otherwise none.
    #[must_use]
    pub fn reasons(&self) -> &[QualityReason] {
        match self {
            Self::Unclear { face } => face.quality.as_ref().map_or(&[], |quality| quality.reasons.as_slice()),
            _ => &[],
        }
    }

    /// Returns what the photographer can do about it, as a sentence without its capital and its period.
    ///
    /// ```
    /// use faceattend_core::SingleFace;
    ///
    /// assert_eq!(SingleFace::None.advice(), "no face is in the picture");
    /// ```
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Clear { .. } => "the picture shows one clear face".to_owned(),
            Self::Unclear { .. } if self.reasons().is_empty() => "the face cannot be made out".to_owned(),
            Self::Unclear { .. } => {
                let advice: Vec<_> = self.reasons().iter().map(|reason| reason.advice()).collect();
                format!("the face is not clear enough: {}", advice.join(", "))
            }
            Self::Several { count, .. } => format!("{count} faces are in the picture: one person only, please"),
            Self::None => "no face is in the picture".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::Calibration;
    use crate::engine::{Analysis, Embedder};
    use crate::frame::ChannelOrder;
    use crate::quality::Quality;
    use crate::types::ModelId;

    /// An engine that sees these faces; those with a score under 0.5 turn out to be none.
    struct Seeing(Vec<Face>, Embedder);

    impl Seeing {
        fn faces(faces: &[Face]) -> Self {
            let model = ModelId::new("test");
            Self(faces.to_vec(), Embedder { model, dimension: 2, calibration: Calibration::arcface() })
        }

        fn look(&self) -> SingleFace {
            let frame = Frame::new(vec![0; 3], 1, 1, ChannelOrder::Rgb).unwrap();
            SingleFace::find(self, &frame, None).unwrap()
        }
    }

    impl FaceEngine for Seeing {
        fn analyze(&self, _: &Frame<'_>, _: &AnalyzeOptions) -> Result<Analysis> {
            Ok(Analysis { faces: self.0.clone(), ..Analysis::default() })
        }

        fn deepen(&self, _: &Frame<'_>, faces: &mut Vec<Face>, depth: Depth) -> Result<()> {
            faces.retain(|face| face.score >= 0.5);
            for face in faces.iter_mut().filter(|face| depth >= Depth::Embedding && face.score < 0.9) {
                face.embedding = Some(Embedding::from_raw(self.1.model.clone(), &[face.bbox.area(), 1.0])?);
            }
            Ok(())
        }

        fn embedder(&self) -> &Embedder {
            &self.1
        }
    }

    fn face(area: f32, score: f32) -> Face {
        Face::detected(Rect::new(0.0, 0.0, area, 1.0), score, None)
    }

    fn flawed(area: f32, reasons: Vec<QualityReason>) -> Face {
        let quality = Quality { eye_distance: 9.0, sharpness: 1.0, brightness: 9.0, visible: 1.0, reasons };
        Face { quality: Some(quality), ..face(area, 0.8) }
    }

    #[test]
    fn a_face_in_the_background_does_no_harm_and_two_people_do() {
        let alone = Seeing::faces(&[face(10.0, 0.8), face(100.0, 0.8), face(50.0, 0.8)]).look();
        assert!(matches!(&alone, SingleFace::Clear { face, .. } if face.bbox.area() == 100.0), "{alone:?}");
        let two = Seeing::faces(&[face(100.0, 0.8), face(51.0, 0.8), face(10.0, 0.8)]).look();
        assert!(matches!(&two, SingleFace::Several { count: 2, .. }), "{two:?}");
        assert!(two.clone().into_template().unwrap_err().to_string().contains("2 faces"));
        assert!(two.into_embedding().is_some());
    }

    #[test]
    fn what_turns_out_to_be_no_face_does_not_count() {
        let seen = Seeing::faces(&[face(200.0, 0.2), face(100.0, 0.8), face(90.0, 0.2)]).look();
        assert!(matches!(&seen, SingleFace::Clear { face, .. } if face.bbox.area() == 100.0), "{seen:?}");
        assert_eq!(Seeing::faces(&[face(200.0, 0.2)]).look(), SingleFace::None);
        assert_eq!(Seeing::faces(&[]).look().into_embedding(), None);
    }

    #[test]
    fn a_flawed_view_can_be_searched_for_and_not_enrolled_by() {
        let dark = Seeing::faces(&[flawed(9.0, vec![QualityReason::TooDark])]).look();
        assert_eq!(dark.reasons(), [QualityReason::TooDark]);
        assert!(dark.advice().contains("more light"), "{}", dark.advice());
        assert!(dark.clone().into_template().is_err());
        assert!(dark.into_embedding().is_some());
        let good = Seeing::faces(&[flawed(9.0, Vec::new())]).look();
        assert!(good.into_template().is_ok());
        let unaligned = Seeing::faces(&[face(9.0, 0.95)]).look();
        assert_eq!(unaligned.advice(), "the face cannot be made out");
        assert!(unaligned.into_template().is_err());
    }
}
