//! A living person as far as one photograph carries: the head with the face mesh's relief, eyelids that close, a jaw
//! that drops, on shoulders that hardly turn.
//!
//! The rendering's limits are those of its photograph: the light stays on the skin when the head turns, the side of a
//! head that the photograph does not show is drawn out of the side that it does, and below the collar the body is made
//! up.

use delaunator::{Point, triangulate};
use image::RgbImage;
use image::imageops::{FilterType, resize};

use super::super::head::{View, turn};
use super::super::raster::Corner;
use super::lens::{Lens, Place};
use super::lid::{Lid, blinking};
use super::life::Moment;
use super::matte::{FaceSize, matte};
use super::sheet::{Layer, Sheet, grain, mix, opaque, step};

/// The face's width in the texture, in pixels.
const TEXTURE_FACE: f64 = 190.0;
/// The texture reaches so far from the middle of the face, in widths of the face.
const REACH: Reach = Reach { side: 1.9, up: 1.75, down: 4.6 };

struct Reach {
    side: f64,
    up: f64,
    down: f64,
}

/// The body is drawn down to here, in widths of the face from its middle: as far as a small figure's feet.
const BODY: f64 = 8.0;

/// The rings of points around the face: outwards at the sides and upwards, in multiples of its outline, and backwards,
/// in widths of the face. As those of [`head`](super::super::head).
const RINGS: [(f64, f64, f64); 3] = [(1.2, 1.3, 0.2), (1.42, 1.7, 0.38), (1.7, 2.2, 0.5)];
/// How far behind the middle of the face the neck's axis lies, in widths of the face.
const PIVOT: f64 = 0.55;

/// The lids of both eyes in the face mesh (MediaPipe's numbers), from corner to corner: upper and lower in pairs.
pub(super) const LIDS: [[(usize, usize); 7]; 2] = [
    [(246, 7), (161, 163), (160, 144), (159, 145), (158, 153), (157, 154), (173, 155)],
    [(466, 249), (388, 390), (387, 373), (386, 374), (385, 380), (384, 381), (398, 382)],
];
/// The lower lip, inner and outer, from corner to corner without the corners.
const LOWER_LIP: [usize; 18] = [95, 88, 178, 87, 14, 317, 402, 318, 324, 146, 91, 181, 84, 17, 314, 405, 321, 375];
/// The mouth's corners.
const MOUTH: [usize; 2] = [61, 291];

struct Vertex {
    /// In photograph's pixels from the middle of the face, depth away from the camera.
    rest: [f64; 3],
    texture: [f64; 2],
    /// How much of the head's movement this point follows: 1 on the face, less on the neck, little on the shoulders.
    follows: f64,
}

/// A person who can be drawn before any background.
pub(super) struct Figure {
    texture: Sheet,
    /// The same at half the size, for small figures.
    half: Sheet,
    vertices: Vec<Vertex>,
    triangles: Vec<[usize; 3]>,
    lids: [Lid; 2],
    pivot: [f64; 3],
    /// How far the head is turned in the photograph, in degrees.
    own_yaw: f64,
    /// The width of the face in the photograph.
    pub(super) face: FaceSize,
}

impl Figure {
    /// Cuts the person out of `photo`, where `mesh` is the face (photograph's pixels) and `own_yaw` how far it
    /// is turned there, in degrees; `seed` chooses the clothes' folds.
    pub(super) fn new(photo: &RgbImage, mesh: &[[f64; 3]], own_yaw: f64, seed: u64) -> Self {
        let face = FaceSize::of(mesh);
        let fine = TEXTURE_FACE / face.width;
        let texture = cut_out(photo, face, fine, seed);
        let depth = mesh.iter().map(|p| p[2]).sum::<f64>() / mesh.len() as f64;
        let in_texture = |x: f64, y: f64| [(x + REACH.side * face.width) * fine, (y + REACH.up * face.width) * fine];
        let rest = |p: &[f64; 3]| [p[0] - face.center[0], p[1] - face.center[1], p[2] - depth];
        let points: Vec<[f64; 3]> = mesh.iter().map(rest).collect();
        let mut vertices: Vec<Vertex> =
            points.iter().map(|&rest| Vertex { rest, texture: in_texture(rest[0], rest[1]), follows: 1.0 }).collect();
        let flat: Vec<_> = points.iter().map(|p| Point { x: p[0], y: p[1] }).collect();
        let outline = triangulate(&flat).hull;
        for (sideways, upwards, back) in RINGS {
            for &i in &outline {
                let [x, y, z] = points[i];
                let climb = (-y / face.half_height).clamp(0.0, 1.0);
                let reach = if y < 0.0 { sideways + (upwards - sideways) * climb } else { sideways };
                let (x, y) = (x * reach, y * reach);
                let below = (y / face.half_height - 1.0).clamp(0.0, 1.0);
                let rest = [x, y, z + back * face.width];
                vertices.push(Vertex { rest, texture: in_texture(x, y), follows: 1.0 - 0.92 * below });
            }
        }
        body(&mut vertices, face, in_texture);
        let flat: Vec<_> = vertices.iter().map(|v| Point { x: v.rest[0], y: v.rest[1] }).collect();
        let mut triangles: Vec<[usize; 3]> =
            triangulate(&flat).triangles.chunks_exact(3).map(|t| [t[0], t[1], t[2]]).collect();
        // From the farthest to the nearest, for the soft edge of the hair.
        let far = |t: &[usize; 3]| t.iter().map(|&i| vertices[i].rest[2]).sum::<f64>();
        triangles.sort_by(|a, b| far(b).total_cmp(&far(a)));
        let places: Vec<[f64; 2]> = vertices[..mesh.len()].iter().map(|v| v.texture).collect();
        let lids = Lid::both(&places, TEXTURE_FACE);
        Self {
            lids,
            half: texture.halved(),
            texture,
            vertices,
            triangles,
            pivot: [0.0, 0.0, PIVOT * face.width],
            own_yaw,
            face,
        }
    }

    /// Returns where every point of the face and body lies at `moment`, in photograph's pixels from the middle of the
    /// face.
    fn posed(&self, moment: &Moment) -> Vec<[f64; 3]> {
        let rest = expressed(&self.vertices.iter().map(|v| v.rest).collect::<Vec<_>>(), moment, self.face);
        let view = View { yaw: moment.yaw - self.own_yaw, pitch: moment.pitch, roll: moment.roll, ..View::default() };
        let follow = |(rest, vertex): (&[f64; 3], &Vertex)| {
            let turned = turn(*rest, self.pivot, view);
            std::array::from_fn(|i| rest[i] + (turned[i] - rest[i]) * vertex.follows)
        };
        rest.iter().zip(&self.vertices).map(follow).collect()
    }

    /// Draws the person on `picture`, the middle of the face at `place`, with a face of `width` pixels there.
    pub(super) fn draw(
        &self,
        picture: &mut Sheet,
        lens: &Lens,
        place: Place,
        width: f64,
        moment: &Moment,
        light: [f32; 3],
    ) {
        let unit = width / self.face.width;
        let corners: Vec<Corner> = self
            .posed(moment)
            .iter()
            .zip(&self.vertices)
            .map(|(point, vertex)| {
                let (target, depth) = lens.project(place, point.map(|v| v * unit));
                Corner { target, depth, texture: vertex.texture }
            })
            .collect();
        let mut layer = Layer::around(corners.iter().map(|c| c.target), [picture.width, picture.height], 1);
        // About one pixel of the texture for a pixel of the picture.
        let small = width * place.scale < TEXTURE_FACE * 0.66;
        let (texture, fine) = if small { (&self.half, 0.5) } else { (&self.texture, 1.0) };
        for triangle in &self.triangles {
            layer.triangle(triangle.map(|i| corners[i]), |[x, y]| {
                let color = if moment.blink > 0.0 {
                    blinking(&self.lids, texture, fine, [x, y], moment.blink)
                } else {
                    texture.at(x * fine, y * fine)
                };
                [color[0] * light[0], color[1] * light[1], color[2] * light[2], color[3]]
            });
        }
        picture.lay(&layer);
    }

    /// Returns the person without the background, in the texture's pixels, with the face's width and middle there: the
    /// head and what of the shoulders the photograph shows.
    pub(super) fn head_alone(&self) -> (&Sheet, f64, [f64; 2]) {
        (&self.texture, TEXTURE_FACE, [REACH.side * TEXTURE_FACE, REACH.up * TEXTURE_FACE])
    }
}

/// The points with the jaw moved as `moment` says.
fn expressed(rest: &[[f64; 3]], moment: &Moment, face: FaceSize) -> Vec<[f64; 3]> {
    let mut points = rest.to_vec();
    if moment.mouth > 0.0 {
        let [left, right] = MOUTH.map(|i| rest[i]);
        let (middle, half) = ((left[0] + right[0]) / 2.0, (right[0] - left[0]).abs() / 2.0);
        let line = (left[1] + right[1]) / 2.0;
        let drop = moment.mouth * 0.12 * face.width;
        let chin = face.half_height;
        for (i, point) in points.iter_mut().enumerate() {
            let [x, y, _] = rest[i];
            let across = (x - middle) / half;
            let lip = LOWER_LIP.contains(&i);
            if lip {
                point[1] += drop * (1.0 - across * across).max(0.0);
            } else if y > line + 0.05 * face.width {
                let fade = 1.0 - f64::from(step(chin * 1.05, chin * 1.7, y));
                let rise = f64::from(step(line, line + 0.12 * face.width, y));
                point[1] += drop * 0.8 * (-(across * across) / 3.0).exp() * fade * rise;
            }
        }
    }
    points
}

/// Adds the neck's sides, the shoulders and the chest: a grid that hardly turns, bent round the body.
fn body(vertices: &mut Vec<Vertex>, face: FaceSize, in_texture: impl Fn(f64, f64) -> [f64; 2]) {
    let unit = face.width;
    let collar = face.half_height * 1.45;
    let on_face = vertices.len();
    let (columns, rows) = (10, 14);
    for row in 0..=rows {
        let y = collar + (BODY * unit - collar) * f64::from(row) / f64::from(rows);
        for column in 0..=columns {
            let x = REACH.side * unit * (2.0 * f64::from(column) / f64::from(columns) - 1.0);
            let crowded = vertices[..on_face].iter().any(|v| (v.rest[0] - x).hypot(v.rest[1] - y) < 0.16 * unit);
            if !crowded {
                let back = 0.42 + 0.12 * (x / unit).powi(2);
                vertices.push(Vertex { rest: [x, y, back * unit], texture: in_texture(x, y), follows: 0.06 });
            }
        }
    }
    // The corners above: nothing is drawn there, but hair may reach towards them.
    for step in 0..=6 {
        let x = REACH.side * unit * (f64::from(step) / 3.0 - 1.0);
        let top = -REACH.up * unit;
        vertices.push(Vertex { rest: [x, top, 0.7 * unit], texture: in_texture(x, top), follows: 0.8 });
    }
    for side in [-1.0, 1.0] {
        for y in [-0.9, 0.0] {
            let (x, y) = (side * REACH.side * unit, y * unit);
            vertices.push(Vertex { rest: [x, y, 0.7 * unit], texture: in_texture(x, y), follows: 0.8 });
        }
    }
}

/// The person on nothing: the photograph where it shows the person, clothes below and beside it.
fn cut_out(photo: &RgbImage, face: FaceSize, fine: f64, seed: u64) -> Sheet {
    let alpha = matte(photo, face);
    let masked = RgbImage::from_fn(photo.width(), photo.height(), |x, y| {
        image::Rgb([(alpha[(y * photo.width() + x) as usize] * 255.0) as u8; 3])
    });
    let size = |pixels: u32| (f64::from(pixels) * fine).round() as u32;
    let enlarge = |picture: &RgbImage| {
        Sheet::of(&resize(picture, size(photo.width()), size(photo.height()), FilterType::CatmullRom))
    };
    let (colors, masks) = (enlarge(photo), enlarge(&masked));
    let unit = TEXTURE_FACE;
    let chin = face.half_height * fine;
    let (width, height) = ((2.0 * REACH.side * unit) as usize, ((REACH.up + REACH.down) * unit) as usize);
    let [left, top] = [face.center[0] * fine - REACH.side * unit, face.center[1] * fine - REACH.up * unit];
    // The photograph's last row, or one well below the collar, from the middle of the face.
    let last = (colors.height as f64 - face.center[1] * fine - 6.0).min(chin + 0.95 * unit);
    let (clothes, middle) = clothes(&colors, &masks, [left, face.center[1] * fine], [last - 0.22 * unit, last], width);
    Sheet::from_fn(width, height, |x, y| {
        let (px, py) = (x as f64 + 0.5 + left, y as f64 + 0.5 + top);
        // From the middle of the face.
        let (dx, dy) = (x as f64 + 0.5 - REACH.side * unit, y as f64 + 0.5 - REACH.up * unit);
        let inner = |v: f64, limit: usize| step(2.0, 16.0, v.min(limit as f64 - v));
        // The photograph gives way towards its own edges and, below the chin, to what is made up.
        let head = (dx / unit).hypot((dy + 0.12 * unit) / (1.25 * unit)) < 1.0 || dy > 0.5 * chin;
        let kept = if head { 1.0 } else { 0.0 }
            * inner(px, colors.width)
            * (1.0 - step(last - 0.22 * unit, last, dy))
            * if dy > chin { 1.0 - step(0.85 * unit, 1.15 * unit, dx.abs()) } else { 1.0 };
        let covered = torso(dx / unit, (dy - chin) / unit);
        // Beside the neck the shoulders' edge is the made-up one.
        let beside = if dy > chin { covered.max(1.0 - step(0.5 * unit, 0.56 * unit, dx.abs())) } else { 1.0 };
        let shown = masks.at(px, py)[0] / 255.0 * kept * beside;
        let own = colors.at(px, py);
        let folds = 1.0
            + 0.09 * grain(seed, dx / unit * 2.2 + dy / unit, dy / unit * 1.2, 3)
            + 0.03 * grain(seed ^ 3, dx / 2.5, dy / 2.5, 1);
        let round = 1.0 - 0.25 * (dx.abs() / unit / 1.6).powi(3).min(1.0) as f32;
        let plain = step(last - 0.2 * unit, last + 1.1 * unit, dy);
        let made = mix(clothes[x], middle, plain).map(|v| v * folds * round);
        let total = shown.max(covered);
        let color = mix(made, [own[0], own[1], own[2]], if total > 0.0 { (shown / total).min(1.0) } else { 0.0 });
        opaque(color).map(|v| v * total)
    })
}

/// How much of a place is covered by a neck and shoulders, from the chin, in widths of the face.
fn torso(x: f64, y: f64) -> f32 {
    let x = x.abs();
    // Shoulders fall off from the neck and round down to the arms.
    let line = 0.24 + 0.3 * x + 2.4 * (x - 1.1).max(0.0).powi(2);
    let shoulders = step(-0.015, 0.015, y - line);
    let arm = 1.0 - step(-0.02, 0.02, x - (1.6 + 0.06 * y).min(1.8));
    shoulders * arm
}

/// The colors of the clothes for each column of the texture: those that the photograph shows between two rows, blurred,
/// and the middle one of them all. `corner` is the texture's left edge and the face's middle in the
/// enlarged photograph.
fn clothes(colors: &Sheet, masks: &Sheet, corner: [f64; 2], rows: [f64; 2], width: usize) -> (Vec<[f32; 3]>, [f32; 3]) {
    let mut sums: Vec<[f32; 4]> = vec![[0.0; 4]; width];
    let mut seen: Vec<[f32; 3]> = Vec::new();
    for (x, sum) in sums.iter_mut().enumerate() {
        let px = x as f64 + 0.5 + corner[0];
        if !(12.0..colors.width as f64 - 12.0).contains(&px) {
            continue;
        }
        let mut y = rows[0];
        while y < rows[1] {
            let weight = masks.at(px, y + corner[1])[0] / 255.0;
            let own = colors.at(px, y + corner[1]);
            // Beside the collar and the tie.
            let aside = (x as f64 - width as f64 / 2.0).abs() > 0.45 * TEXTURE_FACE;
            if weight > 0.8 && aside {
                seen.push([own[0], own[1], own[2]]);
            }
            *sum = std::array::from_fn(|i| sum[i] + weight * if i < 3 { own[i] } else { 1.0 });
            y += 3.0;
        }
    }
    let middle: [f32; 3] = std::array::from_fn(|channel| {
        let mut values: Vec<f32> = seen.iter().map(|color| color[channel]).collect();
        values.sort_by(f32::total_cmp);
        values.get(values.len() / 2).map_or([58.0, 62.0, 74.0][channel], |v| v.clamp(18.0, 225.0))
    });
    // A weak belief in the middle color keeps columns with few pixels from standing out.
    let blur = (TEXTURE_FACE * 0.07) as usize;
    let columns = (0..width)
        .map(|x| {
            let near = &sums[x.saturating_sub(blur)..(x + blur).min(width)];
            let total: [f32; 4] = std::array::from_fn(|i| near.iter().map(|sum| sum[i]).sum::<f32>());
            std::array::from_fn(|i| (total[i] + 12.0 * middle[i]) / (total[3] + 12.0))
        })
        .collect();
    (columns, middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face() -> FaceSize {
        FaceSize { center: [0.0, 0.0], width: 100.0, half_height: 60.0 }
    }

    /// Points with lips that touch, and everything else above them.
    fn points() -> Vec<[f64; 3]> {
        let mut points = vec![[0.0, -50.0, 0.0]; 468];
        points[MOUTH[0]] = [-18.0, 30.0, 0.0];
        points[MOUTH[1]] = [18.0, 30.0, 0.0];
        points[13] = [0.0, 30.0, 0.0];
        points[14] = [0.0, 30.0, 0.0];
        points
    }

    #[test]
    fn a_word_opens_the_mouth_alone() {
        let shut = points();
        let open = expressed(&shut, &Moment { mouth: 1.0, ..Moment::default() }, face());
        assert!(open[14][1] - open[13][1] > 8.0, "the lower lip drops: {}", open[14][1] - open[13][1]);
        assert_eq!(open[159], shut[159], "the eyes stay as they are");
    }
}
