//! The mounting of a camera: upside down, on its side, or mirrored.

use std::time::Duration;

use super::frame_source::FrameSource;
use crate::error::{Error, Result};
use crate::frame::Frame;

/// The turn that sets a picture upright, numbered as in EXIF.
///
/// ```
/// use faceattend_core::camera::Orientation;
/// use faceattend_core::{ChannelOrder, Frame};
///
/// let frame = Frame::new(vec![1, 1, 1, 2, 2, 2], 2, 1, ChannelOrder::Rgb)?;
/// let turned = Orientation::HalfTurn.apply(frame)?;
/// assert_eq!(turned.rgb(0, 0), Some([2, 2, 2]));
/// assert!(Orientation::from_exif(9).is_err());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Orientation {
    /// As it is (EXIF 1).
    #[default]
    Upright,
    /// Mirrored left to right (2).
    Mirrored,
    /// By half a turn (3).
    HalfTurn,
    /// Mirrored top to bottom (4).
    HalfTurnMirrored,
    /// A quarter clockwise and mirrored (5).
    ClockwiseMirrored,
    /// A quarter clockwise (6).
    Clockwise,
    /// A quarter counter-clockwise and mirrored (7).
    CounterclockwiseMirrored,
    /// A quarter counter-clockwise (8).
    Counterclockwise,
}

impl Orientation {
    /// Returns the orientation of this EXIF value.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless it lies between 1 and 8.
    pub fn from_exif(value: u8) -> Result<Self> {
        Ok(match value {
            1 => Self::Upright,
            2 => Self::Mirrored,
            3 => Self::HalfTurn,
            4 => Self::HalfTurnMirrored,
            5 => Self::ClockwiseMirrored,
            6 => Self::Clockwise,
            7 => Self::CounterclockwiseMirrored,
            8 => Self::Counterclockwise,
            _ => return Err(Error::invalid_input("orientation", format!("{value} is not between 1 and 8"))),
        })
    }

    /// Returns the orientation of a camera whose pictures have to be turned clockwise by so many degrees.
    ///
    /// ```
    /// use faceattend_core::camera::Orientation;
    ///
    /// assert_eq!(Orientation::from_degrees(270)?, Orientation::Counterclockwise);
    /// assert_eq!(Orientation::from_degrees(180)?.mirrored(), Orientation::HalfTurnMirrored);
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless it is 0, 90, 180 or 270.
    pub fn from_degrees(degrees: i64) -> Result<Self> {
        Ok(match degrees {
            0 => Self::Upright,
            90 => Self::Clockwise,
            180 => Self::HalfTurn,
            270 => Self::Counterclockwise,
            _ => return Err(Error::invalid_input("orientation", format!("{degrees} is none of 0, 90, 180, 270"))),
        })
    }

    /// Returns by how many degrees clockwise pictures are turned: 0, 90, 180 or 270.
    #[must_use]
    pub fn degrees(self) -> u16 {
        match self {
            Self::Upright | Self::Mirrored => 0,
            Self::Clockwise | Self::ClockwiseMirrored => 90,
            Self::HalfTurn | Self::HalfTurnMirrored => 180,
            Self::Counterclockwise | Self::CounterclockwiseMirrored => 270,
        }
    }

    /// Returns whether pictures are mirrored left to right once they are turned.
    #[must_use]
    pub fn is_mirrored(self) -> bool {
        matches!(
            self,
            Self::Mirrored | Self::ClockwiseMirrored | Self::HalfTurnMirrored | Self::CounterclockwiseMirrored
        )
    }

    /// Returns the same turn with the picture mirrored left to right, or no longer mirrored, once it is turned.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Upright => Self::Mirrored,
            Self::Mirrored => Self::Upright,
            Self::HalfTurn => Self::HalfTurnMirrored,
            Self::HalfTurnMirrored => Self::HalfTurn,
            Self::ClockwiseMirrored => Self::Clockwise,
            Self::Clockwise => Self::ClockwiseMirrored,
            Self::CounterclockwiseMirrored => Self::Counterclockwise,
            Self::Counterclockwise => Self::CounterclockwiseMirrored,
        }
    }

    /// Returns the orientation that does as this one and then as `next`.
    ///
    /// ```
    /// use faceattend_core::camera::Orientation;
    ///
    /// assert_eq!(Orientation::Clockwise.then(Orientation::HalfTurn), Orientation::Counterclockwise);
    /// assert_eq!(Orientation::ClockwiseMirrored.then(Orientation::Clockwise), Orientation::Mirrored);
    /// ```
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        // A turn of a mirrored picture is one the other way before the mirror.
        let turn = if self.is_mirrored() { 360 - next.degrees() } else { next.degrees() };
        let turned = match (self.degrees() + turn) % 360 {
            90 => Self::Clockwise,
            180 => Self::HalfTurn,
            270 => Self::Counterclockwise,
            _ => Self::Upright,
        };
        if self.is_mirrored() == next.is_mirrored() { turned } else { turned.mirrored() }
    }

    /// Turns the frame upright, with its capture time.
    ///
    /// # Errors
    /// None that a frame can cause; the result is checked like any frame.
    pub fn apply(self, frame: Frame<'static>) -> Result<Frame<'static>> {
        if self == Self::Upright {
            return Ok(frame);
        }
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let lies = matches!(
            self,
            Self::Clockwise | Self::ClockwiseMirrored | Self::Counterclockwise | Self::CounterclockwiseMirrored
        );
        let (across, down) = if lies { (height, width) } else { (width, height) };
        let mut turned = Vec::with_capacity(frame.pixels().len());
        for y in 0..down {
            for x in 0..across {
                // Where this pixel of the upright picture lies in the picture as it came.
                let (from_x, from_y) = match self {
                    Self::Upright => (x, y),
                    Self::Mirrored => (width - 1 - x, y),
                    Self::HalfTurn => (width - 1 - x, height - 1 - y),
                    Self::HalfTurnMirrored => (x, height - 1 - y),
                    Self::ClockwiseMirrored => (y, x),
                    Self::Clockwise => (y, height - 1 - x),
                    Self::CounterclockwiseMirrored => (width - 1 - y, height - 1 - x),
                    Self::Counterclockwise => (width - 1 - y, x),
                };
                let at = (from_y * width + from_x) * 3;
                turned.extend_from_slice(&frame.pixels()[at..at + 3]);
            }
        }
        let side = |side: usize| u32::try_from(side).unwrap_or(0);
        let upright = Frame::new(turned, side(across), side(down), frame.order())?;
        Ok(match frame.captured_at() {
            Some(at) => upright.with_captured_at(at),
            None => upright,
        })
    }

    /// Wraps a source so that its frames are turned upright.
    pub(super) fn turning(self, source: Box<dyn FrameSource>) -> Box<dyn FrameSource> {
        if self == Self::Upright { source } else { Box::new(Turned { source, orientation: self }) }
    }
}

struct Turned {
    source: Box<dyn FrameSource>,
    orientation: Orientation,
}

impl FrameSource for Turned {
    fn next_frame(&mut self) -> Result<Option<Frame<'static>>> {
        self.source.next_frame()?.map(|frame| self.orientation.apply(frame)).transpose()
    }

    fn skip(&mut self) -> Result<bool> {
        self.source.skip()
    }

    fn frame_interval(&self) -> Option<Duration> {
        self.source.frame_interval()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::ChannelOrder;

    /// 3 x 2: abc over def.
    fn turned(orientation: Orientation) -> (u32, String) {
        let pixels: Vec<u8> = b"abcdef".iter().flat_map(|letter| [*letter; 3]).collect();
        let frame = Frame::new(pixels, 3, 2, ChannelOrder::Rgb).unwrap();
        let turned = orientation.apply(frame).unwrap();
        (turned.width(), turned.pixels().iter().step_by(3).map(|b| char::from(*b)).collect())
    }

    #[test]
    fn every_orientation_turns_as_exif_says() {
        for (value, width, letters) in [
            (1, 3, "abcdef"),
            (2, 3, "cbafed"),
            (3, 3, "fedcba"),
            (4, 3, "defabc"),
            (5, 2, "adbecf"),
            (6, 2, "daebfc"),
            (7, 2, "fcebda"),
            (8, 2, "cfbead"),
        ] {
            assert_eq!(turned(Orientation::from_exif(value).unwrap()), (width, letters.to_owned()), "{value}");
        }
        assert!(Orientation::from_exif(0).is_err() && Orientation::from_exif(9).is_err());
    }

    #[test]
    fn two_orientations_after_each_other_are_one() {
        let all = || (1..=8).map(|value| Orientation::from_exif(value).unwrap());
        let frame = || {
            let pixels: Vec<u8> = b"abcdef".iter().flat_map(|letter| [*letter; 3]).collect();
            Frame::new(pixels, 3, 2, ChannelOrder::Rgb).unwrap()
        };
        for (first, next) in all().flat_map(|first| all().map(move |next| (first, next))) {
            let twice = next.apply(first.apply(frame()).unwrap()).unwrap();
            let once = first.then(next).apply(frame()).unwrap();
            assert_eq!((twice.width(), twice.pixels()), (once.width(), once.pixels()), "{first:?}, {next:?}");
        }
        for orientation in all() {
            let turned = Orientation::from_degrees(orientation.degrees().into()).unwrap();
            assert_eq!(if orientation.is_mirrored() { turned.mirrored() } else { turned }, orientation);
        }
        assert!(Orientation::from_degrees(45).is_err() && Orientation::from_degrees(-90).is_err());
    }
}
