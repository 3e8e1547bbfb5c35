//! Where a point in space lies in a picture: a pinhole, as every camera without distortion.

/// A camera's geometry.
#[derive(Clone, Copy)]
pub(super) struct Lens {
    /// The focal length, in pixels.
    pub(super) focal: f64,
    /// The middle of the picture, in pixels.
    pub(super) middle: [f64; 2],
}

/// Where a thing is: its origin's place in the picture, and how large it appears there.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// In pixels.
    pub(super) center: [f64; 2],
    /// 1 at the distance where a unit of the thing is one pixel; 0.5 at twice that distance.
    pub(super) scale: f64,
}

/// Focal length over the width of the picture: a field of view of 49 degrees across, as webcams and cameras over doors
/// have.
const FOCAL: f64 = 1.1;

impl Lens {
    /// Creates the lens of a picture of `width` x `height` pixels.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { focal: FOCAL * width as f64, middle: [width as f64 / 2.0, height as f64 / 2.0] }
    }

    /// Returns the pixel of a point of a thing at `place`, and how far away it is.
    pub(super) fn project(&self, place: Place, point: [f64; 3]) -> ([f64; 2], f64) {
        let distance = self.focal / place.scale;
        // Nothing comes nearer than a twentieth of the way.
        let depth = (distance + point[2]).max(distance / 20.0);
        let pixel = std::array::from_fn(|axis| {
            let origin = (place.center[axis] - self.middle[axis]) * distance / self.focal;
            self.middle[axis] + self.focal * (origin + point[axis]) / depth
        });
        (pixel, depth)
    }
}
