//! What is wrong with a camera when nobody before it is named, in a code and in words.

use std::fmt;

use jiff::SignedDuration;

use crate::camera::Orientation;

/// What keeps a camera from naming people. `Display` says what to do about it.
///
/// ```
/// use faceattend_core::camera::Orientation;
/// use faceattend_core::recognition::CameraProblem;
///
/// let problem = CameraProblem::turned(Orientation::HalfTurn);
/// assert_eq!(problem.code(), "turned");
/// assert!(problem.to_string().contains("180"), "{problem}");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CameraProblem {
    /// Its pictures are so far apart that somebody left unnamed, or unmarked for want of signs of life.
    TooSlow {
        /// The time between two pictures, in the median.
        apart: SignedDuration,
    },
    /// Every face of the last minute was turned.
    Turned {
        /// How the pictures have to be turned to be upright.
        by: Orientation,
        /// The orientation that does it, in place of the one that the camera has.
        set: Orientation,
    },
}

impl CameraProblem {
    /// Creates the problem of a camera whose pictures have to be turned like this, and are not turned yet.
    #[must_use]
    pub fn turned(by: Orientation) -> Self {
        Self::Turned { by, set: by }
    }

    /// Returns the same problem for a camera that has this orientation already.
    ///
    /// ```
    /// use faceattend_core::camera::Orientation;
    /// use faceattend_core::recognition::CameraProblem;
    ///
    /// let problem = CameraProblem::turned(Orientation::HalfTurn).for_camera(Orientation::Clockwise);
    /// assert!(problem.to_string().ends_with("to 270"), "{problem}");
    /// ```
    #[must_use]
    pub fn for_camera(self, has: Orientation) -> Self {
        match self {
            Self::Turned { by, .. } => Self::Turned { by, set: has.then(by) },
            Self::TooSlow { .. } => self,
        }
    }

    /// Returns the stable code, in snake case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooSlow { .. } => "too_slow",
            Self::Turned { .. } => "turned",
        }
    }
}

impl fmt::Display for CameraProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSlow { apart } => write!(
                f,
                "too slow: a picture every {:.1} s. People who pass are seen too seldom to be named or to show that \
                 they are alive. Two pictures a second are the least, five or more are better",
                apart.as_secs_f32()
            ),
            Self::Turned { by, set } => write!(
                f,
                "turned: every face of the last minute was {}. Set the orientation of this camera to {}",
                match by.degrees() {
                    180 => "upside down",
                    _ => "on its side",
                },
                set.degrees()
            ),
        }
    }
}
