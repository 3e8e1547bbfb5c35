//! One face's way through the frames, and the moments at which another view of it is useful.

use jiff::{SignedDuration, Timestamp};

use crate::embedding::{Calibration, Embedding};
use crate::error::Result;
use crate::gallery::{Gallery, Match};
use crate::gate::{Asked, GateOptions, Life, LifeEvidence, LifeView};
use crate::geometry::{Point, Rect};
use crate::types::{StudentId, Threshold};

use super::decision::{Ambiguity, Decision, TrackId};
use super::evidence::{Evidence, Taken};
use super::options::TrackingOptions;

/// One face as the tracker knows it.
///
/// ```
/// use faceattend_core::Timestamp;
/// use faceattend_core::geometry::Rect;
/// use faceattend_core::tracking::{Tracker, TrackingOptions};
///
/// let mut tracker = Tracker::new(TrackingOptions::default());
/// let face = Rect::new(0.0, 0.0, 80.0, 80.0);
/// tracker.update(&[face], Timestamp::UNIX_EPOCH);
/// let track = &tracker.tracks()[0];
/// assert_eq!((track.bbox(), track.is_new()), (face, true));
/// ```
#[derive(Debug, Clone)]
pub struct Track {
    id: TrackId,
    bbox: Rect,
    /// Of the box's center, in pixels a second.
    velocity: Point,
    /// Whether the face was seen once only, so that the velocity is not known.
    is_new: bool,
    first_seen: Timestamp,
    last_seen: Timestamp,
    /// When it was last looked for.
    last_looked: Timestamp,
    evidence: Evidence,
    life: LifeEvidence,
    /// Whom the face was last known as: its evidence of life is of nobody else.
    lives_as: Option<StudentId>,
    /// Views that were not embedded: whose they are is shown by the next that is.
    unnamed: Vec<LifeView>,
    /// How closely it is watched for signs of life.
    watch: Watch,
    /// When a view was last looked at for them.
    watched_at: Option<Timestamp>,
    views: Views,
}

/// What is remembered of the views of a track, to choose the next.
#[derive(Debug, Clone, Copy, Default)]
struct Views {
    last_at: Option<Timestamp>,
    /// How many were too poor to be taken in since the last that was.
    poor_in_a_row: u32,
    /// The width of the widest face that was taken in.
    widest: f32,
    /// Whether somebody else may have taken the face's place since the last view that showed it: the face was out of
    /// sight for [`BLIND`], or is where the track's own could hardly be. Until a view shows the same face, it has no
    /// name.
    unproven: bool,
    /// Whether the face was out of sight for more than [`TrackingOptions::max_gap`] since that view, as between the
    /// pictures of a slow source: a view that does not show the same face shows a new one.
    away: bool,
}

/// The number of views without a near match after which a face is analyzed less often.
const SETTLED: usize = 3;
/// How often such a face is looked at again, which may turn its head or hold still.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_millis(1000);
/// How often a face that is decided is looked at again: two people may have changed places behind a third.
const CONFIRM: SignedDuration = SignedDuration::from_secs(5);
/// The time out of sight after which another face may have taken a face's place: people step aside for each other in
/// less than half a second. Cameras of 4 pictures a second and more stay below it as long as no picture misses the
/// face.
const BLIND: SignedDuration = SignedDuration::from_millis(300);
/// How much wider than before a face makes a better view, whatever was decided about it: a person who comes nearer.
const BETTER: f32 = 1.2;
/// Poor views in a row before the next is waited for, and how long.
const POOR: u32 = 3;
const AFTER_POOR: SignedDuration = SignedDuration::from_millis(500);

/// How closely a face is watched for signs of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Watch {
    /// Not at all: by the views alone that tell its name.
    #[default]
    No,
    /// By a view every [`NOW_AND_THEN`]: somebody has been asked to look, and life may show yet.
    NowAndThen,
    /// By every view.
    Closely,
}

/// See [`Watch::NowAndThen`]: eight views in the window that is judged.
const NOW_AND_THEN: SignedDuration = SignedDuration::from_millis(500);
/// How many views wait to be told whose they are: a second at ten pictures a second.
const UNNAMED: usize = 10;
/// How often a face that is watched for signs of life is embedded: that shows whose views they are, and how much its
/// embedding changes. A view between costs a mesh.
const PROVE: SignedDuration = SignedDuration::from_millis(180);

/// The part of a surprise in the position that goes into the velocity: the gain of a constant-velocity (alpha-beta)
/// filter, the steady state of a Kalman filter for a walk as restless as its measurements.
const VELOCITY_GAIN: f32 = 0.5;

impl Track {
    pub(super) fn begin(id: TrackId, bbox: Rect, now: Timestamp) -> Self {
        Self {
            id,
            bbox,
            velocity: Point::default(),
            is_new: true,
            first_seen: now,
            last_seen: now,
            last_looked: now,
            evidence: Evidence::default(),
            life: LifeEvidence::default(),
            lives_as: None,
            unnamed: Vec::new(),
            watch: Watch::default(),
            watched_at: None,
            views: Views::default(),
        }
    }

    /// Returns the track's id.
    #[must_use]
    pub fn id(&self) -> TrackId {
        self.id
    }

    /// Returns the box in which the face was seen last.
    #[must_use]
    pub fn bbox(&self) -> Rect {
        self.bbox
    }

    /// Returns the time at which the face came into the picture.
    #[must_use]
    pub fn first_seen(&self) -> Timestamp {
        self.first_seen
    }

    /// Returns the time at which the face was last in the picture.
    #[must_use]
    pub fn last_seen(&self) -> Timestamp {
        self.last_seen
    }

    /// Returns when the face was last found or missed, rather than taken to be where it was.
    #[must_use]
    pub fn last_looked(&self) -> Timestamp {
        self.last_looked
    }

    /// Returns whether the face was seen once only, so that nobody knows where it is going.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Returns where the face should be at `now`, moving on as it did; at most three box widths from where it was.
    #[must_use]
    pub fn predicted(&self, now: Timestamp) -> Rect {
        let passed = seconds(now.duration_since(self.last_seen));
        let reach = 3.0 * self.bbox.width();
        let step = |velocity: f32| (velocity * passed).clamp(-reach, reach);
        let center = self.bbox.center();
        let moved = Point::new(center.x + step(self.velocity.x), center.y + step(self.velocity.y));
        Rect::from_center(moved, self.bbox.width(), self.bbox.height())
    }

    /// Takes in that the face was looked for.
    pub(super) fn look_for(&mut self, now: Timestamp) {
        self.last_looked = now;
    }

    /// Takes in that nobody looked for the face: it is where it was.
    pub(super) fn rest(&mut self, now: Timestamp) {
        self.velocity = Point::default();
        self.last_seen = now;
    }

    pub(super) fn continue_at(&mut self, bbox: Rect, now: Timestamp, options: &TrackingOptions) {
        let blind = now.duration_since(self.last_seen);
        self.views.unproven |= blind > BLIND || self.predicted(now).iou(&bbox) < options.min_iou;
        self.views.away |= blind > options.max_gap;
        let passed = seconds(blind);
        if passed > 0.0 {
            let (expected, seen) = (self.predicted(now).center(), bbox.center());
            // The first step is all that is known of the velocity.
            let gain = if self.is_new { 1.0 } else { VELOCITY_GAIN } / passed;
            self.velocity.x += (seen.x - expected.x) * gain;
            self.velocity.y += (seen.y - expected.y) * gain;
        }
        (self.bbox, self.last_seen, self.last_looked, self.is_new) = (bbox, now, now, false);
    }

    /// Takes a good view in, and decides anew whose face it is.
    pub(super) fn see(
        &mut self,
        view: &Embedding,
        weight: f32,
        gallery: &Gallery,
        threshold: Threshold,
        options: &TrackingOptions,
        now: Timestamp,
    ) -> Result<()> {
        let was_away = self.views.away;
        self.views = Views {
            last_at: Some(now),
            poor_in_a_row: 0,
            widest: self.views.widest.max(self.bbox.width()),
            unproven: self.views.unproven,
            away: false,
        };
        if was_away && !self.evidence.surely_shows(view, gallery, threshold)? {
            // There was time to change places: as if a track had ended and another begun.
            self.evidence = Evidence::default();
            self.forget_life();
        }
        if self.evidence.add(view, weight, gallery, threshold, options)? == Taken::Anew {
            self.forget_life();
        }
        let known = self.known();
        if known.is_some() && self.lives_as.is_some() && known != self.lives_as {
            // By and by the views have come to show somebody else.
            self.forget_life();
        }
        self.lives_as = known.or(self.lives_as);
        // A view that resembles those before it shows that the face is still the same.
        self.views.unproven &= self.evidence.in_doubt();
        Ok(())
    }

    /// Takes in that a view was too poor.
    pub(super) fn see_poorly(&mut self, now: Timestamp) {
        self.views.last_at = Some(now);
        self.views.poor_in_a_row = self.views.poor_in_a_row.saturating_add(1);
    }

    /// Returns whom the face is known as.
    pub(super) fn known(&self) -> Option<StudentId> {
        self.evidence.known().map(|known| known.student)
    }

    /// Forgets every view, as if the face had just come into the picture.
    pub(super) fn forget_views(&mut self) {
        (self.evidence, self.views) = (Evidence::default(), Views::default());
        self.forget_life();
    }

    /// Forgets the evidence of life: another face has taken the track over.
    fn forget_life(&mut self) {
        (self.life, self.lives_as) = (LifeEvidence::default(), None);
        self.unnamed.clear();
    }

    /// Takes in what a good view tells of life. One that was embedded has been [seen](Self::see) before, which says
    /// whether it shows the face of the views before it; one that was not waits for the next that is.
    pub(super) fn see_life(&mut self, view: LifeView, calibration: &Calibration, options: &GateOptions) {
        self.watched_at = Some(view.at());
        if !view.is_embedded() {
            self.unnamed.push(view);
            if self.unnamed.len() > UNNAMED {
                self.unnamed.remove(0);
            }
            return;
        }
        let unnamed = std::mem::take(&mut self.unnamed);
        if self.evidence.in_doubt() {
            return;
        }
        for view in unnamed.iter().chain([&view]) {
            self.life.add(view, calibration, options);
        }
    }

    /// Returns what the views say of life.
    pub(super) fn life(&self, options: &GateOptions) -> Life {
        self.life.life(options)
    }

    /// Asks for a movement: see [`LifeEvidence::ask`].
    pub(super) fn ask(&mut self, random: u128, options: &GateOptions, now: Timestamp) {
        self.life.ask(random, options, now);
    }

    /// Waits for no answer any more.
    pub(super) fn drop_question(&mut self) {
        self.life.drop_question();
    }

    /// Returns what the person has been asked for.
    pub(super) fn asked(&self) -> Asked {
        self.life.asked()
    }

    /// Returns whether whose view the next one is has to be shown by an embedding.
    pub(super) fn wants_proof(&self, now: Timestamp) -> bool {
        self.views.last_at.is_none_or(|last| now < last || now.duration_since(last) >= PROVE)
    }

    /// Says how closely the face is watched for signs of life.
    pub(super) fn watch(&mut self, watch: Watch) {
        self.watch = watch;
    }

    /// Returns whether every view is wanted, to tell whether the face is alive.
    pub(crate) fn is_watched_closely(&self) -> bool {
        self.watch == Watch::Closely
    }

    /// Returns whether this view is wanted, to tell whether the face is alive.
    pub(crate) fn wants_life(&self, now: Timestamp) -> bool {
        let due = || self.watched_at.is_none_or(|last| now < last || now.duration_since(last) >= NOW_AND_THEN);
        match self.watch {
            Watch::No => false,
            Watch::NowAndThen => due(),
            Watch::Closely => true,
        }
    }

    /// Returns whether the face is worth a look: to embed it, or to see whether it is alive.
    pub(crate) fn wants_look(&self, now: Timestamp) -> bool {
        self.wants_life(now) || self.wants_view(now)
    }

    /// Returns whether there were good views, and too few to say whose face it is.
    pub(super) fn is_cut_short(&self, options: &TrackingOptions) -> bool {
        let has_few = (1..options.agreeing).contains(&self.evidence.views());
        self.evidence.known().is_none() && (has_few || self.evidence.is_promising())
    }

    /// Returns whether the views so far name somebody, or nearly.
    pub(super) fn may_be_named(&self) -> bool {
        self.evidence.known().is_some() || self.evidence.is_promising()
    }

    /// Returns the face of a stranger, by the mean of the views: of [`SETTLED`] and more, unless somebody else may have
    /// taken its place.
    pub(super) fn stranger(&self) -> Option<&Embedding> {
        self.evidence.stranger(SETTLED).filter(|_| !self.views.unproven)
    }

    /// Returns between whom the views cannot be told apart, unless somebody else may have taken the face's place.
    pub(super) fn ambiguity(&self) -> Option<Ambiguity> {
        self.evidence.ambiguity().filter(|_| !self.views.unproven)
    }

    pub(super) fn decision(&self, options: &TrackingOptions) -> Decision {
        match self.evidence.known() {
            Some(_) if self.views.unproven => Decision::Waiting,
            Some(Match { student, similarity, .. }) => Decision::Known { student: *student, similarity: *similarity },
            None if self.evidence.views() < options.agreeing => Decision::Waiting,
            None => Decision::Unknown,
        }
    }

    /// Returns whether another view of the face is worth embedding it.
    pub(crate) fn wants_view(&self, now: Timestamp) -> bool {
        let Some(last) = self.views.last_at else { return true };
        let since = now.duration_since(last);
        if self.views.poor_in_a_row >= POOR {
            return since >= AFTER_POOR;
        }
        if self.bbox.width() >= self.views.widest * BETTER && self.views.widest > 0.0 {
            return true;
        }
        if self.evidence.known().is_some() {
            return self.evidence.in_doubt() || self.views.unproven || since >= CONFIRM;
        }
        self.is_open() || since >= LOOK_AGAIN
    }

    /// Returns whether the next good view may decide whose face it is.
    pub(super) fn is_open(&self) -> bool {
        self.evidence.known().is_none()
            && self.views.poor_in_a_row < POOR
            && (self.evidence.views() < SETTLED || self.evidence.is_promising())
    }
}

fn seconds(duration: SignedDuration) -> f32 {
    duration.as_secs_f32()
}
