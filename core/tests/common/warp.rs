//! Photographs held up to a camera: a picture as a flat print, turned in space, tinted, blurred and shown again.

use faceattend_core::frame::{ChannelOrder, Frame};

/// How a print is held.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// About the vertical, in degrees; positive brings the right half nearer.
    pub yaw: f32,
    /// About the horizontal, in degrees.
    pub pitch: f32,
    /// In its plane, in degrees.
    pub roll: f32,
    /// The distance of the camera, in widths of the picture: small ones distort more. An arm's length is about 1.5 of
    /// an A4 sheet.
    pub distance: f32,
}

impl Held {
    pub fn turned(yaw: f32) -> Self {
        Self { yaw, pitch: 0.0, roll: 0.0, distance: 1.5 }
    }
}

/// The print of `picture` as a pinhole camera sees it when it is held so, on a gray wall; as large as the picture.
pub fn print_of(picture: &Frame<'_>, held: Held) -> Frame<'static> {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let (sy, cy) = held.yaw.to_radians().sin_cos();
    let (sp, cp) = held.pitch.to_radians().sin_cos();
    let (sr, cr) = held.roll.to_radians().sin_cos();
    // The print's axes in space: roll first, then pitch, then yaw.
    let axis = |x: f32, y: f32| {
        let (x, y) = (x * cr - y * sr, x * sr + y * cr);
        let (y, z) = (y * cp, y * sp);
        [x * cy + z * sy, y, z * cy - x * sy]
    };
    let (u, v) = (axis(1.0, 0.0), axis(0.0, 1.0));
    let focal = held.distance * width;
    let mut pixels = Vec::with_capacity(picture.pixels().len());
    for py in 0..picture.height() {
        for px in 0..picture.width() {
            // The ray through the pixel meets the print where a u + b v + (0, 0, focal) lies on it.
            let (rx, ry) = ((px as f32 + 0.5 - width / 2.0) / focal, (py as f32 + 0.5 - height / 2.0) / focal);
            let (m00, m01) = (u[0] - rx * u[2], v[0] - rx * v[2]);
            let (m10, m11) = (u[1] - ry * u[2], v[1] - ry * v[2]);
            let det = m00 * m11 - m01 * m10;
            let (bx, by) = (rx * focal, ry * focal);
            let (a, b) = ((bx * m11 - by * m01) / det, (by * m00 - bx * m10) / det);
            let (x, y) = (a + width / 2.0 - 0.5, b + height / 2.0 - 0.5);
            pixels.extend(sample(picture, x, y));
        }
    }
    Frame::new(pixels, picture.width(), picture.height(), ChannelOrder::Rgb).unwrap()
}

/// `picture` as a mirror shows it.
pub fn mirrored(picture: &Frame<'_>) -> Frame<'static> {
    let pixels = (0..picture.height())
        .flat_map(|y| (0..picture.width()).rev().flat_map(move |x| picture.rgb(x, y).unwrap()))
        .collect::<Vec<_>>();
    Frame::new(pixels, picture.width(), picture.height(), ChannelOrder::Rgb).unwrap()
}

/// What software does to a picture before it is sent again; the size of the frame stays.
#[derive(Debug, Clone, Copy)]
pub struct Altered {
    /// What is cut off from the left, the top, the right and the bottom, as parts of the picture.
    pub crop: [f32; 4],
    /// How far it is turned in its plane, in degrees.
    pub roll: f32,
    /// What every value is multiplied by.
    pub gain: f32,
}

impl Altered {
    pub const NOT: Self = Self { crop: [0.0; 4], roll: 0.0, gain: 1.0 };
}

/// `picture` altered: cropped and scaled to its size again, turned, lighter or darker.
pub fn altered(
    picture: &Frame<'_>,
    Altered { crop: [left, top, right, bottom], roll, gain }: Altered,
) -> Frame<'static> {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let (sin, cos) = roll.to_radians().sin_cos();
    let mut pixels = Vec::with_capacity(picture.pixels().len());
    for py in 0..picture.height() {
        for px in 0..picture.width() {
            let (dx, dy) = (px as f32 - width / 2.0, py as f32 - height / 2.0);
            let (x, y) = (width / 2.0 + dx * cos - dy * sin, height / 2.0 + dx * sin + dy * cos);
            let x = width * left + x * (1.0 - left - right);
            let y = height * top + y * (1.0 - top - bottom);
            let shade = |value: u8| (f32::from(value) * gain).round().clamp(0.0, 255.0) as u8;
            pixels.extend(sample(picture, x, y).map(shade));
        }
    }
    Frame::new(pixels, picture.width(), picture.height(), ChannelOrder::Rgb).unwrap()
}

/// `picture` through a JPEG of this quality.
pub fn recompressed(picture: &Frame<'_>, quality: u8) -> Frame<'static> {
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    let rgb: Vec<u8> = (0..picture.height())
        .flat_map(|y| (0..picture.width()).flat_map(move |x| picture.rgb(x, y).unwrap()))
        .collect();
    let mut bytes = Vec::new();
    jpeg_encoder::Encoder::new(&mut bytes, quality).encode(&rgb, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    faceattend_core::decode::decode(&bytes, &faceattend_core::decode::DecodeLimits::default()).unwrap()
}

/// `picture` at half its size.
pub fn halved(picture: &Frame<'_>) -> Frame<'static> {
    let (width, height) = (picture.width() / 2, picture.height() / 2);
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| picture.rgb(2 * x + dx, 2 * y + dy).unwrap());
            pixels.extend((0..3).map(|c| (four.iter().map(|p| u16::from(p[c])).sum::<u16>() / 4) as u8));
        }
    }
    Frame::new(pixels, width, height, ChannelOrder::Rgb).unwrap()
}

fn sample(picture: &Frame<'_>, x: f32, y: f32) -> [u8; 3] {
    const WALL: [u8; 3] = [128; 3];
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = (x - x0, y - y0);
    let at = |dx: f32, dy: f32| {
        let (x, y) = (x0 + dx, y0 + dy);
        if x < 0.0 || y < 0.0 { WALL } else { picture.rgb(x as u32, y as u32).unwrap_or(WALL) }
    };
    let (a, b, c, d) = (at(0.0, 0.0), at(1.0, 0.0), at(0.0, 1.0), at(1.0, 1.0));
    std::array::from_fn(|i| {
        let top = f32::from(a[i]) * (1.0 - fx) + f32::from(b[i]) * fx;
        let bottom = f32::from(c[i]) * (1.0 - fx) + f32::from(d[i]) * fx;
        (top * (1.0 - fy) + bottom * fy).round() as u8
    })
}
