//! What a session demands, out of keyword arguments.

use faceattend_core::Result;
use faceattend_core::liveness::{LivenessOptions, Mirrored, Nods, Order, PadPolicy, QualityGate};
use faceattend_core::types::{Cosine, Degrees, Threshold};
use jiff::SignedDuration;
use pyo3::prelude::*;
use serde_json::from_value;

use crate::error::invalid_input;
use crate::gil::attached;

/// The keyword arguments of a session. What is `None` has the core's default.
pub(super) struct Keywords<'a> {
    pub(super) guarded: bool,
    pub(super) mirrored: bool,
    pub(super) ttl: f64,
    pub(super) pad: &'a str,
    pub(super) gates: [f32; 3],
    pub(super) same_person: f32,
    pub(super) order: Option<&'a str>,
    pub(super) nods: bool,
    pub(super) extra_steps: Option<u32>,
    pub(super) wrong_turns: Option<u32>,
    pub(super) attempt_limit: Option<u32>,
    pub(super) steady_frames: Option<u32>,
    pub(super) frozen_frames: Option<u32>,
    pub(super) min_relief: Option<f32>,
    pub(super) quality: Option<&'a str>,
    pub(super) suspicious_limit: Option<u32>,
    pub(super) frozen: Option<f32>,
    pub(super) min_nose_shift: Option<f32>,
    pub(super) min_pad_mean: Option<f32>,
    pub(super) dominance: Option<f32>,
}

impl Keywords<'_> {
    /// Returns the options that the keywords mean. What is given goes before what `guarded` chooses.
    ///
    /// # Errors
    /// `InvalidInputError` naming the keyword that is no word of its kind, or is out of its range.
    pub(super) fn read(&self, py: Python<'_>) -> PyResult<LivenessOptions> {
        let ttl = SignedDuration::try_from_secs_f64(self.ttl).map_err(|_| invalid_input(py, "ttl", "it is no time"))?;
        let pad: PadPolicy = word(py, "pad", self.pad)?;
        let order: Option<Order> = self.order.map(|order| word(py, "order", order)).transpose()?;
        let quality: Option<QualityGate> = self.quality.map(|gate| word(py, "quality", gate)).transpose()?;
        attached(py, || self.with_words(ttl, pad, order, quality))
    }

    fn with_words(
        &self,
        ttl: SignedDuration,
        pad: PadPolicy,
        order: Option<Order>,
        quality: Option<QualityGate>,
    ) -> Result<LivenessOptions> {
        let mut made = if self.guarded { LivenessOptions::guarded() } else { LivenessOptions::default() };
        let [center, left, right] = self.gates.map(Degrees);
        made = made
            .with_mirrored(if self.mirrored { Mirrored::Yes } else { Mirrored::No })
            .with_ttl(ttl)
            .with_pad(pad, self.min_pad_mean.unwrap_or(made.min_pad_mean))
            .with_gates(center, left, right)
            .with_same_person(Threshold::new(self.same_person)?)
            .with_order(order.unwrap_or(made.order), self.extra_steps.unwrap_or(made.extra_steps))
            .with_nods(if self.nods { Nods::Yes } else { made.nods })
            .with_wrong_turns(self.wrong_turns.unwrap_or(made.wrong_turns))
            .with_attempt_limit(self.attempt_limit.unwrap_or(made.attempt_limit))
            .with_steady_frames(self.steady_frames.unwrap_or(made.steady_frames))
            .with_frozen_frames(self.frozen_frames.unwrap_or(made.frozen_frames))
            .with_min_relief(self.min_relief.unwrap_or(made.min_relief))
            .with_quality(quality.unwrap_or(made.quality))
            .with_suspicious_limit(self.suspicious_limit.unwrap_or(made.suspicious_limit))
            .with_frozen(self.frozen.map_or(made.frozen, Cosine))
            .with_min_nose_shift(self.min_nose_shift.unwrap_or(made.min_nose_shift))
            .with_dominance(self.dominance.unwrap_or(made.dominance));
        made.check()?;
        Ok(made)
    }
}

/// Returns what the core calls `text`.
fn word<T: serde::de::DeserializeOwned>(py: Python<'_>, what: &'static str, text: &str) -> PyResult<T> {
    from_value(text.into()).map_err(|_| invalid_input(py, what, format!("{text:?} is not known")))
}
