//! Following, and whose a face is, with people who are as alike as a test says.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::embedding::Calibration;
use crate::engine::Embedder;
use crate::types::{ModelId, StudentId};

pub(super) fn at(milliseconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds)
}

pub(super) fn face(x: f32) -> Rect {
    Rect::new(x, 100.0, x + 80.0, 200.0)
}

/// How many values an embedding has here. Person `n` looks like axis `n`.
pub(super) const DIMENSION: usize = 16;
/// Of somebody who is not enrolled.
const STRANGER: usize = 9;

fn embedding(parts: &[(usize, f32)]) -> Embedding {
    let mut values = [0.0; DIMENSION];
    for (axis, value) in parts {
        values[*axis] = *value;
    }
    Embedding::from_raw(ModelId::new("m"), &values).unwrap()
}

pub(super) fn of(person: usize) -> Embedding {
    embedding(&[(person, 1.0)])
}

/// Who looks so much like person `to` and otherwise like nobody.
pub(super) fn like(to: usize, cosine: f32) -> Embedding {
    embedding(&[(to, cosine), (STRANGER, (1.0 - cosine * cosine).sqrt())])
}

pub(super) fn gallery(people: &[(i64, Embedding)]) -> Gallery {
    let gallery =
        Gallery::new(Embedder { model: ModelId::new("m"), dimension: DIMENSION, calibration: Calibration::arcface() });
    for (student, template) in people {
        gallery.insert(StudentId(*student), std::slice::from_ref(template)).unwrap();
    }
    gallery
}

/// Persons 0, 1 and 2 are enrolled under their numbers.
fn three() -> Gallery {
    gallery(&[(0, of(0)), (1, of(1)), (2, of(2))])
}

/// A tracker with one face in view, before the gallery of three.
pub(super) struct Site {
    pub(super) tracker: Tracker,
    pub(super) gallery: Gallery,
    pub(super) id: TrackId,
}

impl Site {
    pub(super) fn new(options: TrackingOptions) -> Self {
        let mut tracker = Tracker::new(options);
        let id = tracker.update(&[face(0.0)], at(0))[0];
        Self { tracker, gallery: three(), id }
    }

    pub(super) fn with(gallery: Gallery) -> Self {
        Self { gallery, ..Self::default() }
    }

    pub(super) fn see(&mut self, view: &Embedding) -> Decision {
        self.weigh(view, 1.0)
    }

    pub(super) fn weigh(&mut self, view: &Embedding, weight: f32) -> Decision {
        self.see_at(view, weight, 0)
    }

    pub(super) fn see_at(&mut self, view: &Embedding, weight: f32, ms: i64) -> Decision {
        self.tracker.see(self.id, view, weight, &self.gallery, Threshold::DOCUMENTED, at(ms)).unwrap()
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new(TrackingOptions::default())
    }
}

pub(super) fn student(decision: Decision) -> Option<i64> {
    match decision {
        Decision::Known { student, .. } => Some(student.0),
        Decision::Waiting | Decision::Unknown => None,
    }
}

#[test]
fn a_walking_face_keeps_its_track_and_a_far_one_gets_another() {
    let mut tracker = Tracker::default();
    let first = tracker.update(&[face(0.0)], at(0))[0];
    for step in 1..20_i16 {
        // 55 of 80 pixels a frame: hardly any overlap.
        let ids = tracker.update(&[face(f32::from(step) * 55.0)], at(i64::from(step) * 200));
        assert_eq!(ids, [first], "step {step}");
    }
    assert_ne!(tracker.update(&[face(0.0)], at(4000))[0], first);
}

#[test]
fn two_faces_that_pass_each_other_in_any_order_of_boxes_keep_their_tracks() {
    let mut tracker = Tracker::default();
    let ids = tracker.update(&[face(0.0), face(300.0)], at(0));
    let swapped = tracker.update(&[face(290.0), face(10.0)], at(200));
    assert_eq!(swapped, [ids[1], ids[0]]);
}

#[test]
fn the_surest_pair_is_made_first() {
    let mut tracker = Tracker::default();
    let ids = tracker.update(&[face(0.0), face(50.0)], at(0));
    // Both tracks reach for the box at 48; the other one gets what is left.
    assert_eq!(tracker.update(&[face(48.0), face(10.0)], at(200)), [ids[1], ids[0]]);
}

#[test]
fn a_track_outlives_a_gap_but_not_a_long_one() {
    let mut tracker = Tracker::default();
    let id = tracker.update(&[face(0.0)], at(0))[0];
    tracker.update(&[], at(500));
    assert_eq!(tracker.update(&[face(0.0)], at(1000)), [id]);
    assert_ne!(tracker.update(&[face(0.0)], at(2001)), [id]);
    assert_eq!(tracker.tracks().len(), 1);
}

#[test]
fn a_face_of_quite_another_size_is_another_face() {
    let mut tracker = Tracker::default();
    let id = tracker.update(&[face(0.0)], at(0))[0];
    let tiny = Rect::from_center(face(0.0).center(), 20.0, 25.0);
    assert_ne!(tracker.update(&[tiny], at(200))[0], id);
}

#[test]
fn one_lucky_view_decides_nothing_and_two_that_agree_do() {
    let mut site = Site::default();
    assert_eq!(site.see(&of(1)), Decision::Waiting);
    assert_eq!(site.see(&of(STRANGER)), Decision::Unknown);
    assert_eq!(student(site.see(&of(1))), Some(1));
    assert_eq!(student(site.see(&of(STRANGER))), Some(1), "a poor view does not take it back");
}

#[test]
fn poor_views_have_to_be_more() {
    let mut site = Site::default();
    for view in 0..3 {
        assert_eq!(student(site.weigh(&of(1), 0.3)), None, "view {view}");
    }
    assert_eq!(student(site.weigh(&of(1), 0.3)), Some(1));
}

#[test]
fn a_face_is_embedded_until_it_is_decided_and_then_seldom() {
    let mut site = Site::default();
    for n in 0..2 {
        assert!(site.tracker.wants_view(site.id, at(n)));
        site.see_at(&of(1), 1.0, n);
    }
    assert!(!site.tracker.wants_view(site.id, at(1000)));
    assert!(site.tracker.wants_view(site.id, at(5001)), "two people may have changed places");
    let near = face(0.0).scaled(1.3);
    site.tracker.update(&[near], at(800));
    assert!(site.tracker.wants_view(site.id, at(1000)), "a better view");
}

#[test]
fn a_stranger_is_looked_at_once_a_second_and_one_who_is_nearly_somebody_all_the_time() {
    // Similarity 0.66.
    for (view, expected) in [(of(STRANGER), false), (like(1, 0.32), true)] {
        let mut site = Site::default();
        for n in 0..3 {
            site.see_at(&view, 1.0, n);
        }
        assert_eq!(site.tracker.wants_view(site.id, at(500)), expected);
        assert!(site.tracker.wants_view(site.id, at(1500)));
    }
}

#[test]
fn somebody_who_walks_across_the_picture_keeps_the_track_from_the_first_step() {
    let mut tracker = Tracker::default();
    let id = tracker.update(&[face(0.0)], at(0))[0];
    for step in 1..8_i16 {
        // 1.75 widths a fifth of a second.
        assert_eq!(tracker.update(&[face(f32::from(step) * 140.0)], at(i64::from(step) * 200)), [id], "step {step}");
    }
}

#[test]
fn somebody_who_takes_a_track_over_is_not_shown_with_the_others_name() {
    let mut site = Site::default();
    site.see_at(&of(1), 1.0, 0);
    assert_eq!(student(site.see_at(&of(1), 1.0, 200)), Some(1));
    assert!(!site.tracker.wants_view(site.id, at(400)));
    // A step that hardly overlaps: it may be somebody else, and is looked at.
    site.tracker.update(&[face(70.0)], at(400));
    assert!(site.tracker.wants_view(site.id, at(400)));
    assert_eq!(student(site.tracker.decision(site.id)), None, "no name before a view shows the same face");
    assert_eq!(student(site.see_at(&of(STRANGER), 1.0, 400)), None);
    assert!(site.tracker.wants_view(site.id, at(600)), "and is looked at again at once");
    assert_eq!(student(site.see_at(&of(STRANGER), 1.0, 600)), None);
    assert_eq!(site.see_at(&of(STRANGER), 1.0, 800), Decision::Unknown);
    // The views of whom the track was before do not count for the one who came.
    assert_eq!(student(site.see_at(&of(1), 1.0, 1000)), None);
}

#[test]
fn a_face_out_of_sight_for_a_moment_has_no_name_before_it_is_seen_to_be_the_same() {
    for (returns, expected) in [(1, Some(1)), (2, None), (STRANGER, None)] {
        let mut site = Site::default();
        site.see_at(&of(1), 1.0, 0);
        assert_eq!(student(site.see_at(&of(1), 1.0, 200)), Some(1));
        // Five pictures a second leave nobody time to change places.
        for n in 1..3 {
            site.tracker.update(&[face(0.0)], at(n * 200));
            assert!(!site.tracker.wants_view(site.id, at(n * 200)));
            assert_eq!(student(site.tracker.decision(site.id)), Some(1));
        }
        assert_eq!(site.tracker.update(&[face(0.0)], at(800)), [site.id]);
        assert!(site.tracker.wants_view(site.id, at(800)));
        assert_eq!(student(site.tracker.decision(site.id)), None);
        site.tracker.poor_view(site.id, at(800));
        assert_eq!(student(site.tracker.decision(site.id)), None, "a blurred face proves nothing");
        assert_eq!(student(site.see_at(&of(returns), 1.0, 800)), expected, "person {returns}");
    }
}

#[test]
fn doubts_that_are_cleared_do_not_add_up() {
    let mut site = Site::default();
    for view in [1, 1, STRANGER, STRANGER, 1, STRANGER, STRANGER] {
        site.see(&of(view));
    }
    assert_eq!(student(site.tracker.decision(site.id)), Some(1));
    assert_eq!(site.see(&of(STRANGER)), Decision::Unknown);
}

#[test]
fn a_face_is_open_until_its_views_decide_or_show_a_stranger() {
    let mut tracker = Tracker::default();
    let gallery = three();
    let ids = tracker.update(&[face(0.0), face(300.0)], at(0));
    assert!(tracker.is_open(ids[0]) && tracker.is_open(ids[1]));
    for _ in 0..3 {
        tracker.see(ids[0], &of(1), 1.0, &gallery, Threshold::DOCUMENTED, at(0)).unwrap();
        tracker.see(ids[1], &of(STRANGER), 1.0, &gallery, Threshold::DOCUMENTED, at(0)).unwrap();
    }
    assert!(!tracker.is_open(ids[0]) && !tracker.is_open(ids[1]));
    let third = tracker.update(&[face(0.0), face(300.0), face(600.0)], at(200))[2];
    for n in 0..3 {
        tracker.poor_view(third, at(n));
    }
    assert!(!tracker.is_open(third), "poor views decide nothing");
}

#[test]
fn a_face_that_runs_is_expected_where_it_is_going() {
    let mut tracker = Tracker::default();
    let id = tracker.update(&[face(0.0)], at(0))[0];
    for step in 1..4_i16 {
        tracker.update(&[face(f32::from(step) * 50.0)], at(i64::from(step) * 200));
    }
    // Unseen for two pictures, it has gone on by 150 pixels: nearly two boxes.
    assert_eq!(tracker.update(&[face(250.0)], at(1000)), [id]);
}

#[test]
fn a_track_that_nobody_looked_for_is_where_it_was() {
    let mut tracker = Tracker::default();
    let id = tracker.update(&[face(0.0)], at(0))[0];
    for n in 1..20 {
        tracker.update_where(&[], at(n * 500), |_| false);
    }
    assert_eq!(tracker.update(&[face(0.0)], at(10_000)), [id]);
}

#[test]
fn whom_two_students_resemble_alike_is_not_named() {
    // Enrolled twice, or twins: 0.01 on the similarity scale between them.
    let mut site = Site::with(gallery(&[(1, of(1)), (2, like(1, 0.98))]));
    for _ in 0..5 {
        assert_eq!(student(site.see(&of(1))), None);
    }
}

#[test]
fn who_is_enrolled_twice_with_the_same_pictures_has_the_older_records_name() {
    for ids in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
        let people: Vec<_> = ids.iter().map(|id| (*id, of(1))).chain([(7, of(2))]).collect();
        let mut site = Site::with(gallery(&people));
        site.see(&of(1));
        assert_eq!(student(site.see(&of(1))), Some(1), "{ids:?}");
        let told = site.tracker.ambiguity(site.id).unwrap();
        assert_eq!((told.best.student, told.named), (StudentId(1), Some(StudentId(1))), "{told:?}");
        assert_eq!(told.second.student, StudentId(2));
    }
    // A camera's own view of the newer record makes it no better.
    let mut site = Site::with(gallery(&[(1, of(1)), (2, like(1, 0.995))]));
    for _ in 0..3 {
        site.see(&like(1, 0.995));
    }
    assert_eq!(student(site.tracker.decision(site.id)), Some(1));
}

#[test]
fn twins_and_look_alikes_stay_nobody_and_are_told() {
    for cosine in [0.9, 0.95, 0.98, 0.985] {
        let mut site = Site::with(gallery(&[(1, of(1)), (2, like(1, cosine))]));
        // As near to the one as to the other.
        let between = like(1, ((1.0 + cosine) / 2.0_f32).sqrt());
        for _ in 0..5 {
            assert_eq!(student(site.see(&between)), None, "{cosine}");
        }
        let told = site.tracker.ambiguity(site.id).unwrap();
        let mut pair = [told.best.student, told.second.student];
        pair.sort_unstable();
        assert_eq!((pair, told.named), ([StudentId(1), StudentId(2)], None), "{cosine}");
    }
    let mut site = Site::default();
    site.see(&of(1));
    site.see(&of(1));
    assert_eq!(site.tracker.ambiguity(site.id), None, "nobody is like him");
}

#[test]
fn the_same_pictures_under_more_names_than_are_looked_at_name_nobody() {
    let people: Vec<_> = (1..=9).map(|id| (id, of(1))).collect();
    let mut site = Site::with(gallery(&people));
    for _ in 0..3 {
        assert_eq!(student(site.see(&of(1))), None);
    }
}

#[test]
fn a_look_alike_of_a_person_enrolled_twice_still_stands_against_the_name() {
    let mut site = Site::with(gallery(&[(1, of(1)), (2, of(1)), (3, like(1, 0.98))]));
    for _ in 0..5 {
        assert_eq!(student(site.see(&of(1))), None);
    }
    let told = site.tracker.ambiguity(site.id).unwrap();
    assert_eq!((told.second.student, told.named), (StudentId(3), None));
}

#[test]
fn views_that_contradict_each_other_stay_unknown() {
    let mut site = Site::default();
    for turn in 0..6 {
        assert_eq!(student(site.see(&of(turn % 2))), None, "view {turn}");
    }
}

#[test]
fn lucky_views_far_apart_do_not_add_up() {
    let mut site = Site::default();
    for _ in 0..5 {
        assert_eq!(student(site.see(&of(1))), None);
        for _ in 0..10 {
            assert_eq!(student(site.see(&of(STRANGER))), None);
        }
    }
}

#[test]
fn a_track_that_ended_is_not_decided() {
    let mut site = Site::default();
    site.see(&of(1));
    site.see(&of(1));
    assert_eq!(student(site.tracker.decision(site.id)), Some(1));
    site.tracker.update(&[], at(5000));
    assert_eq!(site.tracker.decision(site.id), Decision::Waiting);
    assert_eq!(site.see_at(&of(1), 1.0, 5000), Decision::Waiting);
}

proptest! {
    #[test]
    fn every_box_gets_a_track_of_its_own(
        frames in prop::collection::vec(
            prop::collection::vec((-50f32..700.0, -50f32..500.0, 0f32..200.0, 0f32..200.0), 0..8), 1..10),
    ) {
        let mut tracker = Tracker::default();
        for (frame, boxes) in frames.iter().enumerate() {
            let boxes: Vec<_> = boxes.iter().map(|(x, y, w, h)| Rect::new(*x, *y, x + w, y + h)).collect();
            let ids = tracker.update(&boxes, at(frame as i64 * 200));
            let distinct: std::collections::HashSet<_> = ids.iter().collect();
            prop_assert_eq!(distinct.len(), boxes.len());
            for (id, bbox) in ids.iter().zip(&boxes) {
                let track = tracker.tracks().iter().find(|track| track.id() == *id);
                prop_assert_eq!(track.map(Track::bbox), Some(*bbox));
            }
        }
    }
}
