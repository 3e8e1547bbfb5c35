//! The positions of the head, and the sense of left and right.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A position of the head. Left and right are the person's own.
///
/// ```
/// use faceattend_core::Position;
///
/// assert_eq!(Position::parse("left"), Some(Position::Left));
/// assert_eq!(Position::Left.as_str(), "left");
/// assert_eq!(Position::parse("up"), Some(Position::Up));
/// assert_eq!(Position::parse("away"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// Into the camera.
    Center,
    /// To the person's own left.
    Left,
    /// To the person's own right.
    Right,
    /// Upwards, from looking straight: a step of a random order that asks for nods.
    Up,
    /// Downwards, as well.
    Down,
}

impl Position {
    /// The positions whose views a session keeps and every session asks for, in the order of the existing pages.
    pub const ALL: [Self; 3] = [Self::Center, Self::Left, Self::Right];
    /// The positions that only prove a movement: see [`super::Nods`].
    pub const NODS: [Self; 2] = [Self::Up, Self::Down];

    /// Returns whether it is looking up or down.
    #[must_use]
    pub fn is_nod(self) -> bool {
        matches!(self, Self::Up | Self::Down)
    }

    /// Returns the name on the wire: `center`, `left`, `right`, `up` or `down`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Center => "center",
            Self::Left => "left",
            Self::Right => "right",
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// Returns the position that `name` spells on the wire, exactly.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().chain(Self::NODS).find(|position| position.as_str() == name)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether frames arrive mirrored. It decides which sign of yaw is the person's own left.
///
/// ```
/// use faceattend_core::liveness::Mirrored;
///
/// // A yaw of 20 degrees points to the right edge of the image: the person's own left, unless the frame is mirrored.
/// assert_eq!(Mirrored::No.to_own_left(20.0), 20.0);
/// assert_eq!(Mirrored::Yes.to_own_left(20.0), -20.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mirrored {
    /// Flipped: the person's own left is the image's left, yaw is negative there. The existing page sends such frames,
    /// hence the default.
    #[default]
    Yes,
    /// As a camera takes them (RTSP, USB, files): the person's own left is the image's right, yaw is positive there.
    No,
}

impl Mirrored {
    /// Returns how far `image_turn`, positive towards the image's right edge, goes to the person's own left. Serves
    /// degrees of yaw and nose offsets alike.
    #[must_use]
    pub fn to_own_left(self, image_turn: f32) -> f32 {
        match self {
            Self::Yes => -image_turn,
            Self::No => image_turn,
        }
    }
}
