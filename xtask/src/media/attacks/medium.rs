//! What an attack is shown on: a flat or bent sheet in a hand.

use super::super::clip::Noise;
use super::super::head::{View, turn};
use super::super::raster::Corner;
use super::lens::{Lens, Place};
use super::life::Wander;
use super::sheet::{Color, Layer, Sheet};

/// Pieces along each side of a sheet when it is drawn.
const PIECES: usize = 20;

/// A sheet's shape at one moment.
#[derive(Clone, Copy, Default)]
pub(super) struct Pose {
    /// Yaw, pitch and roll in degrees, with the signs of [`View`].
    pub(super) tilt: [f64; 3],
    /// How far the sheet has moved, in pixels at scale 1.
    pub(super) shift: [f64; 2],
    /// The angle between its two ends, in degrees; positive when they bend backwards.
    pub(super) bend: f64,
    /// The direction in which it is bent, in degrees from across to along.
    pub(super) grain: f64,
}

/// How a sheet is held.
pub(super) struct Hold {
    tilt: [Wander; 3],
    at_rest: [f64; 3],
    /// Swings: degrees in yaw and pitch, cycles a second, phase.
    swing: [f64; 4],
    shift: [Wander; 2],
    bend: f64,
    bending: Wander,
    grain: f64,
    still: bool,
}

/// How somebody holds a picture to a camera.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Grip {
    /// In a hand that tries to keep still.
    Steady,
    /// Swung to the sides, or up and down, so that it looks as if a head turned.
    Swung,
    /// Bent about its middle, in a hand.
    Bent,
    /// On a stand.
    Fixed,
}

impl Hold {
    /// Draws how a sheet is held. `unit` is the width of the face in it, in pixels.
    pub(super) fn new(random: &mut Noise, grip: Grip, unit: f64) -> Self {
        let mut within = |low: f64, high: f64| low + (high - low) * random.uniform();
        let at_rest = [within(-9.0, 9.0), within(-8.0, 8.0), within(-5.0, 5.0)];
        let upright = within(0.0, 1.0) < 0.35;
        let (far, speed, phase) = (within(30.0, 40.0), within(0.12, 0.35), within(0.0, std::f64::consts::TAU));
        let swing = match (grip, upright) {
            (Grip::Swung, false) => [far, 4.0, speed, phase],
            (Grip::Swung, true) => [4.0, far * 0.85, speed, phase],
            _ => [0.0; 4],
        };
        let bend = within(20.0, 70.0) * if within(0.0, 1.0) < 0.7 { 1.0 } else { -1.0 };
        let slack = within(0.0, 6.0);
        // Most bend it like a face, about the upright; some the other way.
        let grain = if within(0.0, 1.0) < 0.75 { within(-12.0, 12.0) } else { within(80.0, 100.0) };
        let restless = within(0.5, 1.6);
        let moving = within(0.0, 1.0) < 0.5;
        let tremble = if grip == Grip::Fixed { 0.0 } else { restless };
        let mut wander = |strength: f64, slowest: f64| Wander::new(random, strength * tremble, slowest);
        Self {
            tilt: [wander(2.4, 0.11), wander(2.2, 0.1), wander(1.3, 0.12)],
            at_rest: if grip == Grip::Fixed { at_rest.map(|v| v * 0.5) } else { at_rest },
            swing,
            shift: [wander(0.05 * unit, 0.12), wander(0.045 * unit, 0.13)],
            bend: if grip == Grip::Bent { bend } else { slack },
            bending: wander(if grip == Grip::Bent && moving { 9.0 } else { 0.6 }, 0.1),
            grain,
            still: grip == Grip::Fixed,
        }
    }

    /// Keeps the sheet flat, as glass is.
    pub(super) fn rigid(mut self) -> Self {
        self.bend = 0.0;
        self.bending = Wander::new(&mut Noise::new(0), 0.0, 1.0);
        self
    }

    /// Returns whether the sheet stands on a stand.
    pub(super) fn stands(&self) -> bool {
        self.still
    }

    /// Returns the pose at `time` in seconds.
    pub(super) fn at(&self, time: f64) -> Pose {
        let [yaw, pitch, speed, phase] = self.swing;
        let wave = (std::f64::consts::TAU * speed * time + phase).sin();
        let swung = [yaw * wave, pitch * wave, 0.0];
        Pose {
            tilt: std::array::from_fn(|i| self.at_rest[i] + self.tilt[i].at(time) + swung[i]),
            shift: [self.shift[0].at(time), self.shift[1].at(time)],
            bend: self.bend + self.bending.at(time),
            grain: self.grain,
        }
    }
}

/// A sheet of a size, half of each side in pixels at scale 1.
#[derive(Clone, Copy)]
pub(super) struct Medium {
    pub(super) half: [f64; 2],
}

impl Medium {
    /// Returns the point of the sheet at (`x`, `y`) of its plane, before it is tilted.
    fn bent(&self, [x, y]: [f64; 2], pose: &Pose) -> [f64; 3] {
        let (sin, cos) = pose.grain.to_radians().sin_cos();
        let span = 2.0 * (self.half[0] * cos.abs() + self.half[1] * sin.abs());
        let angle = pose.bend.to_radians();
        if angle.abs() < 1e-6 {
            return [x, y, 0.0];
        }
        let radius = span / angle;
        let along = x * cos + y * sin;
        let moved = radius * (along / radius).sin() - along;
        [x + moved * cos, y + moved * sin, radius * (1.0 - (along / radius).cos())]
    }

    /// Returns where a point of the sheet's plane, raised by `height` towards the camera, lies in the picture, and how
    /// far away it is.
    pub(super) fn project(
        &self,
        lens: &Lens,
        place: Place,
        pose: &Pose,
        plane: [f64; 2],
        height: f64,
    ) -> ([f64; 2], f64) {
        let [x, y, z] = self.bent(plane, pose);
        let [yaw, pitch, roll] = pose.tilt;
        let turned = turn([x, y, z - height], [0.0; 3], View { yaw, pitch, roll, ..View::default() });
        lens.project(place, [turned[0] + pose.shift[0], turned[1] + pose.shift[1], turned[2]])
    }

    /// Draws the sheet. `shade` gives the color at a place of the sheet, from -1 to 1 on both axes, and how much of the
    /// room's light falls there.
    pub(super) fn draw(
        &self,
        picture: &mut Sheet,
        lens: &Lens,
        place: Place,
        pose: &Pose,
        shade: impl Fn([f64; 2], f32) -> Color,
    ) {
        let line = PIECES + 1;
        let corners: Vec<Corner> = (0..line * line)
            .map(|i| {
                let [u, v] = [i % line, i / line].map(|k| 2.0 * k as f64 / PIECES as f64 - 1.0);
                let (target, depth) = self.project(lens, place, pose, [u * self.half[0], v * self.half[1]], 0.0);
                Corner { target, depth, texture: [u, v] }
            })
            .collect();
        let mut layer = Layer::around(corners.iter().map(|c| c.target), [picture.width, picture.height], 2);
        let [yaw, pitch, _] = pose.tilt;
        let along = pose.grain.to_radians().cos();
        for row in 0..PIECES {
            for column in 0..PIECES {
                let [nw, ne] = [row * line + column, row * line + column + 1];
                let [sw, se] = [nw + line, ne + line];
                // Light comes from above: a sheet that looks down is darker, and its ends are turned away.
                let [u, v] = [column, row].map(|k| 2.0 * (k as f64 + 0.5) / PIECES as f64 - 1.0);
                let own_yaw = (yaw + pose.bend / 2.0 * u * along).to_radians();
                let own_pitch = (pitch - pose.bend / 2.0 * v * (1.0 - along.abs())).to_radians();
                let light = 1.0 + 0.16 * own_pitch.sin() - 0.12 * (1.0 - own_yaw.cos()) + 0.1 * own_yaw.sin();
                for triangle in [[nw, ne, sw], [ne, se, sw]] {
                    layer.triangle(triangle.map(|i| corners[i]), |place| shade(place, light as f32));
                }
            }
        }
        picture.lay(&layer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENS: Lens = Lens { focal: 700.0, middle: [320.0, 240.0] };
    const PLACE: Place = Place { center: [250.0, 200.0], scale: 0.8 };
    const MEDIUM: Medium = Medium { half: [120.0, 150.0] };

    fn seen(pose: &Pose, plane: [f64; 2]) -> [f64; 2] {
        MEDIUM.project(&LENS, PLACE, pose, plane, 0.0).0
    }

    /// The homography that takes four points of a plane to four of a picture, by Gaussian elimination.
    fn homography(pairs: [([f64; 2], [f64; 2]); 4]) -> [f64; 9] {
        let mut rows: Vec<[f64; 9]> = Vec::new();
        for ([x, y], [u, v]) in pairs {
            rows.push([x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u]);
            rows.push([0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v]);
        }
        for i in 0..8 {
            let largest = (i..8).max_by(|&a, &b| rows[a][i].abs().total_cmp(&rows[b][i].abs())).unwrap();
            rows.swap(i, largest);
            let pivot = rows[i];
            for (j, row) in rows.iter_mut().enumerate() {
                if j != i {
                    let factor = row[i] / pivot[i];
                    for (value, of_pivot) in row.iter_mut().zip(pivot) {
                        *value -= factor * of_pivot;
                    }
                }
            }
        }
        std::array::from_fn(|i| if i < 8 { rows[i][8] / rows[i][i] } else { 1.0 })
    }

    /// The largest distance, in pixels, between the sheet and what the homography of its corners says.
    fn off_the_homography(pose: &Pose) -> f64 {
        let [w, h] = MEDIUM.half;
        let pairs = [[-w, -h], [w, -h], [w, h], [-w, h]].map(|corner| (corner, seen(pose, corner)));
        let m = homography(pairs);
        let mut worst = 0.0_f64;
        for i in 0..49 {
            let [x, y] = [w * (f64::from(i % 7) / 3.0 - 1.0), h * (f64::from(i / 7) / 3.0 - 1.0)];
            let below = m[6] * x + m[7] * y + m[8];
            let by_map = [(m[0] * x + m[1] * y + m[2]) / below, (m[3] * x + m[4] * y + m[5]) / below];
            let real = seen(pose, [x, y]);
            worst = worst.max((by_map[0] - real[0]).hypot(by_map[1] - real[1]));
        }
        worst
    }

    #[test]
    fn a_flat_sheet_is_seen_through_a_homography_and_a_bent_one_is_not() {
        let flat = Pose { tilt: [35.0, -12.0, 6.0], shift: [14.0, -9.0], ..Pose::default() };
        assert!(off_the_homography(&flat) < 1e-6, "{}", off_the_homography(&flat));
        let bent = Pose { bend: 40.0, ..flat };
        assert!(off_the_homography(&bent) > 2.0, "{}", off_the_homography(&bent));
    }

    #[test]
    fn bending_keeps_lengths_along_the_sheet() {
        let pose = Pose { bend: 60.0, grain: 10.0, ..Pose::default() };
        let point = |i: u32| MEDIUM.bent([f64::from(i) - 100.0, 20.0], &pose);
        let length: f64 =
            (0..200).map(|i| (0..3).map(|k| (point(i + 1)[k] - point(i)[k]).powi(2)).sum::<f64>().sqrt()).sum();
        assert!((length - 200.0).abs() < 0.1, "{length}");
    }

    #[test]
    fn a_stand_holds_still_and_a_hand_does_not() {
        let moved = |grip: Grip| {
            let hold = Hold::new(&mut Noise::new(3), grip, 100.0);
            let points: Vec<_> = (0..50).map(|i| seen(&hold.at(f64::from(i) * 0.2), [60.0, 0.0])).collect();
            points.iter().map(|p| (p[0] - points[0][0]).hypot(p[1] - points[0][1])).fold(0.0, f64::max)
        };
        assert!(moved(Grip::Fixed) < 1e-9);
        assert!(moved(Grip::Steady) > 3.0);
        let swung = Hold::new(&mut Noise::new(3), Grip::Swung, 100.0);
        let far = (0..100).map(|i| swung.at(f64::from(i) * 0.1).tilt);
        assert!(far.map(|t| t[0].abs().max(t[1].abs())).fold(0.0, f64::max) > 24.0);
    }
}
