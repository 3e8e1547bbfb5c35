//! The map of one flat thing between two views of it: a homography, as a camera makes it of any plane.

use crate::geometry::Point;

/// A projective map of the plane, with the last of its nine numbers 1 in centered coordinates.
#[derive(Debug, Clone, Copy)]
pub(super) struct FlatMap {
    from: Frame,
    to: Frame,
    h: [f64; 8],
}

/// The center and the size of a set of points: in its coordinates the equations are well conditioned.
#[derive(Debug, Clone, Copy)]
struct Frame {
    center: [f64; 2],
    size: f64,
}

impl Frame {
    #[expect(clippy::cast_precision_loss, reason = "hundreds of points")]
    fn of(points: &[Point]) -> Option<Self> {
        let count = points.len() as f64;
        let sum = |f: &dyn Fn(&Point) -> f64| points.iter().map(f).sum::<f64>() / count;
        let center = [sum(&|p| f64::from(p.x)), sum(&|p| f64::from(p.y))];
        let size = sum(&|p| (f64::from(p.x) - center[0]).powi(2) + (f64::from(p.y) - center[1]).powi(2)).sqrt();
        (size.is_finite() && size > 1e-6).then_some(Self { center, size })
    }

    fn enter(&self, point: Point) -> [f64; 2] {
        [(f64::from(point.x) - self.center[0]) / self.size, (f64::from(point.y) - self.center[1]) / self.size]
    }

    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    fn leave(&self, [x, y]: [f64; 2]) -> Point {
        Point::new((x * self.size + self.center[0]) as f32, (y * self.size + self.center[1]) as f32)
    }
}

/// The least number of points for which a homography leaves anything over: it takes up four whole.
const FOR_PROJECTIVE: usize = 12;

impl FlatMap {
    /// Returns the least-squares map of `from` to `to`, which pair up: projective, or affine for fewer than
    /// [`FOR_PROJECTIVE`] points. `None` when they lie in one place or on a line.
    pub(super) fn between(from: &[Point], to: &[Point]) -> Option<Self> {
        if from.len() != to.len() || from.len() < 4 {
            return None;
        }
        let (in_from, in_to) = (Frame::of(from)?, Frame::of(to)?);
        let unknowns = if from.len() < FOR_PROJECTIVE { 6 } else { 8 };
        // The normal equations of x' (h6 x + h7 y + 1) = h0 x + h1 y + h2, and of y' alike.
        let mut normal = [[0.0; 9]; 8];
        for (p, q) in from.iter().zip(to) {
            let ([x, y], [u, v]) = (in_from.enter(*p), in_to.enter(*q));
            let rows = [[x, y, 1.0, 0.0, 0.0, 0.0, -x * u, -y * u, u], [0.0, 0.0, 0.0, x, y, 1.0, -x * v, -y * v, v]];
            for row in rows {
                for i in 0..unknowns {
                    for j in 0..unknowns {
                        normal[i][j] += row[i] * row[j];
                    }
                    normal[i][8] += row[i] * row[8];
                }
            }
        }
        let solved = solve(&mut normal, unknowns)?;
        Some(Self { from: in_from, to: in_to, h: solved })
    }

    /// Returns where the map takes a point.
    pub(super) fn apply(&self, point: Point) -> Point {
        let [x, y] = self.from.enter(point);
        let h = &self.h;
        let depth = h[6] * x + h[7] * y + 1.0;
        self.to.leave([(h[0] * x + h[1] * y + h[2]) / depth, (h[3] * x + h[4] * y + h[5]) / depth])
    }

    /// Returns what the map does to the neighborhood of the middle of the points.
    pub(super) fn linear(&self) -> Linear {
        let h = &self.h;
        let scale = self.to.size / self.from.size;
        // The derivative at the origin.
        let (a, b) = (h[0] - h[2] * h[6], h[1] - h[2] * h[7]);
        let (c, d) = (h[3] - h[5] * h[6], h[4] - h[5] * h[7]);
        Linear([a, b, c, d].map(|part| part * scale))
    }
}

/// A linear map of the plane: of x' by x and y, and of y' by x and y.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Linear([f64; 4]);

impl Linear {
    /// Returns the map that goes the way of `self` after going `other` backwards; `None` where there is no way back.
    pub(super) fn after_inverse_of(&self, other: &Self) -> Option<Self> {
        let [a, b, c, d] = other.0;
        let det = a * d - b * c;
        if det.abs() <= 1e-12 || !det.is_finite() {
            return None;
        }
        let [e, f, g, h] = [d / det, -b / det, -c / det, a / det];
        let [p, q, r, s] = self.0;
        Some(Self([p * e + q * g, p * f + q * h, r * e + s * g, r * f + s * h]))
    }

    /// Returns the natural logarithms of how much the map stretches one way more than the other, and of how much it
    /// enlarges.
    pub(super) fn stretch(&self) -> (f64, f64) {
        let [a, b, c, d] = self.0;
        let (det, square) = ((a * d - b * c).abs(), a * a + b * b + c * c + d * d);
        let root = (square * square - 4.0 * det * det).max(0.0).sqrt();
        let ratio = ((square + root) / (square - root).max(1e-9)).sqrt();
        (ratio.ln(), 0.5 * det.max(1e-9).ln())
    }
}

/// Solves the first `unknowns` of eight equations by elimination; `None` when they do not determine them.
fn solve(m: &mut [[f64; 9]; 8], unknowns: usize) -> Option<[f64; 8]> {
    for at in 0..unknowns {
        let pivot = (at..unknowns).max_by(|a, b| m[*a][at].abs().total_cmp(&m[*b][at].abs()))?;
        m.swap(at, pivot);
        if m[at][at].abs() < 1e-9 || !m[at][at].is_finite() {
            return None;
        }
        let row = m[at];
        for (below, other) in m.iter_mut().enumerate().take(unknowns).skip(at + 1) {
            let part = other[at] / row[at];
            debug_assert!(below > at);
            for (value, pivot) in other.iter_mut().zip(&row) {
                *value -= part * pivot;
            }
        }
    }
    let mut solved = [0.0; 8];
    for at in (0..unknowns).rev() {
        let known: f64 = (at + 1..unknowns).map(|n| m[at][n] * solved[n]).sum();
        solved[at] = (m[at][8] - known) / m[at][at];
    }
    Some(solved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Vec<Point> {
        (0..25).map(|n| Point::new(100.0 + 20.0 * (n % 5) as f32, 60.0 + 25.0 * (n / 5) as f32)).collect()
    }

    #[test]
    fn a_tilted_plane_is_explained_whole() {
        let tilted: Vec<Point> = grid()
            .iter()
            .map(|p| {
                let depth = 1.0 + 0.002 * p.x - 0.001 * p.y;
                Point::new((0.9 * p.x + 0.2 * p.y) / depth, (1.1 * p.y - 0.1 * p.x + 7.0) / depth)
            })
            .collect();
        let map = FlatMap::between(&grid(), &tilted).unwrap();
        for (p, q) in grid().into_iter().zip(tilted) {
            assert!(map.apply(p).distance(q) < 1e-2, "{p:?} {q:?} {:?}", map.apply(p));
        }
    }

    #[test]
    fn stretching_is_told_from_enlarging() {
        let map = |x: f32, y: f32| {
            let to: Vec<Point> = grid().iter().map(|p| Point::new(x * p.x, y * p.y)).collect();
            FlatMap::between(&grid(), &to).unwrap().linear()
        };
        let (stretch, _) = map(2.0, 0.7).after_inverse_of(&map(2.0, 0.7)).unwrap().stretch();
        assert!(stretch.abs() < 1e-6, "there and back: {stretch}");
        let map = |x, y| map(x, y).stretch();
        let (stretch, scale) = map(2.0, 2.0);
        assert!(stretch.abs() < 1e-6 && (scale - 2.0_f64.ln()).abs() < 1e-6, "{stretch} {scale}");
        let (stretch, _) = map(0.5, 1.0);
        assert!((stretch - 2.0_f64.ln()).abs() < 1e-6, "{stretch}");
    }

    #[test]
    fn points_on_a_line_determine_nothing() {
        let line: Vec<Point> = (0..20).map(|n| Point::new(n as f32, 2.0 * n as f32)).collect();
        assert!(FlatMap::between(&line, &grid()[..20]).is_none());
        assert!(FlatMap::between(&[Point::default(); 20], &grid()[..20]).is_none());
        assert!(FlatMap::between(&grid(), &grid()[..20]).is_none());
    }
}
