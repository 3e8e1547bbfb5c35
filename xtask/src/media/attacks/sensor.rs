//! The camera at the gate: a lens, a sensor with its noise, an exposure that follows the light, and JPEG.

use super::super::clip::Noise;
use super::super::render::jpeg;
use super::sheet::Sheet;
use crate::Result;

/// A camera and its settings, drawn once for a clip.
pub(super) struct Sensor {
    /// The share of a pixel's light that each neighbor gets in each direction: the lens and the sharpening together.
    blur: f32,
    /// Noise in levels: in the dark, and what full light adds (its variance grows with the light, as that of photons).
    read: f32,
    shot: f32,
    /// White balance and exposure.
    gain: [f32; 3],
    /// How much darker the corners are.
    vignette: f32,
    /// The mains' flicker as bands of a rolling shutter: strength, bands in a picture, phase a picture.
    bands: [f32; 3],
    quality: u8,
    /// Exposure's slow error.
    drift: f32,
    noise: Noise,
    /// Values of a normal distribution, read from a random place for each row.
    table: Vec<f32>,
    pictures: u32,
}

/// The number of values in the table of noise: enough that no pattern repeats visibly.
const TABLE: usize = 1 << 18;

impl Sensor {
    /// Draws a camera as `random` says; its noise follows from `seed`.
    pub(super) fn new(random: &mut Noise, seed: u64) -> Self {
        let mut within = |low: f32, high: f32| low + (high - low) * random.uniform() as f32;
        let exposure = within(0.85, 1.1);
        let (warm, green) = (within(-0.05, 0.05), within(-0.02, 0.02));
        let (blur, read, shot, vignette) = (within(0.05, 0.14), within(0.7, 1.6), within(1.5, 3.6), within(0.0, 0.25));
        let bands =
            [if within(0.0, 1.0) < 0.4 { within(0.002, 0.012) } else { 0.0 }, within(1.0, 4.0), within(0.5, 5.0)];
        let quality = within(62.0, 86.0) as u8;
        let mut noise = Noise::new(seed ^ 0x5E_450E);
        let table = (0..TABLE).map(|_| noise.normal() as f32).collect();
        let gain = [exposure * (1.0 + warm), exposure * (1.0 + green), exposure * (1.0 - warm)];
        Self { blur, read, shot, gain, vignette, bands, quality, drift: 0.0, noise, table, pictures: 0 }
    }

    /// Takes the next picture of `light` as a JPEG file.
    ///
    /// # Errors
    /// When the picture cannot be encoded.
    pub(super) fn take(&mut self, light: &Sheet) -> Result<Vec<u8>> {
        let (width, height) = (light.width, light.height);
        self.drift = self.drift * 0.9 + 0.0025 * self.noise.normal() as f32;
        let blurred = blurred(light, self.blur);
        let mut bytes = Vec::with_capacity(width * height * 3);
        let [strength, bands, speed] = self.bands;
        for y in 0..height {
            let start = (self.noise.uniform() * (TABLE - 4 * width - 4) as f64) as usize;
            let mains = (y as f32 / height as f32 * bands * std::f32::consts::TAU + speed * self.pictures as f32).sin();
            let row = 1.0 + self.drift + strength * mains;
            let dy = (y as f32 / height as f32 - 0.5) * 2.0;
            for x in 0..width {
                let dx = (x as f32 / width as f32 - 0.5) * 2.0;
                let corner = 1.0 - self.vignette * 0.5 * (dx * dx + dy * dy);
                let noise = &self.table[start + 3 * x..];
                // The colors of a pixel are interpolated from neighbors and denoised: their noise is alike in part.
                let shared = (noise[1] + noise[4]) * 0.5;
                for channel in 0..3 {
                    let value = (blurred[y * width + x][channel] * self.gain[channel] * row * corner).clamp(0.0, 255.0);
                    let deviation = (self.read * self.read + self.shot * self.shot * value / 255.0).sqrt();
                    let own = noise[channel * 2] * 0.6 + shared * 0.8;
                    bytes.push((value + deviation * own + 0.5).clamp(0.0, 255.0) as u8);
                }
            }
        }
        self.pictures += 1;
        jpeg(&bytes, width as u32, height as u32, self.quality)
    }
}

/// The picture with `share` of every pixel's light spread to each neighbor, along rows and then along columns.
pub(super) fn blurred(light: &Sheet, share: f32) -> Vec<[f32; 3]> {
    let (width, height) = (light.width, light.height);
    let kept = 1.0 - 2.0 * share;
    let mut rows = Vec::with_capacity(width * height);
    for row in light.pixels.chunks_exact(width) {
        for x in 0..width {
            let (before, own, after) = (row[x.saturating_sub(1)], row[x], row[(x + 1).min(width - 1)]);
            let mut color = [0.0; 3];
            for c in 0..3 {
                color[c] = own[c] * kept + (before[c] + after[c]) * share;
            }
            rows.push(color);
        }
    }
    let mut all: Vec<[f32; 3]> = Vec::with_capacity(width * height);
    for y in 0..height {
        let row = |y: usize| &rows[y * width..(y + 1) * width];
        let (before, own, after) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1)));
        for x in 0..width {
            let mut color = [0.0; 3];
            for c in 0..3 {
                color[c] = own[x][c] * kept + (before[x][c] + after[x][c]) * share;
            }
            all.push(color);
        }
    }
    all
}
