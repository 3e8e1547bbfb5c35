//! Detects where a fixed camera's picture has changed, so that an empty corridor costs almost nothing.
//!
//! The picture is sampled on a coarse grid and compared with a running mean of the pictures before. That costs a
//! fraction of a millisecond, where face detection costs tens; and faces come into a picture by moving.

use crate::frame::Frame;
use crate::geometry::Rect;

/// Samples along the longer side of the picture: at 1280 pixels one every eighth, four to a 32-pixel cell, which is as
/// large as the smallest face that can be recognized.
const SAMPLES: u32 = 160;
/// Samples along a cell's side.
const CELL: usize = 4;
/// How much of a new picture goes into the mean. A third forgets a passer-by within a second at five pictures a
/// second, and still gathers up what moves too slowly to change from one picture to the next.
const FORGET: f32 = 0.33;
/// The factor by which a cell has to differ more than the median cell to count as moving. The median cell shows the
/// sensor's noise.
const OVER_NOISE: f32 = 3.0;
/// The least difference that is motion, of 255: half of what a face of one cell makes when it moves by a fifth of
/// itself.
const LEAST: f32 = 4.0;
/// The most that noise may raise it to, so that a picture that moves as a whole still moves.
const MOST: f32 = 10.0;
/// Above this part of all cells the whole picture counts as moving: the light was switched, the camera turned.
const WHOLE: f32 = 0.6;

/// The parts of a picture that have changed, as cells.
///
/// ```
/// use faceattend_core::geometry::Rect;
/// use faceattend_core::motion::MotionGate;
/// use faceattend_core::{ChannelOrder, Frame};
///
/// let gray = Frame::new(vec![90; 3 * 320 * 240], 320, 240, ChannelOrder::Rgb)?;
/// let mut gate = MotionGate::default();
/// // The first picture is new everywhere.
/// assert!(gate.observe(&gray).within(&Rect::new(0.0, 0.0, 320.0, 240.0)));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Motion {
    columns: usize,
    rows: usize,
    moving: Vec<bool>,
    count: usize,
    /// Frame pixels of a cell's side.
    cell: f32,
    first: bool,
}

impl Motion {
    /// Returns whether anything has changed. The first picture always has.
    #[must_use]
    pub fn any(&self) -> bool {
        self.first || self.count > 0
    }

    /// Returns whether the picture has changed as a whole.
    #[must_use]
    pub fn everywhere(&self) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "some thousand cells")]
        let part = self.count as f32 / self.moving.len().max(1) as f32;
        self.first || part > WHOLE
    }

    /// Returns whether anything has changed in `region`, in frame pixels.
    #[must_use]
    pub fn within(&self, region: &Rect) -> bool {
        self.first || self.cells_of(region).any(|at| self.moving[at])
    }

    /// Takes out what has changed in `region`: somebody else looks there.
    pub fn clear(&mut self, region: &Rect) {
        let cells: Vec<usize> = self.cells_of(region).collect();
        for at in cells {
            self.count -= usize::from(std::mem::replace(&mut self.moving[at], false));
        }
    }

    /// Keeps only the cells whose center, in frame pixels, `keep` likes.
    pub fn retain(&mut self, keep: impl Fn(f32, f32) -> bool) {
        for at in 0..self.moving.len() {
            let (x, y) = (center(at % self.columns) * self.cell, center(at / self.columns) * self.cell);
            if self.moving[at] && !keep(x, y) {
                self.moving[at] = false;
                self.count -= 1;
            }
        }
    }

    /// Boxes around what has changed together, in frame pixels; single cells, which noise makes, are left out.
    #[must_use]
    pub fn areas(&self) -> Vec<Rect> {
        let mut left = self.moving.clone();
        let mut areas = Vec::new();
        for start in 0..left.len() {
            if !std::mem::replace(&mut left[start], false) {
                continue;
            }
            let (mut waiting, mut size) = (vec![start], 0);
            let (mut x1, mut y1, mut x2, mut y2) = (usize::MAX, usize::MAX, 0, 0);
            while let Some(at) = waiting.pop() {
                let (x, y) = (at % self.columns, at / self.columns);
                (x1, y1, x2, y2) = (x1.min(x), y1.min(y), x2.max(x), y2.max(y));
                size += 1;
                // Two cells further: the inside of a plain coat does not change when its edges do.
                for near_y in y.saturating_sub(2)..(y + 3).min(self.rows) {
                    for near_x in x.saturating_sub(2)..(x + 3).min(self.columns) {
                        let near = near_y * self.columns + near_x;
                        if std::mem::replace(&mut left[near], false) {
                            waiting.push(near);
                        }
                    }
                }
            }
            if size > 1 {
                let [x1, y1, x2, y2] = [edge(x1), edge(y1), edge(x2 + 1), edge(y2 + 1)].map(|v| v * self.cell);
                areas.push(Rect::new(x1, y1, x2, y2));
            }
        }
        areas
    }

    fn cells_of(&self, region: &Rect) -> impl Iterator<Item = usize> + use<> {
        let cell = self.cell.max(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the grid")]
        let at = |v: f32, most: usize, up: bool| {
            let v = (v / cell).max(0.0);
            (if up { v.ceil() } else { v.floor() } as usize).min(most)
        };
        let columns = self.columns;
        let (xs, ys) = (
            at(region.x1, columns, false)..at(region.x2, columns, true),
            at(region.y1, self.rows, false)..at(region.y2, self.rows, true),
        );
        ys.flat_map(move |y| xs.clone().map(move |x| y * columns + x))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a grid's index is small")]
fn edge(cells: usize) -> f32 {
    cells as f32
}

fn center(cell: usize) -> f32 {
    edge(cell) + 0.5
}

/// Compares a camera's pictures.
///
/// ```
/// use faceattend_core::motion::MotionGate;
/// use faceattend_core::{ChannelOrder, Frame};
///
/// let gray = Frame::new(vec![90; 3 * 320 * 240], 320, 240, ChannelOrder::Rgb)?;
/// let mut gate = MotionGate::default();
/// assert!(gate.observe(&gray).any());
/// assert!(!gate.observe(&gray).any(), "the same picture again");
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MotionGate {
    size: (u32, u32),
    mean: Vec<f32>,
    fresh: Vec<f32>,
    order: Vec<f32>,
}

impl MotionGate {
    /// Takes a picture in and returns what has changed since those before. A picture of another size than the last
    /// begins anew.
    pub fn observe(&mut self, frame: &Frame<'_>) -> Motion {
        let step = frame.width().max(frame.height()).div_ceil(SAMPLES).max(1);
        let cell = step as usize * CELL;
        let size = (frame.width(), frame.height());
        let (columns, rows) = (size.0 as usize / cell, size.1 as usize / cell);
        #[expect(clippy::cast_precision_loss, reason = "some pixels")]
        let mut motion = Motion { columns, rows, cell: cell as f32, ..Motion::default() };
        let across = columns * CELL;
        sample(frame, step as usize, across, rows * CELL, &mut self.fresh);
        if size != self.size {
            self.size = size;
            self.mean.clone_from(&self.fresh);
            motion.first = true;
            motion.moving = vec![false; columns * rows];
            return motion;
        }
        // What changes everywhere alike is the light.
        let light = self.median_of(|fresh, mean| fresh - mean);
        let mut differences = vec![0.0; columns * rows];
        for (at, (fresh, mean)) in self.fresh.iter().zip(&mut self.mean).enumerate() {
            let (x, y) = (at % across, at / across);
            differences[(y / CELL) * columns + x / CELL] += (fresh - *mean - light).abs();
            *mean += (fresh - *mean) * FORGET;
        }
        #[expect(clippy::cast_precision_loss, reason = "sixteen")]
        let samples = (CELL * CELL) as f32;
        differences.iter_mut().for_each(|sum| *sum /= samples);
        self.order.clone_from(&differences);
        let limit = (median(&mut self.order) * OVER_NOISE).clamp(LEAST, MOST);
        motion.moving = differences.into_iter().map(|difference| difference > limit).collect();
        motion.count = motion.moving.iter().filter(|moving| **moving).count();
        motion
    }

    fn median_of(&mut self, value: impl Fn(f32, f32) -> f32) -> f32 {
        self.order.clear();
        self.order.extend(self.fresh.iter().zip(&self.mean).map(|(fresh, mean)| value(*fresh, *mean)));
        median(&mut self.order)
    }
}

fn median(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// Samples the green of every `step`th pixel, as the mean of two neighbors against noise. Green carries most of the
/// light in either channel order.
fn sample(frame: &Frame<'_>, step: usize, across: usize, down: usize, into: &mut Vec<f32>) {
    into.clear();
    let stride = frame.width() as usize * 3;
    for y in 0..down {
        let row = &frame.pixels()[y * step * stride..][..stride];
        for x in 0..across {
            let first = row[x * step * 3 + 1];
            let second = row.get(x * step * 3 + 4).copied().unwrap_or(first);
            into.push((f32::from(first) + f32::from(second)) / 2.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::ChannelOrder;

    /// Returns a gray picture with noise that depends on `seed`, and a bright square at `square`.
    fn picture(seed: u32, light: u8, square: Option<(u32, u32, u32)>) -> Frame<'static> {
        let (width, height) = (640, 360);
        let mut state = seed.wrapping_mul(2_654_435_761).max(1);
        let mut pixels = Vec::with_capacity(width * height * 3);
        for at in 0..u32::try_from(width * height).unwrap() {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let (x, y) = (at % 640, at / 640);
            let inside = square
                .is_some_and(|(left, top, side)| (left..left + side).contains(&x) && (top..top + side).contains(&y));
            let value = if inside { light.saturating_add(60) } else { light };
            pixels.extend([value.saturating_add((state % 7) as u8); 3]);
        }
        Frame::new(pixels, 640, 360, ChannelOrder::Rgb).unwrap()
    }

    #[test]
    fn a_noisy_still_picture_does_not_move() {
        let mut gate = MotionGate::default();
        assert!(gate.observe(&picture(1, 100, None)).any(), "the first picture is new");
        for seed in 2..12 {
            let motion = gate.observe(&picture(seed, 100, None));
            assert!(!motion.any(), "{seed}: {:?}", motion.areas());
        }
    }

    #[test]
    fn what_moves_is_found_where_it_is() {
        let mut gate = MotionGate::default();
        gate.observe(&picture(1, 100, None));
        let motion = gate.observe(&picture(2, 100, Some((320, 100, 60))));
        let [area] = motion.areas()[..] else { panic!("{:?}", motion.areas()) };
        let square = Rect::new(320.0, 100.0, 380.0, 160.0);
        assert!(
            area.intersection(&square).area() > 0.9 * square.area() && area.area() < 3.0 * square.area(),
            "{area:?}"
        );
        assert!(motion.within(&square) && !motion.within(&Rect::new(0.0, 0.0, 200.0, 360.0)));
        assert!(!motion.everywhere());
    }

    #[test]
    fn a_step_of_the_light_is_no_motion_by_itself() {
        let mut gate = MotionGate::default();
        gate.observe(&picture(1, 100, None));
        assert!(!gate.observe(&picture(2, 140, None)).any());
    }

    #[test]
    fn another_size_begins_anew() {
        let mut gate = MotionGate::default();
        gate.observe(&picture(1, 100, None));
        let small = Frame::new(vec![0; 64 * 48 * 3], 64, 48, ChannelOrder::Rgb).unwrap();
        assert!(gate.observe(&small).everywhere());
        let tiny = Frame::new(vec![0; 3], 1, 1, ChannelOrder::Rgb).unwrap();
        assert!(gate.observe(&tiny).areas().is_empty());
    }

    #[test]
    fn a_cleared_region_does_not_move() {
        let mut gate = MotionGate::default();
        gate.observe(&picture(1, 100, None));
        let mut motion = gate.observe(&picture(2, 100, Some((320, 100, 60))));
        motion.clear(&Rect::new(300.0, 80.0, 400.0, 180.0));
        assert!(!motion.any());
    }
}
