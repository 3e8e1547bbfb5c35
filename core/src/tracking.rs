//! The same face across the frames of a camera, and whose it is by the votes of several views.
//!
//! A single view is not enough to mark anybody: with one picture a person, strangers pass now and then. Only views that
//! agree decide, and a face that nobody is found for stays unknown.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::gallery::{Identification, Match};
use crate::geometry::{Point, Rect};
use crate::types::{Similarity, StudentId, Threshold};

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
    /// sizes within a factor of two, measured from where the face was going. Default .75.
    pub max_step: f32,
    /// The same for a face that was seen once, so that nobody knows where it is going. Default 2: somebody who walks
    /// across the picture at 1.4 m/s goes 28 cm in a fifth of a second, 1.75 widths of a face. With .75, of 18 people who
    /// did, 5 were lost before their second view.
    pub max_first_step: f32,
    /// After how long unseen a track ends. Default one second: a face turned away or hidden for a moment.
    pub max_gap: SignedDuration,
    /// How many good views have to agree. Default 2, so that one lucky frame marks nobody. Each more costs a view, a fifth
    /// of a second at five pictures a second.
    pub agreeing: usize,
    /// How much the agreeing views have to weigh together, where a sharp, large view from the front weighs 1 and a
    /// small, blurred or turned one down to .2. Default 1: two good views do, poor ones have to be three or four.
    pub agreeing_weight: f32,
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
            max_first_step: 2.0,
            max_gap: SignedDuration::from_secs(1),
            agreeing: 2,
            agreeing_weight: 1.0,
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

    /// The same options with another step, in box widths, for a face that was seen once.
    #[must_use]
    pub fn with_max_first_step(mut self, step: f32) -> Self {
        self.max_first_step = step;
        self
    }

    /// The same options, deciding by `agreeing` of the last `window` good views.
    #[must_use]
    pub fn with_votes(mut self, agreeing: usize, window: usize) -> Self {
        (self.agreeing, self.window) = (agreeing, window);
        self
    }

    /// The same options, deciding by views that weigh so much together.
    #[must_use]
    pub fn with_agreeing_weight(mut self, weight: f32) -> Self {
        self.agreeing_weight = weight;
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
    /// Views enough agree. It stays so until as many agree on somebody else, or three good views in a row do not show
    /// this student any more: somebody else has taken the track over.
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
    /// Of the box's centre, in pixels a second.
    velocity: Point,
    /// Whether the face was seen once only, so that the velocity is not known.
    is_new: bool,
    first_seen: Timestamp,
    last_seen: Timestamp,
    /// When it was last looked for.
    last_looked: Timestamp,
    /// The last good views.
    votes: VecDeque<Vote>,
    views: Views,
    known: Option<Match>,
}

#[derive(Debug, Clone, Copy)]
struct Vote {
    /// Whom the view names, if anybody.
    named: Option<Match>,
    weight: f32,
}

/// What is remembered of the views of a track, to choose the next.
#[derive(Debug, Clone, Copy, Default)]
struct Views {
    last_at: Option<Timestamp>,
    /// How many were too poor to vote since the last that did.
    poor_in_a_row: u32,
    /// The width of the widest face that voted.
    widest: f32,
    /// Whether a view came near to somebody.
    promising: bool,
    /// How many good views in a row did not show whom the track is known as.
    doubts: u32,
    /// Whether the face has been where the track's own could hardly be since it was last recognised.
    strayed: bool,
}

/// A face that is nearly somebody's is looked at again with every picture: so much below the threshold, on the
/// similarity scale. Of genuine pairs that miss the threshold most lie within it.
const PROMISING: f32 = 0.08;
/// Views of a face that nobody is near to, before it is looked at less often.
const SETTLED: usize = 3;
/// How often such a face is looked at again, which may turn its head or hold still.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_millis(1000);
/// How often a face that is decided is looked at again: two people may have changed places behind a third.
const CONFIRM: SignedDuration = SignedDuration::from_secs(5);
/// Good views in a row that do not show whom a track is known as, before it is known as nobody: one more than decide, so
/// that a turned head does not lose its name.
const DOUBTS: u32 = 3;
/// How much wider than before a face makes a better view, whatever was decided about it: a person who comes nearer.
const BETTER: f32 = 1.2;
/// Poor views in a row before the next is waited for, and how long.
const POOR: u32 = 3;
const AFTER_POOR: SignedDuration = SignedDuration::from_millis(500);

/// The part of a surprise in the position that goes into the velocity: the gain of a constant-velocity (alpha-beta)
/// filter, the steady state of a Kalman filter for a walk as restless as its measurements.
const VELOCITY_GAIN: f32 = 0.5;

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

    /// When the face was last found or missed, rather than taken to be where it was.
    #[must_use]
    pub fn last_looked(&self) -> Timestamp {
        self.last_looked
    }

    /// Whether the face was seen once only, so that nobody knows where it is going.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Where the face should be at `now`, moving on as it did; at most three box widths from where it was.
    #[must_use]
    pub fn predicted(&self, now: Timestamp) -> Rect {
        let passed = seconds(now.duration_since(self.last_seen));
        let reach = 3.0 * self.bbox.width();
        let step = |velocity: f32| (velocity * passed).clamp(-reach, reach);
        let centre = self.bbox.centre();
        let moved = Point::new(centre.x + step(self.velocity.x), centre.y + step(self.velocity.y));
        Rect::from_centre(moved, self.bbox.width(), self.bbox.height())
    }

    fn continue_at(&mut self, bbox: Rect, now: Timestamp, min_iou: f32) {
        self.views.strayed |= self.predicted(now).iou(&bbox) < min_iou;
        let passed = seconds(now.duration_since(self.last_seen));
        if passed > 0.0 {
            let (expected, seen) = (self.predicted(now).centre(), bbox.centre());
            // The first step is all that is known of the velocity.
            let gain = if self.is_new { 1.0 } else { VELOCITY_GAIN } / passed;
            self.velocity.x += (seen.x - expected.x) * gain;
            self.velocity.y += (seen.y - expected.y) * gain;
        }
        (self.bbox, self.last_seen, self.last_looked, self.is_new) = (bbox, now, now, false);
    }

    fn decision(&self, options: &TrackingOptions) -> Decision {
        match self.known {
            Some(Match { student, similarity, .. }) => Decision::Known { student, similarity },
            None if self.votes.len() < options.agreeing => Decision::Waiting,
            None => Decision::Unknown,
        }
    }

    /// Whether another view of the face is worth embedding it.
    pub(crate) fn wants_view(&self, now: Timestamp) -> bool {
        let Some(last) = self.views.last_at else { return true };
        let since = now.duration_since(last);
        if self.views.poor_in_a_row >= POOR {
            return since >= AFTER_POOR;
        }
        if self.bbox.width() >= self.views.widest * BETTER && self.views.widest > 0.0 {
            return true;
        }
        if self.known.is_some() {
            return self.views.doubts > 0 || self.views.strayed || since >= CONFIRM;
        }
        self.is_open() || since >= LOOK_AGAIN
    }

    /// Whether the next good view may decide whose face it is.
    fn is_open(&self) -> bool {
        self.known.is_none() && self.views.poor_in_a_row < POOR && (self.votes.len() < SETTLED || self.views.promising)
    }

    /// Takes a view in. It decides when enough views agree, weigh enough, and are more than twice as many as name
    /// anybody else.
    fn vote(&mut self, vote: Vote, options: &TrackingOptions) {
        self.votes.push_back(vote);
        while self.votes.len() > options.window.max(1) {
            self.votes.pop_front();
        }
        if let Some(known) = &self.known {
            let same = vote.named.is_some_and(|named| named.student == known.student);
            self.views.doubts = if same { 0 } else { self.views.doubts + 1 };
            if self.views.doubts >= DOUBTS {
                // What the face before it was seen as says nothing of this one.
                self.known = None;
                self.votes.drain(..self.votes.len() - self.views.doubts as usize);
                self.views.doubts = 0;
            }
        }
        let Some(view) = vote.named else { return };
        let named = self.votes.iter().filter_map(|vote| Some((vote.named?, vote.weight)));
        let (agreeing, others): (Vec<_>, Vec<_>) = named.partition(|(named, _)| named.student == view.student);
        let weight: f32 = agreeing.iter().map(|(_, weight)| weight).sum();
        if agreeing.len() >= options.agreeing && weight >= options.agreeing_weight && agreeing.len() > 2 * others.len()
        {
            let best = agreeing.into_iter().max_by(|a, b| a.0.cosine.0.total_cmp(&b.0.cosine.0));
            let changed = self.known.is_none_or(|known| known.student != view.student);
            self.known = best.map(|(named, _)| named);
            if changed {
                self.views.doubts = 0;
            }
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
        self.update_where(boxes, now, |_| true)
    }

    /// As [`update`](Self::update) for a frame in which only some places were looked at: a track that was not `looked`
    /// for is where it was.
    pub fn update_where(&mut self, boxes: &[Rect], now: Timestamp, looked: impl Fn(&Track) -> bool) -> Vec<TrackId> {
        let max_gap = self.options.max_gap;
        for track in &mut self.tracks {
            if looked(track) {
                track.last_looked = now;
            } else {
                track.velocity = Point::default();
                track.last_seen = now;
            }
        }
        self.tracks.retain(|track| now.duration_since(track.last_seen) <= max_gap);

        let mut pairs = Vec::new();
        for (t, track) in self.tracks.iter().enumerate() {
            for (b, bbox) in boxes.iter().enumerate() {
                let step = if track.is_new { self.options.max_first_step } else { self.options.max_step };
                if let Some(affinity) = affinity(&track.predicted(now), bbox, self.options.min_iou, step) {
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
                self.tracks[t].continue_at(boxes[b], now, self.options.min_iou);
                ids[b] = Some(self.tracks[t].id);
            }
        }
        ids.into_iter().zip(boxes).map(|(id, bbox)| id.unwrap_or_else(|| self.begin(*bbox, now))).collect()
    }

    /// Takes in whom a good view of a track shows, and returns what is now decided. Views of poor quality should not vote.
    /// A track that has ended is [`Decision::Waiting`]. Every view weighs 1.
    pub fn vote(&mut self, id: TrackId, view: &Identification) -> Decision {
        self.weigh(id, view, 1.0, Threshold::DOCUMENTED, None)
    }

    /// As [`vote`](Self::vote) for a view that weighs `weight` in [0, 1] and was identified with `threshold`, taken at
    /// `now`, which says when the next is [wanted](Self::wants_view).
    pub fn weigh(
        &mut self,
        id: TrackId,
        view: &Identification,
        weight: f32,
        threshold: Threshold,
        now: Option<Timestamp>,
    ) -> Decision {
        let options = self.options;
        let Some(track) = self.tracks.iter_mut().find(|track| track.id == id) else { return Decision::Waiting };
        let named = match view {
            Identification::Known { best, margin } if *margin >= options.min_margin => Some(*best),
            Identification::Known { .. } | Identification::Unknown { .. } => None,
        };
        let near = view.best().is_some_and(|best| best.similarity.value() >= threshold.value() - PROMISING);
        track.views = Views {
            last_at: now.or(track.views.last_at),
            poor_in_a_row: 0,
            widest: track.views.widest.max(track.bbox.width()),
            promising: track.views.promising || near,
            doubts: track.views.doubts,
            strayed: false,
        };
        track.vote(Vote { named, weight: weight.clamp(0.0, 1.0) }, &options);
        track.decision(&options)
    }

    /// Takes in that a view of a track was too poor to vote.
    pub fn poor_view(&mut self, id: TrackId, now: Timestamp) {
        if let Some(track) = self.tracks.iter_mut().find(|track| track.id == id) {
            track.views.last_at = Some(now);
            track.views.poor_in_a_row = track.views.poor_in_a_row.saturating_add(1);
        }
    }

    /// Whether another view of a track is worth embedding the face: it is not decided yet, or larger than ever, or has
    /// not been looked at for long.
    #[must_use]
    pub fn wants_view(&self, id: TrackId, now: Timestamp) -> bool {
        self.tracks.iter().find(|track| track.id == id).is_some_and(|track| track.wants_view(now))
    }

    /// Whether the next good view of a track may decide whose face it is: it has had few, or one that came near to
    /// somebody. Such a face is worth being looked at more often.
    #[must_use]
    pub fn is_open(&self, id: TrackId) -> bool {
        self.tracks.iter().any(|track| track.id == id && track.is_open())
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
        self.tracks.push(Track {
            id,
            bbox,
            velocity: Point::default(),
            is_new: true,
            first_seen: now,
            last_seen: now,
            last_looked: now,
            votes: VecDeque::new(),
            views: Views::default(),
            known: None,
        });
        id
    }
}

fn seconds(duration: SignedDuration) -> f32 {
    duration.as_secs_f32()
}

/// How well `bbox` continues a track expected at `last`, or `None` when it cannot.
fn affinity(last: &Rect, bbox: &Rect, min_iou: f32, max_step: f32) -> Option<f32> {
    let iou = last.iou(bbox);
    let size = (last.width() + bbox.width()) / 2.0;
    let reach = size * max_step;
    let step = last.centre().distance(bbox.centre());
    let ratio = last.area() / bbox.area();
    // A factor of two in width is one of four in area. Comparisons with what is no number are false.
    let near = step < reach && (0.25..=4.0).contains(&ratio);
    (iou >= min_iou || near).then(|| iou + 1.0 - (step / reach).min(1.0))
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
    fn poor_views_have_to_be_more() {
        let mut tracker = Tracker::default();
        let id = tracker.update(&[face(0.0)], at(0))[0];
        let poor = |tracker: &mut Tracker| tracker.weigh(id, &known(1, 0.1), 0.3, Threshold::DOCUMENTED, None);
        for view in 0..3 {
            assert_eq!(student(poor(&mut tracker)), None, "view {view}");
        }
        assert_eq!(student(poor(&mut tracker)), Some(1));
    }

    #[test]
    fn a_face_is_embedded_until_it_is_decided_and_then_seldom() {
        let mut tracker = Tracker::default();
        let id = tracker.update(&[face(0.0)], at(0))[0];
        for n in 0..2 {
            assert!(tracker.wants_view(id, at(n)));
            tracker.weigh(id, &known(1, 0.1), 1.0, Threshold::DOCUMENTED, Some(at(n)));
        }
        assert!(!tracker.wants_view(id, at(1000)));
        assert!(tracker.wants_view(id, at(5001)), "two people may have changed places");
        let near = face(0.0).scaled(1.3);
        tracker.update(&[near], at(800));
        assert!(tracker.wants_view(id, at(1000)), "a better view");
    }

    #[test]
    fn a_stranger_is_looked_at_once_a_second_and_one_who_is_nearly_somebody_all_the_time() {
        let nearly = Match { student: StudentId(1), similarity: Similarity::new(0.66), cosine: Cosine(0.3) };
        for (best, expected) in [(None, false), (Some(nearly), true)] {
            let mut tracker = Tracker::default();
            let id = tracker.update(&[face(0.0)], at(0))[0];
            for n in 0..3 {
                let view = Identification::Unknown { best };
                tracker.weigh(id, &view, 1.0, Threshold::DOCUMENTED, Some(at(n)));
            }
            assert_eq!(tracker.wants_view(id, at(500)), expected);
            assert!(tracker.wants_view(id, at(1500)));
        }
    }

    #[test]
    fn somebody_who_walks_across_the_picture_keeps_the_track_from_the_first_step() {
        let mut tracker = Tracker::default();
        let id = tracker.update(&[face(0.0)], at(0))[0];
        for step in 1..8_i16 {
            // 1.75 widths a fifth of a second.
            assert_eq!(
                tracker.update(&[face(f32::from(step) * 140.0)], at(i64::from(step) * 200)),
                [id],
                "step {step}"
            );
        }
    }

    #[test]
    fn somebody_who_takes_a_track_over_is_not_shown_with_the_others_name() {
        let mut tracker = Tracker::default();
        let id = tracker.update(&[face(0.0)], at(0))[0];
        let see = |tracker: &mut Tracker, view: &Identification, ms| {
            tracker.weigh(id, view, 1.0, Threshold::DOCUMENTED, Some(at(ms)))
        };
        see(&mut tracker, &known(1, 0.1), 0);
        assert_eq!(student(see(&mut tracker, &known(1, 0.1), 200)), Some(1));
        assert!(!tracker.wants_view(id, at(400)));
        // A step that hardly overlaps: it may be somebody else, and is looked at.
        tracker.update(&[face(70.0)], at(400));
        assert!(tracker.wants_view(id, at(400)));
        assert_eq!(student(see(&mut tracker, &UNKNOWN, 400)), Some(1), "one view may be a bad one");
        assert!(tracker.wants_view(id, at(600)), "and is looked at again at once");
        assert_eq!(student(see(&mut tracker, &UNKNOWN, 600)), Some(1));
        assert_eq!(see(&mut tracker, &UNKNOWN, 800), Decision::Unknown);
        // The views of whom the track was before do not count for the one who came.
        assert_eq!(student(see(&mut tracker, &known(1, 0.1), 1000)), None);
    }

    #[test]
    fn doubts_that_are_cleared_do_not_add_up() {
        let mut tracker = Tracker::default();
        let id = tracker.update(&[face(0.0)], at(0))[0];
        for view in [known(1, 0.1), known(1, 0.1), UNKNOWN, UNKNOWN, known(1, 0.1), UNKNOWN, UNKNOWN] {
            tracker.vote(id, &view);
        }
        assert_eq!(student(tracker.decision(id)), Some(1));
        assert_eq!(tracker.vote(id, &UNKNOWN), Decision::Unknown);
    }

    #[test]
    fn a_face_is_open_until_its_views_decide_or_show_a_stranger() {
        let mut tracker = Tracker::default();
        let ids = tracker.update(&[face(0.0), face(300.0)], at(0));
        assert!(tracker.is_open(ids[0]) && tracker.is_open(ids[1]));
        for _ in 0..3 {
            tracker.vote(ids[0], &known(1, 0.1));
            tracker.vote(ids[1], &UNKNOWN);
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
