//! The frames of a session as one stream: the track of the face, the smoothing over it, and frozen cameras.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::perceptual_hash::PerceptualHash;
use super::position::Position;
use super::stored_embedding;
use crate::embedding::Embedding;
use crate::geometry::Rect;
use crate::types::{Cosine, Degrees};

/// How long a face may be out of sight within one track: long enough for a client of two frames a second and one
/// missed detection, short enough that nobody changes seats.
const MAX_GAP: SignedDuration = SignedDuration::from_millis(1500);
/// By how much all pauses of a track together may exceed [`MAX_GAP`] by the arrival of the frames when their capture
/// times, which the client claims, show smaller gaps. A network that stands still for 2.5 seconds and then brings
/// everything is made good once in a track; frames that come a second late make no pause of that length and cost
/// nothing. It does not fill up again: a client that could earn it back by claims would have it before every change of
/// a picture.
const EXCUSED: SignedDuration = SignedDuration::from_millis(1000);
/// How much two consecutive boxes of one face must share, at least. At five frames a second a head that turns moves by
/// a small part of its width, while another head elsewhere shares nothing.
const MIN_OVERLAP: f32 = 0.1;
/// How many glimpses are kept: as many as smoothing may ask for.
const KEPT: usize = 8;
/// How far the capture time may lie ahead of now: clocks of one site differ by seconds.
const MAX_AHEAD: SignedDuration = SignedDuration::from_secs(60);
/// From which cosine two frames that look alike as pictures show one and the same picture. A still that was
/// compressed again measured 0.988 to 0.999 with the default pack (105 steps of three people, JPEG 60 to 95), one
/// under sensor noise 0.994 and more. A living face alone reaches that too (0.061 of 523 steps reach 0.99), but not
/// in a picture that stays.
const ALIKE_AND_STILL: f32 = 0.985;

/// One reading of the face.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Glimpse {
    /// When it was captured: as its source says, or when it arrived.
    pub(super) at: Timestamp,
    /// When it arrived, for a client at a distance, whose word on `at` is not enough.
    #[serde(default)]
    pub(super) arrived: Option<Timestamp>,
    pub(super) bbox: Rect,
    pub(super) yaw: Degrees,
    #[serde(default)]
    pub(super) pitch: Degrees,
    pub(super) nose_offset: f32,
}

/// What is known of the frames so far, in bounded memory.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Stream {
    /// The latest readings of the track, oldest first.
    track: Vec<Glimpse>,
    /// How much of [`EXCUSED`] the track has used up.
    excused: SignedDuration,
    last: Option<LastEmbedding>,
    /// How the frame of `last` looked.
    last_looks: Option<PerceptualHash>,
    /// How many frames in a row have shown one picture.
    still: u32,
    newest_capture: Option<Timestamp>,
    /// Whether the head has been ahead since the last step passed: until then it may still be where that step was.
    returned: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct LastEmbedding(#[serde(with = "stored_embedding")] Embedding);

/// What a capture time says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CaptureTime {
    Advances,
    /// It lies before that of an earlier frame: the frame was overtaken.
    Overtaken,
    /// It is another frame's, or lies ahead of now.
    Impossible,
}

impl Stream {
    /// Returns whether `glimpse` goes on with the track; the first one does.
    pub(super) fn follows(&self, glimpse: &Glimpse) -> bool {
        self.track.last().is_none_or(|last| {
            glimpse.at.duration_since(last.at) <= MAX_GAP
                && self.excused.saturating_add(pause(last, glimpse)) <= EXCUSED
                && last.bbox.iou(&glimpse.bbox) >= MIN_OVERLAP
        })
    }

    /// Takes a reading in, as the next of the track or as the first of another.
    pub(super) fn take(&mut self, glimpse: Glimpse) {
        if self.follows(&glimpse) {
            let pause = self.track.last().map_or(SignedDuration::ZERO, |last| pause(last, &glimpse));
            self.excused = self.excused.saturating_add(pause);
        } else {
            self.track.clear();
            self.excused = SignedDuration::ZERO;
        }
        if self.track.len() >= KEPT {
            self.track.remove(0);
        }
        self.track.push(glimpse);
    }

    /// Forgets all readings but the last, with which the track goes on: what comes next is another position's.
    pub(super) fn forget_window(&mut self) {
        self.track.drain(..self.track.len().saturating_sub(1));
    }

    /// Notes that a step has passed: until the head has been ahead again it may stay where the step was.
    pub(super) fn step_passed(&mut self) {
        self.forget_window();
        self.returned = false;
    }

    /// Takes a reading in and returns whether the head has turned to a side that was not asked for. Two readings of one
    /// track must show it in a row, and a side where the head still is from the step `before` does not count.
    pub(super) fn turns_wrong(
        &mut self,
        shown: impl Fn(&Glimpse) -> Option<Position>,
        latest: &Glimpse,
        asked: Position,
        before: Option<Position>,
    ) -> bool {
        let Some(side) = shown(latest) else { return false };
        if side == Position::Center {
            self.returned = true;
            return false;
        }
        let twice = self.follows(latest) && self.track.last().is_some_and(|last| shown(last) == Some(side));
        twice && side != asked && (self.returned || Some(side) != before)
    }

    /// Returns the median of the pitch as [`Self::smoothed`] does of the yaw.
    pub(super) fn smoothed_pitch(&self, latest: &Glimpse, frames: u32) -> Option<Degrees> {
        self.window(latest, frames).map(|window| Degrees(median(window.map(|g| g.pitch.0))))
    }

    /// Returns the last `frames` readings of the track, `latest` included.
    fn window<'a>(&'a self, latest: &'a Glimpse, frames: u32) -> Option<impl Iterator<Item = &'a Glimpse> + Clone> {
        let earlier = (frames as usize).checked_sub(1)?;
        let from = self.track.len().checked_sub(earlier)?;
        if earlier > 0 && !self.follows(latest) {
            return None;
        }
        Some(self.track[from..].iter().chain([latest]))
    }

    /// Returns the medians of yaw and nose offset over the last `frames` readings, `latest` included; `None` while
    /// there are fewer.
    pub(super) fn smoothed(&self, latest: &Glimpse, frames: u32) -> Option<(Degrees, f32)> {
        let window = self.window(latest, frames)?;
        Some((Degrees(median(window.clone().map(|g| g.yaw.0))), median(window.map(|g| g.nose_offset))))
    }

    /// Takes a frame in; returns how many frames in a row have shown one picture by now, itself not counted. Two
    /// frames do when their embeddings reach `frozen`, or when they look alike and their embeddings almost reach it.
    pub(super) fn stand_still(&mut self, embedding: &Embedding, looks: &PerceptualHash, frozen: Cosine) -> u32 {
        let alike = self.last_looks.as_ref().is_some_and(|last| last.is_like(looks));
        let least = if alike { Cosine(frozen.0.min(ALIKE_AND_STILL)) } else { frozen };
        let same = self.last.as_ref().is_some_and(|last| last.0.cosine(embedding).is_ok_and(|cosine| cosine >= least));
        self.still = if same { self.still.saturating_add(1) } else { 0 };
        self.last = Some(LastEmbedding(embedding.clone()));
        self.last_looks = Some(*looks);
        self.still
    }

    /// Returns what the capture time of a new frame says.
    pub(super) fn capture_time(&self, captured_at: Timestamp, now: Timestamp) -> CaptureTime {
        if captured_at.duration_since(now) > MAX_AHEAD || self.newest_capture == Some(captured_at) {
            CaptureTime::Impossible
        } else if self.newest_capture.is_some_and(|newest| captured_at < newest) {
            CaptureTime::Overtaken
        } else {
            CaptureTime::Advances
        }
    }

    pub(super) fn captured(&mut self, captured_at: Timestamp, now: Timestamp) {
        // A time ahead of now must not make every honest frame after it look overtaken.
        if captured_at.duration_since(now) <= MAX_AHEAD {
            self.newest_capture = self.newest_capture.max(Some(captured_at));
        }
    }
}

/// Returns by how much the pause between the arrivals of two readings exceeds the longest one of a track.
fn pause(last: &Glimpse, next: &Glimpse) -> SignedDuration {
    let Some((last, next)) = last.arrived.zip(next.arrived) else { return SignedDuration::ZERO };
    next.duration_since(last).saturating_sub(MAX_GAP).max(SignedDuration::ZERO)
}

/// Returns the middle value; of an even number the one nearer to the front of the sorted ones. A value that is no
/// number is beyond all others.
fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut sorted: Vec<f32> = values.collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f32::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ModelId;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn glimpse(millis: i64, x: f32, yaw: f32) -> Glimpse {
        Glimpse {
            arrived: None,
            pitch: Degrees(0.0),
            at: at(millis),
            bbox: Rect::new(x, 0.0, x + 100.0, 100.0),
            yaw: Degrees(yaw),
            nose_offset: yaw / 50.0,
        }
    }

    #[test]
    fn one_wrong_reading_does_not_move_the_median() {
        let mut stream = Stream::default();
        stream.take(glimpse(0, 0.0, -20.0));
        assert_eq!(stream.smoothed(&glimpse(200, 0.0, -21.0), 3), None, "too few");
        stream.take(glimpse(200, 0.0, 3.0));
        assert_eq!(stream.smoothed(&glimpse(400, 0.0, -22.0), 3), Some((Degrees(-20.0), -0.4)));
        assert_eq!(stream.smoothed(&glimpse(400, 0.0, -22.0), 1), Some((Degrees(-22.0), -0.44)));
    }

    #[test]
    fn a_gap_or_a_leap_breaks_the_track() {
        let mut stream = Stream::default();
        stream.take(glimpse(0, 0.0, 0.0));
        assert!(stream.follows(&glimpse(1500, 40.0, 0.0)));
        assert!(!stream.follows(&glimpse(1501, 40.0, 0.0)), "out of sight for too long");
        assert!(!stream.follows(&glimpse(200, 95.0, 0.0)), "somewhere else");
        stream.take(glimpse(200, 95.0, 0.0));
        assert_eq!(stream.smoothed(&glimpse(400, 95.0, 0.0), 3), None, "the new track is short");
    }

    #[test]
    fn memory_is_bounded() {
        let mut stream = Stream::default();
        (0..1000).for_each(|i| stream.take(glimpse(i * 100, 0.0, 0.0)));
        assert_eq!(stream.track.len(), KEPT);
    }

    #[test]
    fn a_still_picture_is_counted_and_a_living_face_is_not() {
        let embedding = |angle: f32| Embedding::from_raw(ModelId::new("m"), &[angle.cos(), angle.sin()]).unwrap();
        let counts = |picture: fn(u8) -> u8| {
            let mut stream = Stream::default();
            // Cosines to the one before: 0.99995 twice, 0.961, 0.99995, 0.993.
            [0.0, 0.01, 0.02, 0.3, 0.31, 0.43].into_iter().zip(0..).map(move |(angle, i)| {
                let looks = PerceptualHash::from_bytes(&[picture(i); 72]).unwrap();
                stream.stand_still(&embedding(angle), &looks, Cosine(0.999))
            })
        };
        assert!(counts(|i| if i % 2 == 0 { 0 } else { 255 }).eq([0, 1, 2, 0, 1, 0]), "the picture changes");
        assert!(counts(|_| 0).eq([0, 1, 2, 0, 1, 2]), "the picture stays");
    }

    #[test]
    fn capture_times_advance_or_say_what_is_wrong() {
        let mut stream = Stream::default();
        let now = at(100_000);
        assert_eq!(stream.capture_time(at(99_000), now), CaptureTime::Advances);
        stream.captured(at(99_000), now);
        assert_eq!(stream.capture_time(at(99_000), now), CaptureTime::Impossible);
        assert_eq!(stream.capture_time(at(98_999), now), CaptureTime::Overtaken);
        assert_eq!(stream.capture_time(at(160_001), now), CaptureTime::Impossible);
        stream.captured(at(160_001), now);
        assert_eq!(stream.capture_time(at(99_200), now), CaptureTime::Advances);
    }
}
