//! Textured triangles, nearest in front.

use image::{Rgb, RgbImage};

/// A corner of a triangle: where it lies in the picture being drawn, how far away, and where in the texture.
#[derive(Clone, Copy)]
pub(super) struct Corner {
    pub(super) target: [f64; 2],
    /// Away from the viewer.
    pub(super) depth: f64,
    pub(super) texture: [f64; 2],
}

/// A picture being drawn, four samples to a pixel so that edges come out smooth.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    color: Vec<[f32; 3]>,
    depth: Vec<f64>,
}

/// Samples along each side of a pixel.
const SAMPLES: usize = 2;

impl Canvas {
    /// An empty canvas of `width` x `height` pixels.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize * SAMPLES, height as usize * SAMPLES);
        Self { width, height, color: vec![[0.0; 3]; width * height], depth: vec![f64::INFINITY; width * height] }
    }

    /// Draws one triangle. Samples on an edge belong to both of its triangles, so that no crack can open between them.
    pub(super) fn triangle(&mut self, corners: [Corner; 3], texture: &RgbImage) {
        let samples = SAMPLES as f64;
        let [a, b, c] = corners.map(|corner| corner.target.map(|v| v * samples - 0.5));
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        if area.abs() < 1e-9 {
            return;
        }
        let range = |i: usize, limit: usize| {
            let low = a[i].min(b[i]).min(c[i]).ceil().max(0.0);
            let high = a[i].max(b[i]).max(c[i]).floor().min(limit as f64 - 1.0);
            if low <= high { low as usize..high as usize + 1 } else { 0..0 }
        };
        for y in range(1, self.height) {
            for x in range(0, self.width) {
                let (px, py) = (x as f64, y as f64);
                let weight = |from: [f64; 2], to: [f64; 2]| {
                    ((to[0] - from[0]) * (py - from[1]) - (to[1] - from[1]) * (px - from[0])) / area
                };
                let weights = [weight(b, c), weight(c, a), weight(a, b)];
                if weights.iter().any(|&w| w < -1e-9) {
                    continue;
                }
                let blend = |value: fn(&Corner) -> f64| -> f64 {
                    corners.iter().zip(weights).map(|(corner, weight)| value(corner) * weight).sum()
                };
                let depth = blend(|corner| corner.depth);
                let at = y * self.width + x;
                if depth < self.depth[at] {
                    self.depth[at] = depth;
                    self.color[at] = sample(texture, blend(|c| c.texture[0]), blend(|c| c.texture[1]));
                }
            }
        }
    }

    /// The picture: every pixel the mean of its samples, as colors from 0 to 255 before rounding.
    pub(super) fn finish(self) -> Vec<[f32; 3]> {
        let share = 1.0 / (SAMPLES * SAMPLES) as f32;
        let mut pixels = Vec::with_capacity(self.color.len() / (SAMPLES * SAMPLES));
        for y in (0..self.height).step_by(SAMPLES) {
            for x in (0..self.width).step_by(SAMPLES) {
                let mut mean = [0.0; 3];
                for at in (0..SAMPLES * SAMPLES).map(|i| (y + i / SAMPLES) * self.width + x + i % SAMPLES) {
                    for (mean, color) in mean.iter_mut().zip(self.color[at]) {
                        *mean += color * share;
                    }
                }
                pixels.push(mean);
            }
        }
        pixels
    }
}

/// The texture at (`x`, `y`), between its pixels by bilinear interpolation, beyond its edge the edge's.
fn sample(texture: &RgbImage, x: f64, y: f64) -> [f32; 3] {
    let place = |v: f64, size: u32| {
        let v = (v - 0.5).clamp(0.0, f64::from(size) - 1.0);
        let low = (v as u32).min(size.saturating_sub(2));
        (low, (low + 1).min(size - 1), (v - f64::from(low)) as f32)
    };
    let ((x0, x1, fx), (y0, y1, fy)) = (place(x, texture.width()), place(y, texture.height()));
    let at = |x: u32, y: u32| -> [f32; 3] {
        let Rgb(pixel) = texture.get_pixel(x, y);
        pixel.map(f32::from)
    };
    let (nw, ne, sw, se) = (at(x0, y0), at(x1, y0), at(x0, y1), at(x1, y1));
    std::array::from_fn(|i| {
        let (north, south) = (nw[i] + (ne[i] - nw[i]) * fx, sw[i] + (se[i] - sw[i]) * fx);
        north + (south - north) * fy
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corner(x: f64, y: f64, depth: f64) -> Corner {
        Corner { target: [x, y], depth, texture: [x, y] }
    }

    /// Two triangles that make the square from `low` to `high`.
    fn square(canvas: &mut Canvas, low: f64, high: f64, depth: f64, texture: &RgbImage) {
        let [nw, ne, sw, se] = [(low, low), (high, low), (low, high), (high, high)].map(|(x, y)| corner(x, y, depth));
        canvas.triangle([nw, ne, sw], texture);
        canvas.triangle([ne, se, sw], texture);
    }

    #[test]
    fn a_texture_drawn_where_it_is_comes_out_unchanged() {
        let texture = RgbImage::from_fn(8, 8, |x, y| Rgb([(x * 30) as u8, (y * 30) as u8, 7]));
        let mut canvas = Canvas::new(8, 8);
        square(&mut canvas, 0.0, 8.0, 0.0, &texture);
        let drawn = canvas.finish();
        // Inside; at the edge the outer half of a pixel has nothing to interpolate with.
        for (x, y) in [(1, 1), (4, 3), (6, 6)] {
            assert!((drawn[y * 8 + x][0] - x as f32 * 30.0).abs() < 1e-3);
            assert!((drawn[y * 8 + x][1] - y as f32 * 30.0).abs() < 1e-3);
        }
        assert!(drawn.iter().all(|pixel| (pixel[2] - 7.0).abs() < 1e-3), "a crack between the triangles");
    }

    #[test]
    fn the_nearer_triangle_wins_whatever_the_order() {
        let (near, far) = (RgbImage::from_pixel(4, 4, Rgb([200; 3])), RgbImage::from_pixel(4, 4, Rgb([10; 3])));
        for near_first in [true, false] {
            let mut canvas = Canvas::new(4, 4);
            if near_first {
                square(&mut canvas, 0.0, 4.0, 1.0, &near);
            }
            square(&mut canvas, 0.0, 4.0, 2.0, &far);
            if !near_first {
                square(&mut canvas, 0.0, 4.0, 1.0, &near);
            }
            assert!(canvas.finish().iter().all(|pixel| (pixel[0] - 200.0).abs() < 1e-3));
        }
    }
}
