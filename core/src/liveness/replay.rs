//! Frames that were seen before.

use serde::{Deserialize, Serialize};

use crate::frame::{ChannelOrder, Frame};

/// The exact hash of a frame's pixels, size and channel order: equal for frames that are equal byte for byte, and the same
/// on every machine and in every release, because it is stored. It is quick rather than cryptographic: whoever can forge
/// a pixel need not forge a hash.
#[must_use]
pub fn frame_hash(frame: &Frame<'_>) -> u64 {
    // The multiplier of Steele, Lea and Flood's SplitMix generators, 2^64 over the golden ratio.
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, value: u64| (hash.rotate_left(23) ^ value).wrapping_mul(MULTIPLIER);
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

/// How many hashes a session keeps: the last 50 seconds at the page's five frames a second. Bounded, because whoever sends
/// frames must not be able to fill the store.
const KEPT: usize = 256;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(pixels: &[u8], width: u32, height: u32, order: ChannelOrder) -> u64 {
        frame_hash(&Frame::new(pixels, width, height, order).unwrap())
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

    #[test]
    fn only_the_last_hashes_are_kept() {
        let mut counted = CountedFrames::default();
        for hash in 0..1000 {
            counted.add(hash);
        }
        assert_eq!(counted.hashes.len(), KEPT);
        assert!(counted.contain(999) && !counted.contain(0));
    }
}
