//! The hand that holds an attack: rounded strokes for fingers, palm and arm.

use super::super::clip::Noise;
use super::lens::{Lens, Place};
use super::medium::{Medium, Pose};
use super::sheet::{Sheet, grain, mix, opaque, step};

/// Skin, from light to dark.
const SKINS: [[f32; 3]; 5] =
    [[224.0, 178.0, 152.0], [206.0, 156.0, 126.0], [176.0, 124.0, 94.0], [132.0, 88.0, 64.0], [92.0, 60.0, 46.0]];
/// Sleeves.
const SLEEVES: [[f32; 3]; 5] =
    [[60.0, 74.0, 104.0], [44.0, 44.0, 48.0], [150.0, 148.0, 142.0], [120.0, 52.0, 48.0], [92.0, 110.0, 84.0]];

/// A hand and where it holds the sheet.
pub(super) struct Hand {
    skin: [f32; 3],
    sleeve: [f32; 3],
    /// The place of the grip on the sheet's edge, from -1 to 1, and the direction into the sheet.
    at: [f64; 2],
    inward: [f64; 2],
    /// A centimeter, in pixels at scale 1.
    cm: f64,
    /// The fingers lie round the other edge, as round a telephone's back.
    around: bool,
    /// How far to the side the elbow is, in centimeters.
    elbow: f64,
    seed: u64,
}

impl Hand {
    /// Draws a hand that holds a sheet on which a centimeter has `cm` pixels. `slim` things are held round the back.
    pub(super) fn new(random: &mut Noise, cm: f64, slim: bool) -> Self {
        let mut within = |low: f64, high: f64| low + (high - low) * random.uniform();
        let side = if within(0.0, 1.0) < 0.5 { -1.0 } else { 1.0 };
        let (at, inward) = if slim {
            ([side, within(0.25, 0.6)], [-side, -0.25])
        } else if within(0.0, 1.0) < 0.5 {
            ([side, within(0.1, 0.7)], [-side, within(-0.4, 0.1)])
        } else {
            ([within(-0.5, 0.5), 1.0], [within(-0.3, 0.3), -1.0])
        };
        let pick = |share: f64, count: usize| ((share * count as f64) as usize).min(count - 1);
        Self {
            skin: SKINS[pick(within(0.0, 1.0), SKINS.len())],
            sleeve: SLEEVES[pick(within(0.0, 1.0), SLEEVES.len())],
            at,
            inward,
            cm,
            around: slim,
            elbow: side * within(4.0, 16.0),
            seed: (within(0.0, 1.0) * 1e9) as u64,
        }
    }

    /// Draws what of the hand lies behind the sheet.
    pub(super) fn behind(
        &self,
        picture: &mut Sheet,
        lens: &Lens,
        place: Place,
        medium: &Medium,
        pose: &Pose,
        room: [f32; 3],
    ) {
        let edge = [self.at[0] * medium.half[0], self.at[1] * medium.half[1]];
        let cm = self.cm;
        let [ix, iy] = self.inward;
        let along = [-iy, ix];
        let spot = |inside: f64, aside: f64| {
            [edge[0] + (ix * inside + along[0] * aside) * cm, edge[1] + (iy * inside + along[1] * aside) * cm]
        };
        let seen = |point: [f64; 2], depth: f64| {
            let (pixel, distance) = medium.project(lens, place, pose, point, -depth * cm);
            (pixel, lens.focal / distance * cm)
        };
        let (wrist, unit) = seen(spot(-7.0, 3.0), 3.0);
        let (palm, _) = seen(spot(-2.5, 1.0), 2.5);
        // The arm comes from below the picture's edge.
        let down = (picture.height as f64 + 6.0 * unit - wrist[1]).max(8.0 * unit);
        let elbow = [wrist[0] + self.elbow * unit * down / (20.0 * unit), wrist[1] + down];
        let cuff = [wrist[0] + (elbow[0] - wrist[0]) * 0.22, wrist[1] + (elbow[1] - wrist[1]) * 0.22];
        let skin: [f32; 3] = std::array::from_fn(|i| self.skin[i] * room[i] * 0.92);
        let sleeve: [f32; 3] = std::array::from_fn(|i| self.sleeve[i] * room[i]);
        stroke(picture, [wrist, cuff], [2.9 * unit, 3.1 * unit], skin, self.seed);
        stroke(picture, [cuff, elbow], [4.0 * unit, 5.4 * unit], sleeve, self.seed ^ 1);
        stroke(picture, [palm, wrist], [3.9 * unit, 3.0 * unit], skin, self.seed ^ 2);
        for finger in 0..4 {
            let aside = -2.6 + 1.9 * f64::from(finger);
            let (root, _) = seen(spot(-2.2, aside), 1.6);
            let (tip, _) = seen(spot(4.5, aside - 0.6), 0.8);
            stroke(picture, [root, tip], [0.95 * unit, 0.8 * unit], skin, self.seed ^ (3 + finger as u64));
        }
    }

    /// Draws what lies in front: the thumb, and the fingertips that reach round the other edge.
    pub(super) fn before(
        &self,
        picture: &mut Sheet,
        lens: &Lens,
        place: Place,
        medium: &Medium,
        pose: &Pose,
        room: [f32; 3],
    ) {
        let edge = [self.at[0] * medium.half[0], self.at[1] * medium.half[1]];
        let cm = self.cm;
        let [ix, iy] = self.inward;
        let along = [-iy, ix];
        let seen = |point: [f64; 2], height: f64| {
            let (pixel, distance) = medium.project(lens, place, pose, point, height * cm);
            (pixel, lens.focal / distance * cm)
        };
        let skin: [f32; 3] = std::array::from_fn(|i| self.skin[i] * room[i]);
        let spot = |inside: f64, aside: f64| {
            [edge[0] + (ix * inside + along[0] * aside) * cm, edge[1] + (iy * inside + along[1] * aside) * cm]
        };
        let reach = if self.around { 1.2 } else { 3.4 };
        let (root, unit) = seen(spot(-2.6, 1.4), 0.2);
        let (knuckle, _) = seen(spot(-0.2, 0.3), 1.0);
        let (tip, _) = seen(spot(reach, -0.9), 0.7);
        stroke(picture, [root, knuckle], [1.5 * unit, 1.15 * unit], skin, self.seed ^ 7);
        stroke(picture, [knuckle, tip], [1.15 * unit, 0.9 * unit], skin, self.seed ^ 8);
        let nail = [tip[0] * 0.9 + knuckle[0] * 0.1, tip[1] * 0.9 + knuckle[1] * 0.1];
        stroke(
            picture,
            [nail, tip],
            [0.5 * unit, 0.45 * unit],
            skin.map(|v| (v * 1.12 + 8.0).min(250.0)),
            self.seed ^ 9,
        );
        if self.around {
            for finger in 0..4 {
                let y = edge[1] + (-3.0 + 1.75 * f64::from(finger)) * cm;
                let across = -self.at[0] * medium.half[0];
                let (root, _) = seen([across - self.at[0] * 0.7 * cm, y], -0.6);
                let (tip, _) = seen([across + self.at[0] * 0.55 * cm, y - 0.3 * cm], 0.6);
                stroke(picture, [root, tip], [0.74 * unit, 0.66 * unit], skin, self.seed ^ (20 + finger as u64));
            }
        }
    }
}

/// Draws a stand: a dark rod with a clip below the sheet.
pub(super) fn stand(picture: &mut Sheet, lens: &Lens, place: Place, medium: &Medium, pose: &Pose, cm: f64) {
    let (foot, distance) = medium.project(lens, place, pose, [0.0, medium.half[1] + 0.5 * cm], 0.0);
    let unit = lens.focal / distance * cm;
    let ground = [foot[0], picture.height as f64 + 20.0];
    stroke(picture, [foot, ground], [0.8 * unit, 0.9 * unit], [44.0, 44.0, 48.0], 3);
    let (low, _) = medium.project(lens, place, pose, [-1.2 * cm, medium.half[1]], 0.2);
    let (high, _) = medium.project(lens, place, pose, [1.2 * cm, medium.half[1]], 0.2);
    stroke(picture, [low, high], [0.9 * unit, 0.9 * unit], [30.0, 30.0, 34.0], 4);
}

/// Draws a rounded stroke, lit from above, from one end to the other.
fn stroke(picture: &mut Sheet, ends: [[f64; 2]; 2], radii: [f64; 2], color: [f32; 3], seed: u64) {
    let [a, b] = ends;
    let widest = radii[0].max(radii[1]) + 1.0;
    let range = |axis: usize, limit: usize| {
        let low = (a[axis].min(b[axis]) - widest).clamp(0.0, limit as f64);
        let high = (a[axis].max(b[axis]) + widest).clamp(0.0, limit as f64);
        low as usize..high as usize
    };
    let way = [b[0] - a[0], b[1] - a[1]];
    let length = (way[0] * way[0] + way[1] * way[1]).max(1e-9);
    for y in range(1, picture.height) {
        for x in range(0, picture.width) {
            let (px, py) = (x as f64 + 0.5 - a[0], y as f64 + 0.5 - a[1]);
            let along = ((px * way[0] + py * way[1]) / length).clamp(0.0, 1.0);
            let radius = radii[0] + (radii[1] - radii[0]) * along;
            let off = [px - way[0] * along, py - way[1] * along];
            let square = off[0] * off[0] + off[1] * off[1];
            if square > (radius + 1.0).powi(2) {
                continue;
            }
            let away = square.sqrt();
            let covered = 1.0 - step(radius - 0.8, radius + 0.8, away);
            if covered > 0.0 {
                let round = (away / radius).min(1.0);
                // The upper left side is lit, the edge turns away from the light.
                let lit = 1.02 - 0.34 * round.powi(3) - 0.14 * (off[1] / radius) - 0.05 * (off[0] / radius);
                let skin = 1.0 + 0.05 * grain(seed, px / 5.0, py / 5.0, 2);
                let shade = opaque(color.map(|v| v * lit as f32 * skin));
                let pixel = &mut picture.pixels[y * picture.width + x];
                *pixel = mix(*pixel, shade, covered);
            }
        }
    }
}
