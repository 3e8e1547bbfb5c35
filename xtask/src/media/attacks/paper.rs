//! A photograph on paper: what a printer and its ink make of it.

use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};

use super::super::clip::Noise;
use super::figure::Figure;
use super::matte::FaceSize;
use super::sheet::{Color, Sheet, grain, mix, opaque, over, step};

/// The face's width on a print, in pixels of the sheet.
const PRINTED_FACE: f64 = 210.0;

/// A sheet with a face on it.
pub(super) struct Print {
    pub(super) sheet: Sheet,
    /// The face's width and middle on it, in its pixels.
    pub(super) face: f64,
    pub(super) center: [f64; 2],
}

/// A printer, its ink and its paper.
struct Ink {
    /// The levels of the blackest ink and the whitest paper.
    black: f32,
    white: [f32; 3],
    gamma: f32,
    saturation: f32,
    /// Strength of the paper's fibers and of streaks along the print head's way.
    fibers: f32,
    streaks: f32,
    seed: u64,
}

impl Ink {
    fn new(random: &mut Noise) -> Self {
        let mut within = |low: f32, high: f32| low + (high - low) * random.uniform() as f32;
        let warm = within(-4.0, 6.0);
        Self {
            black: within(18.0, 46.0),
            white: [232.0 + warm, 232.0, 230.0 - warm],
            gamma: within(0.85, 1.2),
            saturation: within(0.7, 1.02),
            fibers: within(0.8, 3.0),
            streaks: within(0.0, 3.0),
            seed: (within(0.0, 1.0) * 1e6) as u64,
        }
    }

    /// The reflection of a printed color at a place of the sheet.
    fn printed(&self, color: [f32; 3], x: f64, y: f64) -> [f32; 3] {
        let gray = 0.3 * color[0] + 0.59 * color[1] + 0.11 * color[2];
        let paper =
            self.fibers * grain(self.seed, x / 2.2, y / 2.2, 2) + self.streaks * grain(self.seed ^ 9, 0.5, y / 3.0, 1);
        std::array::from_fn(|i| {
            let value = (gray + (color[i] - gray) * self.saturation).clamp(0.0, 255.0) / 255.0;
            self.black + (self.white[i] - self.black) * value.powf(self.gamma) + paper
        })
    }
}

/// Prints `photo` with its background: all of it or the part round the head, with a white border or cut to the edge.
pub(super) fn print(photo: &RgbImage, face: FaceSize, random: &mut Noise) -> Print {
    let ink = Ink::new(random);
    let around = if random.uniform() < 0.4 { 9.0 } else { 0.85 + 0.5 * random.uniform() };
    let border = if random.uniform() < 0.65 { (0.08 + 0.2 * random.uniform()) * PRINTED_FACE } else { 0.0 };
    let (low, size) = crop(photo, face, around, around * 1.25);
    let fine = PRINTED_FACE / face.width;
    let scaled = size.map(|v| (f64::from(v) * fine).round() as u32);
    let cropped = crop_imm(photo, low[0], low[1], size[0], size[1]).to_image();
    let inner = Sheet::of(&resize(&cropped, scaled[0], scaled[1], FilterType::CatmullRom));
    let (width, height) = (inner.width + 2 * border as usize, inner.height + 2 * border as usize);
    let edge = border.floor();
    let sheet = Sheet::from_fn(width, height, |x, y| {
        let (px, py) = (x as f64 + 0.5 - edge, y as f64 + 0.5 - edge);
        let inside = px > 0.0 && py > 0.0 && px < inner.width as f64 && py < inner.height as f64;
        let own = inner.at(px, py);
        let color = if inside { [own[0], own[1], own[2]] } else { [255.0; 3] };
        opaque(ink.printed(color, x as f64, y as f64))
    });
    let center = [0, 1].map(|axis| (face.center[axis] - f64::from(low[axis])) * fine + edge);
    Print { sheet, face: PRINTED_FACE, center }
}

/// Prints the person and cuts along the head and shoulders, with a rim of white paper.
pub(super) fn cut_out(figure: &Figure, random: &mut Noise) -> Print {
    let ink = Ink::new(random);
    let (person, face, center) = figure.head_alone();
    let rim = (face * (0.01 + 0.05 * random.uniform())) as usize;
    let bottom = center[1] + face * (1.05 + 0.35 * random.uniform());
    let (width, height) = (person.width, (bottom as usize).min(person.height));
    let alpha: Vec<f32> = person.pixels.iter().map(|p| p[3]).collect();
    let wide = widest(&alpha, width, person.height, rim, 1);
    let wide = widest(&wide, width, person.height, rim, width);
    let sheet = Sheet::from_fn(width, height, |x, y| {
        let i = y * width + x;
        let shown = over(person.pixels[i], opaque([250.0; 3]));
        let color = ink.printed([shown[0], shown[1], shown[2]], x as f64, y as f64);
        let paper = step(0.35, 0.65, f64::from(wide[i]));
        opaque(color).map(|v| v * paper)
    });
    Print { sheet, face, center }
}

/// The largest alpha within `reach` pixels along an axis: `step` is 1 for rows and the width for columns.
fn widest(alpha: &[f32], width: usize, height: usize, reach: usize, step: usize) -> Vec<f32> {
    let (limit, of) = if step == 1 { (width, 1) } else { (height, width) };
    (0..alpha.len())
        .map(|i| {
            let at = (i / of) % limit;
            let (low, high) = (at.saturating_sub(reach), (at + reach).min(limit - 1));
            (low..=high).map(|k| alpha[i + k * step - at * step]).fold(0.0, f32::max)
        })
        .collect()
}

/// The part of `photo` that reaches `side` widths of the face to each side of its middle, and `up` upwards and
/// downwards: its corner and size, inside the photograph.
pub(super) fn crop(photo: &RgbImage, face: FaceSize, side: f64, up: f64) -> ([u32; 2], [u32; 2]) {
    let limit = [photo.width(), photo.height()];
    let reach = [side, up];
    let low: [u32; 2] = [0, 1].map(|i| (face.center[i] - reach[i] * face.width).max(0.0) as u32);
    let size = [0, 1].map(|i| {
        let high = (face.center[i] + reach[i] * face.width).min(f64::from(limit[i])) as u32;
        high.saturating_sub(low[i]).max(1)
    });
    (low, size)
}

/// Returns the color of a print at a place of it, under `light`.
pub(super) fn shown(print: &Print, [u, v]: [f64; 2], light: f32, room: [f32; 3], sheen: f32) -> Color {
    let color = print.sheet.at((u + 1.0) / 2.0 * print.sheet.width as f64, (v + 1.0) / 2.0 * print.sheet.height as f64);
    let [red, green, blue] = [0, 1, 2].map(|i| color[i] * room[i] * light);
    // A glossy sheet adds the lamp's light to every color alike.
    let gloss = if sheen > 0.0 { sheen * 40.0 * (1.0 - step(0.0, 0.9, (u - 0.2).hypot(v + 0.7))) } else { 0.0 };
    mix([red, green, blue, color[3]], [red + gloss, green + gloss, blue + gloss, color[3]], color[3])
}
