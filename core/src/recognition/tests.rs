//! Recognition over a real store, gallery, tracker and camera worker. The engine alone is a test's: what it sees is
//! written in the picture's color, so that pose and identity are known exactly.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::attendance::{AttendancePolicy, Marker, Marking};
use crate::camera::{CameraSource, CameraState, CameraWorker, OpenOptions, Pace, WorkerOptions};
use crate::embedding::{Calibration, Embedding};
use crate::engine::{Analysis, AnalyzeOptions, Embedder, Face, FaceEngine};
use crate::error::{Error, ErrorKind, Result};
use crate::frame::{ChannelOrder, Frame};
use crate::gallery::Gallery;
use crate::gate::{GateOptions, GatePolicy, UnprovenFaces};
use crate::geometry::Rect;
use crate::quality::{Quality, QualityReason};
use crate::store::prelude::*;
use crate::store::{AttendanceFilter, MarksOfErased, Page, SqliteStore, limits};
use crate::tracking::Decision;
use crate::types::{ModelId, Similarity, StudentId, Threshold};

const RED: [u8; 3] = [230, 20, 20];
const GREEN: [u8; 3] = [20, 200, 20];
const BLUE: [u8; 3] = [20, 20, 230];
const BLACK: [u8; 3] = [0, 0, 0];
/// Green, but blurred.
const PALE: [u8; 3] = [160, 230, 160];

/// Sees one face in the middle of a picture: red, green and blue are three people, black is nobody.
struct ByColor(Embedder);

impl ByColor {
    fn shared() -> Arc<Self> {
        Arc::new(Self(Embedder { model: ModelId::new("m"), dimension: 3, calibration: Calibration::arcface() }))
    }
}

fn embedding(person: usize) -> Embedding {
    let mut values = [0.05; 3];
    values[person] = 1.0;
    Embedding::from_raw(ModelId::new("m"), &values).unwrap()
}

impl FaceEngine for ByColor {
    fn analyze(&self, frame: &Frame<'_>, _options: &AnalyzeOptions) -> Result<Analysis> {
        let rgb = frame.rgb(frame.width() / 2, frame.height() / 2).unwrap();
        let Some(person) = (0..3).max_by_key(|c| rgb[*c]).filter(|c| rgb[*c] > 100) else {
            return Ok(Analysis::default());
        };
        let mut face = Face::detected(Rect::new(10.0, 10.0, 50.0, 50.0), 0.9, None);
        face.embedding = Some(embedding(person));
        let reasons = if rgb.iter().min() > Some(&100) { vec![QualityReason::Blurred] } else { vec![] };
        face.quality = Some(Quality { eye_distance: 60.0, sharpness: 90.0, brightness: 120.0, visible: 1.0, reasons });
        Ok(Analysis { faces: vec![face], ..Analysis::default() })
    }

    fn embedder(&self) -> &Embedder {
        &self.0
    }
}

/// Marks whom it sees: the faces of this engine have no points to tell life by.
fn off() -> RecognitionOptions {
    RecognitionOptions::default().with_gate(GateOptions::of(GatePolicy::Off))
}

/// A store with two students, whose faces are red and green, their gallery, and a recognizer.
struct Site {
    store: Arc<SqliteStore>,
    gallery: Arc<Gallery>,
    marker: Arc<Marker>,
    red: StudentId,
    green: StudentId,
    _folder: tempfile::TempDir,
}

fn at(second: i64) -> Timestamp {
    let morning: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
    Timestamp::from_second(morning.as_second() + second).unwrap()
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("a.db")).unwrap());
        let [red, green] = ["red", "green"].map(|name| store.create_student(name, name, at(0)).unwrap().id);
        store.replace_templates(red, &[embedding(0)], at(0)).unwrap();
        store.replace_templates(green, &[embedding(1)], at(0)).unwrap();
        let gallery = Arc::new(Gallery::new(ByColor::shared().embedder().clone()));
        let load = load_gallery(&gallery, store.as_ref(), None).unwrap();
        assert_eq!(load, GalleryLoad { people: 2, of_other_models: 0, legacy: 0 });
        let policy = AttendancePolicy::in_time_zone("UTC").unwrap();
        let marker = Arc::new(Marker::new(store.clone(), policy));
        Self { store, gallery, marker, red, green, _folder: folder }
    }

    fn recognizer(&self) -> Recognizer {
        Recognizer::new(ByColor::shared(), self.gallery.clone(), &off())
            .with_marker(self.marker.clone(), Some("Gate".into()))
    }

    fn attendance(&self) -> Vec<StudentId> {
        let rows = self.store.attendance(&AttendanceFilter::default(), Page::ALL).unwrap().items;
        rows.iter().rev().map(|row| row.student).collect()
    }
}

/// A face before a wall: what changes round it is motion, where a picture that changes as a whole is another light.
fn show_before_a_wall(recognizer: &mut Recognizer, color: [u8; 3], now: Timestamp) -> RecognitionReport {
    let inside = |n: usize| (10..50).contains(&(n % 60)) && (10..50).contains(&(n / 60));
    let pixels = (0..60 * 60).flat_map(|n| if inside(n) { color } else { BLACK }).collect::<Vec<u8>>();
    recognizer.process(&Frame::new(pixels, 60, 60, ChannelOrder::Rgb).unwrap(), now).unwrap()
}

fn show(recognizer: &mut Recognizer, color: [u8; 3], now: Timestamp) -> RecognitionReport {
    let frame = Frame::new(color.repeat(60 * 60), 60, 60, ChannelOrder::Rgb).unwrap();
    recognizer.process(&frame, now).unwrap()
}

#[test]
fn a_face_that_no_session_proved_goes_on_the_second_look_list_where_the_policy_says_so() {
    let site = Site::new();
    let gate = GateOptions::of(GatePolicy::Off).with_unproven(UnprovenFaces::SecondLook);
    let options = RecognitionOptions::default().with_gate(gate);
    let mut recognizer = Recognizer::new(ByColor::shared(), site.gallery.clone(), &options)
        .with_marker(site.marker.clone(), Some("Gate".into()));
    let reports: Vec<_> = (0..6).map(|second| show(&mut recognizer, RED, at(second))).collect();
    assert!(reports.iter().all(|report| report.marks.is_empty()) && site.attendance().is_empty());
    let added: Vec<_> = reports.iter().flat_map(|report| &report.added_second_looks).collect();
    assert_eq!((added.len(), added[0].student(), added[0].reasons[0].as_str()), (1, site.red, "unproven_face"));
}

#[test]
fn views_that_agree_mark_a_student_once() {
    let site = Site::new();
    let mut recognizer = site.recognizer();
    let first = show(&mut recognizer, RED, at(0));
    assert_eq!((first.faces[0].decision, first.marks.len()), (Decision::Waiting, 0), "one view decides nothing");
    let second = show(&mut recognizer, RED, at(0));
    assert_eq!(second.faces[0].track, first.faces[0].track);
    assert_eq!(second.faces[0].student(), Some(site.red));
    assert!(second.faces[0].similarity().unwrap().value() > 0.99);
    assert!(matches!(&second.marks[..], [Marking::Marked(row)] if row.camera_location.as_deref() == Some("Gate")));
    for second in 1..30 {
        let report = show(&mut recognizer, RED, at(second));
        assert!(matches!(&report.marks[..], [Marking::AlreadyMarked(row)] if row.student == site.red));
    }
    assert_eq!(site.attendance(), [site.red]);
}

#[test]
fn a_long_name_of_a_place_costs_no_mark() {
    let site = Site::new();
    let long = "x".repeat(40_000);
    let recognizer = Recognizer::new(ByColor::shared(), site.gallery.clone(), &off());
    let mut recognizer = recognizer.with_marker(site.marker.clone(), Some(long.clone()));
    show(&mut recognizer, RED, at(0));
    let report = show(&mut recognizer, RED, at(0));
    let [Marking::Marked(row)] = &report.marks[..] else { panic!("{:?}", report.marks) };
    assert_eq!(row.camera_location.as_deref(), Some(&long[..limits::CAMERA_LOCATION]));
    assert!(site.marker.mark(site.green, Similarity::new(0.9), Some(&long), at(0)).is_err(), "a caller is told");
}

#[test]
fn a_stranger_is_marked_never() {
    let site = Site::new();
    let mut recognizer = site.recognizer();
    for second in 0..20 {
        let report = show(&mut recognizer, BLUE, at(second));
        assert_eq!((report.faces[0].student(), report.marks.len()), (None, 0));
    }
    let nobody = show(&mut recognizer, BLACK, at(20));
    assert_eq!((nobody.faces.len(), nobody.marks.len()), (0, 0));
    assert!(site.attendance().is_empty());
}

#[test]
fn a_stranger_is_listed_where_that_is_asked_for_and_who_is_known_is_not() {
    let site = Site::new();
    let options = UnknownOptions::kept_for(SignedDuration::from_hours(1));
    let unknown = Arc::new(UnknownFaces::new(site.gallery.embedder().clone(), options));
    let mut recognizer = site.recognizer().with_unknown_faces(unknown.clone());
    let listed = |now| unknown.list(None, now).unwrap();
    for second in 0..2 {
        show(&mut recognizer, BLUE, at(second));
        assert!(listed(at(second)).is_empty(), "few views list nobody");
    }
    for second in 2..20 {
        show(&mut recognizer, BLUE, at(second));
    }
    let [stranger] = &listed(at(20))[..] else { panic!("{unknown:?}") };
    assert_eq!((stranger.visits, stranger.place.as_deref(), stranger.last_seen), (1, Some("Gate"), at(19)));
    // Out of view, and back.
    for second in 20..40 {
        show(&mut recognizer, BLACK, at(second));
    }
    for second in 40..50 {
        show(&mut recognizer, BLUE, at(second));
    }
    assert_eq!(listed(at(50))[0].visits, 2);
    for second in 50..60 {
        show(&mut recognizer, BLACK, at(second));
    }
    for second in 60..80 {
        show(&mut recognizer, RED, at(second));
        show(&mut recognizer, PALE, at(second));
    }
    assert_eq!(listed(at(80)).len(), 1, "neither who is known nor who is badly seen");

    // Enrolled from the list, the stranger is named from then on.
    let (_, face) = unknown.face(stranger.id, at(80)).unwrap();
    site.gallery.insert(StudentId(77), &[face]).unwrap();
    assert!(unknown.list(Some(&site.gallery), at(80)).unwrap().is_empty());
    for second in 80..100 {
        show(&mut recognizer, BLACK, at(second));
    }
    let named = (100..110).filter_map(|second| show(&mut recognizer, BLUE, at(second)).faces.first()?.student());
    assert_eq!(named.last(), Some(StudentId(77)));
}

#[test]
fn a_poor_view_does_not_vote() {
    let site = Site::new();
    let mut recognizer = site.recognizer();
    for second in 0..20 {
        assert_eq!(show(&mut recognizer, PALE, at(second)).faces[0].decision, Decision::Waiting);
    }
    show(&mut recognizer, GREEN, at(20));
    assert_eq!(show(&mut recognizer, GREEN, at(20)).faces[0].student(), Some(site.green));
}

#[test]
fn a_student_deleted_meanwhile_is_no_error() {
    let site = Site::new();
    let mut recognizer = site.recognizer();
    site.store.erase_student(site.red, MarksOfErased::Delete, at(1)).unwrap();
    show(&mut recognizer, RED, at(0));
    let report = show(&mut recognizer, RED, at(0));
    assert_eq!((report.faces[0].student(), report.marks.len()), (Some(site.red), 0));
}

#[test]
fn an_erased_student_is_known_no_more_and_nobody_else_is_marked() {
    let site = Site::new();
    let mut recognizer = site.recognizer();
    show(&mut recognizer, RED, at(0));
    let before = show(&mut recognizer, RED, at(0));
    assert_eq!(before.faces[0].student(), Some(site.red));
    for marks in [MarksOfErased::Anonymise, MarksOfErased::Delete] {
        site.store.erase_student(site.red, marks, at(1)).unwrap();
        refresh_gallery(&site.gallery, site.store.as_ref(), site.red, None).unwrap();
        site.marker.forget();
        let next = site.store.create_student("Next", &format!("{marks:?}"), at(1)).unwrap().id;
        assert!(next != site.red && next != site.green);
        for second in 1..4 {
            let report = show(&mut recognizer, RED, at(second));
            assert_eq!((report.faces[0].student(), report.marks.len()), (None, 0), "second {second}");
            assert_eq!(report.faces[0].track, before.faces[0].track, "the face is followed on");
        }
    }
}

#[test]
fn the_next_person_at_a_slow_camera_never_has_the_name_of_the_one_before() {
    let site = Site::new();
    for gap in [250, 400, 500, 900] {
        let mut recognizer = site.recognizer();
        let at = |n: i64| at(0) + SignedDuration::from_millis(n * gap);
        for n in 0..4 {
            show_before_a_wall(&mut recognizer, RED, at(n));
        }
        assert_eq!(show_before_a_wall(&mut recognizer, RED, at(4)).faces[0].student(), Some(site.red), "{gap} ms");
        for n in 5..10 {
            let report = show_before_a_wall(&mut recognizer, GREEN, at(n + 1));
            assert_ne!(report.faces[0].student(), Some(site.red), "{gap} ms, picture {n}");
        }
        assert_eq!(show_before_a_wall(&mut recognizer, GREEN, at(11)).faces[0].student(), Some(site.green), "{gap} ms");
    }
}

#[test]
fn without_a_marker_faces_are_told_and_nothing_is_marked() {
    let site = Site::new();
    let mut recognizer = Recognizer::new(ByColor::shared(), site.gallery.clone(), &off());
    show(&mut recognizer, RED, at(0));
    assert_eq!(show(&mut recognizer, RED, at(0)).faces[0].student(), Some(site.red));
    assert!(site.attendance().is_empty());
}

#[test]
fn only_templates_of_the_gallerys_model_are_taken() {
    let site = Site::new();
    let foreign = Embedding::from_raw(ModelId::new("other"), &[1.0, 0.0, 0.0]).unwrap();
    site.store.replace_templates(site.red, &[foreign.clone(), foreign], at(0)).unwrap();
    let path = site._folder.path().join("a.db");
    rusqlite::Connection::open(path)
        .unwrap()
        .execute("UPDATE students SET embedding_vector = '[0.05, 1.0, 0.05]' WHERE id = ?1", [site.green.0])
        .unwrap();
    let load = |legacy| load_gallery(&site.gallery, site.store.as_ref(), legacy).unwrap();
    assert_eq!(load(None), GalleryLoad { people: 0, of_other_models: 2, legacy: 1 });
    assert_eq!(load(Some(&ModelId::new("m"))), GalleryLoad { people: 1, of_other_models: 2, legacy: 0 });
    assert!(site.gallery.contains(site.green));
}

#[test]
fn a_load_says_how_far_it_is_and_ends_when_it_is_told_to() {
    let site = Site::new();
    let many = "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 9099)";
    let database = rusqlite::Connection::open(site._folder.path().join("a.db")).unwrap();
    let students = format!("{many} INSERT INTO students (id, name, roll_number) SELECT i, 'Many', 'M' || i FROM n");
    database.execute(&students, []).unwrap();
    let templates = "INSERT INTO student_templates (student_id, model_id, embedding, created_at)
        SELECT i, 'm', ?1, '2026-03-02 08:00:00' FROM n";
    database.execute(&format!("{many} {templates}"), [embedding(0).to_bytes()]).unwrap();
    let mut told = Vec::new();
    let load = load_gallery_telling(&site.gallery, site.store.as_ref(), None, &mut |loaded, of| {
        told.push((loaded, of));
        Ok(())
    });
    assert_eq!(load.unwrap().people, 9002);
    assert_eq!((told[0], told.last().copied()), ((0, 9002), Some((9002, 9002))));
    assert!(told.len() > 3 && told.is_sorted() && told.iter().all(|(loaded, of)| loaded <= of), "{told:?}");
    let load = load_gallery_telling(&site.gallery, site.store.as_ref(), None, &mut |loaded, _| match loaded {
        0 => Ok(()),
        _ => Err(Error::NotFound { what: "reason to go on" }),
    });
    assert_eq!(load.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(site.gallery.people(), 9002, "it is as it was");
}

#[test]
fn a_recording_becomes_attendance() {
    let site = Site::new();
    let folder = tempfile::tempdir().unwrap();
    for (n, color) in [BLACK, RED, RED, RED, BLACK, BLUE, BLUE, BLACK, GREEN, GREEN].into_iter().enumerate() {
        // Where the face is, before a wall.
        let place = 10..50;
        let picture = image::RgbImage::from_fn(60, 60, |x, y| {
            image::Rgb(if place.contains(&x) && place.contains(&y) { color } else { BLACK })
        });
        picture.save(folder.path().join(format!("{n:02}.png"))).unwrap();
    }
    let mut recognizer = site.recognizer();
    let options = OpenOptions::default().with_folder_interval(Duration::from_secs(1)).with_recording_starts_at(at(0));
    let source = CameraSource::parse(folder.path().to_str().unwrap()).unwrap();
    let worker = CameraWorker::start(
        &source,
        WorkerOptions::default().with_open(options).with_pace(Pace::AsAnalyzed),
        move |frame| {
            recognizer.process(&frame, frame.captured_at().unwrap()).unwrap();
        },
    )
    .unwrap();
    assert_eq!(worker.wait(Duration::from_secs(20)), CameraState::Stopped);
    assert_eq!(worker.health().analyzed, 10);
    assert_eq!(site.attendance(), [site.red, site.green]);
}

#[test]
fn one_student_is_read_again_without_the_others() {
    let site = Site::new();
    let refresh = |student| refresh_gallery(&site.gallery, site.store.as_ref(), student, None).unwrap();
    let whose = |person| {
        let found = site.gallery.identify(&embedding(person), Threshold::DOCUMENTED).unwrap();
        found.best().filter(|best| Threshold::DOCUMENTED.admits(best.similarity)).map(|best| best.student)
    };
    site.store.replace_templates(site.red, &[embedding(2)], at(1)).unwrap();
    assert_eq!((whose(0), whose(2)), (Some(site.red), None));
    assert_eq!(refresh(site.red).people, 1);
    assert_eq!((whose(0), whose(1), whose(2)), (None, Some(site.green), Some(site.red)));
    let of_another_model = Embedding::from_raw(ModelId::new("other"), &[1.0, 0.0, 0.0]).unwrap();
    site.store.replace_templates(site.red, &[of_another_model], at(2)).unwrap();
    assert_eq!(refresh(site.red), GalleryLoad { people: 0, of_other_models: 1, legacy: 0 });
    site.store.erase_student(site.green, MarksOfErased::Delete, at(1)).unwrap();
    refresh(site.green);
    assert_eq!(site.gallery.people(), 0);
}
