//! Pictures with transparency, what is drawn on them, and the noise that gives surfaces their texture.

use image::RgbImage;

use super::super::raster::Corner;

/// A color from 0 to 255 in each channel and an alpha from 0 to 1; the color is multiplied with the alpha already.
pub(super) type Color = [f32; 4];

/// A picture of [`Color`]s, row by row.
#[derive(Clone)]
pub(super) struct Sheet {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<Color>,
}

impl Sheet {
    /// Creates a sheet from the color at every pixel.
    pub(super) fn from_fn(width: usize, height: usize, mut color: impl FnMut(usize, usize) -> Color) -> Self {
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            pixels.extend((0..width).map(|x| color(x, y)));
        }
        Self { width, height, pixels }
    }

    /// Creates an opaque sheet from a picture.
    pub(super) fn of(picture: &RgbImage) -> Self {
        let pixels = picture.pixels().map(|pixel| opaque(pixel.0.map(f32::from))).collect();
        Self { width: picture.width() as usize, height: picture.height() as usize, pixels }
    }

    /// Returns the color at a place in pixels, bilinearly interpolated; beyond its edge the edge's.
    pub(super) fn at(&self, x: f64, y: f64) -> Color {
        let place = |v: f64, size: usize| {
            let v = (v - 0.5).clamp(0.0, size as f64 - 1.0);
            let low = (v as usize).min(size.saturating_sub(2));
            (low, (low + 1).min(size - 1), (v - low as f64) as f32)
        };
        let ((x0, x1, fx), (y0, y1, fy)) = (place(x, self.width), place(y, self.height));
        let pixel = |x: usize, y: usize| self.pixels[y * self.width + x];
        let (nw, ne, sw, se) = (pixel(x0, y0), pixel(x1, y0), pixel(x0, y1), pixel(x1, y1));
        let mut color = [0.0; 4];
        for i in 0..4 {
            let (north, south) = (nw[i] + (ne[i] - nw[i]) * fx, sw[i] + (se[i] - sw[i]) * fx);
            color[i] = north + (south - north) * fy;
        }
        color
    }

    /// Returns the sheet at half its size: every pixel the mean of four.
    pub(super) fn halved(&self) -> Self {
        Self::from_fn(self.width / 2, self.height / 2, |x, y| {
            let at = |dx: usize, dy: usize| self.pixels[(2 * y + dy) * self.width + 2 * x + dx];
            let (nw, ne, sw, se) = (at(0, 0), at(1, 0), at(0, 1), at(1, 1));
            [0, 1, 2, 3].map(|i| (nw[i] + ne[i] + sw[i] + se[i]) / 4.0)
        })
    }

    /// Lays `layer` over this sheet.
    pub(super) fn lay(&mut self, layer: &Layer) {
        let samples = layer.samples;
        let share = 1.0 / (samples * samples) as f32;
        for y in 0..layer.height / samples {
            for x in 0..layer.width / samples {
                let mut mean = [0.0; 4];
                for i in 0..samples * samples {
                    let at = (y * samples + i / samples) * layer.width + x * samples + i % samples;
                    for (mean, value) in mean.iter_mut().zip(layer.color[at]) {
                        *mean += value * share;
                    }
                }
                if mean[3] > 0.0 {
                    let under = &mut self.pixels[(y + layer.top) * self.width + x + layer.left];
                    *under = over(mean, *under);
                }
            }
        }
    }
}

/// Textured triangles in the part of a picture that they cover.
pub(super) struct Layer {
    /// Samples along each side of a pixel.
    samples: usize,
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    color: Vec<Color>,
    depth: Vec<f64>,
}

impl Layer {
    /// Creates an empty layer that covers `points` inside a picture of `size` pixels, with `samples` along each side of
    /// a pixel: two for hard edges, one where every edge is soft.
    pub(super) fn around(points: impl Iterator<Item = [f64; 2]>, size: [usize; 2], samples: usize) -> Self {
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for point in points {
            for axis in 0..2 {
                low[axis] = low[axis].min(point[axis]);
                high[axis] = high[axis].max(point[axis]);
            }
        }
        let start = |axis: usize| low[axis].floor().clamp(0.0, size[axis] as f64) as usize;
        let length =
            |axis: usize| (high[axis].ceil().clamp(0.0, size[axis] as f64) as usize).saturating_sub(start(axis));
        let (width, height) = (length(0) * samples, length(1) * samples);
        Self {
            samples,
            left: start(0),
            top: start(1),
            width,
            height,
            color: vec![[0.0; 4]; width * height],
            depth: vec![f64::INFINITY; width * height],
        }
    }

    /// Draws one triangle whose color at a place of its texture is `shade`. Triangles with soft edges are to be drawn
    /// from the farthest to the nearest.
    pub(super) fn triangle(&mut self, corners: [Corner; 3], shade: impl Fn([f64; 2]) -> Color) {
        let origin = [self.left as f64, self.top as f64];
        let [a, b, c] =
            corners.map(|corner| [0, 1].map(|axis| (corner.target[axis] - origin[axis]) * self.samples as f64 - 0.5));
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        if area.abs() < 1e-9 {
            return;
        }
        // The weight of each corner at (0, 0), and its growth along x and y. Edges belong to both triangles.
        let weight = |from: [f64; 2], to: [f64; 2]| {
            let (dx, dy) = ((to[0] - from[0]) / area, (to[1] - from[1]) / area);
            [dy * from[0] - dx * from[1], -dy, dx]
        };
        let weights = [weight(b, c), weight(c, a), weight(a, b)];
        let low = a[1].min(b[1]).min(c[1]).ceil().max(0.0);
        let high = a[1].max(b[1]).max(c[1]).floor().min(self.height as f64 - 1.0);
        let mut y = low;
        while y <= high {
            let (mut first, mut last) = (0.0_f64, self.width as f64 - 1.0);
            for [start, along, down] in weights {
                // start + down y + along x >= 0
                let rest = start + down * y + 1e-9;
                if along > 1e-12 {
                    first = first.max((-rest / along).ceil());
                } else if along < -1e-12 {
                    last = last.min((rest / -along).floor());
                } else if rest < 0.0 {
                    last = -1.0;
                }
            }
            if first <= last {
                let at = |x: f64| weights.map(|[start, along, down]| start + down * y + along * x);
                let blend =
                    |of: [f64; 3], weights: [f64; 3]| of[0] * weights[0] + of[1] * weights[1] + of[2] * weights[2];
                let depths = corners.map(|corner| corner.depth);
                let [us, vs] = [0, 1].map(|axis| corners.map(|corner| corner.texture[axis]));
                let growth = weights.map(|weight| weight[1]);
                let start = at(first);
                let mut now = [blend(depths, start), blend(us, start), blend(vs, start)];
                let grow = [blend(depths, growth), blend(us, growth), blend(vs, growth)];
                let row = y as usize * self.width;
                for i in row + first as usize..=row + last as usize {
                    if now[0] < self.depth[i] {
                        let color = shade([now[1], now[2]]);
                        if color[3] > 0.02 {
                            self.depth[i] = now[0];
                            self.color[i] = over(color, self.color[i]);
                        }
                    }
                    for (value, growth) in now.iter_mut().zip(grow) {
                        *value += growth;
                    }
                }
            }
            y += 1.0;
        }
    }
}

/// The color of a surface that nothing shines through.
pub(super) fn opaque(color: [f32; 3]) -> Color {
    [color[0], color[1], color[2], 1.0]
}

/// `color` in front of `under`.
pub(super) fn over(color: Color, under: Color) -> Color {
    let rest = 1.0 - color[3];
    [color[0] + under[0] * rest, color[1] + under[1] * rest, color[2] + under[2] * rest, color[3] + under[3] * rest]
}

/// From `a` to `b` as `share` goes from 0 to 1.
pub(super) fn mix<const N: usize>(a: [f32; N], b: [f32; N], share: f32) -> [f32; N] {
    let mut mixed = a;
    for i in 0..N {
        mixed[i] += (b[i] - a[i]) * share;
    }
    mixed
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(super) fn step(low: f64, high: f64, value: f64) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    (t * t * (3.0 - 2.0 * t)) as f32
}

/// Smooth noise in [-1, 1] that depends on the place alone: values on a lattice of 1, interpolated, in `octaves` of
/// half the size and strength each.
pub(super) fn grain(seed: u64, x: f64, y: f64, octaves: u32) -> f32 {
    let (mut sum, mut strength, mut total, mut scale) = (0.0, 1.0, 0.0, 1.0);
    for octave in 0..octaves {
        sum += strength * lattice(seed.wrapping_add(u64::from(octave) * 7919), x * scale, y * scale);
        total += strength;
        strength *= 0.5;
        scale *= 2.0;
    }
    sum / total
}

fn lattice(seed: u64, x: f64, y: f64) -> f32 {
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = (step(0.0, 1.0, x - x0), step(0.0, 1.0, y - y0));
    let value = |dx: i64, dy: i64| {
        let mut bits = seed
            ^ ((x0 as i64 + dx) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ ((y0 as i64 + dy) as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits >> 40) as f32) / (1 << 23) as f32 - 1.0
    };
    let north = value(0, 0) + (value(1, 0) - value(0, 0)) * fx;
    let south = value(0, 1) + (value(1, 1) - value(0, 1)) * fx;
    north + (south - north) * fy
}
