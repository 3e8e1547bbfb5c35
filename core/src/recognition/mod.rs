//! Live recognition: from a camera's frames to marked attendance.
//!
//! Engine, tracker, gallery and marker meet here and nowhere else: the engine finds the faces of a frame, the tracker
//! says which were there before and whom of the gallery all their views show, and only then the marker marks the
//! student.

mod ageing;
mod region_of_interest;
mod scan_plan;

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

pub use ageing::{Ageing, AgeingOptions};
pub use region_of_interest::RegionOfInterest;
pub use scan_plan::{Effort, ScanOptions};
use scan_plan::{Scan, ScanPlan};

/// How faces are recognized.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct RecognitionOptions {
    /// Below which similarity nobody is named, however many views there are. Default [`Threshold::DOCUMENTED`]. In a
    /// large gallery the evidence that [`TrackingOptions::false_names`] asks for is the higher hurdle.
    pub threshold: Threshold,
    /// How faces are followed and when their views decide.
    pub tracking: TrackingOptions,
    /// How much of each picture is looked at.
    pub effort: Effort,
    /// How often where.
    pub scan: ScanOptions,
    /// The part of the picture that counts. Default: all of it.
    pub interest: Option<RegionOfInterest>,
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

    /// The same options with this effort.
    #[must_use]
    pub fn with_effort(mut self, effort: Effort) -> Self {
        self.effort = effort;
        self
    }

    /// The same options, looking this often.
    #[must_use]
    pub fn with_scan(mut self, scan: ScanOptions) -> Self {
        self.scan = scan;
        self
    }

    /// The same options for this part of the picture.
    #[must_use]
    pub fn with_interest(mut self, interest: RegionOfInterest) -> Self {
        self.interest = Some(interest);
        self
    }
}

/// Recognizes the faces of one camera. The engine, the gallery and the marker are everybody's; the faces in view are
/// its own.
pub struct Recognizer {
    engine: Arc<dyn FaceEngine>,
    gallery: Arc<Gallery>,
    marker: Option<Arc<Marker>>,
    camera_location: Option<String>,
    options: RecognitionOptions,
    tracker: Tracker,
    scan_plan: ScanPlan,
    ageing: Option<Arc<Ageing>>,
}

impl std::fmt::Debug for Recognizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recognizer({:?}, threshold: {})", self.camera_location, self.options.threshold.value())
    }
}

/// What a frame showed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecognitionReport {
    /// The faces in view: those that were found, largest first, and those that nobody looked for because nothing moved
    /// where they are.
    pub faces: Vec<RecognizedFace>,
    /// How many parts of the picture were looked at; 0 for one that shows nothing new.
    pub looks: usize,
    /// How many faces were embedded.
    pub embedded: usize,
    /// Whether a face is in view whose next good view may decide whose it is: the next frame is worth having sooner.
    pub open: bool,
    /// What came of marking each student that was recognized; [`Marking::Marked`] for the newly marked.
    pub marks: Vec<Marking>,
}

/// A face of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecognizedFace {
    /// Where it is, in frame pixels.
    pub bbox: Rect,
    /// The same face in the frames before and after.
    pub track: TrackId,
    /// Whose it is, as far as the views of it tell.
    pub decision: Decision,
}

impl RecognizedFace {
    /// Whose it is.
    #[must_use]
    pub fn student(&self) -> Option<StudentId> {
        self.known().map(|(student, _)| student)
    }

    /// How alike, in the mean of the views.
    #[must_use]
    pub fn similarity(&self) -> Option<Similarity> {
        self.known().map(|(_, similarity)| similarity)
    }

    fn known(&self) -> Option<(StudentId, Similarity)> {
        if let Decision::Known { student, similarity } = self.decision { Some((student, similarity)) } else { None }
    }
}

impl Recognizer {
    /// A recognizer with no face in view, which marks nobody.
    #[must_use]
    pub fn new(engine: Arc<dyn FaceEngine>, gallery: Arc<Gallery>, options: &RecognitionOptions) -> Self {
        Self {
            engine,
            gallery,
            marker: None,
            camera_location: None,
            options: options.clone(),
            tracker: Tracker::new(options.tracking),
            scan_plan: ScanPlan::default(),
            ageing: None,
        }
    }

    /// The same, marking whom it recognizes as seen at this place.
    #[must_use]
    pub fn with_marker(mut self, marker: Arc<Marker>, camera_location: Option<String>) -> Self {
        (self.marker, self.camera_location) = (Some(marker), camera_location);
        self
    }

    /// The same, keeping a view of whom it marks now and then, as `ageing` allows it.
    #[must_use]
    pub fn with_ageing(mut self, ageing: Arc<Ageing>) -> Self {
        self.ageing = Some(ageing);
        self
    }

    /// What `frame` shows, and the marks that it leads to. `now` is the frame's capture time where it has one: the
    /// tracker measures gaps by it, and attendance is marked at it.
    ///
    /// # Errors
    /// Those of the engine, of the gallery and of the store. The faces of a failed call have been tracked, and the next
    /// frame marks what this one could not.
    pub fn process(&mut self, frame: &Frame<'_>, now: Timestamp) -> Result<RecognitionReport> {
        self.tracker.forget_absent(&self.gallery);
        let look = match self.options.effort {
            Effort::Everything => Scan::Everywhere(None),
            Effort::Thrifty => {
                let Self { options, tracker, scan_plan, .. } = self;
                scan_plan.plan(frame, tracker.tracks(), options.interest.as_ref(), &options.scan, now)
            }
        };
        let mut report = RecognitionReport::default();
        let faces = self.detect(frame, &look, &mut report)?;
        let boxes: Vec<_> = faces.iter().map(|face| face.bbox).collect();
        let tracks = self.tracker.update_where(&boxes, now, |track| match &look {
            Scan::Nowhere => false,
            Scan::At(regions) => regions.iter().any(|region| region.shows(&track.predicted(now))),
            Scan::Everywhere(_) => true,
        });
        let voted = self.judge(frame, faces, &tracks, now, &mut report)?;
        for (bbox, track) in boxes.into_iter().zip(&tracks) {
            report.faces.push(RecognizedFace { bbox, track: *track, decision: self.tracker.decision(*track) });
        }
        if look != Scan::Everywhere(None) {
            let held = self.tracker.tracks().iter().filter(|track| track.last_seen() == now);
            let held = held.filter(|track| !tracks.contains(&track.id()));
            report.faces.extend(held.map(|track| RecognizedFace {
                bbox: track.bbox(),
                track: track.id(),
                decision: self.tracker.decision(track.id()),
            }));
        }
        report.open = tracks.iter().any(|track| self.tracker.is_open(*track));
        if let Some(marker) = &self.marker {
            for (student, similarity) in report.faces.iter().filter_map(RecognizedFace::known) {
                // Erased while this frame was looked at.
                if !self.gallery.contains(student) {
                    continue;
                }
                match marker.mark(student, similarity, self.camera_location.as_deref(), now) {
                    Ok(marking) => report.marks.push(marking),
                    // Deleted, and the gallery has not heard of it yet.
                    Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        self.age(frame, &voted, &report, now)?;
        Ok(report)
    }

    /// Has the views that voted for somebody who is marked looked at by whoever keeps some of them.
    fn age(
        &self,
        frame: &Frame<'_>,
        voted: &[(TrackId, Face)],
        report: &RecognitionReport,
        now: Timestamp,
    ) -> Result<()> {
        let Some(ageing) = &self.ageing else { return Ok(()) };
        for (track, face) in voted {
            let Decision::Known { student, .. } = self.tracker.decision(*track) else { continue };
            if report.marks.iter().any(|mark| mark.record().student == student) {
                let (threshold, place) = (self.options.threshold, self.camera_location.as_deref());
                ageing.consider(&*self.engine, &ageing::MarkedView { student, face, frame, threshold, place, now })?;
            }
        }
        Ok(())
    }

    /// The faces that `look` shows, largest first.
    fn detect(&self, frame: &Frame<'_>, look: &Scan, report: &mut RecognitionReport) -> Result<Vec<Face>> {
        let everything = self.options.effort == Effort::Everything;
        let depth = if everything { Depth::Embedding } else { Depth::Detection };
        let options = AnalyzeOptions::default().with_depth(depth);
        #[expect(clippy::cast_precision_loss, reason = "frames have far fewer than 2^24 pixels a side")]
        let (width, height) = (frame.width() as f32, frame.height() as f32);
        let mut faces = match look {
            Scan::Nowhere => return Ok(Vec::new()),
            Scan::Everywhere(bounds) => {
                report.looks = 1;
                let options = bounds.map_or(options, |bounds| options.with_region(bounds));
                self.engine.analyze(frame, &options)?.faces
            }
            Scan::At(regions) => {
                let whole = Rect::new(0.0, 0.0, width, height);
                let mut faces: Vec<Face> = Vec::new();
                for region in regions {
                    report.looks += 1;
                    let options = options.with_region(region.rect).with_input_size(region.input());
                    let found = self.engine.analyze(frame, &options)?.faces.into_iter();
                    faces.extend(found.filter(|face| !region.cuts(&face.bbox, &whole)));
                }
                distinct(faces)
            }
        };
        if let Some(interest) = &self.options.interest {
            faces.retain(|face| {
                let center = face.bbox.center();
                interest.contains(center.x / width, center.y / height)
            });
        }
        Ok(faces)
    }

    /// Embeds the faces whose tracks want a view, and takes it in. Returns those that were, where views are kept.
    fn judge(
        &mut self,
        frame: &Frame<'_>,
        faces: Vec<Face>,
        tracks: &[TrackId],
        now: Timestamp,
        report: &mut RecognitionReport,
    ) -> Result<Vec<(TrackId, Face)>> {
        let mut voted = Vec::new();
        let everything = self.options.effort == Effort::Everything;
        for (face, track) in faces.into_iter().zip(tracks) {
            if !everything && !self.tracker.wants_view(*track, now) {
                continue;
            }
            let mut view = vec![face];
            if !everything {
                // Whether the view is good costs less than embedding it.
                self.engine.deepen(frame, &mut view, Depth::Pose)?;
                view.retain(is_good);
                self.engine.deepen(frame, &mut view, Depth::Embedding)?;
            }
            match view.first().filter(|face| is_good(face)).and_then(|face| Some((face, face.embedding.as_ref()?))) {
                Some((face, embedding)) => {
                    report.embedded += 1;
                    let threshold = self.options.threshold;
                    self.tracker.see(*track, embedding, view_weight(face), &self.gallery, threshold, now)?;
                    if self.ageing.is_some() {
                        voted.push((*track, face.clone()));
                    }
                }
                None => self.tracker.poor_view(*track, now),
            }
        }
        Ok(voted)
    }
}

/// The faces without those that two regions found both; the surer one stays. Largest first.
fn distinct(mut faces: Vec<Face>) -> Vec<Face> {
    const SAME: f32 = 0.4;
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Face> = Vec::with_capacity(faces.len());
    for face in faces {
        if kept.iter().all(|other| other.bbox.iou(&face.bbox) < SAME) {
            kept.push(face);
        }
    }
    kept.sort_by(|a, b| b.bbox.area().total_cmp(&a.bbox.area()));
    kept
}

/// Whether a view is good enough to judge a face by.
fn is_good(face: &Face) -> bool {
    face.quality.as_ref().is_none_or(|quality| quality.reasons.is_empty())
}

/// Eyes so many pixels apart are as good as they get: the aligned face's own 35 pixels.
const FULL_EYE_DISTANCE: f32 = 35.0;
/// From this sharpness on a view is as good as it gets: the fifth percentile of 400 LFW pictures.
const FULL_SHARPNESS: f32 = 60.0;

/// What a view weighs among those of its track, in [0.2, 1]: size, sharpness and how far the face is turned, each in
/// proportion.
#[must_use]
pub fn view_weight(face: &Face) -> f32 {
    let size = face.quality.as_ref().map_or(1.0, |quality| quality.eye_distance / FULL_EYE_DISTANCE);
    let sharp = face.quality.as_ref().map_or(1.0, |quality| quality.sharpness / FULL_SHARPNESS);
    let turn = face.pose.map_or(1.0, |pose| pose.yaw.0.to_radians().cos() * pose.pitch.0.to_radians().cos());
    (size.clamp(0.0, 1.0) * sharp.clamp(0.0, 1.0).sqrt() * turn).clamp(0.2, 1.0)
}

/// What of the store's templates a gallery took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GalleryLoad {
    /// Students that can be recognized.
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
    let mut load = GalleryLoad::default();
    let mut people: BTreeMap<StudentId, Vec<Embedding>> = BTreeMap::new();
    store.for_each_template(&mut |template| {
        if let Some(embedding) = load.usable(template.embedding, gallery, legacy_model)? {
            people.entry(template.student).or_default().push(embedding);
        }
        Ok(())
    })?;
    load.people = gallery.load(people)?;
    Ok(load)
}

/// Puts the store's templates of one student in place of those that `gallery` holds, or takes the student out when there
/// are none: for one who has heard that they are others now. What is taken is as in [`load_gallery`].
///
/// # Errors
/// Those of the store; the gallery is then as it was.
pub fn refresh_gallery(
    gallery: &Gallery,
    store: &dyn Store,
    student: StudentId,
    legacy_model: Option<&ModelId>,
) -> Result<GalleryLoad> {
    let mut load = GalleryLoad::default();
    let mut templates = Vec::new();
    for template in store.templates_of(student)? {
        templates.extend(load.usable(template.embedding, gallery, legacy_model)?);
    }
    if templates.is_empty() {
        gallery.remove(student);
    } else {
        gallery.replace(student, &templates)?;
        load.people = 1;
    }
    Ok(load)
}

impl GalleryLoad {
    /// The embedding if `gallery` can take it; otherwise it is counted.
    fn usable(
        &mut self,
        stored: StoredEmbedding,
        gallery: &Gallery,
        legacy_model: Option<&ModelId>,
    ) -> Result<Option<Embedding>> {
        let embedding = match (stored, legacy_model) {
            (StoredEmbedding::Tagged(embedding), _) => embedding,
            (StoredEmbedding::Legacy(vector), Some(model)) => vector.with_model(model.clone())?,
            (StoredEmbedding::Legacy(_), None) => {
                self.legacy += 1;
                return Ok(None);
            }
        };
        let embedder = gallery.embedder();
        if embedding.model() == &embedder.model && embedding.values().len() == embedder.dimension {
            return Ok(Some(embedding));
        }
        self.of_other_models += 1;
        Ok(None)
    }
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
