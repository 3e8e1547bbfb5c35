//! Live recognition: from a camera's frames to marked attendance.
//!
//! Engine, tracker, gallery and marker meet here and nowhere else: the engine finds the faces of a frame, the tracker
//! says which were there before, the gallery says whom a view resembles, and only when several views of one face agree
//! the marker marks the student.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::attendance::{Marker, Marking};
use crate::embedding::Embedding;
use crate::engine::{AnalyzeOptions, Depth, Face, FaceEngine};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::gallery::Gallery;
use crate::geometry::Rect;
use crate::store::{Store, StoredEmbedding};
use crate::tracking::{Decision, TrackId, Tracker, TrackingOptions};
use crate::types::{ModelId, Similarity, StudentId, Threshold};

/// How faces are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct RecognitionOptions {
    /// From which similarity a view resembles a student. Default [`Threshold::DOCUMENTED`].
    pub threshold: Threshold,
    /// How faces are followed and when their views decide.
    pub tracking: TrackingOptions,
}

impl RecognitionOptions {
    /// The same options with this threshold.
    #[must_use]
    pub fn with_threshold(mut self, threshold: Threshold) -> Self {
        self.threshold = threshold;
        self
    }

    /// The same options with this tracking.
    #[must_use]
    pub fn with_tracking(mut self, tracking: TrackingOptions) -> Self {
        self.tracking = tracking;
        self
    }
}

/// Recognises the faces of one camera. The engine, the gallery and the marker are everybody's; the faces in view are
/// its own.
pub struct Recogniser {
    engine: Arc<dyn FaceEngine>,
    gallery: Arc<Gallery>,
    marker: Option<Arc<Marker>>,
    camera_location: Option<String>,
    threshold: Threshold,
    tracker: Tracker,
}

impl std::fmt::Debug for Recogniser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recogniser({:?}, threshold: {})", self.camera_location, self.threshold.value())
    }
}

/// What a frame showed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecognitionReport {
    /// The faces, in the engine's order.
    pub faces: Vec<RecognisedFace>,
    /// What came of marking each student that was recognised; [`Marking::Marked`] for the newly marked.
    pub marks: Vec<Marking>,
}

/// A face of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecognisedFace {
    /// Where it is, in frame pixels.
    pub bbox: Rect,
    /// The same face in the frames before and after.
    pub track: TrackId,
    /// Whose it is, as far as the views of it agree.
    pub decision: Decision,
}

impl RecognisedFace {
    /// Whose it is.
    #[must_use]
    pub fn student(&self) -> Option<StudentId> {
        self.known().map(|(student, _)| student)
    }

    /// How alike, in the best of the agreeing views.
    #[must_use]
    pub fn similarity(&self) -> Option<Similarity> {
        self.known().map(|(_, similarity)| similarity)
    }

    fn known(&self) -> Option<(StudentId, Similarity)> {
        if let Decision::Known { student, similarity } = self.decision { Some((student, similarity)) } else { None }
    }
}

impl Recogniser {
    /// A recogniser with no face in view, which marks nobody.
    #[must_use]
    pub fn new(engine: Arc<dyn FaceEngine>, gallery: Arc<Gallery>, options: &RecognitionOptions) -> Self {
        Self {
            engine,
            gallery,
            marker: None,
            camera_location: None,
            threshold: options.threshold,
            tracker: Tracker::new(options.tracking),
        }
    }

    /// The same, marking whom it recognises as seen at this place.
    #[must_use]
    pub fn with_marker(mut self, marker: Arc<Marker>, camera_location: Option<String>) -> Self {
        (self.marker, self.camera_location) = (Some(marker), camera_location);
        self
    }

    /// What `frame` shows, and the marks that it leads to. `now` is the frame's capture time where it has one: the
    /// tracker measures gaps by it, and attendance is marked at it.
    ///
    /// # Errors
    /// Those of the engine, of the gallery and of the store. The faces of a failed call have been tracked, and the next
    /// frame marks what this one could not.
    pub fn process(&mut self, frame: &Frame<'_>, now: Timestamp) -> Result<RecognitionReport> {
        let analysis = self.engine.analyze(frame, &AnalyzeOptions::default().with_depth(Depth::Embedding))?;
        let boxes: Vec<_> = analysis.faces.iter().map(|face| face.bbox).collect();
        let tracks = self.tracker.update(&boxes, now);

        let mut report = RecognitionReport::default();
        for (face, track) in analysis.faces.iter().zip(tracks) {
            let decision = match votes(face) {
                Some(embedding) => self.tracker.vote(track, &self.gallery.identify(embedding, self.threshold)?),
                None => self.tracker.decision(track),
            };
            report.faces.push(RecognisedFace { bbox: face.bbox, track, decision });
        }
        if let Some(marker) = &self.marker {
            for (student, similarity) in report.faces.iter().filter_map(RecognisedFace::known) {
                match marker.mark(student, similarity, self.camera_location.as_deref(), now) {
                    Ok(marking) => report.marks.push(marking),
                    // Deleted, and the gallery has not heard of it yet.
                    Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(report)
    }
}

/// The embedding of a view that is good enough to vote.
fn votes(face: &Face) -> Option<&Embedding> {
    let good = face.quality.as_ref().is_none_or(|quality| quality.reasons.is_empty());
    face.embedding.as_ref().filter(|_| good)
}

/// What of the store's templates a gallery took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GalleryLoad {
    /// Students that can be recognised.
    pub people: usize,
    /// Templates left out because another model made them: those students have to enrol again.
    pub of_other_models: usize,
    /// Templates left out because nobody has said which model made them.
    pub legacy: usize,
}

/// Puts the store's templates in place of what `gallery` holds. Those of the existing service, which do not say which
/// model made them, are taken only as `legacy_model`, the operator's word.
///
/// # Errors
/// Those of the store; the gallery is then as it was.
pub fn load_gallery(gallery: &Gallery, store: &dyn Store, legacy_model: Option<&ModelId>) -> Result<GalleryLoad> {
    let embedder = gallery.embedder();
    let mut load = GalleryLoad::default();
    let mut people: BTreeMap<StudentId, Vec<Embedding>> = BTreeMap::new();
    store.for_each_template(&mut |template| {
        let embedding = match (template.embedding, legacy_model) {
            (StoredEmbedding::Tagged(embedding), _) => embedding,
            (StoredEmbedding::Legacy(vector), Some(model)) => vector.with_model(model.clone())?,
            (StoredEmbedding::Legacy(_), None) => {
                load.legacy += 1;
                return Ok(());
            }
        };
        if embedding.model() == &embedder.model && embedding.values().len() == embedder.dimension {
            people.entry(template.student).or_default().push(embedding);
        } else {
            load.of_other_models += 1;
        }
        Ok(())
    })?;
    load.people = gallery.load(people)?;
    Ok(load)
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
