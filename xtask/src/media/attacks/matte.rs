//! What in a photograph is the person, and what the background.
//!
//! A random walker (Grady, "Random Walks for Image Segmentation", 2006): the alpha of a pixel is the chance that a walk
//! that avoids crossing edges meets the person first. The face mesh says where the person is for certain.

use image::RgbImage;

/// The face in a photograph, in its pixels: the middle, the width, and half the height.
#[derive(Clone, Copy)]
pub(super) struct FaceSize {
    pub(super) center: [f64; 2],
    pub(super) width: f64,
    pub(super) half_height: f64,
}

impl FaceSize {
    /// Measures a mesh.
    pub(super) fn of(mesh: &[[f64; 3]]) -> Self {
        let bounds = |axis: usize| {
            mesh.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| (low.min(p[axis]), high.max(p[axis])))
        };
        let ((x0, x1), (y0, y1)) = (bounds(0), bounds(1));
        Self { center: [(x0 + x1) / 2.0, (y0 + y1) / 2.0], width: x1 - x0, half_height: (y1 - y0) / 2.0 }
    }
}

/// How fast walks stop at edges: per squared difference of color, from 0 to 1 in each channel.
const EDGE: f32 = 900.0;
/// The chance of a walk to end by what the pixel's own place and color say.
const PRIOR: f32 = 0.004;
/// Rounds of relaxation: what is left changes no alpha visibly at 250 pixels.
const ROUNDS: usize = 400;
/// Over-relaxation, for walks that are about as long as the picture.
const RELAXATION: f32 = 1.85;

/// Returns the alpha of every pixel of `photo`: 1 the person, 0 the background.
pub(super) fn matte(photo: &RgbImage, face: FaceSize) -> Vec<f32> {
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let colors: Vec<[f32; 3]> = photo.pixels().map(|pixel| pixel.0.map(|v| f32::from(v) / 255.0)).collect();
    let seeds: Vec<Option<f32>> =
        (0..width * height).map(|i| certain([(i % width) as f64, (i / width) as f64], face)).collect();

    // The background's colors, in 8 x 8 x 8 cells: what is there is less likely to be the person.
    let cell = |color: &[f32; 3]| color.iter().fold(0, |cell, v| cell * 8 + ((v * 8.0) as usize).min(7));
    let mut counts = [vec![1.0_f32; 512], vec![1.0_f32; 512]];
    for (color, seed) in colors.iter().zip(&seeds) {
        if let Some(alpha) = seed {
            counts[usize::from(*alpha > 0.5)][cell(color)] += 1.0;
        }
    }
    let totals = [counts[0].iter().sum::<f32>(), counts[1].iter().sum::<f32>()];
    let prior: Vec<f32> = colors
        .iter()
        .enumerate()
        .map(|(i, color)| {
            let near = nearness([(i % width) as f64, (i / width) as f64], face);
            let [back, front] = [0, 1].map(|which| counts[which][cell(color)] / totals[which]);
            // Hair has colors that the face has not: the person's own colors count for less.
            let by_color = (front + 0.002) / (front + 0.002 + back);
            (near * 0.5 + by_color * 0.5).clamp(0.0, 1.0)
        })
        .collect();

    let weight = |a: usize, b: usize| {
        let difference: f32 = (0..3).map(|c| (colors[a][c] - colors[b][c]).powi(2)).sum();
        (-EDGE * difference / 3.0).exp() + 1e-4
    };
    let right: Vec<f32> =
        (0..width * height).map(|i| if i % width + 1 < width { weight(i, i + 1) } else { 0.0 }).collect();
    let down: Vec<f32> =
        (0..width * height).map(|i| if i + width < width * height { weight(i, i + width) } else { 0.0 }).collect();
    let mut alpha: Vec<f32> = seeds.iter().zip(&prior).map(|(seed, prior)| seed.unwrap_or(*prior)).collect();
    for _ in 0..ROUNDS {
        for i in 0..width * height {
            if seeds[i].is_some() {
                continue;
            }
            let (mut sum, mut total) = (PRIOR * prior[i], PRIOR);
            let mut meet = |weight: f32, neighbor: usize| {
                sum += weight * alpha[neighbor];
                total += weight;
            };
            if i % width > 0 {
                meet(right[i - 1], i - 1);
            }
            if i % width + 1 < width {
                meet(right[i], i + 1);
            }
            if i >= width {
                meet(down[i - width], i - width);
            }
            if i + width < width * height {
                meet(down[i], i + width);
            }
            alpha[i] = (alpha[i] + RELAXATION * (sum / total - alpha[i])).clamp(0.0, 1.0);
        }
    }
    // A walker's alpha is soft where nothing stops it; the edge of a person is a pixel or two wide.
    let alpha: Vec<f32> = alpha.iter().map(|&a| super::sheet::step(0.38, 0.62, f64::from(a))).collect();
    in_one_piece(alpha, width, &seeds)
}

/// Takes away what does not hang together with the face: something of the background in the person's colors.
fn in_one_piece(mut alpha: Vec<f32>, width: usize, seeds: &[Option<f32>]) -> Vec<f32> {
    let mut kept = vec![false; alpha.len()];
    let mut open: Vec<usize> = (0..alpha.len()).filter(|&i| seeds[i] == Some(1.0)).collect();
    for &i in &open {
        kept[i] = true;
    }
    while let Some(i) = open.pop() {
        let (x, rows) = (i % width, alpha.len() / width);
        let beside = [(x > 0, i.wrapping_sub(1)), (x + 1 < width, i + 1)];
        let above = [(i >= width, i.wrapping_sub(width)), (i / width + 1 < rows, i + width)];
        for (inside, neighbor) in beside.into_iter().chain(above) {
            if inside && !kept[neighbor] && alpha[neighbor] > 0.05 {
                kept[neighbor] = true;
                open.push(neighbor);
            }
        }
    }
    for (alpha, kept) in alpha.iter_mut().zip(kept) {
        if !kept {
            *alpha = 0.0;
        }
    }
    alpha
}

/// 1 in the face, the neck and the chest; 0 far from the head; `None` where the colors have to say.
fn certain(point: [f64; 2], face: FaceSize) -> Option<f32> {
    let x = (point[0] - face.center[0]).abs() / face.width;
    let y = (point[1] - face.center[1]) / face.half_height;
    if (x / 0.46).hypot(y / 1.06) < 1.0 {
        return Some(1.0);
    }
    // Above the brow is hair, or what is left of it.
    if x < 0.25 && (-1.4..0.0).contains(&y) {
        return Some(1.0);
    }
    // From the chin down: a neck, then a chest.
    if y > 0.8 && x < 0.22 + 0.45 * (y - 1.7).max(0.0) {
        return Some(1.0);
    }
    let out = if y < 0.0 { (x / 0.92).hypot(y / 2.6) } else { x / 0.98 };
    (out > 1.0 && y < 1.35).then_some(0.0)
}

/// How likely a place is the person's by where it lies, from 0 to 1.
fn nearness(point: [f64; 2], face: FaceSize) -> f32 {
    let x = (point[0] - face.center[0]).abs() / face.width;
    let y = (point[1] - face.center[1]) / face.half_height;
    let head = (x / 0.62).hypot((y + 0.45) / 1.75);
    let body = if y > 1.2 { x / (0.35 + 1.6 * (y - 1.2)).min(1.6) } else { 9.0 };
    1.0 - super::sheet::step(0.8, 1.2, head.min(body))
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn the_matte_follows_the_edge_of_a_head() {
        let face = FaceSize { center: [60.0, 60.0], width: 40.0, half_height: 26.0 };
        let head = |x: f64, y: f64| ((x - 60.0) / 25.0).hypot((y - 56.0) / 36.0) < 1.0;
        let photo = RgbImage::from_fn(120, 120, |x, y| {
            let speckle = ((x * 7 + y * 13) % 5) as u8;
            // Beside the head hangs something of its color.
            let lamp = (90..96).contains(&x) && (50..56).contains(&y);
            if lamp || head(f64::from(x), f64::from(y)) {
                Rgb([150 + speckle, 100, 80])
            } else {
                Rgb([60, 90 + speckle, 150])
            }
        });
        let alpha = matte(&photo, face);
        for (x, y) in [(60, 60), (60, 24), (38, 56), (82, 56)] {
            assert!(alpha[y * 120 + x] > 0.9, "({x}, {y}) is the head: {}", alpha[y * 120 + x]);
        }
        for (x, y) in [(60, 14), (30, 50), (93, 53), (5, 5), (115, 60)] {
            assert!(alpha[y * 120 + x] < 0.1, "({x}, {y}) is the background: {}", alpha[y * 120 + x]);
        }
    }
}
