//! The recognizer of one camera.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::ageing::{self, Ageing};
use super::direction::Direction;
use super::gatekeeper::{Admission, Gatekeeper};
use super::options::RecognitionOptions;
use super::passed_over::PassedOver;
use super::problem::CameraProblem;
use super::report::{RecognitionReport, RecognizedFace, Sighting};
use super::scan_plan::{Effort, Scan, ScanPlan};
use super::slowness::Slowness;
use super::turned::Mounting;
use super::unknown_faces::{UnknownFaces, UnknownId};
use super::view::{is_good, view_weight, why_poor};
use crate::attendance::{Marker, Marking, Noted};
use crate::engine::{AnalyzeOptions, Depth, Face, FaceEngine};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::gallery::Gallery;
use crate::gate::{GatePolicy, Life, LifeReason, LifeVerdict, LifeView, UnprovenFaces};
use crate::geometry::Rect;
use crate::store::{SecondLookVerdict, SecondLooking, StoreTrouble, limits};
use crate::tracking::{Decision, Track, TrackId, Tracker, Watch};
use crate::types::StudentId;

/// Recognizes the faces of one camera. The engine, the gallery and the marker are shared; the faces in view are
/// its own.
///
/// ```
/// use std::sync::Arc;
///
/// use faceattend_core::{Engine, Frame, Gallery, RecognitionOptions, Recognizer, Timestamp};
///
/// let engine = Arc::new(Engine::new()?);
/// let gallery = Arc::new(Gallery::new(engine.embedder().clone()));
/// let mut recognizer = Recognizer::new(engine, gallery, &RecognitionOptions::default());
/// let report = recognizer.process(&Frame::open("../examples/media/hopper/center.jpg")?, Timestamp::now())?;
/// assert_eq!(report.faces.len(), 1);
/// assert!(report.marks.is_empty(), "nobody is known");
/// # Ok::<(), faceattend_core::Error>(())
/// ```
pub struct Recognizer {
    engine: Arc<dyn FaceEngine>,
    gallery: Arc<Gallery>,
    marker: Option<Arc<Marker>>,
    camera_location: Option<String>,
    options: RecognitionOptions,
    tracker: Tracker,
    scan_plan: ScanPlan,
    gatekeeper: Gatekeeper,
    /// Who was handed over because a photograph is all that there is of the face.
    unproven: BTreeMap<TrackId, StudentId>,
    slowness: Slowness,
    mounting: Mounting,
    /// Whom the second-look list has to hold and does not yet.
    to_hand_over: VecDeque<Sighting>,
    ageing: Option<Arc<Ageing>>,
    unknown: Option<Arc<UnknownFaces>>,
    /// The faces in view that are on the list of unknown ones.
    strangers: HashMap<TrackId, UnknownId>,
    passed_over: PassedOver,
    direction: Direction,
}

impl std::fmt::Debug for Recognizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recognizer({:?}, threshold: {})", self.camera_location, self.options.threshold.value())
    }
}

impl Recognizer {
    /// Creates a recognizer with no face in view, which marks nobody.
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
            gatekeeper: Gatekeeper::new(options.gate),
            unproven: BTreeMap::new(),
            slowness: Slowness::default(),
            mounting: Mounting::default(),
            to_hand_over: VecDeque::new(),
            ageing: None,
            unknown: None,
            strangers: HashMap::new(),
            passed_over: PassedOver::default(),
            direction: Direction::default(),
        }
    }

    /// Says which way the people go who are seen from now on. Whoever leaves is checked out, whatever the time, once
    /// their views show what a mark asks for.
    pub fn set_direction(&mut self, direction: Direction) {
        self.direction = direction;
    }

    /// Takes no notice of a student from `now` on, until nobody with that face has been in view for a while: the person
    /// who is there says that they are somebody else.
    pub fn pass_over(&mut self, student: StudentId, now: Timestamp) {
        self.passed_over.add(student, now);
    }

    /// Returns the recognizer, marking whom it recognizes as seen at this place. Marks keep the first
    /// [`CAMERA_LOCATION`](limits::CAMERA_LOCATION) characters of it: a long name of a place must not cost a mark.
    #[must_use]
    pub fn with_marker(mut self, marker: Arc<Marker>, camera_location: Option<String>) -> Self {
        self.marker = Some(marker);
        self.camera_location = camera_location.map(|text| limits::cut(&text, limits::CAMERA_LOCATION).to_owned());
        self
    }

    /// Returns the recognizer, keeping a view of whom it marks now and then, as `ageing` allows it.
    #[must_use]
    pub fn with_ageing(mut self, ageing: Arc<Ageing>) -> Self {
        self.ageing = Some(ageing);
        self
    }

    /// Returns the recognizer, listing whom nobody knows.
    #[must_use]
    pub fn with_unknown_faces(mut self, unknown: Arc<UnknownFaces>) -> Self {
        self.unknown = Some(unknown);
        self
    }

    /// Recognizes the faces of `frame` and marks the people whom it knows. `now` is the frame's capture time where it
    /// has one: the tracker measures gaps by it, and attendance is marked at it.
    ///
    /// # Errors
    /// Those of the engine, of the gallery and of the store. The faces of a failed call have been tracked, and the
    /// next frame marks what this one could not.
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
        let clipped = |bbox: Rect| bbox.clipped(frame.width(), frame.height());
        for (bbox, track) in boxes.into_iter().zip(&tracks) {
            report.faces.push(self.recognized(clipped(bbox), *track));
        }
        if look != Scan::Everywhere(None) {
            let held = self.tracker.tracks().iter().filter(|track| track.last_seen() == now);
            let held = held.filter(|track| !tracks.contains(&track.id()));
            report.faces.extend(held.map(|track| self.recognized(clipped(track.bbox()), track.id())));
        }
        report.ambiguous.extend(report.faces.iter().filter_map(|face| self.tracker.ambiguity(face.track)));
        self.list_strangers(&report, now)?;
        self.admit(&mut report, now)?;
        report.open = tracks.iter().any(|track| self.tracker.is_open(*track));
        report.open |= self.tracker.tracks().iter().any(Track::is_watched_closely);
        match self.age(frame, &voted, &report, now) {
            // A view less, while the database is held or away, is no reason to tell nothing of the frame.
            Err(error) if StoreTrouble::of(&error).is_some() => tracing::debug!("no view was kept: {error}"),
            aged => aged?,
        }
        self.look_for_problems(frame, !tracks.is_empty(), &mut report, now)?;
        Ok(report)
    }

    /// Tells what keeps the camera from naming people.
    fn look_for_problems(
        &mut self,
        frame: &Frame<'_>,
        has_face: bool,
        report: &mut RecognitionReport,
        now: Timestamp,
    ) -> Result<()> {
        let (cut_short, rhythm) = (self.tracker.cut_short(), self.tracker.rhythm());
        let too_slow = self.slowness.add(report, cut_short, rhythm, &self.options.tracking);
        report.problems.extend(too_slow.map(|apart| CameraProblem::TooSlow { apart }));
        if has_face && self.mounting.is_due(now) {
            self.mounting.look(&*self.engine, frame, now)?;
        }
        report.problems.extend(self.mounting.proposal().map(CameraProblem::turned));
        Ok(())
    }

    fn recognized(&self, bbox: Rect, track: TrackId) -> RecognizedFace {
        let (decision, life) = (self.tracker.decision(track), self.tracker.life(track, &self.options.gate));
        let asked = self.tracker.asked(track).question.map(|question| question.movement);
        RecognizedFace { bbox, track, decision, life, asked }
    }

    /// Lists the faces that nobody knows, each once for as long as it is in view.
    fn list_strangers(&mut self, report: &RecognitionReport, now: Timestamp) -> Result<()> {
        let Some(unknown) = &self.unknown else { return Ok(()) };
        for face in &report.faces {
            match (face.decision, self.strangers.get(&face.track)) {
                (Decision::Unknown, Some(listed)) => unknown.still_there(*listed, now),
                (Decision::Unknown, None) if face.life.verdict != LifeVerdict::Spoof => {
                    if let Some(stranger) = self.tracker.stranger(face.track) {
                        let listed = unknown.see(stranger, self.camera_location.as_deref(), now)?;
                        self.strangers.insert(face.track, listed);
                    }
                }
                (Decision::Known { .. }, Some(listed)) => {
                    unknown.was_known(*listed);
                    self.strangers.remove(&face.track);
                }
                _ => {}
            }
        }
        let tracks = self.tracker.tracks();
        self.strangers.retain(|id, _| tracks.iter().any(|track| track.id() == *id));
        Ok(())
    }

    /// Marks the people who may be, and hands over those who did not show in time that they are alive.
    fn admit(&mut self, report: &mut RecognitionReport, now: Timestamp) -> Result<()> {
        let tracks = self.tracker.tracks();
        let left = self.gatekeeper.left(|id| tracks.iter().any(|track| track.id() == id));
        self.to_hand_over.extend(left);
        self.unproven.retain(|id, _| tracks.iter().any(|track| track.id() == *id));
        let known: Vec<_> =
            report.faces.iter().filter_map(|face| Some((face.track, face.known()?, face.life))).collect();
        for (track, (student, similarity), life) in known {
            // Erased while this frame was looked at, or said to be somebody else.
            if !self.gallery.contains(student) || self.passed_over.holds(student, now) {
                continue;
            }
            let marker = self.marker.as_ref().filter(|_| self.options.gate.policy.marks_the_living_alone());
            let marker = marker.filter(|_| self.direction == Direction::Arriving);
            if let Some(record) = marker.and_then(|marker| marker.already_marked(student, now)) {
                self.tracker.watch(track, Watch::No);
                report.marks.push(Marking::AlreadyMarked(record));
                continue;
            }
            let asked = self.tracker.asked(track);
            let admission = self.gatekeeper.admit(track, (student, similarity), life, asked, now);
            if self.gatekeeper.suspects(track) {
                report.suspected.push(Sighting { track, student, similarity, life, at: now });
            }
            self.tracker.watch(track, self.gatekeeper.watch(track));
            match admission {
                Admission::Ask => {
                    let random = uuid::Uuid::new_v4().as_u128();
                    self.tracker.ask(track, random, &self.options.gate, now);
                }
                Admission::Mark if !self.counts(student, now) => {
                    self.tracker.drop_question(track);
                    // Once for each who stands there.
                    if self.unproven.insert(track, student) != Some(student) {
                        let life = Life { reason: Some(LifeReason::UnprovenFace), ..life };
                        self.to_hand_over.push_back(Sighting { track, student, similarity, life, at: now });
                    }
                }
                Admission::Mark => {
                    self.tracker.drop_question(track);
                    let sighting = Sighting { track, student, similarity, life, at: now };
                    report.admitted.push(sighting);
                    self.mark(&sighting, report)?;
                }
                Admission::SecondLook(sighting) => {
                    self.tracker.drop_question(track);
                    self.to_hand_over.push_back(sighting);
                }
                Admission::Wait | Admission::HandedOver => {}
            }
        }
        self.hand_over(report)
    }

    /// Whether the face that is stored of a student counts for a mark.
    fn counts(&self, student: StudentId, now: Timestamp) -> bool {
        let asks = self.options.gate.unproven == UnprovenFaces::SecondLook;
        self.marker.as_ref().filter(|_| asks).is_none_or(|marker| marker.is_proven(student, now))
    }

    fn mark(&self, seen: &Sighting, to: &mut RecognitionReport) -> Result<()> {
        let Some(marker) = &self.marker else { return Ok(()) };
        let (student, place) = (seen.student, self.camera_location.as_deref());
        let noted = match self.direction {
            Direction::Arriving => marker.note_sighting(student, seen.similarity, place, seen.at),
            Direction::Leaving => marker.note_departure(student, seen.similarity, place, seen.at).map(Noted::Now),
        };
        match noted {
            Ok(Noted::Now(marking)) => to.marks.push(marking),
            Ok(Noted::Waits) => to.waiting.push(*seen),
            // Deleted, and the gallery has not heard of it yet.
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Puts on the second-look list whom it has to hold. What the store does not take now is kept for the next frame.
    fn hand_over(&mut self, report: &mut RecognitionReport) -> Result<()> {
        while let Some(sighting) = self.to_hand_over.front() {
            if let Some(marker) = &self.marker {
                let verdict = match sighting.life.verdict {
                    LifeVerdict::Spoof => SecondLookVerdict::Spoof,
                    LifeVerdict::Live | LifeVerdict::Undecided => SecondLookVerdict::Undecided,
                };
                let reasons = sighting.life.reason.map(|reason| reason.as_str().to_owned()).into_iter().collect();
                let (similarity, place) = (sighting.similarity, self.camera_location.as_deref());
                match marker.note_second_look(sighting.student, similarity, place, verdict, reasons, sighting.at) {
                    Ok(Noted::Now(SecondLooking::Added(look))) => report.added_second_looks.push(look),
                    // It need not be there, it waits for the database, or the student was deleted.
                    Ok(Noted::Now(_) | Noted::Waits) => {}
                    Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            report.second_looks.extend(self.to_hand_over.pop_front());
        }
        Ok(())
    }

    /// Ends the watch: hands over the people who are recognized and have not shown to be alive yet. Call it before a
    /// recognizer is dropped, or their sightings are lost.
    ///
    /// # Errors
    /// Those of the store; call it again then.
    pub fn finish(&mut self) -> Result<RecognitionReport> {
        let mut report = RecognitionReport::default();
        self.to_hand_over.extend(self.gatekeeper.left(|_| false));
        self.hand_over(&mut report)?;
        Ok(report)
    }

    /// Offers the views that voted for a marked person to the template ageing.
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

    /// Finds the faces that `look` shows, largest first.
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
            let for_its_name = everything || self.tracker.wants_view(*track, now);
            let for_life = self.tracker.wants_life(*track, now);
            if !for_its_name && !for_life {
                continue;
            }
            let embed = for_its_name || self.tracker.wants_proof(*track, now);
            let mut view = vec![face];
            if !everything {
                // Whether the view is good costs less than embedding it.
                self.engine.deepen(frame, &mut view, Depth::Pose)?;
            }
            let poor = view.first().and_then(why_poor);
            if !everything {
                view.retain(is_good);
                if embed {
                    self.engine.deepen(frame, &mut view, Depth::Embedding)?;
                }
            }
            view.retain(is_good);
            report.poor.extend(poor.map(|reason| (*track, reason)));
            let Some(embedding) = view.first().and_then(|face| face.embedding.clone()) else {
                if embed {
                    self.tracker.poor_view(*track, now);
                } else {
                    self.see_life(*track, frame, view.first(), now);
                }
                continue;
            };
            report.embedded += 1;
            let (weight, threshold) = (view_weight(&view[0]), self.options.threshold);
            self.tracker.see(*track, &embedding, weight, &self.gallery, threshold, now)?;
            if self.options.gate.policy != GatePolicy::Off {
                let is_alive = self.tracker.life(*track, &self.options.gate).verdict == LifeVerdict::Live;
                // A stranger is marked by nobody, alive or not.
                if !is_alive && self.tracker.may_be_named(*track) {
                    self.engine.deepen(frame, &mut view, Depth::Antispoof)?;
                }
                self.see_life(*track, frame, view.first(), now);
            }
            if self.ageing.is_some() {
                voted.extend(view.into_iter().next().map(|face| (*track, face)));
            }
        }
        Ok(voted)
    }

    /// Takes in what a view tells of life, if it has points.
    fn see_life(&mut self, track: TrackId, frame: &Frame<'_>, face: Option<&Face>, now: Timestamp) {
        if let Some(view) = face.and_then(|face| LifeView::of(face, now)) {
            let calibration = &self.engine.embedder().calibration;
            self.tracker.see_life(track, view.in_frame(frame), calibration, &self.options.gate);
        }
    }
}

/// Returns the faces without those that two regions found both; the surer one stays. Largest first.
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
