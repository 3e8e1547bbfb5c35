//! Plans where to look in a camera's next picture: around the faces that are followed, where something moves, now and
//! then everywhere, and often nowhere.

use jiff::{SignedDuration, Timestamp};

use super::region_of_interest::RegionOfInterest;
use crate::detection::InputSize;
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::motion::MotionGate;
use crate::tracking::Track;

/// The part of each picture that is analyzed.
///
/// ```
/// use faceattend_core::RecognitionOptions;
/// use faceattend_core::recognition::Effort;
///
/// assert_eq!(RecognitionOptions::default().effort, Effort::Thrifty);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effort {
    /// The regions with motion and the faces that are followed.
    #[default]
    Thrifty,
    /// Everywhere in every picture, and every face is embedded: for still pictures that have nothing to do with each
    /// other, and to measure what the other costs in marks.
    Everything,
}

/// How often a thrifty watch scans each region. Its defaults are choices that kept every mark on the clips of
/// `core/examples/live_figures.rs`.
///
/// ```
/// use faceattend_core::RecognitionOptions;
/// use faceattend_core::recognition::ScanOptions;
/// use jiff::SignedDuration;
///
/// // Look for new faces where something moves twice a second.
/// let scan = ScanOptions::default().with_motion_every(SignedDuration::from_millis(500));
/// let options = RecognitionOptions::default().with_scan(scan);
/// assert_eq!(options.scan.motion_every, SignedDuration::from_millis(500));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ScanOptions {
    /// How often the whole picture is looked at while something moves or a face is followed. Default 4 s. It finds
    /// whom the closer looks missed, and is most of what a busy picture costs.
    pub whole_every: SignedDuration,
    /// How often while nothing moves. Default 20 s: somebody may have stood there from the start.
    pub idle_every: SignedDuration,
    /// How often what moves is looked at for new faces. Default 400 ms, the longest that a face waits to be noticed.
    pub motion_every: SignedDuration,
    /// How often a face that holds quite still is looked for. Default 1 s.
    pub still_every: SignedDuration,
}

impl Default for ScanOptions {
    fn default() -> Self {
        let ms = SignedDuration::from_millis;
        Self { whole_every: ms(4000), idle_every: ms(20_000), motion_every: ms(400), still_every: ms(1000) }
    }
}

impl ScanOptions {
    /// Returns the same options, looking at the whole picture this often: with something going on, and without.
    #[must_use]
    pub fn with_whole(mut self, busy: SignedDuration, idle: SignedDuration) -> Self {
        (self.whole_every, self.idle_every) = (busy, idle);
        self
    }

    /// Returns the same options, looking for new faces where something moves this often.
    #[must_use]
    pub fn with_motion_every(mut self, every: SignedDuration) -> Self {
        self.motion_every = every;
        self
    }
}

/// Where a picture was looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scan {
    /// Nothing has changed and nothing is due.
    Nowhere,
    /// Around faces and where something moves.
    At(Vec<Region>),
    /// The whole picture, or all of the region of interest.
    Everywhere(Option<Rect>),
}

/// A part of the picture, and how closely to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Region {
    pub(super) rect: Rect,
    /// Input pixels for a pixel of the frame.
    scale: f32,
}

/// The room around a face, in its own sizes: a fast walk at five pictures a second, and the detector's margin.
const AROUND: f32 = 2.4;
/// The same for a face that was seen once, which may be going anywhere: two widths either way, at the pace of
/// [`max_first_step`](crate::tracking::TrackingOptions::max_first_step).
const AROUND_NEW: f32 = 5.4;
/// How large a followed face should be in the detector's input, in pixels: a third more than the smallest that
/// BlazeFace finds.
const FACE_IN_INPUT: f32 = 32.0;
/// The room that detectors want around the region, at most (BlazeFace's quarter on each side).
const MARGIN: f32 = 1.5;
/// Input pixels for a pixel of what moves: a face of 36 pixels, the smallest whose eyes are far enough apart to be
/// recognized, is then one of the 24 that BlazeFace needs, with its margin.
const MOVING_SCALE: f32 = 1.0;
/// The same where the whole picture moves, as that of a camera in somebody's hand: its small faces wait for the next
/// look at the whole picture, or it would cost as much as one with every other picture.
const SHAKING_SCALE: f32 = 0.5;
/// The closest look at a region, in pixels of the detector's input.
const LARGEST_INPUT: f32 = 640.0;
/// The room around what moves: a face that turns moves at its middle only.
const MOVING_ROOM: f32 = 1.3;
/// The least side of a moving area that is looked at, as a part of the picture's longer side.
const MOVING_LEAST: f32 = 0.15;
/// How much more than two looks one look at both places may cost: a run of the detector has a cost of its own.
const TOGETHER: f32 = 1.1;

/// One camera's plan.
#[derive(Debug, Default)]
pub(super) struct ScanPlan {
    gate: MotionGate,
    whole_at: Option<Timestamp>,
    motion_at: Option<Timestamp>,
}

impl ScanPlan {
    /// Plans where to look in `frame`, given the faces that are followed.
    pub(super) fn plan(
        &mut self,
        frame: &Frame<'_>,
        tracks: &[Track],
        interest: Option<&RegionOfInterest>,
        options: &ScanOptions,
        now: Timestamp,
    ) -> Scan {
        #[expect(clippy::cast_precision_loss, reason = "frames have far fewer than 2^24 pixels a side")]
        let (width, height) = (frame.width() as f32, frame.height() as f32);
        let whole = Rect::new(0.0, 0.0, width, height);
        let bounds = interest.map(|interest| interest.bounds(width, height));
        let mut motion = self.gate.observe(frame);
        if let Some(interest) = interest {
            motion.retain(|x, y| interest.contains(x / width, y / height));
        }
        // Time that stands still or runs backwards, as after a clock was set, makes everything due.
        let due = |last: Option<Timestamp>, every: SignedDuration| {
            last.is_none_or(|last| now < last || now.duration_since(last) >= every)
        };
        let every = if motion.any() || !tracks.is_empty() { options.whole_every } else { options.idle_every };
        if due(self.whole_at, every) {
            return self.everywhere(bounds, now);
        }

        let mut regions = Vec::new();
        for track in tracks {
            let expected = track.predicted(now);
            let room = if track.is_new() { AROUND_NEW } else { AROUND };
            let around = expected.scaled(room);
            let due = due(Some(track.last_looked()), options.still_every);
            // A face that is not decided yet is looked at, moving or not.
            if motion.within(&around) || due || track.wants_look(now) {
                let face = expected.width().max(expected.height());
                regions.push(Region::around(expected, face, room, &whole));
            }
            motion.clear(&around);
        }
        if motion.any() && due(self.motion_at, options.motion_every) {
            self.motion_at = Some(now);
            if motion.everywhere() {
                regions.push(Region::moving(bounds.unwrap_or(whole), SHAKING_SCALE));
                motion.clear(&whole);
            }
            let least = width.max(height) * MOVING_LEAST;
            for area in motion.areas() {
                let rect = Rect::from_center(
                    area.center(),
                    (area.width() * MOVING_ROOM).max(least),
                    (area.height() * MOVING_ROOM).max(least),
                );
                regions.push(Region::moving(rect.intersection(&whole), MOVING_SCALE));
            }
        }
        regions.retain(|region| region.rect.area() >= 1.0);
        merge(&mut regions);
        if regions.is_empty() { Scan::Nowhere } else { Scan::At(regions) }
    }

    fn everywhere(&mut self, bounds: Option<Rect>, now: Timestamp) -> Scan {
        (self.whole_at, self.motion_at) = (Some(now), Some(now));
        Scan::Everywhere(bounds)
    }
}

impl Region {
    /// Returns the region around a face that was here.
    fn around(place: Rect, face: f32, room: f32, whole: &Rect) -> Self {
        let rect = Rect::from_center(place.center(), face * room, face * room).intersection(whole);
        Self { rect, scale: MARGIN * FACE_IN_INPUT / face.max(1.0) }
    }

    fn moving(rect: Rect, scale: f32) -> Self {
        Self { rect, scale }
    }

    fn with(self, other: Self) -> Self {
        Self { rect: self.rect.union(&other.rect), scale: self.scale.max(other.scale) }
    }

    /// Returns the cost of a look at it, in pixels of the detector's input.
    fn cost(&self) -> f32 {
        self.rect.area() * self.scale * self.scale
    }

    /// Returns the side of the detector's input.
    pub(super) fn input(&self) -> InputSize {
        let side = self.rect.width().max(self.rect.height()) * self.scale;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let size = side.clamp(128.0, LARGEST_INPUT) as usize;
        InputSize::Fixed(size.next_multiple_of(32))
    }

    /// Returns whether a face at `bbox` would have been seen.
    pub(super) fn shows(&self, bbox: &Rect) -> bool {
        bbox.intersection(&self.rect).area() > 0.9 * bbox.area()
    }

    /// Returns whether `bbox` ends where the region does, inside the picture: the rest of it may lie beyond.
    pub(super) fn cuts(&self, bbox: &Rect, whole: &Rect) -> bool {
        const EDGE: f32 = 2.0;
        let r = &self.rect;
        (bbox.x1 < r.x1 + EDGE && r.x1 > whole.x1)
            || (bbox.y1 < r.y1 + EDGE && r.y1 > whole.y1)
            || (bbox.x2 > r.x2 - EDGE && r.x2 < whole.x2)
            || (bbox.y2 > r.y2 - EDGE && r.y2 < whole.y2)
    }
}

/// Joins regions where one look costs no more than two: those that lie over each other, or near.
fn merge(regions: &mut Vec<Region>) {
    let mut at = 0;
    while at < regions.len() {
        let here = regions[at];
        let joined = |other: &Region| here.with(*other).cost() <= TOGETHER * (here.cost() + other.cost());
        match regions.iter().skip(at + 1).position(joined) {
            Some(found) => {
                let other = regions.remove(at + 1 + found);
                regions[at] = here.with(other);
                // Larger now, it may lie over one that it did not before.
                at = 0;
            }
            None => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::{Calibration, Embedding};
    use crate::engine::Embedder;
    use crate::frame::ChannelOrder;
    use crate::gallery::Gallery;
    use crate::geometry::Point;
    use crate::tracking::Tracker;
    use crate::types::{ModelId, Threshold};

    fn at(ms: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(ms)
    }

    /// Returns a gray 640x360 picture with a bright square.
    fn picture(square: Option<(usize, usize, usize)>) -> Frame<'static> {
        let mut pixels = vec![90; 640 * 360 * 3];
        if let Some((left, top, side)) = square {
            for y in top..top + side {
                pixels[(y * 640 + left) * 3..(y * 640 + left + side) * 3].fill(190);
            }
        }
        Frame::new(pixels, 640, 360, ChannelOrder::Rgb).unwrap()
    }

    fn plan(scan_plan: &mut ScanPlan, frame: &Frame<'_>, tracks: &[Track], ms: i64) -> Scan {
        scan_plan.plan(frame, tracks, None, &ScanOptions::default(), at(ms))
    }

    #[test]
    fn an_empty_corridor_is_looked_at_every_twenty_seconds() {
        let mut scan_plan = ScanPlan::default();
        let looks: Vec<_> = (0..201).map(|n| plan(&mut scan_plan, &picture(None), &[], n * 200)).collect();
        let whole: Vec<_> = (0..looks.len()).filter(|n| looks[*n] == Scan::Everywhere(None)).collect();
        assert_eq!(whole, [0, 100, 200]);
        assert!(looks.iter().all(|look| !matches!(look, Scan::At(_))));
    }

    #[test]
    fn what_moves_is_looked_at_and_not_the_rest() {
        let mut scan_plan = ScanPlan::default();
        plan(&mut scan_plan, &picture(None), &[], 0);
        let Scan::At(regions) = plan(&mut scan_plan, &picture(Some((100, 100, 60))), &[], 500) else { panic!() };
        assert_eq!(regions.len(), 1);
        assert!(regions[0].shows(&Rect::new(100.0, 100.0, 160.0, 160.0)), "{regions:?}");
        assert!(regions[0].rect.area() < 0.2 * 640.0 * 360.0, "{regions:?}");
        // And not with every picture.
        assert_eq!(plan(&mut scan_plan, &picture(Some((110, 100, 60))), &[], 700), Scan::Nowhere);
    }

    #[test]
    fn a_followed_face_is_looked_for_where_it_moves_and_rarely_where_it_does_not() {
        let mut scan_plan = ScanPlan::default();
        let mut tracker = Tracker::default();
        let face = |x: f32| Rect::new(x, 100.0, x + 60.0, 160.0);
        plan(&mut scan_plan, &picture(Some((100, 100, 60))), &[], 0);
        let id = tracker.update(&[face(100.0)], at(-200))[0];
        tracker.update(&[face(100.0)], at(0));
        let undecided = plan(&mut scan_plan, &picture(Some((100, 100, 60))), tracker.tracks(), 100);
        assert!(matches!(undecided, Scan::At(_)), "{undecided:?}");
        let model = ModelId::new("m");
        let view = Embedding::from_raw(model.clone(), &[1.0, 0.0]).unwrap();
        let nobody = Gallery::new(Embedder { model, dimension: 2, calibration: Calibration::arcface() });
        for _ in 0..3 {
            tracker.see(id, &view, 1.0, &nobody, Threshold::DOCUMENTED, at(100)).unwrap();
        }
        let still = plan(&mut scan_plan, &picture(Some((100, 100, 60))), tracker.tracks(), 200);
        assert_eq!(still, Scan::Nowhere);
        let Scan::At(regions) = plan(&mut scan_plan, &picture(Some((120, 100, 60))), tracker.tracks(), 400) else {
            panic!()
        };
        assert!(regions.len() == 1 && regions[0].shows(&face(120.0)), "{regions:?}");
        assert!(matches!(regions[0].input(), InputSize::Fixed(128..=224)), "{regions:?}");
        for ms in [600, 800] {
            tracker.update_where(&[], at(ms), |_| false);
        }
        assert!(matches!(plan(&mut scan_plan, &picture(Some((120, 100, 60))), tracker.tracks(), 1400), Scan::At(_)));
    }

    #[test]
    fn outside_the_region_of_interest_nothing_counts() {
        let left = [(0.0, 0.0), (0.4, 0.0), (0.4, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
        let interest = RegionOfInterest::new(&left).unwrap();
        let mut scan_plan = ScanPlan::default();
        let mut look =
            |frame: &Frame<'_>, ms| scan_plan.plan(frame, &[], Some(&interest), &ScanOptions::default(), at(ms));
        assert_eq!(look(&picture(None), 0), Scan::Everywhere(Some(Rect::new(0.0, 0.0, 256.0, 360.0))));
        assert_eq!(look(&picture(Some((400, 100, 60))), 500), Scan::Nowhere);
        assert!(matches!(look(&picture(Some((100, 100, 60))), 1000), Scan::At(_)));
    }

    #[test]
    fn regions_over_each_other_become_one() {
        let whole = Rect::new(0.0, 0.0, 640.0, 360.0);
        let face = |x: f32| Region::around(Rect::new(x, 100.0, x + 60.0, 160.0), 60.0, AROUND, &whole);
        let mut regions = vec![face(100.0), face(400.0), face(130.0)];
        merge(&mut regions);
        assert_eq!(regions.len(), 2);
        assert!(regions[0].shows(&Rect::new(100.0, 100.0, 190.0, 160.0)));
    }

    #[test]
    fn a_clock_set_back_does_not_stop_the_looking() {
        let mut scan_plan = ScanPlan::default();
        plan(&mut scan_plan, &picture(None), &[], 100_000);
        assert_eq!(plan(&mut scan_plan, &picture(None), &[], 0), Scan::Everywhere(None));
    }
}
