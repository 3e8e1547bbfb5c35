//! Did the head turn, or was a picture of it turned?
//!
//! The nose stands out from the plane of eyes and mouth, so on a real head it moves against them; the nose offset of
//! [`crate::pose::Pose`] measures just that. It is affine-invariant: a flat print keeps its offset however it is held.

use super::challenge::{Mirrored, Position};

/// By how much the nose moved from center to `side`, positive when it moved to the side that was asked for.
pub(super) fn nose_shift(center_offset: f32, side_offset: f32, side: Position, mirrored: Mirrored) -> f32 {
    let to_own_left = mirrored.to_own_left(side_offset - center_offset);
    match side {
        Position::Left => to_own_left,
        Position::Right => -to_own_left,
        Position::Center => 0.0,
    }
}

/// How clear a shift is, in [0, 1]: .5 at the threshold, 1 from twice that on.
pub(super) fn clearness(shift: f32, min_shift: f32) -> f32 {
    if min_shift > 0.0 { (shift / (2.0 * min_shift)).clamp(0.0, 1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_counts_only_towards_the_side_asked_for() {
        let shift = |side, mirrored| nose_shift(0.05, 0.45, side, mirrored);
        assert!((shift(Position::Right, Mirrored::Yes) - 0.4).abs() < 1e-6);
        assert!((shift(Position::Left, Mirrored::Yes) + 0.4).abs() < 1e-6);
        assert!((shift(Position::Left, Mirrored::No) - 0.4).abs() < 1e-6);
        assert_eq!(shift(Position::Center, Mirrored::No), 0.0);
    }

    #[test]
    fn clearness_is_half_at_the_threshold_and_whole_at_twice() {
        assert_eq!(clearness(0.2, 0.2), 0.5);
        assert_eq!(clearness(0.9, 0.2), 1.0);
        assert_eq!(clearness(0.0, 0.0), 1.0);
    }
}
