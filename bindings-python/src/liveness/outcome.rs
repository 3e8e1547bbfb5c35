//! What a session answers.

use faceattend_core::liveness::{Outcome as CoreOutcome, Position, Verification as CoreVerification};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::embedding::Embedding;

/// What a session says about one frame. Nothing in it identifies a person.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Outcome(pub(super) CoreOutcome);

#[pymethods]
impl Outcome {
    /// The position that was asked for: ``"center"``, ``"left"``, ``"right"``, ``"up"`` or ``"down"``.
    #[getter]
    fn requested(&self) -> &'static str {
        self.0.requested.as_str()
    }

    /// The position that the head shows; ``None`` when there is no single face with a pose.
    #[getter]
    fn detected_pose(&self) -> Option<&'static str> {
        self.0.detected_pose.map(Position::as_str)
    }

    /// The measured yaw in degrees, in the frame as received.
    #[getter]
    fn yaw(&self) -> Option<f32> {
        self.0.yaw.map(|yaw| yaw.0)
    }

    /// The yaw in degrees that was compared with ``gate``: the median over the last frames of the track, where the
    /// session asks for steady frames.
    #[getter]
    fn smoothed_yaw(&self) -> Option<f32> {
        self.0.smoothed_yaw.map(|yaw| yaw.0)
    }

    /// The yaws in degrees, lowest and highest, between which the head shows the position that was asked for.
    #[getter]
    fn gate(&self) -> (f32, f32) {
        let [from, to] = self.0.gate;
        (from.0, to.0)
    }

    /// How far the face looks up (positive) or down against the verified center, in degrees; ``None`` before there is
    /// one.
    #[getter]
    fn rise(&self) -> Option<f32> {
        self.0.rise.map(|rise| rise.0)
    }

    /// The rises in degrees, lowest and highest, between which the head shows the position that was asked for; ``None``
    /// for the sides, and in a session without ``nods``.
    #[getter]
    fn rise_gate(&self) -> Option<(f32, f32)> {
        self.0.rise_gate.map(|[from, to]| (from.0, to.0))
    }

    /// Whether the frame passed every check for the position that was asked for.
    #[getter]
    fn is_live(&self) -> bool {
        self.0.is_live
    }

    /// How well the frame shows the position asked for, in [0, 1]: 0 when it was refused, else 0.75 or more.
    #[getter]
    fn confidence(&self) -> f32 {
        self.0.confidence
    }

    /// The positions verified by now.
    #[getter]
    fn verified(&self) -> Vec<&'static str> {
        self.0.verified.iter().map(|position| position.as_str()).collect()
    }

    /// The position to ask for next; ``None`` when all are verified.
    #[getter]
    fn next(&self) -> Option<&'static str> {
        self.0.next.map(Position::as_str)
    }

    /// How many steps have passed, and how many there are.
    #[getter]
    fn steps(&self) -> (usize, usize) {
        self.0.steps
    }

    /// What came of the passive check so far: ``"off"``, ``"not_run"``, ``"live"`` or ``"spoof"``.
    #[getter]
    fn passive(&self) -> &'static str {
        self.0.passive.verdict.as_str()
    }

    /// The mean probability of a living face over the frames that the passive check scored lately, in [0, 1]; ``None``
    /// when it has scored none.
    #[getter]
    fn passive_mean(&self) -> Option<f32> {
        self.0.passive.mean
    }

    /// Whether the head has been seen to turn to both sides.
    #[getter]
    fn movement_verified(&self) -> bool {
        self.0.movement_verified
    }

    /// ``"PENDING"``, ``"IN_PROGRESS"``, ``"COMPLETED"``, ``"FAILED"`` or ``"EXPIRED"``.
    #[getter]
    fn status(&self) -> &'static str {
        self.0.status.as_str()
    }

    /// Whether the session is complete.
    #[getter]
    fn session_completed(&self) -> bool {
        self.0.session_completed
    }

    /// How sure a completed session is, in [0, 1]; 0 before that.
    #[getter]
    fn liveness_score(&self) -> f32 {
        self.0.liveness_score
    }

    /// Codes: first why the frame was refused, then remarks. Empty when all is well.
    #[getter]
    fn reasons(&self) -> Vec<&'static str> {
        self.0.reasons.iter().map(faceattend_core::liveness::Reason::code).collect()
    }

    /// For each reason, one sentence that the person in front of the camera can act on.
    #[getter]
    fn advice(&self) -> Vec<String> {
        self.0.reasons.iter().map(|reason| reason.advice().into_owned()).collect()
    }

    /// Returns the outcome as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("requested", self.requested())?;
        dict.set_item("detected_pose", self.detected_pose())?;
        dict.set_item("yaw", self.yaw())?;
        dict.set_item("smoothed_yaw", self.smoothed_yaw())?;
        dict.set_item("gate", self.gate())?;
        dict.set_item("rise", self.rise())?;
        dict.set_item("rise_gate", self.rise_gate())?;
        dict.set_item("is_live", self.is_live())?;
        dict.set_item("confidence", self.confidence())?;
        dict.set_item("verified", self.verified())?;
        dict.set_item("next", self.next())?;
        dict.set_item("steps", self.steps())?;
        dict.set_item("passive", self.passive())?;
        dict.set_item("status", self.status())?;
        dict.set_item("session_completed", self.session_completed())?;
        dict.set_item("liveness_score", self.liveness_score())?;
        dict.set_item("movement_verified", self.movement_verified())?;
        dict.set_item("reasons", self.reasons())?;
        dict.set_item("advice", self.advice())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!(
            "Outcome(requested={:?}, detected_pose={:?}, is_live={}, status={:?})",
            self.requested(),
            self.detected_pose().unwrap_or("none"),
            self.is_live(),
            self.status()
        )
    }
}

/// What closing a session finds.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Verification(pub(super) CoreVerification);

#[pymethods]
impl Verification {
    /// ``"COMPLETED"``, ``"FAILED"`` or ``"EXPIRED"``.
    #[getter]
    fn status(&self) -> &'static str {
        self.0.status.as_str()
    }

    /// How sure a completed session is, in [0, 1].
    #[getter]
    fn liveness_score(&self) -> f32 {
        self.0.liveness_score
    }

    /// Whether the head has been seen to turn to both sides.
    #[getter]
    fn movement_verified(&self) -> bool {
        self.0.movement_verified
    }

    /// The template to enrol, when the session is complete.
    #[getter]
    fn final_template(&self) -> Option<Embedding> {
        self.0.final_template.clone().map(Embedding::from)
    }

    /// The positions that are still missing.
    #[getter]
    fn missing(&self) -> Vec<&'static str> {
        self.0.missing.iter().map(|position| position.as_str()).collect()
    }

    /// Returns the answer as a dictionary that ``json.dumps`` takes, without the template.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("status", self.status())?;
        dict.set_item("liveness_score", self.liveness_score())?;
        dict.set_item("movement_verified", self.movement_verified())?;
        dict.set_item("missing", self.missing())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("Verification(status={:?}, missing={:?})", self.status(), self.missing())
    }
}
