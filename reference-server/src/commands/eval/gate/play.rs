//! One attempt before a camera: the frames go through the recognizer of a camera, which marks in a store.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use faceattend_core::camera::{CameraSource, FrameSource, OpenOptions, open};
use faceattend_core::embedding::Embedding;
use faceattend_core::engine::{AnalyzeOptions, Depth, Engine, FaceEngine};
use faceattend_core::frame::Frame;
use faceattend_core::gallery::Gallery;
use faceattend_core::gate::{GateOptions, LifeEvidence, LifeView, Signs};
use faceattend_core::recognition::{RecognitionOptions, Recognizer};
use faceattend_core::store::{SqliteStore, Students as _};
use faceattend_core::types::StudentId;
use faceattend_core::{AttendancePolicy, Marker, Result};
use jiff::{SignedDuration, Timestamp};

use super::super::bad;
use super::super::live::clips::is_picture;

/// Pictures that name the person of an attempt, at most.
const ENROLLED: usize = 12;

/// How attempts are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Showing {
    /// Pictures a second; twice as many while the recognizer asks for a closer look, as a camera's worker does.
    pub(super) rate: f64,
    /// The length of an attempt, in seconds: a longer clip is cut, a still is shown for so long.
    pub(super) seconds: f64,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Outcome {
    /// Seconds from the first face to the mark.
    pub(super) marked_after: Option<f64>,
    pub(super) second_look: bool,
    pub(super) suspected: bool,
    /// What recognition took, in seconds of one processor.
    pub(super) cost: f64,
    /// The length of what was shown, in seconds.
    pub(super) shown: f64,
}

/// The pictures of an attempt, one after the other.
enum Pictures {
    Recording(Box<dyn FrameSource>),
    Still(Frame<'static>),
}

impl Showing {
    /// Calls `see` with each picture of the attempt and its second; it returns whether to look more closely.
    fn pictures(self, path: &Path, mut see: impl FnMut(&Frame<'_>, f64) -> Result<bool>) -> Result<()> {
        let text = path.to_str().ok_or_else(|| bad("clip", format!("{}: no name in UTF-8", path.display())))?;
        let (mut source, interval) = if is_picture(path) && path.is_file() {
            (Pictures::Still(Frame::open(path)?), 0.5 / self.rate)
        } else {
            let source = open(&CameraSource::parse(text)?, &OpenOptions::default())?;
            let interval = source.frame_interval().map_or(1.0 / 25.0, |interval| interval.as_secs_f64());
            (Pictures::Recording(source), interval)
        };
        let (mut at, mut due) = (0.0, 0.0);
        while at < self.seconds {
            // Half an interval early is nearer than half an interval late.
            let is_due = at + interval / 2.0 >= due;
            let closely = match &mut source {
                Pictures::Still(frame) if is_due => see(frame, at)?,
                Pictures::Still(_) => false,
                Pictures::Recording(source) if is_due => {
                    let Some(frame) = source.next_frame()? else { break };
                    see(&frame, at)?
                }
                Pictures::Recording(source) => {
                    if !source.skip()? {
                        break;
                    }
                    false
                }
            };
            if is_due {
                due = at + if closely { 0.5 } else { 1.0 } / self.rate;
            }
            at += interval;
        }
        Ok(())
    }

    /// Returns the embeddings by which the person of an attempt is enrolled: of the attempt itself, so that it is
    /// recognized in any case and the gate alone decides.
    pub(super) fn faces(self, path: &Path, engine: &Engine) -> Result<Vec<Embedding>> {
        let slow = Self { rate: 2.0, ..self };
        let options = AnalyzeOptions::default().with_depth(Depth::Embedding);
        let mut faces = Vec::new();
        slow.pictures(path, |frame, _| {
            if faces.len() < ENROLLED {
                faces.extend(engine.analyze(frame, &options)?.faces.into_iter().next().and_then(|face| face.embedding));
            }
            Ok(false)
        })?;
        Ok(faces)
    }

    /// Shows an attempt to a camera whose gallery holds its person.
    pub(super) fn show(
        self,
        path: &Path,
        engine: &Arc<Engine>,
        faces: &[Embedding],
        gate: GateOptions,
        folder: &Path,
    ) -> Result<Outcome> {
        let store = Arc::new(SqliteStore::open(folder.join(format!("{}.db", uuid::Uuid::new_v4())))?);
        let start = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(8);
        let student: StudentId = store.create_student("the person", "1", start)?.id;
        let gallery = Arc::new(Gallery::new(engine.embedder().clone()));
        gallery.insert(student, faces)?;
        let marker = Arc::new(Marker::new(store, AttendancePolicy::in_time_zone("UTC")?));
        let options = RecognitionOptions::default().with_gate(gate);
        let mut recognizer =
            Recognizer::new(Arc::clone(engine) as Arc<dyn FaceEngine>, gallery, &options).with_marker(marker, None);
        let (mut outcome, mut first, mut cost) = (Outcome::default(), None, Duration::ZERO);
        self.pictures(path, |frame, at| {
            let began = Instant::now();
            let report = recognizer.process(frame, time(start, at))?;
            cost += began.elapsed();
            if !report.faces.is_empty() {
                first.get_or_insert(at);
            }
            if !report.marks.is_empty() {
                outcome.marked_after.get_or_insert(at - first.unwrap_or(at));
            }
            outcome.second_look |= !report.second_looks.is_empty();
            outcome.suspected |= !report.suspected.is_empty();
            outcome.shown = at;
            Ok(report.open)
        })?;
        outcome.second_look |= !recognizer.finish()?.second_looks.is_empty();
        outcome.cost = cost.as_secs_f64();
        Ok(outcome)
    }

    /// Returns the signs of life after each view of an attempt's largest face, with its second.
    pub(super) fn signs(self, path: &Path, engine: &Engine) -> Result<Vec<(f64, Signs)>> {
        let mut evidence = LifeEvidence::default();
        let mut last: Option<faceattend_core::geometry::Rect> = None;
        let mut signs = Vec::new();
        self.pictures(path, |frame, at| {
            let faces = engine.analyze(frame, &AnalyzeOptions::default())?.faces;
            let near = |bbox: &faceattend_core::geometry::Rect| last.map_or(1.0, |last| last.iou(bbox));
            let Some(face) = faces.iter().max_by(|a, b| near(&a.bbox).total_cmp(&near(&b.bbox))) else {
                return Ok(true);
            };
            if near(&face.bbox) < 0.1 || face.quality.as_ref().is_some_and(|quality| !quality.reasons.is_empty()) {
                return Ok(true);
            }
            last = Some(face.bbox);
            if let Some(view) = LifeView::of(face, time(Timestamp::UNIX_EPOCH, at)) {
                evidence.add(&view.in_frame(frame), &engine.embedder().calibration, &GateOptions::default());
                signs.push((at, *evidence.signs()));
            }
            Ok(true)
        })?;
        Ok(signs)
    }
}

fn time(start: Timestamp, at: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a clip")]
    let ms = (at * 1000.0) as i64;
    start + SignedDuration::from_millis(ms)
}
