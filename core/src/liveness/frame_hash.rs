//! The hash that a session and a store keep of a frame.

use super::exif::camera_of;
use super::face_hash::FaceHash;
use super::hash::mix;
use super::perceptual_hash::PerceptualHash;
use crate::engine::Analysis;
use crate::frame::{ChannelOrder, Frame};

/// The identity of a frame that a session and a store keep instead of the frame.
///
/// ```
/// use faceattend_core::liveness::frame_hash;
/// use faceattend_core::{AnalyzeOptions, Engine, Frame};
///
/// let bytes = std::fs::read("../examples/media/hopper/center.jpg").expect("a picture");
/// let frame = Frame::decode(&bytes)?;
/// // With the file's own words about its camera, and with the face that an engine saw.
/// let analysis = Engine::new()?.analyze(&frame, &AnalyzeOptions::default())?;
/// let hash = frame_hash(&frame).with_file(&bytes).with_face(&frame, &analysis);
/// assert!(hash.face.is_some());
/// assert_eq!(hash.size, [frame.width(), frame.height()]);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameHash {
    /// Equal for frames that are equal byte for byte.
    pub exact: u64,
    /// Nearly equal for frames that look alike.
    pub perceptual: PerceptualHash,
    /// Nearly equal for pictures of one moment of the largest face, however they are cropped or scaled; `None` before
    /// [`Self::with_face`].
    pub face: Option<FaceHash>,
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// A hash of the camera that the file names in its EXIF (make, model, software); `None` for one that names none.
    pub camera: Option<u64>,
    /// Whether the store has seen its like in another session: [`Self::with_seen_elsewhere`].
    pub seen_elsewhere: bool,
}

impl FrameHash {
    /// Returns the same hash with what the encoded file says about its camera: for a frame that came as a JPEG.
    #[must_use]
    pub fn with_file(mut self, bytes: &[u8]) -> Self {
        self.camera = camera_of(bytes);
        self
    }

    /// Returns the same hash with that of the largest face: what tells a mirrored picture however it is cropped.
    /// Without it a session knows only whole frames that were mirrored.
    #[must_use]
    pub fn with_face(mut self, frame: &Frame<'_>, analysis: &Analysis) -> Self {
        let largest = analysis.faces.iter().max_by(|a, b| a.bbox.area().total_cmp(&b.bbox.area()));
        self.face = largest.and_then(|face| FaceHash::of(frame, face));
        self
    }

    /// Returns the same hash, told whether another session has had a frame like it: what
    /// [`Sessions::frame_seen_elsewhere`](crate::store::Sessions::frame_seen_elsewhere) says.
    #[must_use]
    pub fn with_seen_elsewhere(mut self, seen: bool) -> Self {
        self.seen_elsewhere = seen;
        self
    }
}

/// Returns the hash of a frame's pixels and size. The exact part is the same on every machine and in every release,
/// because it is stored. It is quick rather than cryptographic: whoever can forge a pixel need not forge a hash.
///
/// ```
/// use faceattend_core::liveness::frame_hash;
/// use faceattend_core::{ChannelOrder, Frame};
///
/// let black = Frame::new(vec![0; 300], 10, 10, ChannelOrder::Rgb)?;
/// let gray = Frame::new(vec![9; 300], 10, 10, ChannelOrder::Rgb)?;
/// assert_eq!(frame_hash(&black).exact, frame_hash(&black.view()).exact);
/// assert_ne!(frame_hash(&black).exact, frame_hash(&gray).exact);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[must_use]
pub fn frame_hash(frame: &Frame<'_>) -> FrameHash {
    FrameHash {
        exact: exact_hash(frame),
        perceptual: PerceptualHash::of(frame),
        face: None,
        size: [frame.width(), frame.height()],
        camera: None,
        seen_elsewhere: false,
    }
}

fn exact_hash(frame: &Frame<'_>) -> u64 {
    let order = match frame.order() {
        ChannelOrder::Rgb => 0,
        ChannelOrder::Bgr => 1,
    };
    let mut hash = mix(u64::from(frame.width()) << 32 | u64::from(frame.height()), order);
    let (chunks, rest) = frame.pixels().as_chunks::<8>();
    for chunk in chunks {
        hash = mix(hash, u64::from_le_bytes(*chunk));
    }
    for byte in rest {
        hash = mix(hash, u64::from(*byte));
    }
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(pixels: &[u8], width: u32, height: u32, order: ChannelOrder) -> u64 {
        frame_hash(&Frame::new(pixels, width, height, order).unwrap()).exact
    }

    #[test]
    fn one_bit_anywhere_changes_the_hash() {
        let pixels: Vec<u8> = (0..5 * 3 * 3).collect();
        let original = hash(&pixels, 5, 3, ChannelOrder::Rgb);
        for at in 0..pixels.len() {
            for bit in 0..8 {
                let mut changed = pixels.clone();
                changed[at] ^= 1 << bit;
                assert_ne!(hash(&changed, 5, 3, ChannelOrder::Rgb), original, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn shape_and_order_are_part_of_the_hash() {
        let pixels = [7; 5 * 3 * 3];
        let original = hash(&pixels, 5, 3, ChannelOrder::Rgb);
        assert_ne!(hash(&pixels, 3, 5, ChannelOrder::Rgb), original);
        assert_ne!(hash(&pixels, 5, 3, ChannelOrder::Bgr), original);
    }

    #[test]
    fn the_hash_is_the_same_in_every_release() {
        assert_eq!(hash(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 3, 1, ChannelOrder::Rgb), 5_255_837_244_967_809_344);
    }
}
