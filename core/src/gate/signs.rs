//! The signs of life in the views of one track, as numbers.

use serde::Serialize;

/// The signs of life in the views of one track. A sign that was not looked for is `None`.
///
/// ```
/// use faceattend_core::gate::Signs;
///
/// // A flat picture, however long it is held.
/// let signs = Signs { seconds: 3.0, views: 30, ..Signs::default() };
/// assert_eq!((signs.residual, signs.lid_dip), (0.0, None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Signs {
    /// The time between the first and the last view, in seconds.
    pub seconds: f32,
    /// The number of views.
    pub views: usize,
    /// How far the points of the skull lie from where one flat thing would have them, in sizes of the face (the root
    /// mean square distance of its points from their center): the 0.9 quantile over the views.
    pub residual: f32,
    /// How much the face was stretched one way, as a natural logarithm: the 0.95 quantile over the views. A picture
    /// that is tilted is stretched, and the points of a tilted picture are less exact.
    pub stretch: f32,
    /// By how much the face grew or shrank, as a natural logarithm.
    pub scale: f32,
    /// The deepest blink: by which part of the usual gap both pairs of lids closed and opened again within a
    /// second, as one flat map leaves it. `None` without a mesh.
    pub lid_dip: Option<f32>,
    /// How much the embedding changed between views of a face that was held alike: the distance of two such views at
    /// the 0.95 quantile, as 1 minus their cosine, where 1 is the distance at the documented threshold. A picture that
    /// is tilted or comes nearer changes its embedding too, and a picture that is held alike does not. `None` of too
    /// few such views.
    pub change: Option<f32>,
    /// The mean log-odds of a living face by the passive check, each view at most 4 either way, and three more that say
    /// nothing. `None` where it did not run.
    pub passive: Option<f32>,
    /// The number of views that the passive check judged.
    pub passive_views: usize,
    /// How many views in a row were one and the same picture.
    pub frozen: usize,
}

/// The longest blink, from open to open, in seconds. A blink of a waking person takes 0.1 to 0.4 seconds.
pub(super) const BLINK: f32 = 1.0;
/// The most that one view counts for the passive check, in log-odds: a softmax says 0.98 and 0.999 alike.
pub(super) const PASSIVE_MOST: f32 = 4.0;

/// What measuring a still picture gives at least: smaller values say the same.
const FLOORS: [f32; 6] = [0.004, 0.01, 0.005, 0.02, 0.02, 0.3];

impl Signs {
    /// Returns the logarithms of the signs of movement: residual, stretch, scale, lids, change and seconds.
    /// A still picture gives a little of each, as measured; less counts as that much, and so does what was not looked
    /// for. These are what [`Weights`](super::Weights) weigh.
    #[must_use]
    pub fn movement(&self) -> [f32; 6] {
        let signs = [
            self.residual,
            self.stretch,
            self.scale,
            self.lid_dip.unwrap_or(0.0),
            self.change.unwrap_or(0.0),
            self.seconds,
        ];
        std::array::from_fn(|n| if signs[n] > FLOORS[n] { signs[n].ln() } else { FLOORS[n].ln() })
    }
}
