//! Sources whose pictures are far apart: who stays is named, and nobody gets the name or the life of somebody else.

use super::tests::{DIMENSION, at, face, like, of, student};
use super::*;
use crate::tracking::tests::gallery;

/// A tracker before persons 0, 1 and 2, whose pictures come `apart` milliseconds after each other.
struct Slow {
    tracker: Tracker,
    gallery: Gallery,
    apart: i64,
    pictures: i64,
}

impl Slow {
    fn new(apart: i64) -> Self {
        let gallery = gallery(&[(0, of(0)), (1, of(1)), (2, of(2))]);
        Self { tracker: Tracker::default(), gallery, apart, pictures: 0 }
    }

    /// Shows a picture with a face at `x`, or without any; returns the track, and whom it is known as.
    fn picture(&mut self, shown: Option<(f32, &Embedding)>) -> Option<(TrackId, Option<i64>)> {
        let now = at(self.pictures * self.apart);
        self.pictures += 1;
        let boxes: Vec<_> = shown.iter().map(|(x, _)| face(*x)).collect();
        let ids = self.tracker.update(&boxes, now);
        let (_, view) = shown?;
        let decision = self.tracker.see(ids[0], view, 1.0, &self.gallery, Threshold::DOCUMENTED, now).unwrap();
        Some((ids[0], student(decision)))
    }

    fn names(&mut self, views: &[&Embedding]) -> Vec<Option<i64>> {
        views.iter().map(|view| self.picture(Some((0.0, view))).unwrap().1).collect()
    }
}

#[test]
fn who_stays_before_a_slow_source_is_named() {
    for apart in [400, 800, 1000, 1300, 1500, 2000, 3000, 5000] {
        let names = Slow::new(apart).names(&[&of(1); 5]);
        assert_eq!(names[3..], [Some(1), Some(1)], "{apart} ms: {names:?}");
    }
    // Further apart than people stay: nobody is taken for the one of the picture before.
    assert_eq!(Slow::new(11_000).names(&[&of(1); 5]), [None; 5]);
}

#[test]
fn a_picture_without_the_face_does_not_end_the_track_of_a_slow_source() {
    let mut slow = Slow::new(2000);
    slow.names(&[&of(1); 4]);
    let before = slow.picture(Some((0.0, &of(1)))).unwrap();
    slow.picture(None);
    assert_eq!(slow.picture(Some((0.0, &of(1)))), Some(before));
    slow.picture(None);
    slow.picture(None);
    assert_ne!(slow.picture(Some((0.0, &of(1)))).unwrap().0, before.0, "somebody who was away for three of them");
}

#[test]
fn whose_head_moves_from_picture_to_picture_keeps_the_track() {
    let mut slow = Slow::new(2000);
    let steps = [0.0, 70.0, 0.0, 70.0, 0.0, 70.0];
    let ids: Vec<_> = steps.iter().map(|x| slow.picture(Some((*x, &of(1)))).unwrap().0).collect();
    assert!(ids[2..].iter().all(|id| *id == ids[2]), "{ids:?}");
}

#[test]
fn who_comes_between_two_pictures_is_nobody_at_first_and_then_themselves() {
    let mut slow = Slow::new(2000);
    assert_eq!(slow.names(&[&of(1), &of(1), &of(1), &of(1)])[3], Some(1));
    // A quick source needs three such views to believe it.
    assert_eq!(slow.names(&[&of(2), &of(2)]), [None, Some(2)]);
    let stranger = of(DIMENSION - 1);
    assert_eq!(slow.names(&[&stranger, &stranger, &stranger]), [None, None, None]);
    assert_eq!(slow.names(&[&of(1), &of(1)]), [None, Some(1)]);
}

#[test]
fn who_only_resembles_the_one_before_is_somebody_new_to_a_slow_source() {
    // Similarity 0.67: a quick source takes it for a turned view of the same face.
    let alike = like(1, 0.34);
    let mut slow = Slow::new(2000);
    slow.names(&[&of(1); 4]);
    assert_eq!(slow.names(&[&alike, &alike, &alike]), [None, None, None]);
    let mut quick = Slow::new(200);
    quick.names(&[&of(1); 4]);
    assert_eq!(quick.names(&[&alike]), [Some(1)]);
}

#[test]
fn the_time_unseen_follows_the_rhythm_between_its_bounds() {
    let gap = |apart: i64, options: TrackingOptions| {
        let mut tracker = Tracker::new(options);
        (0..6).for_each(|n| drop(tracker.update(&[], at(n * apart))));
        tracker.gap().as_millis()
    };
    let usual = TrackingOptions::default();
    let found: Vec<_> = [0, 100, 200, 500, 600, 1000, 3000, 6000].map(|apart| gap(apart, usual)).into();
    assert_eq!(found, [1000, 1000, 1000, 1000, 1500, 2500, 7500, 10_000]);
    assert_eq!(gap(3000, usual.with_longest_gap(SignedDuration::from_secs(1))), 1000, "a gap that follows nothing");
}

#[test]
fn a_quick_source_that_stalls_now_and_then_stays_a_quick_one() {
    let mut tracker = Tracker::default();
    let mut now = 0;
    let mut picture = |after: i64| {
        now += after;
        (tracker.update(&[face(0.0)], at(now))[0], tracker.gap().as_millis())
    };
    for after in [200, 200, 200, 200, 200] {
        picture(after);
    }
    let (before, _) = picture(200);
    let (after, gap) = picture(1500);
    assert!(before != after && gap == 1000, "a face that was out of sight for longer is another");
    assert_eq!(picture(1500).1, 1000);
    assert_eq!(picture(200).1, 1000);
}
