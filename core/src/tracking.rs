//! The same face across the frames of a camera, and whose it is by the votes of several views.
//!
//! A single view is not enough to mark anybody: with one picture a person, strangers pass now and then. Only views that
//! agree decide, and a face that nobody is found for stays unknown.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::gallery::{Identification, Match};
use crate::geometry::Rect;
use crate::types::{Similarity, StudentId};

/// One face's way through the frames. Ids rise and are not used again by the same tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub u64);

/// How faces are followed and when their votes decide. The defaults without another source are choices for cameras of
/// about five analysed frames a second, not measurements.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct TrackingOptions {
    /// From which overlap (IoU) a box continues a track. Default .3, the customary gate of IoU trackers (SORT).
    pub min_iou: f32,
    /// Boxes that overlap less still continue a track when their centres are nearer than so many box widths and their
    /// sizes within a factor of two. Default .75: a walking head moves about that far in a fifth of a second.
    pub max_step: f32,
    /// After how long unseen a track ends. Default one second: a face turned away or hidden for a moment.
    pub max_gap: SignedDuration,
    /// How many good views have to agree. Default 2, so that one lucky frame marks nobody.
    pub agreeing: usize,
    /// Among how many of the last good views they have to be. Default 10.
    pub window: usize,
    /// By how much the best person must be more similar than the second, on the similarity scale, for a view to vote.
    /// Default .02.
    pub min_margin: f32,
}

impl Default for TrackingOptions {
    fn default() -> Self {
        Self {
            min_iou: 0.3,
            max_step: 0.75,
            max_gap: SignedDuration::from_secs(1),
            agreeing: 2,
            window: 10,
            min_margin: 0.02,
        }
    }
}

impl TrackingOptions {
    /// The same options with other gates for continuing a track: overlap, step in box widths, and time unseen.
    #[must_use]
    pub fn with_gates(mut self, min_iou: f32, max_step: f32, max_gap: SignedDuration) -> Self {
        (self.min_iou, self.max_step, self.max_gap) = (min_iou, max_step, max_gap);
        self
    }

    /// The same options, deciding by `agreeing` of the last `window` good views.
    #[must_use]
    pub fn with_votes(mut self, agreeing: usize, window: usize) -> Self {
        (self.agreeing, self.window) = (agreeing, window);
        self
    }

    /// The same options with another margin to the second-best person.
    #[must_use]
    pub fn with_min_margin(mut self, margin: f32) -> Self {
        self.min_margin = margin;
        self
    }
}

/// Whose face a track is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// Too few good views yet.
    Waiting,
    /// Good views enough, and nobody whom they agree on.
    Unknown,
    /// Views enough agree. It stays so until as many agree on somebody else.
    Known {
        /// On whom.
        student: StudentId,
        /// The best of the agreeing views.
        similarity: Similarity,
    },
}

/// One face as the tracker knows it.
#[derive(Debug, Clone)]
pub struct Track {
    id: TrackId,
    bbox: Rect,
    first_seen: Timestamp,
    last_seen: Timestamp,
    /// The last good views: whom each names, if anybody.
    votes: VecDeque<Option<Match>>,
    known: Option<Match>,
}

impl Track {
    /// The track's id.
    #[must_use]
    pub fn id(&self) -> TrackId {
        self.id
    }

    /// Where the face was last.
    #[must_use]
    pub fn bbox(&self) -> Rect {
        self.bbox
    }

    /// When the face came into the picture.
    #[must_use]
    pub fn first_seen(&self) -> Timestamp {
        self.first_seen
    }

    /// When the face was last in the picture.
    #[must_use]
    pub fn last_seen(&self) -> Timestamp {
        self.last_seen
    }

    fn decision(&self, options: &TrackingOptions) -> Decision {
        match self.known {
            Some(Match { student, similarity, .. }) => Decision::Known { student, similarity },
            None if self.votes.len() < options.agreeing => Decision::Waiting,
            None => Decision::Unknown,
        }
    }

    /// Takes a view in. It decides when enough views agree, and more than twice as many as name anybody else.
    fn vote(&mut self, view: Option<Match>, options: &TrackingOptions) {
        self.votes.push_back(view);
        while self.votes.len() > options.window.max(1) {
            self.votes.pop_front();
        }
        let Some(view) = view else { return };
        let named = self.votes.iter().flatten();
        let (agreeing, others): (Vec<_>, Vec<_>) = named.partition(|vote| vote.student == view.student);
        if agreeing.len() >= options.agreeing && agreeing.len() > 2 * others.len() {
            self.known = agreeing.into_iter().copied().max_by(|a, b| a.cosine.0.total_cmp(&b.cosine.0));
        }
    }
}

/// The faces that one camera has in view.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    options: TrackingOptions,
    tracks: Vec<Track>,
    next_id: u64,
}

impl Tracker {
    /// A tracker with no face in view.
    #[must_use]
    pub fn new(options: TrackingOptions) -> Self {
        Self { options, tracks: Vec::new(), next_id: 0 }
    }

    /// Takes the boxes of a frame in; returns the track of each, in their order. Tracks unseen for too long have ended.
    pub fn update(&mut self, boxes: &[Rect], now: Timestamp) -> Vec<TrackId> {
        let max_gap = self.options.max_gap;
        self.tracks.retain(|track| now.duration_since(track.last_seen) <= max_gap);

        let mut pairs = Vec::new();
        for (t, track) in self.tracks.iter().enumerate() {
            for (b, bbox) in boxes.iter().enumerate() {
                if let Some(affinity) = affinity(&track.bbox, bbox, &self.options) {
                    pairs.push((affinity, t, b));
                }
            }
        }
        // The surest pair first; each track and each box once.
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut ids: Vec<Option<TrackId>> = vec![None; boxes.len()];
        let mut taken = vec![false; self.tracks.len()];
        for (_, t, b) in pairs {
            if !taken[t] && ids[b].is_none() {
                taken[t] = true;
                let track = &mut self.tracks[t];
                (track.bbox, track.last_seen) = (boxes[b], now);
                ids[b] = Some(track.id);
            }
        }
        ids.into_iter().zip(boxes).map(|(id, bbox)| id.unwrap_or_else(|| self.begin(*bbox, now))).collect()
    }

    /// Takes in whom a good view of a track shows, and returns what is now decided. Views of poor quality should not vote.
    /// A track that has ended is [`Decision::Waiting`].
    pub fn vote(&mut self, id: TrackId, view: &Identification) -> Decision {
        let options = self.options;
        let Some(track) = self.tracks.iter_mut().find(|track| track.id == id) else { return Decision::Waiting };
        let named = match view {
            Identification::Known { best, margin } if *margin >= options.min_margin => Some(*best),
            Identification::Known { .. } | Identification::Unknown { .. } => None,
        };
        track.vote(named, &options);
        track.decision(&options)
    }

    /// What is decided about a track; [`Decision::Waiting`] when it has ended.
    #[must_use]
    pub fn decision(&self, id: TrackId) -> Decision {
        self.tracks.iter().find(|track| track.id == id).map_or(Decision::Waiting, |track| track.decision(&self.options))
    }

    /// The faces followed, those out of sight for a moment included.
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn begin(&mut self, bbox: Rect, now: Timestamp) -> TrackId {
        let id = TrackId(self.next_id);
        self.next_id += 1;
        self.tracks.push(Track { id, bbox, first_seen: now, last_seen: now, votes: VecDeque::new(), known: None });
        id
    }
}

/// How well `bbox` continues a track last seen at `last`, or `None` when it cannot.
fn affinity(last: &Rect, bbox: &Rect, options: &TrackingOptions) -> Option<f32> {
    let iou = last.iou(bbox);
    let size = (last.width() + bbox.width()) / 2.0;
    let reach = size * options.max_step;
    let step = last.centre().distance(bbox.centre());
    let ratio = last.area() / bbox.area();
    // A factor of two in width is one of four in area. Comparisons with what is no number are false.
    let near = step < reach && (0.25..=4.0).contains(&ratio);
    (iou >= options.min_iou || near).then(|| iou + 1.0 - (step / reach).min(1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::Cosine;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds)
    }

    fn face(x: f32) -> Rect {
        Rect::new(x, 100.0, x + 80.0, 200.0)
    }

    fn known(student: i64, margin: f32) -> Identification {
        let similarity = Similarity::new(0.8);
        Identification::Known { best: Match { student: StudentId(student), similarity, cosine: Cosine(0.6) }, margin }
    }

    const UNKNOWN: Identification = Identification::Unknown { best: None };

    fn student(decision: Decision) -> Option<i64> {
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
        let tiny = Rect::from_centre(face(0.0).centre(), 20.0, 25.0);
        assert_ne!(tracker.update(&[tiny], at(200))[0], id);
    }

    #[test]
    fn one_lucky_view_decides_nothing_and_two_that_agree_do() {
        let mut tracker = Tracker::default();
        let id = tracker.update(&[face(0.0)], at(0))[0];
        assert_eq!(tracker.vote(id, &known(1, 0.1)), Decision::Waiting);
        assert_eq!(tracker.vote(id, &UNKNOWN), Decision::Unknown);
        assert_eq!(student(tracker.vote(id, &known(1, 0.1))), Some(1));
        assert_eq!(student(tracker.vote(id, &UNKNOWN)), Some(1), "a poor view does not take it back");
    }

    #[test]
    fn a_view_without_margin_does_not_vote() {
        let mut tracker = Tracker::default();
        let id = tracker.update(&[face(0.0)], at(0))[0];
        for _ in 0..5 {
            assert_eq!(student(tracker.vote(id, &known(1, 0.01))), None);
        }
    }

    #[test]
    fn views_that_contradict_each_other_stay_unknown() {
        let mut tracker = Tracker::default();
        let id = tracker.update(&[face(0.0)], at(0))[0];
        for turn in 0..6 {
            assert_eq!(student(tracker.vote(id, &known(turn % 2, 0.1))), None, "view {turn}");
        }
    }

    #[test]
    fn lucky_views_far_apart_do_not_add_up() {
        let mut tracker = Tracker::default();
        let id = tracker.update(&[face(0.0)], at(0))[0];
        for _ in 0..5 {
            assert_eq!(student(tracker.vote(id, &known(1, 0.1))), None);
            for _ in 0..10 {
                assert_eq!(student(tracker.vote(id, &UNKNOWN)), None);
            }
        }
    }

    #[test]
    fn a_track_that_ended_is_not_decided() {
        let mut tracker = Tracker::default();
        let id = tracker.update(&[face(0.0)], at(0))[0];
        tracker.vote(id, &known(1, 0.1));
        tracker.vote(id, &known(1, 0.1));
        assert_eq!(student(tracker.decision(id)), Some(1));
        tracker.update(&[], at(5000));
        assert_eq!(tracker.decision(id), Decision::Waiting);
        assert_eq!(tracker.vote(id, &known(1, 0.1)), Decision::Waiting);
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
}
