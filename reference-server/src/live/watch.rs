//! What is done with a camera's frames: the core recognizes and marks; this keeps the log, tells what happens, and
//! shows it to whoever looks.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use faceattend_core::Result;
use faceattend_core::attendance::{Marker, Marking};
use faceattend_core::backlog::Backlog;
use faceattend_core::camera::{Attention, Nature, Orientation};
use faceattend_core::engine::FaceEngine;
use faceattend_core::frame::Frame;
use faceattend_core::gallery::Gallery;
use faceattend_core::gate::{GateOptions, GatePolicy, LifeReason};
use faceattend_core::geometry::Rect;
use faceattend_core::liveness::Position;
use faceattend_core::recognition::{
    Ageing, Direction, Effort, RecognitionOptions, RecognitionReport, RecognizedFace, Recognizer, UnknownFaces,
};
use faceattend_core::store::{NewDetectionLog, Store, Student};
use faceattend_core::tracking::TrackingOptions;
use faceattend_core::types::{StudentId, Threshold};
use jiff::Timestamp;

use super::ambiguous::{AmbiguousPairs, Pair, pair_of};
use super::log::DetectionLog;
use super::preview::{Drawn, Preview};
use super::problems::{self, ProblemItem, Problems};
use crate::live::events::{Events, LiveEvent, SeenFace};
use crate::settings::GateSettings;

/// How often a camera's figures go to the detection log: a row a frame would be 25 rows a second and camera.
const LOG_EVERY: Duration = Duration::from_secs(5);
/// How long a student's name is believed.
const NAME_FOR: Duration = Duration::from_secs(60);

/// What the cameras share.
#[derive(Clone)]
pub(crate) struct Watcher {
    pub(super) engine: Arc<dyn FaceEngine>,
    pub(super) gallery: Arc<Gallery>,
    pub(super) marker: Arc<Marker>,
    pub(super) store: Arc<dyn Store>,
    pub(super) backlog: Arc<Backlog>,
    pub(super) log: Arc<DetectionLog>,
    pub(super) threshold: Threshold,
    pub(super) tracking: TrackingOptions,
    pub(super) gate: GateSettings,
    pub(super) figures: Arc<GateFigures>,
    pub(super) events: Events,
    /// Keeps views of whom the cameras mark, where the operator wants it.
    pub(super) ageing: Option<Arc<Ageing>>,
    /// Lists whom nobody knows, where the operator wants it.
    pub(super) unknown_faces: Option<Arc<UnknownFaces>>,
}

/// What a camera's watch shows to others, and how the pictures are turned that it gets.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) preview: Option<Arc<Preview>>,
    pub(super) problems: Arc<Problems>,
    /// Whom it could not tell apart.
    pub(super) ambiguous: Arc<AmbiguousPairs>,
    pub(super) orientation: Orientation,
}

impl Shown {
    pub(super) fn new(preview: Option<Arc<Preview>>, orientation: Orientation, gallery: &Arc<Gallery>) -> Self {
        let ambiguous = Arc::new(AmbiguousPairs::new(Arc::clone(gallery)));
        Self { preview, problems: Arc::default(), ambiguous, orientation }
    }
}

impl Watcher {
    /// What takes the frames of one camera.
    pub(super) fn watch(
        &self,
        camera: &str,
        location: Option<&str>,
        (nature, gate): (Nature, Option<GatePolicy>),
        shown: Shown,
    ) -> impl FnMut(Frame<'static>) -> Attention + Send + use<> {
        let mut watch = self.watching_with(camera, location, self.gate.with(nature, location, gate), Effort::Thrifty);
        (watch.shown, watch.has_settings) = (shown, true);
        move |frame| watch.take(&frame)
    }

    /// The watch of pictures that somebody sends, one by one.
    pub(super) fn watching(&self, camera: &str, location: Option<&str>, nature: Nature, effort: Effort) -> Watch {
        self.watching_with(camera, location, self.gate.of(nature, location), effort)
    }

    /// The watch of a kiosk, which asks for what `gate` says where that is given.
    pub(super) fn watching_kiosk(&self, name: &str, place: &str, gate: Option<GatePolicy>) -> Watch {
        let gate = self.gate.with(Nature::Live, Some(place), gate);
        self.watching_with(name, Some(place), gate, Effort::Everything)
    }

    fn watching_with(&self, camera: &str, location: Option<&str>, gate: GateOptions, effort: Effort) -> Watch {
        let location = location.map(str::to_owned);
        let options = RecognitionOptions::default()
            .with_threshold(self.threshold)
            .with_tracking(self.tracking)
            .with_effort(effort)
            .with_gate(gate);
        let mut recognizer = Recognizer::new(Arc::clone(&self.engine), Arc::clone(&self.gallery), &options)
            .with_marker(Arc::clone(&self.marker), location.clone());
        if let Some(ageing) = &self.ageing {
            recognizer = recognizer.with_ageing(Arc::clone(ageing));
        }
        if let Some(unknown) = &self.unknown_faces {
            recognizer = recognizer.with_unknown_faces(Arc::clone(unknown));
        }
        Watch {
            recognizer,
            shared: self.clone(),
            camera: camera.to_owned(),
            location,
            shown: Shown::new(None, Orientation::default(), &self.gallery),
            has_settings: false,
            figures: Figures::default(),
            names: HashMap::new(),
            told: Vec::new(),
        }
    }
}

/// What the gates of all cameras counted since the start.
#[derive(Debug, Default)]
pub(crate) struct GateFigures {
    pub(crate) suspected: AtomicU64,
    pub(crate) second_looks: AtomicU64,
}

/// One camera's watch. Its last figures are logged when it ends.
pub(super) struct Watch {
    recognizer: Recognizer,
    shared: Watcher,
    camera: String,
    location: Option<String>,
    shown: Shown,
    /// Whether it is a camera of the server.
    has_settings: bool,
    figures: Figures,
    names: HashMap<StudentId, (Student, Instant)>,
    /// The tracks that were last told of, whose they were, whether they were alive, and what they were asked for.
    told: Vec<(u64, Option<StudentId>, &'static str, Option<Position>)>,
}

/// What happened since the last row of the log.
#[derive(Default)]
struct Figures {
    since: Option<Instant>,
    frames: u32,
    busy: Duration,
    /// The most faces that one frame showed.
    faces: usize,
    recognized: BTreeSet<StudentId>,
    /// Whether a picture of a person was suspected.
    suspected: bool,
    /// Whom it could not tell apart.
    ambiguous: BTreeSet<Pair>,
    error: Option<&'static str>,
}

/// What the detection log says of a picture of a person.
const SPOOF_SUSPECTED: &str = "spoof_suspected";

/// What the detection log says of two students whom a camera could not tell apart.
const AMBIGUOUS_IDENTITY: &str = "ambiguous_identity";

/// A face, and the student whose it is.
pub(super) struct Seen {
    pub(super) face: RecognizedFace,
    pub(super) student: Option<Student>,
}

/// What a picture showed.
pub(super) struct Sight {
    pub(super) faces: Vec<Seen>,
    /// Who was newly marked.
    pub(super) marked: Vec<StudentId>,
    /// What keeps the camera from naming people.
    pub(super) problems: Vec<ProblemItem>,
    /// All that the core says of it.
    pub(super) report: RecognitionReport,
}

impl Watch {
    fn take(&mut self, frame: &Frame<'_>) -> Attention {
        let attention = match self.see(frame) {
            // Somebody new may walk out of the picture within two or three frames of the usual rate.
            Ok(sight) if sight.report.open => Attention::Close,
            Ok(_) => Attention::Usual,
            Err(error) => {
                // The log is read through the API: the code alone, no text that could name a path.
                self.figures.error = Some(error.kind().code());
                tracing::error!(code = error.kind().code(), "a camera's frame could not be judged: {error}");
                Attention::Usual
            }
        };
        if self.figures.since.get_or_insert_with(Instant::now).elapsed() >= LOG_EVERY {
            self.log();
        }
        attention
    }

    /// What the frame shows, marked, counted and told.
    pub(super) fn see(&mut self, frame: &Frame<'_>) -> Result<Sight> {
        let began = Instant::now();
        let now = frame.captured_at().unwrap_or_else(Timestamp::now);
        let report = self.recognizer.process(frame, now);
        self.figures.frames += 1;
        self.figures.busy += began.elapsed();
        let report = report?;
        self.figures.faces = self.figures.faces.max(report.faces.len());
        self.figures.recognized.extend(report.faces.iter().filter_map(RecognizedFace::student));
        let mut marked = Vec::new();
        for mark in &report.marks {
            if let Marking::Marked(record) = mark {
                tracing::info!(student = %record.student, place = self.location, "attendance marked");
                self.shared.events.publish(LiveEvent::marked(record));
                marked.push(record.student);
            }
        }
        let faces = self.named(&report);
        self.tell_of_the_gate(&report);
        self.tell_of_the_ambiguous(&report, now);
        let problems = self.tell_of_problems(&report);
        self.tell(&faces, now);
        if let Some(preview) = self.shown.preview.as_ref().filter(|preview| preview.is_watched()) {
            let drawn: Vec<_> = faces
                .iter()
                .map(|seen| Drawn {
                    bbox: seen.face.bbox,
                    name: seen.student.as_ref().map(|student| student.name.clone()),
                    life: seen.face.life.verdict,
                })
                .collect();
            preview.show(frame, &drawn);
        }
        Ok(Sight { faces, marked, problems, report })
    }

    /// Says which way the people go who are seen from now on.
    pub(super) fn set_direction(&mut self, direction: Direction) {
        self.recognizer.set_direction(direction);
    }

    /// Takes no notice of a student until whoever is in view has gone: it is somebody else.
    pub(super) fn pass_over(&mut self, student: StudentId, now: Timestamp) {
        self.recognizer.pass_over(student, now);
    }

    /// Tells of people who are on the second-look list from now on, and of pictures of people.
    fn tell_of_the_gate(&mut self, report: &RecognitionReport) {
        for look in &report.added_second_looks {
            tracing::info!(student = %look.student(), place = self.location, "somebody has to look again");
            self.shared.figures.second_looks.fetch_add(1, Relaxed);
            self.shared.events.publish(LiveEvent::second_look(look));
        }
        for sighting in &report.suspected {
            let reason = sighting.life.reason.map_or("unknown", LifeReason::as_str);
            tracing::warn!(student = %sighting.student, place = self.location, reason, "a picture is suspected");
            self.shared.figures.suspected.fetch_add(1, Relaxed);
            self.figures.suspected = true;
            let name = self.student(sighting.student).map(|student| student.name);
            self.shared.events.publish(LiveEvent::SpoofSuspected {
                camera: self.camera.clone(),
                camera_location: self.location.clone(),
                timestamp: sighting.at,
                track: sighting.track.0,
                student_id: sighting.student.0,
                student_name: name,
                reasons: vec![reason.to_owned()],
            });
        }
    }

    /// Keeps whom the views fit alike for the log and the status, and says so once.
    fn tell_of_the_ambiguous(&mut self, report: &RecognitionReport, now: Timestamp) {
        self.figures.ambiguous.extend(report.ambiguous.iter().map(pair_of));
        for [one, two] in self.shown.ambiguous.see(&report.ambiguous, now) {
            let place = self.location.as_deref();
            tracing::warn!(%one, %two, place, "two students cannot be told apart: merge them if they are one person");
        }
    }

    /// Shows what keeps the camera from naming people, and tells what is new of it.
    fn tell_of_problems(&self, report: &RecognitionReport) -> Vec<ProblemItem> {
        let place = self.has_settings.then_some(self.location.as_deref());
        let items = problems::items(&report.problems, self.shown.orientation, place);
        for item in self.shown.problems.update(items.clone()) {
            tracing::warn!(camera = self.camera, place = self.location, code = item.code, "{}", item.message);
            let which = self.location.as_ref().unwrap_or(&self.camera);
            let message = format!("{which}: {}", item.message);
            self.shared.events.publish(LiveEvent::LogLine { level: "WARN", message, timestamp: Timestamp::now() });
        }
        items
    }

    /// The student with this id, as the store had it lately. `None` for one who was deleted a moment ago, and for one
    /// whose name was never read while the store does not answer.
    fn student(&mut self, id: StudentId) -> Option<Student> {
        let is_fresh = self.names.get(&id).is_some_and(|(_, since)| since.elapsed() < NAME_FOR);
        // Asking a database that is away costs a camera seconds: the name of before is good until it is back.
        if !is_fresh && self.shared.backlog.is_empty() {
            match self.shared.store.student(id) {
                Ok(Some(student)) => drop(self.names.insert(id, (student, Instant::now()))),
                Ok(None) => drop(self.names.remove(&id)),
                Err(error) => tracing::debug!("a name could not be read: {error}"),
            }
        }
        self.names.get(&id).map(|(student, _)| student.clone())
    }

    fn named(&mut self, report: &RecognitionReport) -> Vec<Seen> {
        if self.shared.backlog.is_empty() {
            self.names.retain(|_, (_, since)| since.elapsed() < NAME_FOR);
        }
        let mut faces = Vec::with_capacity(report.faces.len());
        for face in &report.faces {
            let student = face.student().and_then(|id| self.student(id));
            faces.push(Seen { face: *face, student });
        }
        faces
    }

    /// Tells who is in view when that has changed.
    fn tell(&mut self, faces: &[Seen], now: Timestamp) {
        let seen =
            |seen: &Seen| (seen.face.track.0, seen.face.student(), seen.face.life.verdict.as_str(), seen.face.asked);
        let mut tracks: Vec<_> = faces.iter().map(seen).collect();
        tracks.sort_unstable_by_key(|seen| seen.0);
        if tracks == self.told {
            return;
        }
        self.told = tracks;
        let faces = faces
            .iter()
            .map(|Seen { face, student }| SeenFace {
                track: face.track.0,
                bbox: whole_pixels(&face.bbox),
                student_id: student.as_ref().map(|student| student.id.0),
                student_name: student.as_ref().map(|student| student.name.clone()),
                confidence: student.as_ref().and(face.similarity()).map(faceattend_core::types::Similarity::value),
                liveness: face.life.verdict.as_str().into(),
                asked: face.asked.map(|movement| movement.as_str().into()),
            })
            .collect();
        self.shared.events.publish(LiveEvent::DetectionUpdate {
            camera: self.camera.clone(),
            camera_location: self.location.clone(),
            timestamp: now,
            faces,
        });
    }

    fn log(&mut self) {
        let figures = std::mem::take(&mut self.figures);
        if figures.faces == 0 && figures.error.is_none() {
            return;
        }
        let pairs: Vec<_> = figures.ambiguous.iter().map(|[one, two]| format!("students {one} and {two}")).collect();
        let ambiguous = (!pairs.is_empty()).then(|| format!("{AMBIGUOUS_IDENTITY}: {}", pairs.join(", ")));
        let suspected = figures.suspected.then_some(SPOOF_SUSPECTED);
        let told: Vec<String> =
            figures.error.into_iter().chain(suspected).map(str::to_owned).chain(ambiguous).collect();
        self.shared.log.add(NewDetectionLog {
            timestamp: Timestamp::now(),
            faces_detected: u32::try_from(figures.faces).unwrap_or(u32::MAX),
            students_recognized: u32::try_from(figures.recognized.len()).unwrap_or(u32::MAX),
            processing_time: Some(figures.busy.as_secs_f64() / f64::from(figures.frames.max(1))),
            camera_location: self.location.clone(),
            error_message: (!told.is_empty()).then(|| told.join("; ")),
        });
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        match self.recognizer.finish() {
            Ok(report) => self.tell_of_the_gate(&report),
            Err(error) => tracing::error!(code = error.kind().code(), "a sighting could not be kept: {error}"),
        }
        self.log();
    }
}

/// The box in whole pixels.
#[expect(clippy::cast_possible_truncation, reason = "coordinates of a picture of at most 2^31 pixels a side")]
pub(crate) fn whole_pixels(bbox: &Rect) -> [i64; 4] {
    [bbox.x1, bbox.y1, bbox.x2, bbox.y2].map(|value| value.round() as i64)
}
