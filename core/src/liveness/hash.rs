//! The hash of what a session remembers of frames and cameras.

/// Takes `value` into `hash`. The result is the same on every machine and in every release, because it is stored.
pub(super) fn mix(hash: u64, value: u64) -> u64 {
    // The multiplier of Steele, Lea and Flood's SplitMix generators, 2^64 over the golden ratio.
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    (hash.rotate_left(23) ^ value).wrapping_mul(MULTIPLIER)
}
