//! Nods: how far the face looks up or down against the verified center.
//!
//! The pitch of [`crate::pose::Pose`] is read from where the nose lies between the eyes and the mouth. People differ in
//! that by as much as a nod, so only the change against the same face looking straight counts. No affine map changes
//! it: a flat picture does not nod however it is tilted.

use super::gates::Turn;
use super::position::Position;
use crate::types::Degrees;

/// From which change of the read pitch on a head has nodded, in degrees. Two thirds of a turn are read (0.68 of each
/// degree on 551 labeled faces), so it is a nod of about 12 degrees. People who talk and look ahead stay within 5; the
/// figures are in `docs/src/liveness.md` ("Nods").
pub(crate) const NOD: f32 = 8.0;
/// How far the pitch may be from that of the verified center for the head to look straight again, in degrees.
const LEVEL: f32 = 6.0;
/// By how much one reading may lie outside when the median over several lies inside, in degrees: the readings of one
/// person who looks ahead spread by so much about their middle.
pub(super) const READING_ERROR: f32 = 3.0;
/// The least relief between the center and a nod. Less than between the center and a side, because a nod is smaller.
pub(super) const MIN_RELIEF: f32 = 0.045;
/// A nod so far beyond the gate is as clear as it needs to be, in degrees read.
const CLEAR: f32 = 8.0;

/// Returns the change of pitch between which `position` is shown; `None` for a side, which asks for none.
pub(super) fn range(position: Position) -> Option<[Degrees; 2]> {
    match position {
        Position::Center => Some([Degrees(-LEVEL), Degrees(LEVEL)]),
        Position::Up => Some([Degrees(NOD), Degrees(90.0)]),
        Position::Down => Some([Degrees(-90.0), Degrees(-NOD)]),
        Position::Left | Position::Right => None,
    }
}

/// Returns how far `rise` lies outside what shows `position`, in degrees; without bound for no number.
pub(super) fn outside(position: Position, rise: Degrees) -> f32 {
    let Some([from, to]) = range(position) else { return 0.0 };
    let distance = (from.0 - rise.0).max(rise.0 - to.0);
    if distance.is_nan() { f32::INFINITY } else { distance.max(0.0) }
}

/// Returns the nod that a face shows, if its pitch has changed by `beyond` degrees more than it must.
pub(super) fn shown(rise: Degrees, beyond: f32) -> Option<Position> {
    match rise.0 {
        rise if rise >= NOD + beyond => Some(Position::Up),
        rise if rise <= -NOD - beyond => Some(Position::Down),
        _ => None,
    }
}

/// Returns how well `rise` shows a nod, of what lies between the gate and a clear one, in [0, 1].
pub(super) fn clearness(rise: Degrees) -> f32 {
    ((rise.0.abs() - NOD) / CLEAR).clamp(0.0, 1.0)
}

/// Returns which way to nod from `rise` to reach `position`.
pub(super) fn turn_towards(position: Position, rise: Degrees) -> Turn {
    // Half of the way is begun on purpose.
    match position {
        Position::Up if rise.0 > NOD / 2.0 => Turn::FurtherUp,
        Position::Up => Turn::Up,
        Position::Down if rise.0 < -NOD / 2.0 => Turn::FurtherDown,
        Position::Down => Turn::Down,
        _ if rise.0 > 0.0 => Turn::BackFromUp,
        _ => Turn::BackFromDown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_between_the_gates_shows_no_nod() {
        assert_eq!(shown(Degrees(NOD), 0.0), Some(Position::Up));
        assert_eq!(shown(Degrees(-NOD), 0.0), Some(Position::Down));
        assert_eq!(shown(Degrees(NOD), 1.0), None);
        assert_eq!(shown(Degrees(f32::NAN), 0.0), None);
        assert_eq!(outside(Position::Up, Degrees(5.0)), 3.0);
        assert_eq!(outside(Position::Down, Degrees(-9.0)), 0.0);
        assert_eq!(outside(Position::Center, Degrees(-9.0)), 3.0);
        assert_eq!(outside(Position::Left, Degrees(30.0)), 0.0);
        assert!(outside(Position::Up, Degrees(f32::NAN)).is_infinite());
    }

    #[test]
    fn the_way_to_a_nod_is_the_shorter_one() {
        assert_eq!(turn_towards(Position::Up, Degrees(5.0)), Turn::FurtherUp);
        assert_eq!(turn_towards(Position::Up, Degrees(-9.0)), Turn::Up);
        assert_eq!(turn_towards(Position::Down, Degrees(-5.0)), Turn::FurtherDown);
        assert_eq!(turn_towards(Position::Center, Degrees(9.0)), Turn::BackFromUp);
    }
}
