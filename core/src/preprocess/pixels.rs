//! Where a stage takes its pixels from.

use crate::error::Result;
use crate::frame::Frame;
use crate::geometry::Point;

/// A picture that may have smaller versions of itself for less.
pub(crate) trait Pixels {
    /// Returns the width and the height of the whole picture.
    fn size(&self) -> [u32; 2];

    /// Returns pixels that each stand for `factor` of the whole picture's at most, across and down.
    ///
    /// # Errors
    /// Where they are decoded now, and cannot be.
    fn part(&mut self, factor: f32) -> Result<Part<'_>>;
}

/// Pixels of a picture, and where they lie in the whole of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    /// The pixels.
    pub(crate) frame: &'a Frame<'a>,
    /// The pixels of the whole picture that each stands for, across and down.
    pub(crate) factor: f32,
    /// Where the first of them begins, in pixels of the whole picture: at its corner, or a little before.
    pub(crate) origin: Point,
}

impl Pixels for &Frame<'_> {
    fn size(&self) -> [u32; 2] {
        [self.width(), self.height()]
    }

    fn part(&mut self, _: f32) -> Result<Part<'_>> {
        Ok(Part { frame: self, factor: 1.0, origin: Point::new(0.0, 0.0) })
    }
}
