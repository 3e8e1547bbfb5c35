//! Marks at a gate: people and pictures of people whose signs of life are known exactly, before a real store.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::attendance::{AttendancePolicy, Marker, Marking};
use crate::embedding::Calibration;
use crate::engine::{Analysis, AnalyzeOptions, Depth, Embedder, Face, FaceEngine};
use crate::error::Result;
use crate::frame::{ChannelOrder, Frame};
use crate::gallery::Gallery;
use crate::gate::tests::{DIMENSION, Head, PICTURE, person};
use crate::gate::{GateOptions, GatePolicy, LifeReason, LifeVerdict};
use crate::liveness::Position;
use crate::store::prelude::*;
use crate::store::{AttendanceFilter, Page, SecondLookFilter, SecondLookVerdict, SqliteStore};
use crate::types::{ModelId, StudentId};

/// Sees what a test shows it, as far as it is asked.
struct Stage {
    shown: Mutex<Option<Head>>,
    embedder: Embedder,
    /// Whether it has a passive check.
    has_passive: bool,
    scored: Mutex<usize>,
}

impl Stage {
    fn face(&self, depth: Depth) -> Option<Face> {
        let head = (*self.shown.lock().unwrap())?;
        let mut face = head.face();
        if depth < Depth::Embedding {
            face.embedding = None;
        }
        if depth < Depth::Antispoof || !self.has_passive {
            face.antispoof = crate::antispoof::PassivePad::not_run();
        }
        if depth == Depth::Antispoof {
            *self.scored.lock().unwrap() += 1;
        }
        Some(face)
    }
}

impl FaceEngine for Stage {
    fn analyze(&self, _frame: &Frame<'_>, options: &AnalyzeOptions) -> Result<Analysis> {
        Ok(Analysis::of(self.face(options.depth).into_iter().collect()))
    }

    fn deepen(&self, _frame: &Frame<'_>, faces: &mut Vec<Face>, depth: Depth) -> Result<()> {
        faces.clear();
        faces.extend(self.face(depth));
        Ok(())
    }

    fn embedder(&self) -> &Embedder {
        &self.embedder
    }
}

struct Gate {
    stage: Arc<Stage>,
    store: Arc<SqliteStore>,
    recognizer: Recognizer,
    students: [StudentId; 2],
    /// In milliseconds since the morning.
    now: i64,
    /// The time between two pictures, in milliseconds.
    apart: i64,
    pictures: usize,
    _folder: tempfile::TempDir,
}

impl Gate {
    fn new(policy: GatePolicy) -> Self {
        Self::with(policy, false)
    }

    fn with(policy: GatePolicy, has_passive: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("a.db")).unwrap());
        let morning: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let embedder = Embedder { model: ModelId::new("m"), dimension: DIMENSION, calibration: Calibration::arcface() };
        let gallery = Arc::new(Gallery::new(embedder.clone()));
        let students = [0, 1].map(|person| {
            let student = store.create_student("A", &format!("R{person}"), morning).unwrap().id;
            let template = Head { person, ..PICTURE }.face().embedding.unwrap();
            gallery.insert(student, &[template]).unwrap();
            student
        });
        let stage = Arc::new(Stage { shown: Mutex::default(), embedder, has_passive, scored: Mutex::default() });
        let marker = Arc::new(Marker::new(store.clone(), AttendancePolicy::in_time_zone("UTC").unwrap()));
        let options = RecognitionOptions::default().with_gate(GateOptions::of(policy));
        let recognizer = Recognizer::new(stage.clone(), gallery, &options).with_marker(marker, Some("Gate".to_owned()));
        Self { stage, store, recognizer, students, now: 0, apart: 100, pictures: 0, _folder: folder }
    }

    fn with_pictures_apart(mut self, milliseconds: i64) -> Self {
        self.apart = milliseconds;
        self
    }

    /// Shows a head in the next picture, a tenth of a second later unless the camera is a slower one.
    fn show(&mut self, head: Option<Head>) -> RecognitionReport {
        *self.stage.shown.lock().unwrap() = head;
        let morning: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let now = morning + SignedDuration::from_millis(self.now);
        self.now += self.apart;
        self.pictures += 1;
        // Something moves in every picture: the plan looks wherever it would.
        let shade = if self.pictures.is_multiple_of(2) { 90 } else { 120 };
        let frame = Frame::new(vec![shade; 640 * 480 * 3], 640, 480, ChannelOrder::Rgb).unwrap();
        self.recognizer.process(&frame, now).unwrap()
    }

    fn show_for(&mut self, seconds: f32, head: impl Fn(f32) -> Head) -> Vec<RecognitionReport> {
        let apart = self.apart as f32 / 1000.0;
        #[expect(clippy::cast_possible_truncation, reason = "a few pictures")]
        let pictures = (seconds / apart) as i32;
        (0..pictures).map(|n| self.show(Some(head(n as f32 * apart)))).collect()
    }

    fn show_nobody_for(&mut self, pictures: usize) -> Vec<RecognitionReport> {
        (0..pictures).map(|_| self.show(None)).collect()
    }

    fn marked(&self) -> Vec<StudentId> {
        let rows = self.store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items;
        rows.iter().rev().map(|row| row.student).collect()
    }

    fn second_looks(&self) -> Vec<(StudentId, SecondLookVerdict, String)> {
        let open = self.store.second_looks(&SecondLookFilter::open(), Page::ALL).unwrap().items;
        open.into_iter().map(|look| (look.student(), look.verdict, look.reasons.join(" "))).collect()
    }
}

/// A photograph in a hand: it is moved and tilted, and nothing else.
fn photograph(second: f32) -> Head {
    Head { yaw: 20.0 * (second * 1.3).sin(), change: 0.03 * (second * 9.0).sin(), ..PICTURE }
}

#[test]
fn a_person_is_marked_within_three_seconds() {
    let mut gate = Gate::new(GatePolicy::Require);
    let reports = gate.show_for(3.0, person);
    assert_eq!(gate.marked(), [gate.students[0]]);
    let admitted = reports.iter().find_map(|report| report.admitted.first()).unwrap();
    assert_eq!((admitted.student, admitted.life.verdict), (gate.students[0], LifeVerdict::Live));
    let first = reports.iter().position(|report| !report.marks.is_empty()).unwrap();
    assert!(first > 2, "two views name the person, and are not enough to be alive: {first}");
    assert_eq!(reports[first].faces[0].life.verdict, LifeVerdict::Live);
    assert!(reports[..first].iter().any(|report| report.open), "the next picture is wanted sooner");
    assert!(gate.second_looks().is_empty());
}

#[test]
fn a_photograph_is_marked_never_and_somebody_looks_again_once() {
    let mut gate = Gate::new(GatePolicy::Require);
    let reports = gate.show_for(10.0, photograph);
    assert!(gate.marked().is_empty());
    assert!(reports.iter().all(|report| report.marks.is_empty() && report.admitted.is_empty()));
    let handed_over = reports.iter().position(|report| !report.second_looks.is_empty()).unwrap();
    assert!((35..50).contains(&handed_over), "after the wait of four seconds: {handed_over}");
    let all: usize = reports.iter().map(|report| report.second_looks.len()).sum();
    assert_eq!(all, 1);
    assert_eq!(gate.second_looks().len(), 1);
    assert_eq!(gate.second_looks()[0].0, gate.students[0]);
}

#[test]
fn a_picture_again_and_again_is_suspected() {
    let mut gate = Gate::new(GatePolicy::Require);
    let reports = gate.show_for(6.0, |_| PICTURE);
    let suspected: Vec<_> = reports.iter().flat_map(|report| &report.suspected).collect();
    assert_eq!(suspected.len(), 1, "once");
    assert_eq!(suspected[0].life.reason, Some(LifeReason::Frozen));
    assert_eq!(gate.second_looks(), [(gate.students[0], SecondLookVerdict::Spoof, "frozen".to_owned())]);
    assert!(gate.marked().is_empty());
}

#[test]
fn observing_marks_at_once_and_tells_what_it_thought() {
    let mut gate = Gate::new(GatePolicy::Observe);
    let reports = gate.show_for(6.0, |_| PICTURE);
    assert_eq!(gate.marked(), [gate.students[0]]);
    assert_eq!(reports.iter().map(|report| report.suspected.len()).sum::<usize>(), 1);
    assert!(gate.second_looks().is_empty());
    assert!(matches!(&reports[1].marks[..], [Marking::Marked(_)]), "with the second view");
}

#[test]
fn without_a_gate_nobody_looks_for_life() {
    let mut gate = Gate::with(GatePolicy::Off, true);
    gate.show_for(3.0, |_| PICTURE);
    assert_eq!(gate.marked(), [gate.students[0]]);
    assert_eq!(*gate.stage.scored.lock().unwrap(), 0);
}

#[test]
fn who_walks_on_before_the_wait_is_over_is_not_lost() {
    let mut gate = Gate::new(GatePolicy::Require);
    gate.show_for(1.0, photograph);
    assert!(gate.second_looks().is_empty());
    // The face is gone, and its track ends after a second.
    let reports: Vec<_> = (0..15).map(|_| gate.show(None)).collect();
    assert_eq!(reports.iter().map(|report| report.second_looks.len()).sum::<usize>(), 1);
    assert_eq!(gate.second_looks()[0].0, gate.students[0]);
}

#[test]
fn whose_place_somebody_else_takes_is_not_lost() {
    let mut gate = Gate::new(GatePolicy::Require);
    gate.show_for(1.0, photograph);
    gate.show_for(2.0, |second| Head { person: 1, ..photograph(second) });
    gate.recognizer.finish().unwrap();
    let mut looks: Vec<_> = gate.second_looks().into_iter().map(|look| look.0).collect();
    looks.sort_unstable();
    assert_eq!(looks, gate.students);
}

#[test]
fn whoever_is_in_view_when_a_camera_stops_is_not_lost() {
    let mut gate = Gate::new(GatePolicy::Require);
    gate.show_for(1.0, photograph);
    assert_eq!(gate.recognizer.finish().unwrap().second_looks.len(), 1);
    assert_eq!(gate.second_looks().len(), 1);
    assert_eq!(gate.recognizer.finish().unwrap().second_looks.len(), 0, "once");
}

#[test]
fn life_that_shows_late_marks_and_settles_the_second_look() {
    let mut gate = Gate::new(GatePolicy::Require);
    gate.show_for(5.0, photograph);
    assert_eq!(gate.second_looks().len(), 1);
    gate.show_for(12.0, person);
    assert_eq!(gate.marked(), [gate.students[0]]);
    assert!(gate.second_looks().is_empty());
}

#[test]
fn the_life_of_one_person_says_nothing_of_a_picture_that_takes_the_place() {
    let mut gate = Gate::new(GatePolicy::Require);
    gate.show_for(3.0, person);
    assert_eq!(gate.marked(), [gate.students[0]]);
    // In the next picture the same place shows a photograph of the other student.
    let reports = gate.show_for(10.0, |second| Head { person: 1, ..photograph(second) });
    assert_eq!(gate.marked(), [gate.students[0]], "no mark for the photograph");
    let last = reports.last().unwrap();
    assert_eq!(last.faces[0].student(), Some(gate.students[1]), "it is recognized, by the same track or another");
    assert_ne!(last.faces[0].life.verdict, LifeVerdict::Live);
}

#[test]
fn a_film_passes_the_movement_and_the_passive_check_stops_it() {
    let film = |second: f32| Head { passive: Some(0.05), ..person(second) };
    let mut blind = Gate::new(GatePolicy::Require);
    blind.show_for(4.0, film);
    assert_eq!(blind.marked().len(), 1, "without the passive check a film is a person");
    let mut gate = Gate::with(GatePolicy::Require, true);
    let reports = gate.show_for(6.0, film);
    assert!(gate.marked().is_empty());
    assert_eq!(gate.second_looks()[0].1, SecondLookVerdict::Spoof);
    let suspected: Vec<_> = reports.iter().flat_map(|report| &report.suspected).collect();
    assert_eq!(suspected[0].life.reason, Some(LifeReason::PassiveLow));
}

#[test]
fn with_the_passive_check_a_person_who_stands_still_is_marked_soon() {
    let mut gate = Gate::with(GatePolicy::Require, true);
    // Sways a little, as people do.
    let still = |second: f32| Head {
        passive: Some(0.99),
        yaw: 5.0 * (second * 3.0).sin(),
        depth: 0.8,
        change: 0.22 * (second * 3.0).sin(),
        ..PICTURE
    };
    let reports = gate.show_for(2.0, still);
    let marked = reports.iter().position(|report| !report.marks.is_empty()).unwrap();
    assert!(marked <= 6, "{marked} tenths of a second");
    // Nobody looks any closer at who is marked.
    let scored = *gate.stage.scored.lock().unwrap();
    gate.show_for(10.0, still);
    assert!(*gate.stage.scored.lock().unwrap() <= scored + 1, "{scored}");
}

fn is_too_slow(report: &RecognitionReport) -> bool {
    report.problems.iter().any(|problem| problem.code() == "too_slow")
}

#[test]
fn a_slow_camera_marks_without_the_gate_and_asks_somebody_to_look_with_it() {
    for apart in [1000, 1500, 2000, 3000] {
        for policy in [GatePolicy::Off, GatePolicy::Observe] {
            let mut gate = Gate::new(policy).with_pictures_apart(apart);
            let reports = gate.show_for(15.0, photograph);
            assert_eq!(gate.marked(), [gate.students[0]], "{apart} ms, {policy:?}");
            assert!(!reports.iter().any(is_too_slow), "{apart} ms, {policy:?}: it names whoever stays");
        }
        let mut gate = Gate::new(GatePolicy::Require).with_pictures_apart(apart);
        let reports = gate.show_for(20.0, photograph);
        assert!(gate.marked().is_empty());
        assert_eq!(gate.second_looks().len(), 1, "{apart} ms");
        // Five pictures in the time of a decision are enough to tell a picture that hardly moves.
        let expected = apart > 1000;
        assert_eq!(is_too_slow(reports.last().unwrap()), expected, "{apart} ms: that is why nobody is marked");
    }
}

#[test]
fn a_camera_is_too_slow_once_somebody_left_unnamed_and_no_longer_once_it_marks() {
    let mut gate = Gate::new(GatePolicy::Off).with_pictures_apart(3000);
    assert!(!is_too_slow(&gate.show(Some(PICTURE))), "it may still be named");
    // As long as it takes until a camera that sees nothing move looks everywhere again.
    assert!(is_too_slow(gate.show_nobody_for(6).last().unwrap()), "seen once, and gone");
    assert!(is_too_slow(&gate.show(Some(PICTURE))));
    assert!(!is_too_slow(&gate.show(Some(PICTURE))), "it has marked somebody who stayed");
    let mut quick = Gate::new(GatePolicy::Off);
    quick.show(Some(PICTURE));
    assert!(!quick.show_nobody_for(30).iter().any(is_too_slow), "a quick camera misses people for other reasons");
}

#[test]
fn the_life_of_one_person_is_not_passed_on_by_a_slow_camera() {
    for apart in [100, 800, 1000] {
        let alive = |second: f32| Head { passive: Some(0.99), ..person(second) };
        let mut gate = Gate::with(GatePolicy::Require, true).with_pictures_apart(apart);
        gate.show_for(12.0, alive);
        assert_eq!(gate.marked(), [gate.students[0]], "{apart} ms");
        let picture = |second: f32| Head { person: 1, ..photograph(second) };
        let reports = gate.show_for(12.0, picture);
        assert_eq!(gate.marked(), [gate.students[0]], "{apart} ms: no mark for the photograph");
        let alive_as_another = reports
            .iter()
            .flat_map(|report| &report.faces)
            .any(|face| face.student() == Some(gate.students[1]) && face.life.verdict == LifeVerdict::Live);
        assert!(!alive_as_another, "{apart} ms");
    }
}

/// Somebody who stands still, with the noise of a mesh, and turns the head after it was asked: as far as `turn` says
/// of the movement.
fn answering(gate: &mut Gate, seconds: f32, turn: impl Fn(Position) -> f32) -> Vec<RecognitionReport> {
    let mut yaw = 0.0;
    let mut reports: Vec<RecognitionReport> = Vec::new();
    #[expect(clippy::cast_possible_truncation, reason = "tenths of seconds")]
    for n in 0..(seconds * 10.0) as i32 {
        let asked = reports.last().and_then(|report| report.faces[0].asked);
        // The head goes on for a moment when the question is answered, and comes back.
        let goal = asked.map_or(0.0, &turn);
        yaw += (goal - yaw) * 0.5;
        let noise = 0.03 * (n as f32 * 0.9).sin();
        let still = Head { yaw, depth: 0.8, change: noise + yaw / 60.0, ..PICTURE };
        reports.push(gate.show(Some(still)));
    }
    reports
}

/// The turn that answers; nods are not shown here.
fn rightly(position: Position) -> f32 {
    match position {
        Position::Left => 20.0,
        Position::Right => -20.0,
        _ => 0.0,
    }
}

#[test]
fn who_stands_still_is_asked_for_a_movement_and_marked_for_it() {
    // A quarter of all questions are a turn to the left. One person does not see the same question 20 times.
    let mut turns = 0;
    for _ in 0..40 {
        let mut gate = Gate::new(GatePolicy::Ask);
        let reports = answering(&mut gate, 5.0, rightly);
        let asked = reports.iter().position(|report| report.faces[0].asked.is_some()).unwrap();
        assert!((14..20).contains(&asked), "after a second and a half: {asked}");
        let first = reports[asked].faces[0].asked.unwrap();
        if first.is_nod() {
            continue;
        }
        turns += 1;
        assert_eq!(gate.marked(), [gate.students[0]], "{first}");
        assert!(gate.second_looks().is_empty());
        assert!(reports.iter().rev().take(5).all(|report| report.faces[0].asked.is_none()), "no longer asked");
    }
    assert!(turns > 5, "{turns}");
}

#[test]
fn who_stands_still_is_not_asked_where_no_screen_shows_it() {
    let mut gate = Gate::new(GatePolicy::Require);
    assert!(answering(&mut gate, 5.0, rightly).iter().all(|report| report.faces[0].asked.is_none()));
    assert!(gate.marked().is_empty());
}

#[test]
fn who_shows_life_is_not_asked() {
    let mut gate = Gate::new(GatePolicy::Ask);
    let lively = |second: f32| Head { yaw: 10.0 * (second * 4.0).sin(), ..person(second) };
    let reports = gate.show_for(3.0, lively);
    assert_eq!(gate.marked(), [gate.students[0]]);
    assert!(reports.iter().all(|report| report.faces[0].asked.is_none()));
}

#[test]
fn a_photograph_answers_no_question_however_it_is_turned() {
    // With noise enough in every view that is embedded, five a second, that it is no frozen picture.
    let noise = |second: f32| 0.045 * ((second * 5.0 + 0.25) * std::f32::consts::PI).cos();
    let noisy = |second: f32| Head { change: noise(second), ..photograph(second) };
    for _ in 0..10 {
        let mut gate = Gate::new(GatePolicy::Ask);
        let reports = gate.show_for(12.0, noisy);
        assert!(gate.marked().is_empty());
        assert!(reports.iter().any(|report| report.faces[0].asked.is_some()));
        let looks = gate.second_looks();
        assert_eq!(looks.len(), 1);
        assert_eq!((looks[0].0, looks[0].2.as_str()), (gate.students[0], "unanswered"));
        let handed_over = reports.iter().position(|report| !report.second_looks.is_empty()).unwrap();
        assert!((60..80).contains(&handed_over), "after the question's five seconds: {handed_over}");
        assert!(reports[handed_over + 1..].iter().all(|report| report.faces[0].asked.is_none()));
    }
}

#[test]
fn who_does_something_else_twice_is_looked_at_by_a_person() {
    for _ in 0..10 {
        let mut gate = Gate::new(GatePolicy::Ask);
        // A recording that turns to the same side whatever is asked, and never to the right one.
        let reports = answering(&mut gate, 14.0, |asked| if asked == Position::Left { -20.0 } else { 20.0 });
        assert!(
            gate.marked().is_empty(),
            "{:?}",
            reports.iter().map(|report| report.faces[0].asked).collect::<Vec<_>>()
        );
        assert_eq!(gate.second_looks().len(), 1);
    }
}

#[test]
fn a_question_is_not_answered_by_whoever_comes_next() {
    let mut gate = Gate::new(GatePolicy::Ask);
    let reports = gate.show_for(2.0, photograph);
    assert!(reports.last().unwrap().faces[0].asked.is_some());
    let reports = gate.show_for(1.0, |second| Head { person: 1, yaw: 20.0 * second, depth: 0.8, ..PICTURE });
    let students: Vec<_> = reports.iter().filter_map(|report| report.faces[0].student()).collect();
    assert!(!students.contains(&gate.students[0]) || students.last() == Some(&gate.students[1]), "{students:?}");
    assert!(gate.marked().is_empty(), "nobody has shown to be alive");
}
