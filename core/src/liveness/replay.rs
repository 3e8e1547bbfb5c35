//! Recognizes frames that were seen before.

use serde::{Deserialize, Serialize};

use super::face_hash::FaceHash;
use super::perceptual_hash::PerceptualHash;
use crate::types::Degrees;

/// A frame as others of its like are told by: how it looks, and which way the head in it points. Pictures of little
/// detail look alike whatever they show; two readings of one picture agree.
///
/// ```
/// use faceattend_core::liveness::frame_hash;
/// use faceattend_core::{AnalyzeOptions, Engine, Frame, LivenessOptions, LivenessSession, SessionId, Timestamp};
///
/// let engine = Engine::new()?;
/// let frame = Frame::open("../examples/media/hopper/center.jpg")?;
/// let analysis = engine.analyze(&frame, &AnalyzeOptions::default())?;
/// let session = LivenessSession::new(SessionId::random(), None, LivenessOptions::default(), Timestamp::now());
/// let seen = session.looks(&analysis, &frame_hash(&frame)).expect("one face with a pose");
/// assert!(seen.is_like(&seen));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeenFrame {
    /// How it looks.
    pub perceptual: PerceptualHash,
    /// The measured yaw, in the frame as received.
    pub yaw: Degrees,
}

/// How far apart the yaws of one picture may be read after it was compressed again or halved, in degrees: of 180 such
/// pictures the default pack moved none by more than 2.7.
const SAME_YAW: f32 = 3.0;

impl SeenFrame {
    /// Returns the yaws between which frames like this one lie, for a store's index.
    #[must_use]
    pub fn like_yaws(&self) -> [Degrees; 2] {
        [Degrees(self.yaw.0 - SAME_YAW), Degrees(self.yaw.0 + SAME_YAW)]
    }

    /// Returns whether `other` is this frame, perhaps compressed again or scaled.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        (self.yaw.0 - other.yaw.0).abs() <= SAME_YAW && self.perceptual.is_like(&other.perceptual)
    }

    /// Returns whether `other` is this frame as a mirror shows it, perhaps compressed again or scaled.
    #[must_use]
    pub fn is_mirror_of(&self, other: &Self) -> bool {
        // A picture that is its own mirror image shows a head that looks ahead, which is no fraud.
        (self.yaw.0 + other.yaw.0).abs() <= 2.0 * SAME_YAW
            && self.perceptual.mirrored().is_like(&other.perceptual)
            && !self.perceptual.is_like(&other.perceptual)
    }
}

/// How many exact hashes a session keeps: the last 50 seconds at the page's five frames a second. Bounded, because
/// whoever sends frames must not be able to fill the store.
const KEPT: usize = 256;
/// How many frames it knows by their looks: the last 13 seconds.
const KEPT_LOOKS: usize = 64;

/// The frames that have counted in a session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct CountedFrames {
    hashes: Vec<u64>,
}

impl CountedFrames {
    pub(super) fn contain(&self, hash: u64) -> bool {
        self.hashes.contains(&hash)
    }

    pub(super) fn add(&mut self, hash: u64) {
        if self.hashes.len() >= KEPT {
            self.hashes.remove(0);
        }
        self.hashes.push(hash);
    }
}

/// A frame as its own session keeps it to tell others of its like: its looks, and those of its face.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Looks {
    #[serde(flatten)]
    pub(super) seen: SeenFrame,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) face: Option<PerceptualHash>,
}

/// Beyond which yaw a face is asymmetric enough to be told from its mirror image, in degrees: half of the way to the
/// gates of the sides.
const ASYMMETRIC: f32 = 7.5;

impl Looks {
    /// Returns whether `other`, with `face`, is this frame as a mirror shows it, also cropped, scaled, shifted, turned
    /// a little, lighter or darker.
    fn is_mirror_of(&self, other: &SeenFrame, face: Option<&FaceHash>) -> bool {
        let (yaw, opposite) = (self.seen.yaw.0, other.yaw.0);
        let turned = yaw.abs().min(opposite.abs()) > ASYMMETRIC && yaw * opposite < 0.0;
        let faces = || face.zip(self.face.as_ref()).is_some_and(|(face, crop)| face.is_mirror_of(crop));
        self.seen.is_mirror_of(other) || (turned && faces())
    }
}

/// The looks of the frames that a session has judged.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct SeenFrames {
    frames: Vec<Looks>,
}

impl SeenFrames {
    pub(super) fn contain(&self, frame: &Looks) -> bool {
        self.frames.iter().any(|known| known.seen.is_like(&frame.seen))
    }

    pub(super) fn contain_mirror_of(&self, frame: &SeenFrame, face: Option<&FaceHash>) -> bool {
        self.frames.iter().any(|known| known.is_mirror_of(frame, face))
    }

    pub(super) fn add(&mut self, frame: Looks) {
        if self.frames.len() >= KEPT_LOOKS {
            self.frames.remove(0);
        }
        self.frames.push(frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_hashes_are_kept() {
        let mut counted = CountedFrames::default();
        let mut seen = SeenFrames::default();
        for hash in 0..1000 {
            counted.add(hash);
            let perceptual = PerceptualHash::from_bytes(&hash.to_le_bytes().repeat(9)).unwrap();
            seen.add(Looks { seen: SeenFrame { perceptual, yaw: Degrees(0.0) }, face: None });
        }
        assert_eq!((counted.hashes.len(), seen.frames.len()), (KEPT, KEPT_LOOKS));
        assert!(counted.contain(999) && !counted.contain(0));
    }

    #[test]
    fn looks_are_read_as_releases_without_a_face_in_them_wrote_them() {
        let perceptual = PerceptualHash::from_bytes(&[7; 72]).unwrap();
        let seen = SeenFrame { perceptual, yaw: Degrees(20.0) };
        let old: Looks = serde_json::from_value(serde_json::to_value(seen).unwrap()).unwrap();
        assert_eq!(old, Looks { seen, face: None });
        let new = Looks { face: Some(perceptual), ..old };
        assert_eq!(serde_json::from_value::<Looks>(serde_json::to_value(new).unwrap()).unwrap(), new);
    }
}
