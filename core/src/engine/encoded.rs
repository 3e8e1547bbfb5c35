//! Pictures as files have them, decoded for an analysis.

use crate::decode::Reducible;
use crate::error::Result;
use crate::geometry::Point;
use crate::preprocess::{Part, Pixels};

impl Pixels for Reducible<'_> {
    fn size(&self) -> [u32; 2] {
        self.size()
    }

    #[expect(clippy::cast_precision_loss, reason = "at most eight")]
    fn part(&mut self, factor: f32) -> Result<Part<'_>> {
        let (frame, factor, [x, y]) = self.part(factor)?;
        Ok(Part { frame, factor: factor as f32, origin: Point::new(-(x as f32), -(y as f32)) })
    }
}
