//! The fusion of the signs of life: a sum of log-odds, with measured weights.

use super::signs::Signs;

/// The weights of the signs of movement: of their natural logarithms, which
/// add up to log-odds.
///
/// ```
/// use faceattend_core::gate::Fusion;
///
/// // A picture that is tilted is stretched, and its points are less exact: then the same change says less.
/// assert!(Fusion::MEASURED.mesh.stretch < 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Of [`Signs::residual`].
    pub residual: f32,
    /// Of [`Signs::stretch`].
    pub stretch: f32,
    /// Of [`Signs::scale`].
    pub scale: f32,
    /// Of [`Signs::lid_dip`].
    pub lids: f32,
    /// Of [`Signs::change`].
    pub change: f32,
    /// Of [`Signs::seconds`].
    pub seconds: f32,
    /// The log-odds where every logarithm is 0.
    pub bias: f32,
}

impl Weights {
    pub(crate) fn sum(&self, signs: &[f32; 6]) -> f32 {
        let weights = [self.residual, self.stretch, self.scale, self.lids, self.change, self.seconds];
        self.bias + weights.iter().zip(signs).map(|(w, x)| w * x).sum::<f32>()
    }
}

/// The fusion of all signs.
///
/// ```
/// use faceattend_core::gate::{Fusion, Signs};
///
/// let still = Signs { seconds: 3.0, views: 30, lid_dip: Some(0.0), ..Signs::default() };
/// let moved = Signs { residual: 0.03, change: Some(0.4), ..still };
/// assert!(Fusion::MEASURED.log_odds(&moved) > Fusion::MEASURED.log_odds(&still));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fusion {
    /// For views with a mesh.
    pub mesh: Weights,
    /// For views with five points alone.
    pub five: Weights,
    /// The slope and the level of the passive check's mean log-odds.
    pub passive: [f32; 2],
    /// How much movement counts beside the passive check: at least and at most. A film moves like a person, so that
    /// movement cannot outweigh a doubt of the check; a cut-out may look like skin, so that stillness can outweigh its
    /// trust.
    pub movement_within: [f32; 2],
}

impl Fusion {
    /// As `faceattend eval gate --fit` measured it: the movement on 17 living people and 56 rendered stills, the
    /// passive check on 21 clips that cameras have seen. What movement may say beside the check was chosen so that none
    /// of the 4 replays passes. The weights for five points are those of SCRFD-2.5G with ArcFace
    /// MobileFaceNet, on the same people and 16 rendered stills.
    pub const MEASURED: Self = Self {
        mesh: Weights {
            residual: 4.568,
            stretch: -2.233,
            scale: -2.289,
            lids: 0.340,
            change: 3.544,
            seconds: -2.195,
            bias: 12.945,
        },
        five: Weights {
            residual: 1.093,
            stretch: -0.610,
            scale: -1.455,
            lids: 0.0,
            change: 3.734,
            seconds: -1.535,
            bias: 6.587,
        },
        passive: [1.344, 0.087],
        movement_within: [-3.0, 1.0],
    };

    /// Returns the log-odds of a living face by its movement alone.
    #[must_use]
    pub fn movement(&self, signs: &Signs) -> f32 {
        let weights = if signs.lid_dip.is_some() { &self.mesh } else { &self.five };
        weights.sum(&signs.movement())
    }

    /// Returns the log-odds of a living face by all signs.
    #[must_use]
    pub fn log_odds(&self, signs: &Signs) -> f32 {
        let movement = self.movement(signs);
        match signs.passive {
            Some(passive) => {
                let [least, most] = self.movement_within;
                self.passive[0] * passive + self.passive[1] + movement.clamp(least, most)
            }
            None => movement,
        }
    }
}
