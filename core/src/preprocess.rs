//! From the pixels of a frame to the input of a model, in one pass over the crop.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use pulp::{Simd, WithSimd};

use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, Frame};
use crate::geometry::{Affine, Point, Rect};

/// What a model wants of a pixel: value = byte * scale + bias, for each channel in the model's own order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalisation {
    /// The order of the model's channels.
    pub order: ChannelOrder,
    /// What each byte is multiplied by.
    pub scale: [f32; 3],
    /// What is added.
    pub bias: [f32; 3],
}

impl Normalisation {
    /// (byte - mean) / deviation, the same for each channel.
    #[must_use]
    pub fn uniform(order: ChannelOrder, mean: f32, deviation: f32) -> Self {
        Self::per_channel(order, [mean; 3], [deviation; 3])
    }

    /// (byte - mean) / deviation, channel by channel in the model's order.
    #[must_use]
    pub fn per_channel(order: ChannelOrder, mean: [f32; 3], deviation: [f32; 3]) -> Self {
        let mut scale = [1.0; 3];
        let mut bias = [0.0; 3];
        for c in 0..3 {
            scale[c] = 1.0 / deviation[c];
            bias[c] = -mean[c] / deviation[c];
        }
        Self { order, scale, bias }
    }

    fn apply(&self, byte: u8, channel: usize) -> f32 {
        f32::from(byte) * self.scale[channel] + self.bias[channel]
    }

    /// Where each of the model's channels lies in a pixel of `frame`.
    fn source_channels(&self, frame: &Frame<'_>) -> [usize; 3] {
        if frame.order() == self.order { [0, 1, 2] } else { [2, 1, 0] }
    }
}

/// Fills `out` (3 x `size` x `size`, channel by channel) with the crop whose pixel (u, v) is the frame's at
/// `frame_from_crop` (u, v), bilinear; black outside the frame. Pixel centres have whole coordinates, as in OpenCV's
/// `warpAffine`.
pub fn warp(frame: &Frame<'_>, frame_from_crop: &Affine, size: usize, normalise: &Normalisation, out: &mut [f32]) {
    let plane = size * size;
    let Some(out) = out.get_mut(..3 * plane) else { return };
    let (first, rest) = out.split_at_mut(plane);
    let (second, third) = rest.split_at_mut(plane);
    // Exchanging the planes once spares exchanging the channels of every pixel.
    let (mut scale, mut bias) = (normalise.scale, normalise.bias);
    let (first, third) = if frame.order() == normalise.order {
        (first, third)
    } else {
        scale.reverse();
        bias.reverse();
        (third, first)
    };
    let put = |at: usize, run: &[[f32; 4]]| {
        for (c, plane) in [&mut *first, &mut *second, &mut *third].into_iter().enumerate() {
            for (value, pixel) in plane[at..].iter_mut().zip(run) {
                *value = pixel[c] * scale[c] + bias[c];
            }
        }
    };
    sample(frame, frame_from_crop, size, put);
}

/// Fills `out` (`size` x `size`) with the luma of the crop that [`warp`] would give, in [0, 255].
pub(crate) fn warp_grey(frame: &Frame<'_>, frame_from_crop: &Affine, size: usize, out: &mut [f32]) {
    // ITU-R BT.601.
    let [r, g, b] = match frame.order() {
        ChannelOrder::Rgb => [0.299, 0.587, 0.114],
        ChannelOrder::Bgr => [0.114, 0.587, 0.299],
    };
    let Some(out) = out.get_mut(..size * size) else { return };
    let put = |at: usize, run: &[[f32; 4]]| {
        for (value, pixel) in out[at..].iter_mut().zip(run) {
            *value = r * pixel[0] + g * pixel[1] + b * pixel[2];
        }
    };
    sample(frame, frame_from_crop, size, put);
}

/// Pixels that are handed on at once: enough to work on them side by side, few enough to stay in the nearest cache.
const RUN: usize = 64;

/// Hands the pixels of the crop to `put` in runs of a row, each with its place in the crop. The fourth value of a pixel is
/// of no use: four are computed as fast as three.
fn sample(frame: &Frame<'_>, frame_from_crop: &Affine, size: usize, put: impl FnMut(usize, &[[f32; 4]])) {
    pulp::Arch::new().dispatch(Sample { frame, frame_from_crop, size, put });
}

/// The work of [`sample`], compiled once more for each kind of processor: from bytes to floats takes the oldest
/// instructions several times as long. A struct, because all of a closure would not be inlined.
struct Sample<'a, Put> {
    frame: &'a Frame<'a>,
    frame_from_crop: &'a Affine,
    size: usize,
    put: Put,
}

impl<Put: FnMut(usize, &[[f32; 4]])> WithSimd for Sample<'_, Put> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let mut run = [[0.0; 4]; RUN];
        for v in 0..self.size {
            for from in (0..self.size).step_by(RUN) {
                let run = &mut run[..RUN.min(self.size - from)];
                sample_run(self.frame, self.frame_from_crop, (from, v), run);
                (self.put)(v * self.size + from, run);
            }
        }
    }
}

/// The places along a run are whole numbers of 2^-32 pixels: one addition leads to the next, and where a run's ends lie
/// inside the frame, all of it does.
const FRACTION: u32 = 32;

#[inline(always)]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "crops and frames have far fewer than 2^24 pixels a side; what lies inside the frame is not negative"
)]
fn sample_run(frame: &Frame<'_>, frame_from_crop: &Affine, (from, v): (usize, usize), run: &mut [[f32; 4]]) {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let (pixels, stride) = (frame.pixels(), width * 3);
    let [[a, b, c], [d, e, f]] = frame_from_crop.rows;
    let (x0, y0) = (b * v as f32 + c, e * v as f32 + f);
    let edge = |i: usize| {
        let u = (from + i) as f32;
        let [r, g, b] = at_edge(pixels, width, height, a * u + x0, d * u + y0).unwrap_or_default();
        [r, g, b, 0.0]
    };
    let fixed = |value: f32| (f64::from(value) * f64::from(1u32 << 31) * 2.0) as i64;
    let (mut x, mut y) = (fixed(a * from as f32 + x0), fixed(d * from as f32 + y0));
    let (dx, dy) = (fixed(a), fixed(d));
    let inside = |place: i64, size: usize| place >= 0 && place >> FRACTION < size as i64 - 1;
    let steps = run.len() as i64 - 1;
    let end = |place: i64, step: i64| place.saturating_add(step.saturating_mul(steps));
    if ![(x, width), (end(x, dx), width), (y, height), (end(y, dy), height)].iter().all(|(p, size)| inside(*p, *size)) {
        for (i, value) in run.iter_mut().enumerate() {
            *value = edge(i);
        }
        return;
    }
    let fraction = |place: i64| (place & ((1 << FRACTION) - 1)) as f32 / (1u64 << FRACTION) as f32;
    for (i, value) in run.iter_mut().enumerate() {
        let part = pixels.get((y >> FRACTION) as usize * stride + (x >> FRACTION) as usize * 3..).unwrap_or_default();
        let (fx, fy) = (fraction(x), fraction(y));
        (x, y) = (x.wrapping_add(dx), y.wrapping_add(dy));
        let (Some(top), Some(bottom)) = (part.first_chunk(), part.get(stride..).and_then(|below| below.first_chunk()))
        else {
            // Two pixels and two bytes more were wanted: the frame's last pixel has none after it.
            *value = edge(i);
            continue;
        };
        let ([t0, t1], [b0, b1]) = (neighbours(top), neighbours(bottom));
        for i in 0..4 {
            let (t, b) = (t0[i] + (t1[i] - t0[i]) * fx, b0[i] + (b1[i] - b0[i]) * fx);
            value[i] = t + (b - t) * fy;
        }
    }
}

/// Two pixels that lie side by side, and a byte more of each.
#[inline(always)]
fn neighbours(bytes: &[u8; 8]) -> [[f32; 4]; 2] {
    let four = |a: u8, b: u8, c: u8, d: u8| [f32::from(a), f32::from(b), f32::from(c), f32::from(d)];
    let [a, b, c, d, e, f, g, _] = *bytes;
    [four(a, b, c, d), four(d, e, f, g)]
}

/// The bilinear value where not all four neighbours lie in the frame; those outside are black.
fn at_edge(pixels: &[u8], width: usize, height: usize, x: f32, y: f32) -> Option<[f32; 3]> {
    let (xf, yf) = (x.floor(), y.floor());
    #[expect(clippy::cast_precision_loss, reason = "frames have far fewer than 2^24 pixels a side")]
    if !(xf >= -1.0 && yf >= -1.0 && xf < width as f32 && yf < height as f32) {
        return None;
    }
    let (fx, fy) = (x - xf, y - yf);
    let mut sum = [0.0; 3];
    for (dy, wy) in [(0.0, 1.0 - fy), (1.0, fy)] {
        for (dx, wx) in [(0.0, 1.0 - fx), (1.0, fx)] {
            let (px, py) = (xf + dx, yf + dy);
            if px < 0.0 || py < 0.0 {
                continue;
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, near the frame")]
            let (px, py) = (px as usize, py as usize);
            if px >= width || py >= height {
                continue;
            }
            let at = (py * width + px) * 3;
            for (total, byte) in sum.iter_mut().zip(&pixels[at..at + 3]) {
                *total += f32::from(*byte) * wx * wy;
            }
        }
    }
    Some(sum)
}

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
    Centre,
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
    /// The placement of `region` of a frame in an input whose longer side is `size`.
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
            Anchor::Centre => Point::new(
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

    /// The frame point that lies at `input` in the input.
    #[must_use]
    pub fn to_frame(&self, input: Point) -> Point {
        Point::new(
            (input.x - self.offset.x) / self.scale + self.origin.x,
            (input.y - self.offset.y) / self.scale + self.origin.y,
        )
    }

    /// The frame box that lies at `input` in the input.
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
    /// The input of a detector: 3 x height x width, valid until the next call.
    ///
    /// # Errors
    /// [`Error::Internal`] should the resizer refuse sizes that were checked before.
    pub fn fill(
        &mut self,
        frame: &Frame<'_>,
        placement: &Letterbox,
        layout: &Layout,
        normalise: &Normalisation,
    ) -> Result<&[f32]> {
        let (resized_width, resized_height) = placement.resized;
        self.resize(frame, placement)?;
        let plane = placement.width * placement.height;
        self.input.resize(3 * plane, 0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and not negative")]
        let (left, top) = (placement.offset.x as usize, placement.offset.y as usize);
        let channels = normalise.source_channels(frame);
        let source_stride = resized_width as usize * 3;
        for (c, plane) in self.input.chunks_exact_mut(plane).enumerate() {
            let fill = normalise.apply(layout.fill, c);
            let (scale, bias, channel) = (normalise.scale[c], normalise.bias[c], channels[c]);
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
        let source =
            ImageRef::new(frame.width(), frame.height(), frame.pixels(), PixelType::U8x3).map_err(|e| failed(&e))?;
        let mut target =
            Image::from_slice_u8(width, height, &mut self.bytes, PixelType::U8x3).map_err(|e| failed(&e))?;
        // Down to half, plain interpolation is what the reference implementations do; below it pixels would be skipped,
        // and small faces with them, so every pixel is weighed.
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
        self.resizer.resize(&source, &mut target, &options).map_err(|e| failed(&e))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain() -> Normalisation {
        Normalisation::uniform(ChannelOrder::Rgb, 0.0, 1.0)
    }

    /// Red rises with x, green with y.
    fn ramp(width: u32, height: u32) -> Frame<'static> {
        let pixels: Vec<u8> = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 7])).collect();
        Frame::new(pixels, width, height, ChannelOrder::Rgb).unwrap()
    }

    #[test]
    fn a_warp_interpolates_between_pixels() {
        let mut out = vec![0.0; 3 * 4 * 4];
        warp(&ramp(20, 20), &Affine::scale_then_move(1.0, 2.5, 3.25), 4, &plain(), &mut out);
        assert_eq!(&out[..4], &[2.5, 3.5, 4.5, 5.5]);
        assert_eq!(&out[16..20], &[3.25; 4]);
        assert_eq!(out[32], 7.0);
    }

    #[test]
    fn a_warp_is_black_outside_and_fades_at_the_edge() {
        let mut out = vec![9.0; 3 * 4 * 4];
        warp(&ramp(3, 3), &Affine::scale_then_move(1.0, 1.0, -1.5), 4, &plain(), &mut out);
        // Row 0 lies at y = -1.5, wholly outside; row 1 at y = -0.5, half outside.
        assert_eq!(&out[32..36], &[0.0; 4]);
        assert_eq!(&out[36..40], &[3.5, 3.5, 0.0, 0.0]);
    }

    proptest! {
        /// The quick way through the frame's inside against the plain one that knows edges, over them and along them.
        #[test]
        fn every_way_of_sampling_gives_the_same(
            a in -2.0f32..2.0, b in -2.0f32..2.0, d in -2.0f32..2.0, e in -2.0f32..2.0,
            x in -40.0f32..60.0, y in -40.0f32..60.0,
        ) {
            let (width, height, size) = (61, 43, 70);
            let noise = (0..width * height * 3).map(|i| (i * i * 31 % 251) as u8).collect::<Vec<_>>();
            let frame = Frame::new(noise, width, height, ChannelOrder::Rgb).unwrap();
            let mut out = vec![0.0; 3 * size * size];
            warp(&frame, &Affine { rows: [[a, b, x], [d, e, y]] }, size, &plain(), &mut out);
            for v in 0..size {
                for u in 0..size {
                    let (uf, vf) = (u as f32, v as f32);
                    let (px, py) = (a * uf + (b * vf + x), d * uf + (e * vf + y));
                    let wanted = at_edge(frame.pixels(), 61, 43, px, py).unwrap_or_default();
                    for (c, wanted) in wanted.into_iter().enumerate() {
                        // Places differ by their rounding, some 1e-5 of a pixel, neighbours by up to 250.
                        let got = out[(c * size + v) * size + u];
                        prop_assert!((got - wanted).abs() < 0.02, "{got} {wanted} at {u} {v}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_channel_order_of_the_frame_does_not_show() {
        let rgb = ramp(8, 8);
        let swapped: Vec<u8> = rgb.pixels().chunks(3).flat_map(|p| [p[2], p[1], p[0]]).collect();
        let bgr = Frame::new(swapped, 8, 8, ChannelOrder::Bgr).unwrap();
        let run = |frame: &Frame<'_>| {
            let mut out = vec![0.0; 3 * 25];
            warp(frame, &Affine::scale_then_move(0.7, 1.0, 1.0), 5, &plain(), &mut out);
            out
        };
        assert_eq!(run(&rgb), run(&bgr));
    }

    #[test]
    fn a_letterbox_brings_points_back_to_the_frame() {
        let layout = Layout { anchor: Anchor::Centre, margin: 0.25, fill: 0, multiple: 32, shape: InputShape::Tight };
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
