//! Which way people go who pass a camera.

/// Which way people go who pass a camera.
///
/// ```
/// use faceattend_core::recognition::Direction;
///
/// // A camera marks whoever comes; people who leave say so, as at a kiosk.
/// assert_eq!(Direction::default(), Direction::Arriving);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// They arrive, or leave when the timetable expects it.
    #[default]
    Arriving,
    /// They leave, and have said so.
    Leaving,
}
