//! Follows faces across the frames of a camera and identifies each by all of its views together.
//!
//! A single view is not enough to mark anybody: with one picture a person, strangers pass now and then, and whoever
//! stands before a camera shows many views. So a face is named by the mean of its views, and only when a stranger who
//! comes so near to anybody of so many would be a surprise, at whatever moment of a stay however long:
//! [`Impostors::surprise`] is held against the [`bound`] that the size of the gallery and the accepted share of false
//! names set. A face without a match stays unknown.

mod decision;
mod evidence;
mod impostors;
mod options;
mod rhythm;
mod track;

use jiff::{SignedDuration, Timestamp};

use crate::embedding::{Calibration, Embedding};
use crate::error::Result;
use crate::gallery::Gallery;
use crate::gate::{Asked, GateOptions, Life, LifeView};
use crate::geometry::Rect;
use crate::types::Threshold;

pub use decision::{Ambiguity, Decision, TrackId};
pub use impostors::{Impostors, bound};
pub use options::TrackingOptions;
pub use track::Track;
pub(crate) use track::Watch;

use rhythm::Rhythm;

/// The faces that one camera has in view.
///
/// ```
/// use faceattend_core::Timestamp;
/// use faceattend_core::geometry::Rect;
/// use faceattend_core::tracking::{Tracker, TrackingOptions};
///
/// let at = |milliseconds| Timestamp::from_millisecond(milliseconds).expect("a time");
/// let mut tracker = Tracker::new(TrackingOptions::default());
/// let first = tracker.update(&[Rect::new(0.0, 0.0, 80.0, 80.0)], at(0));
/// // The face has moved a little: the same track.
/// let second = tracker.update(&[Rect::new(10.0, 0.0, 90.0, 80.0)], at(200));
/// assert_eq!(first, second);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    options: TrackingOptions,
    rhythm: Rhythm,
    /// How many tracks the last picture ended with too few views.
    cut_short: usize,
    tracks: Vec<Track>,
    next_id: u64,
}

impl Tracker {
    /// Creates a tracker with no face in view.
    #[must_use]
    pub fn new(options: TrackingOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Takes the boxes of a frame in; returns the track of each, in their order. Tracks unseen for too long have
    /// ended.
    pub fn update(&mut self, boxes: &[Rect], now: Timestamp) -> Vec<TrackId> {
        self.update_where(boxes, now, |_| true)
    }

    /// Updates as [`update`](Self::update) does, for a frame in which only some places were looked at: a track that
    /// was not `looked` for is where it was.
    pub fn update_where(&mut self, boxes: &[Rect], now: Timestamp, looked: impl Fn(&Track) -> bool) -> Vec<TrackId> {
        self.rhythm.picture_at(now);
        let gap = self.gap();
        for track in &mut self.tracks {
            if looked(track) {
                track.look_for(now);
            } else {
                track.rest(now);
            }
        }
        let options = self.options;
        self.cut_short = 0;
        self.tracks.retain(|track| {
            let stays = now.duration_since(track.last_seen()) <= gap;
            self.cut_short += usize::from(!stays && track.is_cut_short(&options));
            stays
        });

        let mut pairs = Vec::new();
        for (t, track) in self.tracks.iter().enumerate() {
            for (b, bbox) in boxes.iter().enumerate() {
                if let Some(affinity) = self.affinity(track, bbox, now) {
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
                self.tracks[t].continue_at(boxes[b], now, &self.options);
                ids[b] = Some(self.tracks[t].id());
            }
        }
        ids.into_iter().zip(boxes).map(|(id, bbox)| id.unwrap_or_else(|| self.begin(*bbox, now))).collect()
    }

    /// Returns the time between the pictures of late, as [`update`](Self::update) was told of them: the median of the
    /// last five gaps. `None` before the third picture.
    ///
    /// ```
    /// use faceattend_core::Timestamp;
    /// use faceattend_core::tracking::Tracker;
    ///
    /// let mut tracker = Tracker::default();
    /// for second in [0, 2, 4] {
    ///     tracker.update(&[], Timestamp::from_second(second).expect("a time"));
    /// }
    /// assert_eq!(tracker.rhythm().map(|rhythm| rhythm.as_secs()), Some(2));
    /// ```
    #[must_use]
    pub fn rhythm(&self) -> Option<SignedDuration> {
        self.rhythm.median()
    }

    /// Returns the time unseen after which a track ends now: [`TrackingOptions::max_gap`], or as much longer as the
    /// source is slow.
    #[must_use]
    pub fn gap(&self) -> SignedDuration {
        self.options.gap_at(self.rhythm())
    }

    /// Returns how many faces had left by the last picture with good views that were too few to name anybody.
    pub(crate) fn cut_short(&self) -> usize {
        self.cut_short
    }

    /// Takes a good view of a track in, which weighs `weight` in [0, 1], and returns what is now decided: whose of
    /// `gallery` it is, where nobody below `threshold` is named whatever the evidence. Views of poor quality should
    /// not be taken in. A track that has ended is [`Decision::Waiting`]. `now` says when the next view is
    /// [wanted](Self::wants_view).
    ///
    /// # Errors
    /// [`Error::ModelMismatch`](crate::Error::ModelMismatch) when the view is of another model than the gallery.
    pub fn see(
        &mut self,
        id: TrackId,
        view: &Embedding,
        weight: f32,
        gallery: &Gallery,
        threshold: Threshold,
        now: Timestamp,
    ) -> Result<Decision> {
        let options = self.options;
        let Some(track) = self.track_mut(id) else { return Ok(Decision::Waiting) };
        track.see(view, weight, gallery, threshold, &options, now)?;
        Ok(track.decision(&options))
    }

    /// Forgets what was seen of every track that is known as somebody whom `gallery` does not hold: an erased person
    /// has no name any more. The faces are followed on and judged anew.
    pub fn forget_absent(&mut self, gallery: &Gallery) {
        for track in &mut self.tracks {
            if track.known().is_some_and(|student| !gallery.contains(student)) {
                track.forget_views();
            }
        }
    }

    /// Takes in that a view of a track was too poor to vote.
    pub fn poor_view(&mut self, id: TrackId, now: Timestamp) {
        if let Some(track) = self.track_mut(id) {
            track.see_poorly(now);
        }
    }

    /// Takes in what a good view of a track tells of life. Call this after [`see`](Self::see) for a view that was
    /// embedded: views of another face are no evidence, and when another face takes the track over, the evidence
    /// begins anew. A view that was not embedded counts once the next one shows the same face.
    pub fn see_life(&mut self, id: TrackId, view: LifeView, calibration: &Calibration, options: &GateOptions) {
        if let Some(track) = self.track_mut(id) {
            track.see_life(view, calibration, options);
        }
    }

    /// Returns what the views of a track say of life; nothing when it has ended.
    #[must_use]
    pub fn life(&self, id: TrackId, options: &GateOptions) -> Life {
        self.track(id).map_or_else(Life::default, |track| track.life(options))
    }

    /// Asks the person of a track for a short movement, drawn by `random`.
    pub(crate) fn ask(&mut self, id: TrackId, random: u128, options: &GateOptions, now: Timestamp) {
        if let Some(track) = self.track_mut(id) {
            track.ask(random, options, now);
        }
    }

    /// Waits for no answer of a track any more.
    pub(crate) fn drop_question(&mut self, id: TrackId) {
        if let Some(track) = self.track_mut(id) {
            track.drop_question();
        }
    }

    /// Returns what the person of a track has been asked for.
    pub(crate) fn asked(&self, id: TrackId) -> Asked {
        self.track(id).map_or_else(Asked::default, Track::asked)
    }

    /// Says how closely a track is watched for signs of life.
    pub(crate) fn watch(&mut self, id: TrackId, watch: Watch) {
        if let Some(track) = self.track_mut(id) {
            track.watch(watch);
        }
    }

    /// Returns whether this view of a track is wanted, to tell whether the face is alive.
    pub(crate) fn wants_life(&self, id: TrackId, now: Timestamp) -> bool {
        self.track(id).is_some_and(|track| track.wants_life(now))
    }

    /// Returns whether a track that is watched wants the next view embedded.
    pub(crate) fn wants_proof(&self, id: TrackId, now: Timestamp) -> bool {
        self.track(id).is_some_and(|track| track.wants_proof(now))
    }

    /// Returns whether the views of a track name somebody, or nearly.
    pub(crate) fn may_be_named(&self, id: TrackId) -> bool {
        self.track(id).is_some_and(Track::may_be_named)
    }

    /// Returns whether another view of a track is worth embedding the face: it is not decided yet, or larger than
    /// ever, or has not been looked at for long.
    ///
    /// ```
    /// use faceattend_core::Timestamp;
    /// use faceattend_core::geometry::Rect;
    /// use faceattend_core::tracking::{Tracker, TrackingOptions};
    ///
    /// let now = Timestamp::UNIX_EPOCH;
    /// let mut tracker = Tracker::new(TrackingOptions::default());
    /// let id = tracker.update(&[Rect::new(0.0, 0.0, 80.0, 80.0)], now)[0];
    /// assert!(tracker.wants_view(id, now), "a new face is worth embedding");
    /// ```
    #[must_use]
    pub fn wants_view(&self, id: TrackId, now: Timestamp) -> bool {
        self.track(id).is_some_and(|track| track.wants_view(now))
    }

    /// Returns whether the next good view of a track may decide whose face it is: it has had few, or one that came
    /// near to somebody. Such a face is worth being looked at more often.
    #[must_use]
    pub fn is_open(&self, id: TrackId) -> bool {
        self.track(id).is_some_and(Track::is_open)
    }

    /// Returns what is decided about a track; [`Decision::Waiting`] when it has ended.
    #[must_use]
    pub fn decision(&self, id: TrackId) -> Decision {
        self.track(id).map_or(Decision::Waiting, |track| track.decision(&self.options))
    }

    /// Returns between whom a track cannot be told apart; `None` where nothing stands against its name but too little
    /// evidence, and when it has ended.
    #[must_use]
    pub fn ambiguity(&self, id: TrackId) -> Option<Ambiguity> {
        self.track(id).and_then(Track::ambiguity)
    }

    /// Returns the face of a track that shows nobody who is known, nor nearly; `None` while that is not certain.
    pub(crate) fn stranger(&self, id: TrackId) -> Option<&Embedding> {
        self.track(id).and_then(Track::stranger)
    }

    /// Returns the faces followed, those out of sight for a moment included.
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn track(&self, id: TrackId) -> Option<&Track> {
        self.tracks.iter().find(|track| track.id() == id)
    }

    fn track_mut(&mut self, id: TrackId) -> Option<&mut Track> {
        self.tracks.iter_mut().find(|track| track.id() == id)
    }

    /// Returns how well `bbox` continues a track, or `None` when it cannot.
    fn affinity(&self, track: &Track, bbox: &Rect, now: Timestamp) -> Option<f32> {
        let TrackingOptions { min_iou, max_step, max_first_step, max_gap, .. } = self.options;
        let step = if track.is_new() { max_first_step } else { max_step };
        let expected = affinity(&track.predicted(now), bbox, min_iou, step);
        if now.duration_since(track.last_seen()) <= max_gap {
            return expected;
        }
        // Pictures of a slow source show no way: a step of seconds ago says nothing of the next.
        expected.or_else(|| affinity(&track.bbox(), bbox, min_iou, max_first_step))
    }

    fn begin(&mut self, bbox: Rect, now: Timestamp) -> TrackId {
        let id = TrackId(self.next_id);
        self.next_id += 1;
        self.tracks.push(Track::begin(id, bbox, now));
        id
    }
}

/// Returns how well `bbox` continues a track expected at `last`, or `None` when it cannot.
fn affinity(last: &Rect, bbox: &Rect, min_iou: f32, max_step: f32) -> Option<f32> {
    let iou = last.iou(bbox);
    let size = (last.width() + bbox.width()) / 2.0;
    let reach = size * max_step;
    let step = last.center().distance(bbox.center());
    let ratio = last.area() / bbox.area();
    // A factor of two in width is one of four in area. Comparisons with what is no number are false.
    let near = step < reach && (0.25..=4.0).contains(&ratio);
    (iou >= min_iou || near).then(|| iou + 1.0 - (step / reach).min(1.0))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod slow_sources;
#[cfg(test)]
mod tests;
