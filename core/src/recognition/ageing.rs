//! Template ageing, an opt-in: keeps recent views of a student beside the registered templates.
//!
//! Faces change over the years, and a registration does not. After a certain mark of a living person, one view is
//! kept, and the mean that the student is matched by follows the face. Because an automatic update can be led astray,
//! every step is on the safe side:
//!
//! - it is off unless the operator asks for it;
//! - the view is compared with the *registered* templates, never with an earlier view, so that views cannot drift away
//!   step by step. It has to be far more similar than a mark needs, and nobody else may be near;
//! - the view has to be large, sharp and from the front;
//! - the passive antispoof check has to call it living; without its networks nothing is kept;
//! - at most one view a month and three in all are kept, and never more than there are registered templates. Those
//!   stay as they are and keep at least half of the weight;
//! - each view is an entry of the audit log, and [`Store::forget_seen_templates`] removes all views of a student.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::gallery_load::refresh_gallery;
use super::view::view_weight;
use crate::embedding::Embedding;
use crate::engine::{Depth, Face, FaceEngine};
use crate::error::Result;
use crate::frame::Frame;
use crate::gallery::{Gallery, Identification};
use crate::store::{KeptSeen, NewAuditEntry, SeenLimits, Store, StoredEmbedding, TemplateOrigin};
use crate::types::{Similarity, StudentId, Threshold};

/// When a view of a camera is kept. The defaults without another source are choices on the safe side: what is missed
/// today comes again tomorrow.
///
/// ```
/// use faceattend_core::recognition::AgeingOptions;
///
/// let mut options = AgeingOptions::default();
/// options.min_real = 0.95;
/// assert_eq!(options.limits.most, 3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct AgeingOptions {
    /// How much more similar than the threshold the view has to be to the mean of the registered templates, on the
    /// similarity scale. Default 0.1.
    pub above_threshold: f32,
    /// How much more similar than to anybody else. Default 0.1, five times the margin of a vote.
    pub min_margin: f32,
    /// The least [`view_weight`] of the view. Default 0.8: near, sharp, and turned by 36 degrees at most (its cosine).
    pub min_weight: f32,
    /// The least passive antispoof score of the view. Default 0.9, where a liveness session asks 0.5 of the mean of
    /// many.
    pub min_real: f32,
    /// How many are kept and how often. Default three, one in 30 days.
    pub limits: SeenLimits,
}

impl Default for AgeingOptions {
    fn default() -> Self {
        Self {
            above_threshold: 0.1,
            min_margin: 0.1,
            min_weight: 0.8,
            min_real: 0.9,
            limits: SeenLimits { most: 3, every: SignedDuration::from_hours(30 * 24) },
        }
    }
}

impl AgeingOptions {
    /// Returns the same options with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: SeenLimits) -> Self {
        self.limits = limits;
        self
    }
}

/// The longest time for which an answer of the store is believed: somebody may take the views back meanwhile.
const BELIEVED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Keeps views. One for all cameras of a process.
///
/// ```
/// use std::sync::Arc;
///
/// use faceattend_core::recognition::{Ageing, AgeingOptions};
/// use faceattend_core::{Gallery, Store};
///
/// fn watching_over(store: Arc<dyn Store>, gallery: Arc<Gallery>) -> Ageing {
///     Ageing::new(store, gallery, AgeingOptions::default())
/// }
/// # let _ = watching_over;
/// ```
pub struct Ageing {
    store: Arc<dyn Store>,
    gallery: Arc<Gallery>,
    options: AgeingOptions,
    /// From when on the store is worth asking about a student.
    not_before: Mutex<HashMap<StudentId, Timestamp>>,
}

impl std::fmt::Debug for Ageing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ageing({:?})", self.options)
    }
}

/// A view that a camera's track has just voted with, and that its student has been marked for.
pub(super) struct MarkedView<'a> {
    pub(super) student: StudentId,
    pub(super) face: &'a Face,
    pub(super) frame: &'a Frame<'a>,
    pub(super) threshold: Threshold,
    pub(super) place: Option<&'a str>,
    pub(super) now: Timestamp,
}

impl Ageing {
    /// Keeps views in `store` and has `gallery` match by them at once.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, gallery: Arc<Gallery>, options: AgeingOptions) -> Self {
        Self { store, gallery, options, not_before: Mutex::default() }
    }

    /// Keeps the view if every rule allows it; says whether it did. The costly questions come last.
    ///
    /// # Errors
    /// Those of the store and of the engine.
    pub(super) fn consider(&self, engine: &dyn FaceEngine, view: &MarkedView<'_>) -> Result<bool> {
        let MarkedView { student, face, frame, threshold, place, now } = *view;
        let Some(embedding) = &face.embedding else { return Ok(false) };
        if view_weight(face) < self.options.min_weight || !self.is_due(student, now) {
            return Ok(false);
        }
        let far_above = Similarity::new(threshold.value() + self.options.above_threshold);
        match self.gallery.identify(embedding, threshold)? {
            Identification::Known { best, margin }
                if best.student == student && best.similarity >= far_above && margin >= self.options.min_margin => {}
            Identification::Known { .. } | Identification::Unknown { .. } => return Ok(false),
        }
        if self.similarity_to_registered(student, embedding)?.is_none_or(|found| found < far_above) {
            return Ok(false);
        }
        let mut living = vec![face.clone()];
        engine.deepen(frame, &mut living, Depth::Antispoof)?;
        let real = living.first().and_then(|face| face.antispoof.real());
        if real.is_none_or(|real| real < self.options.min_real) {
            return Ok(false);
        }
        let entry = NewAuditEntry {
            at: now,
            actor: "camera".into(),
            action: "template.seen".into(),
            subject: Some(NewAuditEntry::subject_of(student)),
            details: Some(format!("a view is kept beside the registration, seen at {}", place.unwrap_or("no place"))),
        };
        let kept = self.store.keep_seen_template(student, embedding, &self.options.limits, &entry)?;
        let believed = now.saturating_add(BELIEVED_FOR).unwrap_or(Timestamp::MAX);
        let ask_again = match kept {
            KeptSeen::TooSoon { not_before } => not_before.min(believed),
            KeptSeen::Kept { .. } | KeptSeen::NothingRegistered => believed,
        };
        self.not_before.lock().unwrap_or_else(PoisonError::into_inner).insert(student, ask_again);
        if !matches!(kept, KeptSeen::Kept { .. }) {
            return Ok(false);
        }
        tracing::info!(%student, place, "a view is kept beside the registered templates");
        refresh_gallery(&self.gallery, &*self.store, student, None)?;
        Ok(true)
    }

    fn is_due(&self, student: StudentId, now: Timestamp) -> bool {
        let mut all = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(&student) {
            Some(not_before) if now < *not_before => false,
            Some(_) => {
                all.remove(&student);
                true
            }
            None => true,
        }
    }

    /// Returns how similar `view` is to the mean of the registered templates alone.
    fn similarity_to_registered(&self, student: StudentId, view: &Embedding) -> Result<Option<Similarity>> {
        let registered: Vec<Embedding> = self
            .store
            .templates_of(student)?
            .into_iter()
            .filter(|template| template.origin == TemplateOrigin::Registered)
            .filter_map(|template| match template.embedding {
                StoredEmbedding::Tagged(embedding) if embedding.model() == view.model() => Some(embedding),
                StoredEmbedding::Tagged(_) | StoredEmbedding::Legacy(_) => None,
            })
            .collect();
        let Ok(mean) = Embedding::mean(&registered) else { return Ok(None) };
        Ok(Some(self.gallery.embedder().calibration.similarity(view.cosine(&mean)?)))
    }
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests {
    use jiff::ToSpan as _;

    use super::*;
    use crate::antispoof::PassivePad;
    use crate::embedding::Calibration;
    use crate::engine::{Analysis, AnalyzeOptions, Embedder};
    use crate::frame::ChannelOrder;
    use crate::geometry::Rect;
    use crate::quality::Quality;
    use crate::recognition::load_gallery;
    use crate::store::prelude::*;
    use crate::store::{Page, SqliteStore};
    use crate::types::ModelId;

    /// Says of every view how living it is, and nothing else.
    struct Living(Embedder, Option<f32>);

    impl FaceEngine for Living {
        fn analyze(&self, _frame: &Frame<'_>, _options: &AnalyzeOptions) -> Result<Analysis> {
            Ok(Analysis::default())
        }

        fn deepen(&self, _frame: &Frame<'_>, faces: &mut Vec<Face>, depth: Depth) -> Result<()> {
            assert_eq!(depth, Depth::Antispoof);
            for face in faces {
                face.antispoof = self.1.map_or_else(PassivePad::not_run, |real| PassivePad::Scored { real });
            }
            Ok(())
        }

        fn embedder(&self) -> &Embedder {
            &self.0
        }
    }

    fn direction(raw: [f32; 3]) -> Embedding {
        Embedding::from_raw(ModelId::new("m"), &raw).unwrap()
    }

    fn at(day: i64) -> Timestamp {
        "2026-03-02T08:00:00Z".parse::<Timestamp>().unwrap() + (24 * day).hours()
    }

    struct Site {
        store: Arc<SqliteStore>,
        gallery: Arc<Gallery>,
        ageing: Ageing,
        student: StudentId,
        _folder: tempfile::TempDir,
    }

    impl Site {
        /// Creates a student with two registered templates about the first axis, and somebody else on the second.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Arc::new(SqliteStore::open(folder.path().join("a.db")).unwrap());
            let student = store.create_student("A", "R1", at(0)).unwrap().id;
            let other = store.create_student("B", "R2", at(0)).unwrap().id;
            store
                .replace_templates(student, &[direction([1.0, 0.0, 0.1]), direction([1.0, 0.0, -0.1])], at(0))
                .unwrap();
            store.replace_templates(other, &[direction([0.0, 1.0, 0.0])], at(0)).unwrap();
            let embedder = Embedder { model: ModelId::new("m"), dimension: 3, calibration: Calibration::arcface() };
            let gallery = Arc::new(Gallery::new(embedder));
            load_gallery(&gallery, &*store, None).unwrap();
            let ageing = Ageing::new(store.clone(), gallery.clone(), AgeingOptions::default());
            Self { store, gallery, ageing, student, _folder: folder }
        }

        fn engine(&self, real: Option<f32>) -> Living {
            Living(self.gallery.embedder().clone(), real)
        }

        fn sees(&self, raw: [f32; 3], eye_distance: f32, real: Option<f32>, day: i64) -> bool {
            let mut face = Face::detected(Rect::new(10.0, 10.0, 50.0, 50.0), 0.9, None);
            face.embedding = Some(direction(raw));
            face.quality =
                Some(Quality { eye_distance, sharpness: 90.0, brightness: 120.0, visible: 1.0, reasons: vec![] });
            let frame = Frame::new(vec![0; 3 * 60 * 60], 60, 60, ChannelOrder::Rgb).unwrap();
            let view = MarkedView {
                student: self.student,
                face: &face,
                frame: &frame,
                threshold: Threshold::DOCUMENTED,
                place: Some("Gate"),
                now: at(day),
            };
            self.ageing.consider(&self.engine(real), &view).unwrap()
        }

        fn origins(&self) -> Vec<TemplateOrigin> {
            self.store.templates_of(self.student).unwrap().iter().map(|template| template.origin).collect()
        }
    }

    use TemplateOrigin::{Registered, Seen};

    const CLEAR: [f32; 3] = [1.0, 0.0, 0.4];

    #[test]
    fn a_clear_living_view_is_kept_audited_and_matched_at_once() {
        let site = Site::new();
        assert_eq!(site.gallery.templates(), 3);
        assert!(site.sees(CLEAR, 60.0, Some(0.99), 40));
        assert_eq!(site.origins(), [Registered, Registered, Seen]);
        assert_eq!(site.gallery.templates(), 4);
        let log = site.store.audit(Page::ALL).unwrap().items;
        assert_eq!(log[0].entry.action, "template.seen");
        assert!(log[0].entry.details.as_ref().unwrap().contains("Gate"));
        assert!(!site.sees(CLEAR, 60.0, Some(0.99), 50), "once a month");
        assert!(site.sees(CLEAR, 60.0, Some(0.99), 71));
    }

    #[test]
    fn what_leaves_a_doubt_is_not_kept() {
        let site = Site::new();
        assert!(!site.sees(CLEAR, 60.0, None, 40), "nobody says that it is living");
        assert!(!site.sees(CLEAR, 60.0, Some(0.6), 40), "it may be a screen");
        assert!(!site.sees(CLEAR, 20.0, Some(0.99), 40), "it is small");
        // Cosine 0.55: a mark, and no more than that.
        assert!(!site.sees([1.0, 0.0, 1.5], 60.0, Some(0.99), 40), "it is only similar");
        assert!(!site.sees([1.0, 0.8, 0.0], 60.0, Some(0.99), 40), "somebody else is near");
        assert!(!site.sees([0.0, 1.0, 0.0], 60.0, Some(0.99), 40), "it is somebody else");
        assert!(!site.sees(CLEAR, 60.0, Some(0.99), 20), "the registration is young");
        assert_eq!(site.origins(), [Registered, Registered]);
        assert_eq!(site.store.audit(Page::ALL).unwrap().total, 0);
        assert!(site.sees(CLEAR, 60.0, Some(0.99), 40), "or the lines above show nothing");
    }

    #[test]
    fn views_cannot_lead_away_from_the_registration_step_by_step() {
        let site = Site::new();
        // Each step is near to the mean that the gallery has by then, and farther from the registration.
        let mut kept = 0;
        for (step, day) in (1..20).zip((1..).map(|month| month * 31)) {
            let angle = 0.15 * step as f32;
            kept += i32::from(site.sees([angle.cos(), 0.0, angle.sin()], 60.0, Some(0.99), day));
        }
        assert!(kept > 2);
        // Similarity 0.8 is cosine 0.6, an angle of 0.93: nothing beyond it was taken, however near the last one was.
        for template in site.store.templates_of(site.student).unwrap() {
            let StoredEmbedding::Tagged(view) = template.embedding else { panic!() };
            assert!(view.cosine(&direction([1.0, 0.0, 0.0])).unwrap().0 >= 0.6);
        }
        assert_eq!(site.origins(), [Registered, Registered, Seen, Seen]);
    }

    #[test]
    fn taking_views_back_leaves_the_registration() {
        let site = Site::new();
        assert!(site.sees(CLEAR, 60.0, Some(0.99), 40));
        assert_eq!(site.store.forget_seen_templates(site.student).unwrap(), 1);
        refresh_gallery(&site.gallery, &*site.store, site.student, None).unwrap();
        assert_eq!((site.origins(), site.gallery.templates()), (vec![Registered, Registered], 3));
    }
}
