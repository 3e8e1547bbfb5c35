//! An eyelid that closes: skin drawn down over an eye in a person's texture, with the line of the lashes at its edge.

use super::figure::LIDS;
use super::sheet::{Color, Sheet, mix, step};

/// The corners of both eyes in the face mesh (MediaPipe's numbers), the picture's left one first.
const CORNERS: [[usize; 2]; 2] = [[33, 133], [362, 263]];
/// The mesh takes an eye for narrower than it is: so far above and below its lids, in widths of the face, the
/// photograph still shows the eye. Judged by eye on photographs with faces of 100 pixels.
const ABOVE: f64 = 0.03;
const BELOW: f64 = 0.018;
/// How far beyond the skin is taken from, in widths of the face.
const SKIN: f64 = 0.012;
/// How thick lashes are, in widths of the face, and how dark.
const LASHES: f64 = 0.008;
const DARK: f32 = 0.6;

/// The lid of one eye, in the texture's pixels.
pub(super) struct Lid {
    left: f64,
    /// Where the eye begins and ends in each column.
    columns: Vec<[f64; 2]>,
    /// The width of the face.
    unit: f64,
}

impl Lid {
    /// Creates both lids from the places of the mesh in the texture, where the face is `unit` wide.
    pub(super) fn both(mesh: &[[f64; 2]], unit: f64) -> [Self; 2] {
        [0, 1].map(|eye| {
            let [first, last] = CORNERS[eye].map(|i| mesh[i]);
            let lids = &LIDS[eye];
            // In the order of x: MediaPipe counts the second eye from its outer corner.
            let line = |pick: fn(&(usize, usize)) -> usize| {
                let mut points: Vec<[f64; 2]> = lids.iter().map(|pair| mesh[pick(pair)]).collect();
                points.extend([first, last]);
                points.sort_by(|a, b| a[0].total_cmp(&b[0]));
                points
            };
            let (upper, lower) = (line(|pair| pair.0), line(|pair| pair.1));
            let (middle, half) = ((first[0] + last[0]) / 2.0, 0.56 * (last[0] - first[0]).abs());
            let left = (middle - half).floor();
            let columns = (0..(2.0 * half).ceil() as usize)
                .map(|i| {
                    let x = left + i as f64 + 0.5;
                    let round = (1.0 - ((x - middle) / half).powi(2)).max(0.0).sqrt();
                    [at(&upper, x) - ABOVE * unit * round, at(&lower, x) + BELOW * unit * round]
                })
                .collect();
            Self { left, columns, unit }
        })
    }

    /// Returns how much of a place the lid covers, and how dark the lashes are there, when the eye is closed by
    /// `blink`, from 0 to 1.
    fn covers(&self, [x, y]: [f64; 2], blink: f64) -> Option<(f32, f32, [f64; 2])> {
        let column = x - self.left;
        if column < 0.0 || blink <= 0.0 {
            return None;
        }
        let &[top, bottom] = self.columns.get(column as usize)?;
        if y < top || y > bottom + LASHES * self.unit * 2.0 {
            return None;
        }
        let edge = top + (bottom - top) * blink;
        let covered = 1.0 - step(edge - 0.5, edge + 0.5, y);
        let fade = (1.0 - (2.0 * column / self.columns.len() as f64 - 1.0).powi(4)) as f32;
        let away = (y - edge + LASHES * self.unit) / (LASHES * self.unit);
        Some((covered, DARK * fade * (-away * away).exp() as f32, [top, bottom]))
    }

    /// Returns the color at a place of the texture, `own` where the eye is open; `seen` gives the texture's colors.
    pub(super) fn drawn(&self, own: Color, place: [f64; 2], blink: f64, seen: impl Fn(f64, f64) -> Color) -> Color {
        let Some((covered, lashes, [top, bottom])) = self.covers(place, blink) else { return own };
        let beyond = SKIN * self.unit;
        let share = ((place[1] - top) / (bottom - top).max(1.0)).clamp(0.0, 1.0) as f32;
        // The lid is the skin from above; only its edge is like the skin below.
        let skin = mix(seen(place[0], top - beyond), seen(place[0], bottom + beyond), share * share);
        let color = mix(own, skin, covered);
        let shade = 1.0 - lashes;
        [color[0] * shade, color[1] * shade, color[2] * shade, color[3]]
    }
}

/// The height of a line through `points`, in the order of x, at `x`.
fn at(points: &[[f64; 2]], x: f64) -> f64 {
    let last = points.len() - 1;
    if x <= points[0][0] {
        return points[0][1];
    }
    let after = points.iter().position(|point| point[0] > x).unwrap_or(last);
    let [a, b] = [points[after.max(1) - 1], points[after]];
    let share = if b[0] > a[0] { ((x - a[0]) / (b[0] - a[0])).clamp(0.0, 1.0) } else { 1.0 };
    a[1] + (b[1] - a[1]) * share
}

/// The color of a texture with both eyes closed by `blink`.
pub(super) fn blinking(lids: &[Lid; 2], texture: &Sheet, fine: f64, place: [f64; 2], blink: f64) -> Color {
    let seen = |x: f64, y: f64| texture.at(x * fine, y * fine);
    let own = seen(place[0], place[1]);
    lids.iter().fold(own, |color, lid| lid.drawn(color, place, blink, seen))
}

#[cfg(test)]
mod tests {
    use super::super::sheet::opaque;
    use super::*;

    /// Two eyes 40 wide and 8 open, at (60, 50) and (140, 50), in a face 190 wide.
    fn mesh() -> Vec<[f64; 2]> {
        let mut mesh = vec![[0.0, 0.0]; 468];
        for (eye, middle) in [60.0, 140.0].into_iter().enumerate() {
            mesh[CORNERS[eye][0]] = [middle - 20.0, 50.0];
            mesh[CORNERS[eye][1]] = [middle + 20.0, 50.0];
            for (i, &(upper, lower)) in LIDS[eye].iter().enumerate() {
                let x = middle - 15.0 + 5.0 * i as f64;
                mesh[upper] = [x, 46.0];
                mesh[lower] = [x, 54.0];
            }
        }
        mesh
    }

    /// How many pixels of both eyes show the eye, and not skin: the texture is blue there.
    fn open_pixels(blink: f64) -> usize {
        let lids = Lid::both(&mesh(), 190.0);
        let is_eye = |x: usize, y: usize| (46..54).contains(&y) && ((45..75).contains(&x) || (125..155).contains(&x));
        let texture =
            Sheet::from_fn(200, 100, |x, y| opaque(if is_eye(x, y) { [0.0, 0.0, 200.0] } else { [200.0, 150.0, 0.0] }));
        let seen = |i: usize| blinking(&lids, &texture, 1.0, [(i % 200) as f64 + 0.5, (i / 200) as f64 + 0.5], blink);
        (0..200 * 100).filter(|&i| seen(i)[2] > 60.0).count()
    }

    #[test]
    fn a_blink_closes_the_opening_of_both_eyes() {
        let all = open_pixels(0.0);
        assert_eq!(all, 8 * 60);
        let half = open_pixels(0.5);
        assert!((all / 4..all * 3 / 4).contains(&half), "{half} of {all}");
        assert_eq!(open_pixels(1.0), 0);
    }
}
