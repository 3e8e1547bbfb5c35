//! A telephone or a tablet that shows a face: its body, its pixels, its light, and what the room reflects in it.

use super::super::clip::Noise;
use super::sheet::{Color, Sheet, opaque, step};

/// A device and how the camera sees its screen.
pub(super) struct Device {
    /// Half of the body's sides, and half of the screen's, where the body's longer side is 1.
    pub(super) body: [f64; 2],
    pub(super) screen: [f64; 2],
    /// The corners' radius.
    corner: f64,
    casing: [f32; 3],
    /// Pixels across the screen's width.
    pitch: f64,
    /// How much of the pixels' grid gets through the camera's lens.
    moire: f32,
    gain: [f32; 3],
    gamma: f32,
    /// What the black of the screen reflects.
    veil: f32,
    /// Glare: place on the screen, size, strength.
    glare: [f64; 4],
    /// Bands of the refresh against the camera's exposure: strength, bands on the screen, speed.
    bands: [f64; 3],
}

/// What is held to the camera.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    /// Upright, 20:9 or so.
    Telephone,
    /// 4:3.
    Tablet,
}

impl Device {
    /// Draws a device.
    pub(super) fn new(random: &mut Noise, model: Model) -> Self {
        let mut within = |low: f64, high: f64| low + (high - low) * random.uniform();
        let (slim, rim) = match model {
            Model::Telephone => (within(0.46, 0.54), within(0.012, 0.03)),
            Model::Tablet => (within(0.68, 0.76), within(0.035, 0.06)),
        };
        // Older ones have more above and below the screen than at its sides.
        let ends = rim + if within(0.0, 1.0) < 0.4 { within(0.03, 0.08) } else { 0.0 };
        let tone = if within(0.0, 1.0) < 0.75 { within(8.0, 34.0) } else { within(150.0, 215.0) } as f32;
        let light = within(0.85, 1.35) as f32;
        let blue = within(-0.02, 0.14) as f32;
        Self {
            body: [slim, 1.0],
            screen: [slim - rim, 1.0 - ends],
            corner: within(0.04, 0.12),
            casing: [tone, tone, tone + 2.0],
            pitch: [720.0, 1080.0, 1170.0][(within(0.0, 2.999)) as usize],
            moire: within(0.015, 0.09) as f32,
            gain: [light * (1.0 - blue), light, light * (1.0 + blue)],
            gamma: within(0.95, 1.25) as f32,
            veil: within(3.0, 22.0) as f32,
            glare: [within(-0.4, 0.4), within(-0.9, 0.6), within(0.08, 0.3), within(0.0, 1.0).powi(2) * 150.0],
            bands: [if within(0.0, 1.0) < 0.6 { within(0.01, 0.07) } else { 0.0 }, within(1.0, 4.0), within(0.2, 4.0)],
        }
    }

    /// Returns width over height of the screen.
    pub(super) fn aspect(&self) -> f64 {
        self.screen[0] / self.screen[1]
    }

    /// Returns the color at a place of the body, from -1 to 1 on both axes. `tilt` is the device's yaw and pitch in
    /// degrees, `time` is in seconds.
    pub(super) fn shown(
        &self,
        content: &Sheet,
        [u, v]: [f64; 2],
        light: f32,
        room: [f32; 3],
        tilt: [f64; 2],
        time: f64,
    ) -> Color {
        let (x, y) = (u * self.body[0], v * self.body[1]);
        let outside = |half: [f64; 2], radius: f64| {
            let (dx, dy) = ((x.abs() - half[0] + radius).max(0.0), (y.abs() - half[1] + radius).max(0.0));
            (dx * dx + dy * dy).sqrt() - radius
        };
        let covered = 1.0 - step(-0.004, 0.004, outside(self.body, self.corner));
        let on_screen = 1.0 - step(-0.002, 0.002, outside(self.screen, (self.corner - 0.02).max(0.004)));
        // The rim catches the light.
        let rim = step(-0.012, -0.004, outside(self.body, self.corner)) * 36.0;
        let casing: [f32; 3] = std::array::from_fn(|i| (self.casing[i] + rim) * light * room[i]);
        let mut color = casing;
        if on_screen > 0.0 {
            let (su, sv) = ((x / self.screen[0] + 1.0) / 2.0, (y / self.screen[1] + 1.0) / 2.0);
            let own = content.at(su * content.width as f64, sv * content.height as f64);
            let (column, row) = (su * self.pitch, sv * self.pitch / self.aspect());
            let turn = |cycles: f64| (cycles.fract() * std::f64::consts::TAU) as f32;
            let band = 1.0 + self.bands[0] as f32 * turn(sv * self.bands[1] + time * self.bands[2]).sin();
            // Red, green and blue stand side by side in each pixel.
            let ((sin, cos), line) = (turn(column).sin_cos(), 0.6 * turn(row).cos());
            let stripes = [cos, -0.5 * cos - 0.866 * sin, -0.5 * cos + 0.866 * sin];
            let glare = self.glare_at(x, y, tilt) + self.veil;
            let mut lit = [0.0; 3];
            for i in 0..3 {
                let pixels = 1.0 + self.moire * (stripes[i] + line);
                let value = (own[i] / 255.0).clamp(0.0, 1.0).powf(self.gamma) * 255.0;
                lit[i] = value * self.gain[i] * pixels * band + glare * room[i];
            }
            color = super::sheet::mix(casing, lit, on_screen);
        }
        opaque(color.map(|v| v.min(262.0))).map(|v| v * covered)
    }

    /// The lamp's reflection: it moves against the tilt.
    fn glare_at(&self, x: f64, y: f64, [yaw, pitch]: [f64; 2]) -> f32 {
        let [gx, gy, size, strength] = self.glare;
        let away = (x - gx - yaw * 0.03).hypot((y - gy + pitch * 0.03) * 0.8);
        (strength * (-(away / size).powi(2)).exp()) as f32
    }
}

/// Fits `content` (a face of `face` pixels at `center`) on a screen of `aspect` width over height: the whole width with
/// bars above and below, or filled with what lies round the face. Returns the part that is shown as left, top, width
/// and height in the content's pixels; it may reach beyond the content.
pub(super) fn fitted(size: [f64; 2], center: [f64; 2], face: f64, aspect: f64, fill: bool) -> [f64; 4] {
    if fill {
        // As much as the content's height and the face allow.
        let height = size[1].min(size[0] / aspect).max(face * 1.9);
        let width = height * aspect;
        let left = (center[0] - width / 2.0).clamp(0.0, (size[0] - width).max(0.0));
        let top = (center[1] - height / 2.0).clamp(0.0, (size[1] - height).max(0.0));
        [left, top, width, height]
    } else {
        let height = size[0] / aspect;
        [0.0, (size[1] - height) / 2.0, size[0], height]
    }
}

/// What the screen shows: `content` in the part `view`, black or white bars beyond it, with a few signs of a gallery on
/// them.
pub(super) fn displayed(content: &Sheet, view: [f64; 4], width: usize, height: usize, bars: f32) -> Sheet {
    let [left, top, w, h] = view;
    Sheet::from_fn(width, height, |x, y| {
        let (u, v) = ((x as f64 + 0.5) / width as f64, (y as f64 + 0.5) / height as f64);
        let (cx, cy) = (left + u * w, top + v * h);
        if cx >= 0.0 && cy >= 0.0 && cx <= content.width as f64 && cy <= content.height as f64 {
            return content.at(cx, cy);
        }
        let sign = |low: f64, high: f64| v > low && v < high && (u * 5.0).fract() > 0.42 && (u * 5.0).fract() < 0.6;
        let marked = sign(0.93, 0.95) || (v < 0.022 && v > 0.012 && !(0.15..0.8).contains(&u));
        opaque([if marked { 255.0 - bars } else { bars }; 3])
    })
}
