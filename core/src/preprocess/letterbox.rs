//! Letterboxes: fit whole frames, or regions of them, into a detector's input.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use super::{Normalization, Part};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::geometry::{Point, Rect};

/// How a frame is laid into a detector's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Letterbox {
    /// Input pixels for one frame pixel.
    pub scale: f32,
    /// Where the frame's region begins in the input.
    pub offset: Point,
    /// The region's corner in the frame.
    pub origin: Point,
    /// The input's width.
    pub width: usize,
    /// The input's height.
    pub height: usize,
    resized: (u32, u32),
}

/// Where the picture sits in a detector's input, and what surrounds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// The picture in a corner or in the middle.
    pub anchor: Anchor,
    /// Room around the picture, as a part of its own size on each side.
    pub margin: f32,
    /// The byte that fills the rest.
    pub fill: u8,
    /// Sides are multiples of this.
    pub multiple: usize,
    /// A square input, for models of a fixed size.
    pub shape: InputShape,
}

/// Where the picture sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// In the top left corner.
    TopLeft,
    /// In the middle.
    Center,
}

/// The shape of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputShape {
    /// No larger than the picture needs: an unpadded 16:9 costs 60% of a square.
    Tight,
    /// Square, for models of a fixed size.
    Square,
}

impl Letterbox {
    /// Returns the placement of `region` of a frame in an input whose longer side is `size`.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sides are far below 2^24 and positive"
    )]
    pub fn new(region: &Rect, size: usize, layout: &Layout) -> Self {
        let (width, height) = (region.width().max(1.0), region.height().max(1.0));
        let room = 1.0 + 2.0 * layout.margin;
        let scale = size as f32 / (width.max(height) * room);
        let resized = ((width * scale).round().max(1.0), (height * scale).round().max(1.0));
        let round_up = |side: f32| {
            let multiple = layout.multiple.max(1);
            // A side that a rounding error leaves a hair above a multiple must not grow by a whole one.
            ((side - 0.01).ceil().max(1.0) as usize).div_ceil(multiple) * multiple
        };
        let (input_width, input_height) = match layout.shape {
            InputShape::Square => (size, size),
            InputShape::Tight => (round_up(width * scale * room), round_up(height * scale * room)),
        };
        let offset = match layout.anchor {
            Anchor::TopLeft => Point::new(0.0, 0.0),
            Anchor::Center => Point::new(
                ((input_width as f32 - resized.0) / 2.0).max(0.0).floor(),
                ((input_height as f32 - resized.1) / 2.0).max(0.0).floor(),
            ),
        };
        Self {
            scale,
            offset,
            origin: Point::new(region.x1, region.y1),
            width: input_width,
            height: input_height,
            resized: (resized.0.min(input_width as f32) as u32, resized.1.min(input_height as f32) as u32),
        }
    }

    /// Returns the same placement of a part of the frame's pixels.
    #[must_use]
    pub(crate) fn of(&self, part: &Part<'_>) -> Self {
        let origin = |whole: f32, part_begins: f32| (whole - part_begins) / part.factor;
        let origin = Point::new(origin(self.origin.x, part.origin.x), origin(self.origin.y, part.origin.y));
        Self { scale: self.scale * part.factor, origin, ..*self }
    }

    /// Returns the frame point that lies at `input` in the input.
    #[must_use]
    pub fn to_frame(&self, input: Point) -> Point {
        Point::new(
            (input.x - self.offset.x) / self.scale + self.origin.x,
            (input.y - self.offset.y) / self.scale + self.origin.y,
        )
    }

    /// Returns the frame box that lies at `input` in the input.
    #[must_use]
    pub fn rect_to_frame(&self, input: &Rect) -> Rect {
        let (a, b) = (self.to_frame(Point::new(input.x1, input.y1)), self.to_frame(Point::new(input.x2, input.y2)));
        Rect::new(a.x, a.y, b.x, b.y)
    }
}

/// The buffers that laying frames into an input reuses.
pub struct Letterboxer {
    resizer: Resizer,
    bytes: Vec<u8>,
    input: Vec<f32>,
}

impl Default for Letterboxer {
    fn default() -> Self {
        Self { resizer: Resizer::new(), bytes: Vec::new(), input: Vec::new() }
    }
}

impl Letterboxer {
    /// Fills the input of a detector: 3 x height x width, valid until the next call.
    ///
    /// # Errors
    /// [`Error::Internal`] should the resizer refuse sizes that were checked before.
    pub fn fill(
        &mut self,
        frame: &Frame<'_>,
        placement: &Letterbox,
        layout: &Layout,
        normalize: &Normalization,
    ) -> Result<&[f32]> {
        let (resized_width, resized_height) = placement.resized;
        self.resize(frame, placement)?;
        let plane = placement.width * placement.height;
        self.input.resize(3 * plane, 0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and not negative")]
        let (left, top) = (placement.offset.x as usize, placement.offset.y as usize);
        let channels = normalize.source_channels(frame);
        let source_stride = resized_width as usize * 3;
        for (c, plane) in self.input.chunks_exact_mut(plane).enumerate() {
            let fill = normalize.apply(layout.fill, c);
            let (scale, bias, channel) = (normalize.scale[c], normalize.bias[c], channels[c]);
            for (y, row) in plane.chunks_exact_mut(placement.width).enumerate() {
                let Some(source) = y.checked_sub(top).filter(|y| *y < resized_height as usize) else {
                    row.fill(fill);
                    continue;
                };
                row[..left].fill(fill);
                row[left + resized_width as usize..].fill(fill);
                let source = &self.bytes[source * source_stride..][..source_stride];
                for (value, pixel) in row[left..].iter_mut().zip(source.as_chunks::<3>().0) {
                    *value = f32::from(pixel[channel]) * scale + bias;
                }
            }
        }
        Ok(&self.input)
    }

    fn resize(&mut self, frame: &Frame<'_>, placement: &Letterbox) -> Result<()> {
        let (width, height) = placement.resized;
        let failed = |e: &dyn std::fmt::Display| Error::Internal { reason: format!("resizing a frame: {e}") };
        self.bytes.resize(width as usize * height as usize * 3, 0);
        // With the type of a pixel known here, the resizer is compiled for it alone: for every kind of picture it
        // would be two thirds of this crate's machine code.
        let source = TypedImageRef::<U8x3>::from_buffer(frame.width(), frame.height(), frame.pixels());
        let source = source.map_err(|e| failed(&e))?;
        let mut target = TypedImage::from_buffer(width, height, &mut self.bytes).map_err(|e| failed(&e))?;
        // Down to half, plain interpolation is what the reference implementations do; below it pixels would be
        // skipped, and small faces with them, so every pixel is weighed.
        let algorithm = if placement.scale < 0.5 {
            ResizeAlg::Convolution(FilterType::Bilinear)
        } else {
            ResizeAlg::Interpolation(FilterType::Bilinear)
        };
        let (left, top) = (f64::from(placement.origin.x), f64::from(placement.origin.y));
        let scale = f64::from(placement.scale);
        let options = ResizeOptions::new().resize_alg(algorithm).use_alpha(false).crop(
            left,
            top,
            (f64::from(width) / scale).min(f64::from(frame.width()) - left),
            (f64::from(height) / scale).min(f64::from(frame.height()) - top),
        );
        self.resizer.resize_typed(&source, &mut target, &options).map_err(|e| failed(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_frames::{plain, ramp};
    use super::*;

    #[test]
    fn a_letterbox_brings_points_back_to_the_frame() {
        let layout = Layout { anchor: Anchor::Center, margin: 0.25, fill: 0, multiple: 32, shape: InputShape::Tight };
        let region = Rect::new(0.0, 0.0, 1280.0, 720.0);
        let placement = Letterbox::new(&region, 256, &layout);
        assert_eq!((placement.width, placement.height), (256, 160));
        let corner = placement.to_frame(placement.offset);
        assert!(corner.x.abs() < 1e-3 && corner.y.abs() < 1e-3);
    }

    #[test]
    fn a_tight_letterbox_keeps_the_picture_and_fills_the_rest() {
        let layout = Layout { anchor: Anchor::TopLeft, margin: 0.0, fill: 114, multiple: 32, shape: InputShape::Tight };
        let frame = ramp(64, 40);
        let placement = Letterbox::new(&Rect::new(0.0, 0.0, 64.0, 40.0), 64, &layout);
        assert_eq!((placement.width, placement.height), (64, 64));
        let mut boxer = Letterboxer::default();
        let input = boxer.fill(&frame, &placement, &layout, &plain()).unwrap();
        assert_eq!((input[5], input[64 * 64 + 3 * 64], input[50 * 64]), (5.0, 3.0, 114.0));
    }

    #[test]
    fn a_region_is_cut_out_of_the_frame() {
        let layout = Layout { anchor: Anchor::TopLeft, margin: 0.0, fill: 0, multiple: 1, shape: InputShape::Tight };
        let placement = Letterbox::new(&Rect::new(10.0, 20.0, 30.0, 40.0), 20, &layout);
        let mut boxer = Letterboxer::default();
        let input = boxer.fill(&ramp(64, 64), &placement, &layout, &plain()).unwrap().to_vec();
        assert_eq!((input[0], input[400]), (10.0, 20.0));
        assert_eq!(placement.to_frame(Point::new(0.0, 0.0)), Point::new(10.0, 20.0));
    }
}
