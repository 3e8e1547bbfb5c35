//! The gates of yaw: how far the head is turned in each position.

use serde::{Deserialize, Serialize};

use super::position::{Mirrored, Position};
use crate::types::Degrees;

/// The way to turn, in the person's own left and right.
///
/// ```
/// use faceattend_core::liveness::{Gates, Mirrored, Turn};
/// use faceattend_core::{Position, types::Degrees};
///
/// let turn = Gates::default().turn_towards(Position::Left, Degrees(8.0), Mirrored::No);
/// assert_eq!(turn, Turn::FurtherLeft);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Turn {
    /// To the left.
    Left,
    /// To the left already, but not far enough.
    FurtherLeft,
    /// To the right.
    Right,
    /// To the right already, but not far enough.
    FurtherRight,
    /// Straight ahead, coming from the left.
    BackFromLeft,
    /// Straight ahead, coming from the right.
    BackFromRight,
    /// Upwards.
    Up,
    /// Upwards already, but not far enough.
    FurtherUp,
    /// Downwards.
    Down,
    /// Downwards already, but not far enough.
    FurtherDown,
    /// Straight ahead, coming from above.
    BackFromUp,
    /// Straight ahead, coming from below.
    BackFromDown,
}

/// The turns of the head that each position needs or allows.
///
/// ```
/// use faceattend_core::liveness::{Gates, Mirrored};
/// use faceattend_core::{Position, types::Degrees};
///
/// let gates = Gates::default();
/// assert!(gates.admit(Position::Center, Degrees(3.0), Mirrored::No));
/// assert!(gates.admit(Position::Left, Degrees(20.0), Mirrored::No));
/// assert_eq!(gates.range(Position::Left, Mirrored::No), [Degrees(15.0), Degrees(90.0)]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gates {
    /// Center: at most so far to either side. Default 5, as the existing service documents it.
    pub center: Degrees,
    /// Left: further than so far to the person's own left. Default 15, as the existing service documents it.
    pub left: Degrees,
    /// Right: further than so far to the person's own right. Default 15, as the existing service documents it.
    pub right: Degrees,
}

impl Default for Gates {
    fn default() -> Self {
        Self { center: Degrees(5.0), left: Degrees(15.0), right: Degrees(15.0) }
    }
}

/// A turn of 15 degrees beyond the gate is as clear as it needs to be: the real turns measured were of about 25 to 30
/// degrees, and further round the points get unsure.
const CLEAR_TURN_BEYOND_GATE: f32 = 15.0;
/// The confidence at the edge of a gate. The existing page submits its form only above 0.7 (WIRE decision 4).
pub(super) const CONFIDENCE_AT_GATE: f32 = 0.75;

impl Gates {
    /// Returns the position that a head with `yaw` shows, or `None` for a yaw that is no number. Between the gates it
    /// is `Center`, though not yet near enough to pass for it: the existing service answers so.
    ///
    /// ```
    /// use faceattend_core::liveness::{Gates, Mirrored};
    /// use faceattend_core::{Position, types::Degrees};
    ///
    /// let shown = |yaw| Gates::default().shown(Degrees(yaw), Mirrored::No);
    /// assert_eq!(shown(20.0), Some(Position::Left));
    /// assert_eq!(shown(-20.0), Some(Position::Right));
    /// assert_eq!(shown(f32::NAN), None);
    /// ```
    #[must_use]
    pub fn shown(&self, yaw: Degrees, mirrored: Mirrored) -> Option<Position> {
        let own_left = mirrored.to_own_left(yaw.0);
        if own_left.is_nan() {
            None
        } else if own_left > self.left.0 {
            Some(Position::Left)
        } else if own_left < -self.right.0 {
            Some(Position::Right)
        } else {
            Some(Position::Center)
        }
    }

    /// Returns whether `yaw` lies in the gate of `position`.
    ///
    /// ```
    /// use faceattend_core::liveness::{Gates, Mirrored};
    /// use faceattend_core::{Position, types::Degrees};
    ///
    /// let gates = Gates::default();
    /// // Between the gates of two positions a head shows neither well enough.
    /// assert!(!gates.admit(Position::Center, Degrees(8.0), Mirrored::No));
    /// assert!(!gates.admit(Position::Left, Degrees(8.0), Mirrored::No));
    /// ```
    #[must_use]
    pub fn admit(&self, position: Position, yaw: Degrees, mirrored: Mirrored) -> bool {
        match position {
            Position::Center => yaw.0.abs() <= self.center.0,
            Position::Left | Position::Right => self.shown(yaw, mirrored) == Some(position),
            // A head that nods is turned to no side.
            Position::Up | Position::Down => self.shown(yaw, mirrored) == Some(Position::Center),
        }
    }

    /// Returns the yaws, in the frame as received, between which `position` is shown, both as far as 90 degrees to a
    /// side.
    #[must_use]
    pub fn range(&self, position: Position, mirrored: Mirrored) -> [Degrees; 2] {
        let side =
            |from: f32| if from < 0.0 { [Degrees(-90.0), Degrees(from)] } else { [Degrees(from), Degrees(90.0)] };
        match position {
            Position::Center => [Degrees(-self.center.0), self.center],
            Position::Left => side(mirrored.to_own_left(self.left.0)),
            Position::Right => side(-mirrored.to_own_left(self.right.0)),
            Position::Up | Position::Down => match mirrored {
                Mirrored::Yes => [Degrees(-self.left.0), self.right],
                Mirrored::No => [Degrees(-self.right.0), self.left],
            },
        }
    }

    /// Returns how far `yaw` lies outside the gate of `position`, in degrees; 0 inside it, and without bound for no
    /// number.
    #[must_use]
    pub fn outside(&self, position: Position, yaw: Degrees, mirrored: Mirrored) -> f32 {
        if self.admit(position, yaw, mirrored) {
            return 0.0;
        }
        let [from, to] = self.range(position, mirrored);
        let distance = (from.0 - yaw.0).max(yaw.0 - to.0);
        if distance.is_nan() { f32::INFINITY } else { distance.max(0.0) }
    }

    /// Returns how well `yaw` shows `position`: 0 outside the gate; 0.75 at its edge, rising to 1 straight ahead, or
    /// 15 degrees beyond the gate to the sides.
    ///
    /// ```
    /// use faceattend_core::liveness::{Gates, Mirrored};
    /// use faceattend_core::{Position, types::Degrees};
    ///
    /// let confidence = |yaw| Gates::default().confidence(Position::Center, Degrees(yaw), Mirrored::No);
    /// assert_eq!(confidence(0.0), 1.0);
    /// assert_eq!(confidence(5.0), 0.75);
    /// assert_eq!(confidence(6.0), 0.0);
    /// ```
    #[must_use]
    pub fn confidence(&self, position: Position, yaw: Degrees, mirrored: Mirrored) -> f32 {
        if !self.admit(position, yaw, mirrored) {
            return 0.0;
        }
        let turn = yaw.0.abs();
        let inside = match position {
            Position::Center if self.center.0 > 0.0 => 1.0 - turn / self.center.0,
            Position::Center | Position::Up | Position::Down => 1.0,
            Position::Left => (turn - self.left.0) / CLEAR_TURN_BEYOND_GATE,
            Position::Right => (turn - self.right.0) / CLEAR_TURN_BEYOND_GATE,
        };
        CONFIDENCE_AT_GATE + (1.0 - CONFIDENCE_AT_GATE) * inside.clamp(0.0, 1.0)
    }

    /// Returns which way to turn from `yaw` to reach `position`.
    #[must_use]
    pub fn turn_towards(&self, position: Position, yaw: Degrees, mirrored: Mirrored) -> Turn {
        let own_left = mirrored.to_own_left(yaw.0);
        match position {
            Position::Left if own_left > self.center.0 => Turn::FurtherLeft,
            Position::Left => Turn::Left,
            Position::Right if own_left < -self.center.0 => Turn::FurtherRight,
            Position::Right => Turn::Right,
            _ if own_left > 0.0 => Turn::BackFromLeft,
            _ => Turn::BackFromRight,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_left_is_the_image_left_in_a_mirrored_frame_and_its_right_otherwise() {
        let gates = Gates::default();
        assert_eq!(gates.shown(Degrees(-20.0), Mirrored::Yes), Some(Position::Left));
        assert_eq!(gates.shown(Degrees(-20.0), Mirrored::No), Some(Position::Right));
        assert_eq!(gates.shown(Degrees(20.0), Mirrored::Yes), Some(Position::Right));
        assert_eq!(gates.shown(Degrees(20.0), Mirrored::No), Some(Position::Left));
    }

    #[test]
    fn the_edges_of_the_gates_are_those_of_the_wire() {
        let gates = Gates::default();
        let admits = |position, yaw| gates.admit(position, Degrees(yaw), Mirrored::Yes);
        assert!(admits(Position::Center, 5.0) && admits(Position::Center, -5.0) && !admits(Position::Center, 5.01));
        assert!(!admits(Position::Left, -15.0) && admits(Position::Left, -15.01));
        assert!(!admits(Position::Right, 15.0) && admits(Position::Right, 15.01));
        assert_eq!(gates.shown(Degrees(8.0), Mirrored::Yes), Some(Position::Center));
    }

    #[test]
    fn a_yaw_that_is_no_number_shows_nothing() {
        let gates = Gates::default();
        assert_eq!(gates.shown(Degrees(f32::NAN), Mirrored::Yes), None);
        for position in Position::ALL {
            assert!(!gates.admit(position, Degrees(f32::NAN), Mirrored::Yes), "{position}");
            assert_eq!(gates.confidence(position, Degrees(f32::NAN), Mirrored::Yes), 0.0);
        }
    }

    #[test]
    fn every_frame_inside_a_gate_is_confident_enough_for_the_page() {
        let gates = Gates::default();
        for step in -600..=600_i16 {
            let yaw = Degrees(f32::from(step) / 10.0);
            for position in Position::ALL {
                let confidence = gates.confidence(position, yaw, Mirrored::Yes);
                assert!((0.0..=1.0).contains(&confidence));
                assert_eq!(
                    confidence > 0.7,
                    gates.admit(position, yaw, Mirrored::Yes),
                    "{position} {yaw}: {confidence}"
                );
            }
        }
    }

    #[test]
    fn gates_tell_their_range_and_the_way_to_it() {
        let gates = Gates::default();
        assert_eq!(gates.range(Position::Left, Mirrored::Yes), [Degrees(-90.0), Degrees(-15.0)]);
        assert_eq!(gates.range(Position::Left, Mirrored::No), [Degrees(15.0), Degrees(90.0)]);
        assert_eq!(gates.outside(Position::Left, Degrees(-12.0), Mirrored::Yes), 3.0);
        assert_eq!(gates.outside(Position::Center, Degrees(8.0), Mirrored::Yes), 3.0);
        assert_eq!(gates.outside(Position::Right, Degrees(20.0), Mirrored::Yes), 0.0);
        assert!(gates.outside(Position::Right, Degrees(f32::NAN), Mirrored::Yes).is_infinite());
    }

    #[test]
    fn advice_points_the_right_way() {
        let gates = Gates::default();
        let turn = |position, yaw| gates.turn_towards(position, Degrees(yaw), Mirrored::Yes);
        assert_eq!(turn(Position::Left, -10.0), Turn::FurtherLeft);
        assert_eq!(turn(Position::Left, 20.0), Turn::Left);
        assert_eq!(turn(Position::Right, 10.0), Turn::FurtherRight);
        assert_eq!(turn(Position::Center, -20.0), Turn::BackFromLeft);
        assert_eq!(gates.turn_towards(Position::Center, Degrees(-20.0), Mirrored::No), Turn::BackFromRight);
    }
}
