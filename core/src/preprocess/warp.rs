//! Warped crops: turned, scaled and moved, sampled and normalized in one pass.

use pulp::{Simd, WithSimd};

use super::Normalization;
use crate::frame::{ChannelOrder, Frame};
use crate::geometry::Affine;

/// Fills `out` (3 x `size` x `size`, channel by channel) with the crop whose pixel (u, v) is the frame's at
/// `frame_from_crop` (u, v), bilinear; black outside the frame. Pixel centers have whole coordinates, as in OpenCV's
/// `warpAffine`.
pub fn warp(frame: &Frame<'_>, frame_from_crop: &Affine, size: usize, normalize: &Normalization, out: &mut [f32]) {
    let plane = size * size;
    let Some(out) = out.get_mut(..3 * plane) else { return };
    let (first, rest) = out.split_at_mut(plane);
    let (second, third) = rest.split_at_mut(plane);
    // Exchanging the planes once spares exchanging the channels of every pixel.
    let (mut scale, mut bias) = (normalize.scale, normalize.bias);
    let (first, third) = if frame.order() == normalize.order {
        (first, third)
    } else {
        scale.reverse();
        bias.reverse();
        (third, first)
    };
    let put = |at: usize, run: [&[f32]; 3]| {
        for (c, plane) in [&mut *first, &mut *second, &mut *third].into_iter().enumerate() {
            for (value, byte) in plane[at..].iter_mut().zip(run[c]) {
                *value = byte * scale[c] + bias[c];
            }
        }
    };
    sample(frame, frame_from_crop, size, put);
}

/// Fills `out` (`size` x `size`) with the luma of the crop that [`warp`] would give, in [0, 255].
pub(crate) fn warp_gray(frame: &Frame<'_>, frame_from_crop: &Affine, size: usize, out: &mut [f32]) {
    // ITU-R BT.601.
    let [r, g, b] = match frame.order() {
        ChannelOrder::Rgb => [0.299, 0.587, 0.114],
        ChannelOrder::Bgr => [0.114, 0.587, 0.299],
    };
    let Some(out) = out.get_mut(..size * size) else { return };
    let put = |at: usize, [first, second, third]: [&[f32]; 3]| {
        for (value, ((x, y), z)) in out[at..].iter_mut().zip(first.iter().zip(second).zip(third)) {
            // Red and blue first: their sum is the same in both channel orders, to the last bit.
            *value = (r * x + b * z) + g * y;
        }
    };
    sample(frame, frame_from_crop, size, put);
}

/// Pixels that are handed on at once: enough to work on them side by side, few enough to stay in the nearest cache.
const RUN: usize = 64;

/// Hands the pixels of the crop to `put` in runs of a row: the place of a run in the crop, and its values channel by
/// channel.
fn sample(frame: &Frame<'_>, frame_from_crop: &Affine, size: usize, put: impl FnMut(usize, [&[f32]; 3])) {
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

impl<Put: FnMut(usize, [&[f32]; 3])> WithSimd for Sample<'_, Put> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let mut run = Run::default();
        for v in 0..self.size {
            for from in (0..self.size).step_by(RUN) {
                let length = RUN.min(self.size - from);
                run.fill(self.frame, self.frame_from_crop, (from, v), length);
                (self.put)(v * self.size + from, run.values.each_ref().map(|channel| &channel[..length]));
            }
        }
    }
}

/// A run of the crop. What is gathered pixel by pixel lies here in one array a kind, so that the arithmetic on it goes
/// side by side: it takes a third of the time of pixel after pixel.
struct Run {
    /// Four bytes from each place on, of the row above and the row below: a pixel and a byte that is of no use.
    top_left: [u32; RUN],
    bottom_left: [u32; RUN],
    /// The same one pixel further right.
    top_right: [u32; RUN],
    bottom_right: [u32; RUN],
    /// How far the place lies from the left pixel to the right one and from the row above to the one below, in [0, 1).
    x: [f32; RUN],
    y: [f32; RUN],
    /// The bilinear values, in the frame's order of channels.
    values: [[f32; RUN]; 3],
}

impl Default for Run {
    fn default() -> Self {
        Self {
            top_left: [0; RUN],
            bottom_left: [0; RUN],
            top_right: [0; RUN],
            bottom_right: [0; RUN],
            x: [0.0; RUN],
            y: [0.0; RUN],
            values: [[0.0; RUN]; 3],
        }
    }
}

/// The places along a run are whole numbers of 2^-32 pixels: one addition leads to the next, and where a run's ends
/// lie inside the frame, all of it does.
const FRACTION: u32 = 32;

impl Run {
    /// Samples the `length` pixels of the crop from (`from`, `v`) on.
    #[inline(always)]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_possible_wrap,
        reason = "crops and frames have far fewer than 2^24 pixels a side; what lies inside the frame is not negative"
    )]
    fn fill(&mut self, frame: &Frame<'_>, frame_from_crop: &Affine, (from, v): (usize, usize), length: usize) {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let (pixels, stride) = (frame.pixels(), width * 3);
        let [[a, b, c], [d, e, f]] = frame_from_crop.rows;
        let (x0, y0) = (b * v as f32 + c, e * v as f32 + f);
        let fixed = |value: f32| (f64::from(value) * f64::from(1u32 << 31) * 2.0) as i64;
        let (mut x, mut y) = (fixed(a * from as f32 + x0), fixed(d * from as f32 + y0));
        let (dx, dy) = (fixed(a), fixed(d));
        let steps = length as i64 - 1;
        let end = |place: i64, step: i64| place.saturating_add(step.saturating_mul(steps));
        let ends = [(x, end(x, dx), width), (y, end(y, dy), height)];
        let inside = |place: i64, size: usize| place >= 0 && place >> FRACTION < size as i64 - 1;
        let all_inside = ends.iter().all(|(first, last, size)| inside(*first, *size) && inside(*last, *size));
        // Eight bytes are read where six are wanted: the frame's last pixel has none after it.
        let [column, row] = ends.map(|(first, last, _)| (first.max(last) >> FRACTION) as usize);
        if !all_inside || (row + 1) * stride + column * 3 + 8 > pixels.len() {
            for i in 0..length {
                let u = (from + i) as f32;
                let pixel = at_edge(pixels, width, height, a * u + x0, d * u + y0).unwrap_or_default();
                for (channel, value) in self.values.iter_mut().zip(pixel) {
                    channel[i] = value;
                }
            }
            return;
        }
        let fraction = |place: i64| (place as u32 >> 8) as i32 as f32 / (1u32 << 24) as f32;
        for i in 0..length {
            let at = (y >> FRACTION) as usize * stride + (x >> FRACTION) as usize * 3;
            let (top, bottom) = (eight_bytes(pixels, at), eight_bytes(pixels, at + stride));
            (self.top_left[i], self.top_right[i]) = (top as u32, (top >> 24) as u32);
            (self.bottom_left[i], self.bottom_right[i]) = (bottom as u32, (bottom >> 24) as u32);
            (self.x[i], self.y[i]) = (fraction(x), fraction(y));
            (x, y) = (x.wrapping_add(dx), y.wrapping_add(dy));
        }
        // Always the whole run, so that its length is known: what lies behind `length` is of no use.
        for (c, values) in self.values.iter_mut().enumerate() {
            let byte = |bytes: u32| (bytes >> (8 * c) & 0xff) as i32 as f32;
            for (i, value) in values.iter_mut().enumerate() {
                let (left, right) = (byte(self.top_left[i]), byte(self.top_right[i]));
                let top = left + (right - left) * self.x[i];
                let (left, right) = (byte(self.bottom_left[i]), byte(self.bottom_right[i]));
                let bottom = left + (right - left) * self.x[i];
                *value = top + (bottom - top) * self.y[i];
            }
        }
    }
}

/// Returns the eight bytes from `at` on, the first the lowest; 0 where there are none.
#[inline(always)]
fn eight_bytes(pixels: &[u8], at: usize) -> u64 {
    pixels.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Returns the bilinear value where not all four neighbors lie in the frame; those outside are black.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::test_frames::{plain, ramp};
    use super::*;

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
                        // Places differ by their rounding, some 1e-5 of a pixel, neighbors by up to 250.
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

    proptest! {
        /// Equal to the last bit, on every processor: both orders add the same two products first.
        #[test]
        fn the_luma_is_the_same_in_both_channel_orders(
            pixels in proptest::collection::vec(any::<u8>(), 8 * 8 * 3), scale in 0.3f32..1.5, x in -2.0f32..3.0,
        ) {
            let swapped = pixels.chunks(3).flat_map(|p| [p[2], p[1], p[0]]).collect::<Vec<_>>();
            let luma = |pixels: Vec<u8>, order| {
                let mut out = vec![0.0; 36];
                let map = Affine::scale_then_move(scale, x, 0.4);
                warp_gray(&Frame::new(pixels, 8, 8, order).unwrap(), &map, 6, &mut out);
                out
            };
            prop_assert_eq!(luma(pixels, ChannelOrder::Rgb), luma(swapped, ChannelOrder::Bgr));
        }
    }
}
