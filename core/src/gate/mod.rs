//! Liveness at the gate: whether the face that a camera follows is a living person's or a picture's.
//!
//! A registration asks the person to turn the head. At a gate people walk by, so this module judges what the views of
//! a track show anyway:
//!
//! | cue | in | what a picture cannot do |
//! |---|---|---|
//! | shape | [`Signs::residual`] | change its shape beyond what one flat map explains: turn, nod |
//! | lids | [`Signs::lid_dip`] | blink |
//! | appearance | [`Signs::change`] | change its embedding while it is held alike |
//! | passive check | [`Signs::passive`] | look like skin to MiniFASNet, where its models are installed |
//! | frozen frames | [`Signs::frozen`] | carry the noise of a sensor when it is injected |
//! | answer | [`GatePolicy::Ask`] | make the movement that it is asked for |
//!
//! [`Fusion`] adds the evidence up as log-odds, [`LifeEvidence`] decides for one track, and [`GateOptions`] say what a
//! camera does with the answer. The weights of the fusion come from `faceattend eval gate --fit`. `docs/src/gate.md`
//! has the figures and the limits.

mod evidence;
mod flat_map;
mod fusion;
mod policy;
mod question;
mod signs;
mod verdict;
mod view;

pub(crate) use evidence::Asked;
pub use evidence::LifeEvidence;
pub use fusion::{Fusion, Weights};
pub use policy::{GateOptions, GatePolicy, UnprovenFaces};
pub use signs::Signs;
pub use verdict::{Life, LifeReason, LifeVerdict};
pub use view::LifeView;

#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod tests;
