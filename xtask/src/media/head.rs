//! A head that can be turned: the face mesh of a photograph, with the photograph as its texture.
//!
//! The mesh covers the face only. Hair, ears and hat get rings of points around it, further out and further back; the
//! picture's edge stays where it is, and between the two the background gives way.

use delaunator::{Point, triangulate};
use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};

use super::raster::{Canvas, Corner};
use crate::Result;

/// The size of every frame: 4:3, as cameras have it.
pub(super) const WIDTH: u32 = 480;
pub(super) const HEIGHT: u32 = 360;

/// Texture pixels for a frame's pixel: most of the photographs are finer than the frame.
const FINENESS: f64 = 2.0;

/// Frame pixels around the frame, so that a swaying camera sees nothing missing.
const MARGIN: f64 = 16.0;

/// How far behind the middle of the face the neck's axis lies, in widths of the face.
const PIVOT: f64 = 0.55;

/// The rings around the face: how far out to the sides, how far out upwards (hair and hats are higher than ears are
/// wide), both as multiples of the face's own outline, and how much further back than the outline, in widths of the
/// face.
const RINGS: [(f64, f64, f64); 3] = [(1.22, 1.3, 0.2), (1.45, 1.75, 0.38), (1.65, 2.2, 0.5)];

/// How a head is held, and where the camera looks.
#[derive(Clone, Copy, Default)]
pub(super) struct View {
    /// In degrees, positive when the nose points to the frame's right edge.
    pub(super) yaw: f64,
    /// In degrees, positive upwards.
    pub(super) pitch: f64,
    /// In degrees, positive clockwise as seen.
    pub(super) roll: f64,
    /// Where the whole picture moves, in pixels.
    pub(super) shift: [f64; 2],
}

struct Vertex {
    /// In frame pixels, depth away from the camera.
    rest: [f64; 3],
    texture: [f64; 2],
    /// How much of the head's movement this point follows: 1 on the face, less on the neck, 0 at the edge.
    follows: f64,
}

/// A head in front of its background.
pub(super) struct Head {
    texture: RgbImage,
    vertices: Vec<Vertex>,
    triangles: Vec<[usize; 3]>,
    pivot: [f64; 3],
    own_yaw: f64,
    /// The middle of the face at rest, in frame pixels.
    pub(super) center: [f64; 2],
}

impl Head {
    /// The head in `photo`, whose face mesh is `mesh` (photograph's pixels, depth away from the camera), framed by
    /// `view` (left, top, width). `own_yaw` is how far the head is turned there already.
    ///
    /// # Errors
    /// When the mesh does not lie in the view.
    pub(super) fn new(photo: &RgbImage, mesh: &[[f64; 3]], view: [f64; 3], own_yaw: f64) -> Result<Self> {
        let [left, top, width] = view;
        let scale = f64::from(WIDTH) / width;
        let in_frame = |p: &[f64; 3]| [(p[0] - left) * scale, (p[1] - top) * scale, p[2] * scale];
        let face: Vec<_> = mesh.iter().map(in_frame).collect();
        let bounds = |i: usize| {
            face.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| (low.min(p[i]), high.max(p[i])))
        };
        let ((x0, x1), (y0, y1)) = (bounds(0), bounds(1));
        if !(x0 > 0.0 && y0 > 0.0 && x1 < f64::from(WIDTH) && y1 < f64::from(HEIGHT)) {
            return Err(format!("the face ({x0:.0}..{x1:.0}, {y0:.0}..{y1:.0}) is not inside the frame"));
        }
        let mean = |i: usize| face.iter().map(|p| p[i]).sum::<f64>() / face.len() as f64;
        let (center, face_width, half_height) = ([mean(0), mean(1), mean(2)], x1 - x0, (y1 - y0) / 2.0);

        let (texture, origin) = texture(photo, left, top, scale);
        let in_texture = |x: f64, y: f64| [(x - origin[0]) * FINENESS, (y - origin[1]) * FINENESS];
        let mut vertices: Vec<Vertex> =
            face.iter().map(|&rest| Vertex { rest, texture: in_texture(rest[0], rest[1]), follows: 1.0 }).collect();

        // Where the photograph ends before the margin does, its edge is drawn out.
        let (low, high) = ([-MARGIN; 2], [f64::from(WIDTH) + MARGIN, f64::from(HEIGHT) + MARGIN]);
        let flat: Vec<_> = face.iter().map(|p| Point { x: p[0], y: p[1] }).collect();
        let outline = triangulate(&flat).hull;
        for (sideways, upwards, back) in RINGS {
            for &i in &outline {
                let from_center = [face[i][0] - center[0], face[i][1] - center[1]];
                let reach = if from_center[1] < 0.0 {
                    // From the sides' reach to the top's as the point climbs.
                    sideways + (upwards - sideways) * (-from_center[1] / half_height).clamp(0.0, 1.0)
                } else {
                    sideways
                };
                let (x, y) = (center[0] + from_center[0] * reach, center[1] + from_center[1] * reach);
                if x <= low[0] || y <= low[1] || x >= high[0] || y >= high[1] {
                    continue;
                }
                // Below the chin are neck and collar: the further down, the less they turn.
                let below = ((y - center[1]) / half_height - 1.0).clamp(0.0, 1.0);
                let rest = [x, y, face[i][2] + back * face_width];
                vertices.push(Vertex { rest, texture: in_texture(x, y), follows: 1.0 - 0.9 * below });
            }
        }

        let edge_steps = 24;
        for i in 0..edge_steps {
            let along =
                |axis: usize, i: i32| low[axis] + (high[axis] - low[axis]) * f64::from(i) / f64::from(edge_steps);
            // Each side from one corner up to, not including, the next.
            for (x, y) in [
                (along(0, i), low[1]),
                (high[0], along(1, i)),
                (along(0, edge_steps - i), high[1]),
                (low[0], along(1, edge_steps - i)),
            ] {
                // Behind everything.
                let rest = [x, y, center[2] + 20.0 * face_width];
                vertices.push(Vertex { rest, texture: in_texture(x, y), follows: 0.0 });
            }
        }

        let flat: Vec<_> = vertices.iter().map(|v| Point { x: v.rest[0], y: v.rest[1] }).collect();
        let triangles = triangulate(&flat).triangles.chunks_exact(3).map(|t| [t[0], t[1], t[2]]).collect();
        let pivot = [center[0], center[1], center[2] + PIVOT * face_width];
        Ok(Self { texture, vertices, triangles, pivot, own_yaw, center: [center[0], center[1]] })
    }

    /// The picture of the head held as `view` says: [`WIDTH`] x [`HEIGHT`] colors from 0 to 255 before rounding.
    pub(super) fn seen(&self, view: View) -> Vec<[f32; 3]> {
        let movement = View { yaw: view.yaw - self.own_yaw, ..view };
        let corners: Vec<_> = self
            .vertices
            .iter()
            .map(|vertex| {
                let turned = turn(vertex.rest, self.pivot, movement);
                let follow = |i: usize| vertex.rest[i] + (turned[i] - vertex.rest[i]) * vertex.follows;
                let target = [follow(0) + view.shift[0], follow(1) + view.shift[1]];
                Corner { target, depth: follow(2), texture: vertex.texture }
            })
            .collect();
        let mut canvas = Canvas::new(WIDTH, HEIGHT);
        for triangle in &self.triangles {
            canvas.triangle(triangle.map(|i| corners[i]), &self.texture);
        }
        canvas.finish()
    }
}

/// The part of the photograph that a frame and its margin show, at the texture's fineness, and where its corner lies in
/// frame pixels.
fn texture(photo: &RgbImage, left: f64, top: f64, scale: f64) -> (RgbImage, [f64; 2]) {
    // Whole pixels of the photograph: the crop's corners decide where the texture lies.
    let margin = MARGIN / scale;
    let low = [(left - margin).max(0.0).floor(), (top - margin).max(0.0).floor()];
    let reach = |low: f64, size: u32, start: f64, limit: u32| {
        ((start + f64::from(size) / scale + margin).min(f64::from(limit)).ceil() - low) as u32
    };
    let (width, height) = (reach(low[0], WIDTH, left, photo.width()), reach(low[1], HEIGHT, top, photo.height()));
    let crop = crop_imm(photo, low[0] as u32, low[1] as u32, width, height).to_image();
    let fine = |size: u32| (f64::from(size) * scale * FINENESS).round() as u32;
    let texture = resize(&crop, fine(width), fine(height), FilterType::CatmullRom);
    (texture, [(low[0] - left) * scale, (low[1] - top) * scale])
}

/// `point` turned about `pivot`: yaw about the vertical axis, then pitch, then roll.
pub(super) fn turn(point: [f64; 3], pivot: [f64; 3], view: View) -> [f64; 3] {
    let [x, y, z] = std::array::from_fn(|i| point[i] - pivot[i]);
    let (sin, cos) = view.yaw.to_radians().sin_cos();
    // The nose has the smallest z, so it moves to the right as yaw grows.
    let [x, z] = [cos * x - sin * z, sin * x + cos * z];
    let (sin, cos) = view.pitch.to_radians().sin_cos();
    let [y, z] = [cos * y + sin * z, cos * z - sin * y];
    let (sin, cos) = view.roll.to_radians().sin_cos();
    let [x, y] = [cos * x - sin * y, sin * x + cos * y];
    [x + pivot[0], y + pivot[1], z + pivot[2]]
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIVOT: [f64; 3] = [0.0, 0.0, 10.0];
    const NOSE: [f64; 3] = [0.0, 0.0, 0.0];

    fn turned(view: View) -> [f64; 3] {
        turn(NOSE, PIVOT, view)
    }

    #[test]
    fn angles_have_the_documented_signs() {
        assert!(turned(View { yaw: 20.0, ..View::default() })[0] > 3.0, "yaw: the nose goes right");
        assert!(turned(View { pitch: 20.0, ..View::default() })[1] < -3.0, "pitch: the nose goes up");
        let crown = turn([0.0, -10.0, 10.0], PIVOT, View { roll: 20.0, ..View::default() });
        assert!(crown[0] > 3.0, "roll: the crown goes right, clockwise as seen");
    }

    #[test]
    fn turning_keeps_distances() {
        let view = View { yaw: 31.0, pitch: -7.0, roll: 12.0, ..View::default() };
        let length = |p: [f64; 3]| p.iter().zip(PIVOT).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let point = [3.0, -4.0, 5.0];
        assert!((length(turn(point, PIVOT, view)) - length(point)).abs() < 1e-12);
    }
}
